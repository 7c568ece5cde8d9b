/* SPDX-License-Identifier: Apache-2.0
 * EfficientNet-Lite0 (Tan and Le, ICML 2019, and Google's lite variants): inverted residual blocks with ReLU6, no
 * squeeze-and-excitation; docs/model.md section 2. */
#include "network/encoder.h"

#include "nn/modules.h"

#include <stdio.h>
#include <string.h>

typedef struct Stage {
    int32_t repeats, kernel, stride, expansion;
    int64_t channels;
} Stage;

static const Stage stages[] = {
    { 1, 3, 1, 1, 16 },  { 2, 3, 2, 6, 24 },  { 2, 5, 2, 6, 40 },  { 3, 3, 2, 6, 80 },
    { 3, 5, 1, 6, 112 }, { 4, 5, 2, 6, 192 }, { 1, 3, 1, 6, 320 },
};

static const NnBatchnorm norm = { .eps = 1e-3F, .momentum = 0.01F };

/* One inverted residual block: expand 1x1, depthwise, project 1x1, identity where shapes agree. */
static Var block(Graph *g, Var x, const Stage *stage, int32_t stride)
{
    const Shape shape = graph_value(g, x).shape;
    const int64_t cin = shape.rank == 4 ? shape.dim[3] : 0;
    const int64_t wide = cin * stage->expansion;
    const NnConv expand = { .channels = wide, .kernel = 1, .stride = 1 };
    const NnConv depthwise = {
        .channels = wide, .kernel = stage->kernel, .stride = stride, .padding = NN_PADDING_SAME, .depthwise = true
    };
    const NnConv project = { .channels = stage->channels, .kernel = 1, .stride = 1 };
    const Var residual = stride == 1 && cin == stage->channels ? x : VAR_NONE;
    Var y = x;
    if (stage->expansion != 1) {
        y = nn_conv_bn(g, "_expand_conv", "_bn0", y, expand, norm, ACTIVATION_RELU6, VAR_NONE);
    }
    y = nn_conv_bn(g, "_depthwise_conv", "_bn1", y, depthwise, norm, ACTIVATION_RELU6, VAR_NONE);
    return nn_conv_bn(g, "_project_conv", "_bn2", y, project, norm, ACTIVATION_NONE, residual);
}

static FeatureMaps build(Graph *g, Var image, const void *variant)
{
    (void)variant;
    const NnConv stem = { .channels = 32, .kernel = 3, .stride = 2, .padding = NN_PADDING_SAME };
    FeatureMaps maps = { VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE };
    Var x = nn_conv_bn(g, "_conv_stem", "_bn0", image, stem, norm, ACTIVATION_RELU6, VAR_NONE);
    maps.f2 = x;
    int32_t index = 0;
    for (int64_t s = 0; s < ARRAY_LEN(stages); s++) {
        for (int32_t r = 0; r < stages[s].repeats; r++, index++) {
            char name[24];
            (void)snprintf(name, sizeof name, "_blocks.%d", (int)index);
            graph_push(g, name);
            x = block(g, x, &stages[s], r == 0 ? stages[s].stride : 1);
            graph_pop(g);
            if (index == 2) maps.f4 = x;
            if (index == 4) maps.f8 = x;
            if (index == 10) maps.f16 = x;
            if (index == 15) maps.f32 = x;
        }
    }
    return maps;
}

/* Names of timm's tf_efficientnet_lite0: "blocks.STAGE.REPEAT.LAYER". */
static bool rename_timm_block(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    static const char *const layers[][3] = {
        /* timm's; ours of the first stage, which expands nothing; ours of the others */
        { "conv_dw.", "_depthwise_conv.", "_depthwise_conv." },
        { "conv_pw.", "_project_conv.", "_expand_conv." },
        { "conv_pwl.", NULL, "_project_conv." },
        { "bn1.", "_bn1.", "_bn0." },
        { "bn2.", "_bn2.", "_bn1." },
        { "bn3.", NULL, "_bn2." },
    };
    int stage = 0, repeat = 0, used = 0;
    if (sscanf(published, "blocks.%1d.%1d.%n", &stage, &repeat, &used) != 2 || used == 0) return false;
    int index = repeat;
    if (stage < 0 || stage >= ARRAY_LEN(stages) || repeat < 0 || repeat >= stages[stage].repeats) return false;
    for (int s = 0; s < stage; s++) index += stages[s].repeats;
    for (int64_t i = 0; i < ARRAY_LEN(layers); i++) {
        const char *rest = published + used, *ours = layers[i][stage == 0 ? 1 : 2];
        if (ours == NULL || strncmp(rest, layers[i][0], strlen(layers[i][0])) != 0) continue;
        return snprintf(ret_name, NETWORK_NAME_BYTES, "_blocks.%d.%s%s", index, ours, rest + strlen(layers[i][0])) <
               NETWORK_NAME_BYTES;
    }
    return false;
}

/* The published checkpoint, and timm's and segmentation_models_pytorch's; they go on to a classifier. */
static bool rename_published(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    static const char *const tail[] = { "_conv_head.", "_bn1.", "_fc." };
    for (int64_t i = 0; i < ARRAY_LEN(tail); i++)
        if (strncmp(published, tail[i], strlen(tail[i])) == 0) return false;
    if (strncmp(published, "blocks.", strlen("blocks.")) == 0) return rename_timm_block(published, ret_name);
    if (strcmp(published, "conv_stem.weight") == 0)
        return snprintf(ret_name, NETWORK_NAME_BYTES, "_conv_stem.weight") > 0;
    if (strncmp(published, "bn1.", strlen("bn1.")) == 0)
        return snprintf(ret_name, NETWORK_NAME_BYTES, "_bn0.%.32s", published + strlen("bn1.")) > 0;
    if (published[0] != '_') return false; /* timm's classifier */
    return snprintf(ret_name, NETWORK_NAME_BYTES, "%s", published) < NETWORK_NAME_BYTES;
}

const EncoderDef encoder_def_efficientnet_lite0 = {
    .decoder = NETWORK_DECODER_unetformer,
    .size_multiple = 32,
    .build = build,
    .rename = rename_published,
};
