/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t n = shape_count(&in_shapes[1].shape);
    (void)op_case;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) out[0][i] = in[0][i] + in[1][i % n];
}

static const OpCase cases[] = {
    { .in = { OP_F32(1, 1), OP_F32(1, 1) } },
    { .in = { OP_F32(3, 2, 7, 11), OP_F32(3, 2, 7, 11) } },
    { .in = { OP_F32(4, 2, 9, 17, 24), OP_F32(4, 2, 9, 17, 24) } },
    { .in = { OP_F32(3, 3, 7, 11), OP_F32(3, 1, 7, 11) } },
    { .in = { OP_F32(4, 3, 5, 7, 11), OP_F32(1, 11) } },
    { .in = { OP_F32(4, 2, 5, 7, 11), OP_F32(3, 1, 7, 11) } },
    { .in = { OP_F32(4, 1, 128, 128, 64), OP_F32(4, 1, 128, 128, 64) }, .perf_only = true },
};

const OpTest op_test_add = { .op = &op_def_add, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases) };
