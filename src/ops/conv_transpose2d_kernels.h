/* SPDX-License-Identifier: Apache-2.0
 *
 * Transposed convolution without overlap as one matrix product, for any product: the columns [rows, Cout k k] of the rows
 * x [rows, Cin], rows = B H W, are x times the weights [Cin, Cout k k] as they stand, and are then put in place.
 */
#ifndef METASEG_OPS_CONV_TRANSPOSE2D_KERNELS_H
#define METASEG_OPS_CONV_TRANSPOSE2D_KERNELS_H

#include "ops/ops.h"

extern const Kernel conv_transpose2d_dnnl;

/* C [m, n] = op(A) op(B) + (accumulate ? C : 0), as onednn_sgemm. */
typedef Err (*MatrixProduct)(const Device *device, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                             const float *a, const float *b, bool accumulate, float *c);

Err conv_transpose2d_prepare(Step *step);
Err conv_transpose2d_forward(const Step *step, MatrixProduct product);
Err conv_transpose2d_backward(const Step *step, MatrixProduct product);

#endif
