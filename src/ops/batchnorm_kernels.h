/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of batchnorm share: batchnorm.c holds everything but the loops over the data. */
#ifndef METASEG_OPS_BATCHNORM_KERNELS_H
#define METASEG_OPS_BATCHNORM_KERNELS_H

#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <math.h>

extern const Kernel batchnorm_avx2, batchnorm_avx512;

/* What the loops work on; per-channel arrays are [C], data [rows, C]. v = (x - mean) scale + bias is the value before
 * the activation, g = dy where the activation passes it, else 0. */
typedef struct BatchnormView {
    int64_t channels;
    Activation activation;
    const float *x, *dy;
    float *y, *dx;
    bool add;                         /* dx is added to */
    const float *mean, *scale, *bias; /* scale = weight / std */
    const float *mean_g, *slope;      /* dx = scale (g - mean_g - (x - mean) slope) */
} BatchnormView;

/* Values above are cut: 6 for ReLU6. */
static inline float batchnorm_high(Activation activation) { return activation == ACTIVATION_RELU6 ? 6.0F : INFINITY; }

/* Loops over rows [begin, end). Sums are [2, C] and are added to. */
typedef struct BatchnormLoops {
    void (*sums)(const BatchnormView *view, int64_t begin, int64_t end, double *sums);          /* x, x^2 */
    void (*normalize)(const BatchnormView *view, int64_t begin, int64_t end);                   /* y */
    void (*gradient_sums)(const BatchnormView *view, int64_t begin, int64_t end, double *sums); /* g, g (x - mean) */
    void (*gradient)(const BatchnormView *view, int64_t begin, int64_t end);                    /* dx */
} BatchnormLoops;

Err batchnorm_prepare(Step *step);
Err batchnorm_forward(const Step *step, const BatchnormLoops *loops);
Err batchnorm_backward(const Step *step, const BatchnormLoops *loops);

#endif
