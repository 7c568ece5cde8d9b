/* SPDX-License-Identifier: Apache-2.0
 * Networks of GeoSeg (Wang et al., github.com/WangLibo1995/GeoSeg) as its training saves them: backbone and decoder under "net.".
 * The image is normalised as ImageNet's. */
#include "model/published_network.h"

#include "base/str.h"

/* What all of them have: the decoder's width from its first convolution, classes from the head. */
static Err configure(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    int32_t width = 0, heads = 0, classes = 0, bands = 0;
    TRY(published_dimension(file, prefix, "decoder.pre_conv.0.weight", 4, 0, &width));
    TRY(published_dimension(file, prefix, "decoder.b4.attn.relative_position_bias_table", 2, 1, &heads));
    TRY(published_dimension(file, prefix, "decoder.segmentation_head.2.0.weight", 4, 0, &classes));
    TRY(published_dimension(file, prefix, "backbone.conv1.weight", 4, 1, &bands));
    config->network.encoder = NETWORK_ENCODER_resnet18;
    config->network.decoder = NETWORK_DECODER_unetformer;
    config->network.decoder_width = width;
    config->network.decoder_heads = heads;
    config->network.output_stride = 4;
    return published_ends(config, classes, bands);
}

static bool rename_unetformer(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    if (str_starts_with(published, "decoder.aux_head.")) return false; /* for training */
    if (str_starts_with(published, "decoder.")) return published_replace(published, "", "", ret_name);
    return published_replace(published, "backbone.", "encoder.", ret_name);
}

const PublishedNetwork published_geoseg_unetformer = {
    .title = "UNetFormer of GeoSeg, ResNet-18",
    .marks = { "decoder.b4.attn.relative_position_bias_table", "backbone.layer1.0.conv1.weight" },
    .configure = configure,
    .rename = rename_unetformer,
};
