/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t H = in_shapes[0].shape.dim[1], W = in_shapes[0].shape.dim[2], C = in_shapes[0].shape.dim[3];
    const int64_t O = in_shapes[1].shape.dim[1], k = in_shapes[1].shape.dim[2];
    (void)op_case;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        const int64_t o = i % O, x = i / O % (W * k), y = i / O / (W * k) % (H * k), b = i / O / (W * k) / (H * k);
        out[0][i] = in[2][o];
        for (int64_t c = 0; c < C; c++)
            out[0][i] += in[0][((b * H + y / k) * W + x / k) * C + c] * in[1][((c * O + o) * k + y % k) * k + x % k];
    }
}

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 1, 1), OP_F32(4, 1, 1, 1, 1), OP_F32(1, 1) } },
    { .in = { OP_F32(4, 2, 2, 3, 5), OP_F32(4, 5, 3, 2, 2), OP_F32(1, 3) } },
    { .in = { OP_F32(4, 2, 3, 2, 17), OP_F32(4, 17, 6, 3, 3), OP_F32(1, 6) } },
    { .in = { OP_F32(4, 1, 7, 9, 48), OP_F32(4, 48, 24, 2, 2), OP_F32(1, 24) } },
    { .in = { OP_F32(4, 1, 32, 32, 384), OP_F32(4, 384, 192, 2, 2), OP_F32(1, 192) }, .perf_only = true },
};

const OpTest op_test_conv_transpose2d = {
    .op = &op_def_conv_transpose2d, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
