/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t a = in_shapes[0].shape.dim[in_shapes[0].shape.rank - 1];
    const int64_t all = out_shapes[0].shape.dim[out_shapes[0].shape.rank - 1], b = all - a;
    (void)op_case;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        const int64_t row = i / all, c = i % all;
        out[0][i] = c < a ? in[0][row * a + c] : in[1][row * b + c - a];
    }
}

static const OpCase cases[] = {
    { .in = { OP_F32(2, 1, 1), OP_F32(2, 1, 1) } },
    { .in = { OP_F32(4, 2, 3, 5, 7), OP_F32(4, 2, 3, 5, 2) } },
    { .in = { OP_F32(4, 1, 9, 7, 144), OP_F32(4, 1, 9, 7, 48) } },
    { .in = { OP_F32(4, 1, 256, 256, 144), OP_F32(4, 1, 256, 256, 48) }, .perf_only = true },
};

const OpTest op_test_concat_channels = {
    .op = &op_def_concat_channels, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
