/* SPDX-License-Identifier: Apache-2.0
 * Variants of ConvNeXt and ConvNeXt V2. Private to src/network and its tests. */
#ifndef METASEG_NETWORK_ENCODER_CONVNEXT_H
#define METASEG_NETWORK_ENCODER_CONVNEXT_H

#include "network/encoder.h"

/* Of the four stages; grn: V2, whose blocks have global response normalisation instead of LayerScale. */
typedef struct ConvnextVariant {
    int32_t depths[4];
    int64_t channels[4];
    bool grn;
} ConvnextVariant;

#endif
