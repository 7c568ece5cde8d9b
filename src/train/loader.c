/* SPDX-License-Identifier: Apache-2.0
 * Batches between one producer thread and the trainer: free ones go one way, filled ones the other. */
#include "train/loader.h"

#include "base/channel.h"

#include <pthread.h>
#include <stdlib.h>

enum { BATCHES = 3 }; /* one in use, one ready, one being made */

struct Loader {
    Dataset *dataset;
    const TextTable *table;
    BatchLayout layout;
    int64_t first, last;
    Batch batches[BATCHES];
    Channel *empty, *full;
    Batch *in_use; /* what loader_next gave last */
    pthread_t thread;
    bool started;
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

SegmenterInputs batch_inputs(const Batch *batch, bool labels)
{
    return (SegmenterInputs){ .image = batch->image,
                              .labels = labels ? batch->labels : NULL,
                              .tokens = batch->tokens,
                              .token_mask = batch->token_mask,
                              .log_share_16 = batch->log_share_16,
                              .log_share_32 = batch->log_share_32 };
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
        complete =
            complete && b.tokens != NULL && b.token_mask != NULL && b.log_share_16 != NULL && b.log_share_32 != NULL;
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

static Err fill(const Loader *loader, const Batch *batch, int64_t step)
{
    for (int64_t i = 0; i < loader->layout.batch; i++)
        TRY(dataset_training_window(loader->dataset, (uint64_t)step, (uint64_t)i, loader->table, loader->layout.tokens,
                                    batch_window(batch, &loader->layout, i)));
    return ERR_NONE;
}

static void *run(void *argument)
{
    Loader *loader = argument;
    Err err = ERR_NONE;
    void *batch = NULL;
    for (int64_t step = loader->first; step < loader->last && channel_take(loader->empty, &batch); step++) {
        err = fill(loader, batch, step);
        if (err != ERR_NONE || !channel_put(loader->full, batch)) break;
    }
    channel_close(loader->full, err);
    return NULL;
}

static Err start(Loader *loader)
{
    TRY(channel_new(BATCHES, &loader->empty));
    TRY(channel_new(BATCHES, &loader->full));
    for (int32_t i = 0; i < BATCHES; i++) {
        TRY(batch_init(&loader->batches[i], &loader->layout));
        (void)channel_put(loader->empty, &loader->batches[i]);
    }
    if (pthread_create(&loader->thread, NULL, run, loader) != 0)
        return err_set(ERR_INTERNAL, "the loader's thread cannot be started");
    loader->started = true;
    return ERR_NONE;
}

Err loader_new(Dataset *dataset, const TextTable *table, const BatchLayout *layout, int64_t first, int64_t last,
               Loader **ret_loader)
{
    Loader *loader = calloc(1, sizeof *loader);
    if (loader == NULL) return err_memory(sizeof *loader, "the loader");
    *loader = (Loader){ .dataset = dataset, .table = table, .layout = *layout, .first = first, .last = last };
    const Err err = start(loader);
    if (err != ERR_NONE) {
        loader_free(loader);
        return err;
    }
    *ret_loader = loader;
    return ERR_NONE;
}

Err loader_next(Loader *loader, const Batch **ret_batch)
{
    if (loader->in_use != NULL) (void)channel_put(loader->empty, loader->in_use);
    loader->in_use = NULL;
    void *batch = NULL;
    if (!channel_take(loader->full, &batch)) {
        TRY(channel_error(loader->full));
        return err_set(ERR_INTERNAL, "no batch is left");
    }
    loader->in_use = batch;
    *ret_batch = batch;
    return ERR_NONE;
}

void loader_free(Loader *loader)
{
    if (loader == NULL) return;
    if (loader->empty != NULL) channel_close(loader->empty, ERR_NONE);
    if (loader->full != NULL) channel_close(loader->full, ERR_NONE);
    if (loader->started) (void)pthread_join(loader->thread, NULL);
    channel_free(loader->empty);
    channel_free(loader->full);
    for (int32_t i = 0; i < BATCHES; i++) batch_done(&loader->batches[i]);
    free(loader);
}
