/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

static double pixel_loss(const double *x, const double *t, int64_t C, double smoothing)
{
    double max = x[0], sum = 0, total = 0, loss = 0;
    for (int64_t c = 0; c < C; c++) {
        max = fmax(max, x[c]);
        total += t[c];
    }
    for (int64_t c = 0; c < C; c++) sum += exp(x[c] - max);
    for (int64_t c = 0; c < C; c++) {
        const double q = (1 - smoothing) * t[c] / total + smoothing / (double)C;
        loss -= q * (x[c] - max - log(sum));
    }
    return loss;
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const CrossEntropyAttr *attr = op_case->attr;
    const int64_t pixels = shape_count(&in_shapes[1].shape), C = shape_count(&in_shapes[0].shape) / pixels;
    double sum = 0, count = 0;
    (void)out_shapes;
    for (int64_t p = 0; p < pixels; p++) {
        if ((int64_t)in[1][p] == attr->ignore) continue;
        sum += pixel_loss(in[0] + p * C, in[2] + p * C, C, (double)attr->smoothing);
        count += 1;
    }
    out[0][0] = count > 0 ? sum / count : 0;
}

static const CrossEntropyAttr plain_loss = { 0.0F, 255 }, smoothed = { 0.05F, 255 }, ignore_zero = { 0.1F, 0 };

static const OpCase cases[] = {
    { .in = { OP_F32(2, 1, 3), OP_LABELS(3, 1, 1), OP_U8(1, 256, 2, 1, 3) }, .attr = &plain_loss },
    { .in = { OP_F32(4, 1, 3, 5, 2), OP_LABELS(2, 3, 1, 3, 5), OP_U8(1, 256, 4, 1, 3, 5, 2) }, .attr = &smoothed },
    { .in = { OP_F32(4, 2, 3, 7, 9), OP_LABELS(9, 3, 2, 3, 7), OP_U8(0, 256, 4, 2, 3, 7, 9) }, .attr = &plain_loss },
    { .in = { OP_F32(4, 1, 5, 8, 16), OP_LABELS(16, 3, 1, 5, 8), OP_U8(0, 256, 4, 1, 5, 8, 16) }, .attr = &smoothed },
    /* Mostly zeros, as the probabilities of a sure network are. */
    { .in = { OP_RANGE(-60, 60, 4, 1, 4, 9, 21), OP_LABELS(21, 3, 1, 4, 9), OP_U8(0, 2, 4, 1, 4, 9, 21) },
      .attr = &smoothed },
    { .in = { OP_F32(4, 1, 4, 5, 35), OP_U8(0, 5, 3, 1, 4, 5), OP_U8(0, 256, 4, 1, 4, 5, 35) }, .attr = &ignore_zero },
    /* Everything ignored, where probabilities may be 0: loss and gradients are 0. */
    { .in = { OP_F32(4, 1, 3, 6, 5), OP_U8(255, 256, 3, 1, 3, 6), OP_U8(0, 1, 4, 1, 3, 6, 5) }, .attr = &smoothed },
    { .in = { OP_F32(4, 2, 61, 71, 9), OP_LABELS(9, 3, 2, 61, 71), OP_U8(0, 256, 4, 2, 61, 71, 9) },
      .attr = &smoothed },
    { .in = { OP_F32(4, 2, 256, 256, 9), OP_LABELS(9, 3, 2, 256, 256), OP_U8(0, 256, 4, 2, 256, 256, 9) },
      .attr = &smoothed,
      .perf_only = true },
};

const OpTest op_test_soft_cross_entropy = {
    .op = &op_def_soft_cross_entropy, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
