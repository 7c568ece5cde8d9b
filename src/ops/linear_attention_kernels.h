/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of linear_attention share. */
#ifndef METASEG_OPS_LINEAR_ATTENTION_KERNELS_H
#define METASEG_OPS_LINEAR_ATTENTION_KERNELS_H

#include "ops/kernel_util.h"
#include "ops/ops.h"

extern const Kernel linear_attention_dnnl;

/* Row-major C [m, n] = op(A) op(B) + (add ? C : 0), op(A) [m, k], op(B) [k, n], A and B transposed where told so. */
typedef Err (*MatrixProduct)(const Device *device, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                             const float *a, const float *b, bool add, float *c);

Err linear_attention_prepare(Step *step);
Err linear_attention_forward(const Step *step, MatrixProduct product);
Err linear_attention_backward(const Step *step, MatrixProduct product);

#endif
