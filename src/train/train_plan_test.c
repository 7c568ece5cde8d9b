/* SPDX-License-Identifier: Apache-2.0
 * What a plan makes of images whose processing level matters, and of pixels of different sizes. */
#include "train/train_plan.h"

#include "data/data_test.h"
#include "model/model_test.h"

static const char *const colours[] = { "red", "green", "blue" };

static float reflectance_at(int64_t x, int64_t y, int64_t band)
{
    return (float)(400 + 300 * ((x / 16 + y / 16) % 2) + 10 * band + x);
}

static float byte_at(int64_t x, int64_t y, int64_t band) { return (float)((x + y + band) % 200); }

static float class_at(int64_t x, int64_t y, int64_t band)
{
    (void)band;
    return (float)(1 + (x / 16 + y / 16) % 2);
}

static void write_image(const char *name, TestType type)
{
    test_raster((TestRaster){ .name = name,
                              .width = 64,
                              .height = 64,
                              .bands = type == 0 ? 1 : 3,
                              .type = type == 0 ? TEST_BYTE : type,
                              .zone = 33,
                              .x = 400000,
                              .y = 5800000,
                              .pixel_x = 10,
                              .pixel_y = 10,
                              .more = type == 0 ? NULL : "band names = {red, green, blue}\n",
                              .value = type == 0            ? class_at
                                       : type == TEST_INT16 ? reflectance_at
                                                            : byte_at });
}

static void save_model(const char *name, double surface_scale)
{
    char path[256];
    ModelConfig config;
    test_model_config(2, 3, colours, &config);
    config.network.fusion = NETWORK_FUSION_NONE;
    config.reflectance = 10000.0;
    for (int32_t b = 0; b < 3; b++) config.bands[b].surface_scale = surface_scale;
    test_model_save(&config, 0, unit_at(name, path));
}

/* The level that the configuration has of image `name`; *told: what was said. */
static ProcessingLevel level_of(const char *name, const char *model, const char *level, Told *told)
{
    char image[256], labels[256], from[256];
    const char *images[] = { unit_at(name, image) }, *files[] = { unit_at("classes", labels) };
    MetasegTrainPlan plan = metaseg_train_plan_defaults();
    RunConfig *config = NULL;
    const MetasegRun run = test_run(told);
    plan.images = images;
    plan.labels = files;
    plan.n_images = plan.n_labels = 1;
    plan.from = unit_at(model, from);
    plan.level = level;
    ASSERT_OK(train_plan_config(&plan, &run, &config));
    const ProcessingLevel found = config->data.scenes[0].level;
    assert_true(config->data.validation_fraction > 0.0 && config->data.n_validation == 0); /* of a raster: no boxes */
    run_config_free(config);
    return found;
}

/* What predict finds. */
static ProcessingLevel level_in_use(const char *name)
{
    char path[256];
    ImageSource *image = NULL;
    ASSERT_OK(image_source_open(unit_at(name, path), &(ImageSourceOptions){ .bands = NULL }, &image));
    ASSERT_OK(image_source_set_level(image, PROCESSING_UNKNOWN, NULL));
    const ProcessingLevel level = image->surface ? PROCESSING_LEVEL_2 : PROCESSING_LEVEL_1;
    image_source_close(image);
    return level;
}

static void levels(void **state)
{
    (void)state;
    static const char first[] = "S2A_MSIL1C_20200425T113321_N0209_R080_T30UYG_20200425T122345";
    static const char bytes[] = "S2A_MSIL1C_20200425T113321_N0209_R080_T30UYG_20200425T122345.img";
    const struct {
        const char *image, *model, *given;
        ProcessingLevel level;
        const char *told, *untold;
    } list[] = {
        { "plain", "level_1", NULL, PROCESSING_LEVEL_2, "nothing tells whether it is reflectance of the surface", "?" },
        { first, "level_1", NULL, PROCESSING_LEVEL_1, "': read as level 1 (top of atmosphere) (",
          "nothing tells whether" },
        { "plain", "level_1", "L1C", PROCESSING_LEVEL_1, "level 1 (top of atmosphere) (given by hand)",
          "nothing tells whether" },
        { first, "level_1", "L2A", PROCESSING_LEVEL_2, "read as level 2 (surface) (given by hand)",
          "nothing tells whether" },
        { bytes, "level_1", NULL, PROCESSING_UNKNOWN, "classes: ", "read as level" },
        { first, "any_level", NULL, PROCESSING_UNKNOWN, "classes: ", "read as level" },
        { first, "any_level", "L1C", PROCESSING_UNKNOWN, "--level L1C is not used", "read as level" },
    };
    write_image("plain", TEST_INT16);
    write_image(first, TEST_INT16);
    write_image(bytes, TEST_BYTE);
    write_image("classes", 0);
    save_model("level_1", 0.5);
    save_model("any_level", 0.0);
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        Told told = { 0 };
        const ProcessingLevel level = level_of(list[i].image, list[i].model, list[i].given, &told);
        const char *text = str_text(&told.text);
        if (level != list[i].level || strstr(text, list[i].told) == NULL || strstr(text, list[i].untold) != NULL)
            fail_msg("image %d: level %d, '%s'", (int)i, (int)level, text);
        if (list[i].given == NULL && level != PROCESSING_UNKNOWN) assert_int_equal(level, level_in_use(list[i].image));
        str_done(&told.text);
    }
}

static void no_level(void **state)
{
    (void)state;
    char image[256], labels[256];
    const char *images[] = { unit_at("plain", image) }, *files[] = { unit_at("classes", labels) };
    MetasegTrainPlan plan = metaseg_train_plan_defaults();
    RunConfig *config = NULL;
    plan.images = images;
    plan.labels = files;
    plan.n_images = plan.n_labels = 1;
    plan.level = "L3";
    ASSERT_ERR(train_plan_config(&plan, NULL, &config), ERR_ARGUMENT, "'L3' is no processing level");
}

/* Features of 12 x 12 pixels on an image of pixels of `side` metres. */
static void write_features(const char *name, double side)
{
    char path[256];
    Str features = { 0 };
    for (int i = 0; i < 6; i++) {
        const double x = 400000 + side * (2 + 20 * (i % 3));
        const double y = 5800000 - side * (2 + 30 * (i / 3));
        str_addf(&features,
                 "%s{\"type\":\"Feature\",\"properties\":{\"class\":\"%s\"},\"geometry\":{\"type\":\"Polygon\","
                 "\"coordinates\":[[[%f,%f],[%f,%f],[%f,%f],[%f,%f],[%f,%f]]]}}",
                 i > 0 ? "," : "", i % 2 == 0 ? "wood" : "field", x, y, x + 12 * side, y, x + 12 * side, y - 12 * side,
                 x, y - 12 * side, x, y);
    }
    (void)test_features(name, &features, path);
}

static NetworkEncoder encoder_of(double side, bool vector)
{
    char image[256], labels[256];
    const char *images[] = { unit_at("sized", image) },
               *files[] = { unit_at(vector ? "f.geojson" : "sized_classes", labels) };
    MetasegTrainPlan plan = metaseg_train_plan_defaults();
    RunConfig *config = NULL;
    for (int labelled = 0; labelled < 2; labelled++)
        test_raster((TestRaster){ .name = labelled ? "sized_classes" : "sized",
                                  .width = 64,
                                  .height = 64,
                                  .bands = labelled ? 1 : 3,
                                  .type = TEST_BYTE,
                                  .zone = 33,
                                  .x = 400000,
                                  .y = 5800000,
                                  .pixel_x = side,
                                  .pixel_y = side,
                                  .value = labelled ? class_at : byte_at });
    write_features("f.geojson", side);
    plan.images = images;
    plan.labels = files;
    plan.n_images = plan.n_labels = 1;
    plan.field = vector ? "class" : NULL;
    ASSERT_OK(train_plan_config(&plan, NULL, &config));
    const NetworkEncoder encoder = config->network.encoder;
    assert_int_equal(config->data.window, encoder == NETWORK_ENCODER_none ? 128 : 256);
    run_config_free(config);
    return encoder;
}

/* Few labels on large pixels are for a network that sees pixels; on small ones, and where all is labelled, shapes tell. */
static void encoder_by_pixel(void **state)
{
    (void)state;
    assert_int_equal(encoder_of(10.0, true), NETWORK_ENCODER_none);
    assert_int_equal(encoder_of(1.0, true), NETWORK_ENCODER_efficientnet_lite0);
    assert_int_equal(encoder_of(10.0, false), NETWORK_ENCODER_efficientnet_lite0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(levels), cmocka_unit_test(no_level),
                                        cmocka_unit_test(encoder_by_pixel) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
