/* SPDX-License-Identifier: Apache-2.0
 *
 * A text encoder: a function that adds its nodes to a graph and gives the last hidden states of all tokens (docs/model.md section 7).
 * A family has one file, text_encoder_FAMILY.c, and a line in text_encoders.def for each of its variants. Its sizes are those of a
 * checkpoint.
 */
#ifndef METASEG_NETWORK_TEXT_ENCODER_DEF_H
#define METASEG_NETWORK_TEXT_ENCODER_DEF_H

#include "network/network_config.h"
#include "ops/ops.h"
#include "text/tokenizer_file.h"

typedef struct TextEncoderSizes {
    int64_t vocabulary, width, layers, heads, hidden, positions;
    int64_t types; /* of tokens; 0: the family has none */
    float eps;     /* of the LayerNorms */
} TextEncoderSizes;

/* Names of tensors that tell the sizes, without what stands before all names. */
typedef struct TextEncoderNames {
    const char *words;     /* [vocabulary, width] */
    const char *positions; /* [positions, width] */
    const char *types;     /* [types, width]; NULL: the family has none */
    const char *layer;     /* [hidden, width], before and after the number of the layer */
    const char *hidden;
} TextEncoderNames;

typedef struct TextEncoderDef {
    TokenizerKind tokenizer;
    int64_t most_tokens; /* of one prompt, all its sentences together */
    float eps;
    TextEncoderNames names;
    Activation activation;
    /* ids [1, tokens], with the inputs "ids", "positions" and, of a family with types, "types" (i32 [1, tokens]) and "mask" (f32 [1,
     * tokens], additive) -> [1, tokens, width]. Parameters are states, named as in transformers. */
    Var (*build)(Graph *g, const TextEncoderSizes *sizes, Activation activation, int64_t tokens);
} TextEncoderDef;

#define TEXT_ENCODER(name, title) extern const TextEncoderDef text_encoder_def_##name;
#include "network/text_encoders.def"
#undef TEXT_ENCODER

const TextEncoderDef *text_encoder_def(NetworkTextEncoder kind);

/* ---- for the families: frozen modules, whose weights are states ---- */

/* Linear layer NAME.weight, NAME.bias: x [..., C] -> [..., channels]. */
Var text_linear(Graph *g, const char *name, Var x, int64_t channels);
/* LayerNorm NAME.weight, NAME.bias over the last dimension. */
Var text_layernorm(Graph *g, const char *name, Var x, float eps);
/* Rows of the table NAME [rows, width] for the new input of ids [1, tokens]. */
Var text_embedding(Graph *g, const char *name, const char *input, int64_t rows, int64_t width, int64_t tokens);

#endif
