/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

typedef struct Geometry {
    int64_t B, H, W, D, heads, size, w, shift_y, shift_x;
    bool roll_first;
    const double *qkv, *table, *padding;
} Geometry;

/* A place of the grid of windows and the pixel it shows; row -1: padding. */
typedef struct Place {
    int64_t y, x, row, column;
} Place;

/* Rolls and pads one axis: the coordinate that place i shows, or -1. */
static int64_t axis(int64_t i, int64_t n, int64_t w, int64_t shift, bool roll_first)
{
    const int64_t places = (n + w - 1) / w * w;
    if (roll_first) return i >= n ? -1 : (i + shift) % n;
    return (i + shift) % places >= n ? -1 : (i + shift) % places;
}

static Place place_at(const Geometry *g, int64_t y, int64_t x)
{
    Place p = { y, x, axis(y, g->H, g->w, g->shift_y, g->roll_first), axis(x, g->W, g->w, g->shift_x, g->roll_first) };
    if (p.column < 0) p.row = -1;
    return p;
}

/* Part 0, 1, 2: query, key, value. */
static double part(const Geometry *g, int64_t b, const Place *p, int64_t which, int64_t head, int64_t d)
{
    const int64_t channel = which * g->D + head * g->size + d;
    if (p->row >= 0) return g->qkv[((b * g->H + p->row) * g->W + p->column) * 3 * g->D + channel];
    return g->padding != NULL ? g->padding[channel] : 0;
}

/* Swin's regions: all but the last window, its part before the shift, the rest. */
static int region(int64_t i, int64_t n, int64_t w, int64_t shift)
{
    const int64_t places = (n + w - 1) / w * w;
    return shift == 0 || i < places - w ? 0 : i < places - shift ? 1 : 2;
}

static double score(const Geometry *g, int64_t b, const Place *q, const Place *k, int64_t head)
{
    double sum = 0;
    for (int64_t d = 0; d < g->size; d++) sum += part(g, b, q, 0, head, d) * part(g, b, k, 1, head, d);
    const int64_t row = (q->y - k->y + g->w - 1) * (2 * g->w - 1) + q->x - k->x + g->w - 1;
    const bool same = region(q->y, g->H, g->w, g->shift_y) == region(k->y, g->H, g->w, g->shift_y) &&
                      region(q->x, g->W, g->w, g->shift_x) == region(k->x, g->W, g->w, g->shift_x);
    return sum / sqrt((double)g->size) + g->table[row * g->heads + head] + (same ? 0 : -100);
}

static void attend(const Geometry *g, int64_t b, const Place *q, int64_t head, double *out)
{
    const int64_t top = q->y / g->w * g->w, left = q->x / g->w * g->w;
    double total = 0;
    for (int64_t d = 0; d < g->size; d++) out[d] = 0;
    for (int64_t ky = top; ky < top + g->w; ky++)
        for (int64_t kx = left; kx < left + g->w; kx++) {
            const Place k = place_at(g, ky, kx);
            const double e = exp(score(g, b, q, &k, head));
            total += e;
            for (int64_t d = 0; d < g->size; d++) out[d] += e * part(g, b, &k, 2, head, d);
        }
    for (int64_t d = 0; d < g->size; d++) out[d] /= total;
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const WindowAttentionAttr *attr = op_case->attr;
    const int64_t *dim = in_shapes[0].shape.dim, w = attr->window;
    const bool has_padding = op_case->in[2].shape.rank > 0;
    const Geometry g = { .B = dim[0],
                         .H = dim[1],
                         .W = dim[2],
                         .D = dim[3] / 3,
                         .heads = attr->heads,
                         .size = dim[3] / 3 / attr->heads,
                         .w = w,
                         .shift_y = attr->shift_y,
                         .shift_x = attr->shift_x,
                         .roll_first = attr->roll_first,
                         .qkv = in[0],
                         .table = in[1],
                         .padding = has_padding ? in[2] : NULL };
    (void)out_shapes;
    for (int64_t b = 0; b < g.B; b++)
        for (int64_t y = 0; y < (g.H + w - 1) / w * w; y++)
            for (int64_t x = 0; x < (g.W + w - 1) / w * w; x++) {
                const Place q = place_at(&g, y, x);
                for (int64_t head = 0; head < g.heads && q.row >= 0; head++)
                    attend(&g, b, &q, head, out[0] + ((b * g.H + q.row) * g.W + q.column) * g.D + head * g.size);
            }
}

static const WindowAttentionAttr one = { .heads = 1, .window = 1 }, small = { .heads = 2, .window = 3 },
                                 odd = { .heads = 3, .window = 5 }, eight = { .heads = 8, .window = 8 },
                                 two = { .heads = 2, .window = 8 }, four = { .heads = 3, .window = 4 };
static const WindowAttentionAttr shifted = { .heads = 2, .window = 3, .shift_y = 1, .shift_x = 1 },
                                 rolled = { .heads = 2, .window = 3, .shift_y = 1, .shift_x = 1, .roll_first = true },
                                 down = { .heads = 1, .window = 4, .shift_y = 2 },
                                 across = { .heads = 1, .window = 4, .shift_x = 3 },
                                 seven = { .heads = 3, .window = 7 },
                                 swin = { .heads = 3, .window = 7, .shift_y = 3, .shift_x = 3 },
                                 timm = { .heads = 3, .window = 7, .shift_y = 3, .shift_x = 3, .roll_first = true },
                                 twelve = { .heads = 2, .window = 12, .shift_y = 6, .shift_x = 6 };

static const OpCase cases[] = {
    /* One token: the softmax is 1 whatever the scores, so only the forward result says anything. */
    { .in = { OP_F32(4, 1, 2, 3, 12), OP_F32(2, 1, 1) }, .attr = &one, .inference_only = true },
    { .in = { OP_F32(4, 2, 3, 6, 6), OP_F32(2, 25, 2) }, .attr = &small },
    { .in = { OP_F32(4, 1, 4, 8, 36), OP_F32(2, 49, 3) }, .attr = &four },
    { .in = { OP_F32(4, 1, 10, 5, 63), OP_F32(2, 81, 3) }, .attr = &odd },
    { .in = { OP_F32(4, 1, 8, 8, 24), OP_F32(2, 225, 8) }, .attr = &eight },
    { .in = { OP_F32(4, 2, 24, 16, 192), OP_F32(2, 225, 8) }, .attr = &eight },
    { .in = { OP_RANGE(-4, 4, 4, 1, 8, 16, 192), OP_RANGE(-8, 8, 2, 225, 2) }, .attr = &two },
    /* Shift, mask and padding: maps that are multiples of the window, one more and one less, smaller than it. */
    { .in = { OP_F32(4, 1, 6, 9, 12), OP_F32(2, 25, 2) }, .attr = &shifted },
    { .in = { OP_F32(4, 2, 7, 5, 12), OP_F32(2, 25, 2), OP_F32(1, 12) }, .attr = &shifted },
    { .in = { OP_F32(4, 2, 7, 5, 12), OP_F32(2, 25, 2), OP_F32(1, 12) }, .attr = &rolled },
    { .in = { OP_F32(4, 1, 4, 8, 12), OP_F32(2, 25, 2) }, .attr = &rolled },
    { .in = { OP_F32(4, 1, 1, 2, 6), OP_F32(2, 25, 2), OP_F32(1, 6) }, .attr = &rolled },
    { .in = { OP_F32(4, 1, 1, 2, 6), OP_F32(2, 25, 2), OP_F32(1, 6) }, .attr = &shifted },
    { .in = { OP_F32(4, 1, 9, 6, 9), OP_F32(2, 49, 1) }, .attr = &down },
    { .in = { OP_F32(4, 1, 9, 6, 9), OP_F32(2, 49, 1), OP_F32(1, 9) }, .attr = &across },
    { .in = { OP_F32(4, 1, 15, 7, 288), OP_F32(2, 169, 3), OP_F32(1, 288) }, .attr = &seven },
    { .in = { OP_F32(4, 1, 13, 16, 288), OP_F32(2, 169, 3), OP_F32(1, 288) }, .attr = &swin },
    { .in = { OP_F32(4, 1, 13, 16, 288), OP_F32(2, 169, 3), OP_F32(1, 288) }, .attr = &timm },
    { .in = { OP_F32(4, 1, 12, 14, 24), OP_F32(2, 529, 2), OP_F32(1, 24) }, .attr = &twelve },
    { .in = { OP_F32(4, 1, 16, 16, 192), OP_F32(2, 225, 8) }, .attr = &eight, .perf_only = true },
    { .in = { OP_F32(4, 1, 32, 32, 192), OP_F32(2, 225, 8) }, .attr = &eight, .perf_only = true },
    { .in = { OP_F32(4, 1, 64, 64, 192), OP_F32(2, 225, 8) }, .attr = &eight, .perf_only = true },
    { .in = { OP_F32(4, 1, 64, 64, 768), OP_F32(2, 225, 8) }, .attr = &eight, .perf_only = true },
    { .in = { OP_F32(4, 1, 128, 128, 288), OP_F32(2, 169, 3), OP_F32(1, 288) }, .attr = &swin, .perf_only = true },
};

const OpTest op_test_window_attention = {
    .op = &op_def_window_attention, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
