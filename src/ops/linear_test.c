/* SPDX-License-Identifier: Apache-2.0
 * Cases of linear. */
#include "harness/op_check.h"

#include <math.h>

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const LinearAttr *attr = op_case->attr;
    const int64_t n = in_shapes[1].shape.dim[1], channels = in_shapes[1].shape.dim[0];
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        const int64_t r = i / channels, co = i % channels;
        double sum = attr->has_bias ? in[2][co] : 0;
        for (int64_t ci = 0; ci < n; ci++) sum += in[0][r * n + ci] * in[1][co * n + ci];
        if (attr->activation == ACTIVATION_RELU) sum = fmax(sum, 0);
        if (attr->activation == ACTIVATION_GELU) sum = sum / 2 * (1 + erf(sum / sqrt(2)));
        out[0][i] = sum + (attr->has_residual ? in[attr->has_bias ? 3 : 2][i] : 0);
    }
}

static const LinearAttr with_bias = { .has_bias = true }, without_bias = { .has_bias = false };
static const LinearAttr gelu = { .has_bias = true, .activation = ACTIVATION_GELU },
                        relu = { .has_residual = true, .activation = ACTIVATION_RELU },
                        residual = { .has_bias = true, .has_residual = true };

static const OpCase cases[] = {
    { .in = { OP_F32(1, 1), OP_F32(2, 1, 1), OP_F32(1, 1) }, .attr = &with_bias },
    { .in = { OP_F32(1, 13), OP_F32(2, 5, 13) }, .attr = &without_bias },
    { .in = { OP_F32(2, 4, 384), OP_F32(2, 256, 384), OP_F32(1, 256) }, .attr = &with_bias },
    { .in = { OP_F32(3, 2, 7, 33), OP_F32(2, 17, 33), OP_F32(1, 17) }, .attr = &with_bias },
    { .in = { OP_F32(3, 1, 260, 48), OP_F32(2, 96, 48), OP_F32(1, 96) }, .attr = &with_bias },
    { .in = { OP_F32(4, 2, 5, 6, 20), OP_F32(2, 80, 20) }, .attr = &without_bias },
    { .in = { OP_F32(4, 1, 5, 6, 20), OP_F32(2, 80, 20), OP_F32(1, 80) }, .attr = &gelu, .inference_only = true },
    { .in = { OP_F32(4, 1, 13, 11, 20), OP_F32(2, 81, 20), OP_F32(1, 81) }, .attr = &gelu, .inference_only = true },
    { .in = { OP_F32(3, 2, 70, 33), OP_F32(2, 49, 33) }, .attr = &without_bias },
    { .in = { OP_F32(3, 2, 70, 33), OP_F32(2, 49, 33), OP_F32(1, 49), OP_F32(3, 2, 70, 49) },
      .attr = &residual,
      .inference_only = true },
    { .in = { OP_F32(3, 1, 7, 33), OP_F32(2, 17, 33), OP_F32(3, 1, 7, 17) }, .attr = &relu, .inference_only = true },
    { .in = { OP_F32(3, 2, 40, 48), OP_F32(2, 96, 48), OP_F32(1, 96), OP_F32(3, 2, 40, 96) },
      .attr = &residual,
      .inference_only = true },
    { .in = { OP_F32(3, 1, 16384, 96), OP_F32(2, 384, 96), OP_F32(1, 384) },
      .attr = &gelu,
      .inference_only = true,
      .perf_only = true },
    { .in = { OP_F32(3, 1, 1024, 112), OP_F32(2, 448, 112), OP_F32(1, 448) }, .attr = &with_bias, .perf_only = true },
};

const OpTest op_test_linear = {
    .op = &op_def_linear, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
