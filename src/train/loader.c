/* SPDX-License-Identifier: Apache-2.0
 * Batches between one producer thread and the trainer: free ones go one way, filled ones the other. */
#include "train/loader.h"

#include "base/channel.h"
#include "base/thread.h"
#include "tensor/compute.h"

#include <stdlib.h>

enum { BATCHES = 3 }; /* one in use, one ready, one being made */

struct Loader {
    DatasetReader *reader;
    const PromptTable *table;
    NetworkShape shape;
    int64_t first, last;
    int32_t threads;
    NetworkInputs batches[BATCHES];
    Channel *empty, *full;
    NetworkInputs *in_use; /* what loader_next gave last */
    pthread_t thread;
    bool started;
};

static Err fill(const Loader *loader, const NetworkInputs *batch, int64_t step)
{
    for (int64_t i = 0; i < batch->shape.batch; i++)
        TRY(dataset_training_window(loader->reader, (uint64_t)step, (uint64_t)i, loader->table,
                                    network_inputs_at(batch, i)));
    return ERR_NONE;
}

static void *run(void *argument)
{
    Loader *loader = argument;
    Err err = ERR_NONE;
    void *batch = NULL;
    compute_beside_team(loader->threads);
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
        TRY(network_inputs_init(&loader->shape, &loader->batches[i]));
        (void)channel_put(loader->empty, &loader->batches[i]);
    }
    TRY(thread_start(&loader->thread, run, loader, "the loader"));
    loader->started = true;
    return ERR_NONE;
}

Err loader_new(const Dataset *dataset, const PromptTable *table, const NetworkShape *shape, int64_t first, int64_t last,
               int32_t threads, Loader **ret_loader)
{
    Loader *loader = calloc(1, sizeof *loader);
    if (loader == NULL) return err_memory(sizeof *loader, "the loader");
    *loader = (Loader){ .table = table, .shape = *shape, .first = first, .last = last, .threads = threads };
    Err err = dataset_reader_new(dataset, &loader->reader);
    if (err == ERR_NONE) err = start(loader);
    if (err != ERR_NONE) {
        loader_free(loader);
        return err;
    }
    *ret_loader = loader;
    return ERR_NONE;
}

Err loader_next(Loader *loader, const NetworkInputs **ret_batch)
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
    dataset_reader_free(loader->reader);
    channel_free(loader->empty);
    channel_free(loader->full);
    for (int32_t i = 0; i < BATCHES; i++) network_inputs_done(&loader->batches[i]);
    free(loader);
}
