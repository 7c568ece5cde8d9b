/* SPDX-License-Identifier: Apache-2.0
 * UPerNet as segmentation_models_pytorch has it behind timm's encoders (Iakubovskii,
 * github.com/qubvel-org/segmentation_models.pytorch), and FLAIR-HUB's networks of aerial images (Garioud et al., "FLAIR-HUB", 2025,
 * arXiv:2506.07080; github.com/IGNF/FLAIR-HUB), which wrap its version 0.4. The encoder is the one of the list that fits. */
#include "model/published_encoder.h"
#include "model/published_network.h"

#include "base/str.h"

#include <string.h>

#define SMP_ENCODER "encoder.model."
#define FLAIR_ENCODERS "encoders."
#define FLAIR_ENCODER FLAIR_ENCODERS "AERIAL_RGBI.seg_model.model."
#define FLAIR_DECODER "main_decoders.AERIAL_LABEL-COSIA.seg_model."
#define DECODER_WITHOUT_MAP "decoder.fpn_stages.4." /* of the image: it is there, but never used */

/* ---- the encoder ---- */

/* timm's networks that give features have their outermost level in one word: "stages_0.blocks" is "stages.0.blocks". */
static bool rename_encoder(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    const size_t length = strlen(published), word = strcspn(published, "."), mark = strcspn(published, "_");
    if (length >= NETWORK_NAME_BYTES) return false;
    memmove(ret_name, published, length + 1);
    if (mark + 1 < word && strspn(published + mark + 1, "0123456789") == word - mark - 1) ret_name[mark] = '.';
    return true;
}

/* ---- sizes that both families have ---- */

/* Names of the tensors that tell sizes, behind the prefix. */
typedef struct Names {
    const char *width, *head, *encoder, *stems[2];
} Names;

static Err configure(const TensorFile *file, const char *prefix, const Names *names, NetworkDecoder decoder,
                     ModelConfig *config)
{
    int32_t width = 0, classes = 0, bands = 0;
    bool first = false;
    TRY(published_has(file, prefix, names->stems[0], &first));
    TRY(published_dimension(file, prefix, names->width, 4, 0, &width));
    TRY(published_dimension(file, prefix, names->head, 4, 0, &classes));
    TRY(published_dimension(file, prefix, names->stems[first ? 0 : 1], 4, 1, &bands));
    TRY(published_ends(config, classes, bands));
    config->network.decoder = decoder;
    config->network.decoder_width = width;
    config->network.output_stride = 1;
    return published_encoder_fit(file, prefix, names->encoder, rename_encoder, config);
}

/* ---- segmentation_models_pytorch ---- */

static bool rename_smp(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    char name[NETWORK_NAME_BYTES];
    if (str_starts_with(published, DECODER_WITHOUT_MAP) || str_starts_with(published, "classification_head."))
        return false;
    if (network_rename_start(published, "segmentation_head.", "decoder.segmentation_head.", ret_name)) return true;
    if (network_rename_start(published, SMP_ENCODER, "", name))
        return rename_encoder(name, name) && network_rename_start(name, "", "encoder.", ret_name);
    return network_rename_start(published, "", "", ret_name);
}

static const Names smp_names = { "decoder.psp.out_conv.0.weight",
                                 "segmentation_head.0.weight",
                                 SMP_ENCODER,
                                 { SMP_ENCODER "stem_0.weight", SMP_ENCODER "patch_embed.proj.weight" } };

static Err configure_smp(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    return configure(file, prefix, &smp_names, NETWORK_DECODER_upernet, config);
}

static Err configure_smp04(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    return configure(file, prefix, &smp_names, NETWORK_DECODER_upernet_smp04, config);
}

const PublishedNetwork published_smp_upernet_convnext = {
    .title = "UPerNet of segmentation_models_pytorch, ConvNeXt",
    .marks = { "decoder.fusion_block.0.weight", SMP_ENCODER "stem_0.weight", "segmentation_head.0.weight" },
    .configure = configure_smp,
    .rename = rename_smp,
};

const PublishedNetwork published_smp_upernet_swin = {
    .title = "UPerNet of segmentation_models_pytorch, Swin Transformer",
    .marks = { "decoder.fusion_block.0.weight", SMP_ENCODER "patch_embed.proj.weight", "segmentation_head.0.weight" },
    .configure = configure_smp,
    .rename = rename_smp,
};

const PublishedNetwork published_smp04_upernet_convnext = {
    .title = "UPerNet of segmentation_models_pytorch 0.4, ConvNeXt",
    .marks = { "decoder.fpn_bottleneck.0.weight", SMP_ENCODER "stem_0.weight", "segmentation_head.0.weight" },
    .configure = configure_smp04,
    .rename = rename_smp,
};

const PublishedNetwork published_smp04_upernet_swin = {
    .title = "UPerNet of segmentation_models_pytorch 0.4, Swin Transformer",
    .marks = { "decoder.fpn_bottleneck.0.weight", SMP_ENCODER "patch_embed.proj.weight", "segmentation_head.0.weight" },
    .configure = configure_smp04,
    .rename = rename_smp,
};

/* ---- FLAIR-HUB ---- */

/* As in share/classes/flair_hub.yaml. The last four were not trained. */
static const ModelClass flair_classes[] = {
    { 0, "Building", 0xCE7079 },
    { 1, "Greenhouse", 0xB9E2D4 },
    { 2, "Swimming pool", 0x62D0FF },
    { 3, "Impervious surface", 0xA6AAB7 },
    { 4, "Pervious surface", 0x987752 },
    { 5, "Bare soil", 0xBBB096 },
    { 6, "Water", 0x3375A1 },
    { 7, "Snow", 0xE9EFFE },
    { 8, "Herbaceous vegetation", 0x8CD76A },
    { 9, "Agricultural land", 0xDECF55 },
    { 10, "Plowed land", 0xD0A349 },
    { 11, "Vineyard", 0xB08290 },
    { 12, "Deciduous", 0x4C9129 },
    { 13, "Coniferous", 0x126421 },
    { 14, "Brushwood", 0xB5C335 },
    { 15, "Clear cut", 0xE48E4D },
    { 16, "Ligneous", 0x222222 },
    { 17, "Mixed", 0x222222 },
    { 18, "Undefined", 0x222222 },
};

/* Of the authors' configuration, whose networks read nir, red, green; blue, which it has no numbers for, of that of FLAIR-1. */
static const PublishedBand flair_bands[] = { { "nir", 106.59, 39.78 },
                                             { "red", 105.66, 52.23 },
                                             { "green", 111.35, 45.62 },
                                             { "blue", 101.82, 44.0 },
                                             { NULL, 0.0, 0.0 } };

static const char flair_provenance[] =
    "{\"software\":\"metaseg " METASEG_VERSION
    "\",\"weights\":\"FLAIR-HUB, converted from the published network\",\"credit\":"
    "\"IGN, French mapping agency\",\"licence\":\"etalab-2.0\",\"paper\":\"Garioud et al. (2025), FLAIR-HUB, "
    "arXiv:2506.07080\"}";

static const Names flair_names = { FLAIR_DECODER "decoder.psp.out_conv.0.weight",
                                   FLAIR_DECODER "segmentation_head.0.weight",
                                   FLAIR_ENCODER,
                                   { FLAIR_ENCODER "stem_0.weight", FLAIR_ENCODER "patch_embed.proj.weight" } };

/* Networks that also read other sensors would give other maps from aerial images alone. */
static Err check_sensors(const TensorFile *file, const char *prefix)
{
    const size_t skip = strlen(prefix);
    for (int64_t i = 0; i < tensor_file_count(file); i++) {
        const char *name = tensor_file_at(file, i)->name;
        if (!str_starts_with(name, prefix) || !str_starts_with(name + skip, FLAIR_ENCODERS) ||
            str_starts_with(name + skip, FLAIR_ENCODER))
            continue;
        return err_set(
            ERR_MODEL,
            "'%s': '%.200s' is of another sensor; networks of FLAIR-HUB that read aerial images alone can be "
            "converted",
            tensor_file_path(file), name);
    }
    return ERR_NONE;
}

static Err configure_flair(const TensorFile *file, const char *prefix, ModelConfig *config)
{
    TRY(check_sensors(file, prefix));
    TRY(configure(file, prefix, &flair_names, NETWORK_DECODER_upernet_smp04, config));
    TRY(model_config_set_text(&config->provenance, flair_provenance));
    TRY(published_name_bands(config, flair_bands));
    if (config->network.n_classes == ARRAY_LEN(flair_classes))
        TRY(model_config_name_classes(config, flair_classes, ARRAY_LEN(flair_classes)));
    config->gsd_unit = MODEL_METRE;
    config->gsd_minimum = 0.15; /* 0.2 m, and what is near enough to be read as it is */
    config->gsd_maximum = 0.25;
    return ERR_NONE;
}

static bool rename_flair(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    /* what only joins sensors, trains, or maps crops */
    static const char *const others[] = { "fusion_handler.", "aux_decoders.", "criterion.",
                                          "main_decoders.ALL_LABEL-LPIS.", NULL };
    char name[NETWORK_NAME_BYTES];
    if (network_name_starts(published, others)) return false;
    if (network_rename_start(published, FLAIR_DECODER, "", name)) return rename_smp(name, ret_name);
    if (network_rename_start(published, FLAIR_ENCODER, SMP_ENCODER, name)) return rename_smp(name, ret_name);
    return network_rename_start(published, "", "", ret_name);
}

const PublishedNetwork published_flair_hub = {
    .title = "FLAIR-HUB, aerial land cover",
    .marks = { FLAIR_DECODER "decoder.fpn_bottleneck.0.weight", FLAIR_DECODER "segmentation_head.0.weight" },
    .bands = flair_bands,
    .configure = configure_flair,
    .rename = rename_flair,
};
