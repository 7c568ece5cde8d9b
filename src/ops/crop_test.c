/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t *from = in_shapes[0].shape.dim, *to = out_shapes[0].shape.dim;
    (void)op_case;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        const int64_t c = i % to[3], x = i / to[3] % to[2], y = i / to[3] / to[2] % to[1],
                      b = i / to[3] / to[2] / to[1];
        out[0][i] = in[0][((b * from[1] + y) * from[2] + x) * from[3] + c];
    }
}

static const CropAttr one = { 1, 1 }, rows = { 3, 5 }, columns = { 4, 2 }, all = { 4, 5 }, large = { 19, 31 };

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 1, 1) }, .attr = &one },  { .in = { OP_F32(4, 2, 3, 2, 3) }, .attr = &one },
    { .in = { OP_F32(4, 2, 4, 5, 3) }, .attr = &rows }, { .in = { OP_F32(4, 2, 4, 5, 7) }, .attr = &columns },
    { .in = { OP_F32(4, 2, 4, 5, 3) }, .attr = &all },  { .in = { OP_F32(4, 2, 24, 32, 33) }, .attr = &large },
};

const OpTest op_test_crop = { .op = &op_def_crop, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases) };
