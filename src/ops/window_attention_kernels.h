/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of window_attention share. */
#ifndef METASEG_OPS_WINDOW_ATTENTION_KERNELS_H
#define METASEG_OPS_WINDOW_ATTENTION_KERNELS_H

#include "ops/kernel_util.h"
#include "ops/ops.h"

extern const Kernel window_attention_avx2, window_attention_avx512;

/* Sizes of a step. */
typedef struct WindowSizes {
    int64_t B, H, W, D, heads, size; /* D = heads * size */
    int64_t window, tokens;          /* tokens = window * window */
    int64_t relative;                /* rows of the table: (2 window - 1)^2 */
    int64_t per_image, windows;      /* windows of one image, of the batch */
    int64_t chunks;                  /* of windows, for the gradient of the table */
    float scale;                     /* 1 / sqrt(size) */
} WindowSizes;
WindowSizes window_sizes(const Step *step);

/* Pixel number (b H + y) W + x of each token of a window. */
void window_pixels(const WindowSizes *n, int64_t window, int64_t *pixels);

/* Row of the table for query i and key j. */
int64_t window_relative(const WindowSizes *n, int64_t i, int64_t j);

/* Workspace: partial table gradients [chunks, heads, relative], then `shared` floats, then `own` floats for each
 * thread. */
Err window_workspace(Step *step, int64_t shared, int64_t own);
float *window_partial(const Step *step, const WindowSizes *n, int64_t chunk, int64_t head);
float *window_shared(const Step *step, const WindowSizes *n);
float *window_own(const Step *step, const WindowSizes *n, int64_t shared, int64_t own);

/* Adds the partial table gradients to, or writes them over, the gradient of the table. */
void window_reduce_table(const Step *step, const WindowSizes *n);

#endif
