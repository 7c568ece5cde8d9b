/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of cross_entropy and of soft_cross_entropy share: both have logits and labels as first inputs, and the
 * outputs loss, lse of each pixel, number of valid pixels. */
#ifndef METASEG_OPS_CROSS_ENTROPY_KERNELS_H
#define METASEG_OPS_CROSS_ENTROPY_KERNELS_H

#include "ops/kernel_util.h"
#include "ops/ops.h"

extern const Kernel cross_entropy_avx2, cross_entropy_avx512;

/* Pixels whose sums are kept in float before they are added up in double. */
enum { LOSS_CHUNK_PIXELS = 4096 };

/* Partial result of one chunk of pixels. */
typedef struct CrossEntropySums {
    double loss, count;
    double bad_label; /* largest label that is neither a class nor the ignored value; -1: none */
} CrossEntropySums;

/* Workspace: one CrossEntropySums per chunk (cross_entropy_sums), then floats for vector kernels: indexes of one block
 * of 16 pixels, shared (cross_entropy_index), and one such block of logits per thread (cross_entropy_block). */
Err cross_entropy_prepare(Step *step);
int64_t cross_entropy_chunks(const Step *step);
CrossEntropySums *cross_entropy_sums(const Step *step);
int32_t *cross_entropy_index(const Step *step);
float *cross_entropy_block(const Step *step);

/* Adds up the chunks, reduces over ranks, writes the loss and the saved count. ERR_INPUT for a bad label. */
Err cross_entropy_finish(const Step *step);

/* log sum_c exp(x_c). */
float cross_entropy_lse(const float *x, int64_t C);

/* d loss / d (loss of one pixel): arriving gradient / number of valid pixels, 0 when there are none. */
float cross_entropy_scale(const Step *step);

#endif
