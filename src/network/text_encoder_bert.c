/* SPDX-License-Identifier: Apache-2.0
 * BERT: a post-norm transformer encoder (Devlin et al., 2019), of any size: BERT-base, MiniLM (Wang et al., 2020), BGE. */
#include "network/text_encoder_def.h"

#include <stdio.h>

/* One layer: x = LN(x + attention), x = LN(x + MLP). x [1, T, width], mask [1, T] additive. */
static Var layer(Graph *g, const TextEncoderSizes *n, Activation activation, Var x, Var mask)
{
    const AttentionAttr attr = { .heads = (int32_t)n->heads, .slots = ATTENTION_PLAIN, .has_mask = true };
    const Var q = text_linear(g, "attention.self.query", x, n->width);
    const Var k = text_linear(g, "attention.self.key", x, n->width);
    const Var v = text_linear(g, "attention.self.value", x, n->width);
    const Var a = op_attention(g, q, k, v, VAR_NONE, mask, &attr);
    x = op_add(g, x, text_linear(g, "attention.output.dense", a, n->width));
    x = text_layernorm(g, "attention.output.LayerNorm", x, n->eps);
    const Var h = op_activation(g, text_linear(g, "intermediate.dense", x, n->hidden), activation);
    return text_layernorm(g, "output.LayerNorm", op_add(g, x, text_linear(g, "output.dense", h, n->width)), n->eps);
}

static Var build(Graph *g, const TextEncoderSizes *n, Activation activation, int64_t tokens)
{
    graph_push(g, "embeddings");
    const Var words = text_embedding(g, "word_embeddings", "ids", n->vocabulary, n->width, tokens);
    const Var positions = text_embedding(g, "position_embeddings", "positions", n->positions, n->width, tokens);
    const Var types = text_embedding(g, "token_type_embeddings", "types", n->types, n->width, tokens);
    Var x = text_layernorm(g, "LayerNorm", op_add(g, op_add(g, words, types), positions), n->eps);
    graph_pop(g);
    const Var mask = graph_input(g, "mask", DTYPE_F32, shape2(1, tokens));
    for (int64_t i = 0; i < n->layers; i++) {
        char name[48];
        (void)snprintf(name, sizeof name, "encoder.layer.%lld", (long long)i);
        graph_push(g, name);
        x = layer(g, n, activation, x, mask);
        graph_pop(g);
    }
    return x;
}

const TextEncoderDef text_encoder_def_bert = {
    .tokenizer = TOKENIZER_WORDPIECE,
    .most_tokens = 64,
    .eps = 1e-12F,
    .names = { .words = "embeddings.word_embeddings.weight",
               .positions = "embeddings.position_embeddings.weight",
               .types = "embeddings.token_type_embeddings.weight",
               .layer = "encoder.layer.",
               .hidden = ".intermediate.dense.weight" },
    .activation = ACTIVATION_GELU,
    .build = build,
};
