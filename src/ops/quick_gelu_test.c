/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    (void)op_case;
    (void)out_shapes;
    for (int64_t i = 0; i < shape_count(&in_shapes[0].shape); i++) out[0][i] = in[0][i] / (1 + exp(-1.702 * in[0][i]));
}

static const OpCase cases[] = {
    { .in = { OP_F32(1, 1) } },
    { .in = { OP_F32(3, 2, 3, 7) } },
    { .in = { OP_RANGE(-0.01, 0.01, 2, 5, 43) } },
    { .in = { OP_RANGE(-9, -3, 2, 3, 37) } },
    { .in = { OP_RANGE(-60, 60, 2, 4, 33) } },
    { .in = { OP_F32(3, 1, 77, 2048) } },
    { .in = { OP_F32(3, 1, 77, 2048) }, .perf_only = true },
};

const OpTest op_test_quick_gelu = {
    .op = &op_def_quick_gelu, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
