/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of linear share. */
#ifndef METASEG_OPS_LINEAR_KERNELS_H
#define METASEG_OPS_LINEAR_KERNELS_H

#include "ops/kernel_util.h"
#include "ops/ops.h"

extern const Kernel linear_dnnl;

typedef struct LinearShape {
    int64_t rows, in_channels, out_channels;
    bool has_bias;
    int32_t residual; /* input index, -1: none */
    Activation activation;
} LinearShape;

LinearShape linear_shape(const Step *step);

/* d_bias = (or +=) sum of dy over rows; no-op when that gradient is not wanted. */
void linear_bias_gradient(const Step *step);

#endif
