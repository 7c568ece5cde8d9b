/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain vision transformers as DINOv2 (Oquab et al. 2023; with registers Darcet et al. 2023) and DINOv3 (Simeoni et al. 2025)
 * publish them, named as in timm, under a simple feature pyramid (Li et al., ViTDet, 2022; named as in detectron2).
 * DINOv2: patches of 14 pixels, learned positions, interpolated to the map as timm does (bicubic, antialiased). The image is
 * first resized to 7/8 of its size, so that a patch stands for 16 pixels and all maps have whole strides.
 * DINOv3: patches of 16 pixels, rotary positions; queries and values have a bias, keys have none.
 */
#include "network/encoder_vit.h"

#include "network/encoder.h"

#include "nn/modules.h"

#include <stdio.h>

enum { STRIDE = 16, SIDE_MULTIPLE = 32 };
static const float rotary_base = 100.0F;
static const float pyramid_eps = 1e-6F;
static const double weight_std = 0.02;

/* The image as patches [B, h, w, width]. */
static Var patches(Graph *g, Var image, const VitVariant *v)
{
    const NnConv conv = { .channels = v->width, .kernel = v->patch, .stride = v->patch, .bias = true };
    const Shape shape = graph_value(g, image).shape;
    if (v->patch != STRIDE && shape.rank == 4) {
        const ResizeBilinearAttr size = { .height = (int32_t)(shape.dim[1] / STRIDE * v->patch),
                                          .width = (int32_t)(shape.dim[2] / STRIDE * v->patch) };
        image = op_resize_bilinear_to(g, image, &size);
    }
    return nn_conv(g, "patch_embed.proj", image, conv, ACTIVATION_NONE, VAR_NONE);
}

static Var token(Graph *g, const char *name, int64_t count, int64_t width)
{
    return graph_param_nodecay(g, name, shape3(1, count, width), (ParamInit){ INIT_NORMAL, weight_std });
}

/* Patches with learned positions, behind the class token and the registers: [B, 1 + registers + h w, width]. */
static Var tokens(Graph *g, Var x, const VitVariant *v)
{
    const Shape map = graph_value(g, x).shape;
    Var first = token(g, "cls_token", 1, v->width);
    if (v->registers > 0) first = op_concat_tokens(g, first, token(g, "reg_token", v->registers, v->width));
    if (v->positions > 0 && map.rank == 4) {
        const int64_t count = v->positions * v->positions, before = v->class_position ? 1 : 0;
        const ResizeBicubicAttr size = { .height = map.dim[1], .width = map.dim[2], .antialias = true };
        const Var all = token(g, "pos_embed", count + before, v->width);
        Var own = before > 0 ? op_slice(g, all, 1, before, count) : all;
        own = op_reshape(g, own, shape4(1, v->positions, v->positions, v->width));
        if (map.dim[1] != v->positions || map.dim[2] != v->positions) own = op_resize_bicubic(g, own, &size);
        x = op_add(g, x, own);
        if (before > 0) first = op_add(g, first, op_slice(g, all, 1, 0, 1));
    }
    return op_concat_tokens(g, first, x);
}

/* Queries, keys or values (part 0, 1, 2) of qkv [B, N, 3 width]; DINOv3 has their bias apart. */
static Var part_of(Graph *g, Var qkv, int32_t part, const char *bias, const VitVariant *v)
{
    const Var x = op_slice(g, qkv, 2, part * v->width, v->width);
    if (v->positions > 0 || bias == NULL) return x;
    return op_add(g, x, graph_param(g, bias, shape1(v->width), (ParamInit){ INIT_ZERO, 0.0 }));
}

static Var attention(Graph *g, Var x, const VitVariant *v, const RotaryAttr *rotary)
{
    const AttentionAttr attr = { .heads = v->heads, .slots = ATTENTION_PLAIN };
    const NnLinear linear = { .channels = 3 * v->width, .std = weight_std, .bias = v->positions > 0 };
    graph_push(g, "attn");
    const Var qkv = nn_linear_act(g, "qkv", x, linear, ACTIVATION_NONE, VAR_NONE);
    Var query = part_of(g, qkv, 0, "q_bias", v), key = part_of(g, qkv, 1, NULL, v);
    const Var value = part_of(g, qkv, 2, "v_bias", v);
    if (v->positions == 0) {
        query = op_rotary(g, query, rotary);
        key = op_rotary(g, key, rotary);
    }
    x = op_attention(g, query, key, value, VAR_NONE, VAR_NONE, &attr);
    x = nn_linear(g, "proj", x, v->width, weight_std);
    graph_pop(g);
    return x;
}

/* The end of a branch; scaled after dropping, which is the same product. */
static Var scaled(Graph *g, const char *gamma, Var x, float drop, Var residual, const VitVariant *v)
{
    x = nn_drop_path(g, x, drop);
    return op_layer_scale(g, x, graph_param(g, gamma, shape1(v->width), (ParamInit){ INIT_ONE, 0.0 }), residual);
}

static Var block(Graph *g, Var x, const VitVariant *v, const RotaryAttr *rotary, float drop)
{
    const NnLinear wide = { .channels = 4 * v->width, .std = weight_std, .bias = true };
    const bool learned = v->positions > 0;
    Var y = attention(g, nn_layernorm(g, "norm1", x, v->eps), v, rotary);
    x = scaled(g, learned ? "ls1.gamma" : "gamma_1", y, drop, x, v);
    y = nn_layernorm(g, "norm2", x, v->eps);
    y = nn_linear_act(g, "mlp.fc1", y, wide, ACTIVATION_GELU, VAR_NONE);
    y = nn_linear(g, "mlp.fc2", y, v->width, weight_std);
    return scaled(g, learned ? "ls2.gamma" : "gamma_2", y, drop, x, v);
}

/* Twice the size, half the channels; number: of the module in its Sequential. */
static Var enlarge(Graph *g, int32_t number, Var x, int64_t channels)
{
    char name[16];
    (void)snprintf(name, sizeof name, "%d", (int)number);
    graph_push(g, name);
    const Var weight = graph_param(g, "weight", shape4(2 * channels, channels, 2, 2), (ParamInit){ INIT_NORMAL, 0.02 });
    x = op_conv_transpose2d(g, x, weight, graph_param(g, "bias", shape1(channels), (ParamInit){ INIT_ZERO, 0.0 }));
    graph_pop(g);
    return x;
}

/* A convolution without bias, and its LayerNorm. */
static Var conv_norm(Graph *g, int32_t number, Var x, int32_t kernel, const VitVariant *v)
{
    const NnConv conv = { .channels = v->pyramid, .kernel = kernel, .stride = 1, .padding = kernel / 2 };
    char name[16];
    (void)snprintf(name, sizeof name, "%d", (int)number);
    x = nn_conv(g, name, x, conv, ACTIVATION_NONE, VAR_NONE);
    (void)snprintf(name, sizeof name, "%d.norm", (int)number);
    return nn_layernorm(g, name, x, pyramid_eps);
}

/* The map of 2^level pixels from that of 16. */
static Var pyramid_level(Graph *g, int32_t level, Var x, const VitVariant *v)
{
    char name[16];
    int32_t number = 0;
    (void)snprintf(name, sizeof name, "simfp_%d", (int)level);
    graph_push(g, name);
    if (level <= 3) x = enlarge(g, number++, x, v->width / 2);
    if (level == 2) {
        x = op_gelu(g, nn_layernorm(g, "1", x, pyramid_eps));
        number = 3;
        x = enlarge(g, number++, x, v->width / 4);
    }
    if (level == 5) {
        x = op_max_pool(g, x, 2, 2, 0);
        number++;
    }
    x = conv_norm(g, number, x, 1, v);
    x = conv_norm(g, number + 1, x, 3, v);
    graph_pop(g);
    return x;
}

static FeatureMaps build(Graph *g, Var image, const void *variant, float drop_path)
{
    const VitVariant *v = variant;
    FeatureMaps maps = { VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE };
    Var x = patches(g, image, v);
    const Shape map = graph_value(g, x).shape;
    if (map.rank != 4) return maps; /* an error before */
    const int64_t first = 1 + v->registers;
    const RotaryAttr rotary = {
        .heads = v->heads, .first = first, .height = map.dim[1], .width = map.dim[2], .base = rotary_base
    };
    x = tokens(g, x, v);
    for (int32_t i = 0; i < v->depth; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "blocks.%d", (int)i);
        graph_push(g, name);
        x = block(g, x, v, &rotary, nn_drop_path_rate(drop_path, i, v->depth));
        graph_pop(g);
    }
    x = nn_layernorm(g, "norm", x, v->eps);
    x = op_reshape(g, op_slice(g, x, 1, first, map.dim[1] * map.dim[2]), map);
    maps.f4 = pyramid_level(g, 2, x, v);
    maps.f8 = pyramid_level(g, 3, x, v);
    maps.f16 = pyramid_level(g, 4, x, v);
    maps.f32 = pyramid_level(g, 5, x, v);
    return maps;
}

/* Width, depth, heads of S, B and L. */
#define VIT_S .width = 384, .depth = 12, .heads = 6, .pyramid = 256
#define VIT_B .width = 768, .depth = 12, .heads = 12, .pyramid = 256
#define VIT_L .width = 1024, .depth = 24, .heads = 16, .pyramid = 256
#define DINOV2 .patch = 14, .positions = 37, .class_position = true, .eps = 1e-6F
#define DINOV2_REG4 .patch = 14, .positions = 37, .registers = 4, .eps = 1e-6F
#define DINOV3 .patch = 16, .registers = 4, .eps = 1e-5F

#define VIT(name, ...)                                                                                                 \
    static const VitVariant variant_##name = { __VA_ARGS__ };                                                          \
    const EncoderDef encoder_def_##name = { .decoder = NETWORK_DECODER_unetformer,                                     \
                                            .size_multiple = SIDE_MULTIPLE,                                            \
                                            .variant = &variant_##name,                                                \
                                            .drops_paths = true, /* these were trained without */                      \
                                            .build = build };
VIT(vit_small_patch14_dinov2, VIT_S, DINOV2)
VIT(vit_base_patch14_dinov2, VIT_B, DINOV2)
VIT(vit_large_patch14_dinov2, VIT_L, DINOV2)
VIT(vit_small_patch14_reg4_dinov2, VIT_S, DINOV2_REG4)
VIT(vit_base_patch14_reg4_dinov2, VIT_B, DINOV2_REG4)
VIT(vit_large_patch14_reg4_dinov2, VIT_L, DINOV2_REG4)
VIT(vit_small_patch16_dinov3, VIT_S, DINOV3)
VIT(vit_base_patch16_dinov3, VIT_B, DINOV3)
VIT(vit_large_patch16_dinov3, VIT_L, DINOV3)
