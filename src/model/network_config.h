/* SPDX-License-Identifier: Apache-2.0
 *
 * What a network is made of, apart from the bands and classes at its ends (model_config.h). The one list of each
 * choice: files, configurations and messages take their words from here.
 */
#ifndef METASEG_MODEL_NETWORK_CONFIG_H
#define METASEG_MODEL_NETWORK_CONFIG_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum NetworkEncoder {
    NETWORK_EFFICIENTNET_LITE0 = 0,
    NETWORK_ENCODER_NONE,  /* the detail branch alone: no fusion, output stride 2 */
    NETWORK_DYNAMIC_WORLD, /* a whole network, for prediction alone: no fusion, no decoder, output stride 1 */
    NETWORK_ENCODER_COUNT
} NetworkEncoder;

/* caf: crossmodal attention fusion at strides 16 and 32; none: the text-free network. */
typedef enum NetworkFusion { NETWORK_FUSION_CAF = 0, NETWORK_FUSION_NONE, NETWORK_FUSION_COUNT } NetworkFusion;

typedef struct NetworkConfig {
    NetworkEncoder encoder;
    NetworkFusion fusion;
    int32_t decoder_width, decoder_heads;
    int32_t output_stride; /* of the scores: 4, 2 or 1 pixels along a side */
    int32_t detail_width;  /* of the branch at full resolution, of output stride 2; 0: none */
    bool missing_bands;    /* it also reads which bands are there, so that some may be missing */
} NetworkConfig;

/* By value of the enum: "efficientnet_lite0", "none", "dynamic_world"; "caf", "none". */
extern const char *const network_encoder_names[NETWORK_ENCODER_COUNT];
extern const char *const network_fusion_names[NETWORK_FUSION_COUNT];

/* EfficientNet-Lite0, caf, a decoder 64 wide with 8 heads, scores at stride 4. */
NetworkConfig network_config_defaults(void);

/* Sizes that fit each other: heads 1 to 64, width 16 to 1024 in steps of 16 and of the heads; output stride 4, 2, 1;
 * detail width 0, or 16 to 256 in steps of 16 at output stride 2;
 * without an encoder no fusion and a detail branch. ERR_MODEL. */
Err network_config_check(const NetworkConfig *config);

#endif
