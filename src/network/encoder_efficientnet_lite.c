/* SPDX-License-Identifier: Apache-2.0
 * EfficientNet-Lite0 to Lite4 (Tan and Le, ICML 2019, and Google's lite variants): inverted residual blocks with ReLU6, no
 * squeeze-and-excitation; docs/model.md section 2. */
#include "network/encoder.h"

#include "nn/modules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct Stage {
    int32_t repeats, kernel, stride, expansion;
    int64_t channels;
} Stage;

enum { STAGES = 7, WIDTH_STEP = 8 };
static const Stage stages[STAGES] = {
    { 1, 3, 1, 1, 16 },  { 2, 3, 2, 6, 24 },  { 2, 5, 2, 6, 40 },  { 3, 3, 2, 6, 80 },
    { 3, 5, 1, 6, 112 }, { 4, 5, 2, 6, 192 }, { 1, 3, 1, 6, 320 },
};

/* The members of the family: widths and repeats are multiples of those of Lite0. segmentation_models_pytorch fills with zeros alike
 * on all sides and has another epsilon than the implementations whose weights it loads. */
typedef struct LiteVariant {
    double width, depth;
    bool smp;
} LiteVariant;

/* A block's place and how its convolutions pad. */
typedef struct Layout {
    NnBatchnorm norm;
    bool smp;
} Layout;

/* First and last stage are not repeated more often. */
static int32_t repeats_of(const LiteVariant *variant, int32_t stage)
{
    const bool fixed = stage == 0 || stage == STAGES - 1;
    return fixed ? stages[stage].repeats : (int32_t)ceil((double)stages[stage].repeats * variant->depth - 1e-9);
}

/* To the nearest multiple of 8, but not below nine tenths. */
static int64_t widened(int64_t channels, const LiteVariant *variant)
{
    const double exact = (double)channels * variant->width;
    const int64_t nearest = (int64_t)(exact + WIDTH_STEP / 2.0) / WIDTH_STEP * WIDTH_STEP;
    return (double)nearest < 0.9 * exact ? nearest + WIDTH_STEP : nearest;
}

static int32_t padding(const Layout *layout, int32_t kernel) { return layout->smp ? kernel / 2 : NN_PADDING_SAME; }

/* One inverted residual block: expand 1x1, depthwise, project 1x1, identity where shapes agree. */
static Var block(Graph *g, Var x, const Stage *stage, int32_t stride, const Layout *layout)
{
    const Shape shape = graph_value(g, x).shape;
    const int64_t cin = shape.rank == 4 ? shape.dim[3] : 0;
    const int64_t wide = cin * stage->expansion;
    const NnBatchnorm norm = layout->norm;
    const NnConv expand = { .channels = wide, .kernel = 1, .stride = 1 };
    const NnConv depthwise = { .channels = wide,
                               .kernel = stage->kernel,
                               .stride = stride,
                               .padding = padding(layout, stage->kernel),
                               .depthwise = true };
    const NnConv project = { .channels = stage->channels, .kernel = 1, .stride = 1 };
    const Var residual = stride == 1 && cin == stage->channels ? x : VAR_NONE;
    Var y = x;
    if (stage->expansion != 1) {
        y = nn_conv_bn(g, "_expand_conv", "_bn0", y, expand, norm, ACTIVATION_RELU6, VAR_NONE);
    }
    y = nn_conv_bn(g, "_depthwise_conv", "_bn1", y, depthwise, norm, ACTIVATION_RELU6, VAR_NONE);
    return nn_conv_bn(g, "_project_conv", "_bn2", y, project, norm, ACTIVATION_NONE, residual);
}

static FeatureMaps build(Graph *g, Var image, const void *data, float drop_path)
{
    (void)drop_path;
    const LiteVariant *variant = data;
    const Layout layout = { .norm = { .eps = variant->smp ? 1e-5F : 1e-3F, .momentum = variant->smp ? 0.1F : 0.01F },
                            .smp = variant->smp };
    const NnConv stem = { .channels = 32, .kernel = 3, .stride = 2, .padding = padding(&layout, 3) };
    FeatureMaps maps = { VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE, VAR_NONE };
    Var *const ends[STAGES] = { NULL, &maps.f4, &maps.f8, NULL, &maps.f16, NULL, &maps.f32 };
    Var x = nn_conv_bn(g, "_conv_stem", "_bn0", image, stem, layout.norm, ACTIVATION_RELU6, VAR_NONE);
    maps.f2 = x;
    int32_t index = 0;
    for (int32_t s = 0; s < STAGES; s++) {
        Stage stage = stages[s];
        stage.channels = widened(stage.channels, variant);
        for (int32_t r = 0; r < repeats_of(variant, s); r++, index++) {
            char name[24];
            (void)snprintf(name, sizeof name, "_blocks.%d", (int)index);
            graph_push(g, name);
            x = block(g, x, &stage, r == 0 ? stage.stride : 1, &layout);
            graph_pop(g);
        }
        if (ends[s] != NULL) *ends[s] = x;
    }
    return maps;
}

/* Names of timm's tf_efficientnet_lite: "blocks.STAGE.REPEAT.LAYER". */
static bool rename_timm_block(const LiteVariant *variant, const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    static const char *const layers[][3] = {
        /* timm's; ours of the first stage, which expands nothing; ours of the others */
        { "conv_dw.", "_depthwise_conv.", "_depthwise_conv." },
        { "conv_pw.", "_project_conv.", "_expand_conv." },
        { "conv_pwl.", NULL, "_project_conv." },
        { "bn1.", "_bn1.", "_bn0." },
        { "bn2.", "_bn2.", "_bn1." },
        { "bn3.", NULL, "_bn2." },
    };
    static const char start[] = "blocks.";
    enum { STAGE = sizeof start - 1, REPEAT = STAGE + 2, LAYER = REPEAT + 2 };
    if (strncmp(published, start, STAGE) != 0 || strspn(published + STAGE, "0123456789") != 1 ||
        published[STAGE + 1] != '.' || strspn(published + REPEAT, "0123456789") != 1 || published[REPEAT + 1] != '.')
        return false;
    const int stage = published[STAGE] - '0', repeat = published[REPEAT] - '0';
    int index = repeat;
    if (stage >= STAGES || repeat >= repeats_of(variant, stage)) return false;
    for (int s = 0; s < stage; s++) index += repeats_of(variant, s);
    for (int64_t i = 0; i < ARRAY_LEN(layers); i++) {
        const char *rest = published + LAYER, *ours = layers[i][stage == 0 ? 1 : 2];
        if (ours == NULL || strncmp(rest, layers[i][0], strlen(layers[i][0])) != 0) continue;
        return snprintf(ret_name, NETWORK_NAME_BYTES, "_blocks.%d.%s%s", index, ours, rest + strlen(layers[i][0])) <
               NETWORK_NAME_BYTES;
    }
    return false;
}

/* The published checkpoint, and timm's and segmentation_models_pytorch's; they go on to a classifier. A name that is none of
 * theirs stays as it is. */
static bool rename_published(const LiteVariant *variant, const char *published, char ret_name[NETWORK_NAME_BYTES])
{
    static const char *const dropped[] = { "_conv_head.", "_bn1.", "_fc.", "conv_head.", "bn2.", "classifier.", NULL };
    return !network_name_starts(published, dropped) &&
           (rename_timm_block(variant, published, ret_name) ||
            network_rename_start(published, "conv_stem.", "_conv_stem.", ret_name) ||
            network_rename_start(published, "bn1.", "_bn0.", ret_name) ||
            network_rename_start(published, "", "", ret_name));
}

/* A member in both implementations. */
#define LITE(number, wider, deeper)                                                                                    \
    static const LiteVariant lite##number = { (wider), (deeper), false };                                              \
    static const LiteVariant lite##number##_smp = { (wider), (deeper), true };                                         \
    static bool rename_lite##number(const char *published, char ret_name[NETWORK_NAME_BYTES])                          \
    {                                                                                                                  \
        return rename_published(&lite##number, published, ret_name);                                                   \
    }                                                                                                                  \
    const EncoderDef encoder_def_efficientnet_lite##number = { .decoder = NETWORK_DECODER_unetformer,                  \
                                                               .size_multiple = 32,                                    \
                                                               .variant = &lite##number,                               \
                                                               .has_f2 = true,                                         \
                                                               .build = build,                                         \
                                                               .rename = rename_lite##number };                        \
    const EncoderDef encoder_def_efficientnet_lite##number##_smp = { .decoder = NETWORK_DECODER_unet,                  \
                                                                     .size_multiple = 32,                              \
                                                                     .variant = &lite##number##_smp,                   \
                                                                     .has_f2 = true,                                   \
                                                                     .build = build,                                   \
                                                                     .rename = rename_lite##number,                    \
                                                                     .others_files = true };
LITE(0, 1.0, 1.0)
LITE(1, 1.0, 1.1)
LITE(2, 1.1, 1.2)
LITE(3, 1.2, 1.4)
LITE(4, 1.4, 1.8)
