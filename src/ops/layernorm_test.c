/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const LayernormAttr *attr = op_case->attr;
    const int64_t C = in_shapes[1].shape.dim[0], rows = shape_count(&in_shapes[0].shape) / C;
    (void)out_shapes;
    for (int64_t r = 0; r < rows; r++) {
        const double *x = in[0] + r * C;
        double mean = 0, var = 0;
        for (int64_t c = 0; c < C; c++) mean += x[c] / (double)C;
        for (int64_t c = 0; c < C; c++) var += (x[c] - mean) * (x[c] - mean) / (double)C;
        for (int64_t c = 0; c < C; c++)
            out[0][r * C + c] = (x[c] - mean) / sqrt(var + (double)attr->eps) * in[1][c] + in[2][c];
    }
}

static const LayernormAttr eps5 = { 1e-5F }, eps12 = { 1e-12F };

static const OpCase cases[] = {
    { .in = { OP_F32(1, 5), OP_F32(1, 5), OP_F32(1, 5) }, .attr = &eps5 },
    /* One channel: y = bias and dx is exactly 0, a relative error of which means nothing. */
    { .in = { OP_F32(2, 4, 1), OP_F32(1, 1), OP_F32(1, 1) }, .attr = &eps5, .inference_only = true },
    { .in = { OP_F32(3, 1, 1, 16), OP_F32(1, 16), OP_F32(1, 16) }, .attr = &eps5 },
    { .in = { OP_F32(3, 2, 7, 33), OP_F32(1, 33), OP_F32(1, 33) }, .attr = &eps5 },
    { .in = { OP_F32(3, 1, 3, 40), OP_F32(1, 40), OP_F32(1, 40) }, .attr = &eps12 },
    { .in = { OP_F32(4, 1, 3, 5, 112), OP_F32(1, 112), OP_F32(1, 112) }, .attr = &eps5 },
    /* The mean is far from 0: variance must not come from a difference of large numbers. x itself is rounded to
     * 1000 * 2^-24 = 6e-5 of the spread of a uniform draw, 1 / sqrt(12), hence the tolerance. */
    { .in = { OP_RANGE(1000, 1001, 2, 3, 65), OP_F32(1, 65), OP_F32(1, 65) }, .attr = &eps5, .tolerance = 5e-4 },
    { .in = { OP_F32(2, 301, 384), OP_F32(1, 384), OP_F32(1, 384) }, .attr = &eps12 },
    { .in = { OP_F32(3, 1, 1024, 256), OP_F32(1, 256), OP_F32(1, 256) }, .attr = &eps5, .perf_only = true },
    { .in = { OP_F32(3, 1, 1024, 112), OP_F32(1, 112), OP_F32(1, 112) }, .attr = &eps5, .perf_only = true },
    { .in = { OP_F32(3, 16, 1024, 256), OP_F32(1, 256), OP_F32(1, 256) }, .attr = &eps5, .perf_only = true },
};

const OpTest op_test_layernorm = {
    .op = &op_def_layernorm, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
