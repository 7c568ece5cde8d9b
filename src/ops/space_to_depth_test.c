/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const SpaceToDepthAttr *attr = op_case->attr;
    const int64_t *from = in_shapes[0].shape.dim, *to = out_shapes[0].shape.dim, n = attr->block;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        const int64_t c = i % from[3], part = i % to[3] / from[3], x = i / to[3] % to[2], y = i / to[3] / to[2] % to[1];
        const int64_t b = i / to[3] / to[2] / to[1];
        const int64_t row = y * n + (attr->columns_first ? part % n : part / n);
        const int64_t column = x * n + (attr->columns_first ? part / n : part % n);
        const bool inside = row < from[1] && column < from[2];
        out[0][i] = inside ? in[0][((b * from[1] + row) * from[2] + column) * from[3] + c] : 0;
    }
}

static const SpaceToDepthAttr one = { 1, false }, rows = { 2, false }, columns = { 2, true }, three = { 3, true };

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 1, 1) }, .attr = &one },
    { .in = { OP_F32(4, 2, 4, 6, 3) }, .attr = &rows },
    { .in = { OP_F32(4, 2, 4, 6, 3) }, .attr = &columns },
    { .in = { OP_F32(4, 2, 5, 3, 7) }, .attr = &columns },
    { .in = { OP_F32(4, 1, 1, 2, 5) }, .attr = &columns },
    { .in = { OP_F32(4, 1, 7, 8, 4) }, .attr = &three },
    { .in = { OP_F32(4, 2, 18, 21, 33) }, .attr = &columns },
    { .in = { OP_F32(4, 1, 128, 128, 96) }, .attr = &columns, .perf_only = true },
};

const OpTest op_test_space_to_depth = {
    .op = &op_def_space_to_depth, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
