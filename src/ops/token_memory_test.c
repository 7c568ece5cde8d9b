/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t rows = out_shapes[0].shape.dim[1], width = out_shapes[0].shape.dim[2];
    const int64_t tokens = in_shapes[0].shape.dim[1] * in_shapes[0].shape.dim[2];
    (void)op_case;
    for (int64_t b = 0; b < out_shapes[0].shape.dim[0]; b++)
        for (int64_t m = 0; m < rows; m++)
            for (int64_t c = 0; c < width; c++)
                out[0][(b * rows + m) * width + c] =
                    m < tokens ? in[0][(b * tokens + m) * width + c] : in[1][(m - tokens) * width + c];
}

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 1, 1), OP_F32(2, 1, 1) } },
    { .in = { OP_F32(4, 2, 3, 2, 5), OP_F32(2, 4, 5) } },
    { .in = { OP_F32(4, 3, 4, 7, 33), OP_F32(2, 4, 33) } },
    { .in = { OP_F32(4, 2, 4, 64, 384), OP_F32(2, 4, 384) }, .perf_only = true },
};

const OpTest op_test_token_memory = {
    .op = &op_def_token_memory, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
