/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t all = out_shapes[0].shape.dim[out_shapes[0].shape.rank - 1];
    for (int64_t row = 0; row < shape_count(&out_shapes[0].shape) / all; row++) {
        int64_t first = 0;
        for (int32_t i = 0; i < STEP_MAX_IN && op_case->in[i].shape.rank > 0; i++) {
            const int64_t n = in_shapes[i].shape.dim[in_shapes[i].shape.rank - 1];
            for (int64_t c = 0; c < n; c++) out[0][row * all + first + c] = in[i][row * n + c];
            first += n;
        }
    }
}

static const OpCase cases[] = {
    { .in = { OP_F32(2, 1, 1), OP_F32(2, 1, 1) } },
    { .in = { OP_F32(4, 2, 3, 5, 7), OP_F32(4, 2, 3, 5, 2) } },
    { .in = { OP_F32(4, 1, 9, 7, 144), OP_F32(4, 1, 9, 7, 48) } },
    { .in = { OP_F32(4, 1, 5, 3, 8), OP_F32(4, 1, 5, 3, 1), OP_F32(4, 1, 5, 3, 17), OP_F32(4, 1, 5, 3, 4) } },
    { .in = { OP_F32(4, 1, 256, 256, 144), OP_F32(4, 1, 256, 256, 48) }, .perf_only = true },
};

const OpTest op_test_concat_channels = {
    .op = &op_def_concat_channels, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
