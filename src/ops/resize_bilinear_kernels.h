/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of resize_bilinear share. */
#ifndef METASEG_OPS_RESIZE_BILINEAR_KERNELS_H
#define METASEG_OPS_RESIZE_BILINEAR_KERNELS_H

#include "ops/kernel_util.h"
#include "ops/ops.h"

extern const Kernel resize_bilinear_avx2, resize_bilinear_avx512;

/* The two input positions of an output position and the weight of the second. */
typedef struct ResizeSource {
    int64_t first, second;
    float weight;
} ResizeSource;

/* All output positions that read an input position, first .. first + n - 1, and their weights. */
typedef struct ResizeUses {
    int64_t first, n;
    const float *weight;
} ResizeUses;

/* One direction. */
typedef struct ResizeAxis {
    int64_t in, out;
    ResizeSource *source; /* [out] */
    ResizeUses *uses;     /* [in] */
    float *weights;       /* of all uses, at most 2 out */
} ResizeAxis;

/* Allocates; resize_axis_done() it, also after a failure. ERR_MEMORY. */
Err resize_axis_init(int64_t in, int64_t out, bool align_corners, ResizeAxis *axis);
void resize_axis_done(const ResizeAxis *axis);

/* Step.state; scale is 2, 4 or 8 where both directions have this multiple and corners are not aligned, else 0. */
typedef struct ResizePlan {
    int64_t batch, channels, scale;
    ResizeAxis rows, columns;
} ResizePlan;

/* Makes the plan and asks for one row of the input or the output, the longer, for each thread. */
Err resize_prepare(Step *step);
void resize_release(Step *step);

/* The row of the calling thread. */
float *resize_row(const Step *step);

#endif
