/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    (void)op_case, (void)in_shapes;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) out[0][i] = in[0][i];
}

static const ReshapeAttr one = { { 1, { 1 } } }, map = { { 4, { 2, 3, 5, 7 } } }, tokens = { { 3, { 2, 15, 33 } } };

static const OpCase cases[] = {
    { .in = { OP_F32(3, 1, 1, 1) }, .attr = &one },
    { .in = { OP_F32(3, 2, 15, 7) }, .attr = &map },
    { .in = { OP_F32(4, 2, 3, 5, 33) }, .attr = &tokens },
};

const OpTest op_test_reshape = {
    .op = &op_def_reshape, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
