/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole networks with random weights, exported by onnx_export(): the file's scores are those of the program. Here one of each kind of
 * text input; with METASEG_ONNX_CASES, a folder, those of many encoders and decoders are written there with inputs and our
 * scores, for tools/compare_onnx.py. */
#include "export/onnx_eval.h"
#include "export/onnx_export.h"
#include "harness/unit.h"
#include "network/decoder.h"
#include "network/segmenter.h"

#include "base/file.h"
#include "base/json.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 512, CLASSES = 5, MOST_INPUTS = 8 };
static const double TOLERANCE = 1e-4;

typedef struct Network {
    const char *name;
    NetworkEncoder encoder;
    NetworkDecoder decoder; /* none: the encoder's own */
    NetworkFusion fusion;
    int32_t bands, side, detail_width, output_stride;
} Network;

static const Network written[] = {
    { "lite0_unetformer_text", NETWORK_ENCODER_efficientnet_lite0, 0, NETWORK_FUSION_CAF, 3, 96, 0, 0 },
    { "lite0_unetformer_stride_1", NETWORK_ENCODER_efficientnet_lite0, 0, NETWORK_FUSION_NONE, 3, 96, 0, 1 },
    { "resnet18_unetformer", NETWORK_ENCODER_resnet18, NETWORK_DECODER_unetformer, NETWORK_FUSION_NONE, 4, 160, 0, 0 },
    { "resnet18_unetformer_text", NETWORK_ENCODER_resnet18, NETWORK_DECODER_unetformer, NETWORK_FUSION_CAF, 3, 160, 0,
      0 },
    { "resnet34_unet", NETWORK_ENCODER_resnet34, NETWORK_DECODER_unet, NETWORK_FUSION_NONE, 5, 160, 0, 0 },
    { "swin_t_upernet", NETWORK_ENCODER_swin_t, NETWORK_DECODER_upernet, NETWORK_FUSION_NONE, 3, 160, 0, 0 },
    { "swin_t_seg_ft_unetformer", NETWORK_ENCODER_swin_t_seg, NETWORK_DECODER_ft_unetformer, NETWORK_FUSION_NONE, 3,
      160, 0, 0 },
    { "swin_t_seg_dcswin", NETWORK_ENCODER_swin_t_seg, NETWORK_DECODER_dcswin, NETWORK_FUSION_NONE, 3, 160, 0, 0 },
    { "convnext_tiny_upernet", NETWORK_ENCODER_convnext_tiny, NETWORK_DECODER_upernet, NETWORK_FUSION_NONE, 3, 160, 0,
      0 },
    { "convnextv2_atto_upernet", NETWORK_ENCODER_convnextv2_atto, NETWORK_DECODER_upernet, NETWORK_FUSION_NONE, 3, 160,
      0, 0 },
    { "vit_small_patch14_reg4_dinov2", NETWORK_ENCODER_vit_small_patch14_reg4_dinov2, NETWORK_DECODER_upernet,
      NETWORK_FUSION_NONE, 3, 160, 0, 0 },
    { "vit_small_patch16_dinov3", NETWORK_ENCODER_vit_small_patch16_dinov3, NETWORK_DECODER_upernet,
      NETWORK_FUSION_NONE, 3, 160, 0, 0 },
    { "swin_v2_t_upernet", NETWORK_ENCODER_swin_v2_t, NETWORK_DECODER_upernet, NETWORK_FUSION_NONE, 3, 160, 0, 0 },
    { "mit_b0_segformer", NETWORK_ENCODER_mit_b0, NETWORK_DECODER_segformer, NETWORK_FUSION_NONE, 3, 160, 0, 0 },
    { "dynamic_world", NETWORK_ENCODER_dynamic_world, 0, NETWORK_FUSION_NONE, 9, 64, 0, 0 },
    { "detail", NETWORK_ENCODER_none, NETWORK_DECODER_detail, NETWORK_FUSION_NONE, 4, 64, 16, 2 },
};

/* A model with random weights, its inputs and its scores [1, classes, H, W]. */
typedef struct Made {
    Model *model;
    NetworkInputs inputs;
    Shape shape; /* of the logits, channels last */
    double *logits;
} Made;

static double draw(uint64_t key, int64_t i) { return (double)rng_normal(7, RNG_WEIGHTS, key, (uint64_t)i); }

static void fill_params(ParamSet *params)
{
    for (int32_t p = 0; p < params_count(params); p++)
        eval_fill(params_info(params, p), (uint64_t)p, params_values(params));
}

static void make_config(const Network *network, ModelConfig *config)
{
    ASSERT_OK(model_config_init(config));
    config->network.encoder = network->encoder;
    config->network.decoder = network->decoder;
    config->network.fusion = network->fusion;
    config->network.output_stride = network->output_stride;
    config->network.detail_width = network->detail_width;
    ASSERT_OK(model_config_set_bands(config, network->bands));
    ASSERT_OK(model_config_set_classes(config, CLASSES));
    config->tile = network->side;
    config->gsd_minimum = 8.0;
    config->gsd_maximum = 12.5;
    network_config_resolve(&config->network);
}

static void fill_inputs(NetworkInputs *inputs)
{
    for (NetworkPart part = 0; part < NETWORK_PARTS; part++) {
        const Tensor tensor = network_inputs_part(inputs, part);
        if (tensor.data == NULL || tensor.dtype != DTYPE_F32) continue;
        float *v = tensor.data;
        for (int64_t i = 0; i < shape_count(&tensor.shape); i++) {
            const double x = draw(1000 + (uint64_t)part, i);
            v[i] = (float)(part == NETWORK_TOKEN_MASK     ? (i % 3 == 1 ? -1e9 : 0.0)
                           : part >= NETWORK_LOG_SHARE_16 ? -fabs(x)
                                                          : x);
        }
    }
}

static void run(Made *made)
{
    Program *program = NULL;
    const ProgramOptions options = program_options_defaults();
    const NetworkConfig *network = &made->model->config.network;
    ASSERT_OK(segmenter_compile(made->model->params, network, &made->inputs.shape, NULL, &options, &program));
    ASSERT_OK(segmenter_write(program, &made->inputs));
    ASSERT_OK(program_forward(program, 0));
    const Tensor logits = program_tensor(program, "logits");
    made->shape = logits.shape;
    const int64_t area = logits.shape.dim[1] * logits.shape.dim[2], C = logits.shape.dim[3];
    made->logits = calloc((size_t)(area * C), sizeof *made->logits);
    assert_non_null(made->logits);
    for (int64_t i = 0; i < area * C; i++) made->logits[i % C * area + i / C] = (double)((const float *)logits.data)[i];
    program_free(program);
}

static void make(const Network *network, Made *made)
{
    ModelConfig config;
    make_config(network, &config);
    ASSERT_OK(model_new(&config, false, &made->model));
    model_config_done(&config);
    fill_params(made->model->params);
    const NetworkShape shape = segmenter_shape(&made->model->config.network, 1, network->side);
    ASSERT_OK(network_inputs_init(&shape, &made->inputs));
    fill_inputs(&made->inputs);
    run(made);
}

static void made_done(Made *made)
{
    network_inputs_done(&made->inputs);
    model_free(made->model);
    free(made->logits);
}

/* The inputs of a bare file, in double; the image with its channels first. */
static int64_t list_inputs(const Made *made, bool text, EvalTensor *values)
{
    int64_t n = 0;
    for (NetworkPart part = 0; part < NETWORK_PARTS; part++) {
        const Tensor tensor = network_inputs_part(&made->inputs, part);
        if (tensor.data == NULL || tensor.dtype != DTYPE_F32 || (part != NETWORK_IMAGE && !text)) continue;
        EvalTensor *value = &values[n++];
        (void)snprintf(value->name, sizeof value->name, "%s", network_part_name(part));
        value->rank = tensor.shape.rank;
        memcpy(value->dim, tensor.shape.dim, (size_t)value->rank * sizeof *value->dim);
        eval_allocate(value);
        const float *from = tensor.data;
        for (int64_t i = 0; i < value->count; i++) value->v[i] = (double)from[i];
        if (part != NETWORK_IMAGE) continue;
        const int64_t C = value->dim[3], area = value->dim[1] * value->dim[2];
        for (int64_t i = 0; i < value->count; i++) value->v[i % C * area + i / C] = (double)from[i];
        value->dim[3] = value->dim[2];
        value->dim[2] = value->dim[1];
        value->dim[1] = C;
    }
    return n;
}

static void free_inputs(EvalTensor *values, int64_t n)
{
    for (int64_t i = 0; i < n; i++) free(values[i].v);
}

static void evaluate(const char *path, const EvalTensor *values, int64_t n, EvalModel **ret_model)
{
    char *bytes = NULL;
    size_t length = 0;
    *ret_model = calloc(1, sizeof **ret_model);
    assert_non_null(*ret_model);
    ASSERT_OK(file_read(path, (size_t)1 << 30, &bytes, &length));
    eval_run(bytes, length, n, values, *ret_model);
    free(bytes);
}

static void read_text(const char *path, Json **ret_root) { ASSERT_OK(json_read_file(path, 1 << 20, ret_root)); }

/* Bare, with text as inputs and as a part of the file: the same scores. */
static void scores_are_those_of_the_program(void **state)
{
    Made made = { .model = NULL };
    char path[256];
    (void)state;
    (void)unit_at("bare.onnx", path);
    make(&written[0], &made);
    for (int fixed = 0; fixed < 2; fixed++) {
        EvalTensor values[MOST_INPUTS] = { 0 };
        EvalModel *model = NULL;
        const OnnxExport o = { .text = fixed != 0 ? &made.inputs : NULL, .bare = true, .overwrite = true };
        ASSERT_OK(onnx_export(made.model, path, &o));
        const int64_t n = list_inputs(&made, fixed == 0, values);
        assert_int_equal(n, fixed != 0 ? 1 : 5);
        evaluate(path, values, n, &model);
        const EvalTensor *out = eval_find(model, "logits");
        assert_string_equal(model->output, "logits");
        assert_int_equal(out->count, shape_count(&made.shape));
        assert_true(eval_difference(out->v, made.logits, out->count) < TOLERANCE);
        eval_done(model);
        free(model);
        free_inputs(values, n);
    }
    made_done(&made);
}

/* Pixels / 255 in, probabilities out: normalisation, transform and softmax by their formulas. */
static void pixels_become_probabilities(void **state)
{
    enum { SIDE = 64 };
    Made made = { .model = NULL };
    char path[256];
    (void)state;
    EvalTensor values[MOST_INPUTS] = { 0 };
    EvalModel *model = NULL;
    (void)unit_at("pixels.onnx", path);
    make(&written[ARRAY_LEN(written) - 1], &made);
    for (int transform = 0; transform < MODEL_TRANSFORM_COUNT; transform++) {
        made.model->config.transform = (ModelTransform)transform;
        ASSERT_OK(onnx_export(made.model, path, &(OnnxExport){ .overwrite = true }));
        const int64_t n = list_inputs(&made, false, values), area = SIDE * SIDE;
        /* the pixel of which the formula makes what the network read */
        for (int64_t i = 0; i < values[0].count; i++) {
            const ModelBand *band = &made.model->config.bands[i / area];
            double z = values[0].v[i];
            if (transform == MODEL_TRANSFORM_LOG_SIGMOID) {
                z = 0.05 + 0.9 / (1 + exp(-z));
                values[0].v[i] = z;
                z = (log(z / (1 - z)) + 1) / 5;
            }
            z = z * band->std + band->mean;
            if (transform != MODEL_TRANSFORM_NONE) z = (exp(z) - 1) / 0.005;
            made.inputs.image[i % area * 4 + i / area] = (float)values[0].v[i];
            values[0].v[i] = z / band->scale / 255;
            if (transform != MODEL_TRANSFORM_NONE && z < 0) {
                values[0].v[i] = 0;
                made.inputs.image[i % area * 4 + i / area] = (float)((0 - band->mean) / band->std);
            }
        }
        free(made.logits);
        run(&made);
        evaluate(path, values, n, &model);
        const EvalTensor *before = NULL, *out = eval_find(model, "probabilities");
        assert_int_equal(out->dim[1], CLASSES);
        assert_int_equal(out->dim[2], SIDE);
        for (int64_t i = 0; i < model->n_values; i++)
            if (strcmp(model->values[i]->name, "logits.resized") == 0) before = model->values[i - 1];
        assert_non_null(before);
        if (before == NULL) return; /* the analyser does not know assert_non_null */
        if (transform != MODEL_TRANSFORM_LOG_SIGMOID)
            assert_true(eval_difference(before->v, made.logits, before->count) < TOLERANCE);
        for (int64_t i = 0; i < area; i++) {
            double sum = 0;
            for (int64_t c = 0; c < CLASSES; c++) sum += out->v[c * area + i];
            assert_true(fabs(sum - 1) < 1e-9);
        }
        eval_done(model);
        free(model);
        free_inputs(values, n);
    }
    made_done(&made);
}

static void the_side_file(void **state)
{
    Made made = { .model = NULL };
    char path[256], side_path[256];
    Json *root = NULL;
    (void)state;
    const char *text = NULL;
    int64_t number = 0;
    (void)unit_at("side.onnx", path);
    (void)unit_at("side.onnx.json", side_path);
    make(&written[ARRAY_LEN(written) - 1], &made);
    ASSERT_OK(onnx_export(made.model, path, &(OnnxExport){ .side = 32 }));
    assert_int_equal(onnx_export(made.model, path, &(OnnxExport){ .side = 32 }), ERR_OUTPUT);
    assert_int_equal(onnx_export(made.model, path, &(OnnxExport){ .side = 33, .overwrite = true }), ERR_ARGUMENT);
    read_text(side_path, &root);
    ASSERT_OK(json_get_string(root, "task", &text));
    assert_string_equal(text, "semantic-segmentation");
    ASSERT_OK(json_get_int(root, "input_height", 0, 100, &number));
    assert_int_equal(number, 32);
    ASSERT_OK(json_get_string(json_find(root, "id2label"), "4", &text));
    assert_string_equal(text, made.model->config.classes[4].name);
    json_free(root);
    made_done(&made);
}

static void files_for_others(void **state)
{
    const char *folder = getenv("METASEG_ONNX_CASES");
    (void)state;
    for (int64_t i = 0; folder != NULL && i < ARRAY_LEN(written); i++) {
        Made made = { .model = NULL };
        char path[PATH];
        EvalTensor values[MOST_INPUTS] = { 0 };
        make(&written[i], &made);
        (void)snprintf(path, sizeof path, "%s/%s.onnx", folder, written[i].name);
        ASSERT_OK(onnx_export(made.model, path, &(OnnxExport){ .bare = true, .overwrite = true }));
        const int64_t n = list_inputs(&made, true, values);
        for (int64_t k = 0; k < n; k++)
            eval_write_numbers(folder, written[i].name, values[k].name, values[k].v, values[k].count);
        eval_write_numbers(folder, written[i].name, "logits", made.logits, shape_count(&made.shape));
        free_inputs(values, n);
        made_done(&made);
    }
}

int main(void)
{
    const struct CMUnitTest all[] = { cmocka_unit_test(scores_are_those_of_the_program),
                                      cmocka_unit_test(pixels_become_probabilities), cmocka_unit_test(the_side_file),
                                      cmocka_unit_test(files_for_others) };
    return cmocka_run_group_tests(all, unit_set_up, unit_tear_down);
}
