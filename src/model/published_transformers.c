/* SPDX-License-Identifier: Apache-2.0
 * UPerNet behind ConvNeXt as the package transformers has it, in which mmsegmentation's networks are published
 * (openmmlab/upernet-convnext-...). The maps' norms stand in the backbone there. Scores are at stride 4: what follows there is the
 * resize without aligned corners that every map of this program gets. */
#include "model/published_encoder.h"
#include "model/published_network.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define BACKBONE "backbone."
#define NORMS "hidden_states_norms.stage"

/* A part of a name and what stands there in ours. */
typedef struct Word {
    const char *theirs, *ours;
} Word;

static const Word encoder_words[] = {
    { "embeddings.patch_embeddings.", "stem.0." },
    { "embeddings.layernorm.", "stem.1." },
    { "encoder.stages.", "stages." },
    { ".downsampling_layer.", ".downsample." },
    { ".layers.", ".blocks." },
    { ".dwconv.", ".conv_dw." },
    { ".layernorm.", ".norm." },
    { ".pwconv1.", ".mlp.fc1." },
    { ".pwconv2.", ".mlp.fc2." },
    { ".layer_scale_parameter", ".gamma" },
};

/* The pyramid counts from the coarsest map here, from the finest there. */
static const Word decoder_words[] = {
    { "decode_head.psp_modules.", "decoder.psp.blocks." },
    { "decode_head.bottleneck.", "decoder.psp.out_conv." },
    { "decode_head.lateral_convs.0.", "decoder.fpn_lateral_blocks.2.conv_norm_relu." },
    { "decode_head.lateral_convs.1.", "decoder.fpn_lateral_blocks.1.conv_norm_relu." },
    { "decode_head.lateral_convs.2.", "decoder.fpn_lateral_blocks.0.conv_norm_relu." },
    { "decode_head.fpn_convs.0.", "decoder.fpn_conv_blocks.2." },
    { "decode_head.fpn_convs.1.", "decoder.fpn_conv_blocks.1." },
    { "decode_head.fpn_convs.2.", "decoder.fpn_conv_blocks.0." },
    { "decode_head.fpn_bottleneck.", "decoder.fusion_block." },
    { "decode_head.classifier.", "decoder.segmentation_head.0." },
    { BACKBONE NORMS "1.", "decoder.feature_norms.0." },
    { BACKBONE NORMS "2.", "decoder.feature_norms.1." },
    { BACKBONE NORMS "3.", "decoder.feature_norms.2." },
    { BACKBONE NORMS "4.", "decoder.feature_norms.3." },
    { ".conv.", ".0." },
    { ".batch_norm.", ".1." },
};

/* Replaces each word where it first stands, in the order of the list; false: too long. */
static bool replace_words(const char *published, const Word *words, int64_t n, char ret_name[NETWORK_NAME_BYTES])
{
    char text[NETWORK_NAME_BYTES];
    if (strlen(published) >= NETWORK_NAME_BYTES) return false;
    memcpy(ret_name, published, strlen(published) + 1);
    for (int64_t i = 0; i < n; i++) {
        const char *at = strstr(ret_name, words[i].theirs);
        if (at == NULL) continue;
        const int length = snprintf(text, sizeof text, "%.*s%s%s", (int)(at - ret_name), ret_name, words[i].ours,
                                    at + strlen(words[i].theirs));
        if (length < 0 || length >= NETWORK_NAME_BYTES) return false;
        memcpy(ret_name, text, (size_t)length + 1);
    }
    return true;
}

/* Behind "backbone.". */
static bool rename_encoder(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    if (str_starts_with(published, NORMS)) return false;
    return replace_words(published, encoder_words, ARRAY_LEN(encoder_words), ret_name);
}

static bool rename_network(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    char name[NETWORK_NAME_BYTES];
    if (str_starts_with(published, "auxiliary_head.")) return false;
    if (str_starts_with(published, BACKBONE) && !str_starts_with(published, BACKBONE NORMS))
        return rename_encoder(published + strlen(BACKBONE), name) &&
               network_rename_start(name, "", "encoder.", ret_name);
    return replace_words(published, decoder_words, ARRAY_LEN(decoder_words), ret_name);
}

static Err configure(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    int32_t width = 0, classes = 0, bands = 0;
    TRY(published_dimension(file, prefix, "decode_head.bottleneck.conv.weight", 4, 0, &width));
    TRY(published_dimension(file, prefix, "decode_head.classifier.weight", 4, 0, &classes));
    TRY(published_dimension(file, prefix, BACKBONE "embeddings.patch_embeddings.weight", 4, 1, &bands));
    TRY(published_ends(config, classes, bands));
    config->network.decoder = NETWORK_DECODER_upernet;
    config->network.decoder_width = width;
    config->network.output_stride = 4;
    return published_encoder_fit(file, prefix, BACKBONE, rename_encoder, config);
}

const PublishedNetwork published_transformers_upernet_convnext = {
    .title = "UPerNet of transformers, ConvNeXt",
    .marks = { "decode_head.fpn_bottleneck.conv.weight", "decode_head.classifier.weight",
               BACKBONE "embeddings.patch_embeddings.weight" },
    .configure = configure,
    .rename = rename_network,
};
