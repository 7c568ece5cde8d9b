/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const Shape *shape = &in_shapes[0].shape;
    const int64_t n = shape_count(shape), channels = shape->dim[shape->rank - 1], per_image = n / shape->dim[0];
    (void)op_case, (void)out_shapes;
    for (int64_t i = 0; i < n; i++) out[0][i] = in[0][i] * in[1][i / per_image * channels + i % channels];
}

static const OpCase cases[] = {
    { .in = { OP_F32(2, 1, 1), OP_F32(2, 1, 1) } },
    { .in = { OP_F32(4, 2, 3, 5, 7), OP_F32(2, 2, 7) } },
    { .in = { OP_F32(4, 2, 19, 33, 20), OP_F32(4, 2, 1, 1, 20) } },
    { .in = { OP_F32(4, 2, 128, 128, 64), OP_F32(4, 2, 1, 1, 64) }, .perf_only = true },
};

const OpTest op_test_channel_scale = {
    .op = &op_def_channel_scale, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
