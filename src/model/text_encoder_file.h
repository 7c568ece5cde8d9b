/* SPDX-License-Identifier: Apache-2.0
 *
 * Checkpoints of text encoders as others publish them: BERT of `transformers`, alone or inside a sentence encoder; CLIP of
 * `transformers`, OpenAI and open_clip, alone or with the image encoder, which is passed over. Recognised by names and shapes; what
 * these do not tell (heads, activation) stands in the metadata of a file that `metaseg convert` wrote, in config.json or in
 * open_clip_config.json beside it.
 */
#ifndef METASEG_MODEL_TEXT_ENCODER_FILE_H
#define METASEG_MODEL_TEXT_ENCODER_FILE_H

#include "graph/params.h"
#include "network/text_encoder_def.h"
#include "tensor_file/tensor_file.h"

typedef struct TextEncoderFile {
    NetworkTextEncoder kind;
    TextEncoderSizes sizes;
    char *prefix; /* of all names in the file; owned */
    bool openai;  /* names as OpenAI and open_clip write them */
} TextEncoderFile;

/* Whether a file holds a text encoder of the list. ERR_MODEL: several; ERR_MEMORY. */
Err text_encoder_file_is(const TensorFile *file, bool *ret_is);

/* Recognises the encoder of a file. ERR_MODEL: none, sizes that do not go together, a model of another family, an activation or
 * number of heads that nothing tells, tensors of its layers that are left over; ERR_INPUT: config.json is damaged; ERR_MEMORY.
 * text_encoder_file_done(), not after a failure. */
Err text_encoder_file_read(const TensorFile *file, TextEncoderFile *ret_file);
void text_encoder_file_done(TextEncoderFile *file);

/* Allocates and fills the parameters of the encoder, declared under the names of transformers. ERR_MODEL: a tensor is missing or has
 * another shape; ERR_INPUT, ERR_MEMORY. */
Err text_encoder_file_params(const TensorFile *file, const TextEncoderFile *encoder, ParamSet *params);

/* What the metadata of a converted file says of the encoder, JSON. free() it. ERR_MEMORY. */
Err text_encoder_file_metadata(const TextEncoderFile *encoder, char **ret_json);

/* The key of that metadata. */
extern const char text_encoder_file_key[];

#endif
