/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t width = in_shapes[1].shape.dim[1];
    (void)op_case;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++)
        out[0][i] = in[1][(int64_t)in[0][i / width] * width + i % width];
}

static const OpCase cases[] = {
    { .in = { OP_I32(0, 1, 2, 1, 1), OP_F32(2, 1, 1) } },
    { .in = { OP_I32(0, 6, 2, 3, 7), OP_F32(2, 6, 5) } },
    { .in = { OP_I32(0, 9, 2, 2, 64), OP_F32(2, 30, 33) } },
    { .in = { OP_I32(0, 3000, 2, 4, 64), OP_F32(2, 3000, 384) }, .perf_only = true },
};

const OpTest op_test_embedding = {
    .op = &op_def_embedding, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
