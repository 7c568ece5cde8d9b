/* SPDX-License-Identifier: Apache-2.0
 * U-Nets of segmentation_models_pytorch (Iakubovskii, github.com/qubvel-org/segmentation_models.pytorch) with the encoders that there
 * are; TorchGeo's task and FLAIR-1's baseline wrap the same under other prefixes. The image is normalised as ImageNet's. */
#include "model/published_network.h"

#include "base/str.h"

/* The decoder's width, classes and bands; the encoder is the caller's. */
static Err configure_unet(const TensorFile *file, const char *prefix, const char *stem, ModelConfig *config)
{
    int32_t width = 0, classes = 0, bands = 0;
    TRY(published_dimension(file, prefix, "decoder.blocks.0.conv1.0.weight", 4, 0, &width));
    TRY(published_dimension(file, prefix, "segmentation_head.0.weight", 4, 0, &classes));
    TRY(published_dimension(file, prefix, stem, 4, 1, &bands));
    config->network.decoder = NETWORK_DECODER_unet;
    config->network.decoder_width = width;
    config->network.output_stride = 1;
    return published_ends(config, classes, bands);
}

/* 18, 34 and 50 differ in the blocks of the third stage and in what a block is. */
static Err configure_resnet(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    bool bottleneck = false, deep = false;
    TRY(published_has(file, prefix, "encoder.layer1.0.conv3.weight", &bottleneck));
    TRY(published_has(file, prefix, "encoder.layer3.2.conv1.weight", &deep));
    config->network.encoder = bottleneck ? NETWORK_ENCODER_resnet50
                              : deep     ? NETWORK_ENCODER_resnet34
                                         : NETWORK_ENCODER_resnet18;
    return configure_unet(file, prefix, "encoder.conv1.weight", config);
}

static Err configure_lite(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    config->network.encoder = NETWORK_ENCODER_efficientnet_lite0;
    return configure_unet(file, prefix, "encoder.conv_stem.weight", config);
}

static bool rename_decoder(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    if (str_starts_with(published, "decoder.")) return published_replace(published, "", "", ret_name);
    return published_replace(published, "segmentation_head.", "decoder.segmentation_head.", ret_name);
}

static bool rename_resnet(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    return rename_decoder(published, ret_name) || published_replace(published, "encoder.", "encoder.", ret_name);
}

static bool rename_lite(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    char ours[NETWORK_NAME_BYTES];
    if (rename_decoder(published, ret_name)) return true;
    if (!str_starts_with(published, "encoder.")) return false;
    const NetworkRename rename = encoder_def(NETWORK_ENCODER_efficientnet_lite0)->rename;
    return rename(published + sizeof "encoder." - 1, ours) && published_replace(ours, "", "encoder.", ret_name);
}

const PublishedNetwork published_smp_unet_resnet = {
    .title = "U-Net of segmentation_models_pytorch, ResNet",
    .marks = { "decoder.blocks.4.conv2.0.weight", "encoder.layer1.0.conv1.weight", "segmentation_head.0.weight" },
    .configure = configure_resnet,
    .rename = rename_resnet,
};

const PublishedNetwork published_smp_unet_efficientnet_lite0 = {
    .title = "U-Net of segmentation_models_pytorch, EfficientNet-Lite0",
    .marks = { "decoder.blocks.4.conv2.0.weight", "encoder.blocks.0.0.conv_dw.weight", "segmentation_head.0.weight" },
    .configure = configure_lite,
    .rename = rename_lite,
};
