/* SPDX-License-Identifier: Apache-2.0
 * Linear attention with the matrix products of oneDNN. */
#include "ops/dnnl_util.h"
#include "ops/linear_attention_kernels.h"

static Err forward(const Step *step) { return linear_attention_forward(step, onednn_sgemm); }
static Err backward(const Step *step) { return linear_attention_backward(step, onednn_sgemm); }

const Kernel linear_attention_dnnl = {
    .name = "dnnl",
    .isa = ISA_AVX2,
    .prepare = linear_attention_prepare,
    .forward = forward,
    .backward = backward,
};
