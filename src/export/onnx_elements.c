/* SPDX-License-Identifier: Apache-2.0
 * Translators of ops over elements and channels: they compute in the form in which their inputs are. */
#include "export/onnx_translate.h"

#include <math.h>

static const char *scalar(OnnxGraph *g, float value) { return onnx_float(onnx_file_of(g), value); }

/* x/2 (1 + erf(x / sqrt 2)), in the steps that ONNX Runtime knows as one. */
static const char *gelu(OnnxGraph *g, const char *x)
{
    const char *erf = ONNX_OP(g, "Erf", ONNX_OP(g, "Div", x, scalar(g, 1.41421356F)));
    return ONNX_OP(g, "Mul", ONNX_OP(g, "Mul", x, ONNX_OP(g, "Add", erf, scalar(g, 1.0F))), scalar(g, 0.5F));
}

const char *onnx_activate(OnnxGraph *g, Activation activation, const char *x)
{
    switch (activation) {
    case ACTIVATION_NONE:
        return x;
    case ACTIVATION_RELU:
        return ONNX_OP(g, "Relu", x);
    case ACTIVATION_RELU6:
        return ONNX_OP(g, "Clip", x, scalar(g, 0.0F), scalar(g, 6.0F));
    case ACTIVATION_SIGMOID:
        return ONNX_OP(g, "Sigmoid", x);
    case ACTIVATION_GELU:
        return gelu(g, x);
    case ACTIVATION_MISH:
        return ONNX_OP(g, "Mul", x, ONNX_OP(g, "Tanh", ONNX_OP(g, "Softplus", x)));
    case ACTIVATION_QUICK_GELU:
        return ONNX_OP(g, "Mul", x, ONNX_OP(g, "Sigmoid", ONNX_OP(g, "Mul", x, scalar(g, 1.702F))));
    }
    onnx_fail(onnx_file_of(g), ERR_UNSUPPORTED, "the activation %d has no translation to ONNX", (int)activation);
    return "";
}

static void activate(OnnxGraph *g, const GraphNodeView *node, Activation activation)
{
    const bool map = onnx_computes_as_map(g, 1, node->in);
    onnx_put(g, node->out, map, onnx_activate(g, activation, onnx_get(g, node->in[0], map)));
}

void onnx_translate_activation(OnnxGraph *g, const GraphNodeView *node)
{
    activate(g, node, *(const Activation *)node->attr);
}

void onnx_translate_gelu(OnnxGraph *g, const GraphNodeView *node) { activate(g, node, ACTIVATION_GELU); }
void onnx_translate_mish(OnnxGraph *g, const GraphNodeView *node) { activate(g, node, ACTIVATION_MISH); }
void onnx_translate_quick_gelu(OnnxGraph *g, const GraphNodeView *node) { activate(g, node, ACTIVATION_QUICK_GELU); }
void onnx_translate_dropout(OnnxGraph *g, const GraphNodeView *node) { activate(g, node, ACTIVATION_NONE); }

void onnx_translate_add(OnnxGraph *g, const GraphNodeView *node)
{
    const Shape a = onnx_shape(g, node->in[0]), b = onnx_shape(g, node->in[1]);
    bool map = a.rank == b.rank && onnx_computes_as_map(g, 2, node->in);
    const char *added = NULL;
    if (b.rank == 1) {
        map = onnx_values(g, node->in[1]) != NULL && onnx_computes_as_map(g, 1, node->in);
        added = onnx_per_channel(g, node->in[1], map);
    } else {
        added = onnx_get(g, node->in[1], map);
    }
    onnx_put(g, node->out, map, ONNX_OP(g, "Add", onnx_get(g, node->in[0], map), added));
}

void onnx_translate_multiply(OnnxGraph *g, const GraphNodeView *node)
{
    const bool map = onnx_computes_as_map(g, 2, node->in);
    onnx_put(g, node->out, map, ONNX_OP(g, "Mul", onnx_get(g, node->in[0], map), onnx_get(g, node->in[1], map)));
}

/* As one product and one sum per channel. */
void onnx_translate_batchnorm(OnnxGraph *g, const GraphNodeView *node)
{
    const BatchnormAttr *attr = node->attr;
    const bool map = onnx_computes_as_map(g, 1, node->in);
    const Shape shape = onnx_shape(g, node->in[1]);
    const int64_t n = shape.dim[0], dims[3] = { n, 1, 1 };
    const float *weight = onnx_needs_values(g, node->in[1]), *bias = onnx_needs_values(g, node->in[2]);
    const float *mean = onnx_needs_values(g, node->in[3]), *var = onnx_needs_values(g, node->in[4]);
    float *factor = onnx_room(onnx_file_of(g), n, sizeof *factor);
    float *summand = onnx_room(onnx_file_of(g), n, sizeof *summand);
    if (factor == NULL || summand == NULL) return;
    for (int64_t i = 0; i < n; i++) {
        const double f = (double)weight[i] / sqrt((double)var[i] + (double)attr->eps);
        factor[i] = (float)f;
        summand[i] = (float)((double)bias[i] - (double)mean[i] * f);
    }
    const char *y =
        ONNX_OP(g, "Mul", onnx_get(g, node->in[0], map), onnx_constant(g, "factor", map ? 3 : 1, dims, factor));
    y = ONNX_OP(g, "Add", y, onnx_constant(g, "summand", map ? 3 : 1, dims, summand));
    onnx_put(g, node->out, map, onnx_activate(g, attr->activation, y));
}

void onnx_translate_channel_scale(OnnxGraph *g, const GraphNodeView *node)
{
    const bool map = onnx_computes_as_map(g, 1, node->in);
    const Shape x = onnx_shape(g, node->in[0]), s = onnx_shape(g, node->in[1]);
    const int64_t B = x.dim[0], C = x.dim[x.rank - 1];
    const char *factor = NULL;
    if (map && s.rank == 4) {
        factor = onnx_get(g, node->in[1], true);
    } else {
        Shape shape = { .rank = map ? 4 : x.rank };
        for (int32_t i = 0; i < shape.rank; i++) shape.dim[i] = 1;
        shape.dim[0] = B;
        shape.dim[map ? 1 : x.rank - 1] = C;
        factor = onnx_reshape(g, onnx_get(g, node->in[1], false), &shape);
    }
    onnx_put(g, node->out, map, ONNX_OP(g, "Mul", onnx_get(g, node->in[0], map), factor));
}

void onnx_translate_concat_channels(OnnxGraph *g, const GraphNodeView *node)
{
    const char *in[STEP_MAX_IN];
    const bool map = onnx_computes_as_map(g, node->n_in, node->in);
    for (int32_t i = 0; i < node->n_in; i++) in[i] = onnx_get(g, node->in[i], map);
    const char *y = onnx_add(g, "Concat", node->n_in, in);
    onnx_set_int(onnx_file_of(g), "axis", map ? 1 : -1);
    onnx_put(g, node->out, map, y);
}

/* A reduction that keeps its axes; those are an attribute of it in opset 17, but for ReduceSum. */
void onnx_translate_grn(OnnxGraph *g, const GraphNodeView *node)
{
    const GrnAttr *attr = node->attr;
    const bool map = onnx_computes_as_map(g, 1, node->in);
    const Shape shape = onnx_shape(g, node->in[0]);
    const char *x = onnx_get(g, node->in[0], map);
    int64_t axes[SHAPE_MAX_RANK], channel = map ? 1 : shape.rank - 1;
    for (int32_t i = 0; i < shape.rank - 2; i++) axes[i] = i + (map ? 2 : 1);
    const char *norm = onnx_reduce(g, "ReduceL2", x, shape.rank - 2, axes);
    const char *mean = onnx_reduce(g, "ReduceMean", norm, 1, &channel);
    norm = ONNX_OP(g, "Div", norm, ONNX_OP(g, "Add", mean, scalar(g, attr->eps)));
    const char *y = ONNX_OP(g, "Mul", ONNX_OP(g, "Mul", x, norm), onnx_per_channel(g, node->in[1], map));
    y = ONNX_OP(g, "Add", y, onnx_per_channel(g, node->in[2], map));
    onnx_put(g, node->out, map, ONNX_OP(g, "Add", x, y));
}

void onnx_translate_l2_normalise(OnnxGraph *g, const GraphNodeView *node)
{
    const L2NormaliseAttr *attr = node->attr;
    const bool map = onnx_computes_as_map(g, 1, node->in);
    const int64_t axis = map ? 1 : -1;
    const char *x = onnx_get(g, node->in[0], map);
    const char *sum = onnx_reduce(g, "ReduceSumSquare", x, 1, &axis);
    sum = ONNX_OP(g, "Sqrt", ONNX_OP(g, "Max", sum, scalar(g, attr->eps)));
    onnx_put(g, node->out, map, ONNX_OP(g, "Div", x, sum));
}

void onnx_translate_layer_scale(OnnxGraph *g, const GraphNodeView *node)
{
    const Var in[2] = { node->in[0], node->n_in > 2 ? node->in[2] : node->in[0] };
    const bool map = onnx_computes_as_map(g, node->n_in > 2 ? 2 : 1, in);
    const char *y = ONNX_OP(g, "Mul", onnx_get(g, in[0], map), onnx_per_channel(g, node->in[1], map));
    if (node->n_in > 2) y = ONNX_OP(g, "Add", y, onnx_get(g, in[1], map));
    onnx_put(g, node->out, map, y);
}

/* ONNX normalises what is last. */
void onnx_translate_layernorm(OnnxGraph *g, const GraphNodeView *node)
{
    const LayernormAttr *attr = node->attr;
    const char *y = ONNX_OP(g, "LayerNormalization", onnx_get(g, node->in[0], false), onnx_get(g, node->in[1], false),
                            onnx_get(g, node->in[2], false));
    onnx_set_int(onnx_file_of(g), "axis", -1);
    onnx_set_float(onnx_file_of(g), "epsilon", attr->eps);
    onnx_put(g, node->out, false, y);
}

void onnx_translate_weighted_sum(OnnxGraph *g, const GraphNodeView *node)
{
    const WeightedSumAttr *attr = node->attr;
    const bool map = onnx_computes_as_map(g, 2, node->in);
    const float *weights = onnx_needs_values(g, node->in[2]);
    if (weights == NULL) return;
    const float a = fmaxf(weights[0], 0.0F), b = fmaxf(weights[1], 0.0F), sum = a + b + attr->eps;
    const char *first = ONNX_OP(g, "Mul", onnx_get(g, node->in[0], map), scalar(g, a / sum));
    const char *second = ONNX_OP(g, "Mul", onnx_get(g, node->in[1], map), scalar(g, b / sum));
    onnx_put(g, node->out, map, ONNX_OP(g, "Add", first, second));
}
