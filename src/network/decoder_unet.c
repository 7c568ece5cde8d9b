/* SPDX-License-Identifier: Apache-2.0
 * The decoder of U-Net (Ronneberger et al., MICCAI 2015) as segmentation_models_pytorch has it: five times to twice the size by
 * repetition, joined with the encoder's map of that size, and two convolutions; scores of every pixel by a last one. Parameters
 * are named as there. */
#include "network/decoder.h"

#include "nn/modules.h"

#include <stdio.h>

enum { BLOCKS = 5 };

static Var conv_bn_relu(Graph *g, const char *name, Var x, int64_t channels)
{
    return nn_sequential_conv_bn(g, name, x, nn_square(channels, 3, 1), ACTIVATION_RELU, VAR_NONE);
}

static Var block(Graph *g, int32_t index, Var x, Var skip, int64_t channels)
{
    char name[24];
    (void)snprintf(name, sizeof name, "blocks.%d", (int)index);
    graph_push(g, name);
    x = op_resize_nearest(g, x, 2);
    if (var_exists(skip)) x = op_concat_channels(g, 2, (const Var[]){ x, skip });
    x = conv_bn_relu(g, "conv1", x, channels);
    x = conv_bn_relu(g, "conv2", x, channels);
    graph_pop(g);
    return x;
}

static DecoderResult build(Graph *g, Var image, const FeatureMaps *maps, const DecoderOptions *options)
{
    const Var skips[BLOCKS] = { maps->f16, maps->f8, maps->f4, maps->f2, VAR_NONE };
    const DropoutAttr dropout = { .p = options->dropout, .per_channel = true };
    NnConv head = nn_square(options->classes, 3, 1);
    head.bias = true;
    (void)image;
    Var x = maps->f32;
    for (int32_t i = 0; i < BLOCKS; i++) x = block(g, i, x, skips[i], options->width >> i);
    if (graph_training(g) && options->dropout > 0.0F) x = op_dropout(g, x, &dropout);
    x = nn_conv(g, "segmentation_head.0", x, head, ACTIVATION_NONE, VAR_NONE);
    return (DecoderResult){ .logits = x, .auxiliary = VAR_NONE };
}

/* The width is that of the first block; each has half of the one before, 256 to 16 as published. */
const DecoderDef decoder_def_unet = {
    .reads_maps = true, .size_multiple = 32, .output_stride = 1, .strides = "1", .has_width = true, .build = build
};
