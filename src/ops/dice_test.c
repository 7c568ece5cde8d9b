/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

/* Adds one pixel to the sums I, P, T [3, C]. */
static void add_pixel(const double *x, int64_t C, int64_t label, double *sums)
{
    double max = x[0], total = 0;
    for (int64_t c = 1; c < C; c++) max = fmax(max, x[c]);
    for (int64_t c = 0; c < C; c++) total += exp(x[c] - max);
    for (int64_t c = 0; c < C; c++) {
        const double p = exp(x[c] - max) / total;
        sums[C + c] += p;
        if (c == label) {
            sums[c] += p;
            sums[2 * C + c] += 1;
        }
    }
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const DiceAttr *attr = op_case->attr;
    const int64_t pixels = shape_count(&in_shapes[1].shape), C = shape_count(&in_shapes[0].shape) / pixels;
    const double smooth = (double)attr->smooth;
    double sums[3 * 64] = { 0 };
    (void)out_shapes;
    for (int64_t p = 0; p < pixels; p++)
        if ((int64_t)in[1][p] != attr->ignore) add_pixel(in[0] + p * C, C, (int64_t)in[1][p], sums);
    out[0][0] = 0;
    for (int64_t c = 0; c < C; c++)
        if (sums[2 * C + c] > 0)
            out[0][0] += (1 - (2 * sums[c] + smooth) / (sums[C + c] + sums[2 * C + c] + smooth)) / (double)C;
}

static const DiceAttr smooth = { 0.05F, 255 }, smooth_more = { 1.0F, 2 };

static const OpCase cases[] = {
    { .in = { OP_F32(2, 1, 3), OP_U8(1, 2, 1, 1) }, .attr = &smooth },
    { .in = { OP_F32(4, 1, 3, 5, 2), OP_LABELS(2, 3, 1, 3, 5) }, .attr = &smooth },
    { .in = { OP_F32(4, 2, 3, 7, 17), OP_LABELS(17, 3, 2, 3, 7) }, .attr = &smooth },
    { .in = { OP_F32(4, 1, 5, 8, 16), OP_U8(0, 16, 3, 1, 5, 8) }, .attr = &smooth_more },
    { .in = { OP_RANGE(-30, 30, 4, 1, 6, 9, 13), OP_LABELS(13, 3, 1, 6, 9) }, .attr = &smooth },
    /* Classes 4 to 18 are absent, class 2 is ignored. */
    { .in = { OP_F32(4, 1, 7, 5, 19), OP_U8(0, 4, 3, 1, 7, 5) }, .attr = &smooth_more },
    /* Everything ignored: loss and gradients are 0. */
    { .in = { OP_F32(4, 1, 3, 6, 5), OP_U8(255, 256, 3, 1, 3, 6) }, .attr = &smooth },
    { .in = { OP_F32(4, 2, 61, 71, 17), OP_LABELS(17, 3, 2, 61, 71) }, .attr = &smooth },
    { .in = { OP_F32(4, 2, 512, 512, 17), OP_LABELS(17, 3, 2, 512, 512) }, .attr = &smooth, .perf_only = true },
    { .in = { OP_F32(4, 2, 256, 256, 17), OP_LABELS(17, 3, 2, 256, 256) }, .attr = &smooth, .perf_only = true },
};

const OpTest op_test_dice = { .op = &op_def_dice, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases) };
