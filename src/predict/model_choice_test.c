/* SPDX-License-Identifier: Apache-2.0
 * Which model a scene gets, of three small ones. */
#include "predict/model_choice.h"

#include "geo/geo_test.h"

#include "base/file.h"
#include "model/model_test.h"

static const char *const sentinel2[] = { "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B11", "B12" };
static const char *const colours[] = { "red", "green", "blue" };
static double reflectance, byte_scale; /* of the models that are made */
static GDALDataType type_of_scenes = GDT_UInt16;

/* Header and weights of a small model. */
static void make_model(const char *name, int32_t bands, const char *const *names, double least, double most,
                       bool missing, ModelUnit unit)
{
    char path[256];
    ModelConfig config;
    test_model_config(2, bands, names, &config);
    ASSERT_OK(model_config_set_text(&config.name, name));
    config.network.missing_bands = missing;
    config.gsd_minimum = least;
    config.gsd_maximum = most;
    config.gsd_unit = unit;
    config.reflectance = reflectance;
    config.byte_scale = byte_scale;
    test_model_save(&config, 0, unit_at(name, path));
}

static void make_models(void)
{
    make_model("coarse.safetensors", 3, colours, 900, 15000, false, MODEL_METRE);
    make_model("fine.safetensors", 9, sentinel2, 10, 10, false, MODEL_METRE);
    make_model("fine_rgb.safetensors", 3, colours, 10, 10, false, MODEL_METRE);
}

/* A scene of these bands; pixel 0: without a place. */
static void make_scene(const char *name, double pixel, int bands, const char *const *names)
{
    char path[256];
    const double place[6] = { 500000, pixel, 0, 5300000, 0, -pixel };
    test_raster(unit_at(name, path), (TestRaster){ .width = 8,
                                                   .height = 8,
                                                   .bands = bands,
                                                   .type = type_of_scenes,
                                                   .geotransform = pixel > 0.0 ? place : NULL,
                                                   .epsg = pixel > 0.0 ? 32633 : 0 });
    const GDALDatasetH d = GDALOpen(path, GA_Update);
    assert_non_null(d);
    for (int b = 0; b < bands; b++) GDALSetDescription(GDALGetRasterBand(d, b + 1), names[b]);
    GDALClose(d);
}

static Err choose(const char *scene, const char *bands, double gsd, double resolution, char ret_name[64])
{
    char path[256], reason[MODEL_REASON_BYTES] = "";
    ModelList list = { 0 };
    const ModelEntry *entry = NULL;
    ASSERT_OK(model_list_read(unit_scratch, &list));
    const SceneQuery query = { .path = unit_at(scene, path), .bands = bands, .gsd = gsd, .resolution = resolution };
    const Err err = model_list_choose(&list, &query, &entry, reason);
    if (err == ERR_NONE) {
        (void)snprintf(ret_name, 64, "%s", entry->name);
        assert_non_null(strstr(reason, entry->name));
    }
    model_list_done(&list);
    return err;
}

static void expect(const char *scene, const char *bands, double resolution, const char *model)
{
    char name[64] = "";
    ASSERT_OK(choose(scene, bands, 0.0, resolution, name));
    if (strcmp(name, model) != 0) fail_msg("%s: '%s' instead of '%s'", scene, name, model);
}

static void expect_sized(const char *scene, double gsd, const char *model)
{
    char name[64] = "";
    ASSERT_OK(choose(scene, NULL, gsd, 0.0, name));
    if (strcmp(name, model) != 0) fail_msg("%s of %g m: '%s' instead of '%s'", scene, gsd, name, model);
}

static void refuse(const char *scene, const char *text)
{
    char name[64];
    ASSERT_ERR(choose(scene, NULL, 0.0, 0.0, name), ERR_INPUT, text);
    assert_null(strchr(err_message(), '\n'));
}

static void by_pixel_size_and_bands(void **state)
{
    (void)state;
    make_models();
    make_scene("s2.tif", 10, 9, sentinel2);
    make_scene("s2_20m.tif", 20, 9, sentinel2);
    make_scene("rgb.tif", 10, 3, colours);
    make_scene("earth.tif", 4000, 3, colours);
    make_scene("between.tif", 100, 3, colours);
    make_scene("landsat.tif", 30, 3, (const char *const[]){ "SR_B4", "SR_B3", "SR_B2" });
    make_scene("nir.tif", 10, 1, (const char *const[]){ "nir" });
    expect("s2.tif", NULL, 0.0, "fine"); /* more bands */
    expect("s2_20m.tif", NULL, 0.0, "fine");
    expect("rgb.tif", NULL, 0.0, "fine_rgb");
    expect("earth.tif", NULL, 0.0, "coarse");
    expect("landsat.tif", NULL, 0.0, "fine_rgb"); /* three times coarser is resampled */
    expect("s2.tif", "3,2,1", 0.0, "fine_rgb");   /* three bands are read */
    expect("rgb.tif", NULL, 2000, "coarse");      /* the pixel size to predict at */
    refuse("between.tif", "'coarse' is for pixels of 900 m to 15 km and bands red, green, blue, these are of 100 m");
    refuse("between.tif",
           "'fine_rgb' is for pixels of 10 m and bands red, green, blue, these are of 100 m; name a model with -m");
    refuse("nir.tif", "1 band is given (1: nir) but 9 are wanted");
    refuse("missing.tif", "no such file");
}

/* A model that can do without some of its bands fits scenes that have the colours; who reads more is taken, then who
 * misses fewer. */
static void missing_bands(void **state)
{
    (void)state;
    char path[256];
    static const char *const four[] = { "red", "green", "blue", "nir" };
    make_model("any.safetensors", 9, sentinel2, 10, 10, true, MODEL_METRE);
    make_models();
    make_scene("rgb.tif", 10, 3, colours);
    make_scene("four.tif", 10, 4, four);
    make_scene("no_red.tif", 10, 3, (const char *const[]){ "green", "blue", "nir" });
    expect("rgb.tif", NULL, 0.0, "fine_rgb");
    expect("four.tif", NULL, 0.0, "any");
    expect("four.tif", "red=1,green=2,blue=3", 0.0, "fine_rgb");
    assert_int_equal(remove(unit_at("fine_rgb.safetensors", path)), 0);
    expect("rgb.tif", NULL, 0.0, "any");
    refuse("no_red.tif", "say otherwise");
    assert_int_equal(remove(unit_at("any.safetensors", path)), 0);
}

/* Without a pixel size one model may be right, two are a guess. */
static void unknown_pixel_size(void **state)
{
    (void)state;
    make_models();
    make_scene("picture.tif", 0, 3, colours);
    make_scene("nine.tif", 0, 9, sentinel2);
    refuse("picture.tif", "give it with --gsd METRES, or name one with -m: coarse, fine, fine_rgb");
    expect_sized("picture.tif", 12, "fine_rgb");
    expect_sized("picture.tif", 2000, "coarse");
    make_scene("earth.tif", 4000, 3, colours);
    expect_sized("earth.tif", 10, "coarse"); /* its georeference knows */
    char path[256];
    assert_int_equal(remove(unit_at("fine_rgb.safetensors", path)), 0);
    expect("picture.tif", NULL, 0.0, "coarse");
    refuse("nine.tif", "name one with -m");
}

/* A model of pictures is one for scenes without a pixel size alone. */
static void model_in_pixels(void **state)
{
    (void)state;
    char path[256];
    make_models();
    make_model("photo.safetensors", 3, colours, 1, 1, false, MODEL_PIXEL);
    make_scene("rgb.tif", 10, 3, colours);
    make_scene("picture.tif", 0, 3, colours);
    make_scene("between.tif", 100, 3, colours);
    expect("rgb.tif", NULL, 0.0, "fine_rgb");
    refuse("between.tif", "'photo' is for pixels of unknown size and bands red, green, blue, these are of 100 m");
    refuse("picture.tif", "name one with -m: coarse, fine, fine_rgb, photo");
    expect_sized("picture.tif", 2000, "coarse");
    assert_int_equal(remove(unit_at("coarse.safetensors", path)), 0);
    assert_int_equal(remove(unit_at("fine_rgb.safetensors", path)), 0);
    expect("picture.tif", NULL, 0.0, "photo");
    assert_int_equal(remove(unit_at("photo.safetensors", path)), 0);
}

/* Bytes are no reflectance, unless a model says what they are worth. */
static void pictures(void **state)
{
    (void)state;
    char path[256];
    make_models();
    assert_int_equal(remove(unit_at("fine_rgb.safetensors", path)), 0);
    reflectance = 10000.0;
    make_model("reflecting.safetensors", 9, sentinel2, 10, 10, true, MODEL_METRE);
    make_scene("rgb.tif", 10, 3, colours);
    expect("rgb.tif", NULL, 0.0, "reflecting");
    type_of_scenes = GDT_Byte;
    make_scene("picture.tif", 10, 3, colours);
    make_scene("photo.tif", 0, 3, colours);
    refuse("picture.tif", "it reads reflectance, and these are bytes");
    expect("photo.tif", NULL, 0.0, "coarse"); /* the only one for pictures */
    byte_scale = 13.7;
    make_model("reflecting.safetensors", 9, sentinel2, 10, 10, true, MODEL_METRE);
    expect("picture.tif", NULL, 0.0, "reflecting");
    reflectance = byte_scale = 0.0;
    type_of_scenes = GDT_UInt16;
    assert_int_equal(remove(unit_at("reflecting.safetensors", path)), 0);
}

/* Weights are not looked at: these are no numbers. */
static void headers_alone(void **state)
{
    (void)state;
    char path[256], *bytes = NULL;
    size_t length = 0;
    Model *model = NULL;
    make_models();
    make_scene("s2.tif", 10, 9, sentinel2);
    ASSERT_OK(file_read(unit_at("fine.safetensors", path), 1 << 28, &bytes, &length));
    memset(bytes + length / 2, 0xff, length / 4);
    ASSERT_OK(file_write(path, bytes, length, true));
    free(bytes);
    ASSERT_ERR(model_load(path, false, &model), ERR_MODEL, "no finite number");
    expect("s2.tif", NULL, 0.0, "fine");
}

static void no_models(void **state)
{
    (void)state;
    char path[256];
    ModelList list = { 0 };
    ASSERT_OK(model_list_read(unit_at("nowhere", path), &list));
    assert_int_equal(list.count, 0);
    model_list_done(&list);
    make_models();
    unit_write_text(unit_at("broken.safetensors", path), "no model");
    const Err err = model_list_read(unit_scratch, &list);
    assert_int_equal(err, ERR_MODEL);
    assert_non_null(strstr(err_message(), "broken.safetensors"));
    model_list_done(&list);
    assert_int_equal(remove(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_pixel_size_and_bands),
                                        cmocka_unit_test(missing_bands),
                                        cmocka_unit_test(unknown_pixel_size),
                                        cmocka_unit_test(model_in_pixels),
                                        cmocka_unit_test(pictures),
                                        cmocka_unit_test(headers_alone),
                                        cmocka_unit_test(no_models) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
