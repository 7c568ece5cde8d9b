/* SPDX-License-Identifier: Apache-2.0
 * What tells the members of the family of plain vision transformers apart: EncoderDef.variant of encoder_vit.c. */
#ifndef METASEG_NETWORK_ENCODER_VIT_H
#define METASEG_NETWORK_ENCODER_VIT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct VitVariant {
    int64_t width; /* of a token: 64 for each head in the published ones */
    int32_t depth, heads, patch;
    int64_t registers;
    int64_t positions;   /* side of the map that the learned positions (DINOv2) are for; 0: rotary positions (DINOv3) */
    bool class_position; /* the class token has a learned position, too */
    float eps;           /* of the transformer's norms */
    int64_t pyramid;     /* channels of each map */
} VitVariant;

#endif
