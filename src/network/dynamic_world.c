/* SPDX-License-Identifier: Apache-2.0
 * The network of Dynamic World (Brown et al., Scientific Data 9, 251, 2022; Google with National Geographic and WRI), for
 * prediction; docs/model.md section 8. Layers have the names of the published variables. */
#include "network/encoder.h"

#include "nn/modules.h"

#include <stdio.h>

static const NnBatchnorm norm = { .eps = 1e-3F, .momentum = 0.01F };
static const float least_square = 1e-12F;

/* "conv2d", "conv2d_1", ...: Keras counts from 0 and leaves that out. */
static const char *numbered(const char *word, int32_t number, char ret_name[40])
{
    if (number == 0)
        (void)snprintf(ret_name, 40, "%s", word);
    else
        (void)snprintf(ret_name, 40, "%s_%d", word, (int)number);
    return ret_name;
}

/* mish(BatchNorm(convolution(x))) + residual. */
static Var layer(Graph *g, const char *word, int32_t number, int32_t norm_number, Var x, NnConv conv, Var residual)
{
    char name[40], norm_name[40];
    conv.stride = 1;
    conv.padding = conv.kernel / 2;
    conv.bias = true;
    return nn_conv_bn(g, numbered(word, number, name), numbered("batch_normalization", norm_number, norm_name), x, conv,
                      norm, ACTIVATION_MISH, residual);
}

static Var convolution(Graph *g, int32_t number, int32_t norm_number, Var x, int64_t channels, int32_t kernel)
{
    return layer(g, "conv2d", number, norm_number, x, (NnConv){ .channels = channels, .kernel = kernel }, VAR_NONE);
}

static Var depthwise(Graph *g, int32_t number, int32_t norm_number, Var x, int64_t channels, Var residual)
{
    const NnConv conv = { .channels = channels, .kernel = 3, .depthwise = true };
    return layer(g, "depthwise_conv2d", number, norm_number, x, conv, residual);
}

/* Numbers of the first layers of a block. */
typedef struct Block {
    int32_t convolution, depthwise, norm;
    int64_t channels;
} Block;

/* Three times a pointwise and a depthwise convolution, plus a pointwise one of the block's input. */
static Var block(Graph *g, Var x, const Block *b)
{
    const Var side = convolution(g, b->convolution + 3, b->norm + 6, x, b->channels, 1);
    for (int32_t i = 0; i < 3; i++) {
        x = convolution(g, b->convolution + i, b->norm + 2 * i, x, b->channels, 1);
        x = depthwise(g, b->depthwise + i, b->norm + 2 * i + 1, x, b->channels, i == 2 ? side : VAR_NONE);
    }
    return x;
}

static Var build(Graph *g, Var image, int64_t classes)
{
    static const Block first = { 2, 1, 3, 96 }, second = { 6, 4, 10, 144 }, third = { 10, 7, 17, 144 };
    enum { STEM = 64, SKIP = 48 };
    const Var stem = op_halve_antialiased(g, convolution(g, 0, 0, image, STEM, 3));
    const Var deep = block(g, block(g, stem, &first), &second);
    const Var skip = depthwise(g, 0, 2, convolution(g, 1, 1, stem, SKIP, 1), SKIP, VAR_NONE);
    Var x = block(g, op_concat_channels(g, 2, (const Var[]){ deep, skip }), &third);
    x = op_l2_normalise(g, op_resize_bilinear(g, x, 2), least_square);
    const NnConv head = { .channels = classes, .kernel = 1, .stride = 1, .bias = true };
    return nn_conv(g, "conv2d_14", x, head, ACTIVATION_NONE, VAR_NONE);
}

const EncoderDef encoder_def_dynamic_world = { .decoder = NETWORK_DECODER_none, .size_multiple = 2, .whole = build };
