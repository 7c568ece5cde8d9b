/* SPDX-License-Identifier: Apache-2.0
 * The image encoder with the published ImageNet weights against PyTorch (tools/golden/encoder.py), as an inference
 * program. */
#include "model/convert.h"
#include "model/model_file.h"
#include "network/encoder.h"

#include "graph/program.h"
#include "harness/data_file.h"
#include "harness/golden.h"

enum { SIDE = 256 };
static const double tolerance = 1e-4;

/* v = mean of four random mosaics of block sides 64, 16, 4 and 1; (v - mean) / std. */
static void fill_image(float *image)
{
    static const double mean[] = { 0.485, 0.456, 0.406 }, std[] = { 0.229, 0.224, 0.225 };
    static const uint64_t blocks[] = { 64, 16, 4, 1 };
    for (uint64_t y = 0; y < SIDE; y++) {
        for (uint64_t x = 0; x < SIDE; x++) {
            for (uint64_t c = 0; c < 3; c++) {
                double sum = 0.0;
                for (int i = 0; i < 4; i++) {
                    const uint64_t k = blocks[i];
                    sum += (double)golden_uniform("encoder.image", (k << 32) + ((y / k) * SIDE + x / k) * 3 + c);
                }
                image[(y * SIDE + x) * 3 + c] = (float)((sum / 4.0 - mean[c]) / std[c]);
            }
        }
    }
}

static Program *compile(const Model *model, CpuIsa isa)
{
    Graph *g = NULL;
    Program *program = NULL;
    assert_int_equal(graph_new(model->params, false, &g), ERR_NONE);
    const Var image = graph_input(g, "image", DTYPE_F32, shape4(1, SIDE, SIDE, 3));
    graph_push(g, "encoder");
    const FeatureMaps maps =
        encoder_def_efficientnet_lite0.build(g, image, encoder_def_efficientnet_lite0.variant, 0.0F);
    graph_pop(g);
    graph_output(g, "f4", maps.f4);
    graph_output(g, "f8", maps.f8);
    graph_output(g, "f16", maps.f16);
    graph_output(g, "f32", maps.f32);
    ProgramOptions options = program_options_defaults();
    options.device.isa = isa;
    options.poison = true;
    if (graph_finish(g) != ERR_NONE || program_compile(g, model->params, &options, &program) != ERR_NONE) {
        fail_msg("%s", err_message());
    }
    graph_free(g);
    return program;
}

static Model *empty_model(void)
{
    ModelConfig config;
    Model *model = NULL;
    assert_int_equal(model_config_init(&config), ERR_NONE);
    assert_int_equal(model_config_set_classes(&config, 2), ERR_NONE);
    assert_int_equal(model_new(&config, false, &model), ERR_NONE);
    model_config_done(&config);
    return model;
}

static void check_maps(const TensorFile *golden, const Program *program, const char *cpu)
{
    static const char *const names[] = { "f4", "f8", "f16", "f32" };
    for (int i = 0; i < 4; i++) {
        char key[64], name[32];
        const Tensor map = program_tensor(program, names[i]);
        const float *x = map.data;
        assert_non_null(x);
        (void)snprintf(key, sizeof key, "output.%s.first", names[i]);
        double *first = golden_doubles(golden, key, 64), largest = 0.0, worst = 0.0;
        for (int64_t j = 0; j < shape_count(&map.shape); j++) largest = fmax(largest, fabs((double)x[j]));
        for (int64_t j = 0; j < 64; j++) golden_note(&worst, fabs((double)x[j] - first[j]), tolerance * largest);
        free(first);
        (void)snprintf(key, sizeof key, "output.%s.summary", names[i]);
        (void)snprintf(name, sizeof name, "output.%s", names[i]);
        const double summary = golden_compare(golden, key, name, x, shape_count(&map.shape), 8, tolerance);
        print_message("%s, %s: %.2f %% and %.2f %% of the tolerance\n", cpu, names[i], 100.0 * worst, 100.0 * summary);
        assert_true(worst <= 1.0 && summary <= 1.0);
    }
}

static void check_last_map(const TensorFile *golden, const Program *program)
{
    const Tensor map = program_tensor(program, "f32");
    const StoredTensor *stored = NULL;
    assert_int_equal(tensor_file_require(golden, "output.f32", &map.shape, &stored), ERR_NONE);
    const int64_t n = shape_count(&map.shape);
    float *want = malloc((size_t)n * sizeof *want);
    assert_non_null(want);
    assert_int_equal(stored_tensor_read_f32(stored, want), ERR_NONE);
    double largest = 0.0, worst = 0.0;
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)want[i]));
    for (int64_t i = 0; i < n; i++) {
        golden_note(&worst, fabs((double)want[i] - (double)((const float *)map.data)[i]), tolerance * largest);
    }
    assert_true(worst <= 1.0);
    free(want);
}

static void parity(void **state)
{
    (void)state;
    char weights[512];
    data_file_require("efficientnet-lite0.pth", weights);
    TensorFile *golden = golden_open("encoder.safetensors");
    Model *model = empty_model();
    ASSERT_OK(model_load_encoder(model, weights));
    for (int isa = ISA_PLAIN; isa <= (int)cpu_isa_detect(); isa++) {
        Program *program = compile(model, (CpuIsa)isa);
        fill_image(program_tensor(program, "image").data);
        assert_int_equal(program_forward(program, 0), ERR_NONE);
        check_maps(golden, program, cpu_isa_name((CpuIsa)isa));
        check_last_map(golden, program);
        program_free(program);
    }
    model_free(model);
    tensor_file_close(golden);
}

/* The converted file gives the same parameters as the checkpoint itself; in half precision nearly. */
static void conversion(void **state)
{
    (void)state;
    char weights[512], folder[64], path[128];
    data_file_require("efficientnet-lite0.pth", weights);
    unit_folder(folder);
    (void)snprintf(path, sizeof path, "%s/encoder.safetensors", folder);
    Model *published = empty_model(), *converted = empty_model();
    assert_int_equal(model_load_encoder(published, weights), ERR_NONE);
    ConvertReport report = { 0 };
    ASSERT_OK(convert_file(weights, path, &(ConvertOptions){ .weights = DTYPE_F32, .overwrite = false }, &report));
    assert_int_equal(report.kind, CONVERT_ENCODER);
    assert_string_equal(report.format, "PyTorch legacy");
    assert_int_equal(report.read, 296);
    assert_int_equal(report.written, 296 - 8 - 48); /* without the tail and the counters of batches */
    assert_int_equal(model_load_encoder(converted, path), ERR_NONE);
    const size_t bytes = (size_t)params_length(published->params) * sizeof(float);
    assert_memory_equal(params_values(published->params), params_values(converted->params), bytes);
    assert_int_equal(
        convert_file(weights, path, &(ConvertOptions){ .weights = DTYPE_F32, .overwrite = false }, &report),
        ERR_OUTPUT);
    assert_int_equal(convert_file(weights, path, &(ConvertOptions){ .weights = DTYPE_F16, .overwrite = true }, &report),
                     ERR_NONE);
    assert_int_equal(model_load_encoder(converted, path), ERR_NONE);
    for (int64_t i = 0; i < params_length(published->params); i++) {
        const float a = params_values(published->params)[i], b = params_values(converted->params)[i];
        assert_true(fabsf(a - b) <= fabsf(a) / 2048.0F + 3e-8F);
    }
    model_free(published);
    model_free(converted);
    (void)file_remove(path);
    (void)rmdir(folder);
}

/* Five bands: the filters of red, green, blue, red, green, scaled by 3/5; those of their presence are 0. */
static void check_more_bands(bool missing)
{
    char weights[512];
    ModelConfig config;
    Model *model = NULL, *rgb = empty_model();
    data_file_require("efficientnet-lite0.pth", weights);
    assert_int_equal(model_config_init(&config), ERR_NONE);
    assert_int_equal(model_config_set_classes(&config, 2), ERR_NONE);
    assert_int_equal(model_config_set_bands(&config, 5), ERR_NONE);
    config.network.missing_bands = missing;
    assert_int_equal(model_new(&config, false, &model), ERR_NONE);
    model_initialize(model, 1);
    model_config_done(&config);
    assert_int_equal(model_load_encoder(model, weights), ERR_NONE);
    assert_int_equal(model_load_encoder(rgb, weights), ERR_NONE);
    const Tensor five = params_tensor(model->params, params_find(model->params, "encoder._conv_stem.weight"));
    const Tensor three = params_tensor(rgb->params, params_find(rgb->params, "encoder._conv_stem.weight"));
    const int64_t channels = missing ? 10 : 5;
    assert_int_equal(five.shape.dim[1], channels);
    for (int64_t f = 0; f < 32; f++) {
        for (int64_t b = 0; b < channels; b++) {
            for (int64_t t = 0; t < 9; t++) {
                const float want = b < 5 ? ((const float *)three.data)[(f * 3 + b % 3) * 9 + t] * (3.0F / 5.0F) : 0.0F;
                assert_true(((const float *)five.data)[(f * channels + b) * 9 + t] == want);
            }
        }
    }
    model_free(model);
    model_free(rgb);
}

static void more_bands(void **state)
{
    (void)state;
    check_more_bands(false);
    check_more_bands(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(parity), cmocka_unit_test(conversion),
                                        cmocka_unit_test(more_bands) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
