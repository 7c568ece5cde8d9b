/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const SliceAttr *attr = op_case->attr;
    const Shape *x = &in_shapes[0].shape, *y = &out_shapes[0].shape;
    for (int64_t i = 0; i < shape_count(y); i++) {
        int64_t rest = i, from = 0, stride = 1;
        for (int32_t axis = y->rank - 1; axis >= 0; axis--) {
            const int64_t at = rest % y->dim[axis] + (axis == attr->axis ? attr->first : 0);
            from += at * stride;
            stride *= x->dim[axis];
            rest /= y->dim[axis];
        }
        out[0][i] = in[0][from];
    }
}

static const SliceAttr all = { 0, 0, 1 }, tokens = { 1, 1, 5 }, last_tokens = { 1, 3, 4 }, channels = { 2, 33, 33 },
                       rows = { 1, 1, 2 }, query = { 2, 0, 384 };

static const OpCase cases[] = {
    { .in = { OP_F32(1, 1) }, .attr = &all },
    { .in = { OP_F32(3, 2, 7, 3) }, .attr = &tokens },
    { .in = { OP_F32(3, 3, 7, 5) }, .attr = &last_tokens },
    { .in = { OP_F32(3, 2, 5, 99) }, .attr = &channels },
    { .in = { OP_F32(4, 2, 4, 3, 5) }, .attr = &rows },
    { .in = { OP_F32(3, 1, 1024, 1152) }, .attr = &query, .perf_only = true },
};

const OpTest op_test_slice = {
    .op = &op_def_slice, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
