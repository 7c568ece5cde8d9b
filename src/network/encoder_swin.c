/* SPDX-License-Identifier: Apache-2.0
 *
 * Swin Transformer (Liu et al., ICCV 2021, doi:10.1109/ICCV48922.2021.00986): patches of 4 x 4 pixels, four stages of blocks
 * with attention inside windows, every second block with shifted windows, patch merging between stages. Three implementations have trained weights, and differ where
 * maps are no multiples of the window or smaller than it:
 *   timm         rolls a map before it pads it; no shift where a map is not larger than the window
 *   torchvision  pads before it rolls; no shift where a padded map is not larger than the window; drops pixels at the border
 *                that do not fill a patch, where the others add zeros
 *   the authors' segmentation code, and GeoSeg, pads before it rolls, always shifts, normalises each map that it gives
 *   torchvision's Swin Transformer V2 (Liu et al., CVPR 2022, doi:10.1109/CVPR52688.2022.01170; SatlasPretrain's) is as its V1, with
 *                cosine attention, a bias that is a function of distances, and norms after, not before, attention, MLP and merging
 * Each has its own names of parameters. All pad after the normalisation, so that padding has the bias of the next layer as its queries, keys and values, and all
 * order the parts of a merged patch by columns.
 */
#include "network/encoder_swin.h"

#include "base/str.h"
#include "nn/modules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PATCH = 4 };
static const float EPS = 1e-5F;
static const double STD = 0.02;

/* Has torchvision's names and padding. */
static bool is_torchvision(const SwinVariant *variant)
{
    return variant->kind == SWIN_TORCHVISION || variant->kind == SWIN_V2;
}

/* A fully connected layer, with bias. */
static NnLinear linear(int64_t channels) { return (NnLinear){ .channels = channels, .std = STD, .bias = true }; }

static int32_t shift_of(const SwinVariant *variant, int64_t length)
{
    if (variant->kind != SWIN_SEGMENTATION && length <= variant->window) return 0;
    return variant->window / 2;
}

/* Cosine attention with a bias that is a function of distances. */
static Var cosine_attention(Graph *g, Var h, const WindowAttentionAttr *attr)
{
    enum { HIDDEN = 512 };
    const Shape shape = graph_value(g, h).shape;
    const int64_t channels = shape.rank == 4 ? shape.dim[3] : 0;
    const ParamInit zero = { INIT_ZERO, 0.0 }, normal = { INIT_NORMAL, STD };
    const NnLinear inner = { .channels = 3 * channels, .std = STD };
    const Var scale = graph_param_nodecay(g, "logit_scale", (Shape){ 3, { attr->heads, 1, 1 } },
                                          (ParamInit){ INIT_CONSTANT, 2.302585093 });
    const Var bias = graph_param(g, "qkv.bias", shape1(3 * channels), zero);
    const Var y = op_cosine_qkv(g, nn_linear_act(g, "qkv", h, inner, ACTIVATION_NONE, VAR_NONE), bias, scale);
    graph_push(g, "cpb_mlp");
    const Var weight1 = graph_param(g, "0.weight", shape2(HIDDEN, 2), (ParamInit){ INIT_NORMAL, 0.5 });
    const Var bias1 = graph_param(g, "0.bias", shape1(HIDDEN), zero);
    const Var table = op_relative_bias(g, weight1, bias1,
                                       graph_param(g, "2.weight", shape2(attr->heads, HIDDEN), normal), attr->window);
    graph_pop(g);
    return op_window_attention(g, y, table, graph_result(g, y, 1), attr);
}

/* Attention of the normalised map h, in the current scope. */
static Var attention(Graph *g, Var h, const SwinVariant *variant, int32_t heads, bool shifted)
{
    const Shape shape = graph_value(g, h).shape;
    const int64_t *dim = shape.dim, channels = dim[3], side = 2 * (int64_t)variant->window - 1;
    WindowAttentionAttr attr = { .heads = heads, .window = variant->window, .roll_first = variant->kind == SWIN_TIMM };
    if (shifted) {
        attr.shift_y = shift_of(variant, dim[1]);
        attr.shift_x = shift_of(variant, dim[2]);
    }
    if (variant->kind == SWIN_V2) return cosine_attention(g, h, &attr);
    const bool padded = dim[1] % variant->window != 0 || dim[2] % variant->window != 0;
    const Var qkv = nn_linear_act(g, "qkv", h, linear(3 * channels), ACTIVATION_NONE, VAR_NONE);
    const Var table = graph_param_nodecay(g, "relative_position_bias_table", shape2(side * side, heads),
                                          (ParamInit){ INIT_NORMAL, STD });
    const Var padding =
        padded ? graph_param(g, "qkv.bias", shape1(3 * channels), (ParamInit){ INIT_ZERO, 0.0 }) : VAR_NONE;
    return op_window_attention(g, qkv, table, padding, &attr);
}

/* A block of V2: norms close the branches. */
static Var block_v2(Graph *g, Var x, const SwinVariant *variant, int32_t heads, bool shifted, float drop)
{
    const Shape shape = graph_value(g, x).shape;
    const int64_t channels = shape.rank == 4 ? shape.dim[3] : 0;
    for (int half = 0; half < 2; half++) {
        graph_push(g, half == 0 ? "attn" : "mlp");
        Var h = half == 0 ? attention(g, x, variant, heads, shifted)
                          : nn_linear_act(g, "0", x, linear(4 * channels), ACTIVATION_GELU, VAR_NONE);
        h = nn_linear_act(g, half == 0 ? "proj" : "3", h, linear(channels), ACTIVATION_NONE, VAR_NONE);
        graph_pop(g);
        h = nn_layernorm(g, half == 0 ? "norm1" : "norm2", h, EPS);
        x = op_add(g, nn_drop_path(g, h, drop), x);
    }
    return x;
}

static Var block(Graph *g, Var x, const SwinVariant *variant, int32_t heads, bool shifted, float drop)
{
    const Shape shape = graph_value(g, x).shape;
    const int64_t channels = shape.dim[3];
    const bool own = !is_torchvision(variant);
    if (variant->kind == SWIN_V2) return block_v2(g, x, variant, heads, shifted, drop);
    Var h = nn_layernorm(g, "norm1", x, EPS);
    graph_push(g, "attn");
    h = attention(g, h, variant, heads, shifted);
    x = nn_linear_branch(g, "proj", h, linear(channels), drop, x);
    graph_pop(g);
    h = nn_layernorm(g, "norm2", x, EPS);
    graph_push(g, "mlp");
    h = nn_linear_act(g, own ? "fc1" : "0", h, linear(4 * channels), ACTIVATION_GELU, VAR_NONE);
    x = nn_linear_branch(g, own ? "fc2" : "3", h, linear(channels), drop, x);
    graph_pop(g);
    return x;
}

/* Patches of an image that does not divide are filled with zeros at the bottom and the right. */
static Var patch_embedding(Graph *g, Var image, const SwinVariant *variant)
{
    const Shape shape = graph_value(g, image).shape;
    const int64_t *dim = shape.dim, bands = dim[3];
    const bool fills = !is_torchvision(variant);
    const Conv2dAttr attr = { .stride = PATCH,
                              .groups = 1,
                              .bottom = fills ? (int32_t)((PATCH - dim[1] % PATCH) % PATCH) : 0,
                              .right = fills ? (int32_t)((PATCH - dim[2] % PATCH) % PATCH) : 0 };
    const double std = sqrt(1.0 / (double)(bands * PATCH * PATCH));
    const bool own = !is_torchvision(variant);
    graph_push(g, own ? "patch_embed.proj" : "features.0.0");
    const Var weight =
        graph_param(g, "weight", shape4(variant->channels, bands, PATCH, PATCH), (ParamInit){ INIT_NORMAL, std });
    const Var bias = graph_param(g, "bias", shape1(variant->channels), (ParamInit){ INIT_ZERO, 0.0 });
    const Var x = op_conv2d(g, image, weight, bias, CONV2D_FOLD_NONE, attr);
    graph_pop(g);
    return nn_layernorm(g, own ? "patch_embed.norm" : "features.0.2", x, EPS);
}

/* Scope of stage s, or of the merging before it. */
static void push_stage(Graph *g, const SwinVariant *variant, int32_t s, bool merging)
{
    char name[48];
    if (is_torchvision(variant))
        (void)snprintf(name, sizeof name, "features.%d", (int)(merging ? 2 * s : 2 * s + 1));
    else
        (void)snprintf(name, sizeof name, "layers.%d%s",
                       (int)(merging && variant->kind == SWIN_SEGMENTATION ? s - 1 : s), merging ? ".downsample" : "");
    graph_push(g, name);
}

static Var patch_merging(Graph *g, Var x, const SwinVariant *variant, int32_t s)
{
    const NnLinear reduction = { .channels = variant->channels << s, .std = STD };
    push_stage(g, variant, s, true);
    x = op_space_to_depth(g, x, 2, true);
    if (variant->kind != SWIN_V2) x = nn_layernorm(g, "norm", x, EPS);
    x = nn_linear_act(g, "reduction", x, reduction, ACTIVATION_NONE, VAR_NONE);
    if (variant->kind == SWIN_V2) x = nn_layernorm(g, "norm", x, EPS);
    graph_pop(g);
    return x;
}

/* The blocks of all stages. */
typedef struct Depth {
    float drop_path;
    int32_t block, blocks; /* the next one, of so many */
} Depth;

static Var stage(Graph *g, Var x, const SwinVariant *variant, int32_t s, Depth *depth)
{
    char name[32];
    if (s > 0) x = patch_merging(g, x, variant, s);
    push_stage(g, variant, s, false);
    for (int32_t i = 0; i < variant->depths[s]; i++) {
        const float drop = nn_drop_path_rate(depth->drop_path, depth->block++, depth->blocks);
        (void)snprintf(name, sizeof name, is_torchvision(variant) ? "%d" : "blocks.%d", (int)i);
        graph_push(g, name);
        x = block(g, x, variant, variant->heads[s], i % 2 == 1, drop);
        graph_pop(g);
    }
    graph_pop(g);
    return x;
}

static FeatureMaps build(Graph *g, Var image, const void *which, float drop_path)
{
    const SwinVariant *variant = which;
    Var x = patch_embedding(g, image, variant), maps[SWIN_STAGES];
    Depth depth = { .drop_path = drop_path };
    for (int32_t s = 0; s < SWIN_STAGES; s++) depth.blocks += variant->depths[s];
    for (int32_t s = 0; s < SWIN_STAGES; s++) {
        char name[16];
        x = stage(g, x, variant, s, &depth);
        (void)snprintf(name, sizeof name, "norm%d", (int)s);
        maps[s] = variant->kind == SWIN_SEGMENTATION ? nn_layernorm(g, name, x, EPS) : x;
    }
    return (FeatureMaps){ .f2 = VAR_NONE, .f4 = maps[0], .f8 = maps[1], .f16 = maps[2], .f32 = maps[3] };
}

/* Classifiers and their norm give no map; masks are made here. timm's networks of feature maps write layers_0 for layers.0. */
static bool rename_own(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    static const char *const dropped[] = { "head.", "norm.", NULL };
    static const char *const made[] = { ".attn_mask", ".relative_position_index", ".relative_coords_table", NULL };
    return !network_name_starts(published, dropped) && !network_name_ends(published, made) &&
           (network_rename_start(published, "layers_", "layers.", ret_name) ||
            network_rename_start(published, "", "", ret_name));
}

/* Depths and heads by size; rate: of stochastic depth, as in the package. */
#define TINY .channels = 96, .depths = { 2, 2, 6, 2 }, .heads = { 3, 6, 12, 24 }
#define SMALL .channels = 96, .depths = { 2, 2, 18, 2 }, .heads = { 3, 6, 12, 24 }
#define BASE .channels = 128, .depths = { 2, 2, 18, 2 }, .heads = { 4, 8, 16, 32 }
#define SWIN(name, rate, ...)                                                                                          \
    const EncoderDef encoder_def_##name = { .decoder = NETWORK_DECODER_unetformer,                                     \
                                            .size_multiple = 1,                                                        \
                                            .variant = &(const SwinVariant){ __VA_ARGS__ },                            \
                                            .drops_paths = true,                                                       \
                                            .drop_path = (rate),                                                       \
                                            .build = build,                                                            \
                                            .rename = rename_own };

SWIN(swin_t, 0.1, TINY, .window = 7, .kind = SWIN_TIMM)
SWIN(swin_s, 0.1, SMALL, .window = 7, .kind = SWIN_TIMM)
SWIN(swin_b, 0.1, BASE, .window = 7, .kind = SWIN_TIMM)
SWIN(swin_b_w12, 0.1, BASE, .window = 12, .kind = SWIN_TIMM)
SWIN(swin_t_torchvision, 0.2, TINY, .window = 7, .kind = SWIN_TORCHVISION)
SWIN(swin_s_torchvision, 0.3, SMALL, .window = 7, .kind = SWIN_TORCHVISION)
SWIN(swin_b_torchvision, 0.5, BASE, .window = 7, .kind = SWIN_TORCHVISION)
SWIN(swin_t_seg, 0.3, TINY, .window = 7, .kind = SWIN_SEGMENTATION)
SWIN(swin_s_seg, 0.3, SMALL, .window = 7, .kind = SWIN_SEGMENTATION)
SWIN(swin_b_seg, 0.3, BASE, .window = 7, .kind = SWIN_SEGMENTATION)
SWIN(swin_v2_t, 0.2, TINY, .window = 8, .kind = SWIN_V2)
SWIN(swin_v2_s, 0.3, SMALL, .window = 8, .kind = SWIN_V2)
SWIN(swin_v2_b, 0.5, BASE, .window = 8, .kind = SWIN_V2)
