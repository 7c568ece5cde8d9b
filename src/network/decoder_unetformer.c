/* SPDX-License-Identifier: Apache-2.0
 * UNetFormer decoder (Wang et al., ISPRS Journal 190, 2022, doi:10.1016/j.isprsjprs.2022.06.008): global-local blocks,
 * weighted skip sums, feature refinement head, and finer stages of our own; docs/model.md section 4. FT-UNetFormer, its
 * larger sister in the same authors' GeoSeg, reads skip maps with 3x3 convolutions and has its norms after, not inside, separable
 * convolutions. */
#include "network/network_parts.h"

#include "nn/modules.h"

enum { WINDOW = 8 };

/* Which of the two decoders. */
typedef struct Style {
    int64_t width;
    int32_t heads;
    bool ft; /* FT-UNetFormer */
} Style;

static NnConv depthwise(int64_t channels, int32_t kernel, int32_t padding)
{
    return (NnConv){ .channels = channels, .kernel = kernel, .stride = 1, .padding = padding, .depthwise = true };
}

/* proj: depthwise, BatchNorm, 1x1; FT-UNetFormer: depthwise, 1x1, BatchNorm. */
static Var projection(Graph *g, Var x, const Style *style, int32_t kernel, int32_t padding, Var residual)
{
    const NnConv first = depthwise(style->width, kernel, padding), last = nn_square(style->width, 1, 1);
    graph_push(g, "proj");
    Var y;
    if (style->ft) {
        y = nn_conv(g, "0", x, first, ACTIVATION_NONE, VAR_NONE);
        y = nn_conv_bn(g, "1", "2", y, last, NN_BATCHNORM, ACTIVATION_NONE, residual);
    } else {
        y = nn_conv_bn(g, "0", "1", x, first, NN_BATCHNORM, ACTIVATION_NONE, VAR_NONE);
        y = nn_conv(g, "2", y, last, ACTIVATION_NONE, residual);
    }
    graph_pop(g);
    return y;
}

/* Rows or columns missing to whole windows. */
static int32_t missing(int64_t length) { return (int32_t)((WINDOW - length % WINDOW) % WINDOW); }

/* Attention in windows over the map, filled up to whole windows by reflection. */
static Var windows(Graph *g, Var x, const Style *style)
{
    const WindowAttentionAttr attr = { .heads = style->heads, .window = WINDOW };
    const Shape shape = graph_value(g, x).shape;
    const int32_t bottom = missing(shape.dim[1]), right = missing(shape.dim[2]);
    if (bottom > 0 || right > 0) x = op_pad_reflect(g, x, bottom, right);
    const Var qkv = nn_conv(g, "qkv.0", x, nn_square(3 * style->width, 1, 1), ACTIVATION_NONE, VAR_NONE);
    const Var table = graph_param_nodecay(g, "relative_position_bias_table",
                                          shape2((2 * WINDOW - 1) * (2 * WINDOW - 1), style->heads),
                                          (ParamInit){ INIT_NORMAL, 0.02 });
    const Var y = op_window_attention(g, qkv, table, VAR_NONE, &attr);
    return bottom > 0 || right > 0 ? op_crop(g, y, shape.dim[1], shape.dim[2]) : y;
}

/* Window attention and cross-window pooling beside two convolutions; adds the residual. */
static Var global_local_attention(Graph *g, Var x, const Style *style, Var residual)
{
    const int64_t width = style->width;
    graph_push(g, "attn");
    const Var local1 = nn_sequential_conv_bn(g, "local1", x, nn_square(width, 3, 1), ACTIVATION_NONE, VAR_NONE);
    const Var local = nn_sequential_conv_bn(g, "local2", x, nn_square(width, 1, 1), ACTIVATION_NONE, local1);
    Var y = op_cross_window_pool(g, windows(g, x, style), WINDOW);
    y = op_pad_reflect(g, op_add(g, y, local), 1, 1);
    y = projection(g, y, style, WINDOW, WINDOW / 2 - 1, residual);
    graph_pop(g);
    return y;
}

static Var global_local_block(Graph *g, const char *name, Var x, const Style *style)
{
    NnConv fc1 = nn_square(4 * style->width, 1, 1), fc2 = nn_square(style->width, 1, 1);
    fc1.bias = fc2.bias = true;
    graph_push(g, name);
    x = global_local_attention(g, nn_batchnorm(g, "norm1", x, NN_BATCHNORM, ACTIVATION_NONE), style, x);
    Var h = nn_batchnorm(g, "norm2", x, NN_BATCHNORM, ACTIVATION_NONE);
    graph_push(g, "mlp");
    h = nn_conv(g, "fc1", h, fc1, ACTIVATION_RELU6, VAR_NONE);
    x = nn_conv(g, "fc2", h, fc2, ACTIVATION_NONE, x);
    graph_pop(g);
    graph_pop(g);
    return x;
}

/* Weighted sum of a skip map, already projected, and x at twice its size; in the current scope. */
static Var joined(Graph *g, Var x, Var from_skip)
{
    const Var up = op_resize_bilinear(g, x, 2);
    const Var weights = graph_param(g, "weights", shape1(2), (ParamInit){ INIT_ONE, 0.0 });
    return op_weighted_sum(g, from_skip, up, weights, 1e-8F);
}

/* post_conv of the weighted sum with a skip map; in the current scope. */
static Var weighted_skip(Graph *g, Var x, Var skip, const Style *style)
{
    const Var from_skip =
        style->ft ? nn_sequential_conv_bn(g, "pre_conv", skip, nn_square(style->width, 3, 1), ACTIVATION_NONE, VAR_NONE)
                  : nn_conv(g, "pre_conv.0", skip, nn_square(style->width, 1, 1), ACTIVATION_NONE, VAR_NONE);
    return nn_sequential_conv_bn(g, "post_conv", joined(g, x, from_skip), nn_square(style->width, 3, 1),
                                 ACTIVATION_RELU6, VAR_NONE);
}

static Var skip_module(Graph *g, const char *name, Var x, Var skip, const Style *style)
{
    graph_push(g, name);
    x = weighted_skip(g, x, skip, style);
    graph_pop(g);
    return x;
}

/* Feature refinement head: spatial and channel attention at stride 4. */
static Var feature_refinement(Graph *g, const char *name, Var x, Var skip, const Style *style)
{
    const int64_t width = style->width;
    NnConv pixel = depthwise(width, 3, 1);
    pixel.bias = true;
    graph_push(g, name);
    x = weighted_skip(g, x, skip, style);
    const Var shortcut = nn_sequential_conv_bn(g, "shortcut", x, nn_square(width, 1, 1), ACTIVATION_NONE, VAR_NONE);
    const Var pa = op_multiply(g, nn_conv(g, "pa.0", x, pixel, ACTIVATION_SIGMOID, VAR_NONE), x);
    Var gate = op_global_average_pool(g, x);
    gate = nn_conv(g, "ca.1.0", gate, nn_square(width / 16, 1, 1), ACTIVATION_RELU6, VAR_NONE);
    gate = nn_conv(g, "ca.3.0", gate, nn_square(width, 1, 1), ACTIVATION_SIGMOID, VAR_NONE);
    const Var both = op_add(g, pa, op_channel_scale(g, x, gate));
    const Var y = projection(g, both, style, 3, 1, shortcut);
    graph_pop(g);
    return op_activation(g, y, ACTIVATION_RELU6);
}

/* x + pointwise(depthwise(x)). */
static Var fine_block(Graph *g, const char *name, Var x, int64_t width)
{
    graph_push(g, name);
    const Var y = nn_sequential_conv_bn(g, "depthwise", x, depthwise(width, 3, 1), ACTIVATION_RELU6, VAR_NONE);
    x = nn_sequential_conv_bn(g, "pointwise", y, nn_square(width, 1, 1), ACTIVATION_NONE, x);
    graph_pop(g);
    return x;
}

/* Brings x to twice its resolution with what a skip map shows there, at a width that full maps can afford. kernel: of
 * the convolution that reads the skip map. */
static Var fine_stage(Graph *g, const char *name, Var x, Var skip, int32_t kernel, int64_t width)
{
    if (!var_exists(skip)) {
        graph_fail(g, "the encoder has no map at stride 2, which output strides 2 and 1 need");
        return VAR_NONE;
    }
    graph_push(g, name);
    x = nn_sequential_conv_bn(g, "reduce", x, nn_square(width, 1, 1), ACTIVATION_NONE, VAR_NONE);
    x = joined(g, x, nn_conv(g, "pre_conv.0", skip, nn_square(width, kernel, 1), ACTIVATION_NONE, VAR_NONE));
    x = fine_block(g, "block1", x, width);
    x = fine_block(g, "block2", x, width);
    x = fine_block(g, "block3", x, width);
    graph_pop(g);
    return x;
}

/* At stride 4 it begins with a 3x3 convolution, whose place the blocks of the finer stages take. */
static Var segmentation_head(Graph *g, Var x, const DecoderOptions *options)
{
    const DropoutAttr dropout = { .p = options->dropout, .per_channel = true };
    graph_push(g, "segmentation_head");
    if (options->output_stride == 4)
        x = nn_sequential_conv_bn(g, "0", x, nn_square(options->width, 3, 1), ACTIVATION_RELU6, VAR_NONE);
    if (graph_training(g) && options->dropout > 0.0F) x = op_dropout(g, x, &dropout);
    x = nn_conv(g, "2.0", x, nn_square(options->classes, 1, 1), ACTIVATION_NONE, VAR_NONE);
    graph_pop(g);
    return x;
}

static Var auxiliary_head(Graph *g, Var h4, Var h3, Var h2, const DecoderOptions *options)
{
    const DropoutAttr dropout = { .p = options->dropout, .per_channel = false };
    graph_push(g, "aux_head");
    const Var up4 = op_resize_bilinear(g, h4, 4);
    const Var up3 = op_resize_bilinear(g, h3, 2);
    Var a = op_add(g, op_add(g, up4, up3), h2);
    a = nn_sequential_conv_bn(g, "conv", a, nn_square(options->width, 3, 1), ACTIVATION_RELU6, VAR_NONE);
    if (options->dropout > 0.0F) a = op_dropout(g, a, &dropout);
    a = nn_conv(g, "conv_out.0", a, nn_square(options->classes, 1, 1), ACTIVATION_NONE, VAR_NONE);
    graph_pop(g);
    return op_resize_bilinear(g, a, 8);
}

static DecoderResult build_detail(Graph *g, Var image, const FeatureMaps *maps, const DecoderOptions *options)
{
    (void)maps;
    const Var x = detail_branch(g, image, VAR_NONE, options->detail_width);
    return (DecoderResult){ .logits = segmentation_head(g, x, options), .auxiliary = VAR_NONE };
}

/* Scores at stride 2 from the detail branch alone. */
const DecoderDef decoder_def_detail = { .size_multiple = 2, .output_stride = 2, .strides = "2", .build = build_detail };

/* The decoder down to stride 4; ret_levels: its maps at strides 32, 16 and 8. */
static Var refined(Graph *g, const FeatureMaps *maps, const Style *style, Var ret_levels[3])
{
    const Var first =
        nn_sequential_conv_bn(g, "pre_conv", maps->f32, nn_square(style->width, 1, 1), ACTIVATION_NONE, VAR_NONE);
    ret_levels[0] = global_local_block(g, "b4", first, style);
    ret_levels[1] = global_local_block(g, "b3", skip_module(g, "p3", ret_levels[0], maps->f16, style), style);
    ret_levels[2] = global_local_block(g, "b2", skip_module(g, "p2", ret_levels[1], maps->f8, style), style);
    return feature_refinement(g, "p1", ret_levels[2], maps->f4, style);
}

static DecoderResult build(Graph *g, Var image, const FeatureMaps *maps, const DecoderOptions *options)
{
    const Style style = { .width = options->width, .heads = options->heads };
    const int64_t width = options->width;
    Var levels[3];
    Var x = refined(g, maps, &style, levels);
    if (options->detail_width > 0)
        x = detail_branch(g, image, x, options->detail_width);
    else if (options->output_stride <= 2)
        x = fine_stage(g, "fine2", x, maps->f2, 1, width);
    if (options->output_stride == 1) x = fine_stage(g, "fine1", x, image, 3, width / 4);
    DecoderResult result = { .logits = segmentation_head(g, x, options), .auxiliary = VAR_NONE };
    if (options->auxiliary) result.auxiliary = auxiliary_head(g, levels[0], levels[1], levels[2], options);
    return result;
}

const DecoderDef decoder_def_unetformer = {
    .reads_maps = true,
    .size_multiple = 32,
    .output_stride = 4,
    .strides = "4, 2, 1",
    .reads_f2 = true,
    .has_width = true,
    .has_heads = true,
    .build = build,
};

static DecoderResult build_ft(Graph *g, Var image, const FeatureMaps *maps, const DecoderOptions *options)
{
    const Style style = { .width = options->width, .heads = options->heads, .ft = true };
    Var levels[3];
    (void)image;
    const Var x = refined(g, maps, &style, levels);
    DecoderResult result = { .logits = segmentation_head(g, x, options), .auxiliary = VAR_NONE };
    if (options->auxiliary) result.auxiliary = auxiliary_head(g, levels[0], levels[1], levels[2], options);
    return result;
}

const DecoderDef decoder_def_ft_unetformer = {
    .reads_maps = true,
    .size_multiple = 32,
    .output_stride = 4,
    .strides = "4",
    .has_width = true,
    .has_heads = true,
    .build = build_ft,
};
