/* SPDX-License-Identifier: Apache-2.0
 * What an image's file says of its bands and numbers reaches the map: order of bands, offsets, no data, and warnings of
 * numbers that the model was not made for. */
#include "predict/predictor.h"

#include "geo/geo_test.h"
#include "model/model_test.h"

#include <math.h>

enum { WIDTH = 48, HEIGHT = 40, PIXELS = WIDTH * HEIGHT };

static char told[4096];     /* warnings of the last prediction */
static char informed[4096]; /* and what else it said */

static void on_message(void *context, int level, const char *text)
{
    (void)context;
    char *to = level > 0 ? told : informed;
    (void)snprintf(to + strlen(to), sizeof told - strlen(to), "%s\n", text);
}

/* What a model was made for. */
typedef struct MadeFor {
    double mean, std, byte_scale;
    ModelTransform transform;
    bool missing_bands;
    double reflectance, surface_scale, surface_offset;
} MadeFor;

static const MadeFor bytes = { .mean = 100.0, .std = 50.0 };

/* A model whose bands are called red, green and blue. */
static MetasegModel *load(MadeFor made_for)
{
    static const char *const names[] = { "red", "green", "blue", "nir" };
    const MetasegRun run = { .message = on_message, .threads = 1 };
    char path[256];
    ModelConfig config;
    MetasegModel *loaded = NULL;
    test_model_config(5, made_for.missing_bands ? 4 : 3, names,
                      &config); /* a fourth one, which the images do not have */
    config.tile = 256;
    config.gsd_minimum = 0.01;
    config.gsd_maximum = 1.0;
    config.gsd_unit = MODEL_DEGREE;
    for (int32_t b = 0; b < config.network.n_bands; b++) {
        config.bands[b].mean = made_for.mean;
        config.bands[b].std = made_for.std;
        config.bands[b].surface_scale = made_for.surface_scale;
        config.bands[b].surface_offset = made_for.surface_offset;
    }
    config.byte_scale = made_for.byte_scale;
    config.transform = made_for.transform;
    config.reflectance = made_for.reflectance;
    config.network.missing_bands = made_for.missing_bands;
    test_model_save(&config, 5, unit_at("model.safetensors", path));
    ASSERT_OK((Err)metaseg_model_load(path, &run, &loaded));
    return loaded;
}

/* An image of three bands; what a test does not set is as in a plain picture of bytes. */
typedef struct Image {
    GDALDataType type;
    double factor, added; /* of the plain picture's values */
    double scale, offset; /* stated */
    bool reversed;        /* blue, green, red */
    const char *const *names;
} Image;

static void write_image(const char *name, Image image, char path[256])
{
    static float values[PIXELS * 3];
    static const double transform[6] = { 10.0, 0.05, 0.0, 50.0, 0.0, -0.05 };
    const double factor = image.factor > 0.0 ? image.factor : 1.0;
    for (int i = 0; i < PIXELS; i++)
        for (int b = 0; b < 3; b++) {
            const int from = image.reversed ? 2 - b : b;
            const double v = (double)((i % WIDTH) / 8 * 20 + i / WIDTH / 8 * 15 + from * 13 + 5);
            values[i * 3 + b] = (float)(v * factor + image.added);
        }
    test_raster(unit_at(name, path), (TestRaster){ .width = WIDTH,
                                                   .height = HEIGHT,
                                                   .bands = 3,
                                                   .type = image.type,
                                                   .geotransform = transform,
                                                   .epsg = 4326,
                                                   .values = values });
    const GDALDatasetH d = GDALOpen(path, GA_Update);
    for (int b = 0; b < 3; b++) {
        const GDALRasterBandH band = GDALGetRasterBand(d, b + 1);
        if (image.names != NULL) GDALSetDescription(band, image.names[b]);
        if (image.scale != 0.0) GDALSetRasterScale(band, image.scale);
        if (image.offset != 0.0) GDALSetRasterOffset(band, image.offset);
    }
    GDALClose(d);
}

static void predict(MetasegModel *model, const char *in, MetasegPredictOptions options, uint8_t ret_map[PIXELS])
{
    char out[256];
    options.prompts = METASEG_PROMPTS_NULL;
    options.overwrite = true;
    told[0] = '\0';
    ASSERT_OK((Err)metaseg_predict_raster(model, in, unit_at("map.tif", out), &options, NULL));
    const GDALDatasetH d = GDALOpen(out, GA_ReadOnly);
    assert_non_null(d);
    assert_int_equal(
        GDALRasterIO(GDALGetRasterBand(d, 1), GF_Read, 0, 0, WIDTH, HEIGHT, ret_map, WIDTH, HEIGHT, GDT_Byte, 0, 0),
        CE_None);
    GDALClose(d);
}

static uint8_t plain[PIXELS], map[PIXELS];

static void same_map(void **state)
{
    static const char *const blue_first[] = { "B2", "B3", "B4" }, *const words[] = { "Band 1 (Blue)", "green", "RED" };
    const Image images[] = {
        { .reversed = true, .type = GDT_UInt16, .names = blue_first },
        { .reversed = true, .type = GDT_UInt16, .names = words },
        { .type = GDT_UInt16, .added = 1000.0, .scale = 1.0, .offset = -1000.0 },
        { .type = GDT_UInt16, .added = 1000.0, .scale = 0.0001, .offset = -0.1 },
        { .type = GDT_Float32, .added = 1000.0, .offset = -1000.0 },
        { .scale = 0.004 },
    };
    MetasegModel *model = *state;
    char path[256];
    write_image("plain.tif", (Image){ 0 }, path);
    predict(model, path, metaseg_predict_options_defaults(), plain);
    assert_string_equal(told, "");
    int differing = 0;
    for (int i = 0; i < PIXELS; i++) differing += plain[i] != plain[0];
    assert_true(differing > 0); /* a map of one class would prove nothing */
    for (int64_t i = 0; i < ARRAY_LEN(images); i++) {
        write_image("other.tif", images[i], path);
        predict(model, path, metaseg_predict_options_defaults(), map);
        if (memcmp(map, plain, sizeof plain) != 0 || told[0] != '\0') fail_msg("image %d: '%s'", (int)i, told);
    }
    MetasegPredictOptions stored = metaseg_predict_options_defaults();
    stored.stored_values = true;
    write_image("other.tif", images[2], path);
    predict(model, path, stored, map);
    assert_non_null(strstr(told, "far from those the model was made for"));
}

/* A large compressed image says why nothing is seen yet. */
static void slow_to_decode(void **state)
{
    MetasegModel *model = *state;
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    char path[256], out[256];
    options.tile = 4096; /* too much memory, which is found before any tile is read */
    options.prompts = METASEG_PROMPTS_NULL;
    for (int i = 0; i < 2; i++) {
        informed[0] = '\0';
        test_raster(unit_at("large.png", path),
                    (TestRaster){ .width = 2400, .height = i == 0 ? 2320 : 40, .bands = 3, .driver = "PNG" });
        ASSERT_ERR((Err)metaseg_predict_raster(model, path, unit_at("none.tif", out), &options, NULL), ERR_MEMORY,
                   "smaller --tile");
        assert_true((strstr(informed, "slow to decode; looks at 25 places of it first") != NULL) == (i == 0));
    }
}

/* An offset beyond the range of the type: taken off, with a warning that names it; not where the numbers stay. */
static void far_offset(void **state)
{
    const Image absurd = { .type = GDT_UInt16, .scale = 0.001, .offset = -100.0 }; /* 100000 of 65536 */
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    char path[256];
    write_image("offset.tif", absurd, path);
    predict(*state, path, options, map);
    assert_non_null(strstr(told, "states offset -100 and scale 0.001 of band 1"));
    assert_non_null(strstr(told, "--stored"));
    options.stored_values = true;
    predict(*state, path, options, map);
    assert_null(strstr(told, "states offset"));
}

/* Surface reflectance is brought to the top of the atmosphere where the model says how; what tells the level, and what a
 * stated scale is worth. The plain picture's values, times 10, are the top of the atmosphere. */
static void levels(void **state)
{
    const double scale = 0.5, offset = 20.0;
    const Image top = { .type = GDT_Float32, .factor = 10.0 };
    const Image surface = { .type = GDT_Float32, .factor = 10.0 / scale, .added = -offset / scale };
    const Image scaled = { .type = GDT_Float32, .factor = 5.0, .scale = 0.0002 };
    MetasegModel *model = load((MadeFor){
        .mean = 1000.0, .std = 500.0, .reflectance = 10000.0, .surface_scale = scale, .surface_offset = offset });
    const struct {
        Image image;
        const char *name, *level;
        bool same, told;
    } list[] = {
        { top, "top.tif", "L1C", true, false },
        { surface, "surface.tif", "L2A", true, false },
        { surface, "surface.tif", NULL, true, true }, /* assumed, and said */
        { top, "top.tif", NULL, false, true },
        { surface, "surface.tif", "L1C", false, false },
        { top, "S2A_MSIL1C_20200425T113321_N0209_R080_T30UYG_20200425T122345.tif", NULL, true, false },
        { surface, "S2B_30UYG_20210102_0_L2A.tif", NULL, true, false },
        { scaled, "scaled.tif", "L1TP", true, false }, /* 0.0002 of 1 are two ten thousandths */
    };
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        MetasegPredictOptions options = metaseg_predict_options_defaults();
        char path[256];
        options.level = list[i].level;
        write_image(list[i].name, list[i].image, path);
        predict(model, path, options, i == 0 ? plain : map);
        if (i > 0 && (memcmp(map, plain, sizeof plain) == 0) != list[i].same) fail_msg("image %d", (int)i);
        if ((strstr(told, "--level L1C") != NULL) != list[i].told) fail_msg("image %d: '%s'", (int)i, told);
    }
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    char path[256], out[256];
    options.level = "L2A";
    predict(*state, unit_at("top.tif", path), options, map); /* a model that does not tell levels apart */
    assert_non_null(strstr(told, "level L2A is not used"));
    options.level = "L3";
    ASSERT_ERR((Err)metaseg_predict_raster(model, unit_at("top.tif", path), unit_at("none.tif", out), &options, NULL),
               ERR_ARGUMENT, "'L3'");
    metaseg_model_free(model);
}

static void contradicting_names(void **state)
{
    static const char *const infrared[] = { "nir", "red", "green" };
    const MetasegPredictOptions options = metaseg_predict_options_defaults();
    char path[256], out[256];
    write_image("infrared.tif", (Image){ .type = GDT_UInt16, .names = infrared }, path);
    ASSERT_ERR((Err)metaseg_predict_raster(*state, path, unit_at("none.tif", out), &options, NULL), ERR_INPUT,
               "1: nir, 2: red, 3: green");
    assert_int_equal(access(out, F_OK), -1);
}

static void far_values(void **state)
{
    static const struct {
        Image image;
        bool told;
    } list[] = {
        { { .type = GDT_UInt16, .factor = 100.0 }, true },        /* 16 bits */
        { { .type = GDT_Float32, .factor = 1.0 / 255.0 }, true }, /* 0..1 */
        { { .type = GDT_UInt16, .factor = 6.0 }, true },          /* dark reflectance in ten thousandths */
        { { .type = GDT_Float32, .added = -20000.0 }, true },     /* another unit */
        { { .factor = 0.02 }, false },                            /* night, bytes */
        { { .type = GDT_Float32, .factor = 0.1 }, false },        /* dark, resampled */
        { { .factor = 0.001, .added = 250.0 }, false },           /* cloud */
        { { .type = GDT_UInt16, .factor = 0.001 }, false },       /* black */
        { { .type = GDT_Float32 }, false },
    };
    char path[256];
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        write_image("far.tif", list[i].image, path);
        predict(*state, path, metaseg_predict_options_defaults(), map);
        if ((strstr(told, "far from those") != NULL) != list[i].told) fail_msg("image %d: '%s'", (int)i, told);
    }
}

/* Bytes are brought to the numbers of the model, and nothing else is. */
static void byte_scale(void **state)
{
    (void)state;
    char path[256];
    MetasegModel *model = load((MadeFor){ .mean = 1600.0, .std = 800.0, .byte_scale = 16.0 });
    write_image("plain.tif", (Image){ 0 }, path);
    predict(model, path, metaseg_predict_options_defaults(), map);
    assert_string_equal(told, "");
    assert_memory_equal(map, plain, sizeof plain);
    write_image("other.tif", (Image){ .type = GDT_UInt16, .factor = 16.0 }, path);
    predict(model, path, metaseg_predict_options_defaults(), map);
    assert_string_equal(told, "");
    assert_memory_equal(map, plain, sizeof plain);
    write_image("other.tif", (Image){ .type = GDT_UInt16, .factor = 0.001 }, path); /* all but 0: no bytes */
    predict(model, path, metaseg_predict_options_defaults(), map);
    assert_memory_not_equal(map, plain, sizeof plain);
    assert_true(metaseg_model_byte_scale(model) == 16.0);
    metaseg_model_free(model);
}

/* Pixels of the three bands that are there, in memory: the same map as of the file, whatever its order of bands. */
static void missing_bands(void **state)
{
    (void)state;
    static const char *const reversed[] = { "blue", "green", "red" };
    static float pixels[PIXELS * 3];
    static uint8_t of_pixels[PIXELS];
    char path[256], out[256];
    MetasegModel *model = load((MadeFor){ .mean = 100.0, .std = 50.0, .missing_bands = true });
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    assert_true(metaseg_model_missing_bands(model));
    assert_string_equal(metaseg_model_band(model, 3), "nir");
    assert_null(metaseg_model_band(model, 4));
    write_image("plain.tif", (Image){ 0 }, path);
    predict(model, path, options, plain);
    assert_string_equal(told, "");
    options.bands = "red=3,green=2,blue=1";
    write_image("other.tif", (Image){ .reversed = true }, path);
    predict(model, path, options, map);
    assert_memory_equal(map, plain, sizeof plain);
    options.bands = NULL;
    write_image("other.tif", (Image){ .reversed = true, .names = reversed }, path);
    predict(model, path, options, map);
    assert_memory_equal(map, plain, sizeof plain);
    const GDALDatasetH d = GDALOpen(unit_at("map.tif", out), GA_ReadOnly);
    assert_string_equal(GDALGetMetadataItem(d, "METASEG_BANDS", NULL), "red,green,blue");
    GDALClose(d);
    const GDALDatasetH in = GDALOpen(path, GA_ReadOnly);
    assert_int_equal(GDALDatasetRasterIO(in, GF_Read, 0, 0, WIDTH, HEIGHT, pixels, WIDTH, HEIGHT, GDT_Float32, 3, NULL,
                                         3 * sizeof(float), 3 * sizeof(float) * WIDTH, sizeof(float)),
                     CE_None);
    GDALClose(in);
    options.prompts = METASEG_PROMPTS_NULL;
    options.bands = "blue, B3,red";
    ASSERT_OK((Err)metaseg_predict_pixels(model, pixels, NULL, WIDTH, HEIGHT, &options, of_pixels, NULL, NULL));
    assert_memory_equal(of_pixels, plain, sizeof plain);
    options.bands = "blue,green,nir";
    ASSERT_ERR((Err)metaseg_predict_pixels(model, pixels, NULL, WIDTH, HEIGHT, &options, of_pixels, NULL, NULL),
               ERR_ARGUMENT, "not without red");
    options.bands = "blue,green,swir";
    ASSERT_ERR((Err)metaseg_predict_pixels(model, pixels, NULL, WIDTH, HEIGHT, &options, of_pixels, NULL, NULL),
               ERR_ARGUMENT, "'swir' is no band");
    options.bands = "1,2";
    ASSERT_ERR((Err)metaseg_predict_raster(model, path, unit_at("none.tif", out), &options, NULL), ERR_INPUT,
               "2 bands were chosen; the model reads red, green, blue, nir");
    metaseg_model_free(model);
}

/* A model that needs all its bands can be told them by name, too. */
static void bands_by_name(void **state)
{
    char path[256], out[256];
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    write_image("plain.tif", (Image){ 0 }, path);
    predict(*state, path, options, plain);
    write_image("other.tif", (Image){ .reversed = true }, path);
    options.bands = "blue=1,red=3,green=2";
    predict(*state, path, options, map);
    assert_memory_equal(map, plain, sizeof plain);
    options.bands = "red=3,green=2,blue=1";
    predict(*state, path, options, map);
    assert_memory_equal(map, plain, sizeof plain);
    options.bands = "red=3,green=2";
    ASSERT_ERR((Err)metaseg_predict_raster(*state, path, unit_at("none.tif", out), &options, NULL), ERR_INPUT, "blue");
}

static double logarithm(double x) { return log(1.0 + 0.005 * fmax(x, 0.0)); }

static double log_as_model(double x) { return (logarithm(x) - 2.0) / 0.5; }

static double log_sigmoid_as_model(double x) { return 1.0 / (1.0 + exp(1.0 - 5.0 * log_as_model(x))); }

/* A model with a transform sees in an image what one without sees in the numbers that the formula makes of it. */
static void transforms(void **state)
{
    static float reflectance[PIXELS * 3], made[PIXELS * 3];
    static const struct {
        ModelTransform transform;
        double (*formula)(double);
    } list[] = { { MODEL_TRANSFORM_LOG, log_as_model }, { MODEL_TRANSFORM_LOG_SIGMOID, log_sigmoid_as_model } };
    const MetasegPredictOptions options = metaseg_predict_options_defaults();
    char path[256];
    (void)state;
    MetasegModel *bare = load((MadeFor){ .std = 1.0 });
    write_image("reflectance.tif", (Image){ .type = GDT_Float32, .factor = 40.0, .added = -300.0 }, path);
    for (int i = 0; i < PIXELS * 3; i++)
        reflectance[i] = (float)((i / 3 % WIDTH) / 8 * 20 + i / 3 / WIDTH / 8 * 15 + i % 3 * 13 + 5) * 40.0F - 300.0F;
    for (int64_t t = 0; t < ARRAY_LEN(list); t++) {
        MetasegModel *model = load((MadeFor){ .mean = 2.0, .std = 0.5, .transform = list[t].transform });
        for (int i = 0; i < PIXELS * 3; i++) made[i] = (float)list[t].formula((double)reflectance[i]);
        ASSERT_OK((Err)metaseg_predict_pixels(bare, made, NULL, WIDTH, HEIGHT, &options, plain, NULL, NULL));
        ASSERT_OK((Err)metaseg_predict_pixels(model, reflectance, NULL, WIDTH, HEIGHT, &options, map, NULL, NULL));
        int differing = 0, others = 0;
        for (int i = 0; i < PIXELS; i++) {
            differing += map[i] != plain[i];
            others += map[i] != map[0];
        }
        assert_in_range(differing, 0, 2); /* rounding */
        assert_in_range(others, 1, PIXELS);
        memcpy(plain, map, sizeof map);
        predict(model, path, options, map);
        assert_memory_equal(map, plain, sizeof map);
        assert_string_equal(told, "");
        metaseg_model_free(model);
    }
    metaseg_model_free(bare);
}

/* What such a model was made for is told in the image's numbers. */
static void far_from_transformed(void **state)
{
    static const struct {
        Image image;
        bool told;
    } list[] = {
        { { .type = GDT_UInt16, .factor = 20.0 }, false },                   /* ten thousandths */
        { { 0 }, true },                                                     /* bytes */
        { { .type = GDT_Float32, .factor = 20.0 * 1e-4 }, true },            /* 0..1 */
        { { .type = GDT_UInt16, .factor = 0.001, .added = 9000.0 }, false }, /* cloud */
    };
    char path[256];
    (void)state;
    MetasegModel *model = load((MadeFor){ .mean = 2.2, .std = 0.4, .transform = MODEL_TRANSFORM_LOG });
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        write_image("far.tif", list[i].image, path);
        predict(model, path, metaseg_predict_options_defaults(), map);
        if ((strstr(told, "far from those") != NULL) != list[i].told) fail_msg("image %d: '%s'", (int)i, told);
    }
    metaseg_model_free(model);
}

static int set_up(void **state)
{
    if (unit_set_up(state) != 0) return -1;
    *state = load(bytes);
    return 0;
}

static int tear_down(void **state)
{
    metaseg_model_free(*state);
    *state = NULL;
    return unit_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(same_map),      cmocka_unit_test(contradicting_names),
                                        cmocka_unit_test(far_values),    cmocka_unit_test(levels),
                                        cmocka_unit_test(far_offset),    cmocka_unit_test(byte_scale),
                                        cmocka_unit_test(missing_bands), cmocka_unit_test(bands_by_name),
                                        cmocka_unit_test(transforms),    cmocka_unit_test(far_from_transformed),
                                        cmocka_unit_test(slow_to_decode) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
