/* SPDX-License-Identifier: Apache-2.0
 * Pixels in memory give the map that the same raster gives. pixels_check FIXTURES (tests/cli/make_fixtures.c). */
#include "harness/unit.h"

#include "geo/raster.h"
#include "metaseg/predict.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 40, HEIGHT = 30, PIXELS = WIDTH * HEIGHT, CLASSES = 17 };

static const char *fixtures;
static char warnings[1024];

static const char *at(const char *name)
{
    static char path[2][512];
    static int turn;
    turn = 1 - turn;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", fixtures, name);
    return path[turn];
}

static void remember(void *context, int level, const char *text)
{
    (void)context;
    if (level > 0) (void)snprintf(warnings, sizeof warnings, "%s", text);
}

static MetasegModel *load(void)
{
    static char folder[512];
    static MetasegRun run;
    MetasegModel *model = NULL;
    (void)snprintf(folder, sizeof folder, "%s/share", fixtures);
    run = (MetasegRun){ .data_folder = folder, .threads = 1, .message = remember };
    if (metaseg_model_load(at("model.safetensors"), &run, &model) != METASEG_OK)
        fail_msg("%s", metaseg_error_message());
    return model;
}

/* Band values of the first `bands` bands, [HEIGHT][WIDTH][bands]. */
static void read_raster(const char *path, const char *bands, int64_t n, float *values)
{
    Raster *raster = NULL;
    uint8_t valid[PIXELS];
    assert_int_equal(raster_open(path, NULL, &raster), ERR_NONE);
    assert_int_equal(raster_choose_bands(raster, bands, n, NULL), ERR_NONE);
    assert_int_equal(raster_read(raster, (RasterWindow){ 0, 0, WIDTH, HEIGHT }, values, valid), ERR_NONE);
    raster_close(raster);
    for (int i = 0; i < PIXELS; i++)
        for (int64_t b = 0; valid[i] == 0 && b < n; b++) values[i * n + b] = 255.0F; /* nodata of our maps */
}

static void predict(MetasegModel *model, const float *pixels, const uint8_t *valid,
                    const MetasegPredictOptions *options, uint8_t *classes, uint8_t *confidence, uint8_t *probabilities)
{
    if (metaseg_predict_pixels(model, pixels, valid, WIDTH, HEIGHT, options, classes, confidence, probabilities) !=
        METASEG_OK)
        fail_msg("%s", metaseg_error_message());
}

static void same_as_raster(void **state)
{
    (void)state;
    float pixels[PIXELS * 3], map[PIXELS], certainty[PIXELS];
    static float all[PIXELS * CLASSES];
    static uint8_t probabilities[PIXELS * CLASSES];
    uint8_t classes[PIXELS], confidence[PIXELS];
    MetasegModel *model = load();
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    options.longitude = -170.0;
    options.latitude = 44.0;
    options.overwrite = true;
    options.confidence = "pixels_confidence.tif";
    options.probabilities = "pixels_probabilities.tif";
    if (metaseg_predict_raster(model, at("no_place.tif"), "pixels_map.tif", &options, NULL) != METASEG_OK)
        fail_msg("%s", metaseg_error_message());
    read_raster(at("no_place.tif"), "1,2,3", 3, pixels);
    read_raster("pixels_map.tif", "1", 1, map);
    read_raster("pixels_confidence.tif", "1", 1, certainty);
    read_raster("pixels_probabilities.tif", NULL, CLASSES, all);
    predict(model, pixels, NULL, &options, classes, confidence, probabilities);
    for (int i = 0; i < PIXELS * CLASSES; i++) assert_true((float)probabilities[i] == all[i]);
    int different_classes = 0;
    for (int i = 0; i < PIXELS; i++) {
        assert_true((float)classes[i] == map[i]);
        assert_true((float)confidence[i] == certainty[i]);
        different_classes += classes[i] != classes[0];
    }
    assert_true(different_classes > 0);
    metaseg_model_free(model);
    assert_int_equal(remove("pixels_map.tif"), 0);
    (void)remove("pixels_map.tif.aux.xml");
    assert_int_equal(remove("pixels_confidence.tif"), 0);
    (void)remove("pixels_confidence.tif.aux.xml");
    assert_int_equal(remove("pixels_probabilities.tif"), 0);
    (void)remove("pixels_probabilities.tif.aux.xml");
}

static void invalid_pixels(void **state)
{
    (void)state;
    float pixels[PIXELS * 3];
    uint8_t valid[PIXELS], classes[PIXELS], confidence[PIXELS];
    MetasegModel *model = load();
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    options.prompts = METASEG_PROMPTS_NULL;
    read_raster(at("no_place.tif"), "1,2,3", 3, pixels);
    memset(valid, 1, sizeof valid);
    valid[7] = 0;
    pixels[3 * 500 + 1] = NAN;
    pixels[3 * 501 + 2] = -INFINITY;
    static uint8_t probabilities[PIXELS * CLASSES];
    predict(model, pixels, valid, &options, classes, confidence, probabilities);
    for (int i = 0; i < PIXELS; i++) {
        const bool known = i != 7 && i != 500 && i != 501;
        assert_true(known ? classes[i] < 17 && confidence[i] < 255 : classes[i] == 255 && confidence[i] == 255);
        for (int k = 0; k < CLASSES; k++) assert_true((probabilities[i * CLASSES + k] == 255) == !known);
    }
    memset(valid, 0, sizeof valid);
    predict(model, pixels, valid, &options, classes, NULL, NULL);
    for (int i = 0; i < PIXELS; i++) assert_int_equal(classes[i], 255);
    metaseg_model_free(model);
}

/* The zone of the place is read, an unknown place is told, and a single pixel is a scene too. */
static void places(void **state)
{
    (void)state;
    float pixels[PIXELS * 3];
    uint8_t classes[3][PIXELS], confidence[3][PIXELS], one = 255;
    static const double longitudes[] = { -170.0, -120.0, (double)NAN }; /* Af, BWh, unknown */
    MetasegModel *model = load();
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    read_raster(at("no_place.tif"), "1,2,3", 3, pixels);
    for (int i = 0; i < 3; i++) {
        options.longitude = longitudes[i];
        options.latitude = 44.0;
        warnings[0] = '\0';
        predict(model, pixels, NULL, &options, classes[i], confidence[i], NULL);
        assert_true((strstr(warnings, "place of the pixels is unknown") != NULL) == (i == 2));
        for (int k = 0; k < i; k++) assert_memory_not_equal(confidence[i], confidence[k], PIXELS);
    }
    assert_int_equal(metaseg_predict_pixels(model, pixels, NULL, 1, 1, &options, &one, NULL, NULL), METASEG_OK);
    assert_true(one < 17);
    metaseg_model_free(model);
}

static void refusals(void **state)
{
    (void)state;
    float pixels[3] = { 0 };
    uint8_t class = 77;
    MetasegModel *model = load();
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    options.prompts = METASEG_PROMPTS_NULL;
    assert_int_equal(metaseg_predict_pixels(model, NULL, NULL, 1, 1, &options, &class, NULL, NULL),
                     METASEG_ERROR_ARGUMENT);
    assert_int_equal(metaseg_predict_pixels(model, pixels, NULL, 0, 1, &options, &class, NULL, NULL),
                     METASEG_ERROR_ARGUMENT);
    assert_int_equal(metaseg_predict_pixels(model, pixels, NULL, 1, -1, &options, &class, NULL, NULL),
                     METASEG_ERROR_ARGUMENT);
    options.tile = 100;
    assert_int_equal(metaseg_predict_pixels(model, pixels, NULL, 1, 1, &options, &class, NULL, NULL),
                     METASEG_ERROR_ARGUMENT);
    options.tile = 0;
    options.prompt = "desert";
    assert_int_equal(metaseg_predict_pixels(model, pixels, NULL, 1, 1, &options, &class, NULL, NULL),
                     METASEG_ERROR_ARGUMENT);
    options.prompts = METASEG_PROMPTS_GROUNDED; /* no text encoder named */
    assert_int_equal(metaseg_predict_pixels(model, pixels, NULL, 1, 1, &options, &class, NULL, NULL),
                     METASEG_ERROR_ARGUMENT);
    options.text_encoder = "/nowhere";
    assert_int_equal(metaseg_predict_pixels(model, pixels, NULL, 1, 1, &options, &class, NULL, NULL),
                     METASEG_ERROR_INPUT);
    const struct {
        double longitude, latitude, resolution;
        int prompts;
    } bad[] = { { 361, 0, 0, 0 },
                { -400, 0, 0, 0 },
                { 10, 91, 0, 0 },

                { (double)INFINITY, 0, 0, 0 },
                { 10, 50, (double)NAN, 0 },
                { 10, 50, -1, 0 },
                { 10, 50, 0, 4 },
                { 10, 50, 0, -1 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        options = metaseg_predict_options_defaults();
        options.longitude = bad[i].longitude;
        options.latitude = bad[i].latitude;
        options.resolution = bad[i].resolution;
        options.prompts = (MetasegPrompts)bad[i].prompts;
        if (metaseg_predict_pixels(model, pixels, NULL, 1, 1, &options, &class, NULL, NULL) != METASEG_ERROR_ARGUMENT)
            fail_msg("case %d is not refused", (int)i);
        if (metaseg_predict_raster(model, at("no_place.tif"), "bad.tif", &options, NULL) != METASEG_ERROR_ARGUMENT)
            fail_msg("case %d is not refused with a raster", (int)i);
    }
    assert_int_equal(class, 77);
    metaseg_model_free(model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_raster),
        cmocka_unit_test(invalid_pixels),
        cmocka_unit_test(places),
        cmocka_unit_test(refusals),
    };
    if (argc != 2) return 2;
    fixtures = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
