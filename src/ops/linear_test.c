/* SPDX-License-Identifier: Apache-2.0
 * Cases of linear. */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const LinearAttr *attr = op_case->attr;
    const int64_t n = in_shapes[1].shape.dim[1], channels = in_shapes[1].shape.dim[0];
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        const int64_t r = i / channels, co = i % channels;
        double sum = attr->has_bias ? in[2][co] : 0;
        for (int64_t ci = 0; ci < n; ci++) sum += in[0][r * n + ci] * in[1][co * n + ci];
        out[0][i] = sum;
    }
}

static const LinearAttr with_bias = { .has_bias = true }, without_bias = { .has_bias = false };

static const OpCase cases[] = {
    { .in = { OP_F32(1, 1), OP_F32(2, 1, 1), OP_F32(1, 1) }, .attr = &with_bias },
    { .in = { OP_F32(1, 13), OP_F32(2, 5, 13) }, .attr = &without_bias },
    { .in = { OP_F32(2, 4, 384), OP_F32(2, 256, 384), OP_F32(1, 256) }, .attr = &with_bias },
    { .in = { OP_F32(3, 2, 7, 33), OP_F32(2, 17, 33), OP_F32(1, 17) }, .attr = &with_bias },
    { .in = { OP_F32(3, 1, 260, 48), OP_F32(2, 96, 48), OP_F32(1, 96) }, .attr = &with_bias },
    { .in = { OP_F32(4, 2, 5, 6, 20), OP_F32(2, 80, 20) }, .attr = &without_bias },
    { .in = { OP_F32(3, 1, 1024, 112), OP_F32(2, 448, 112), OP_F32(1, 448) }, .attr = &with_bias, .perf_only = true },
};

const OpTest op_test_linear = {
    .op = &op_def_linear, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
