/* SPDX-License-Identifier: Apache-2.0
 * A stopped and continued run ends with the same bytes as an undisturbed one, wherever it was stopped, and is continued
 * as nothing but what it was; the optimizer against hand figures. */
#include "metaseg/train.h"

#include "base/file.h"
#include "geo/raster_write.h"
#include "harness/unit.h"
#include "model/model_file.h"
#include "train/event_file.h"
#include "train/optimizer.h"

#include <math.h>
#include <string.h>

enum { SIDE = 300 };

/* What a run leaves in its folder, and the folders of this test. */
static const char *const run_files[] = { "last.safetensors", "best.safetensors", "metrics.csv",
                                         "metrics.jsonl",    "classes.csv",      "events.out.tfevents.metaseg",
                                         "config.yaml",      "report.html" };
static const char *const runs[] = { "whole", "parts", "bands", "free", "sets", "set_parts" };

static void write_raster(const char *name, RasterKind kind, int bands)
{
    char path[256];
    const double bounds[4] = { 0, 0, 30, 30 };
    const RasterClass classes[2] = { { 0, "dark", { 0, 0, 0 } }, { 1, "bright", { 255, 255, 255 } } };
    const RasterWriteOptions options = { .path = unit_at(name, path),
                                         .kind = kind,
                                         .width = SIDE,
                                         .height = SIDE,
                                         .bounds = bounds,
                                         .epsg = 4326,
                                         .classes = classes,
                                         .n_classes = 2,
                                         .overwrite = true };
    RasterWriter *writer = NULL;
    ASSERT_OK(raster_writer_open(&options, &writer));
    uint8_t row[SIDE];
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            const int bright = (x / 40 + y / 60) % 2;
            row[x] = (uint8_t)(bands == 3 ? 60 + 120 * bright + (x * 7 + y * 13) % 20 : bright);
        }
        const uint8_t *const planes[] = { row, row, row };
        ASSERT_OK(raster_writer_rows(writer, 1, planes, SIDE));
    }
    ASSERT_OK(raster_writer_finish(writer));
}

static void write_config(void)
{
    char path[256];
    unit_write_text(unit_at("classes.yaml", path), "name: two\nclasses:\n"
                                                   "- { value: 0, name: dark, color: \"#000000\" }\n"
                                                   "- { value: 1, name: bright, color: \"#ffffff\" }\n");
    unit_write_text(
        unit_at("run.yaml", path),
        "name: made\n"
        "model: { fusion: caf, text: null, decoder_width: 16, gsd_min: 0.1, gsd_max: 0.1, gsd_unit: degree }\n"
        "data:\n"
        "  scenes: [{ name: s, image: image.tif, labels: labels.tif }]\n"
        "  class_table: classes.yaml\n"
        "  validation: [{ name: v, west: 0, south: 0, east: 10, north: 10 }]\n"
        "  holdout: [{ name: h, west: 28, south: 28, east: 30, north: 30 }]\n"
        "train: { window: 256, batch: 1, steps: 5, warmup_steps: 1, ema_decay: 0.9, validate_every: 3,\n"
        "         checkpoint_every: 2, freeze_encoder: 0.2, freeze_decoder: 0.5, output: whole }\n");
}

/* Asks to stop when step `at` is done, or in the validation that follows it. */
typedef struct Stopper {
    int64_t at;
    bool in_validation;
    volatile int stop;
} Stopper;

static void stop_at(void *context, int64_t done, int64_t total, const char *text)
{
    (void)total;
    Stopper *stopper = context;
    if (done == stopper->at && (strncmp(text, "validation", 10) == 0) == stopper->in_validation) stopper->stop = 1;
}

static MetasegStatus train_with(const char *output, Stopper stopper, MetasegTrainStart start,
                                MetasegTrainReport *report, const char *set)
{
    char config[256], place[256];
    (void)snprintf(place, sizeof place, "train.output=%s", output);
    const char *const overrides[] = { place, set };
    const MetasegRun run = { .threads = 1, .progress = stop_at, .context = &stopper, .stop = &stopper.stop };
    return metaseg_train(unit_at("run.yaml", config), overrides, set == NULL ? 1 : 2, start, &run, report);
}

static MetasegStatus train(const char *output, int64_t stop_after, MetasegTrainStart start, MetasegTrainReport *report)
{
    return train_with(output, (Stopper){ .at = stop_after }, start, report, NULL);
}

static void read_bytes(const char *name, char **ret_bytes, size_t *ret_length)
{
    char path[256];
    ASSERT_OK(file_read(unit_at(name, path), (size_t)1 << 30, ret_bytes, ret_length));
}

static void same_bytes(const char *a, const char *b)
{
    char *bytes_a = NULL, *bytes_b = NULL;
    size_t length_a = 0, length_b = 0;
    read_bytes(a, &bytes_a, &length_a);
    read_bytes(b, &bytes_b, &length_b);
    assert_true(length_a == length_b && length_a > 0);
    assert_memory_equal(bytes_a, bytes_b, length_a);
    free(bytes_a);
    free(bytes_b);
}

/* All of the table but the seconds. */
static void same_rows(const char *a, const char *b)
{
    char *rows_a = NULL, *rows_b = NULL;
    size_t length = 0;
    read_bytes(a, &rows_a, &length);
    read_bytes(b, &rows_b, &length);
    char *at = rows_a, *to = rows_b;
    while (*at != '\0' && *to != '\0') {
        for (int64_t column = 0; column < 10; column++) {
            const size_t n = strcspn(at, ",\n"), m = strcspn(to, ",\n");
            if (column != 7) assert_true(n == m && strncmp(at, to, n) == 0);
            at += n + 1;
            to += m + 1;
        }
    }
    assert_true(*at == '\0' && *to == '\0');
    free(rows_a);
    free(rows_b);
}

/* Whole records of the same lengths; they differ in their times. */
static void same_events(const char *a, const char *b)
{
    char *bytes_a = NULL, *bytes_b = NULL;
    size_t length_a = 0, length_b = 0;
    read_bytes(a, &bytes_a, &length_a);
    read_bytes(b, &bytes_b, &length_b);
    assert_int_equal(length_a, length_b);
    assert_int_equal(event_keep(bytes_a, length_a, 5), length_a);
    assert_int_equal(event_keep(bytes_b, length_b, 5), length_b);
    assert_true(event_keep(bytes_a, length_a, 3) < length_a && event_keep(bytes_a, length_a, 2) > 0);
    free(bytes_a);
    free(bytes_b);
}

static void test_resume(void **state)
{
    (void)state;
    MetasegTrainReport report;
    ASSERT_OK(train("whole", -1, METASEG_TRAIN_NEW, &report));
    assert_int_equal(report.steps, 5);
    assert_true(isfinite(report.best_miou));
    const Stopper validating = { .at = 3, .in_validation = true };
    assert_int_equal(train_with("parts", validating, METASEG_TRAIN_NEW, &report, NULL), METASEG_ERROR_INTERRUPTED);
    assert_int_equal(report.steps, 3);
    assert_int_equal(train("parts", 3, METASEG_TRAIN_RESUME, &report), METASEG_ERROR_INTERRUPTED);
    assert_int_equal(report.steps, 3); /* the validation was made up for */
    assert_int_equal(train("parts", 4, METASEG_TRAIN_RESUME, &report), METASEG_ERROR_INTERRUPTED);
    const Stopper last = { .at = 5, .in_validation = true };
    assert_int_equal(train_with("parts", last, METASEG_TRAIN_RESUME, &report, NULL), METASEG_ERROR_INTERRUPTED);
    ASSERT_OK(train("parts", -1, METASEG_TRAIN_RESUME, &report));
    same_bytes("whole/last.safetensors", "parts/last.safetensors");
    same_bytes("whole/best.safetensors", "parts/best.safetensors");
    same_rows("whole/metrics.csv", "parts/metrics.csv");
    same_bytes("whole/classes.csv", "parts/classes.csv");
    same_events("whole/events.out.tfevents.metaseg", "parts/events.out.tfevents.metaseg");
}

/* A network at stride 2 that learns with bands missing and as pictures of bytes: the figures of each set stand in the
 * tables, the mean of them chooses, and a run in parts is the run. */
static void test_band_sets(void **state)
{
    (void)state;
    char path[256];
    unit_write_text(
        unit_at("run.yaml", path),
        "name: made\n"
        "model: { fusion: none, decoder_width: 16, output_stride: 2, missing_bands: true, byte_scale: 1.5,\n"
        "         gsd_min: 0.1, gsd_max: 0.1, gsd_unit: degree }\n"
        "data:\n"
        "  scenes: [{ name: s, image: image.tif, labels: labels.tif }]\n"
        "  class_table: classes.yaml\n"
        "  validation: [{ name: v, west: 0, south: 0, east: 10, north: 10 }]\n"
        "train: { window: 256, batch: 1, steps: 3, validate_every: 2, checkpoint_every: 1, output: sets,\n"
        "         band_sets: [{ bands: [red, green], probability: 0.5 }], band_dropout: 0.3, stretch: 0.5,\n"
        "         noise: 0.1 }\n");
    MetasegTrainReport report;
    ASSERT_OK(train("sets", -1, METASEG_TRAIN_NEW, &report));
    assert_int_equal(train("set_parts", 2, METASEG_TRAIN_NEW, &report), METASEG_ERROR_INTERRUPTED);
    ASSERT_OK(train("set_parts", -1, METASEG_TRAIN_RESUME, &report));
    same_bytes("sets/last.safetensors", "set_parts/last.safetensors");
    char *rows = NULL;
    size_t length = 0;
    read_bytes("sets/metrics.csv", &rows, &length);
    assert_non_null(strstr(rows, ",validation_accuracy,miou_all,accuracy_all,miou_red+green,accuracy_red+green\n"));
    const char *row = strstr(rows, "\n2,");
    assert_non_null(row);
    double figures[14] = { 0 };
    for (int i = 0; i < 14; i++) {
        figures[i] = strtod(row + 1, NULL);
        row = strpbrk(row + 1, ",\n");
    }
    assert_true(fabs(figures[8] - 0.5 * (figures[10] + figures[12])) < 1e-5);
    assert_true(fabs(figures[9] - 0.5 * (figures[11] + figures[13])) < 1e-5);
    free(rows);
    read_bytes("sets/metrics.jsonl", &rows, &length);
    assert_non_null(strstr(rows, "\"validation_sets\":[{\"bands\":\"all\",\"miou\":"));
    free(rows);
    Model *model = NULL;
    ASSERT_OK(model_load(unit_at("sets/best.safetensors", path), false, &model));
    assert_true(model->config.network.missing_bands && model->config.network.output_stride == 2);
    assert_true(model->config.byte_scale == 1.5);
    model_free(model);
    write_config();
}

/* Every key that must stay the same, changed: refused before any work, named with both values, nothing written. */
static const struct {
    const char *set, *message;
} other_configurations[] = {
    { "name=x", "name is \"made\" there and \"x\" here" },
    { "model.encoder_weights=run.yaml", "model.encoder_weights has the content no file there and " },
    { "model.fusion=none", "model.fusion is \"caf\" there and \"none\" here" },
    { "model.decoder_width=32", "model.decoder_width is 16 there and 32 here" },
    { "model.output_stride=2", "model.output_stride is 4 there and 2 here" },
    { "model.missing_bands=true", "model.missing_bands is false there and true here" },
    { "model.byte_scale=2", "model.byte_scale is 0 there and 2 here" },
    { "train.noise=0.5", "train.noise is 0 there and 0.5 here" },
    { "model.gsd_min=0.05", "model.gsd_min is 0.1 there and 0.05 here" },
    { "model.gsd_max=0.2", "model.gsd_max is 0.1 there and 0.2 here" },
    { "model.gsd_unit=metre", "model.gsd_unit is \"degree\" there and \"metre\" here" },
    { "data.scenes.1.name=t", "data.scenes.1.name is \"s\" there and \"t\" here" },
    { "data.scenes.1.image=labels.tif", "data.scenes.1.image is \"image.tif\" there and \"labels.tif\" here" },
    { "data.scenes.1.labels=image.tif", "data.scenes.1.labels is \"labels.tif\" there and \"image.tif\" here" },
    { "data.scenes.1.labels_crs=EPSG:4326", "data.scenes.1.labels_crs is null there and \"EPSG:4326\" here" },
    { "data.scenes.1.bands=1,2", "data.scenes.1.bands is [1,2,3] there and [1,2] here" },
    { "data.scenes.1.bands=3,2,1", "data.scenes.1.bands is [1,2,3] there and [3,2,1] here" },
    { "data.ignore=7", "data.ignore is 255 there and 7 here" },
    { "data.holdout.1.north=29", "data.holdout.1.north is 30 there and 29 here" },
    { "data.validation.1.west=1", "data.validation.1.west is 0 there and 1 here" },
    { "train.seed=2", "train.seed is 1 there and 2 here" },
    { "train.batch=2", "train.batch is 1 there and 2 here" },
    { "train.window=512", "train.window is 256 there and 512 here" },
    { "train.upsample=2", "train.upsample is 1 there and 2 here" },
    { "train.learning_rate=0.01", "train.learning_rate is 0.001 there and 0.01 here" },
    { "train.encoder_multiplier=1", "train.encoder_multiplier is 0.1 there and 1 here" },
    { "train.weight_decay=0", "train.weight_decay is 0.01 there and 0 here" },
    { "train.clip_norm=0", "train.clip_norm is 1 there and 0 here" },
    { "train.ema_decay=0", "train.ema_decay is 0.9 there and 0 here" },
    { "train.final_fraction=1", "train.final_fraction is 0.01 there and 1 here" },
    { "train.warmup_steps=0", "train.warmup_steps is 1 there and 0 here" },
    { "train.text_dropout=0", "train.text_dropout is 0.15 there and 0 here" },
    { "train.balance=0", "train.balance is 0.5 there and 0 here" },
    { "train.color_jitter=0", "train.color_jitter is 0.1 there and 0 here" },
    { "train.flips=no", "train.flips is true there and false here" },
    { "train.rotations=no", "train.rotations is true there and false here" },
    { "train.freeze_encoder=1", "train.freeze_encoder is 0.2 there and 1 here" },
    { "train.freeze_decoder=1", "train.freeze_decoder is 0.5 there and 1 here" },
    { "train.label_smoothing=0", "train.label_smoothing is 0.05 there and 0 here" },
    { "train.dice_weight=0", "train.dice_weight is 1 there and 0 here" },
    { "train.auxiliary_weight=0", "train.auxiliary_weight is 0.4 there and 0 here" },
    { "train.dropout=0", "train.dropout is 0.1 there and 0 here" },
    { "train.unsampled=1", "train.unsampled is [] there and [1] here" },
    { "train.steps=4", "stands at step 5, but train.steps is 4; raise it" },
};

static void refused(const char *set, const char *message)
{
    MetasegTrainReport report;
    const Stopper never = { .at = -1 };
    assert_int_equal(train_with("whole", never, METASEG_TRAIN_RESUME, &report, set), METASEG_ERROR_CONFIG);
    if (strstr(metaseg_error_message(), message) == NULL)
        fail_msg("'%s', wanted '%s'", metaseg_error_message(), message);
}

static void test_resume_refuses(void **state)
{
    (void)state;
    MetasegTrainReport report;
    char path[256], name[64], *before[ARRAY_LEN(run_files)], *after = NULL;
    size_t length[ARRAY_LEN(run_files)], now = 0;
    assert_int_equal(train("nothing", -1, METASEG_TRAIN_RESUME, &report), METASEG_ERROR_INPUT);
    assert_false(file_exists(unit_at("nothing", path)));
    for (int64_t i = 0; i < ARRAY_LEN(run_files); i++) {
        (void)snprintf(name, sizeof name, "whole/%s", run_files[i]);
        read_bytes(name, &before[i], &length[i]);
    }
    for (int64_t i = 0; i < ARRAY_LEN(other_configurations); i++)
        refused(other_configurations[i].set, other_configurations[i].message);
    unit_write_text(unit_at("classes.yaml", path), "name: two\nclasses:\n"
                                                   "- { value: 1, name: bright, color: \"#ffffff\" }\n"
                                                   "- { value: 0, name: dark, color: \"#000000\" }\n");
    refused(NULL, "data.classes.1.value is 0 there and 1 here; data.classes.1.name is \"dark\" there and \"bright\" "
                  "here; data.classes.1.color is \"#000000\" there and \"#ffffff\" here; data.classes.2.value is 1");
    unit_write_text(path,
                    "name: two\nclasses:\n"
                    "- { value: 0, name: dark, color: \"#000000\" }\n- { value: 1, name: bright, color: \"#ffffff\" }\n"
                    "- { value: 2, name: grey, color: \"#808080\" }\n");
    refused(NULL, "data.classes has 2 entries there and 3 here");
    write_config();
    for (int64_t i = 0; i < ARRAY_LEN(run_files); i++) {
        (void)snprintf(name, sizeof name, "whole/%s", run_files[i]);
        read_bytes(name, &after, &now);
        assert_true(now == length[i]);
        assert_memory_equal(before[i], after, now);
        free(before[i]);
        free(after);
    }
}

/* Writes last.safetensors of `whole` as that of `free` with one word in its head changed. */
static void change_word(const char *from, const char *to)
{
    char *bytes = NULL, path[256];
    size_t length = 0;
    read_bytes("whole/last.safetensors", &bytes, &length);
    const size_t word = strlen(from);
    assert_true(word == strlen(to));
    char *at = bytes;
    while (at + word <= bytes + length && memcmp(at, from, word) != 0) at++;
    assert_true(at + word <= bytes + length);
    memcpy(at, to, strlen(to));
    ASSERT_OK(file_make_folders(unit_at("free", path)));
    ASSERT_OK(file_write(unit_at("free/last.safetensors", path), bytes, length, true));
    free(bytes);
}

static void refused_file(const char *from, const char *to, MetasegStatus status, const char *message)
{
    change_word(from, to);
    assert_int_equal(train("free", -1, METASEG_TRAIN_RESUME, NULL), status);
    if (strstr(metaseg_error_message(), message) == NULL)
        fail_msg("'%s', wanted '%s'", metaseg_error_message(), message);
}

/* Checkpoints without a record, and those whose model is not what their record says. */
static void test_foreign_checkpoints(void **state)
{
    (void)state;
    refused_file("metaseg.train.record", "metaseg.train.recorx", METASEG_ERROR_CONFIG, "an older metaseg made it");
    refused_file("metaseg.train.state", "metaseg.train.statx", METASEG_ERROR_MODEL, "it is a model, not a checkpoint");
    refused_file("\\\"name\\\":\\\"blue\\\"", "\\\"name\\\":\\\"blux\\\"", METASEG_ERROR_CONFIG,
                 "band 3 of its model is 'blux', that of the data set 'blue'");
    refused_file("\\\"code\\\":1,", "\\\"code\\\":7,", METASEG_ERROR_CONFIG,
                 "class 2 of its model is 7 'bright', that of the configuration 1 'bright'");
}

/* Keys that are free: more steps, other intervals, another place, a class list instead of the table. */
static void test_free_keys(void **state)
{
    (void)state;
    MetasegTrainReport report;
    const Stopper never = { .at = -1 };
    change_word("\\\"noise\\\":0,", "\\\"noisx\\\":0,"); /* as of a version without this key */
    ASSERT_OK(train_with("free", never, METASEG_TRAIN_RESUME, &report, "train.steps=6"));
    assert_int_equal(report.steps, 6);
    ASSERT_OK(train_with("free", never, METASEG_TRAIN_RESUME, &report, "train.steps=7"));
    assert_int_equal(report.steps, 7);
}

/* A folder that holds a run is refused, untouched; replaced, the run is the same as in a fresh folder. */
static void test_existing_run(void **state)
{
    (void)state;
    MetasegTrainReport report;
    char model[256], checkpoint[256], *before = NULL, *after = NULL;
    size_t length_before = 0, length_after = 0;
    (void)unit_at("parts/best.safetensors", model);
    (void)unit_at("parts/last.safetensors", checkpoint);
    read_bytes("parts/last.safetensors", &before, &length_before);
    assert_int_equal(train("parts", -1, METASEG_TRAIN_NEW, &report), METASEG_ERROR_OUTPUT);
    assert_non_null(strstr(metaseg_error_message(), "/parts': holds a training run"));
    read_bytes("parts/last.safetensors", &after, &length_after);
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
    char config[256], path[256];
    Model *model = NULL;
    const char *const overrides[] = { "train.output=bands", "train.steps=1", "data.scenes.1.bands=3,1" };
    ASSERT_OK(metaseg_train(unit_at("run.yaml", config), overrides, 3, METASEG_TRAIN_NEW, NULL, NULL));
    ASSERT_OK(model_load(unit_at("bands/best.safetensors", path), false, &model));
    assert_int_equal(model->config.network.n_bands, 2);
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
    assert_int_equal(optimizer_step(o, 1, NULL), ERR_CONFIG); /* the learning rate is, no bug of ours */
    optimizer_free(o);
    params_free(params);
}

static int make_folder(void **state)
{
    (void)unit_set_up(state);
    write_raster("image.tif", RASTER_COLORS, 3);
    write_raster("labels.tif", RASTER_CLASSES, 1);
    write_config();
    return 0;
}

/* The last test: a run leaves nothing but what it is said to write. (cmocka keeps failures of a tear-down to
 * itself.) */
static void nothing_left(void **state)
{
    (void)state;
    char path[256];
    for (int64_t r = 0; r < ARRAY_LEN(runs); r++) {
        for (int64_t i = 0; i < ARRAY_LEN(run_files); i++) {
            char name[64];
            (void)snprintf(name, sizeof name, "%s/%s", runs[r], run_files[i]);
            assert_int_equal(unlink(unit_at(name, path)), 0);
        }
        if (rmdir(unit_at(runs[r], path)) != 0) fail_msg("'%s' holds more than a run's files", path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_optimizer),      cmocka_unit_test(test_resume),
        cmocka_unit_test(test_resume_refuses), cmocka_unit_test(test_foreign_checkpoints),
        cmocka_unit_test(test_free_keys),      cmocka_unit_test(test_existing_run),
        cmocka_unit_test(test_band_names),     cmocka_unit_test(test_band_sets),
        cmocka_unit_test(nothing_left),
    };
    return cmocka_run_group_tests(tests, make_folder, unit_tear_down);
}
