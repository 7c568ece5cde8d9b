/* SPDX-License-Identifier: Apache-2.0
 * Variants of the Mix Transformer. Private to src/network and its tests. */
#ifndef METASEG_NETWORK_ENCODER_MIT_H
#define METASEG_NETWORK_ENCODER_MIT_H

#include "network/encoder.h"

/* Of the four stages: blocks and channels. */
typedef struct MitVariant {
    int32_t depths[4];
    int64_t channels[4];
} MitVariant;

#endif
