/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>
#include <stdlib.h>

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const GrnAttr *attr = op_case->attr;
    const int64_t C = in_shapes[1].shape.dim[0], B = in_shapes[0].shape.dim[0];
    const int64_t positions = shape_count(&in_shapes[0].shape) / B / C;
    double *norm = calloc((size_t)C, sizeof *norm);
    (void)out_shapes;
    for (int64_t b = 0; b < B && norm != NULL; b++) {
        const double *x = in[0] + b * positions * C;
        double mean = 0;
        for (int64_t c = 0; c < C; c++) {
            double sum = 0;
            for (int64_t p = 0; p < positions; p++) sum += x[p * C + c] * x[p * C + c];
            norm[c] = sqrt(sum);
            mean += norm[c] / (double)C;
        }
        for (int64_t i = 0; i < positions * C; i++)
            out[0][b * positions * C + i] =
                x[i] + in[1][i % C] * (x[i] * norm[i % C] / (mean + (double)attr->eps)) + in[2][i % C];
    }
    free(norm);
}

static const GrnAttr eps6 = { 1e-6F }, eps_large = { 0.5F };

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 1, 1), OP_F32(1, 1), OP_F32(1, 1) }, .attr = &eps_large },
    { .in = { OP_F32(4, 1, 1, 2, 3), OP_F32(1, 3), OP_F32(1, 3) }, .attr = &eps6 },
    { .in = { OP_F32(4, 2, 3, 5, 19), OP_F32(1, 19), OP_F32(1, 19) }, .attr = &eps6 },
    { .in = { OP_F32(3, 3, 11, 64), OP_F32(1, 64), OP_F32(1, 64) }, .attr = &eps6 },
    { .in = { OP_F32(4, 2, 13, 17, 77), OP_F32(1, 77), OP_F32(1, 77) }, .attr = &eps_large },
    { .in = { OP_F32(4, 1, 71, 65, 9), OP_F32(1, 9), OP_F32(1, 9) }, .attr = &eps6 },
    { .in = { OP_F32(4, 1, 128, 128, 384), OP_F32(1, 384), OP_F32(1, 384) }, .attr = &eps6, .perf_only = true },
};

const OpTest op_test_grn = { .op = &op_def_grn, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases) };
