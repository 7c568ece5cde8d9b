/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

/* To and fro between the edges. */
static int64_t walk(int64_t i, int64_t n)
{
    int64_t at = 0, step = 1;
    for (; i > 0 && n > 1; i--) {
        if (at + step < 0 || at + step >= n) step = -step;
        at += step;
    }
    return at;
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t h = in_shapes[0].shape.dim[1], w = in_shapes[0].shape.dim[2], c = in_shapes[0].shape.dim[3];
    const Shape *shape = &out_shapes[0].shape;
    (void)op_case;
    for (int64_t b = 0; b < shape->dim[0]; b++) {
        for (int64_t y = 0; y < shape->dim[1]; y++) {
            for (int64_t x = 0; x < shape->dim[2]; x++) {
                const int64_t from_y = walk(y, h), from_x = walk(x, w);
                for (int64_t k = 0; k < c; k++)
                    out[0][((b * shape->dim[1] + y) * shape->dim[2] + x) * c + k] =
                        in[0][((b * h + from_y) * w + from_x) * c + k];
            }
        }
    }
}

static const PadReflectAttr one = { 1, 1 }, most = { 3, 4 }, below = { 2, 0 }, none = { 0, 0 }, far = { 7, 6 };

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 2, 2, 1) }, .attr = &one },
    { .in = { OP_F32(4, 2, 4, 5, 3) }, .attr = &most },
    { .in = { OP_F32(4, 2, 4, 5, 3) }, .attr = &below },
    { .in = { OP_F32(4, 1, 3, 3, 4) }, .attr = &none },
    { .in = { OP_F32(4, 1, 3, 2, 4) }, .attr = &far },
    { .in = { OP_F32(4, 2, 1, 1, 3) }, .attr = &far },
    { .in = { OP_F32(4, 2, 16, 24, 33) }, .attr = &one },
    { .in = { OP_F32(4, 1, 64, 64, 64) }, .attr = &one, .perf_only = true },
};

const OpTest op_test_pad_reflect = {
    .op = &op_def_pad_reflect, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
