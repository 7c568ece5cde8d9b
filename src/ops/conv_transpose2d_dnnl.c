/* SPDX-License-Identifier: Apache-2.0
 * Transposed convolution with oneDNN's matrix products. */
#include "ops/conv_transpose2d_kernels.h"
#include "ops/dnnl_util.h"

static Err forward(const Step *step) { return conv_transpose2d_forward(step, onednn_sgemm); }
static Err backward(const Step *step) { return conv_transpose2d_backward(step, onednn_sgemm); }

const Kernel conv_transpose2d_dnnl = {
    .name = "dnnl",
    .isa = ISA_AVX2,
    .prepare = conv_transpose2d_prepare,
    .forward = forward,
    .backward = backward,
};
