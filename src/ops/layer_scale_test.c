/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t channels = in_shapes[1].shape.dim[0];
    (void)out_shapes;
    for (int64_t i = 0; i < shape_count(&in_shapes[0].shape); i++)
        out[0][i] = (op_case->in[2].shape.rank > 0 ? in[2][i] : 0.0) + in[1][i % channels] * in[0][i];
}

static const OpCase cases[] = {
    { .in = { OP_F32(1, 1), OP_F32(1, 1) } },
    { .in = { OP_F32(3, 2, 3, 7), OP_F32(1, 7), OP_F32(3, 2, 3, 7) } },
    { .in = { OP_F32(4, 2, 3, 5, 19), OP_F32(1, 19) } },
    { .in = { OP_F32(4, 2, 9, 13, 20), OP_F32(1, 1), OP_F32(4, 2, 9, 13, 20) } },
    { .in = { OP_F32(4, 2, 9, 13, 40), OP_F32(1, 40), OP_F32(4, 2, 9, 13, 40) } },
    { .in = { OP_F32(4, 1, 57, 61, 6), OP_F32(1, 6), OP_F32(4, 1, 57, 61, 6) } },
    { .in = { OP_F32(4, 1, 128, 128, 96), OP_F32(1, 96), OP_F32(4, 1, 128, 128, 96) }, .perf_only = true },
};

const OpTest op_test_layer_scale = {
    .op = &op_def_layer_scale, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
