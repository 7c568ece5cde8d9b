/* SPDX-License-Identifier: Apache-2.0
 * The members of the Swin Transformer family. */
#ifndef METASEG_NETWORK_ENCODER_SWIN_H
#define METASEG_NETWORK_ENCODER_SWIN_H

#include "network/encoder.h"

enum { SWIN_STAGES = 4 };

/* Whose implementation (encoder_swin.c says what differs). */
typedef enum SwinKind { SWIN_TIMM = 0, SWIN_TORCHVISION, SWIN_V2, SWIN_SEGMENTATION } SwinKind;

/* EncoderDef.variant of the family. */
typedef struct SwinVariant {
    int64_t channels; /* of the first stage */
    int32_t depths[SWIN_STAGES], heads[SWIN_STAGES], window;
    SwinKind kind;
} SwinVariant;

#endif
