/* SPDX-License-Identifier: Apache-2.0
 *
 * What a network is made of: the one list of each choice and the sizes of its ends. Files, configurations and messages take
 * their words from here.
 */
#ifndef METASEG_NETWORK_NETWORK_CONFIG_H
#define METASEG_NETWORK_NETWORK_CONFIG_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* NETWORK_ENCODER_efficientnet_lite0, ...: the lines of encoders.def. */
typedef enum NetworkEncoder {
#define ENCODER(name, title) NETWORK_ENCODER_##name,
#include "network/encoders.def"
#undef ENCODER
    NETWORK_ENCODER_COUNT
} NetworkEncoder;

/* NETWORK_DECODER_none, ...: the lines of decoders.def. */
typedef enum NetworkDecoder {
#define DECODER(name, title) NETWORK_DECODER_##name,
#include "network/decoders.def"
#undef DECODER
    NETWORK_DECODER_COUNT
} NetworkDecoder;

/* NETWORK_TEXT_ENCODER_bert, ...: the lines of text_encoders.def. */
typedef enum NetworkTextEncoder {
#define TEXT_ENCODER(name, title) NETWORK_TEXT_ENCODER_##name,
#include "network/text_encoders.def"
#undef TEXT_ENCODER
    NETWORK_TEXT_ENCODER_COUNT
} NetworkTextEncoder;

/* caf: crossmodal attention fusion at strides 16 and 32; none: the text-free network. */
typedef enum NetworkFusion { NETWORK_FUSION_CAF = 0, NETWORK_FUSION_NONE, NETWORK_FUSION_COUNT } NetworkFusion;

typedef struct NetworkConfig {
    NetworkEncoder encoder;
    NetworkFusion fusion;
    NetworkDecoder decoder;
    int32_t decoder_width, decoder_heads;
    int32_t output_stride; /* of the scores: 4, 2 or 1 pixels along a side */
    int32_t detail_width;  /* of the branch at full resolution, of output stride 2; 0: none */
    bool missing_bands;    /* it also reads which bands are there, so that some may be missing */
    int32_t n_bands, n_classes;
    /* what fusion reads: tokens of one prompt, features of a token, prompts that an image can read at once, and tokens of the
     * learned null prompt; and its own width and heads */
    int32_t prompt_tokens, text_width, zone_slots, null_tokens, fusion_width, fusion_heads;
} NetworkConfig;

/* By value of the enums: names as in files and configurations, titles for people. */
extern const char *const network_encoder_names[NETWORK_ENCODER_COUNT];
extern const char *const network_encoder_titles[NETWORK_ENCODER_COUNT];
extern const char *const network_decoder_names[NETWORK_DECODER_COUNT];
extern const char *const network_decoder_titles[NETWORK_DECODER_COUNT];
extern const char *const network_text_encoder_names[NETWORK_TEXT_ENCODER_COUNT];
extern const char *const network_text_encoder_titles[NETWORK_TEXT_ENCODER_COUNT];
extern const char *const network_fusion_names[NETWORK_FUSION_COUNT]; /* "caf", "none" */

/* EfficientNet-Lite0, caf, a UNetFormer decoder 64 wide with 8 heads, scores at stride 4; no bands, no classes; 4 prompts of 64
 * tokens of 384 features, 4 null tokens, a fusion 256 wide with 8 heads. */
NetworkConfig network_config_defaults(void);

/* Fills in what was left to the encoder and the decoder: a decoder none becomes the encoder's own, an output stride 0 the
 * decoder's. */
void network_config_resolve(NetworkConfig *config);

/* Sizes that fit each other, apart from bands and classes: a decoder that goes with the encoder; heads 1 to 64, width 16 to 1024
 * in steps of 16 and of the heads; an output stride that the decoder has with that encoder; detail width 0, or 16 to 256 in steps of 16 at output
 * stride 2; fusion with an encoder alone. ERR_MODEL. */
Err network_config_check(const NetworkConfig *config);

/* Sides of images that the network reads are multiples of this. */
int64_t network_side_multiple(const NetworkConfig *config);

#endif
