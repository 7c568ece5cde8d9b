/* SPDX-License-Identifier: Apache-2.0
 * U-Nets of segmentation_models_pytorch (Iakubovskii, github.com/qubvel-org/segmentation_models.pytorch) with the encoders that there
 * are, timm's through its "tu-" names too; TorchGeo's task and FLAIR-1's baseline wrap the same under other prefixes. The image is
 * normalised as ImageNet's where nothing else is known. */
#include "model/published_network.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static const char flair_prefix[] = "model.seg_model.";

/* FLAIR-1 (IGN, github.com/IGNF/FLAIR-1): statistics of red, green, blue, infrared and elevation and the pixel size of its data set, as
 * in its configs/flair-1-config-detect.yaml and its paper (Garioud et al. 2022, arXiv:2211.12979). */
static Err configure_flair(ModelConfig *config)
{
    static const PublishedBand bands[] = { { "red", 105.08, 52.17 },     { "green", 110.87, 45.38 },
                                           { "blue", 101.82, 44.0 },     { "nir", 106.38, 39.69 },
                                           { "elevation", 53.26, 79.3 }, { NULL, 0.0, 0.0 } };
    if (config->network.n_bands >= ARRAY_LEN(bands)) return ERR_NONE;
    TRY(published_name_bands(config, bands));
    config->gsd_unit = MODEL_METRE;
    config->gsd_minimum = 0.1;
    config->gsd_maximum = 0.4;
    return model_config_set_text(&config->name, "U-Net of FLAIR-1");
}

/* FLAIR-1's form that also reads facts of the image, which our networks of it do not. */
static Err refuse_facts(const TensorFile *file)
{
    char *prefix = NULL;
    TRY(tensor_file_prefix(file, "enc.enc_mlp.0.weight", &prefix));
    const bool facts = prefix != NULL;
    free(prefix);
    if (!facts) return ERR_NONE;
    return err_set(ERR_MODEL,
                   "'%s': is a network of FLAIR-1 that reads metadata of each image beside it (enc_mlp); only those "
                   "trained with use_metadata: False are read",
                   tensor_file_path(file));
}

/* The decoder's width, classes and bands; the encoder is the caller's. */
static Err configure_unet(const TensorFile *file, const char *prefix, const char *stem, ModelConfig *config)
{
    int32_t width = 0, classes = 0, bands = 0;
    TRY(refuse_facts(file));
    TRY(published_dimension(file, prefix, "decoder.blocks.0.conv1.0.weight", 4, 0, &width));
    TRY(published_dimension(file, prefix, "segmentation_head.0.weight", 4, 0, &classes));
    TRY(published_dimension(file, prefix, stem, 4, 1, &bands));
    config->network.decoder = NETWORK_DECODER_unet;
    config->network.decoder_width = width;
    config->network.output_stride = 1;
    TRY(published_ends(config, classes, bands));
    return strcmp(prefix, flair_prefix) == 0 ? configure_flair(config) : ERR_NONE;
}

/* 18, 34 and 50 differ in the blocks of the third stage and in what a block is. in: where the encoder is. */
static Err choose_resnet(const TensorFile *file, const char *prefix, const char *in, NetworkEncoder *ret_encoder)
{
    bool bottleneck = false, deep = false;
    char *encoder = NULL;
    TRY(str_format(&encoder, "%s%s", prefix, in));
    Err err = published_has(file, encoder, "layer1.0.conv3.weight", &bottleneck);
    if (err == ERR_NONE) err = published_has(file, encoder, "layer3.2.conv1.weight", &deep);
    free(encoder);
    *ret_encoder = bottleneck ? NETWORK_ENCODER_resnet50 : deep ? NETWORK_ENCODER_resnet34 : NETWORK_ENCODER_resnet18;
    return err;
}

static Err configure_resnet(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    TRY(choose_resnet(file, prefix, "encoder.", &config->network.encoder));
    return configure_unet(file, prefix, "encoder.conv1.weight", config);
}

static Err configure_timm_resnet(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    TRY(choose_resnet(file, prefix, "encoder.model.", &config->network.encoder));
    return configure_unet(file, prefix, "encoder.model.conv1.weight", config);
}

/* Lite0 to Lite4 by the width of the last stage; 0 and 1 differ in the blocks of the second. */
static Err configure_lite(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    static const struct {
        int32_t width;
        NetworkEncoder encoder;
    } wider[] = { { 352, NETWORK_ENCODER_efficientnet_lite2_smp },
                  { 384, NETWORK_ENCODER_efficientnet_lite3_smp },
                  { 448, NETWORK_ENCODER_efficientnet_lite4_smp } };
    int32_t width = 0;
    bool deep = false;
    TRY(published_dimension(file, prefix, "encoder.blocks.6.0.conv_pwl.weight", 4, 0, &width));
    TRY(published_has(file, prefix, "encoder.blocks.1.2.conv_dw.weight", &deep));
    config->network.encoder = deep ? NETWORK_ENCODER_efficientnet_lite1_smp : NETWORK_ENCODER_efficientnet_lite0_smp;
    for (int64_t i = 0; i < ARRAY_LEN(wider); i++)
        if (width == wider[i].width) config->network.encoder = wider[i].encoder;
    return configure_unet(file, prefix, "encoder.conv_stem.weight", config);
}

static bool rename_decoder(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    if (str_starts_with(published, "decoder.")) return network_rename_start(published, "", "", ret_name);
    if (str_starts_with(published, "segmentation_head."))
        return network_rename_start(published, "", "decoder.", ret_name);
    return network_rename_start(published, "", "", ret_name);
}

const PublishedNetwork published_smp_unet_resnet = {
    .title = "U-Net of segmentation_models_pytorch, ResNet",
    .marks = { "decoder.blocks.4.conv2.0.weight", "encoder.layer1.0.conv1.weight", "segmentation_head.0.weight" },
    .configure = configure_resnet,
    .rename = rename_decoder,
    .encoder = "encoder.",
};

const PublishedNetwork published_smp_unet_timm_resnet = {
    .title = "U-Net of segmentation_models_pytorch, ResNet of timm",
    .marks = { "decoder.blocks.4.conv2.0.weight", "encoder.model.layer1.0.conv1.weight", "segmentation_head.0.weight" },
    .configure = configure_timm_resnet,
    .rename = rename_decoder,
    .encoder = "encoder.model.",
};

const PublishedNetwork published_smp_unet_efficientnet_lite = {
    .title = "U-Net of segmentation_models_pytorch, EfficientNet-Lite",
    .marks = { "decoder.blocks.4.conv2.0.weight", "encoder.blocks.0.0.conv_dw.weight", "segmentation_head.0.weight" },
    .configure = configure_lite,
    .rename = rename_decoder,
    .encoder = "encoder.",
};
