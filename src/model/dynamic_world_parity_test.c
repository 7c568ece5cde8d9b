/* SPDX-License-Identifier: Apache-2.0
 * The published Dynamic World weights: scores of an image as the published network gives them. Needs the folder that
 * METASEG_DYNAMIC_WORLD names, else shared/data/dynamicworld beside the source folder, with dw_forward.safetensors
 * (docs/model-file.md), parity_input_96x96x9_f32.npy and parity_logits_96x96x9_f32.npy; skipped without. */
#include "model/convert.h"
#include "model/model_file.h"
#include "network/segmenter.h"

#include "base/file.h"
#include "harness/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 96, VALUES = SIDE * SIDE * 9, SKIPPED = 77 };
static const double tolerance = 1e-4;

static const char *folder;

static void in_folder(const char *name, char ret_path[512]) { (void)snprintf(ret_path, 512, "%s/%s", folder, name); }

/* The values of a NumPy file of version 1, float32, in C order. */
static float *read_npy(const char *name)
{
    char path[512], *bytes = NULL;
    size_t length = 0;
    in_folder(name, path);
    ASSERT_OK(file_read(path, 1 << 24, &bytes, &length));
    assert_true(length > VALUES * sizeof(float) && memcmp(bytes, "\x93NUMPY", 6) == 0);
    float *values = malloc(VALUES * sizeof *values);
    assert_non_null(values);
    memcpy(values, bytes + length - VALUES * sizeof(float), VALUES * sizeof *values);
    free(bytes);
    return values;
}

static void parity(void **state)
{
    (void)state;
    char in[512], out[256];
    ConvertReport report;
    Model *model = NULL;
    Program *program = NULL;
    in_folder("dw_forward.safetensors", in);
    ASSERT_OK(convert_file(in, unit_at("model.safetensors", out),
                           &(ConvertOptions){ .weights = DTYPE_F32, .overwrite = true }, &report));
    ASSERT_OK(model_load(out, false, &model));
    const NetworkShape shape = segmenter_shape(&model->config.network, 1, SIDE);
    const ProgramOptions options = program_options_defaults();
    ASSERT_OK(segmenter_compile(model->params, &model->config.network, &shape, NULL, &options, &program));
    float *input = read_npy("parity_input_96x96x9_f32.npy"), *wanted = read_npy("parity_logits_96x96x9_f32.npy");
    memcpy(program_tensor(program, "image").data, input, VALUES * sizeof *input);
    ASSERT_OK(program_forward(program, 0));
    const float *logits = program_tensor(program, "logits").data;
    double worst = 0.0;
    for (int i = 0; i < VALUES; i++) worst = fmax(worst, fabs((double)logits[i] - (double)wanted[i]));
    print_message("  largest difference %.2g\n", worst);
    assert_true(worst < tolerance);
    free(input);
    free(wanted);
    program_free(program);
    model_free(model);
    assert_int_equal(unlink(out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(parity) };
    folder = getenv("METASEG_DYNAMIC_WORLD");
    if (folder == NULL || folder[0] == '\0') folder = METASEG_SOURCE_DIR "/../shared/data/dynamicworld";
    if (access(folder, R_OK) != 0) {
        print_message("skipped: '%s' is missing; METASEG_DYNAMIC_WORLD names the folder of the published weights\n",
                      folder);
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
