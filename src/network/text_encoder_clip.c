/* SPDX-License-Identifier: Apache-2.0
 * The text encoder of CLIP: a pre-norm transformer whose tokens read those before them (Radford et al., 2021, section 2.4), with
 * QuickGELU as OpenAI trained it, or GELU as open_clip's models on LAION. The projection of the last token is left out. */
#include "network/text_encoder_def.h"

#include <stdio.h>

/* One layer: x = x + attention(LN(x)), x = x + MLP(LN(x)). x [1, T, width]. */
static Var layer(Graph *g, const TextEncoderSizes *n, Activation activation, Var x)
{
    const AttentionAttr attr = { .heads = (int32_t)n->heads, .slots = ATTENTION_PLAIN, .causal = true };
    const Var y = text_layernorm(g, "layer_norm1", x, n->eps);
    graph_push(g, "self_attn");
    const Var q = text_linear(g, "q_proj", y, n->width), k = text_linear(g, "k_proj", y, n->width);
    const Var v = text_linear(g, "v_proj", y, n->width);
    const Var a = op_attention(g, q, k, v, VAR_NONE, VAR_NONE, &attr);
    x = op_add(g, x, text_linear(g, "out_proj", a, n->width));
    graph_pop(g);
    const Var z = text_layernorm(g, "layer_norm2", x, n->eps);
    const Var h = op_activation(g, text_linear(g, "mlp.fc1", z, n->hidden), activation);
    return op_add(g, x, text_linear(g, "mlp.fc2", h, n->width));
}

static Var build(Graph *g, const TextEncoderSizes *n, Activation activation, int64_t tokens)
{
    graph_push(g, "embeddings");
    const Var words = text_embedding(g, "token_embedding", "ids", n->vocabulary, n->width, tokens);
    const Var positions = text_embedding(g, "position_embedding", "positions", n->positions, n->width, tokens);
    Var x = op_add(g, words, positions);
    graph_pop(g);
    for (int64_t i = 0; i < n->layers; i++) {
        char name[48];
        (void)snprintf(name, sizeof name, "encoder.layers.%lld", (long long)i);
        graph_push(g, name);
        x = layer(g, n, activation, x);
        graph_pop(g);
    }
    return text_layernorm(g, "final_layer_norm", x, n->eps);
}

#define CLIP(activation_)                                                                                              \
    {                                                                                                                  \
        .tokenizer = TOKENIZER_BPE, .most_tokens = 77, .eps = 1e-5F,                                                   \
        .names = { .words = "embeddings.token_embedding.weight",                                                       \
                   .positions = "embeddings.position_embedding.weight",                                                \
                   .layer = "encoder.layers.",                                                                         \
                   .hidden = ".mlp.fc1.weight" },                                                                      \
        .activation = (activation_), .build = build,                                                                   \
    }
const TextEncoderDef text_encoder_def_clip = CLIP(ACTIVATION_GELU);
const TextEncoderDef text_encoder_def_clip_quickgelu = CLIP(ACTIVATION_QUICK_GELU);
