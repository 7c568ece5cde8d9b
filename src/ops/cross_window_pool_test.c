/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

/* Value of the padded map at row y, column x: one reflected row and column, zeros elsewhere. */
static double padded(const double *image, const int64_t *dim, int64_t y, int64_t x, int64_t c)
{
    const int64_t H = dim[1], W = dim[2];
    if (y == H) y = H - 2;
    if (x == W) x = W - 2;
    return y < 0 || x < 0 || y >= H || x >= W ? 0 : image[(y * W + x) * dim[3] + c];
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const CrossWindowPoolAttr *attr = op_case->attr;
    const int64_t *dim = in_shapes[0].shape.dim;
    const int64_t w = attr->window, before = w / 2 - 1;
    (void)out_shapes;
    for (int64_t b = 0; b < dim[0]; b++)
        for (int64_t y = 0; y < dim[1]; y++)
            for (int64_t x = 0; x < dim[2]; x++)
                for (int64_t c = 0; c < dim[3]; c++) {
                    const double *image = in[0] + b * dim[1] * dim[2] * dim[3];
                    double sum = 0;
                    for (int64_t j = 0; j < w; j++)
                        sum += padded(image, dim, y - before + j, x, c) + padded(image, dim, y, x - before + j, c);
                    out[0][((b * dim[1] + y) * dim[2] + x) * dim[3] + c] = sum / (double)w;
                }
}

static const CrossWindowPoolAttr window8 = { 8 }, window4 = { 4 }, window2 = { 2 };

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 2, 2, 1) }, .attr = &window8 },
    { .in = { OP_F32(4, 2, 3, 5, 7) }, .attr = &window8 },
    { .in = { OP_F32(4, 1, 8, 8, 17) }, .attr = &window8 },
    { .in = { OP_F32(4, 1, 5, 9, 40) }, .attr = &window4 },
    { .in = { OP_F32(4, 1, 4, 3, 16) }, .attr = &window2 },
    { .in = { OP_F32(4, 2, 16, 24, 64) }, .attr = &window8 },
    { .in = { OP_F32(4, 1, 16, 16, 64) }, .attr = &window8, .perf_only = true },
    { .in = { OP_F32(4, 1, 32, 32, 64) }, .attr = &window8, .perf_only = true },
    { .in = { OP_F32(4, 1, 64, 64, 64) }, .attr = &window8, .perf_only = true },
};

const OpTest op_test_cross_window_pool = {
    .op = &op_def_cross_window_pool, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
