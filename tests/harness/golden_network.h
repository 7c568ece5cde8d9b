/* SPDX-License-Identifier: Apache-2.0
 *
 * The network of tests/golden/network.safetensors as a model and as programs: parameters, inputs, outputs by name. */
#ifndef METASEG_TESTS_GOLDEN_NETWORK_H
#define METASEG_TESTS_GOLDEN_NETWORK_H

#include "base/str.h"
#include "graph/program.h"
#include "model/model_file.h"
#include "network/segmenter.h"
#include "ops/ops.h"

#include "harness/golden.h"

enum { GOLDEN_BATCH = 2, GOLDEN_SIDE = 256, GOLDEN_ZONES = 3, GOLDEN_TOKENS = 12, GOLDEN_CLASSES = 17 };
static inline NetworkShape golden_network_shape(const ModelConfig *config)
{
    NetworkShape shape = segmenter_shape(&config->network, GOLDEN_BATCH, GOLDEN_SIDE);
    shape.slots = GOLDEN_ZONES;
    shape.tokens = GOLDEN_TOKENS;
    return shape;
}

/* Mean and deviation of a golden parameter: the table in tools/twin/README.md. */
static inline void golden_parameter_rule(const ParamInfo *info, double *ret_mean, double *ret_std)
{
    const Shape *s = &info->shape;
    const char *name = info->name;
    const bool before_relu6 = str_ends_with(name, "_bn0.bias") || str_ends_with(name, "_bn1.bias") ||
                              str_ends_with(name, ".1.bias") ||
                              (str_starts_with(name, "decoder.") && str_ends_with(name, ".fc1.bias"));
    double mean = 0.0, std = 0.1;
    if (s->rank == 4) {
        std = 1.0 / sqrt((double)(s->dim[1] * s->dim[2] * s->dim[3]));
    } else if (strcmp(name, "text.null") == 0 || str_ends_with(name, "relative_position_bias_table")) {
        std = 0.5;
    } else if (str_ends_with(name, "image_out.weight") || str_ends_with(name, "mlp.fc2.weight")) {
        std = 0.02;
    } else if (s->rank == 2) {
        std = 1.0 / sqrt((double)s->dim[1]);
    } else if (str_ends_with(name, ".weights")) {
        mean = 1.0;
        std = 0.2;
    } else if (str_ends_with(name, ".weight")) {
        mean = 0.8;
    } else if (before_relu6) {
        mean = 3.0;
    }
    *ret_mean = mean;
    *ret_std = std;
}

/* Values of all parameters, running statistics too. */
static inline void golden_fill_params(ParamSet *params)
{
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        float *values = params_values(params) + info->offset;
        const int64_t n = shape_count(&info->shape);
        if (str_ends_with(info->name, "running_var")) {
            for (int64_t j = 0; j < n; j++) values[j] = (float)(0.5 + (double)golden_uniform(info->name, (uint64_t)j));
            continue;
        }
        double mean = 0.0, std = 0.0;
        golden_parameter_rule(info, &mean, &std);
        golden_normals(info->name, mean, std, values, n);
    }
}

static inline void golden_configure(ModelConfig *config, NetworkFusion fusion, int32_t output_stride)
{
    assert_int_equal(model_config_init(config), ERR_NONE);
    assert_int_equal(model_config_set_classes(config, GOLDEN_CLASSES), ERR_NONE);
    config->network.fusion = fusion;
    config->network.output_stride = output_stride;
}

/* The golden network, with scores at another stride and a detail branch, 0: none; model_free(). */
static inline Model *golden_network_at(NetworkFusion fusion, int32_t output_stride, int32_t detail_width)
{
    ModelConfig config;
    Model *model = NULL;
    golden_configure(&config, fusion, output_stride);
    config.network.detail_width = detail_width;
    ASSERT_OK(model_new(&config, true, &model));
    model_config_done(&config);
    golden_fill_params(model->params);
    return model;
}

static inline Model *golden_network_model(NetworkFusion fusion) { return golden_network_at(fusion, 4, 0); }

static inline void golden_copy_input(const TensorFile *golden, const Program *program, const char *name)
{
    char key[64];
    const Tensor to = program_tensor(program, name);
    const StoredTensor *from = NULL;
    if (to.data == NULL) return; /* the text-free network has fewer */
    (void)snprintf(key, sizeof key, "input.%s", name);
    ASSERT_OK(tensor_file_require(golden, key, &to.shape, &from));
    assert_int_equal(from->dtype, to.dtype);
    ASSERT_OK(stored_tensor_copy(from, to.data));
}

/* The golden batch into a program's inputs. */
static inline void golden_fill_inputs(const TensorFile *golden, Program *program)
{
    static const char *const names[] = { "tokens", "token_mask", "log_share_16", "log_share_32", "labels" };
    const Tensor image = program_tensor(program, "image");
    golden_normals("input.image", 0.0, 1.0, image.data, shape_count(&image.shape));
    assert_true(golden_compare(golden, "input.image.summary", "input.image", image.data, shape_count(&image.shape), 8,
                               1e-6) <= 1.0);
    for (int64_t i = 0; i < ARRAY_LEN(names); i++) golden_copy_input(golden, program, names[i]);
}

static inline Device golden_device(CpuIsa isa)
{
    Device device = device_default();
    device.isa = isa;
    return device;
}

/* A program with the maps and the full-size logits as outputs. */
static inline Program *golden_network_compile(const Model *model, bool training, CpuIsa isa)
{
    SegmenterTraining options = segmenter_training_defaults();
    Graph *g = NULL;
    Segmenter net;
    Program *program = NULL;
    options.dropout = 0.0F;
    assert_int_equal(graph_new(model->params, training, &g), ERR_NONE);
    const NetworkShape shape = golden_network_shape(&model->config);
    segmenter_build(g, &model->config.network, &shape, &options, &net);
    if (training && model->config.network.encoder != NETWORK_ENCODER_none) {
        graph_output(g, "aux", net.auxiliary);
        graph_output(g, "f16", net.f16);
        graph_output(g, "f32", net.f32);
        graph_output(g, "fused16", net.fused16);
        graph_output(g, "fused32", net.fused32);
    }
    if (!training) {
        const int32_t stride = model->config.network.output_stride;
        net.full = stride > 1 ? op_resize_bilinear(g, net.logits, stride) : net.logits;
    }
    graph_output(g, "full", net.full);
    ProgramOptions program_options = program_options_defaults();
    program_options.device = golden_device(isa);
    program_options.loss = net.loss;
    program_options.poison = true;
    if (graph_finish(g) != ERR_NONE || program_compile(g, model->params, &program_options, &program) != ERR_NONE) {
        fail_msg("%s", err_message());
    }
    graph_free(g);
    if (training) {
        *(float *)program_tensor(program, "dice_weight").data = options.dice_weight;
        const Tensor weight = program_tensor(program, "auxiliary_weight");
        if (weight.data != NULL) *(float *)weight.data = options.auxiliary_weight;
    }
    return program;
}

#endif
