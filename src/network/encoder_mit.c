/* SPDX-License-Identifier: Apache-2.0
 *
 * Mix Transformer, the encoder of SegFormer (Xie et al., NeurIPS 2021): patches that overlap, attention whose keys and values are
 * of a map made smaller by a convolution, and a 3x3 convolution of each channel between the two linear layers, which stands for
 * positions. Layers have the names of the files of transformers, whose norms all have eps 1e-5 (the authors' code: 1e-6 in
 * blocks and maps). Maps of any size: patches at the border are filled with zeros, rows and columns that fill no patch of the
 * smaller map are not read as keys.
 */
#include "network/encoder_mit.h"

#include "nn/modules.h"

#include <stdio.h>

enum { STAGES = 4, MLP_RATIO = 4 };
static const float EPS = 1e-5F;
static const double STD = 0.02;
static const int32_t reduction[STAGES] = { 8, 4, 2, 1 }, heads[STAGES] = { 1, 2, 5, 8 };

static Var linear(Graph *g, const char *name, Var x, int64_t channels) { return nn_linear(g, name, x, channels, STD); }

/* residual + a layer of a branch. */
static Var branch(Graph *g, const char *name, Var x, int64_t channels, float drop, Var residual)
{
    const NnLinear layer = { .channels = channels, .std = STD, .bias = true };
    return nn_linear_branch(g, name, x, layer, drop, residual);
}

/* x + attention(h), h the normalised map; in the current scope. */
static Var attention(Graph *g, Var h, int32_t stage, int64_t channels, float drop, Var x)
{
    const int32_t side = reduction[stage];
    const AttentionAttr attr = { .heads = heads[stage], .slots = ATTENTION_PLAIN };
    graph_push(g, "self");
    const Var q = linear(g, "query", h, channels);
    if (side > 1) {
        const NnConv smaller = { .channels = channels, .kernel = side, .stride = side, .bias = true };
        h = nn_layernorm(g, "layer_norm", nn_conv(g, "sr", h, smaller, ACTIVATION_NONE, VAR_NONE), EPS);
    }
    const Var k = linear(g, "key", h, channels), v = linear(g, "value", h, channels);
    graph_pop(g);
    return branch(g, "output.dense", op_attention(g, q, k, v, VAR_NONE, VAR_NONE, &attr), channels, drop, x);
}

static Var block(Graph *g, Var x, int32_t stage, int64_t channels, float drop)
{
    const NnConv depthwise = {
        .channels = MLP_RATIO * channels, .kernel = 3, .stride = 1, .padding = 1, .depthwise = true, .bias = true
    };
    Var h = nn_layernorm(g, "layer_norm_1", x, EPS);
    graph_push(g, "attention");
    x = attention(g, h, stage, channels, drop, x);
    graph_pop(g);
    h = nn_layernorm(g, "layer_norm_2", x, EPS);
    graph_push(g, "mlp");
    h = linear(g, "dense1", h, MLP_RATIO * channels);
    h = op_gelu(g, nn_conv(g, "dwconv.dwconv", h, depthwise, ACTIVATION_NONE, VAR_NONE));
    x = branch(g, "dense2", h, channels, drop, x);
    graph_pop(g);
    return x;
}

static FeatureMaps build(Graph *g, Var image, const void *variant, float drop_path)
{
    const MitVariant *v = variant;
    const int32_t blocks = v->depths[0] + v->depths[1] + v->depths[2] + v->depths[3];
    int32_t number = 0;
    Var maps[STAGES], x = image;
    char name[40];
    for (int32_t s = 0; s < STAGES; s++) {
        const NnConv patches = { .channels = v->channels[s],
                                 .kernel = s == 0 ? 7 : 3,
                                 .stride = s == 0 ? 4 : 2,
                                 .padding = s == 0 ? 3 : 1,
                                 .bias = true };
        (void)snprintf(name, sizeof name, "patch_embeddings.%d", (int)s);
        graph_push(g, name);
        x = nn_layernorm(g, "layer_norm", nn_conv(g, "proj", x, patches, ACTIVATION_NONE, VAR_NONE), EPS);
        graph_pop(g);
        for (int32_t b = 0; b < v->depths[s]; b++) {
            (void)snprintf(name, sizeof name, "block.%d.%d", (int)s, (int)b);
            graph_push(g, name);
            x = block(g, x, s, v->channels[s], nn_drop_path_rate(drop_path, number++, blocks));
            graph_pop(g);
        }
        (void)snprintf(name, sizeof name, "layer_norm.%d", (int)s);
        maps[s] = x = nn_layernorm(g, name, x, EPS);
    }
    return (FeatureMaps){ .f2 = VAR_NONE, .f4 = maps[0], .f8 = maps[1], .f16 = maps[2], .f32 = maps[3] };
}

#define DEPTHS(a, b, c, d) .depths = { a, b, c, d }
#define CHANNELS(a, b, c, d) .channels = { a, b, c, d }
#define MIT(name, ...)                                                                                                 \
    static const MitVariant variant_##name = { __VA_ARGS__ };                                                          \
    const EncoderDef encoder_def_##name = { .decoder = NETWORK_DECODER_segformer,                                      \
                                            .size_multiple = 1,                                                        \
                                            .variant = &variant_##name,                                                \
                                            .drops_paths = true,                                                       \
                                            .drop_path = 0.1,                                                          \
                                            .build = build }

MIT(mit_b0, DEPTHS(2, 2, 2, 2), CHANNELS(32, 64, 160, 256));
MIT(mit_b1, DEPTHS(2, 2, 2, 2), CHANNELS(64, 128, 320, 512));
MIT(mit_b2, DEPTHS(3, 4, 6, 3), CHANNELS(64, 128, 320, 512));
MIT(mit_b3, DEPTHS(3, 4, 18, 3), CHANNELS(64, 128, 320, 512));
MIT(mit_b4, DEPTHS(3, 8, 27, 3), CHANNELS(64, 128, 320, 512));
MIT(mit_b5, DEPTHS(3, 6, 40, 3), CHANNELS(64, 128, 320, 512));
