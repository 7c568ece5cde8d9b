/* SPDX-License-Identifier: Apache-2.0
 * What stands beside the weights of a text encoder about it: config.json of transformers, open_clip_config.json of open_clip. */
#ifndef METASEG_MODEL_TEXT_ENCODER_CONFIG_H
#define METASEG_MODEL_TEXT_ENCODER_CONFIG_H

#include "network/text_encoder_def.h"

/* 0: not told. */
typedef struct TextEncoderConfig {
    int64_t heads, layers, width;
    double eps;
    Activation activation;
} TextEncoderConfig;

/* Reads the file that lies in the folder of `weights`; where there is none, all stays 0. clip: of the CLIP family, else BERT's. ERR_INPUT:
 * damaged; ERR_MODEL: it tells of another family, or of what is not built; ERR_MEMORY. */
Err text_encoder_config_read(const char *weights, bool clip, TextEncoderConfig *ret_config);

#endif
