/* SPDX-License-Identifier: Apache-2.0
 * A stopped and continued run ends with the same bytes as an undisturbed one; the optimizer
 * against hand figures. */
#include "metaseg/train.h"

#include "base/file.h"
#include "geo/raster_write.h"
#include "model/model_file.h"
#include "train/optimizer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIDE = 300 };

static char folder[] = "/tmp/metaseg-train-XXXXXX";

static void path_in(char path[256], const char *name) { (void)snprintf(path, 256, "%s/%s", folder, name); }

static void write_raster(const char *name, RasterKind kind, int bands)
{
    char path[256];
    path_in(path, name);
    const double bounds[4] = { 0, 0, 30, 30 };
    const RasterClass classes[2] = { { 0, "dark", { 0, 0, 0 } }, { 1, "bright", { 255, 255, 255 } } };
    const RasterWriteOptions options = { .path = path,
                                         .kind = kind,
                                         .width = SIDE,
                                         .height = SIDE,
                                         .bounds = bounds,
                                         .epsg = 4326,
                                         .classes = classes,
                                         .n_classes = 2,
                                         .overwrite = true };
    RasterWriter *writer = NULL;
    assert_int_equal(raster_writer_open(&options, &writer), ERR_NONE);
    uint8_t row[SIDE];
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            const int bright = (x / 40 + y / 60) % 2;
            row[x] = (uint8_t)(bands == 3 ? 60 + 120 * bright + (x * 7 + y * 13) % 20 : bright);
        }
        const uint8_t *const planes[] = { row, row, row };
        assert_int_equal(raster_writer_rows(writer, 1, planes, SIDE), ERR_NONE);
    }
    assert_int_equal(raster_writer_finish(writer), ERR_NONE);
}

static void write_config(void)
{
    char path[256];
    path_in(path, "run.yaml");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(
        "name: made\n"
        "model: { fusion: caf, text: null, decoder_width: 16, gsd_min: 0.1, gsd_max: 0.1, gsd_unit: degree }\n"
        "data:\n"
        "  scenes: [{ name: s, image: image.tif, labels: labels.tif }]\n"
        "  classes: [{ value: 0, name: dark, color: \"#000000\" }, { value: 1, name: bright, color: \"#ffffff\" }]\n"
        "  validation: [{ name: v, west: 0, south: 0, east: 10, north: 10 }]\n"
        "train: { window: 256, batch: 1, steps: 5, warmup_steps: 1, ema_decay: 0.9, validate_every: 3,\n"
        "         checkpoint_every: 2, freeze_encoder: 0.2, freeze_decoder: 0.5, output: whole }\n",
        file);
    assert_int_equal(fclose(file), 0);
}

typedef struct Stopper {
    int64_t at;
    volatile int stop;
} Stopper;

static void stop_at(void *context, int64_t done, int64_t total, const char *text)
{
    (void)total;
    (void)text;
    Stopper *stopper = context;
    if (done == stopper->at) stopper->stop = 1;
}

static MetasegStatus train(const char *output, int64_t stop_after, MetasegTrainStart start, MetasegTrainReport *report)
{
    char config[256];
    char set[256];
    path_in(config, "run.yaml");
    (void)snprintf(set, sizeof set, "train.output=%s", output);
    const char *const overrides[] = { set };
    Stopper stopper = { .at = stop_after };
    const MetasegRun run = { .threads = 1, .progress = stop_at, .context = &stopper, .stop = &stopper.stop };
    return metaseg_train(config, overrides, 1, start, &run, report);
}

static void same_bytes(const char *a, const char *b)
{
    char path[256];
    char *bytes_a = NULL;
    char *bytes_b = NULL;
    size_t length_a = 0;
    size_t length_b = 0;
    path_in(path, a);
    assert_int_equal(file_read(path, (size_t)1 << 30, &bytes_a, &length_a), ERR_NONE);
    path_in(path, b);
    assert_int_equal(file_read(path, (size_t)1 << 30, &bytes_b, &length_b), ERR_NONE);
    assert_true(length_a == length_b && length_a > 0);
    assert_memory_equal(bytes_a, bytes_b, length_a);
    free(bytes_a);
    free(bytes_b);
}

static void test_resume(void **state)
{
    (void)state;
    MetasegTrainReport report;
    const MetasegStatus status = train("whole", -1, METASEG_TRAIN_NEW, &report);
    if (status != METASEG_OK) print_message("%s\n", metaseg_error_message());
    assert_int_equal(status, METASEG_OK);
    assert_int_equal(report.steps, 5);
    assert_true(isfinite(report.best_miou));
    assert_int_equal(train("parts", 3, METASEG_TRAIN_NEW, &report), METASEG_ERROR_INTERRUPTED);
    assert_int_equal(report.steps, 3);
    assert_int_equal(train("parts", 4, METASEG_TRAIN_RESUME, &report), METASEG_ERROR_INTERRUPTED);
    assert_int_equal(train("parts", -1, METASEG_TRAIN_RESUME, &report), METASEG_OK);
    same_bytes("whole/last.safetensors", "parts/last.safetensors");
    same_bytes("whole/best.safetensors", "parts/best.safetensors");
}

static void test_resume_refuses(void **state)
{
    (void)state;
    MetasegTrainReport report;
    assert_int_equal(train("nothing", -1, METASEG_TRAIN_RESUME, &report), METASEG_ERROR_INPUT);
    char config[256];
    char set[300];
    path_in(config, "run.yaml");
    (void)snprintf(set, sizeof set, "train.output=%s/whole", folder);
    const char *const overrides[] = { set, "train.seed=2" };
    assert_int_equal(metaseg_train(config, overrides, 2, METASEG_TRAIN_RESUME, NULL, &report), METASEG_ERROR_CONFIG);
}

/* A folder that holds a run is refused, untouched; replaced, the run is the same as in a fresh folder. */
static void test_existing_run(void **state)
{
    (void)state;
    MetasegTrainReport report;
    char model[256], checkpoint[256], *before = NULL, *after = NULL;
    size_t length_before = 0, length_after = 0;
    path_in(model, "parts/best.safetensors");
    path_in(checkpoint, "parts/last.safetensors");
    assert_int_equal(file_read(checkpoint, (size_t)1 << 30, &before, &length_before), ERR_NONE);
    assert_int_equal(train("parts", -1, METASEG_TRAIN_NEW, &report), METASEG_ERROR_OUTPUT);
    assert_non_null(strstr(metaseg_error_message(), "/parts': holds a training run"));
    assert_int_equal(file_read(checkpoint, (size_t)1 << 30, &after, &length_after), ERR_NONE);
    assert_int_equal(length_before, length_after);
    assert_memory_equal(before, after, length_before);
    free(before);
    free(after);
    assert_int_equal(file_remove(checkpoint) + file_remove(model), 0); /* the table of metrics alone is a run too */
    assert_int_equal(train("parts", -1, METASEG_TRAIN_NEW, &report), METASEG_ERROR_OUTPUT);
    assert_int_equal(file_write(checkpoint, "old", 3, false), ERR_NONE);
    assert_int_equal(file_write(model, "old", 3, false), ERR_NONE);
    assert_int_equal(train("parts", 1, METASEG_TRAIN_REPLACE, &report), METASEG_ERROR_INTERRUPTED);
    assert_false(file_exists(model)); /* validation comes later: the old model is gone */
    assert_int_equal(train("parts", -1, METASEG_TRAIN_REPLACE, &report), METASEG_OK);
    same_bytes("whole/last.safetensors", "parts/last.safetensors");
}

/* The model finds its bands again in a file with others or in another order. */
static void test_band_names(void **state)
{
    (void)state;
    char config[256];
    char model_path[256];
    char set[300];
    Model *model = NULL;
    path_in(config, "run.yaml");
    path_in(model_path, "bands/best.safetensors");
    (void)snprintf(set, sizeof set, "train.output=%s/bands", folder);
    const char *const overrides[] = { set, "train.steps=1", "data.scenes.1.bands=3,1" };
    assert_int_equal(metaseg_train(config, overrides, 3, METASEG_TRAIN_NEW, NULL, NULL), METASEG_OK);
    assert_int_equal(model_load(model_path, false, &model), ERR_NONE);
    assert_int_equal(model->config.n_bands, 2);
    assert_string_equal(model->config.bands[0].name, "blue");
    assert_string_equal(model->config.bands[1].name, "red");
    model_free(model);
}

static void test_optimizer(void **state)
{
    (void)state;
    ParamSet *params = NULL;
    int32_t index = 0;
    const Shape two = { 2, { 1, 2 } };
    assert_int_equal(params_new(&params), ERR_NONE);
    assert_int_equal(params_declare(params, "w", &two, (ParamInit){ INIT_ZERO, 0 }, true, true, &index), ERR_NONE);
    assert_int_equal(params_allocate(params), ERR_NONE);
    assert_int_equal(params_want_gradients(params), ERR_NONE);
    const OptimizerOptions options = { .learning_rate = 0.1,
                                       .encoder_multiplier = 1,
                                       .beta1 = 0.9,
                                       .beta2 = 0.999,
                                       .eps = 1e-8,
                                       .weight_decay = 0.5,
                                       .clip_norm = 1.0,
                                       .ema_decay = 0.5,
                                       .steps = 100,
                                       .warmup_steps = 2,
                                       .final_fraction = 0.1,
                                       .threads = 2 };
    Optimizer *o = NULL;
    params_values(params)[0] = 2.0F;
    assert_int_equal(optimizer_new(params, &options, &o), ERR_NONE);
    params_gradients(params)[0] = 3.0F;
    params_gradients(params)[1] = -4.0F;
    double norm = 0.0;
    assert_int_equal(optimizer_step(o, 0, &norm), ERR_NONE);
    assert_true(fabs(norm - 5.0) < 1e-6);
    /* first step: m-hat = g, v-hat = g^2, so the direction is sign(g); half the rate in warm-up; decay 0.5 * 2 */
    assert_true(fabsf(params_values(params)[0] - (2.0F - 0.05F * (1.0F + 0.5F * 2.0F))) < 1e-5F);
    assert_true(fabsf(params_values(params)[1] - 0.05F) < 1e-5F);
    assert_true(fabsf(optimizer_first_moment(o)[0] - 0.1F * 0.6F) < 1e-6F); /* clipped to norm 1 */
    assert_true(fabs(optimizer_schedule(&options, 1) - 1.0) < 1e-12);
    assert_true(fabs(optimizer_schedule(&options, 51) - 0.55) < 1e-12);
    assert_true(fabs(optimizer_schedule(&options, 100) - 0.1) < 1e-12);
    params_gradients(params)[0] = (float)NAN;
    assert_int_equal(optimizer_step(o, 1, NULL), ERR_INTERNAL);
    optimizer_free(o);
    params_free(params);
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) return 1;
    write_raster("image.tif", RASTER_COLORS, 3);
    write_raster("labels.tif", RASTER_CLASSES, 1);
    write_config();
    return 0;
}

/* The last test: nothing but what a run is said to write was left behind. (cmocka keeps failures of a tear-down to
 * itself.) */
static void nothing_left(void **state)
{
    (void)state;
    static const char *const names[] = {
        "whole/last.safetensors",
        "whole/best.safetensors",
        "whole/metrics.csv",
        "whole/metrics.jsonl",
        "whole/config.yaml",
        "whole",
        "parts/last.safetensors",
        "parts/best.safetensors",
        "parts/metrics.csv",
        "parts/metrics.jsonl",
        "parts/config.yaml",
        "parts",
        "bands/last.safetensors",
        "bands/best.safetensors",
        "bands/metrics.csv",
        "bands/metrics.jsonl",
        "bands/config.yaml",
        "bands",
        "nothing",
        "image.tif",
        "image.tif.aux.xml",
        "labels.tif",
        "labels.tif.aux.xml",
        "run.yaml",
        "",
    };
    for (int64_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[256];
        path_in(path, names[i]);
        if (unlink(path) != 0 && rmdir(path) != 0 && access(path, F_OK) == 0) fail_msg("'%s' was left behind", path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_optimizer),    cmocka_unit_test(test_resume),     cmocka_unit_test(test_resume_refuses),
        cmocka_unit_test(test_existing_run), cmocka_unit_test(test_band_names), cmocka_unit_test(nothing_left),
    };
    return cmocka_run_group_tests(tests, make_folder, NULL);
}
