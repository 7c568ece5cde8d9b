/* SPDX-License-Identifier: Apache-2.0
 * Submissions from the library: stopped between two images nothing is written; pixels without data; what the report tells. */
#include "predict/predictor.h"

#include "base/file.h"
#include "geo/geo_test.h"
#include "model/model_test.h"

#include <ftw.h>

enum { SIDE = 64, PIXELS = SIDE * SIDE };

static volatile int stop;
static int64_t counted, of, stop_at;

static void on_progress(void *context, int64_t done, int64_t total, const char *text)
{
    (void)context;
    (void)text;
    counted = done;
    of = total;
    if (done == stop_at) stop = 1;
}

/* Two images in Test/Urban, one in Test/Rural. */
static void write_images(char root[256])
{
    static const char *const names[] = { "Urban/images_png/5.png", "Urban/images_png/6.png", "Rural/images_png/7.png" };
    static float values[PIXELS * 3];
    char path[300], folder[300];
    (void)unit_at("LoveDA", root);
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < PIXELS * 3; k++) values[k] = (float)((k * 13 + k / 64 * 7 + i * 50) % 251);
        (void)snprintf(path, sizeof path, "%s/Test/%s", root, names[i]);
        (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
        ASSERT_OK(file_make_folders(folder));
        test_raster(path,
                    (TestRaster){ .width = SIDE, .height = SIDE, .bands = 3, .type = GDT_Byte, .values = values });
    }
}

static MetasegModel *load(void)
{
    static const char *const names[] = { "red", "green", "blue" };
    static const char *const classes[] = {
        "Background", "Building", "Road", "Water", "Barren", "Forest", "Agricultural"
    };
    const MetasegRun run = {
        .threads = 1, .progress = on_progress, .stop = &stop, .data_folder = METASEG_SOURCE_DIR "/share"
    };
    char path[256];
    ModelConfig config;
    MetasegModel *loaded = NULL;
    test_model_config(7, 3, names, &config);
    for (int i = 0; i < 7; i++) {
        config.classes[i].code = i + 1;
        ASSERT_OK(model_config_set_text(&config.classes[i].name, classes[i]));
    }
    config.tile = 64;
    config.gsd_minimum = 0.01;
    config.gsd_maximum = 1.0;
    test_model_save(&config, 5, unit_at("model.safetensors", path));
    ASSERT_OK((Err)metaseg_model_load(path, &run, &loaded));
    return loaded;
}

static void submissions(void **state)
{
    (void)state;
    char root[256], out[256];
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    MetasegSubmissionReport report;
    MetasegModel *model = load();
    options.prompts = METASEG_PROMPTS_NULL;
    write_images(root);
    (void)unit_at("out.zip", out);
    for (stop_at = 0; stop_at < 3; stop_at++) {
        stop = 0;
        ASSERT_ERR(metaseg_predict_submission(model, "loveda", root, out, &options, NULL), ERR_INTERRUPTED,
                   "nothing was written");
        assert_int_equal(counted, stop_at);
        assert_int_equal(of, 3);
        assert_false(file_exists(out));
    }
    stop = 0;
    stop_at = -1;
    ASSERT_OK((Err)metaseg_predict_submission(model, "loveda", root, out, &options, &report));
    assert_int_equal(counted, 3);
    assert_int_equal(report.images, 3);
    assert_int_equal(report.pixels, 3 * PIXELS);
    assert_non_null(strstr(report.server, "LoveDA"));
    assert_true(file_exists(out));
    ASSERT_ERR(metaseg_predict_submission(model, "loveda", root, out, &options, NULL), ERR_OUTPUT, "out.zip");
    ASSERT_ERR(metaseg_predict_submission(model, "potsdam", root, out, &options, NULL), ERR_ARGUMENT,
               "the labels of its test tiles are published");
    ASSERT_ERR(metaseg_predict_submission(model, "lovda", root, out, &options, NULL), ERR_ARGUMENT,
               "did you mean 'loveda'");
    options.gsd = 0.3;
    ASSERT_ERR(metaseg_predict_submission(model, "loveda", root, out, &options, NULL), ERR_ARGUMENT, "a pixel size");
    metaseg_model_free(model);
}

/* LoveDA's server has no value for pixels without data. */
static void no_data(void **state)
{
    (void)state;
    char root[256], out[256], path[300];
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    MetasegModel *model = load();
    options.prompts = METASEG_PROMPTS_NULL;
    stop_at = -1;
    write_images(root);
    (void)snprintf(path, sizeof path, "%s/Test/Urban/images_png/6.png", root);
    const GDALDatasetH d = GDALOpen(path, GA_ReadOnly);
    for (int b = 1; b <= 3; b++) GDALSetRasterNoDataValue(GDALGetRasterBand(d, b), 7.0);
    GDALClose(d);
    ASSERT_ERR(metaseg_predict_submission(model, "loveda", root, unit_at("none.zip", out), &options, NULL), ERR_INPUT,
               "6.png': ");
    assert_non_null(strstr(err_message(), "of its pixels are no data"));
    assert_false(file_exists(out));
    metaseg_model_free(model);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static int remove_all(void **state)
{
    char root[256];
    (void)nftw(unit_at("LoveDA", root), remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return unit_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(submissions), cmocka_unit_test(no_data) };
    return cmocka_run_group_tests(tests, unit_set_up, remove_all);
}
