/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever network the lists have can be exported: every op of every encoder with every decoder has a translation. And each kind of
 * encoder, at reduced depth, gives in the evaluator the maps that it gives here; with METASEG_ONNX_CASES, a folder, the files are left
 * there with inputs and maps, for tools/compare_onnx.py. */
#include "export/onnx_eval.h"
#include "export/onnx_graph.h"
#include "export/onnx_translated.h"
#include "harness/golden.h"
#include "network/decoder.h"
#include "network/encoder_convnext.h"
#include "network/encoder_mit.h"
#include "network/encoder_resnet.h"
#include "network/encoder_swin.h"
#include "network/encoder_vit.h"
#include "network/segmenter.h"

#include "base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 512, MAPS = 5, BANDS = 3 };
static const double TOLERANCE = 1e-4;
static const char *const map_names[MAPS] = { "f2", "f4", "f8", "f16", "f32" };

/* ---- every op of every network ---- */

static void check_ops(const NetworkConfig *config)
{
    ParamSet *params = NULL;
    Graph *graph = NULL;
    Segmenter segmenter;
    const int64_t multiple = network_side_multiple(config);
    const NetworkShape shape = segmenter_shape(config, 1, multiple * ((96 + multiple - 1) / multiple));
    ASSERT_OK(params_new(&params));
    ASSERT_OK(graph_new(params, false, &graph));
    segmenter_build(graph, config, &shape, NULL, &segmenter);
    ASSERT_OK(graph_finish(graph));
    assert_true(graph_node_count(graph) > 0);
    for (int32_t i = 0; i < graph_node_count(graph); i++) {
        const GraphNodeView node = graph_node_view(graph, i);
        if (!onnx_is_translated(node.op->name))
            fail_msg("%s with %s: '%s' of '%s' cannot be exported", network_encoder_names[config->encoder],
                     network_decoder_names[config->decoder], node.op->name, node.path);
    }
    graph_free(graph);
    params_free(params);
}

static void every_network_can_be_exported(void **state)
{
    int32_t networks = 0;
    bool encoders[NETWORK_ENCODER_COUNT] = { false }, decoders[NETWORK_DECODER_COUNT] = { false };
    (void)state;
    for (int32_t at = 0; at < NETWORK_ENCODER_COUNT * NETWORK_DECODER_COUNT * NETWORK_FUSION_COUNT; at++) {
        NetworkConfig config = network_config_defaults();
        config.encoder = (NetworkEncoder)(at % NETWORK_ENCODER_COUNT);
        config.decoder = (NetworkDecoder)(at / NETWORK_ENCODER_COUNT % NETWORK_DECODER_COUNT);
        config.fusion = (NetworkFusion)(at / NETWORK_ENCODER_COUNT / NETWORK_DECODER_COUNT);
        config.n_bands = config.encoder == NETWORK_ENCODER_dynamic_world ? 9 : BANDS;
        config.n_classes = 5;
        const bool detail = config.decoder == NETWORK_DECODER_detail;
        config.detail_width = detail ? 16 : 0;
        config.output_stride = detail ? 2 : 0;
        network_config_resolve(&config);
        if (network_config_check(&config) != ERR_NONE) continue;
        check_ops(&config);
        networks++;
        encoders[config.encoder] = decoders[config.decoder] = true;
    }
    for (int e = 0; e < NETWORK_ENCODER_COUNT; e++)
        if (!encoders[e]) fail_msg("no network with the encoder %s was tried", network_encoder_names[e]);
    for (int d = 0; d < NETWORK_DECODER_COUNT; d++)
        if (!decoders[d]) fail_msg("no network with the decoder %s was tried", network_decoder_names[d]);
    print_message("%d networks\n", (int)networks);
}

/* ---- maps of each kind of encoder ---- */

/* Sides that are no multiple of windows: maps of 23 x 15 and less are padded and shifted. */
typedef struct Reduced {
    const char *name;
    const EncoderDef *def;
    const void *variant;
    int64_t height, width;
} Reduced;

#define SWIN_REDUCED .channels = 8, .depths = { 2, 2, 1, 1 }, .heads = { 1, 2, 2, 4 }, .window = 4
#define VIT_REDUCED .width = 32, .depth = 2, .heads = 2, .pyramid = 16
static const SwinVariant swin_timm = { SWIN_REDUCED, .kind = SWIN_TIMM };
static const SwinVariant swin_torchvision = { SWIN_REDUCED, .kind = SWIN_TORCHVISION };
static const SwinVariant swin_v2 = { SWIN_REDUCED, .kind = SWIN_V2 };
static const SwinVariant swin_segmentation = { SWIN_REDUCED, .kind = SWIN_SEGMENTATION };
static const VitVariant dinov2 = { VIT_REDUCED, .patch = 14, .positions = 5, .class_position = true, .eps = 1e-6F };
static const VitVariant dinov2_reg4 = { VIT_REDUCED, .patch = 14, .positions = 5, .registers = 4, .eps = 1e-6F };
static const VitVariant dinov3 = { VIT_REDUCED, .patch = 16, .registers = 4, .eps = 1e-5F };
static const ConvnextVariant convnext = { { 1, 1, 1, 1 }, { 8, 16, 24, 32 }, false };
static const ConvnextVariant convnextv2 = { { 1, 1, 1, 1 }, { 8, 16, 24, 32 }, true };
static const MitVariant mit = { { 1, 1, 1, 1 }, { 16, 32, 40, 64 } };
static const ResnetVariant basic = { { 1, 1, 1, 1 }, false }, bottleneck = { { 1, 1, 1, 1 }, true };

static const Reduced reduced[] = {
    { "encoder_swin_timm", &encoder_def_swin_t, &swin_timm, 92, 60 },
    { "encoder_swin_torchvision", &encoder_def_swin_t_torchvision, &swin_torchvision, 92, 60 },
    { "encoder_swin_v2", &encoder_def_swin_v2_t, &swin_v2, 92, 60 },
    { "encoder_swin_v2_whole_windows", &encoder_def_swin_v2_t, &swin_v2, 128, 128 },
    { "encoder_swin_segmentation", &encoder_def_swin_t_seg, &swin_segmentation, 92, 60 },
    { "encoder_dinov2", &encoder_def_vit_small_patch14_dinov2, &dinov2, 64, 96 },
    { "encoder_dinov2_reg4", &encoder_def_vit_small_patch14_reg4_dinov2, &dinov2_reg4, 64, 96 },
    { "encoder_dinov3", &encoder_def_vit_small_patch16_dinov3, &dinov3, 64, 96 },
    { "encoder_convnext", &encoder_def_convnext_tiny, &convnext, 96, 64 },
    { "encoder_convnextv2", &encoder_def_convnextv2_tiny, &convnextv2, 96, 64 },
    { "encoder_mit", &encoder_def_mit_b0, &mit, 92, 60 },
    { "encoder_resnet_basic", &encoder_def_resnet18, &basic, 64, 32 },
    { "encoder_resnet_bottleneck", &encoder_def_resnet50, &bottleneck, 64, 32 },
};

typedef struct Made {
    ParamSet *params;
    Graph *graph;
    Var image, maps[MAPS];
    Tensor values[MAPS]; /* what the program gives; data owned */
    float *pixels;
} Made;

static void build(const Reduced *r, Made *made)
{
    ASSERT_OK(params_new(&made->params));
    ASSERT_OK(graph_new(made->params, false, &made->graph));
    made->image = graph_input(made->graph, "image", DTYPE_F32, shape4(1, r->height, r->width, BANDS));
    const FeatureMaps maps = r->def->build(made->graph, made->image, r->variant, 0.0F);
    const Var all[MAPS] = { maps.f2, maps.f4, maps.f8, maps.f16, maps.f32 };
    for (int i = 0; i < MAPS; i++) {
        made->maps[i] = all[i];
        if (var_exists(all[i])) graph_output(made->graph, map_names[i], all[i]);
    }
    ASSERT_OK(graph_finish(made->graph));
    ASSERT_OK(params_allocate(made->params));
    for (int32_t p = 0; p < params_count(made->params); p++)
        eval_fill(params_info(made->params, p), (uint64_t)p, params_values(made->params));
}

static void run(const Reduced *r, Made *made)
{
    Program *program = NULL;
    const ProgramOptions options = program_options_defaults();
    const int64_t n = r->height * r->width * BANDS;
    made->pixels = calloc((size_t)n, sizeof *made->pixels);
    assert_non_null(made->pixels);
    golden_normals("image", 0.0, 1.0, made->pixels, n);
    ASSERT_OK(program_compile(made->graph, made->params, &options, &program));
    memcpy(program_tensor(program, "image").data, made->pixels, (size_t)n * sizeof(float));
    ASSERT_OK(program_forward(program, 0));
    for (int i = 0; i < MAPS; i++) {
        if (!var_exists(made->maps[i])) continue;
        const Tensor map = program_tensor(program, map_names[i]);
        made->values[i] = map;
        made->values[i].data = malloc(tensor_bytes(&map));
        assert_non_null(made->values[i].data);
        memcpy(made->values[i].data, map.data, tensor_bytes(&map));
    }
    program_free(program);
}

static void write_file(const Reduced *r, const Made *made, const char *path)
{
    OnnxFile *file = NULL;
    OnnxGraph *onnx = NULL;
    ASSERT_OK(onnx_file_new(&file));
    ASSERT_OK(onnx_graph_new(made->graph, made->params, file, &onnx));
    onnx_input(file, "image", 4, (const int64_t[]){ 1, BANDS, r->height, r->width }, NULL);
    onnx_graph_name(onnx, made->image, "image", true);
    onnx_graph_translate(onnx);
    for (int i = 0; i < MAPS; i++) {
        if (!var_exists(made->maps[i])) continue;
        const char *map = onnx_graph_value(onnx, made->maps[i], false);
        const Shape shape = made->values[i].shape;
        onnx_output(file, onnx_node(file, "Identity", map_names[i], 1, &map), shape.rank, shape.dim, NULL);
    }
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    ASSERT_OK(onnx_file_write(file, stream, path));
    assert_int_equal(fclose(stream), 0);
    onnx_graph_free(onnx);
    onnx_file_free(file);
}

/* The image as the file reads it, channels first. */
static EvalTensor make_image(const Reduced *r, const Made *made)
{
    EvalTensor image = { .name = "image", .rank = 4, .dim = { 1, BANDS, r->height, r->width } };
    const int64_t area = r->height * r->width;
    eval_allocate(&image);
    for (int64_t i = 0; i < image.count; i++) image.v[i % BANDS * area + i / BANDS] = (double)made->pixels[i];
    return image;
}

static void compare(const Reduced *r, const Made *made, const char *folder, const char *path)
{
    char *bytes = NULL;
    size_t length = 0;
    EvalTensor image = make_image(r, made);
    EvalModel *model = calloc(1, sizeof *model);
    assert_non_null(model);
    ASSERT_OK(file_read(path, (size_t)1 << 30, &bytes, &length));
    eval_run(bytes, length, 1, &image, model);
    if (folder != NULL) eval_write_numbers(folder, r->name, "image", image.v, image.count);
    for (int i = 0; i < MAPS; i++) {
        if (!var_exists(made->maps[i])) continue;
        const EvalTensor *map = eval_find(model, map_names[i]);
        const int64_t n = shape_count(&made->values[i].shape);
        double *ours = calloc((size_t)n, sizeof *ours);
        assert_non_null(ours);
        for (int64_t k = 0; k < n; k++) ours[k] = (double)((const float *)made->values[i].data)[k];
        assert_int_equal(map->count, n);
        const double difference = eval_difference(map->v, ours, n);
        if (!(difference < TOLERANCE)) fail_msg("%s: %s differs by %g", r->name, map_names[i], difference);
        if (folder != NULL) eval_write_numbers(folder, r->name, map_names[i], ours, n);
        free(ours);
    }
    eval_done(model);
    free(model);
    free(image.v);
    free(bytes);
}

static void maps_are_those_of_the_program(void **state)
{
    const char *folder = getenv("METASEG_ONNX_CASES");
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(reduced); i++) {
        const Reduced *r = &reduced[i];
        Made made = { .params = NULL };
        char path[PATH];
        (void)snprintf(path, sizeof path, "%s/%s.onnx", folder != NULL ? folder : ".", r->name);
        build(r, &made);
        run(r, &made);
        write_file(r, &made, path);
        compare(r, &made, folder, path);
        if (folder == NULL) (void)remove(path);
        for (int m = 0; m < MAPS; m++) free(made.values[m].data);
        free(made.pixels);
        graph_free(made.graph);
        params_free(made.params);
    }
}

/* A new family cannot be forgotten: each builder of the list is among those above, or the file of a whole network is tested elsewhere
 * (onnx_models_test). */
static void every_family_is_here(void **state)
{
    (void)state;
    for (NetworkEncoder e = 0; e < NETWORK_ENCODER_COUNT; e++) {
        const EncoderDef *def = encoder_def(e);
        bool there = def->build == NULL || def->build == encoder_def_efficientnet_lite0.build;
        for (int64_t i = 0; i < ARRAY_LEN(reduced) && !there; i++) there = reduced[i].def->build == def->build;
        if (!there) fail_msg("no encoder of the family of %s is exported here", network_encoder_names[e]);
    }
}

int main(void)
{
    const struct CMUnitTest all[] = { cmocka_unit_test(every_network_can_be_exported),
                                      cmocka_unit_test(maps_are_those_of_the_program),
                                      cmocka_unit_test(every_family_is_here) };
    return cmocka_run_group_tests(all, NULL, NULL);
}
