/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

/* PyTorch's bins: from floor(i n / m) to ceil((i + 1) n / m), in floating point. */
#include <math.h>

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const int64_t *from = in_shapes[0].shape.dim, *to = out_shapes[0].shape.dim;
    (void)op_case;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        const int64_t c = i % to[3], ox = i / to[3] % to[2], oy = i / to[3] / to[2] % to[1],
                      b = i / to[3] / to[2] / to[1];
        double sum = 0, n = 0;
        for (int64_t y = 0; y < from[1]; y++) {
            for (int64_t x = 0; x < from[2]; x++) {
                const double row = (double)(oy * from[1]) / (double)to[1],
                             column = (double)(ox * from[2]) / (double)to[2];
                const double row_end = (double)((oy + 1) * from[1]) / (double)to[1];
                const double column_end = (double)((ox + 1) * from[2]) / (double)to[2];
                if ((double)y < floor(row) || (double)y >= ceil(row_end)) continue;
                if ((double)x < floor(column) || (double)x >= ceil(column_end)) continue;
                sum += in[0][((b * from[1] + y) * from[2] + x) * from[3] + c];
                n += 1;
            }
        }
        out[0][i] = sum / n;
    }
}

static const AdaptiveAveragePoolAttr global = { 1, 1 }, two = { 2, 2 }, three = { 3, 3 }, six = { 6, 6 };
static const AdaptiveAveragePoolAttr unequal = { 4, 7 }, larger = { 5, 9 };

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 1, 1) }, .attr = &global },
    { .in = { OP_F32(4, 2, 3, 5, 7) }, .attr = &global },
    { .in = { OP_F32(4, 2, 27, 33, 20) }, .attr = &global },
    { .in = { OP_F32(4, 2, 7, 5, 19) }, .attr = &two },
    { .in = { OP_F32(4, 1, 16, 16, 8) }, .attr = &three },
    { .in = { OP_F32(4, 1, 16, 13, 5) }, .attr = &six },
    { .in = { OP_F32(4, 1, 45, 50, 3) }, .attr = &two },
    { .in = { OP_F32(4, 2, 11, 9, 6) }, .attr = &unequal },
    { .in = { OP_F32(4, 1, 3, 4, 6) }, .attr = &larger },
    { .in = { OP_F32(4, 1, 128, 128, 64) }, .attr = &global, .perf_only = true },
    { .in = { OP_F32(4, 1, 16, 16, 768) }, .attr = &six, .perf_only = true },
};

const OpTest op_test_adaptive_average_pool = {
    .op = &op_def_adaptive_average_pool, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
