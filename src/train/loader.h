/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches made ahead of time by one thread, so that reading rasters overlaps computing. What a batch holds is a
 * function of the step alone (dataset.h), so the thread changes when a batch is made, never what is in it.
 */
#ifndef METASEG_TRAIN_LOADER_H
#define METASEG_TRAIN_LOADER_H

#include "data/dataset.h"
#include "model/segmenter.h"

/* One batch in the layout of the program's inputs (docs/model.md section 1). tokens and what follows are NULL for a
 * network without text. */
typedef struct Batch {
    float *image;        /* [B, side, side, bands] */
    uint8_t *labels;     /* [B, side, side] */
    float *tokens;       /* [B, K, L, 384] */
    float *token_mask;   /* [B, K*L + 4] */
    float *log_share_16; /* [B, side/16 * side/16, K+1] */
    float *log_share_32; /* [B, side/32 * side/32, K+1] */
} Batch;

typedef struct BatchLayout {
    int64_t batch, side, bands;
    int32_t tokens; /* L; 0: no text */
} BatchLayout;

/* Buffers of a batch. ERR_MEMORY. batch_done() frees. */
Err batch_init(Batch *batch, const BatchLayout *layout);
void batch_done(Batch *batch);

/* A batch as the inputs of a program; labels: training reads them. */
SegmenterInputs batch_inputs(const Batch *batch, bool labels);

/* Where window i of a batch goes. */
WindowBuffers batch_window(const Batch *batch, const BatchLayout *layout, int64_t i);

typedef struct Loader Loader;

/* Starts a thread that makes the batches of steps first..last-1 in order, two ahead. dataset and table are borrowed;
 * the thread alone may use the dataset until loader_free. ERR_MEMORY, ERR_INTERNAL. */
Err loader_new(Dataset *dataset, const TextTable *table, const BatchLayout *layout, int64_t first, int64_t last,
               Loader **ret_loader);

/* The next batch; valid until the next call. The thread's error is reported here. */
Err loader_next(Loader *loader, const Batch **ret_batch);

/* Stops the thread and frees everything; NULL is fine. */
void loader_free(Loader *loader);

#endif
