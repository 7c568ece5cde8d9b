/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const MaxPoolAttr *a = op_case->attr;
    const int64_t h = in_shapes[0].shape.dim[1], w = in_shapes[0].shape.dim[2], c = in_shapes[0].shape.dim[3];
    const Shape *s = &out_shapes[0].shape;
    for (int64_t i = 0; i < shape_count(s); i++) {
        const int64_t k = i % c, ox = i / c % s->dim[2], oy = i / c / s->dim[2] % s->dim[1],
                      b = i / c / s->dim[2] / s->dim[1];
        double most = -INFINITY;
        for (int64_t y = oy * a->stride - a->padding; y < oy * a->stride - a->padding + a->kernel; y++)
            for (int64_t x = ox * a->stride - a->padding; x < ox * a->stride - a->padding + a->kernel; x++) {
                if (y < 0 || y >= h || x < 0 || x >= w) continue;
                const double value = in[0][((b * h + y) * w + x) * c + k];
                if (value > most) {
                    most = value;
                    if (out[1] != NULL)
                        out[1][i] = (double)((y - (oy * a->stride - a->padding)) * a->kernel + x -
                                             (ox * a->stride - a->padding));
                }
            }
        out[0][i] = most;
    }
}

static const MaxPoolAttr resnet = { 3, 2, 1 }, halves = { 2, 2, 0 }, dense = { 3, 1, 1 }, wide = { 5, 3, 2 };

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 2, 2, 1) }, .attr = &resnet },
    { .in = { OP_F32(4, 2, 7, 8, 5) }, .attr = &resnet },
    { .in = { OP_F32(4, 2, 5, 6, 3) }, .attr = &halves },
    { .in = { OP_F32(4, 1, 5, 4, 33) }, .attr = &dense },
    { .in = { OP_F32(4, 1, 9, 11, 4) }, .attr = &wide },
    { .in = { OP_F32(4, 1, 256, 256, 64) }, .attr = &resnet, .perf_only = true },
};

const OpTest op_test_max_pool = {
    .op = &op_def_max_pool, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
