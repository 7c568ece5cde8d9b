/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const WeightedSumAttr *attr = op_case->attr;
    const double w0 = fmax(in[2][0], 0), w1 = fmax(in[2][1], 0), sum = w0 + w1 + (double)attr->eps;
    (void)in_shapes;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) out[0][i] = (w0 * in[0][i] + w1 * in[1][i]) / sum;
}

static const WeightedSumAttr tiny = { 1e-8F }, large = { 0.1F };

static const OpCase cases[] = {
    { .in = { OP_F32(1, 1), OP_F32(1, 1), OP_RANGE(0.3, 2, 1, 2) }, .attr = &tiny },
    { .in = { OP_F32(3, 2, 7, 11), OP_F32(3, 2, 7, 11), OP_RANGE(0.3, 2, 1, 2) }, .attr = &large },
    /* both negative: y and all gradients are 0 */
    { .in = { OP_F32(2, 3, 5), OP_F32(2, 3, 5), OP_RANGE(-2, -0.3, 1, 2) }, .attr = &large },
    { .in = { OP_F32(4, 2, 9, 17, 32), OP_F32(4, 2, 9, 17, 32), OP_RANGE(0.3, 2, 1, 2) }, .attr = &tiny },
    { .in = { OP_F32(4, 1, 128, 128, 64), OP_F32(4, 1, 128, 128, 64), OP_RANGE(0.3, 2, 1, 2) },
      .attr = &tiny,
      .perf_only = true },
};

const OpTest op_test_weighted_sum = {
    .op = &op_def_weighted_sum, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
