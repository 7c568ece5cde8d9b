/* SPDX-License-Identifier: Apache-2.0
 *
 * A frozen text encoder (network/text_encoders.def): token ids to the last hidden states of all tokens (docs/model.md section 7).
 * Needed when a prompt is encoded anew; usual predictions read features that the model file carries.
 *
 *     TextEncoder *encoder = NULL;
 *     Tokenizer *tokenizer = NULL;
 *     TRY(text_encoder_open("minilm", device, &encoder, &tokenizer));
 *     ...
 *     Err err = text_encode(encoder, ids, n, features);   // features [n, width]
 *     text_encoder_free(encoder);
 *     tokenizer_free(tokenizer);
 */
#ifndef METASEG_MODEL_TEXT_ENCODER_H
#define METASEG_MODEL_TEXT_ENCODER_H

#include "graph/params.h"
#include "model/model_config.h"
#include "model/text_encoder_file.h"
#include "tensor/device.h"
#include "text/tokenizer.h"

#include <stdint.h>

typedef struct TextEncoder TextEncoder;

/* Loads the weights (safetensors or PyTorch; model/text_encoder_file.h). ERR_INPUT: missing; ERR_MODEL: other names, shapes or values;
 * ERR_MEMORY. */
Err text_encoder_new(const char *weights, Device device, TextEncoder **ret_encoder);
/* The same from an open file, which stays the caller's. */
Err text_encoder_new_file(const TensorFile *file, Device device, TextEncoder **ret_encoder);
void text_encoder_free(TextEncoder *encoder);

/* Paths of the two files of a text encoder's folder: model.safetensors, and vocab.txt or another of text/tokenizer_file.h; they need not be
 * there. free() them. ERR_MEMORY. */
Err text_encoder_paths(const char *folder, char **ret_weights, char **ret_vocabulary);

/* Opens both. ERR_INPUT: one is missing or cannot be read; ERR_MODEL: as above, or they do not belong together; ERR_MEMORY. */
Err text_encoder_open(const char *folder, Device device, TextEncoder **ret_encoder, Tokenizer **ret_tokenizer);

/* Features of n token ids, start and end included, 1 <= n <= text_encoder_most_tokens(): ret_features [n, width]. Not thread-safe for one
 * encoder. ERR_ARGUMENT: n or an id out of range; ERR_MEMORY. */
Err text_encode(TextEncoder *encoder, const int32_t *ids, int64_t n, float *ret_features);

/* Tokens of one prompt that can be read, all its sentences together; at most PROMPT_TOKENS_MAX. */
int64_t text_encoder_most_tokens(const TextEncoder *encoder);

/* Which encoder it is, for a model file. The hash is that of the weights in half precision, so that a file in either has the same. */
ModelTextEncoder text_encoder_identity(const TextEncoder *encoder);

/* Whether the encoder, of that folder, is the one that a model was trained with; of an older file that does not tell, whether it is as wide.
 * ERR_MODEL. */
Err text_encoder_check(const TextEncoder *encoder, const char *folder, const ModelConfig *config);

/* What was recognised, and the weights under the names of transformers; borrowed. */
const TextEncoderFile *text_encoder_file(const TextEncoder *encoder);
const ParamSet *text_encoder_params(const TextEncoder *encoder);

#endif
