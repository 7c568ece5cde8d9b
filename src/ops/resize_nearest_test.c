/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const ResizeNearestAttr *a = op_case->attr;
    const Shape *s = &out_shapes[0].shape;
    const int64_t h = in_shapes[0].shape.dim[1], w = in_shapes[0].shape.dim[2], c = s->dim[3];
    for (int64_t i = 0; i < shape_count(s); i++) {
        const int64_t x = i / c % s->dim[2], y = i / c / s->dim[2] % s->dim[1], b = i / c / s->dim[2] / s->dim[1];
        out[0][i] = in[0][((b * h + y / a->scale) * w + x / a->scale) * c + i % c];
    }
}

static const ResizeNearestAttr same = { 1 }, twice = { 2 }, thrice = { 3 };

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 1, 1) }, .attr = &twice },
    { .in = { OP_F32(4, 2, 3, 4, 5) }, .attr = &twice },
    { .in = { OP_F32(4, 1, 3, 2, 33) }, .attr = &thrice },
    { .in = { OP_F32(4, 1, 3, 2, 4) }, .attr = &same },
    { .in = { OP_F32(4, 1, 128, 128, 64) }, .attr = &twice, .perf_only = true },
};

const OpTest op_test_resize_nearest = {
    .op = &op_def_resize_nearest, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
