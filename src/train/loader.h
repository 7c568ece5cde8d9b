/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches made ahead of time by one thread, so that reading rasters overlaps computing. What a batch holds is a
 * function of the step alone (dataset.h), so the thread changes when a batch is made, never what is in it.
 */
#ifndef METASEG_TRAIN_LOADER_H
#define METASEG_TRAIN_LOADER_H

#include "data/dataset.h"

typedef struct Loader Loader;

/* Starts a thread that makes the batches of steps first..last-1 in order, two ahead, beside a team of `threads` that
 * computes. dataset and table are borrowed. ERR_MEMORY, ERR_INTERNAL. */
Err loader_new(const Dataset *dataset, const PromptTable *table, const NetworkShape *shape, int64_t first, int64_t last,
               int32_t threads, Loader **ret_loader);

/* The next batch; valid until the next call. The thread's error is reported here. */
Err loader_next(Loader *loader, const NetworkInputs **ret_batch);

/* Stops the thread and frees everything; NULL is fine. */
void loader_free(Loader *loader);

#endif
