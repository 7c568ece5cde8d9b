/* SPDX-License-Identifier: Apache-2.0
 * A ring of pointers under one mutex. */
#include "base/channel.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct Channel {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    void **items; /* [capacity] */
    int64_t capacity, first, count;
    bool closed;
    Err err;
    char message[ERR_MESSAGE_BYTES];
};

Err channel_new(int64_t capacity, Channel **ret_channel)
{
    Channel *c = calloc(1, sizeof *c);
    void **items = calloc((size_t)capacity, sizeof *items);
    if (c == NULL || items == NULL) {
        free(c);
        free(items);
        return err_memory((size_t)capacity * sizeof *items, "a channel");
    }
    c->items = items;
    c->capacity = capacity;
    (void)pthread_mutex_init(&c->mutex, NULL);
    (void)pthread_cond_init(&c->changed, NULL);
    *ret_channel = c;
    return ERR_NONE;
}

void channel_free(Channel *channel)
{
    if (channel == NULL) return;
    (void)pthread_mutex_destroy(&channel->mutex);
    (void)pthread_cond_destroy(&channel->changed);
    free(channel->items);
    free(channel);
}

bool channel_put(Channel *c, void *item)
{
    (void)pthread_mutex_lock(&c->mutex);
    while (!c->closed && c->count == c->capacity) (void)pthread_cond_wait(&c->changed, &c->mutex);
    const bool open = !c->closed;
    if (open) {
        c->items[(c->first + c->count) % c->capacity] = item;
        c->count++;
    }
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->mutex);
    return open;
}

bool channel_take(Channel *c, void **ret_item)
{
    (void)pthread_mutex_lock(&c->mutex);
    while (!c->closed && c->count == 0) (void)pthread_cond_wait(&c->changed, &c->mutex);
    const bool some = c->count > 0 && c->err == ERR_NONE;
    if (some) {
        *ret_item = c->items[c->first];
        c->first = (c->first + 1) % c->capacity;
        c->count--;
    }
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->mutex);
    return some;
}

void channel_close(Channel *c, Err err)
{
    (void)pthread_mutex_lock(&c->mutex);
    c->closed = true;
    if (c->err == ERR_NONE && err != ERR_NONE) {
        c->err = err;
        memcpy(c->message, err_message(), strlen(err_message()) + 1);
    }
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->mutex);
}

Err channel_error(Channel *c)
{
    (void)pthread_mutex_lock(&c->mutex);
    const Err err = c->err == ERR_NONE ? ERR_NONE : err_adopt(c->err, c->message);
    (void)pthread_mutex_unlock(&c->mutex);
    return err;
}
