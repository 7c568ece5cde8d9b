/* SPDX-License-Identifier: Apache-2.0
 * The list of text encoders, and their frozen modules. */
#include "network/text_encoder_def.h"

const TextEncoderDef *text_encoder_def(NetworkTextEncoder kind)
{
    static const TextEncoderDef *const all[NETWORK_TEXT_ENCODER_COUNT] = {
#define TEXT_ENCODER(name, title) &text_encoder_def_##name,
#include "network/text_encoders.def"
#undef TEXT_ENCODER
    };
    return all[kind];
}

static const ParamInit no_init = { INIT_ZERO, 0.0 };

static int64_t channels_of(Graph *g, Var x)
{
    const Shape shape = graph_value(g, x).shape;
    return shape.rank > 0 ? shape.dim[shape.rank - 1] : 0;
}

Var text_linear(Graph *g, const char *name, Var x, int64_t channels)
{
    graph_push(g, name);
    const Var weight = graph_state(g, "weight", shape2(channels, channels_of(g, x)), no_init);
    const Var bias = graph_state(g, "bias", shape1(channels), no_init);
    graph_pop(g);
    return op_linear(g, x, weight, bias);
}

Var text_layernorm(Graph *g, const char *name, Var x, float eps)
{
    const Shape shape = shape1(channels_of(g, x));
    graph_push(g, name);
    const Var weight = graph_state(g, "weight", shape, no_init);
    const Var bias = graph_state(g, "bias", shape, no_init);
    graph_pop(g);
    return op_layernorm(g, x, weight, bias, eps);
}

Var text_embedding(Graph *g, const char *name, const char *input, int64_t rows, int64_t width, int64_t tokens)
{
    const Var ids = graph_input(g, input, DTYPE_I32, shape2(1, tokens));
    graph_push(g, name);
    const Var table = graph_state(g, "weight", shape2(rows, width), no_init);
    graph_pop(g);
    return op_embedding(g, ids, table);
}
