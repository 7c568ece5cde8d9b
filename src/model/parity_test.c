/* SPDX-License-Identifier: Apache-2.0
 * The whole network against its PyTorch twin (tools/golden/network.py): outputs, losses, running statistics and the
 * gradient of every parameter; and with the fusion's output projections at 0 against the text-free network, bit for
 * bit. */
#include "base/json.h"
#include "harness/golden_network.h"

static const double tolerance = 1e-4;
static const double largest_gradient = 1.7241879539572103; /* of the golden file, checked below */

/* All shares on the null prompt. */
static void fill_null(const Program *program)
{
    static const char *const names[] = { "log_share_16", "log_share_32" };
    for (int i = 0; i < 2; i++) {
        const Tensor share = program_tensor(program, names[i]);
        float *values = share.data;
        for (int64_t j = 0; j < shape_count(&share.shape); j++)
            values[j] = (j + 1) % (GOLDEN_ZONES + 1) == 0 ? 0.0F : logf(1e-4F);
    }
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
    Model *model = golden_network_model(NETWORK_FUSION_CAF), *free_model = golden_network_model(NETWORK_FUSION_NONE);
    bool good = true;
    for (int isa = ISA_PLAIN; isa <= (int)cpu_isa_detect(); isa++) {
        print_message("%s\n", cpu_isa_name((CpuIsa)isa));
        Program *program = golden_network_compile(model, false, (CpuIsa)isa);
        golden_fill_inputs(golden, program);
        assert_int_equal(program_forward(program, 0), ERR_NONE);
        good = check_output(golden, program, "full", "inference_logits") && good;
        fill_null(program);
        assert_int_equal(program_forward(program, 0), ERR_NONE);
        good = check_output(golden, program, "full", "null_logits") && good;
        program_free(program);
        program = golden_network_compile(free_model, false, (CpuIsa)isa);
        golden_fill_inputs(golden, program);
        assert_int_equal(program_forward(program, 0), ERR_NONE);
        good = check_output(golden, program, "full", "text_free_logits") && good;
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
    static const char *const outputs[] = { "f16", "f32", "fused16", "fused32", "full", "aux" };
    Model *model = golden_network_model(NETWORK_FUSION_CAF);
    print_message("%s\n", cpu_isa_name(isa));
    Program *program = golden_network_compile(model, true, isa);
    golden_fill_inputs(golden, program);
    bool good = true;
    assert_int_equal(program_forward(program, 0), ERR_NONE);
    for (int64_t i = 0; i < ARRAY_LEN(outputs); i++)
        good =
            check_output(golden, program, outputs[i], strcmp(outputs[i], "full") == 0 ? "logits" : outputs[i]) && good;
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

/* Of the file, by which gradients that are nothing but rounding are measured. */
static double smallest_scale(const TensorFile *golden)
{
    const char *text = tensor_file_metadata(golden, "config");
    Json *config = NULL;
    double largest = 0.0;
    ASSERT_OK(json_parse(text, strlen(text), 1 << 16, &config));
    ASSERT_OK(json_get_double(config, "largest_gradient", &largest));
    json_free(config);
    return 1e-3 * largest;
}

/* Gradients that the file has, within 3e-4: the plain sums of full-size maps are four and sixteen times as
 * long as at stride 4. The shares of a weighted sum have the difference of two such sums, which cancel to less than a thousandth of
 * the largest gradient. */
static bool check_decoder_gradients(const TensorFile *golden, ParamSet *params, int64_t at_least)
{
    const double scale = smallest_scale(golden);
    double worst = 0.0;
    int64_t count = 0;
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        char key[256];
        (void)snprintf(key, sizeof key, "grad.%s.summary", info->name);
        if (!info->trainable || tensor_file_find(golden, key) == NULL) continue;
        const float *gradient = params_gradients(params) + info->offset;
        double *summary = golden_doubles(golden, key, -1);
        const double wide = 3.0 * tolerance * fmax(1.0, scale / summary[2]);
        const double used = golden_compare(golden, key, info->name, gradient, shape_count(&info->shape), 4, wide);
        free(summary);
        if (!(used <= 1.0)) print_message("  gradient of %s: %.1f %% of the tolerance\n", info->name, 100.0 * used);
        golden_note(&worst, used, 1.0);
        count++;
    }
    print_message("  %d gradients: %.1f %% of the tolerance at most\n", (int)count, 100.0 * worst);
    return count > at_least && worst <= 1.0;
}

/* Scores at strides 2 and 1, and with the detail branch, trained and not. */
static void finer_strides(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int32_t stride, detail_width;
    } cases[] = { { "network_stride_2.safetensors", 2, 0 },
                  { "network_stride_1.safetensors", 1, 0 },
                  { "network_detail.safetensors", 2, 32 } };
    TensorFile *labels = golden_open("network.safetensors");
    bool good = true;
    for (int64_t f = 0; f < ARRAY_LEN(cases); f++) {
        TensorFile *golden = golden_open(cases[f].file);
        Model *model = golden_network_at(NETWORK_FUSION_NONE, cases[f].stride, cases[f].detail_width);
        Program *program = golden_network_compile(model, false, cpu_isa_detect());
        golden_fill_inputs(labels, program);
        ASSERT_OK(program_forward(program, 0));
        good = check_output(golden, program, "full", "inference_logits") && good;
        program_free(program);
        program = golden_network_compile(model, true, cpu_isa_detect());
        golden_fill_inputs(labels, program);
        ASSERT_OK(program_forward(program, 0));
        good = check_output(golden, program, "full", "logits") && good;
        good = check_output(golden, program, "aux", "aux") && good;
        good = check_losses(golden, program) && good;
        ASSERT_OK(program_backward(program, false));
        good = check_decoder_gradients(golden, model->params, 100) && good;
        program_free(program);
        model_free(model);
        tensor_file_close(golden);
    }
    assert_true(good);
    tensor_file_close(labels);
}

/* The network without an encoder, on every instruction set. */
static void detail_alone(void **state)
{
    (void)state;
    TensorFile *labels = golden_open("network.safetensors"), *golden = golden_open("network_detail_alone.safetensors");
    ModelConfig config;
    Model *model = NULL;
    golden_configure(&config, NETWORK_FUSION_NONE, 2);
    config.network.encoder = NETWORK_ENCODER_none;
    config.network.decoder = NETWORK_DECODER_detail;
    config.network.detail_width = 32;
    ASSERT_OK(model_new(&config, true, &model));
    model_config_done(&config);
    bool good = true;
    for (int isa = ISA_PLAIN; isa <= (int)cpu_isa_detect(); isa++) {
        golden_fill_params(model->params); /* training moves the running statistics */
        Program *program = golden_network_compile(model, false, (CpuIsa)isa);
        golden_fill_inputs(labels, program);
        ASSERT_OK(program_forward(program, 0));
        good = check_output(golden, program, "full", "inference_logits") && good;
        program_free(program);
        program = golden_network_compile(model, true, (CpuIsa)isa);
        golden_fill_inputs(labels, program);
        ASSERT_OK(program_forward(program, 0));
        good = check_output(golden, program, "full", "logits") && good;
        ASSERT_OK(program_backward(program, false));
        good = check_decoder_gradients(golden, model->params, 50) && good;
        program_free(program);
    }
    assert_true(good);
    model_free(model);
    tensor_file_close(golden);
    tensor_file_close(labels);
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
    Program *a = golden_network_compile(with_text, trains, cpu_isa_detect()),
            *b = golden_network_compile(without, trains, cpu_isa_detect());
    golden_fill_inputs(golden, a);
    golden_fill_inputs(golden, b);
    assert_int_equal(program_forward(a, 0), ERR_NONE);
    assert_int_equal(program_forward(b, 0), ERR_NONE);
    const Tensor x = program_tensor(a, "full"), y = program_tensor(b, "full");
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
    Model *with_text = golden_network_model(NETWORK_FUSION_CAF), *without = golden_network_model(NETWORK_FUSION_NONE);
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
    Model *model = golden_network_model(NETWORK_FUSION_CAF);
    NetworkShape odd = segmenter_shape(&model->config.network, 1, 256);
    odd.width = 300;
    const ProgramOptions options = program_options_defaults();
    Program *program = NULL;
    assert_int_equal(segmenter_compile(model->params, &model->config.network, &odd, NULL, &options, &program),
                     ERR_SHAPE);
    assert_non_null(strstr(err_message(), "multiples of 32"));
    assert_null(program);
    model_free(model);
}

/* A batch that is not what the program was compiled for is an error and changes nothing. */
static void refuses_other_batches(void **state)
{
    (void)state;
    Model *model = golden_network_model(NETWORK_FUSION_CAF);
    const ProgramOptions options = program_options_defaults();
    NetworkShape shape = segmenter_shape(&model->config.network, 1, 256);
    shape.tokens = GOLDEN_TOKENS;
    NetworkShape other[5];
    for (int64_t i = 0; i < ARRAY_LEN(other); i++) other[i] = shape;
    other[0].bands = 2;
    other[1].batch = 2;
    other[2].tokens = 0;
    other[3].slots = 1;
    other[4].height = 512;
    NetworkInputs batch;
    Program *program = NULL;
    ASSERT_OK(segmenter_compile(model->params, &model->config.network, &shape, NULL, &options, &program));
    const Tensor image = program_tensor(program, "image");
    memset(image.data, 1, tensor_bytes(&image));
    for (int64_t i = 0; i < ARRAY_LEN(other); i++) {
        ASSERT_OK(network_inputs_init(&other[i], &batch));
        ASSERT_ERR(segmenter_write(program, &batch), ERR_SHAPE, "the network reads [1, ");
        network_inputs_done(&batch);
    }
    for (size_t b = 0; b < tensor_bytes(&image); b++) assert_int_equal(((const uint8_t *)image.data)[b], 1);
    ASSERT_OK(network_inputs_init(&shape, &batch));
    batch.image[7] = 2.5F;
    ASSERT_OK(segmenter_write(program, &batch));
    assert_true(((const float *)image.data)[7] == 2.5F && ((const float *)image.data)[8] == 0.0F);
    network_inputs_done(&batch);
    other[0] = shape;
    other[0].bands = 4;
    ASSERT_ERR(segmenter_compile(model->params, &model->config.network, &other[0], NULL, &options, &program), ERR_SHAPE,
               "a model that reads 3");
    program_free(program);
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inference),
        cmocka_unit_test(training),
        cmocka_unit_test(finer_strides),
        cmocka_unit_test(detail_alone),
        cmocka_unit_test(untrained_fusion_is_the_identity),
        cmocka_unit_test(refuses_odd_sizes),
        cmocka_unit_test(refuses_other_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
