/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of conv2d_levels share. */
#ifndef METASEG_OPS_CONV2D_LEVELS_KERNELS_H
#define METASEG_OPS_CONV2D_LEVELS_KERNELS_H

#include "ops/resize_bilinear_kernels.h"

extern const Kernel conv2d_levels_dnnl;

/* Inputs: weight, the BatchNorm's weight, bias, mean, variance, then the maps. */
enum { LEVELS_FIRST = 5, LEVELS_MAX = STEP_MAX_IN - LEVELS_FIRST, LEVELS_TAPS = 9 };

typedef struct Conv2dLevel {
    int64_t height, width, channels, first; /* first: of its channels in the weights */
    bool whole;                             /* it has the result's size */
    ResizeAxis rows, columns;
} Conv2dLevel;

typedef struct Conv2dLevels {
    int64_t batch, height, width, channels, joined; /* of the result; joined: channels of all maps */
    int32_t n;
    Conv2dLevel level[LEVELS_MAX];
} Conv2dLevels;

/* conv2d_levels_done() it, also after a failure. ERR_MEMORY. */
Err conv2d_levels_init(const Step *step, Conv2dLevels *levels);
void conv2d_levels_done(const Conv2dLevels *levels);

/* The BatchNorm as a factor and a bias of each channel of the result: factor = weight / sqrt(var + eps), bias = bias - factor mean. */
void conv2d_levels_norm(const Step *step, int64_t channels, float *ret_factor, float *ret_bias);

#endif
