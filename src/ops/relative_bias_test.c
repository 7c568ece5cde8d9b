/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

static double coordinate(int64_t d, int64_t window)
{
    const double x = window > 1 ? 8.0 * (double)d / (double)(window - 1) : 0;
    return (x < 0 ? -1 : 1) * log2(1 + fabs(x)) / 3;
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const RelativeBiasAttr *attr = op_case->attr;
    const int64_t w = attr->window, hidden = in_shapes[0].shape.dim[0], heads = in_shapes[2].shape.dim[0];
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        const int64_t r = i / heads, head = i % heads, dy = r / (2 * w - 1) - w + 1, dx = r % (2 * w - 1) - w + 1;
        double z = 0;
        for (int64_t n = 0; n < hidden; n++) {
            const double h = in[0][2 * n] * coordinate(dy, w) + in[0][2 * n + 1] * coordinate(dx, w) + in[1][n];
            z += in[2][head * hidden + n] * fmax(h, 0);
        }
        out[0][i] = 16 / (1 + exp(-z));
    }
}

static const RelativeBiasAttr one = { 1 }, three = { 3 }, eight = { 8 };

/* Biases from -1 and from 2 on: no sum lies near the kink of the ReLU. */
static const OpCase cases[] = {
    { .in = { OP_F32(2, 4, 2), OP_RANGE(0.5, 1, 1, 4), OP_F32(2, 2, 4) }, .attr = &one },
    { .in = { OP_RANGE(-0.5, 0.5, 2, 6, 2), OP_RANGE(2, 3, 1, 6), OP_RANGE(-0.3, 0.3, 2, 3, 6) }, .attr = &three },
    { .in = { OP_RANGE(-0.5, 0.5, 2, 6, 2), OP_RANGE(-3, -2, 1, 6), OP_F32(2, 3, 6) },
      .attr = &three,
      .inference_only = true }, /* all of the hidden layer is 0 */
    { .in = { OP_RANGE(-0.5, 0.5, 2, 20, 2), OP_RANGE(2, 3, 1, 20), OP_RANGE(-0.1, 0.1, 2, 4, 20) }, .attr = &eight },
};

const OpTest op_test_relative_bias = {
    .op = &op_def_relative_bias, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
