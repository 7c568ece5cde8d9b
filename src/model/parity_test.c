/* SPDX-License-Identifier: Apache-2.0
 * The whole network against its PyTorch twin (tools/golden/network.py): outputs, losses, running statistics and the
 * gradient of every parameter; and with the fusion's output projections at 0 against the text-free network, bit for
 * bit. */
#include "model/model_file.h"
#include "model/segmenter.h"

#include "base/json.h"
#include "base/str.h"
#include "graph/program.h"
#include "harness/golden.h"
#include "ops/ops.h"

enum { BATCH = 2, SIDE = 256, ZONES = 3, TOKENS = 12, CLASSES = 17 };
static const SegmenterShape golden_shape = { BATCH, SIDE, SIDE, ZONES, TOKENS };
static const double tolerance = 1e-4;
static const double largest_gradient = 1.7241879539572103; /* of the golden file, checked below */

/* Mean and deviation of a golden parameter: the table in tools/twin/README.md. */
static void parameter_rule(const ParamInfo *info, double *ret_mean, double *ret_std)
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

static void fill_params(ParamSet *params)
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
        parameter_rule(info, &mean, &std);
        golden_normals(info->name, mean, std, values, n);
    }
}

static void configure(ModelConfig *config, ModelFusion fusion)
{
    assert_int_equal(model_config_init(config), ERR_NONE);
    assert_int_equal(model_config_set_classes(config, CLASSES), ERR_NONE);
    config->fusion = fusion;
}

static Model *golden_model(ModelFusion fusion)
{
    ModelConfig config;
    Model *model = NULL;
    configure(&config, fusion);
    if (model_new(&config, true, &model) != ERR_NONE) fail_msg("%s", err_message());
    model_config_done(&config);
    fill_params(model->params);
    return model;
}

static void copy_input(const TensorFile *golden, const Program *program, const char *name)
{
    char key[64];
    const Tensor to = program_tensor(program, name);
    const StoredTensor *from = NULL;
    if (to.data == NULL) return; /* the text-free network has fewer */
    (void)snprintf(key, sizeof key, "input.%s", name);
    if (tensor_file_require(golden, key, &to.shape, &from) != ERR_NONE) fail_msg("%s", err_message());
    assert_int_equal(from->dtype, to.dtype);
    stored_tensor_copy(from, to.data);
}

static void fill_inputs(const TensorFile *golden, Program *program)
{
    static const char *const names[] = { "tokens", "token_mask", "log_share_16", "log_share_32", "labels" };
    const Tensor image = program_tensor(program, "image");
    golden_normals("input.image", 0.0, 1.0, image.data, shape_count(&image.shape));
    assert_true(golden_compare(golden, "input.image.summary", "input.image", image.data, shape_count(&image.shape), 8,
                               1e-6) <= 1.0);
    for (int64_t i = 0; i < ARRAY_LEN(names); i++) copy_input(golden, program, names[i]);
}

/* All shares on the null prompt. */
static void fill_null(const Program *program)
{
    static const char *const names[] = { "log_share_16", "log_share_32" };
    for (int i = 0; i < 2; i++) {
        const Tensor share = program_tensor(program, names[i]);
        float *values = share.data;
        for (int64_t j = 0; j < shape_count(&share.shape); j++)
            values[j] = (j + 1) % (ZONES + 1) == 0 ? 0.0F : logf(1e-4F);
    }
}

static Device device_of(CpuIsa isa)
{
    Device device = device_default();
    device.isa = isa;
    return device;
}

/* A program with the maps and the full-size logits as outputs. */
static Program *compile(const Model *model, bool training, CpuIsa isa)
{
    SegmenterTraining options = segmenter_training_defaults();
    Graph *g = NULL;
    Segmenter net;
    Program *program = NULL;
    options.dropout = 0.0F;
    assert_int_equal(graph_new(model->params, training, &g), ERR_NONE);
    segmenter_build(g, &model->config, &golden_shape, &options, &net);
    if (training) {
        graph_output(g, "aux", net.auxiliary);
        graph_output(g, "f16", net.f16);
        graph_output(g, "f32", net.f32);
        graph_output(g, "fused16", net.fused16);
        graph_output(g, "fused32", net.fused32);
    } else {
        graph_output(g, "logits", op_resize_bilinear(g, net.logits4, 4));
    }
    ProgramOptions program_options = program_options_defaults();
    program_options.device = device_of(isa);
    program_options.loss = net.loss;
    program_options.poison = true;
    if (graph_finish(g) != ERR_NONE || program_compile(g, model->params, &program_options, &program) != ERR_NONE) {
        fail_msg("%s", err_message());
    }
    graph_free(g);
    if (training) {
        *(float *)program_tensor(program, "dice_weight").data = options.dice_weight;
        *(float *)program_tensor(program, "auxiliary_weight").data = options.auxiliary_weight;
    }
    return program;
}

static bool check_output(const TensorFile *golden, const Program *program, const char *output, const char *golden_name)
{
    char key[64], name[64];
    const Tensor x = program_tensor(program, output);
    assert_non_null(x.data);
    (void)snprintf(key, sizeof key, "output.%s.summary", golden_name);
    (void)snprintf(name, sizeof name, "output.%s", golden_name);
    const double used = golden_compare(golden, key, name, x.data, shape_count(&x.shape), 8, tolerance);
    print_message("  %s: %.1f %% of the tolerance\n", golden_name, 100.0 * used);
    return used <= 1.0;
}

static void inference(void **state)
{
    (void)state;
    TensorFile *golden = golden_open("network.safetensors");
    Model *model = golden_model(MODEL_FUSION_CAF), *free_model = golden_model(MODEL_FUSION_NONE);
    bool good = true;
    for (int isa = ISA_PLAIN; isa <= (int)cpu_isa_detect(); isa++) {
        print_message("%s\n", cpu_isa_name((CpuIsa)isa));
        Program *program = compile(model, false, (CpuIsa)isa);
        fill_inputs(golden, program);
        assert_int_equal(program_forward(program, 0), ERR_NONE);
        good = check_output(golden, program, "logits", "inference_logits") && good;
        fill_null(program);
        assert_int_equal(program_forward(program, 0), ERR_NONE);
        good = check_output(golden, program, "logits", "null_logits") && good;
        program_free(program);
        program = compile(free_model, false, (CpuIsa)isa);
        fill_inputs(golden, program);
        assert_int_equal(program_forward(program, 0), ERR_NONE);
        good = check_output(golden, program, "logits", "text_free_logits") && good;
        program_free(program);
    }
    assert_true(good);
    model_free(model);
    model_free(free_model);
    tensor_file_close(golden);
}

static bool check_losses(const TensorFile *golden, const Program *program)
{
    static const char *const names[] = { "loss", "loss_cross_entropy", "loss_dice", "loss_auxiliary" };
    double *want = golden_doubles(golden, "output.loss", 4);
    bool good = true;
    for (int i = 0; i < 4; i++) {
        const float got = *(const float *)program_tensor(program, names[i]).data;
        print_message("  %s: %.7f, reference %.7f\n", names[i], (double)got, want[i]);
        good = fabs((double)got - want[i]) <= tolerance * fabs(want[i]) && good;
    }
    free(want);
    return good;
}

static bool check_states(const TensorFile *golden, const ParamSet *params)
{
    double worst = 0.0;
    int64_t count = 0;
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        char key[256];
        if (!str_ends_with(info->name, "running_mean") && !str_ends_with(info->name, "running_var")) continue;
        (void)snprintf(key, sizeof key, "state.%s.summary", info->name);
        const Tensor tensor = params_tensor(params, i);
        worst =
            fmax(worst, golden_compare(golden, key, info->name, tensor.data, shape_count(&info->shape), 4, tolerance));
        count++;
    }
    print_message("  %d running statistics: %.1f %% of the tolerance at most\n", (int)count, 100.0 * worst);
    return count > 100 && worst <= 1.0;
}

/* Gradients that are 0 in exact arithmetic are compared with 0, within 1e-5 of the largest gradient. */
static double zero_gradient(const float *gradient, int64_t n)
{
    double largest = 0.0;
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)gradient[i]));
    return largest / (1e-5 * largest_gradient);
}

/* PyTorch's own gradients in float32 against float64, as the golden file records them: a ReLU6 whose argument lies
 * within rounding of 0 or 6 passes its gradient or not, which one float32 program decides one way and the next another.
 */
static double float32_deviation(const TensorFile *golden)
{
    const char *text = tensor_file_metadata(golden, "config");
    Json *root = NULL;
    double gradients = 0.0, largest = 0.0;
    assert_non_null(text);
    assert_int_equal(json_parse(text, strlen(text), 1 << 20, &root), ERR_NONE);
    assert_int_equal(json_get_double(json_find(root, "float32_deviation"), "gradients", &gradients), ERR_NONE);
    assert_int_equal(json_get_double(root, "largest_gradient", &largest), ERR_NONE);
    assert_true(fabs(largest - largest_gradient) < 1e-12);
    json_free(root);
    return gradients;
}

/* Within 1e-4; for at most one tensor in twenty within twice what PyTorch's float32 deviates by. */
static bool check_gradients(const TensorFile *golden, ParamSet *params)
{
    const char *config = tensor_file_metadata(golden, "config");
    const double limit = fmax(1.0, 2.0 * float32_deviation(golden) / tolerance);
    double worst = 0.0;
    int64_t count = 0, beyond = 0;
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        if (!info->trainable) continue;
        const float *gradient = params_gradients(params) + info->offset;
        const int64_t n = shape_count(&info->shape);
        char key[256], quoted[256];
        (void)snprintf(key, sizeof key, "grad.%s.summary", info->name);
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", info->name);
        const double used = strstr(config, quoted) != NULL
                                ? zero_gradient(gradient, n)
                                : golden_compare(golden, key, info->name, gradient, n, 4, tolerance);
        if (!(used <= 1.0)) {
            print_message("  gradient of %s: %.1f %% of the tolerance\n", info->name, 100.0 * used);
            beyond++;
        }
        golden_note(&worst, used, 1.0);
        count++;
    }
    print_message("  %d gradients: %.1f %% of the tolerance at most, %d beyond it\n", (int)count, 100.0 * worst,
                  (int)beyond);
    return count > 200 && 20 * beyond <= count && worst <= limit;
}

static bool check_training(const TensorFile *golden, CpuIsa isa)
{
    static const char *const outputs[] = { "f16", "f32", "fused16", "fused32", "logits", "aux" };
    Model *model = golden_model(MODEL_FUSION_CAF);
    print_message("%s\n", cpu_isa_name(isa));
    Program *program = compile(model, true, isa);
    fill_inputs(golden, program);
    bool good = true;
    assert_int_equal(program_forward(program, 0), ERR_NONE);
    for (int64_t i = 0; i < ARRAY_LEN(outputs); i++)
        good = check_output(golden, program, outputs[i], outputs[i]) && good;
    good = check_losses(golden, program) && good;
    good = check_states(golden, model->params) && good;
    assert_int_equal(program_backward(program, false), ERR_NONE);
    good = check_gradients(golden, model->params) && good;
    program_free(program);
    model_free(model);
    return good;
}

static void training(void **state)
{
    (void)state;
    TensorFile *golden = golden_open("network.safetensors");
    bool good = true;
    for (int isa = ISA_PLAIN; isa <= (int)cpu_isa_detect(); isa++) good = check_training(golden, (CpuIsa)isa) && good;
    assert_true(good);
    tensor_file_close(golden);
}

/* Values of the parameters that both sets have. */
static void copy_params(const ParamSet *from, ParamSet *to)
{
    for (int32_t i = 0; i < params_count(to); i++) {
        const ParamInfo *info = params_info(to, i);
        const int32_t source = params_find(from, info->name);
        assert_true(source >= 0);
        const Tensor tensor = params_tensor(from, source);
        memcpy(params_values(to) + info->offset, tensor.data, tensor_bytes(&tensor));
    }
}

static void compare_bits(const TensorFile *golden, const Model *with_text, const Model *without, bool trains)
{
    Program *a = compile(with_text, trains, cpu_isa_detect()), *b = compile(without, trains, cpu_isa_detect());
    fill_inputs(golden, a);
    fill_inputs(golden, b);
    assert_int_equal(program_forward(a, 0), ERR_NONE);
    assert_int_equal(program_forward(b, 0), ERR_NONE);
    const Tensor x = program_tensor(a, "logits"), y = program_tensor(b, "logits");
    assert_int_equal(tensor_bytes(&x), tensor_bytes(&y));
    assert_memory_equal(x.data, y.data, tensor_bytes(&x));
    program_free(a);
    program_free(b);
}

/* model_initialize sets the output projections to 0: then text changes nothing at all. */
static void untrained_fusion_is_the_identity(void **state)
{
    (void)state;
    TensorFile *golden = golden_open("network.safetensors");
    Model *with_text = golden_model(MODEL_FUSION_CAF), *without = golden_model(MODEL_FUSION_NONE);
    model_initialize(with_text, 3);
    copy_params(with_text->params, without->params);
    compare_bits(golden, with_text, without, false);
    compare_bits(golden, with_text, without, true);
    model_free(with_text);
    model_free(without);
    tensor_file_close(golden);
}

static void refuses_odd_sizes(void **state)
{
    (void)state;
    Model *model = golden_model(MODEL_FUSION_CAF);
    const SegmenterShape odd = { 1, 256, 300, 1, 8 };
    const ProgramOptions options = program_options_defaults();
    Program *program = NULL;
    assert_int_equal(segmenter_compile(model->params, &model->config, &odd, NULL, &options, &program), ERR_SHAPE);
    assert_non_null(strstr(err_message(), "multiples of 256"));
    assert_null(program);
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inference),
        cmocka_unit_test(training),
        cmocka_unit_test(untrained_fusion_is_the_identity),
        cmocka_unit_test(refuses_odd_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
