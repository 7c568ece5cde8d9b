/* SPDX-License-Identifier: Apache-2.0
 * A ring of batches between one producer thread and the trainer. */
#include "train/loader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 3 };

struct Loader {
    Dataset *dataset;
    const TextTable *table;
    BatchLayout layout;
    int64_t last;
    Batch ring[RING];
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool started;
    /* guarded by mutex */
    int64_t produced, taken; /* step numbers */
    bool stop;
    Err code;
    char message[ERR_MESSAGE_BYTES];
};

void batch_done(Batch *batch)
{
    free(batch->image);
    free(batch->labels);
    free(batch->tokens);
    free(batch->token_mask);
    free(batch->log_share_16);
    free(batch->log_share_32);
    *batch = (Batch){ 0 };
}

static size_t mask_length(const BatchLayout *l) { return (size_t)(TEXT_MAX_SLOTS * l->tokens + TEXT_NULL_TOKENS); }

Err batch_init(Batch *batch, const BatchLayout *l)
{
    const size_t n = (size_t)l->batch;
    const size_t pixels = (size_t)(l->side * l->side);
    Batch b = { .image = calloc(n * pixels * (size_t)l->bands, sizeof(float)), .labels = calloc(n, pixels) };
    bool complete = b.image != NULL && b.labels != NULL;
    if (l->tokens > 0) {
        b.tokens = calloc(n * TEXT_MAX_SLOTS * (size_t)l->tokens * TEXT_WIDTH, sizeof(float));
        b.token_mask = calloc(n * mask_length(l), sizeof(float));
        b.log_share_16 = calloc(n * pixels / 256 * (TEXT_MAX_SLOTS + 1), sizeof(float));
        b.log_share_32 = calloc(n * pixels / 1024 * (TEXT_MAX_SLOTS + 1), sizeof(float));
        complete = complete && b.tokens != NULL && b.token_mask != NULL && b.log_share_16 != NULL &&
                   b.log_share_32 != NULL;
    }
    if (!complete) {
        batch_done(&b);
        return err_memory(n * pixels * (size_t)(l->bands * 4 + 1), "a batch");
    }
    *batch = b;
    return ERR_NONE;
}

WindowBuffers batch_window(const Batch *b, const BatchLayout *l, int64_t i)
{
    const int64_t pixels = l->side * l->side;
    WindowBuffers w = { .image = b->image + i * pixels * l->bands, .labels = b->labels + i * pixels };
    if (b->tokens == NULL) return w;
    w.text = (TextInputs){
        .tokens = b->tokens + i * TEXT_MAX_SLOTS * l->tokens * TEXT_WIDTH,
        .token_mask = b->token_mask + i * (int64_t)mask_length(l),
        .log_share_16 = b->log_share_16 + i * (pixels / 256) * (TEXT_MAX_SLOTS + 1),
        .log_share_32 = b->log_share_32 + i * (pixels / 1024) * (TEXT_MAX_SLOTS + 1),
    };
    return w;
}

static Err produce(Loader *loader, int64_t step)
{
    const Batch *const batch = &loader->ring[step % RING];
    for (int64_t i = 0; i < loader->layout.batch; i++)
        TRY(dataset_training_window(loader->dataset, (uint64_t)step, (uint64_t)i, loader->table,
                                    loader->layout.tokens, batch_window(batch, &loader->layout, i)));
    return ERR_NONE;
}

/* Waits for a free slot; false when asked to stop or done. The consumer holds the slot of `taken` - 1. */
static bool wait_for_slot(Loader *loader, int64_t *ret_step)
{
    (void)pthread_mutex_lock(&loader->mutex);
    while (!loader->stop && loader->produced - loader->taken >= RING - 1 && loader->produced < loader->last)
        (void)pthread_cond_wait(&loader->changed, &loader->mutex);
    const bool go = !loader->stop && loader->produced < loader->last;
    *ret_step = loader->produced;
    (void)pthread_mutex_unlock(&loader->mutex);
    return go;
}

static void *run(void *argument)
{
    Loader *const loader = argument;
    int64_t step = 0;
    while (wait_for_slot(loader, &step)) {
        const Err code = produce(loader, step);
        (void)pthread_mutex_lock(&loader->mutex);
        if (code == ERR_NONE) {
            loader->produced++;
        } else {
            loader->code = code;
            loader->stop = true;
            memcpy(loader->message, err_message(), strlen(err_message()) + 1);
        }
        (void)pthread_cond_broadcast(&loader->changed);
        (void)pthread_mutex_unlock(&loader->mutex);
    }
    return NULL;
}

Err loader_new(Dataset *dataset, const TextTable *table, const BatchLayout *layout, int64_t first, int64_t last,
               Loader **ret_loader)
{
    Loader *const loader = calloc(1, sizeof *loader);
    if (loader == NULL) return err_memory(sizeof *loader, "the loader");
    *loader = (Loader){ .dataset = dataset, .table = table, .layout = *layout, .last = last,
                        .produced = first, .taken = first };
    (void)pthread_mutex_init(&loader->mutex, NULL);
    (void)pthread_cond_init(&loader->changed, NULL);
    Err code = ERR_NONE;
    for (int32_t i = 0; code == ERR_NONE && i < RING; i++) code = batch_init(&loader->ring[i], layout);
    if (code == ERR_NONE && pthread_create(&loader->thread, NULL, run, loader) != 0)
        code = err_set(ERR_INTERNAL, "the loader's thread cannot be started");
    if (code != ERR_NONE) {
        loader_free(loader);
        return code;
    }
    loader->started = true;
    *ret_loader = loader;
    return ERR_NONE;
}

Err loader_next(Loader *loader, const Batch **ret_batch)
{
    (void)pthread_mutex_lock(&loader->mutex);
    ASSERT(loader->taken < loader->last);
    while (loader->code == ERR_NONE && loader->produced <= loader->taken)
        (void)pthread_cond_wait(&loader->changed, &loader->mutex);
    Err code = ERR_NONE;
    if (loader->produced > loader->taken) {
        *ret_batch = &loader->ring[loader->taken % RING];
        loader->taken++;
    } else {
        code = err_adopt(loader->code, loader->message);
    }
    (void)pthread_cond_broadcast(&loader->changed);
    (void)pthread_mutex_unlock(&loader->mutex);
    return code;
}

void loader_free(Loader *loader)
{
    if (loader == NULL) return;
    if (loader->started) {
        (void)pthread_mutex_lock(&loader->mutex);
        loader->stop = true;
        (void)pthread_cond_broadcast(&loader->changed);
        (void)pthread_mutex_unlock(&loader->mutex);
        (void)pthread_join(loader->thread, NULL);
    }
    for (int32_t i = 0; i < RING; i++) batch_done(&loader->ring[i]);
    (void)pthread_mutex_destroy(&loader->mutex);
    (void)pthread_cond_destroy(&loader->changed);
    free(loader);
}
