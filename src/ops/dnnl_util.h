/* SPDX-License-Identifier: Apache-2.0
 *
 * The only file that knows oneDNN's C API (dnnl_util.c), for its versions 2 and 3. Everything is f32 with channels
 * last; weights keep PyTorch's order outside and oneDNN's favourite ("packed") order inside.
 *
 *     OnednnOp *op = NULL;
 *     TRY(onednn_convolution_new(&step->device, &problem, ONEDNN_FORWARD, &fusion, &op));   in prepare
 *     step->workspace_bytes = onednn_scratch_bytes(op);
 *     TRY(onednn_pack(op, weights, packed, step->workspace));                                in pack
 *     TRY(onednn_run(op, &(OnednnArgs){ .source = x, .weights = packed, ... }));             in forward
 *     onednn_free(op);                                                                       in release
 *
 * oneDNN runs on as many OpenMP threads as the calling thread's teams have, when an op is made and when it runs: all
 * calls stand between compute_begin and compute_end (tensor/compute.h). An op belongs to one thread at a time.
 *
 * oneDNN has one instruction set limit per process: it is set by the first op made for a device whose level was chosen
 * below AVX-512 on a processor that has it, and cannot be moved afterwards.
 */
#ifndef METASEG_OPS_DNNL_UTIL_H
#define METASEG_OPS_DNNL_UTIL_H

#include "ops/ops.h"

typedef struct OnednnOp OnednnOp;

typedef enum OnednnPass { ONEDNN_FORWARD = 0, ONEDNN_BACKWARD_DATA, ONEDNN_BACKWARD_WEIGHTS } OnednnPass;

/* Forward only: y = activation(convolution + bias) + residual, or with activate_sum activation(convolution + bias + residual). */
typedef struct OnednnFusion {
    bool bias;
    Activation activation; /* NONE, RELU, RELU6 or SIGMOID */
    bool residual, activate_sum;
} OnednnFusion;

/* x [batch, in_height, in_width, in_channels], y [batch, out_height, out_width, out_channels],
 * weights [out_channels, in_channels / groups, kernel_height, kernel_width]. */
typedef struct OnednnConvolution {
    int64_t batch, in_height, in_width, in_channels, out_height, out_width, out_channels;
    int64_t kernel_height, kernel_width, groups, stride, dilation, top, left, bottom, right;
} OnednnConvolution;

/* What a run reads and writes; pointers that the pass does not use are ignored.
 *   forward:          target y         from source x, weights (packed), bias, residual
 *   backward data:    target dx        from d_result dy, weights (packed)
 *   backward weights: target dweights (packed) and d_bias (if fusion.bias) from source x, d_result dy
 * dx, dweights and d_bias are overwritten. */
typedef struct OnednnArgs {
    const float *source, *weights, *bias, *residual, *d_result;
    float *target, *d_bias;
    void *scratch; /* onednn_scratch_bytes(op) */
} OnednnArgs;

/* ERR_UNSUPPORTED where oneDNN has no such primitive, ERR_MEMORY, ERR_INTERNAL. Owned by the caller: onednn_free. */
Err onednn_convolution_new(const Device *device, const OnednnConvolution *problem, OnednnPass pass,
                           const OnednnFusion *fusion, OnednnOp **ret_op);

/* y [rows, out_channels] = x [rows, in_channels] weights^T + bias, weights [out_channels, in_channels]; forward only.
 * packed: oneDNN may choose an order for the weights (worth it when they are constant); otherwise they stay plain. */
Err onednn_matmul_new(const Device *device, int64_t rows, int64_t in_channels, int64_t out_channels, bool packed,
                      const OnednnFusion *fusion, OnednnOp **ret_op);
void onednn_free(OnednnOp *op);

size_t onednn_scratch_bytes(const OnednnOp *op);
size_t onednn_packed_bytes(const OnednnOp *op); /* weights (or their gradient) in this op's order, padding included */

/* Plain weights to this op's order (forward, backward data), or its packed gradient to the plain order (backward
 * weights). Buffers must not overlap; scratch as for onednn_run. */
Err onednn_pack(OnednnOp *op, const float *plain, float *packed, void *scratch);
Err onednn_unpack(OnednnOp *op, const float *packed, float *plain, void *scratch);

Err onednn_run(OnednnOp *op, const OnednnArgs *args);

/* Row-major C [m, n] = op(A) op(B) + (accumulate ? C : 0), op(A) [m, k], op(B) [k, n]; A and B are stored transposed
 * where told so. */
Err onednn_sgemm(const Device *device, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                 const float *a, const float *b, bool accumulate, float *c);

#endif
