/* SPDX-License-Identifier: Apache-2.0
 * ResNet (He et al., CVPR 2016): basic blocks, or bottlenecks whose 3x3 convolution has the stride (as torchvision and timm do it).
 * Parameters are named as both name them. */
#include "network/encoder_resnet.h"

#include "nn/modules.h"

#include <stdio.h>
#include <string.h>

enum { STEM = 64, STAGES = 4, WIDER = 4 };

/* The input as the block's result sees it: projected where channels or stride change. */
static Var shortcut(Graph *g, Var x, int64_t channels, int32_t stride)
{
    const Shape shape = graph_value(g, x).shape;
    if (stride == 1 && shape.rank == 4 && shape.dim[3] == channels) return x;
    return nn_sequential_conv_bn(g, "downsample", x, nn_square(channels, 1, stride), ACTIVATION_NONE, VAR_NONE);
}

static Var block(Graph *g, Var x, int64_t width, int32_t stride, bool bottleneck)
{
    const int64_t channels = bottleneck ? width * WIDER : width;
    const Var residual = shortcut(g, x, channels, stride);
    if (!bottleneck) {
        x = nn_conv_bn(g, "conv1", "bn1", x, nn_square(width, 3, stride), NN_BATCHNORM, ACTIVATION_RELU, VAR_NONE);
        return nn_conv_bn_sum(g, "conv2", "bn2", x, nn_square(width, 3, 1), NN_BATCHNORM, residual, ACTIVATION_RELU);
    }
    x = nn_conv_bn(g, "conv1", "bn1", x, nn_square(width, 1, 1), NN_BATCHNORM, ACTIVATION_RELU, VAR_NONE);
    x = nn_conv_bn(g, "conv2", "bn2", x, nn_square(width, 3, stride), NN_BATCHNORM, ACTIVATION_RELU, VAR_NONE);
    return nn_conv_bn_sum(g, "conv3", "bn3", x, nn_square(channels, 1, 1), NN_BATCHNORM, residual, ACTIVATION_RELU);
}

static Var stage(Graph *g, Var x, int32_t index, const ResnetVariant *variant)
{
    char name[24];
    (void)snprintf(name, sizeof name, "layer%d", (int)index + 1);
    graph_push(g, name);
    for (int32_t i = 0; i < variant->blocks[index]; i++) {
        (void)snprintf(name, sizeof name, "%d", (int)i);
        graph_push(g, name);
        x = block(g, x, (int64_t)STEM << index, i == 0 && index > 0 ? 2 : 1, variant->bottleneck);
        graph_pop(g);
    }
    graph_pop(g);
    return x;
}

static FeatureMaps build(Graph *g, Var image, const void *data, float drop_path)
{
    (void)drop_path;
    const ResnetVariant *variant = data;
    FeatureMaps maps = { VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE };
    Var *const all[STAGES] = { &maps.f4, &maps.f8, &maps.f16, &maps.f32 };
    maps.f2 = nn_conv_bn(g, "conv1", "bn1", image, nn_square(STEM, 7, 2), NN_BATCHNORM, ACTIVATION_RELU, VAR_NONE);
    Var x = op_max_pool(g, maps.f2, 3, 2, 1);
    for (int32_t i = 0; i < STAGES; i++) {
        x = stage(g, x, i, variant);
        *all[i] = x;
    }
    return maps;
}

/* timm and torchvision agree; the classifier is "fc". */
static bool rename_published(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    static const char *const dropped[] = { "fc.", NULL };
    return !network_name_starts(published, dropped) && network_rename_start(published, "", "", ret_name);
}

static const ResnetVariant resnet18 = { { 2, 2, 2, 2 }, false }, resnet34 = { { 3, 4, 6, 3 }, false },
                           resnet50 = { { 3, 4, 6, 3 }, true };

const EncoderDef encoder_def_resnet18 = { .decoder = NETWORK_DECODER_unetformer,
                                          .size_multiple = 1,
                                          .variant = &resnet18,
                                          .has_f2 = true,
                                          .build = build,
                                          .rename = rename_published };
const EncoderDef encoder_def_resnet34 = { .decoder = NETWORK_DECODER_unetformer,
                                          .size_multiple = 1,
                                          .variant = &resnet34,
                                          .has_f2 = true,
                                          .build = build,
                                          .rename = rename_published };
const EncoderDef encoder_def_resnet50 = { .decoder = NETWORK_DECODER_unetformer,
                                          .size_multiple = 1,
                                          .variant = &resnet50,
                                          .has_f2 = true,
                                          .build = build,
                                          .rename = rename_published };
