/* SPDX-License-Identifier: Apache-2.0
 * UPerNet (Xiao et al., "Unified perceptual parsing for scene understanding", ECCV 2018): pyramid pooling on the map at stride
 * 32, a feature pyramid, all levels fused at stride 4; docs/model.md. Two forms are published, under the names of
 * segmentation_models_pytorch (and of mmsegmentation and transformers, which differ in names alone). */
#include "network/decoder.h"

#include "nn/modules.h"

#include <stdio.h>

static const float feature_eps = 1e-6F; /* of LayerNorm */
static const int32_t pool_sides[] = { 1, 2, 3, 6 };
enum { POOLS = 4, LEVELS = 4 };

static Var conv_bn_relu(Graph *g, const char *name, Var x, int64_t channels, int32_t kernel)
{
    return nn_sequential_conv_bn(g, name, x, nn_square(channels, kernel, 1), ACTIVATION_RELU, VAR_NONE);
}

/* x at the size of another map. */
static Var resized(Graph *g, Var x, Var like)
{
    const Shape shape = graph_value(g, like).shape;
    const ResizeBilinearAttr attr = { .height = (int32_t)shape.dim[1], .width = (int32_t)shape.dim[2] };
    return op_resize_bilinear_to(g, x, &attr);
}

/* "NAME.INDEX" */
static const char *numbered(const char *name, int32_t index, char ret_text[40])
{
    (void)snprintf(ret_text, 40, "%s.%d", name, (int)index);
    return ret_text;
}

/* Pyramid pooling: means over 1, 2x2, 3x3 and 6x6 bins, each projected, beside x. kernel: of the convolution at the end. */
static Var pyramid_pooling(Graph *g, Var x, int64_t pool_width, int64_t width, int32_t kernel)
{
    Var parts[1 + POOLS] = { x };
    char name[40];
    graph_push(g, "psp");
    for (int32_t i = 0; i < POOLS; i++) {
        const Var pooled = op_adaptive_average_pool(g, x, pool_sides[i], pool_sides[i]);
        graph_push(g, numbered("blocks", i, name));
        parts[1 + i] = resized(g, conv_bn_relu(g, "1", pooled, pool_width, 1), x);
        graph_pop(g);
    }
    const Var y = conv_bn_relu(g, "out_conv", op_concat_channels(g, 1 + POOLS, parts), width, kernel);
    graph_pop(g);
    return y;
}

/* Scores; at output stride 1 brought to the image's size with corners aligned, as segmentation_models_pytorch does. */
static DecoderResult scores(Graph *g, Var x, Var image, const DecoderOptions *options)
{
    const DropoutAttr dropout = { .p = options->dropout, .per_channel = true };
    const Shape shape = graph_value(g, image).shape;
    NnConv head = nn_square(options->classes, 1, 1);
    head.bias = true;
    if (graph_training(g) && options->dropout > 0.0F) x = op_dropout(g, x, &dropout);
    x = nn_conv(g, "segmentation_head.0", x, head, ACTIVATION_NONE, VAR_NONE);
    const ResizeBilinearAttr full = { .height = (int32_t)shape.dim[1],
                                      .width = (int32_t)shape.dim[2],
                                      .align_corners = true };
    if (options->output_stride == 1) x = op_resize_bilinear_to(g, x, &full);
    return (DecoderResult){ .logits = x, .auxiliary = VAR_NONE };
}

/* The FCN head of mmsegmentation's and transformers' networks, in training alone: one 3x3 convolution of the (normalised) map at stride 16, half as
 * wide as the decoder, which is what is published (256 beside 512); scores at the image's size. */
static Var auxiliary_head(Graph *g, Var map, Var image, const DecoderOptions *options)
{
    const DropoutAttr dropout = { .p = options->dropout, .per_channel = true };
    NnConv classifier = nn_square(options->classes, 1, 1);
    classifier.bias = true;
    graph_push(g, "aux_head");
    Var x = conv_bn_relu(g, "convs.0", map, options->width / 2, 3);
    if (graph_training(g) && options->dropout > 0.0F) x = op_dropout(g, x, &dropout);
    x = nn_conv(g, "classifier", x, classifier, ACTIVATION_NONE, VAR_NONE);
    graph_pop(g);
    return resized(g, x, image);
}

/* The paper's form, in segmentation_models_pytorch since 0.5: LayerNorm of each map, a 3x3 convolution after pooling, after
 * each sum of the pyramid, and after the levels are joined. */
static DecoderResult build(Graph *g, Var image, const FeatureMaps *maps, const DecoderOptions *options)
{
    Var level[LEVELS] = { maps->f4, maps->f8, maps->f16, maps->f32 }, pyramid[LEVELS];
    const int64_t width = options->width;
    char name[40];
    for (int32_t i = 0; i < LEVELS; i++)
        level[i] = nn_layernorm(g, numbered("feature_norms", i, name), level[i], feature_eps);
    Var above = pyramid[LEVELS - 1] = pyramid_pooling(g, level[LEVELS - 1], width, width, 3);
    for (int32_t i = LEVELS - 2; i >= 0; i--) {
        const int32_t index = LEVELS - 2 - i;
        graph_push(g, numbered("fpn_lateral_blocks", index, name));
        const Var lateral = conv_bn_relu(g, "conv_norm_relu", level[i], width, 1);
        graph_pop(g);
        above = op_add(g, resized(g, above, lateral), lateral);
        pyramid[i] = conv_bn_relu(g, numbered("fpn_conv_blocks", index, name), above, width, 3);
    }
    graph_push(g, "fusion_block");
    const Var x = nn_conv_bn_levels(g, "0", "1", LEVELS, pyramid, pyramid[0], width, NN_BATCHNORM);
    graph_pop(g);
    DecoderResult result = scores(g, x, image, options);
    if (options->auxiliary) result.auxiliary = auxiliary_head(g, level[2], image, options);
    return result;
}

const DecoderDef decoder_def_upernet = {
    .reads_maps = true,
    .size_multiple = 32,
    .output_stride = 4,
    .strides = "4, 1",
    .pools_image = true,
    .has_width = true,
    .build = build,
};

/* The form of segmentation_models_pytorch 0.4, which FLAIR-HUB's networks have: pooled maps a quarter as wide as the map, 1x1
 * after pooling, no convolutions in the pyramid, which goes on to stride 2 (there without a map of the encoder: x alone grows), and
 * a quarter of the width after the levels are joined. */
static DecoderResult build_0_4(Graph *g, Var image, const FeatureMaps *maps, const DecoderOptions *options)
{
    const Var level[] = { maps->f32, maps->f16, maps->f8, maps->f4, maps->f2 };
    const int64_t width = options->width, deepest = graph_value(g, maps->f32).shape.dim[3];
    Var pyramid[LEVELS + 1];
    char name[40];
    pyramid[0] = pyramid_pooling(g, level[0], deepest / POOLS, width, 1);
    for (int32_t i = 1; i <= LEVELS; i++) {
        if (!var_exists(level[i])) {
            pyramid[i] = op_resize_bilinear(g, pyramid[i - 1], 2);
            continue;
        }
        graph_push(g, numbered("fpn_stages", i - 1, name));
        const Var lateral = conv_bn_relu(g, "skip_conv", level[i], width, 1);
        graph_pop(g);
        pyramid[i] = op_add(g, resized(g, pyramid[i - 1], lateral), lateral);
    }
    pyramid[LEVELS] = resized(g, pyramid[LEVELS], maps->f4);
    graph_push(g, "fpn_bottleneck");
    const Var x = nn_conv_bn_levels(g, "0", "1", LEVELS + 1, pyramid, maps->f4, width / 4, NN_BATCHNORM);
    graph_pop(g);
    return scores(g, x, image, options);
}

const DecoderDef decoder_def_upernet_smp04 = {
    .reads_maps = true,
    .size_multiple = 32,
    .output_stride = 4,
    .strides = "4, 1",
    .pools_image = true,
    .has_width = true,
    .build = build_0_4,
};
