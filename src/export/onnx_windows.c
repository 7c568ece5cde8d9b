/* SPDX-License-Identifier: Apache-2.0
 * Attention inside windows, and what makes it that of cosines: the map's rows and columns are put into the places of the windows (src/ops/window_attention.c), and the
 * results back, by lists of positions. */
#include "export/onnx_translate.h"

#include <math.h>

/* One axis: `length` of the map, `places` of the windows. */
typedef struct Axis {
    int64_t length, places, shift;
    int64_t *shown; /* [places]: position in the map, `length` for padding */
    int64_t *back;  /* [length]: place of a position */
    bool moved, padded;
} Axis;

typedef struct Windows {
    int64_t B, D, heads, size, window, tokens;
    Axis y, x;
    int64_t per_image, all;
} Windows;

static Axis make_axis(OnnxGraph *g, int64_t length, int64_t window, int64_t shift, bool roll_first)
{
    const int64_t places = (length + window - 1) / window * window;
    Axis axis = { .length = length, .places = places, .shift = shift, .padded = places > length };
    axis.shown = onnx_room(onnx_file_of(g), places, sizeof *axis.shown);
    axis.back = onnx_room(onnx_file_of(g), length, sizeof *axis.back);
    if (axis.shown == NULL || axis.back == NULL) return axis;
    for (int64_t i = 0; i < places; i++) {
        int64_t from = (i + shift) % places;
        if (roll_first) from = i < length ? (i + shift) % length : length;
        axis.shown[i] = from < length ? from : length;
        if (from < length) axis.back[from] = i;
        axis.moved = axis.moved || axis.shown[i] != i;
    }
    return axis;
}

static Windows make_windows(OnnxGraph *g, const GraphNodeView *node)
{
    const WindowAttentionAttr *attr = node->attr;
    const Shape shape = onnx_shape(g, node->in[0]);
    Windows w = { .B = shape.dim[0], .D = shape.dim[3] / 3, .heads = attr->heads, .window = attr->window };
    w.size = w.D / w.heads;
    w.tokens = w.window * w.window;
    w.y = make_axis(g, shape.dim[1], w.window, attr->shift_y, attr->roll_first);
    w.x = make_axis(g, shape.dim[2], w.window, attr->shift_x, attr->roll_first);
    w.per_image = w.y.places / w.window * (w.x.places / w.window);
    w.all = w.B * w.per_image;
    return w;
}

/* Behind the map one row (or column) of padding, to be shown where there is none of the map. dims: of that row. */
static const char *put_in_places(OnnxGraph *g, const char *x, const Axis *axis, int64_t along, const char *padding,
                                 const int64_t dims[4])
{
    if (!axis->moved && !axis->padded) return x;
    if (axis->padded) {
        x = ONNX_OP(g, "Concat", x, ONNX_OP(g, "Expand", padding, ONNX_INTS(g, dims[0], dims[1], dims[2], dims[3])));
        onnx_set_int(onnx_file_of(g), "axis", along);
    }
    return onnx_gather(g, x, along, axis->places, axis->shown);
}

static const char *padding_of(OnnxGraph *g, const GraphNodeView *node, const Windows *w)
{
    const float *values = NULL;
    if (!w->y.padded && !w->x.padded) return NULL;
    if (node->n_in > 2)
        values = onnx_needs_values(g, node->in[2]);
    else
        values = onnx_room(onnx_file_of(g), 3 * w->D, sizeof *values);
    return onnx_constant(g, "padding", 4, ONNX_DIMS(1, 1, 1, 3 * w->D), values);
}

/* qkv as windows [all, tokens, 3 D]. */
static const char *cut(OnnxGraph *g, const GraphNodeView *node, const Windows *w)
{
    const int64_t B = w->B, n = w->window, D = 3 * w->D;
    const char *padding = padding_of(g, node, w), *x = onnx_get(g, node->in[0], false);
    x = put_in_places(g, x, &w->y, 1, padding, ONNX_DIMS(B, 1, w->x.length, D));
    x = put_in_places(g, x, &w->x, 2, padding, ONNX_DIMS(B, w->y.places, 1, D));
    x = ONNX_RESHAPE(g, x, B * w->y.places / n, n, w->x.places / n, n, D);
    return ONNX_RESHAPE(g, ONNX_TRANSPOSE(g, x, 0, 2, 1, 3, 4), w->all, w->tokens, D);
}

/* Windows [all, tokens, D] as the map. */
static const char *join(OnnxGraph *g, const Windows *w, const char *x)
{
    const int64_t n = w->window;
    x = ONNX_RESHAPE(g, x, w->B * w->y.places / n, w->x.places / n, n, n, w->D);
    x = ONNX_RESHAPE(g, ONNX_TRANSPOSE(g, x, 0, 2, 1, 3, 4), w->B, w->y.places, w->x.places, w->D);
    if (w->y.moved || w->y.padded) x = onnx_gather(g, x, 1, w->y.length, w->y.back);
    if (w->x.moved || w->x.padded) x = onnx_gather(g, x, 2, w->x.length, w->x.back);
    return x;
}

/* The table's rows as [1, heads, tokens, tokens]. */
static const char *position_bias(OnnxGraph *g, const GraphNodeView *node, const Windows *w)
{
    const int64_t n = w->window, T = w->tokens;
    const float *table = onnx_needs_values(g, node->in[1]);
    float *bias = onnx_room(onnx_file_of(g), w->heads * T * T, sizeof *bias);
    if (table == NULL || bias == NULL) return "";
    for (int64_t at = 0; at < w->heads * T * T; at++) {
        const int64_t head = at / (T * T), i = at / T % T, j = at % T;
        const int64_t dy = i / n - j / n + n - 1, dx = i % n - j % n + n - 1;
        bias[at] = table[(dy * (2 * n - 1) + dx) * w->heads + head];
    }
    return onnx_constant(g, "positions", 4, ONNX_DIMS(1, w->heads, T, T), bias);
}

/* Which side of the seam a place of a window in the last row (column) of windows is on. */
static bool beyond(const Axis *axis, int64_t place) { return axis->shift > 0 && place >= axis->places - axis->shift; }

/* -100 between places that a shift brought together, [1, per_image, 1, tokens, tokens]; the same for all layers of one form. */
static const char *seam_mask(OnnxGraph *g, const Windows *w)
{
    const int64_t n = w->window, T = w->tokens, columns = w->x.places / n, count = w->per_image * T * T;
    OnnxFile *file = onnx_file_of(g);
    const char *name = onnx_text(file, "mask_%lld_%lld_%lld_%lld_%lld", (long long)w->y.places, (long long)w->x.places,
                                 (long long)n, (long long)w->y.shift, (long long)w->x.shift);
    if (onnx_has_constant(file, name)) return name;
    float *mask = onnx_room(file, count, sizeof *mask);
    if (mask == NULL) return "";
    for (int64_t at = 0; at < count; at++) {
        const int64_t top = at / (T * T) / columns * n, left = at / (T * T) % columns * n;
        const int64_t i = at / T % T, j = at % T;
        const bool apart = beyond(&w->y, top + i / n) != beyond(&w->y, top + j / n) ||
                           beyond(&w->x, left + i % n) != beyond(&w->x, left + j % n);
        mask[at] = apart ? -100.0F : 0.0F;
    }
    return onnx_floats(file, name, 5, ONNX_DIMS(1, w->per_image, 1, T, T), mask);
}

/* Part 0, 1, 2 of the channels, queries, keys or values, as [all, heads, tokens, size]. */
static const char *part(OnnxGraph *g, const Windows *w, const char *qkv, int64_t index)
{
    const char *x = onnx_slice(g, qkv, 2, index * w->D, (index + 1) * w->D);
    x = ONNX_RESHAPE(g, x, w->all, w->tokens, w->heads, w->size);
    return index == 1 ? ONNX_TRANSPOSE(g, x, 0, 2, 3, 1) : ONNX_TRANSPOSE(g, x, 0, 2, 1, 3);
}

void onnx_translate_window_attention(OnnxGraph *g, const GraphNodeView *node)
{
    const Windows w = make_windows(g, node);
    const char *qkv = cut(g, node, &w);
    const char *q = ONNX_OP(g, "Mul", part(g, &w, qkv, 0), onnx_float(onnx_file_of(g), 1.0F / sqrtf((float)w.size)));
    const char *s = ONNX_OP(g, "MatMul", q, part(g, &w, qkv, 1));
    s = ONNX_OP(g, "Add", s, position_bias(g, node, &w));
    if (w.y.shift > 0 || w.x.shift > 0) {
        s = ONNX_RESHAPE(g, s, w.B, w.per_image, w.heads, w.tokens, w.tokens);
        s = ONNX_OP(g, "Add", s, seam_mask(g, &w));
        s = ONNX_RESHAPE(g, s, w.all, w.heads, w.tokens, w.tokens);
    }
    s = ONNX_OP(g, "Softmax", s);
    onnx_set_int(onnx_file_of(g), "axis", -1);
    const char *y = ONNX_OP(g, "MatMul", s, part(g, &w, qkv, 2));
    y = ONNX_RESHAPE(g, ONNX_TRANSPOSE(g, y, 0, 2, 1, 3), w.all, w.tokens, w.D);
    onnx_put(g, node->out, false, join(g, &w, y));
}

/* ---- cosines ---- */

/* What queries, keys and values are given: their bias, 0 for keys, and for queries and keys the factor of each head. */
static bool cosine_constants(OnnxGraph *g, const GraphNodeView *node, int64_t heads, int64_t D, float **ret_bias,
                             float **ret_factors)
{
    static const float LARGEST_LOG = 4.605170186F; /* ln 100, as in src/ops/cosine_qkv.c */
    OnnxFile *file = onnx_file_of(g);
    const float *bias = onnx_needs_values(g, node->in[1]), *log_scale = onnx_needs_values(g, node->in[2]);
    *ret_bias = onnx_room(file, 3 * D, sizeof **ret_bias);
    *ret_factors = onnx_room(file, 2 * heads, sizeof **ret_factors);
    if (bias == NULL || log_scale == NULL || *ret_bias == NULL || *ret_factors == NULL) return false;
    for (int64_t i = 0; i < 3 * D; i++) (*ret_bias)[i] = i / D == 1 ? 0.0F : bias[i];
    for (int64_t h = 0; h < heads; h++) {
        (*ret_factors)[h] = sqrtf((float)(D / heads)) * expf(fminf(log_scale[h], LARGEST_LOG));
        (*ret_factors)[heads + h] = 1.0F;
    }
    return true;
}

/* The second result is what the op makes of a row of zeros: a constant, read where windows are padded. */
static void put_padding(OnnxGraph *g, const GraphNodeView *node, int64_t D)
{
    Shape shape;
    float *zeros = onnx_room(onnx_file_of(g), 3 * D, sizeof *zeros);
    if (zeros == NULL) return;
    const Tensor in[3] = { { DTYPE_F32, shape2(1, 3 * D), zeros },
                           onnx_weights(g, node->in[1]),
                           onnx_weights(g, node->in[2]) };
    onnx_put_values(g, node, 1, onnx_run(g, node->op, node->attr, 3, in, &shape));
}

/* The formula of src/ops/cosine_qkv.c, over [rows, queries keys values, heads, size]. */
void onnx_translate_cosine_qkv(OnnxGraph *g, const GraphNodeView *node)
{
    static const int64_t last = 3;
    static const float SHORTEST = 1e-12F;
    const Shape shape = onnx_shape(g, node->in[0]), scales = onnx_shape(g, node->in[2]);
    const int64_t heads = shape_count(&scales), D = shape.dim[shape.rank - 1] / 3, size = D / heads;
    float *bias = NULL, *factors = NULL;
    if (!cosine_constants(g, node, heads, D, &bias, &factors)) return;
    put_padding(g, node, D);
    const char *x = onnx_get(g, node->in[0], false);
    x = ONNX_OP(g, "Add", x, onnx_constant(g, "bias", 1, ONNX_DIMS(3 * D), bias));
    x = ONNX_RESHAPE(g, x, shape_count(&shape) / (3 * D), 3, heads, size);
    const char *y = onnx_slice(g, x, 1, 0, 2), *length = onnx_reduce(g, "ReduceL2", y, 1, &last);
    y = ONNX_OP(g, "Div", y, ONNX_OP(g, "Max", length, onnx_float(onnx_file_of(g), SHORTEST)));
    y = ONNX_OP(g, "Mul", y, onnx_constant(g, "factors", 4, ONNX_DIMS(1, 2, heads, 1), factors));
    y = ONNX_OP(g, "Concat", y, onnx_slice(g, x, 1, 2, 3));
    onnx_set_int(onnx_file_of(g), "axis", 1);
    onnx_put(g, node->out, false, onnx_reshape(g, y, &shape));
}
