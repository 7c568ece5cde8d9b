/* SPDX-License-Identifier: Apache-2.0
 * Translators of ops over tokens: matrix products and attention, with channels last. */
#include "export/onnx_translate.h"

#include <math.h>

static const char *scalar(OnnxGraph *g, float value) { return onnx_float(onnx_file_of(g), value); }

static const char *rows_of_node(OnnxGraph *g, const GraphNodeView *node, int32_t i)
{
    return onnx_get(g, node->in[i], false);
}

static int64_t count_tokens(const Shape *shape)
{
    return shape_count(shape) / shape->dim[0] / shape->dim[shape->rank - 1];
}

static int64_t count_channels(const Shape *shape) { return shape->dim[shape->rank - 1]; }

/* ---- matrix products ---- */

static const char *transposed_weight(OnnxGraph *g, Var weight)
{
    const Shape shape = onnx_shape(g, weight);
    const int64_t out = shape.dim[0], in = shape.dim[1];
    const float *from = onnx_needs_values(g, weight);
    float *to = onnx_room(onnx_file_of(g), out * in, sizeof *to);
    if (from == NULL || to == NULL) return "";
    for (int64_t o = 0; o < out; o++)
        for (int64_t i = 0; i < in; i++) to[i * out + o] = from[o * in + i];
    return onnx_constant(g, "weight", 2, ONNX_DIMS(in, out), to);
}

/* Of maps a convolution with one tap, so that they stay what they are; of tokens a product. */
void onnx_translate_linear(OnnxGraph *g, const GraphNodeView *node)
{
    const LinearAttr *attr = node->attr;
    const bool map = onnx_computes_as_map(g, 1, node->in);
    const Shape weight = onnx_shape(g, node->in[1]);
    const char *in[3] = { onnx_get(g, node->in[0], map), NULL, NULL }, *y = NULL;
    if (attr->has_bias) in[2] = onnx_get(g, node->in[2], false);
    if (map) {
        const float *values = onnx_needs_values(g, node->in[1]);
        in[1] = onnx_constant(g, "weight", 4, ONNX_DIMS(weight.dim[0], weight.dim[1], 1, 1), values);
        y = onnx_add(g, "Conv", attr->has_bias ? 3 : 2, in);
        onnx_set_ints(onnx_file_of(g), "kernel_shape", 2, ONNX_DIMS(1, 1));
    } else {
        y = ONNX_OP(g, "MatMul", in[0], transposed_weight(g, node->in[1]));
        if (attr->has_bias) y = ONNX_OP(g, "Add", y, in[2]);
    }
    y = onnx_activate(g, attr->activation, y);
    if (attr->has_residual) y = ONNX_OP(g, "Add", y, onnx_get(g, node->in[node->n_in - 1], map));
    onnx_put(g, node->out, map, y);
}

/* ---- attention ---- */

/* [B, tokens, heads * size] of any rank as [B, heads, tokens, size], or for keys [B, heads, size, tokens]. */
static const char *split_heads(OnnxGraph *g, Var var, int64_t heads, bool keys)
{
    const Shape shape = onnx_shape(g, var);
    const int64_t size = count_channels(&shape) / heads;
    const char *x = onnx_get(g, var, false);
    x = ONNX_RESHAPE(g, x, shape.dim[0], count_tokens(&shape), heads, size);
    return keys ? ONNX_TRANSPOSE(g, x, 0, 2, 3, 1) : ONNX_TRANSPOSE(g, x, 0, 2, 1, 3);
}

static const char *softmax(OnnxGraph *g, const char *x)
{
    const char *y = ONNX_OP(g, "Softmax", x);
    onnx_set_int(onnx_file_of(g), "axis", -1);
    return y;
}

/* log_share [B, tokens, slots], with the slots' tokens, as a bias [B, 1, N, M]. */
static const char *slot_bias(OnnxGraph *g, const AttentionAttr *attr, Var log_share, int64_t N, int64_t M)
{
    const Shape shape = onnx_shape(g, log_share);
    const int64_t slots = count_channels(&shape), text = attr->slots == ATTENTION_KEY_SLOTS ? M : N;
    int64_t *slot = onnx_room(onnx_file_of(g), text, sizeof *slot);
    if (slot == NULL) return "";
    for (int64_t t = 0; t < text; t++) slot[t] = t / attr->slot_length < slots - 1 ? t / attr->slot_length : slots - 1;
    const char *bias = onnx_gather(g, onnx_get(g, log_share, false), 2, text, slot);
    if (attr->slots == ATTENTION_QUERY_SLOTS) bias = ONNX_TRANSPOSE(g, bias, 0, 2, 1);
    return ONNX_RESHAPE(g, bias, shape.dim[0], 1, N, M);
}

static const char *causal_mask(OnnxGraph *g, int64_t N)
{
    float *mask = onnx_room(onnx_file_of(g), N * N, sizeof *mask);
    if (mask == NULL) return "";
    for (int64_t i = 0; i < N * N; i++) mask[i] = i % N > i / N ? -1e30F : 0.0F;
    return onnx_constant(g, "causal", 2, ONNX_DIMS(N, N), mask);
}

void onnx_translate_attention(OnnxGraph *g, const GraphNodeView *node)
{
    const AttentionAttr *attr = node->attr;
    const Shape q = onnx_shape(g, node->in[0]), k = onnx_shape(g, node->in[1]), out = onnx_shape(g, node->out);
    const int64_t N = count_tokens(&q), M = count_tokens(&k), size = count_channels(&q) / attr->heads;
    const char *query =
        ONNX_OP(g, "Mul", split_heads(g, node->in[0], attr->heads, false), scalar(g, 1.0F / sqrtf((float)size)));
    const char *s = ONNX_OP(g, "MatMul", query, split_heads(g, node->in[1], attr->heads, true));
    if (attr->slots != ATTENTION_PLAIN) s = ONNX_OP(g, "Add", s, slot_bias(g, attr, node->in[3], N, M));
    if (attr->has_mask) {
        const char *mask = rows_of_node(g, node, node->n_in - 1);
        s = ONNX_OP(g, "Add", s, ONNX_RESHAPE(g, mask, q.dim[0], 1, 1, M));
    }
    if (attr->causal) s = ONNX_OP(g, "Add", s, causal_mask(g, N));
    const char *y = ONNX_OP(g, "MatMul", softmax(g, s), split_heads(g, node->in[2], attr->heads, false));
    onnx_put(g, node->out, false, onnx_reshape(g, ONNX_TRANSPOSE(g, y, 0, 2, 1, 3), &out));
}

static const char *sum_along(OnnxGraph *g, const char *x, int64_t axis)
{
    return ONNX_OP(g, "ReduceSum", x, ONNX_INTS(g, axis));
}

/* The formula of ops.h. */
void onnx_translate_linear_attention(OnnxGraph *g, const GraphNodeView *node)
{
    const LinearAttentionAttr *attr = node->attr;
    const Shape q = onnx_shape(g, node->in[0]), v = onnx_shape(g, node->in[2]), out = onnx_shape(g, node->out);
    const int64_t B = q.dim[0], N = count_tokens(&q), D = count_channels(&q);
    const char *query = ONNX_RESHAPE(g, rows_of_node(g, node, 0), B, N, D);
    const char *key = ONNX_RESHAPE(g, rows_of_node(g, node, 1), B, N, D);
    const char *value = ONNX_RESHAPE(g, rows_of_node(g, node, 2), B, N, count_channels(&v));
    const char *product = ONNX_OP(g, "MatMul", ONNX_TRANSPOSE(g, key, 0, 2, 1), value);
    /* over positions sums over them are multiplied with queries, over channels sums over those with keys */
    const int64_t summed = attr->over_channels ? 2 : 1, other = attr->over_channels ? 1 : 2;
    const char *sum = sum_along(g, attr->over_channels ? query : key, summed);
    sum = ONNX_OP(g, "Mul", attr->over_channels ? key : query, ONNX_OP(g, "Add", sum, scalar(g, attr->eps)));
    const char *denominator = ONNX_OP(g, "Add", sum_along(g, sum, other), scalar(g, (float)N));
    const char *y = ONNX_OP(g, "Add", ONNX_OP(g, "MatMul", query, product), sum_along(g, value, summed));
    onnx_put(g, node->out, false, onnx_reshape(g, ONNX_OP(g, "Div", y, denominator), &out));
}

/* Cosines and sines are what the op itself makes of (1, 0). */
void onnx_translate_rotary(OnnxGraph *g, const GraphNodeView *node)
{
    const RotaryAttr *attr = node->attr;
    const Shape shape = onnx_shape(g, node->in[0]);
    const int64_t N = count_tokens(&shape), D = count_channels(&shape), size = D / attr->heads, half = size / 2;
    OnnxFile *file = onnx_file_of(g);
    float *unit = onnx_room(file, N * D, sizeof *unit);
    float *cosine = onnx_room(file, N * size, sizeof *cosine), *sine = onnx_room(file, N * size, sizeof *sine);
    if (unit == NULL || cosine == NULL || sine == NULL) return;
    for (int64_t i = 0; i < N * D; i++) unit[i] = i % size < half ? 1.0F : 0.0F;
    const Tensor in = { DTYPE_F32, shape3(1, N, D), unit };
    Shape turned_shape;
    const float *turned = onnx_run(g, node->op, node->attr, 1, &in, &turned_shape);
    for (int64_t i = 0; i < N * size && turned != NULL; i++) {
        cosine[i] = turned[i / size * D + i % half];
        sine[i] = turned[i / size * D + half + i % half];
    }
    const char *x = ONNX_RESHAPE(g, rows_of_node(g, node, 0), shape.dim[0], N, attr->heads, size);
    const char *other =
        ONNX_OP(g, "Concat", ONNX_OP(g, "Neg", onnx_slice(g, x, 3, half, size)), onnx_slice(g, x, 3, 0, half));
    onnx_set_int(file, "axis", 3);
    x = ONNX_OP(g, "Mul", x, onnx_constant(g, "cosine", 4, ONNX_DIMS(1, N, 1, size), cosine));
    other = ONNX_OP(g, "Mul", other, onnx_constant(g, "sine", 4, ONNX_DIMS(1, N, 1, size), sine));
    onnx_put(g, node->out, false, onnx_reshape(g, ONNX_OP(g, "Add", x, other), &shape));
}

/* ---- tokens ---- */

void onnx_translate_concat_tokens(OnnxGraph *g, const GraphNodeView *node)
{
    const Shape out = onnx_shape(g, node->out);
    const int64_t B = out.dim[0], C = out.dim[2];
    const char *in[2] = { NULL, NULL };
    for (int32_t i = 0; i < 2; i++) {
        const Shape shape = onnx_shape(g, node->in[i]);
        const int64_t images = shape.rank > 2 ? shape.dim[0] : 1, n = shape_count(&shape) / images / C;
        in[i] = ONNX_RESHAPE(g, rows_of_node(g, node, i), images, n, C);
        if (images != B) in[i] = ONNX_OP(g, "Expand", in[i], ONNX_INTS(g, B, n, C));
    }
    const char *y = onnx_add(g, "Concat", 2, in);
    onnx_set_int(onnx_file_of(g), "axis", 1);
    onnx_put(g, node->out, false, y);
}

void onnx_translate_reshape(OnnxGraph *g, const GraphNodeView *node)
{
    const Shape out = onnx_shape(g, node->out);
    onnx_put(g, node->out, false, onnx_reshape(g, rows_of_node(g, node, 0), &out));
}

void onnx_translate_slice(OnnxGraph *g, const GraphNodeView *node)
{
    const SliceAttr *attr = node->attr;
    const bool map = onnx_computes_as_map(g, 1, node->in);
    const int64_t axis = onnx_axis(g, node->in[0], map, attr->axis);
    const char *x = onnx_get(g, node->in[0], map);
    onnx_put(g, node->out, map, onnx_slice(g, x, axis, attr->first, attr->first + attr->count));
}
