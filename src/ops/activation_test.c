/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const Activation *activation = op_case->attr;
    (void)out_shapes;
    for (int64_t i = 0; i < shape_count(&in_shapes[0].shape); i++) {
        const double x = in[0][i];
        if (*activation == ACTIVATION_RELU) out[0][i] = fmax(x, 0);
        if (*activation == ACTIVATION_RELU6) out[0][i] = fmin(fmax(x, 0), 6);
        if (*activation == ACTIVATION_SIGMOID) out[0][i] = 1 / (1 + exp(-x));
    }
}

static const Activation relu = ACTIVATION_RELU, relu6 = ACTIVATION_RELU6, sigmoid = ACTIVATION_SIGMOID;

static const OpCase cases[] = {
    { .in = { OP_KINKS(1, 1) }, .attr = &relu },
    { .in = { OP_KINKS(2, 3, 41) }, .attr = &relu },
    { .in = { OP_KINKS(3, 2, 5, 13) }, .attr = &relu6 },
    { .in = { OP_KINKS(4, 2, 9, 17, 24) }, .attr = &relu6 },
    { .in = { OP_RANGE(-12, 12, 2, 5, 43) }, .attr = &sigmoid },
    { .in = { OP_RANGE(-100, 100, 3, 2, 3, 19) }, .attr = &sigmoid },
    { .in = { OP_F32(4, 1, 33, 31, 16) }, .attr = &sigmoid },
    { .in = { OP_F32(4, 1, 128, 128, 64) }, .attr = &sigmoid, .perf_only = true },
};

const OpTest op_test_activation = {
    .op = &op_def_activation, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
