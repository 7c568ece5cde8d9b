/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t positions = in_shapes[0].shape.dim[1] * in_shapes[0].shape.dim[2];
    const int64_t channels = in_shapes[0].shape.dim[3];
    (void)op_case;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        double sum = 0;
        for (int64_t p = 0; p < positions; p++) sum += in[0][(i / channels * positions + p) * channels + i % channels];
        out[0][i] = sum / (double)positions;
    }
}

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 1, 1) } },
    { .in = { OP_F32(4, 2, 3, 5, 7) } },
    { .in = { OP_F32(4, 2, 27, 33, 20) } },
    { .in = { OP_F32(4, 1, 128, 128, 64) }, .perf_only = true },
};

const OpTest op_test_global_average_pool = {
    .op = &op_def_global_average_pool, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
