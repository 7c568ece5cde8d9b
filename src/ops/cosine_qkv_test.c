/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

/* One row of three parts; x NULL: zeros. */
static void row(const double *x, const double *bias, const double *scale, int64_t D, int64_t heads, double *y)
{
    const int64_t size = D / heads;
    for (int64_t at = 0; at < 3 * D; at++) {
        const int64_t part = at / D, head = at % D / size;
        double squares = 0;
        for (int64_t c = part * D + head * size; c < part * D + (head + 1) * size; c++) {
            const double v = (x != NULL ? x[c] : 0) + (part != 1 ? bias[c] : 0);
            squares += v * v;
        }
        y[at] = (x != NULL ? x[at] : 0) + (part != 1 ? bias[at] : 0);
        if (part < 2) y[at] /= fmax(sqrt(squares), 1e-12);
        if (part == 0) y[at] *= sqrt((double)size) * exp(fmin(scale[head], log(100)));
    }
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t D = in_shapes[1].shape.dim[0] / 3, heads = shape_count(&in_shapes[2].shape);
    (void)op_case, (void)out_shapes;
    for (int64_t r = 0; r < shape_count(&in_shapes[0].shape) / (3 * D); r++)
        row(in[0] + r * 3 * D, in[1], in[2], D, heads, out[0] + r * 3 * D);
    row(NULL, in[1], in[2], D, heads, out[1]);
}

static const OpCase cases[] = {
    { .in = { OP_F32(2, 1, 6), OP_F32(1, 6), OP_RANGE(0, 2, 3, 1, 1, 1) } },
    { .in = { OP_F32(4, 2, 3, 5, 36), OP_F32(1, 36), OP_RANGE(1, 3, 3, 3, 1, 1) } },
    { .in = { OP_F32(4, 1, 3, 3, 24), OP_F32(1, 24), OP_RANGE(4.7, 6, 3, 2, 1, 1) } }, /* held at ln 100 */
    { .in = { OP_F32(4, 1, 13, 11, 96), OP_F32(1, 96), OP_RANGE(1, 3, 3, 2, 1, 1) } },
};

const OpTest op_test_cosine_qkv = {
    .op = &op_def_cosine_qkv, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
