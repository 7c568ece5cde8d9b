/* SPDX-License-Identifier: Apache-2.0
 * What the decoder does not see at a quarter of the pixels: a branch that reads each pixel's spectrum at full resolution, shaped
 * like the network of Dynamic World (Brown et al., Scientific Data 9, 251, 2022) and joined with the decoder's features at
 * half resolution; docs/model.md section 4. */
#include "network/network_parts.h"

#include "nn/modules.h"

/* mish(BatchNorm(convolution(x))) + residual in a Sequential of this name. */
static Var layer(Graph *g, const char *name, Var x, NnConv conv, Var residual)
{
    conv.stride = 1;
    conv.padding = conv.kernel / 2;
    return nn_sequential_conv_bn(g, name, x, conv, ACTIVATION_MISH, residual);
}

static Var pointwise(Graph *g, const char *name, Var x, int64_t channels)
{
    return layer(g, name, x, (NnConv){ .channels = channels, .kernel = 1 }, VAR_NONE);
}

static Var depthwise(Graph *g, const char *name, Var x, int64_t channels, Var residual)
{
    return layer(g, name, x, (NnConv){ .channels = channels, .kernel = 3, .depthwise = true }, residual);
}

/* Three times a pointwise and a depthwise convolution, plus a pointwise one of the block's input. */
static Var block(Graph *g, const char *name, Var x, int64_t channels)
{
    graph_push(g, name);
    const Var side = pointwise(g, "side", x, channels);
    Var y = depthwise(g, "depthwise1", pointwise(g, "pointwise1", x, channels), channels, VAR_NONE);
    y = depthwise(g, "depthwise2", pointwise(g, "pointwise2", y, channels), channels, VAR_NONE);
    y = depthwise(g, "depthwise3", pointwise(g, "pointwise3", y, channels), channels, side);
    graph_pop(g);
    return y;
}

Var detail_branch(Graph *g, Var image, Var x, int64_t width)
{
    graph_push(g, "detail");
    Var detail = layer(g, "stem", image, (NnConv){ .channels = width, .kernel = 3 }, VAR_NONE);
    detail = op_halve_antialiased(g, detail);
    detail = block(g, "block1", detail, width + width / 2);
    detail = block(g, "block2", detail, 2 * width);
    if (var_exists(x)) detail = op_concat_channels(g, 2, (const Var[]){ detail, op_resize_bilinear(g, x, 2) });
    x = block(g, "block3", detail, 2 * width);
    graph_pop(g);
    return x;
}
