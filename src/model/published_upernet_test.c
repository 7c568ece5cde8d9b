/* SPDX-License-Identifier: Apache-2.0
 * UPerNet behind ConvNeXt of the packages transformers and segmentation_models_pytorch (tools/golden/convert_upernet.py), with random
 * weights: converted, the scores are the public ones. */
#include "harness/golden_checkpoint.h"
#include "model/convert.h"
#include "model/model_file.h"
#include "network/segmenter.h"

enum { HEIGHT = 64, WIDTH = 96, CLASSES = 7 };
static const double tolerance = 1e-4;

/* step: pixels of our scores between two of the golden file. */
static void check_scores(const TensorFile *golden, const Model *model, int64_t step)
{
    NetworkShape shape = segmenter_shape(&model->config.network, 1, HEIGHT);
    const ProgramOptions options = program_options_defaults();
    const Shape size = shape4(1, HEIGHT / 4, WIDTH / 4, CLASSES);
    const StoredTensor *stored = NULL;
    Program *program = NULL;
    shape.width = WIDTH;
    ASSERT_OK(segmenter_compile(model->params, &model->config.network, &shape, NULL, &options, &program));
    golden_normals("input.image", 0.0, 1.0, program_tensor(program, "image").data, (int64_t)HEIGHT * WIDTH * 3);
    ASSERT_OK(program_forward(program, 0));
    const Tensor scores = program_tensor(program, "logits");
    assert_int_equal(shape_count(&scores.shape), shape_count(&size) * step * step);
    float *want = malloc((size_t)shape_count(&size) * sizeof *want);
    assert_non_null(want);
    ASSERT_OK(tensor_file_require(golden, "scores", &size, &stored));
    ASSERT_OK(stored_tensor_read_f32(stored, want));
    double largest = 0.0, difference = 0.0;
    for (int64_t i = 0; i < shape_count(&size); i++) {
        largest = fmax(largest, fabs((double)want[i]));
        const int64_t x = i / CLASSES % size.dim[2] * step, y = i / CLASSES / size.dim[2] * step;
        const int64_t at = (y * size.dim[2] * step + x) * CLASSES + i % CLASSES;
        difference = fmax(difference, fabs((double)want[i] - (double)((const float *)scores.data)[at]));
    }
    print_message("largest difference to the public scores: %.2g of the largest\n", difference / largest);
    assert_true(difference <= tolerance * largest);
    free(want);
    program_free(program);
}

static void same_as_the_public_network(void **state)
{
    (void)state;
    static const struct {
        const char *file, *title;
        NetworkEncoder encoder;
        int64_t step;
    } networks[] = {
        { "published/transformers_upernet.safetensors", "UPerNet of transformers, ConvNeXt",
          NETWORK_ENCODER_convnext_tiny, 1 },
        { "published/smp_upernet.safetensors", "UPerNet of segmentation_models_pytorch, ConvNeXt",
          NETWORK_ENCODER_convnextv2_atto, 4 },
        { "published/smp04_upernet.safetensors", "UPerNet of segmentation_models_pytorch 0.4, ConvNeXt",
          NETWORK_ENCODER_convnextv2_atto, 4 },
    };
    for (int64_t i = 0; i < ARRAY_LEN(networks); i++) {
        char in[256], out[256];
        TensorFile *golden = golden_open(networks[i].file);
        Model *model = NULL;
        ConvertReport report = { 0 };
        ConvertOptions options = convert_options_defaults();
        options.overwrite = true;
        golden_checkpoint_write(golden, unit_at("upernet.safetensors", in));
        ASSERT_OK(convert_file(in, unit_at("model.safetensors", out), &options, &report));
        assert_string_equal(report.title, networks[i].title);
        ASSERT_OK(model_load(out, false, &model));
        assert_int_equal(model->config.network.encoder, networks[i].encoder);
        check_scores(golden, model, networks[i].step);
        model_free(model);
        tensor_file_close(golden);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(same_as_the_public_network) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
