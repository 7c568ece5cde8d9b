/* SPDX-License-Identifier: Apache-2.0
 * ConvNeXt (Liu et al., "A ConvNet for the 2020s", CVPR 2022) and ConvNeXt V2 (Woo et al., CVPR 2023);
 * docs/model.md. Layers have the names of timm. A stage whose input has an odd side drops the last row or column, as there. */
#include "network/encoder_convnext.h"

#include "nn/modules.h"

#include <stdio.h>
#include <string.h>

static const float eps = 1e-6F;      /* of all norms */
static const double init_std = 0.02; /* of linear layers */
enum { MLP_RATIO = 4 };

/* A convolution of patches that do not overlap. */
static Var patches(Graph *g, const char *name, Var x, int64_t channels, int32_t side)
{
    const NnConv conv = { .channels = channels, .kernel = side, .stride = side, .bias = true };
    return nn_conv(g, name, x, conv, ACTIVATION_NONE, VAR_NONE);
}

static Var response_norm(Graph *g, const char *name, Var x, int64_t channels)
{
    graph_push(g, name);
    const Var weight = graph_param(g, "weight", shape1(channels), (ParamInit){ INIT_ZERO, 0.0 });
    const Var bias = graph_param(g, "bias", shape1(channels), (ParamInit){ INIT_ZERO, 0.0 });
    x = op_grn(g, x, weight, bias, eps);
    graph_pop(g);
    return x;
}

/* x + mlp(norm(conv_dw(x))), in the current scope. */
static Var block(Graph *g, Var x, int64_t channels, bool grn, float drop)
{
    const NnConv depthwise = {
        .channels = channels, .kernel = 7, .stride = 1, .padding = 3, .depthwise = true, .bias = true
    };
    const NnLinear fc1 = { .channels = MLP_RATIO * channels, .std = init_std, .bias = true };
    const NnLinear fc2 = { .channels = channels, .std = init_std, .bias = true };
    Var y = nn_conv(g, "conv_dw", x, depthwise, ACTIVATION_NONE, VAR_NONE);
    y = nn_layernorm(g, "norm", y, eps);
    graph_push(g, "mlp");
    y = nn_linear_act(g, "fc1", y, fc1, ACTIVATION_GELU, VAR_NONE);
    if (grn) y = response_norm(g, "grn", y, fc1.channels);
    y = grn ? nn_linear_branch(g, "fc2", y, fc2, drop, x) : nn_linear_act(g, "fc2", y, fc2, ACTIVATION_NONE, VAR_NONE);
    graph_pop(g);
    if (grn) return y;
    const Var gamma = graph_param(g, "gamma", shape1(channels), (ParamInit){ INIT_CONSTANT, 1e-6 });
    return op_layer_scale(g, nn_drop_path(g, y, drop), gamma, x); /* scaled after dropping: the same product */
}

static FeatureMaps build(Graph *g, Var image, const void *variant, float drop_path)
{
    const ConvnextVariant *v = variant;
    const int32_t blocks = v->depths[0] + v->depths[1] + v->depths[2] + v->depths[3];
    int32_t number = 0;
    Var maps[4];
    Var x = nn_layernorm(g, "stem.1", patches(g, "stem.0", image, v->channels[0], 4), eps);
    for (int32_t s = 0; s < 4; s++) {
        char name[32];
        (void)snprintf(name, sizeof name, "stages.%d", (int)s);
        graph_push(g, name);
        if (s > 0) x = patches(g, "downsample.1", nn_layernorm(g, "downsample.0", x, eps), v->channels[s], 2);
        for (int32_t b = 0; b < v->depths[s]; b++) {
            (void)snprintf(name, sizeof name, "blocks.%d", (int)b);
            graph_push(g, name);
            x = block(g, x, v->channels[s], v->grn, nn_drop_path_rate(drop_path, number++, blocks));
            graph_pop(g);
        }
        graph_pop(g);
        maps[s] = x;
    }
    return (FeatureMaps){ .f2 = VAR_NONE, .f4 = maps[0], .f8 = maps[1], .f16 = maps[2], .f32 = maps[3] };
}

/* timm's files go on to a classifier. */
static bool rename_timm(const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    static const char *const dropped[] = { "head.", NULL };
    return !network_name_starts(published, dropped) && network_rename_start(published, "", "", ret_name);
}

#define DEPTHS(a, b, c, d) .depths = { a, b, c, d }
#define CHANNELS(a) .channels = { a, 2 * (a), 4 * (a), 8 * (a) }
/* rate: of stochastic depth in the authors' training for segmentation (V1: UPerNet on ADE20K), else of classifiers (V2). */
#define CONVNEXT(name, rate, ...)                                                                                      \
    static const ConvnextVariant variant_##name = { __VA_ARGS__ };                                                     \
    const EncoderDef encoder_def_##name = { .decoder = NETWORK_DECODER_upernet,                                        \
                                            .size_multiple = 1,                                                        \
                                            .variant = &variant_##name,                                                \
                                            .drops_paths = true,                                                       \
                                            .drop_path = (rate),                                                       \
                                            .build = build,                                                            \
                                            .rename = rename_timm }

CONVNEXT(convnext_tiny, 0.4, DEPTHS(3, 3, 9, 3), CHANNELS(96));
CONVNEXT(convnext_small, 0.3, DEPTHS(3, 3, 27, 3), CHANNELS(96));
CONVNEXT(convnext_base, 0.4, DEPTHS(3, 3, 27, 3), CHANNELS(128));
CONVNEXT(convnext_large, 0.4, DEPTHS(3, 3, 27, 3), CHANNELS(192));
CONVNEXT(convnextv2_atto, 0.1, DEPTHS(2, 2, 6, 2), CHANNELS(40), .grn = true);
CONVNEXT(convnextv2_femto, 0.1, DEPTHS(2, 2, 6, 2), CHANNELS(48), .grn = true);
CONVNEXT(convnextv2_pico, 0.1, DEPTHS(2, 2, 6, 2), CHANNELS(64), .grn = true);
CONVNEXT(convnextv2_nano, 0.1, DEPTHS(2, 2, 8, 2), CHANNELS(80), .grn = true);
CONVNEXT(convnextv2_tiny, 0.2, DEPTHS(3, 3, 9, 3), CHANNELS(96), .grn = true);
CONVNEXT(convnextv2_small, 0.2, DEPTHS(3, 3, 27, 3), CHANNELS(96), .grn = true);
CONVNEXT(convnextv2_base, 0.1, DEPTHS(3, 3, 27, 3), CHANNELS(128), .grn = true);
CONVNEXT(convnextv2_large, 0.2, DEPTHS(3, 3, 27, 3), CHANNELS(192), .grn = true);
