/* SPDX-License-Identifier: Apache-2.0
 *
 * What tells ResNets apart; the variant of their EncoderDef.
 */
#ifndef METASEG_NETWORK_ENCODER_RESNET_H
#define METASEG_NETWORK_ENCODER_RESNET_H

#include "network/encoder.h"

typedef struct ResnetVariant {
    int32_t blocks[4]; /* of the stages at strides 4, 8, 16, 32 */
    bool bottleneck;   /* 1x1, 3x3, 1x1 to four times the width; otherwise 3x3, 3x3 */
} ResnetVariant;

#endif
