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
    int64_t rows, columns;           /* windows of one image: ceil(H / window), ceil(W / window) */
    int64_t per_image, windows;      /* windows of one image, of the batch */
    int64_t chunks;                  /* of windows, for the gradients of the table and the padding */
    int64_t partial;                 /* floats of one chunk's share of those */
    int64_t shift_y, shift_x;
    bool roll_first;
    float scale; /* 1 / sqrt(size) */
} WindowSizes;
WindowSizes window_sizes(const Step *step);

/* Pixel number (b H + y) W + x of each token of a window, -1 where it is padding. */
void window_pixels(const WindowSizes *n, int64_t window, int64_t *pixels);

/* Where a window's mask changes: between rows y - 1 and y and columns x - 1 and x of it (window: nowhere). */
typedef struct WindowBorder {
    int64_t y, x;
    bool masked;
} WindowBorder;
WindowBorder window_border(const WindowSizes *n, int64_t window);

/* Mask between tokens i and j. */
static inline float window_mask(const WindowSizes *n, const WindowBorder *border, int64_t i, int64_t j)
{
    const int64_t w = n->window;
    const bool apart = (i / w < border->y) != (j / w < border->y) || (i % w < border->x) != (j % w < border->x);
    return apart ? -100.0F : 0.0F;
}

/* Row of the table for query i and key j. */
int64_t window_relative(const WindowSizes *n, int64_t i, int64_t j);

/* Workspace: partial gradients [chunks][heads][relative, then 3 size of the padding], zeros for padding without a
 * vector of its own, then `shared` floats, then `own` floats for each thread. */
Err window_workspace(Step *step, int64_t shared, int64_t own);
float *window_partial(const Step *step, const WindowSizes *n, int64_t chunk, int64_t head);
const float *window_padding(const Step *step, const WindowSizes *n); /* [3 D]; called by one thread */
float *window_shared(const Step *step, const WindowSizes *n);
float *window_own(const Step *step, const WindowSizes *n, int64_t shared, int64_t own);

/* Adds the partial gradients to, or writes them over, the gradients of the table and the padding. */
void window_reduce(const Step *step, const WindowSizes *n);

#endif
