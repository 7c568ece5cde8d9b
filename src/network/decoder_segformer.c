/* SPDX-License-Identifier: Apache-2.0
 * The head of SegFormer (Xie et al., NeurIPS 2021): a linear layer for each map, all brought to stride 4 and joined, the deepest
 * first. Layers have the names of transformers. */
#include "network/decoder.h"

#include "nn/modules.h"

#include <stdio.h>

enum { LEVELS = 4 };
static const double STD = 0.02;
static DecoderResult build(Graph *g, Var image, const FeatureMaps *maps, const DecoderOptions *options)
{
    const Var level[LEVELS] = { maps->f4, maps->f8, maps->f16, maps->f32 };
    const Shape shape = graph_value(g, maps->f4).shape;
    const ResizeBilinearAttr size = { .height = (int32_t)shape.dim[1], .width = (int32_t)shape.dim[2] };
    const DropoutAttr dropout = { .p = options->dropout };
    const NnConv fuse = { .channels = options->width, .kernel = 1, .stride = 1 };
    const NnConv classifier = { .channels = options->classes, .kernel = 1, .stride = 1, .bias = true };
    Var joined[LEVELS];
    char name[32];
    (void)image;
    for (int32_t i = 0; i < LEVELS; i++) {
        (void)snprintf(name, sizeof name, "linear_c.%d.proj", (int)i);
        joined[LEVELS - 1 - i] = op_resize_bilinear_to(g, nn_linear(g, name, level[i], options->width, STD), &size);
    }
    Var x = nn_conv_bn(g, "linear_fuse", "batch_norm", op_concat_channels(g, LEVELS, joined), fuse, NN_BATCHNORM,
                       ACTIVATION_RELU, VAR_NONE);
    if (graph_training(g) && options->dropout > 0.0F) x = op_dropout(g, x, &dropout);
    x = nn_conv(g, "classifier", x, classifier, ACTIVATION_NONE, VAR_NONE);
    return (DecoderResult){ .logits = x, .auxiliary = VAR_NONE };
}

const DecoderDef decoder_def_segformer = {
    .reads_maps = true,
    .size_multiple = 32,
    .output_stride = 4,
    .strides = "4",
    .has_width = true,
    .build = build,
};
