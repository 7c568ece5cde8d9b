/* SPDX-License-Identifier: Apache-2.0
 * Decoder of DC-Swin (Wang et al., IEEE Geoscience and Remote Sensing Letters 19, 2022, doi:10.1109/LGRS.2022.3143368), named as in
 * the authors' GeoSeg: maps of all strides are brought together by downward and upward connections, refined by linear
 * attention over positions (pa) and channels (ca), each with one set of parameters in two places. */
#include "network/decoder.h"

#include "nn/modules.h"

static const float EPS = 1e-6F;

static int64_t channels_of(const Graph *g, Var x)
{
    const Shape shape = graph_value(g, x).shape;
    return shape.rank == 4 ? shape.dim[3] : 0;
}

/* Depthwise with gaps between taps, 1x1, BatchNorm, ReLU. */
static Var separable(Graph *g, const char *name, Var x, int64_t channels, int32_t dilation)
{
    const NnConv wide = { .channels = channels_of(g, x),
                          .kernel = 3,
                          .stride = 1,
                          .padding = dilation,
                          .dilation = dilation,
                          .depthwise = true };
    graph_push(g, name);
    x = nn_conv(g, "0", x, wide, ACTIVATION_NONE, VAR_NONE);
    x = nn_conv_bn(g, "1", "2", x, nn_square(channels, 1, 1), NN_BATCHNORM, ACTIVATION_RELU, VAR_NONE);
    graph_pop(g);
    return x;
}

/* To half the size and `channels`: two convolutions beside one. */
static Var down(Graph *g, const char *name, Var x, int64_t channels)
{
    graph_push(g, name);
    const Var shortcut =
        nn_sequential_conv_bn(g, "downsample", x, nn_square(channels, 3, 2), ACTIVATION_NONE, VAR_NONE);
    Var y = nn_sequential_conv_bn(g, "convbn1", x, nn_square(channels, 3, 1), ACTIVATION_RELU, VAR_NONE);
    graph_push(g, "convbn2");
    y = nn_conv_bn_sum(g, "0", "1", y, nn_square(channels, 3, 2), NN_BATCHNORM, shortcut, ACTIVATION_RELU);
    graph_pop(g);
    graph_pop(g);
    return y;
}

/* Two separable convolutions, each followed by a doubling of the size. */
static Var up(Graph *g, const char *name, Var x, int64_t middle, int64_t channels)
{
    enum { NEAR = 6, FAR = 12 };
    graph_push(g, name);
    x = op_resize_nearest(g, separable(g, "0", x, middle, NEAR), 2);
    x = op_resize_nearest(g, separable(g, "2", x, channels, FAR), 2);
    graph_pop(g);
    return x;
}

/* Features of unit length. */
static Var unit(Graph *g, Var x) { return op_l2_normalise(g, x, 1e-30F); }

/* x + gamma y; gamma begins at 0. */
static Var refined(Graph *g, Var x, Var y)
{
    const Var gamma = graph_param(g, "gamma", shape1(1), (ParamInit){ INIT_ZERO, 0.0 });
    return op_layer_scale(g, y, gamma, x);
}

static Var position_attention(Graph *g, Var x)
{
    const LinearAttentionAttr attr = { .eps = EPS };
    NnConv narrow = nn_square(channels_of(g, x) / 8, 1, 1), wide = nn_square(channels_of(g, x), 1, 1);
    narrow.bias = wide.bias = true;
    graph_push(g, "pa");
    const Var q = unit(g, nn_conv(g, "query_conv", x, narrow, ACTIVATION_NONE, VAR_NONE));
    const Var k = unit(g, nn_conv(g, "key_conv", x, narrow, ACTIVATION_NONE, VAR_NONE));
    const Var v = nn_conv(g, "value_conv", x, wide, ACTIVATION_NONE, VAR_NONE);
    x = refined(g, x, op_linear_attention(g, q, k, v, &attr));
    graph_pop(g);
    return x;
}

static Var channel_attention(Graph *g, Var x)
{
    const LinearAttentionAttr attr = { .over_channels = true, .eps = EPS };
    graph_push(g, "ca");
    const Var u = unit(g, x);
    x = refined(g, x, op_linear_attention(g, u, u, x, &attr));
    graph_pop(g);
    return x;
}

/* Maps at strides 4 and 8. */
static void aggregate(Graph *g, const FeatureMaps *maps, Var *ret_at4, Var *ret_at8)
{
    const int64_t c4 = channels_of(g, maps->f4), c8 = channels_of(g, maps->f8), c16 = channels_of(g, maps->f16),
                  c32 = channels_of(g, maps->f32);
    graph_push(g, "dcfam");
    const Var side32 = down(g, "down34", position_attention(g, down(g, "down232", maps->f8, c16)), c32);
    const Var out32 = nn_conv(g, "conv4.0", maps->f32, nn_square(c32, 1, 1), ACTIVATION_NONE, side32);
    const Var side16 = down(g, "down231", channel_attention(g, down(g, "down12", maps->f4, c8)), c16);
    const Var out16 = op_add(g, position_attention(g, maps->f16), side16);
    *ret_at8 = op_add(g, channel_attention(g, maps->f8), up(g, "lf4", out32, c16, c8));
    *ret_at4 = nn_conv(g, "conv1.0", maps->f4, nn_square(c4, 1, 1), ACTIVATION_NONE, up(g, "lf3", out16, c8, c4));
    graph_pop(g);
}

static DecoderResult build(Graph *g, Var image, const FeatureMaps *maps, const DecoderOptions *options)
{
    const DropoutAttr dropout = { .p = options->dropout, .per_channel = true };
    const Shape size = graph_value(g, image).shape;
    const ResizeBilinearAttr full = { .height = (int32_t)size.dim[1],
                                      .width = (int32_t)size.dim[2],
                                      .align_corners = true };
    const int64_t channels = channels_of(g, maps->f4);
    Var at4, at8;
    aggregate(g, maps, &at4, &at8);
    const Var doubled = op_resize_nearest(
        g, nn_sequential_conv_bn(g, "up.0", at8, nn_square(channels, 3, 1), ACTIVATION_RELU, VAR_NONE), 2);
    Var x = op_add(g, at4, doubled);
    if (graph_training(g) && options->dropout > 0.0F) x = op_dropout(g, x, &dropout);
    graph_push(g, "segmentation_head");
    x = nn_sequential_conv_bn(g, "0", x, nn_square(channels, 3, 1), ACTIVATION_RELU, VAR_NONE);
    x = nn_conv(g, "1.0", x, nn_square(options->classes, 1, 1), ACTIVATION_NONE, VAR_NONE);
    graph_pop(g);
    return (DecoderResult){ .logits = op_resize_bilinear_to(g, x, &full), .auxiliary = VAR_NONE };
}

/* The published network aligns corners where it enlarges the scores, so that is part of it. */
const DecoderDef decoder_def_dcswin = {
    .reads_maps = true, .size_multiple = 32, .output_stride = 1, .strides = "1", .build = build
};
