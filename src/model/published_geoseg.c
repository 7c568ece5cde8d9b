/* SPDX-License-Identifier: Apache-2.0
 * Networks of GeoSeg (Wang et al., github.com/WangLibo1995/GeoSeg) as its training saves them: backbone and decoder under "net.".
 * The image is normalised as ImageNet's. */
#include "model/published_network.h"

#include "base/str.h"

/* What both UNetFormers have: the decoder's width from its first convolution, classes from the head. */
static Err configure_unetformer(const TensorFile *file, const char *prefix, const char *stem, ModelConfig *config)
{
    int32_t width = 0, heads = 0, classes = 0, bands = 0;
    TRY(published_dimension(file, prefix, "decoder.pre_conv.0.weight", 4, 0, &width));
    TRY(published_dimension(file, prefix, "decoder.b4.attn.relative_position_bias_table", 2, 1, &heads));
    TRY(published_dimension(file, prefix, "decoder.segmentation_head.2.0.weight", 4, 0, &classes));
    TRY(published_dimension(file, prefix, stem, 4, 1, &bands));
    config->network.decoder_width = width;
    config->network.decoder_heads = heads;
    config->network.output_stride = 4;
    return published_ends(config, classes, bands);
}

static Err configure_resnet(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    config->network.encoder = NETWORK_ENCODER_resnet18;
    config->network.decoder = NETWORK_DECODER_unetformer;
    return configure_unetformer(file, prefix, "backbone.conv1.weight", config);
}

static const char patches[] = "backbone.patch_embed.proj.weight";

/* The Swin Transformer by the width of its first stage and the length of its third. */
static Err find_swin(const TensorFile *file, const char *prefix, NetworkEncoder *ret_encoder)
{
    enum { NARROW = 96, WIDE = 128 };
    int32_t channels = 0;
    bool deep = false;
    TRY(published_dimension(file, prefix, patches, 4, 0, &channels));
    TRY(published_has(file, prefix, "backbone.layers.2.blocks.17.norm1.weight", &deep));
    if (channels != NARROW && !(channels == WIDE && deep))
        return err_set(ERR_MODEL, "'%s': a Swin Transformer of %d channels%s; T and S have %d, B has %d and is deep",
                       tensor_file_path(file), (int)channels, deep ? "" : " that is not deep", (int)NARROW, (int)WIDE);
    *ret_encoder = channels == WIDE ? NETWORK_ENCODER_swin_b_seg
                   : deep           ? NETWORK_ENCODER_swin_s_seg
                                    : NETWORK_ENCODER_swin_t_seg;
    return ERR_NONE;
}

static Err configure_ft(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    config->network.decoder = NETWORK_DECODER_ft_unetformer;
    TRY(find_swin(file, prefix, &config->network.encoder));
    return configure_unetformer(file, prefix, patches, config);
}

static Err configure_dcswin(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    int32_t classes = 0, bands = 0;
    config->network.decoder = NETWORK_DECODER_dcswin;
    config->network.output_stride = 1;
    TRY(find_swin(file, prefix, &config->network.encoder));
    TRY(published_dimension(file, prefix, "decoder.segmentation_head.1.0.weight", 4, 0, &classes));
    TRY(published_dimension(file, prefix, patches, 4, 1, &bands));
    return published_ends(config, classes, bands);
}

static bool rename_parts(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    if (str_starts_with(published, "decoder.aux_head.")) return false; /* for training */
    if (str_starts_with(published, "decoder.")) return network_rename_start(published, "", "", ret_name);
    return network_rename_start(published, "backbone.", "encoder.", ret_name);
}

const PublishedNetwork published_geoseg_unetformer = {
    .title = "UNetFormer of GeoSeg, ResNet-18",
    .marks = { "decoder.b4.attn.relative_position_bias_table", "backbone.layer1.0.conv1.weight" },
    .configure = configure_resnet,
    .rename = rename_parts,
};

const PublishedNetwork published_geoseg_ft_unetformer = {
    .title = "FT-UNetFormer of GeoSeg, Swin Transformer",
    .marks = { "decoder.b4.attn.relative_position_bias_table", "backbone.patch_embed.norm.weight" },
    .configure = configure_ft,
    .rename = rename_parts,
};

const PublishedNetwork published_geoseg_dcswin = {
    .title = "DC-Swin of GeoSeg",
    .marks = { "decoder.dcfam.pa.gamma", "backbone.patch_embed.norm.weight" },
    .configure = configure_dcswin,
    .rename = rename_parts,
};
