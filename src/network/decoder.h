/* SPDX-License-Identifier: Apache-2.0
 *
 * A decoder: a function that adds its nodes to a graph and gives scores from an encoder's feature maps. A family has one file,
 * decoder_FAMILY.c, and a line in decoders.def for each of its members.
 */
#ifndef METASEG_NETWORK_DECODER_H
#define METASEG_NETWORK_DECODER_H

#include "network/encoder.h"

typedef struct DecoderOptions {
    int64_t width, classes;
    int32_t heads;
    int32_t output_stride; /* one that the decoder has */
    int64_t detail_width;  /* 0: no detail branch */
    float dropout;         /* training graphs */
    bool auxiliary;        /* also build the auxiliary head (training graphs) */
} DecoderOptions;

typedef struct DecoderResult {
    Var logits;    /* [B, H/stride, W/stride, classes] */
    Var auxiliary; /* [B, H, W, classes] or VAR_NONE */
} DecoderResult;

typedef struct DecoderDef {
    bool reads_maps;       /* needs an encoder; otherwise there is none */
    int32_t size_multiple; /* sides of images are multiples of this */
    int32_t output_stride; /* its own choice */
    const char *strides;   /* all that it has, "4, 2, 1" */
    bool reads_f2; /* at output strides below 4 it reads the encoder's map at stride 2, unless it has a detail branch */
    bool pools_image;          /* BatchNorm of one value of each image: needs two in a batch, or frozen statistics */
    bool has_width, has_heads; /* whether decoder_width and decoder_heads mean something */
    /* Adds the decoder in the current scope; image [B, H, W, bands] is what the encoder read. */
    DecoderResult (*build)(Graph *g, Var image, const FeatureMaps *maps, const DecoderOptions *options);
} DecoderDef;

#define DECODER(name, title) extern const DecoderDef decoder_def_##name;
#include "network/decoders.def"
#undef DECODER

const DecoderDef *decoder_def(NetworkDecoder decoder);

#endif
