/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of resize_bilinear share. */
#ifndef METASEG_OPS_RESIZE_BILINEAR_KERNELS_H
#define METASEG_OPS_RESIZE_BILINEAR_KERNELS_H

#include "ops/kernel_util.h"
#include "ops/ops.h"

extern const Kernel resize_bilinear_avx2, resize_bilinear_avx512;

enum { RESIZE_MAX_SCALE = 8 };

/* Sizes of a step: input [B, H, W, C], output [B, H * scale, W * scale, C]. */
typedef struct ResizeSizes {
    int64_t B, H, W, C, scale;
} ResizeSizes;
ResizeSizes resize_sizes(const Step *step);

/* The two input positions of an output position and the weight of the second: source = (output + 1/2) / scale - 1/2,
 * clamped to [0, size - 1]. */
typedef struct ResizeSource {
    int64_t first, second;
    float weight;
} ResizeSource;
ResizeSource resize_source(int64_t output, int64_t size, int64_t scale);

/* All output positions that read an input position, and their weights: first .. first + n - 1. */
typedef struct ResizeUses {
    int64_t first, n;
    float weight[2 * RESIZE_MAX_SCALE];
} ResizeUses;
ResizeUses resize_uses(int64_t input, int64_t size, int64_t scale);

/* Workspace of one thread in floats (one row of the output is enough for both directions) and of all threads. */
int64_t resize_row_floats(const Step *step);
Err resize_prepare(Step *step);

#endif
