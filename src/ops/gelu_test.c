/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    (void)op_case;
    (void)out_shapes;
    for (int64_t i = 0; i < shape_count(&in_shapes[0].shape); i++)
        out[0][i] = in[0][i] * (1 + erf(in[0][i] / sqrt(2.0))) / 2;
}

static const OpCase cases[] = {
    { .in = { OP_F32(1, 1) } },
    { .in = { OP_F32(3, 2, 3, 7) } },
    { .in = { OP_RANGE(-0.01, 0.01, 2, 5, 43) }, .gradient_tolerance = 1e-5 },
    /* The tails alone, so that their errors are measured against their own size; 1e-4 is what vec_normal
     * promises there. No gradients: they are so small that adding them to 1 leaves few digits. */
    { .in = { OP_RANGE(-5.5, -4.5, 2, 3, 37) }, .tolerance = 1e-4, .inference_only = true },
    { .in = { OP_RANGE(-3, -2, 2, 3, 37) } },
    { .in = { OP_RANGE(-90, 90, 2, 4, 33) } },
    { .in = { OP_F32(3, 1, 101, 448) } },
    { .in = { OP_F32(3, 1, 1024, 448) }, .perf_only = true },
    { .in = { OP_F32(3, 1, 256, 1280) }, .perf_only = true },
    { .in = { OP_F32(3, 16, 1024, 448) }, .perf_only = true },
};

const OpTest op_test_gelu = { .op = &op_def_gelu, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases) };
