/* SPDX-License-Identifier: Apache-2.0
 *
 * The frozen text encoder all-MiniLM-L6-v2 (a BERT with 6 layers, 384 wide, 12 heads): token ids to the last hidden
 * states of all tokens (docs/model.md section 7). Needed when a prompt is encoded anew; usual predictions read features
 * that the model file carries.
 *
 *     TextEncoder *encoder = NULL;
 *     TRY(text_encoder_new("minilm/model.safetensors", device, &encoder));
 *     Err err = text_encode(encoder, ids, n, features);   // features [n, 384]
 *     text_encoder_free(encoder);
 */
#ifndef METASEG_MODEL_TEXT_ENCODER_H
#define METASEG_MODEL_TEXT_ENCODER_H

#include "graph/params.h"
#include "tensor/device.h"

#include <stdint.h>

enum { TEXT_ENCODER_WIDTH = 384, TEXT_ENCODER_MAX_TOKENS = 64 };

typedef struct TextEncoder TextEncoder;

/* Loads the weights (safetensors or PyTorch; names as published, with or without a prefix "bert."). ERR_INPUT: missing;
 * ERR_MODEL: other names, shapes or values; ERR_MEMORY. */
Err text_encoder_new(const char *weights, Device device, TextEncoder **ret_encoder);
void text_encoder_free(TextEncoder *encoder);

/* Features of n token ids ([CLS] ... [SEP]), 1 <= n <= 64: ret_features [n, 384]. Not thread-safe for one encoder.
 * ERR_ARGUMENT: n or an id out of range; ERR_MEMORY. */
Err text_encode(TextEncoder *encoder, const int32_t *ids, int64_t n, float *ret_features);

/* The weights, borrowed; names without the prefix. */
const ParamSet *text_encoder_params(const TextEncoder *encoder);

#endif
