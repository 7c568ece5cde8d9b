/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

typedef struct Geometry {
    int64_t B, H, W, D, heads, size, w;
    const double *qkv, *table;
} Geometry;

/* Part 0, 1, 2: query, key, value of the pixel at row y, column x. */
static const double *part(const Geometry *g, int64_t b, int64_t y, int64_t x, int64_t which, int64_t head)
{
    return g->qkv + (((b * g->H + y) * g->W + x) * 3 + which) * g->D + head * g->size;
}

static double score(const Geometry *g, int64_t b, int64_t y, int64_t x, int64_t ky, int64_t kx, int64_t head)
{
    const double *q = part(g, b, y, x, 0, head), *k = part(g, b, ky, kx, 1, head);
    double sum = 0;
    for (int64_t d = 0; d < g->size; d++) sum += q[d] * k[d];
    const int64_t row = (y - ky + g->w - 1) * (2 * g->w - 1) + x - kx + g->w - 1;
    return sum / sqrt((double)g->size) + g->table[row * g->heads + head];
}

static void attend(const Geometry *g, int64_t b, int64_t y, int64_t x, int64_t head, double *out)
{
    const int64_t top = y / g->w * g->w, left = x / g->w * g->w;
    double total = 0;
    for (int64_t d = 0; d < g->size; d++) out[d] = 0;
    for (int64_t ky = top; ky < top + g->w; ky++)
        for (int64_t kx = left; kx < left + g->w; kx++) {
            const double e = exp(score(g, b, y, x, ky, kx, head));
            total += e;
            for (int64_t d = 0; d < g->size; d++) out[d] += e * part(g, b, ky, kx, 2, head)[d];
        }
    for (int64_t d = 0; d < g->size; d++) out[d] /= total;
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const WindowAttentionAttr *attr = op_case->attr;
    const int64_t *dim = in_shapes[0].shape.dim;
    Geometry g = { dim[0], dim[1], dim[2], dim[3] / 3, attr->heads, 0, attr->window, in[0], in[1] };
    g.size = g.D / g.heads;
    (void)out_shapes;
    for (int64_t b = 0; b < g.B; b++)
        for (int64_t y = 0; y < g.H; y++)
            for (int64_t x = 0; x < g.W; x++)
                for (int64_t head = 0; head < g.heads; head++)
                    attend(&g, b, y, x, head, out[0] + ((b * g.H + y) * g.W + x) * g.D + head * g.size);
}

static const WindowAttentionAttr one = { 1, 1 }, small = { 2, 3 }, odd = { 3, 5 }, eight = { 8, 8 }, two = { 2, 8 },
                                 four = { 3, 4 };

static const OpCase cases[] = {
    /* One token: the softmax is 1 whatever the scores, so only the forward result says anything. */
    { .in = { OP_F32(4, 1, 2, 3, 12), OP_F32(2, 1, 1) }, .attr = &one, .inference_only = true },
    { .in = { OP_F32(4, 2, 3, 6, 6), OP_F32(2, 25, 2) }, .attr = &small },
    { .in = { OP_F32(4, 1, 4, 8, 36), OP_F32(2, 49, 3) }, .attr = &four },
    { .in = { OP_F32(4, 1, 10, 5, 63), OP_F32(2, 81, 3) }, .attr = &odd },
    { .in = { OP_F32(4, 1, 8, 8, 24), OP_F32(2, 225, 8) }, .attr = &eight },
    { .in = { OP_F32(4, 2, 24, 16, 192), OP_F32(2, 225, 8) }, .attr = &eight },
    { .in = { OP_RANGE(-4, 4, 4, 1, 8, 16, 192), OP_RANGE(-8, 8, 2, 225, 2) }, .attr = &two },
    { .in = { OP_F32(4, 1, 16, 16, 192), OP_F32(2, 225, 8) }, .attr = &eight, .perf_only = true },
    { .in = { OP_F32(4, 1, 32, 32, 192), OP_F32(2, 225, 8) }, .attr = &eight, .perf_only = true },
    { .in = { OP_F32(4, 1, 64, 64, 192), OP_F32(2, 225, 8) }, .attr = &eight, .perf_only = true },
    { .in = { OP_F32(4, 1, 64, 64, 768), OP_F32(2, 225, 8) }, .attr = &eight, .perf_only = true },
};

const OpTest op_test_window_attention = {
    .op = &op_def_window_attention, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
