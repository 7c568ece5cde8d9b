/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t rows = out_shapes[0].shape.dim[1], width = out_shapes[0].shape.dim[2];
    int64_t tokens[2], images[2];
    (void)op_case;
    for (int i = 0; i < 2; i++) {
        const Shape *shape = &in_shapes[i].shape;
        images[i] = shape->rank > 2 ? shape->dim[0] : 1;
        tokens[i] = shape_count(shape) / width / images[i];
    }
    for (int64_t b = 0; b < out_shapes[0].shape.dim[0]; b++)
        for (int64_t m = 0; m < rows; m++)
            for (int64_t c = 0; c < width; c++) {
                const int i = m < tokens[0] ? 0 : 1;
                const int64_t token = (images[i] > 1 ? b * tokens[i] : 0) + (i == 0 ? m : m - tokens[0]);
                out[0][(b * rows + m) * width + c] = in[i][token * width + c];
            }
}

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 1, 1), OP_F32(2, 1, 1) } },
    { .in = { OP_F32(4, 2, 3, 2, 5), OP_F32(2, 4, 5) } },
    { .in = { OP_F32(4, 3, 4, 7, 33), OP_F32(2, 4, 33) } },
    { .in = { OP_F32(3, 1, 5, 7), OP_F32(4, 3, 2, 2, 7) } },
    { .in = { OP_F32(3, 2, 3, 9), OP_F32(3, 2, 4, 9) } },
    { .in = { OP_F32(4, 2, 4, 64, 384), OP_F32(2, 4, 384) }, .perf_only = true },
};

const OpTest op_test_concat_tokens = {
    .op = &op_def_concat_tokens, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
