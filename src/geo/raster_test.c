/* SPDX-License-Identifier: Apache-2.0
 * Reading windows: values, masks, mirrored borders, bands, other grids. */
#include "geo/raster.h"

#include "geo/geo_test.h"
#include "geo/resample.h"

#include <math.h>

static int64_t mirror(int64_t i, int64_t n)
{
    while (n > 1 && (i < 0 || i >= n)) i = i < 0 ? -i : 2 * (n - 1) - i;
    return n > 1 ? i : 0;
}

/* Reads a window and compares each value with test_value at the mirrored place. */
static void check_window(Raster *raster, RasterWindow w, int scale)
{
    const int64_t bands = raster_chosen_count(raster), width = raster_width(raster), height = raster_height(raster);
    float *values = malloc((size_t)(w.columns * w.rows * bands) * sizeof *values);
    uint8_t *valid = malloc((size_t)(w.columns * w.rows));
    ASSERT_OK(raster_read(raster, w, values, valid));
    for (int64_t y = 0; y < w.rows; y++)
        for (int64_t x = 0; x < w.columns; x++) {
            assert_int_equal(valid[y * w.columns + x], 1);
            for (int64_t b = 0; b < bands; b++) {
                const float expected =
                    (float)scale * test_value((int)mirror(w.x + x, width), (int)mirror(w.y + y, height),
                                              (int)raster_chosen_band(raster, b) - 1);
                assert_float_equal(values[(y * w.columns + x) * bands + b], expected, 0.0F);
            }
        }
    free(values);
    free(valid);
}

static void windows(void **state)
{
    (void)state;
    static const char *const tiled[] = { "TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=16", "COMPRESS=DEFLATE", NULL };
    static const GDALDataType types[] = { GDT_Byte,  GDT_UInt16,  GDT_Int16,  GDT_UInt32,
                                          GDT_Int32, GDT_Float32, GDT_Float64 };
    static const RasterWindow list[] = { { 0, 0, 37, 29 },   { 5, 7, 11, 3 },    { -4, -6, 16, 16 },
                                         { 30, 20, 20, 20 }, { -50, -3, 64, 5 }, { -100, -100, 300, 200 },
                                         { 36, 28, 1, 1 },   { 40, 40, 8, 8 } };
    char path[256];
    for (int64_t t = 0; t < ARRAY_LEN(types); t++) {
        Raster *raster = NULL;
        test_raster(unit_at("a.tif", path),
                    (TestRaster){ .width = 37, .height = 29, .bands = 3, .type = types[t], .options = tiled });
        ASSERT_OK(raster_open(path, NULL, &raster));
        assert_int_equal(raster_width(raster), 37);
        assert_int_equal(raster_info(raster)->bands, 3);
        assert_string_equal(raster_info(raster)->type, GDALGetDataTypeName(types[t]));
        for (int64_t i = 0; i < ARRAY_LEN(list); i++) check_window(raster, list[i], 1);
        raster_close(raster);
    }
}

static void formats(void **state)
{
    (void)state;
    static const char *const lossless[] = { "REVERSIBLE=YES", "QUALITY=100", NULL };
    static const struct {
        const char *writer, *reader;
        const char *const *options;
    } list[] = { { "GTiff", "GTiff", NULL }, { "COG", "GTiff", NULL },
                 { "PNG", "PNG", NULL },     { "JP2OpenJPEG", "JP2OpenJPEG", lossless },
                 { "ENVI", "ENVI", NULL },   { "HFA", "HFA", NULL } };
    char path[256];
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        Raster *raster = NULL;
        unit_at("format", path);
        test_raster(
            path, (TestRaster){
                      .width = 137, .height = 129, .bands = 3, .driver = list[i].writer, .options = list[i].options });
        ASSERT_OK(raster_open(path, NULL, &raster));
        assert_string_equal(raster_info(raster)->driver, list[i].reader);
        check_window(raster, (RasterWindow){ -3, -3, 64, 64 }, 1);
        check_window(raster, (RasterWindow){ 90, 80, 64, 64 }, 1);
        raster_close(raster);
        assert_int_equal(remove(path), 0);
        (void)remove(unit_at("format.hdr", path)); /* ENVI's */
    }
}

static void one_pixel(void **state)
{
    (void)state;
    char path[256];
    Raster *raster = NULL;
    test_raster(unit_at("one.tif", path), (TestRaster){ .width = 1, .height = 1 });
    ASSERT_OK(raster_open(path, NULL, &raster));
    check_window(raster, (RasterWindow){ -5, -5, 16, 16 }, 1);
    ASSERT_OK(raster_set_grid(raster, 3, 3));
    check_window(raster, (RasterWindow){ 0, 0, 1, 1 }, 1);
    raster_close(raster);
}

static void nodata(void **state)
{
    (void)state;
    /* band 1, band 2 of 4 pixels: fine; nodata in band 1; nodata in band 2; NaN */
    const float values[] = { 1, 2, -9999, 2, 1, -9999, (float)NAN, 2, (float)INFINITY, 1, 3, 4 };
    const uint8_t expected[] = { 1, 0, 0, 0, 0, 1 }, first_band[] = { 1, 0, 1, 0, 0, 1 };
    const double nothing = -9999.0;
    char path[256];
    float got[12];
    uint8_t valid[6];
    Raster *raster = NULL;
    test_raster(
        unit_at("nodata.tif", path),
        (TestRaster){ .width = 6, .height = 1, .bands = 2, .type = GDT_Float32, .nodata = &nothing, .values = values });
    ASSERT_OK(raster_open(path, NULL, &raster));
    assert_true(raster_info(raster)->has_nodata && raster_info(raster)->nodata == -9999.0);
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 6, 1 }, got, valid));
    assert_memory_equal(valid, expected, sizeof expected);
    for (int i = 0; i < 6; i++)
        assert_true(expected[i] ? got[2 * i] > 0.0F : got[2 * i] == 0.0F && got[2 * i + 1] == 0.0F);
    ASSERT_OK(raster_choose_bands(raster, "1", 1, NULL)); /* only chosen bands count */
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 6, 1 }, got, valid));
    assert_memory_equal(valid, first_band, sizeof first_band);
    raster_close(raster);
}

/* A 32 bit nodata value whose neighbour is the same float. */
static void nodata_of_wide_types(void **state)
{
    (void)state;
    const double nothing = 2147483647.0;
    char path[256];
    unit_at("wide.tif", path);
    test_raster(path, (TestRaster){ .width = 2, .height = 1, .type = GDT_Int32, .nodata = &nothing });
    const int32_t values[2] = { 2147483647, 2147483645 };
    GDALDatasetH d = GDALOpen(path, GA_Update);
    assert_int_equal(GDALRasterIO(GDALGetRasterBand(d, 1), GF_Write, 0, 0, 2, 1, (void *)values, 2, 1, GDT_Int32, 0, 0),
                     CE_None);
    GDALClose(d);
    float got[2];
    uint8_t valid[2];
    Raster *raster = NULL;
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 2, 1 }, got, valid));
    assert_int_equal(valid[0], 0);
    assert_int_equal(valid[1], 1);
    raster_close(raster);
}

static void all_nodata(void **state)
{
    (void)state;
    const float values[4] = { 0, 0, 0, 0 };
    const double nothing = 0.0;
    char path[256];
    float got[4];
    uint8_t valid[4];
    Raster *raster = NULL;
    test_raster(unit_at("empty.tif", path),
                (TestRaster){ .width = 2, .height = 2, .nodata = &nothing, .values = values });
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 2, 2 }, got, valid));
    assert_memory_equal(valid, ((uint8_t[]){ 0, 0, 0, 0 }), 4);
    ASSERT_OK(raster_set_grid(raster, 1, 1));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 1, 1 }, got, valid));
    assert_int_equal(valid[0], 0);
    raster_close(raster);
}

static void alpha_band(void **state)
{
    (void)state;
    const float values[] = { 1, 2, 3, 255, 4, 5, 6, 0, 7, 8, 9, 1 };
    char path[256];
    float got[12];
    uint8_t valid[3];
    Raster *raster = NULL;
    test_raster(unit_at("alpha.png", path),
                (TestRaster){ .width = 3, .height = 1, .bands = 4, .driver = "PNG", .values = values });
    ASSERT_OK(raster_open(path, NULL, &raster));
    assert_int_equal(raster_band_mask(raster, 1), RASTER_MASK_ALPHA);
    assert_int_equal(raster_chosen_count(raster), 3);
    assert_string_equal(raster_band_name(raster, 4), "alpha");
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 3, 1 }, got, valid));
    assert_memory_equal(valid, ((uint8_t[]){ 1, 0, 1 }), 3);
    assert_true(got[0] == 1.0F && got[2] == 3.0F && got[3] == 0.0F && got[6] == 7.0F);
    raster_close(raster);
}

static void mask_file(void **state)
{
    (void)state;
    char path[256];
    float got[6];
    uint8_t valid[2];
    const uint8_t mask[2] = { 0, 255 };
    Raster *raster = NULL;
    test_raster(unit_at("masked.tif", path), (TestRaster){ .width = 2, .height = 1, .bands = 3 });
    GDALDatasetH d = GDALOpen(path, GA_ReadOnly); /* read-only: the mask becomes a .msk file */
    assert_int_equal(GDALCreateDatasetMaskBand(d, GMF_PER_DATASET), CE_None);
    assert_int_equal(GDALRasterIO(GDALGetMaskBand(GDALGetRasterBand(d, 1)), GF_Write, 0, 0, 2, 1, (void *)mask, 2, 1,
                                  GDT_Byte, 0, 0),
                     CE_None);
    GDALClose(d);
    ASSERT_OK(raster_open(path, NULL, &raster));
    assert_int_equal(raster_band_mask(raster, 1), RASTER_MASK_FILE);
    assert_non_null(raster_file(raster, 1));
    assert_non_null(strstr(raster_file(raster, 1), ".msk"));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 2, 1 }, got, valid));
    assert_memory_equal(valid, ((uint8_t[]){ 0, 1 }), 2);
    raster_close(raster);
}

static void check_bands(const Raster *raster, int64_t n, const int *bands)
{
    assert_int_equal(raster_chosen_count(raster), n);
    for (int64_t i = 0; i < n; i++) assert_int_equal(raster_chosen_band(raster, i), bands[i]);
}

static void bands(void **state)
{
    (void)state;
    static const char *const rgb[] = { "red", "green", "blue" };
    char path[256];
    Raster *raster = NULL;
    test_raster(unit_at("bands.tif", path), (TestRaster){ .width = 4, .height = 4, .bands = 5 });
    GDALDatasetH d = GDALOpen(path, GA_Update);
    static const char *const names[] = { "B02", "B03", "B04", "B08", "NDVI" };
    for (int b = 0; b < 5; b++) GDALSetDescription(GDALGetRasterBand(d, b + 1), names[b]);
    GDALClose(d);
    ASSERT_OK(raster_open(path, NULL, &raster));
    check_bands(raster, 5, (int[]){ 1, 2, 3, 4, 5 });
    ASSERT_OK(raster_choose_bands(raster, "3,2,1", 3, rgb));
    check_bands(raster, 3, (int[]){ 3, 2, 1 });
    check_window(raster, (RasterWindow){ 0, 0, 4, 4 }, 1);
    ASSERT_OK(raster_choose_bands(raster, " ndvi , nir,1", 3, rgb));
    check_bands(raster, 3, (int[]){ 5, 4, 1 });
    ASSERT_OK(raster_choose_bands(raster, NULL, 3, rgb));
    check_bands(raster, 3, (int[]){ 3, 2, 1 });
    ASSERT_OK(raster_choose_bands(raster, "2,2,2", 3, rgb)); /* repeats are the user's wish */
    ASSERT_ERR(raster_choose_bands(raster, "6", 1, NULL), ERR_INPUT, "the file has 5 (1: B02, 2: B03");
    ASSERT_ERR(raster_choose_bands(raster, "0,1,2", 3, NULL), ERR_INPUT, "band 0");
    ASSERT_ERR(raster_choose_bands(raster, "swir", 1, NULL), ERR_INPUT, "no band is called 'swir'");
    ASSERT_ERR(raster_choose_bands(raster, "1,,2", 3, NULL), ERR_ARGUMENT, "'1,,2'");
    ASSERT_ERR(raster_choose_bands(raster, "1,2,", 3, NULL), ERR_ARGUMENT, "'1,2,'");
    ASSERT_ERR(raster_choose_bands(raster, "1,2", 3, NULL), ERR_INPUT, "3 are wanted");
    ASSERT_ERR(raster_choose_bands(raster, NULL, 3, (const char *const[]){ "x", "y", "z" }), ERR_INPUT,
               "5 bands are given");
    check_bands(raster, 3, (int[]){ 2, 2, 2 }); /* untouched by failures */
    raster_close(raster);
    ASSERT_OK(raster_open(unit_at("alpha.png", path), NULL, &raster));
    ASSERT_OK(raster_choose_bands(raster, "blue,red", 2, NULL)); /* colour interpretation */
    check_bands(raster, 2, (int[]){ 3, 1 });
    raster_close(raster);
}

/* Own grid 24 x 16 -> 6 x 4: the mean of 4 x 4 blocks; -> 48 x 32: bilinear. Windows agree with the whole. */
static void other_grids(void **state)
{
    (void)state;
    static const int sizes[][2] = { { 6, 4 }, { 48, 32 }, { 17, 11 }, { 96, 64 }, { 25, 15 } };
    char path[256];
    Raster *raster = NULL;
    test_raster(unit_at("grid.tif", path), (TestRaster){ .width = 24, .height = 16, .bands = 2 });
    for (int64_t k = 0; k < ARRAY_LEN(sizes); k++) {
        const int64_t width = sizes[k][0], height = sizes[k][1];
        float *whole = malloc((size_t)(width * height * 2) * sizeof *whole), part[32];
        uint8_t *valid = malloc((size_t)(width * height));
        ASSERT_OK(raster_open(path, NULL, &raster));
        ASSERT_OK(raster_set_grid(raster, width, height));
        assert_int_equal(raster_width(raster), width);
        ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, width, height }, whole, valid));
        for (int64_t y = 0; y < height; y++)
            for (int64_t x = 0; x < width; x++) {
                double expected = 0.0;
                for (int64_t v = 0; v < 16; v++)
                    for (int64_t u = 0; u < 24; u++)
                        expected += resample_weight(16, height, y, v) * resample_weight(24, width, x, u) *
                                    (double)test_value((int)u, (int)v, 1);
                assert_int_equal(valid[y * width + x], 1);
                assert_true(fabs((double)whole[(y * width + x) * 2 + 1] - expected) < 1e-4);
            }
        for (int64_t y = -2; y < height; y += 3)
            for (int64_t x = -2; x < width; x += 3) {
                ASSERT_OK(raster_read(raster, (RasterWindow){ x, y, 4, 4 }, part, valid));
                for (int64_t i = 0; i < 16; i++) {
                    const int64_t place = mirror(y + i / 4, height) * width + mirror(x + i % 4, width);
                    assert_float_equal(part[2 * i], whole[2 * place], 0.0F); /* no seams: the same bits */
                }
            }
        raster_close(raster);
        free(whole);
        free(valid);
    }
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_ERR(raster_set_grid(raster, 0, 5), ERR_ARGUMENT, "cannot be resampled");
    ASSERT_ERR(raster_set_grid(raster, 24 * 65, 16), ERR_ARGUMENT, "cannot be resampled");
    raster_close(raster);
}

static void resampled_nodata(void **state)
{
    (void)state;
    const float values[16] = { 9, 9, 0, 0, 9, 0, 0, 0, 5, 0, 7, 7, 0, 5, 7, 7 };
    const double nothing = 0.0;
    char path[256];
    float got[4];
    uint8_t valid[4];
    Raster *raster = NULL;
    test_raster(unit_at("holes.tif", path),
                (TestRaster){ .width = 4, .height = 4, .nodata = &nothing, .values = values });
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(raster_set_grid(raster, 2, 2));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 2, 2 }, got, valid));
    assert_memory_equal(valid, ((uint8_t[]){ 1, 0, 1, 1 }), 4); /* half valid is valid */
    assert_true(got[0] == 9.0F && got[1] == 0.0F && got[2] == 5.0F &&
                got[3] == 7.0F); /* holes do not darken the mean */
    raster_close(raster);
}

/* The same values stored with 1000 added, and so stated, read alike: own grid and others, nodata by the stored numbers. */
static void offsets(void **state)
{
    (void)state;
    static const double scalings[][2] = { { 1.0, -1000.0 }, { 0.0001, -0.1 }, { 2.0, -2000.0 } };
    static const int grids[] = { 12, 5, 24 };
    float plain_values[12 * 8], shifted_values[12 * 8];
    for (int i = 0; i < 12 * 8; i++) plain_values[i] = (float)(7 * i % 500);
    for (int i = 0; i < 12 * 8; i++) shifted_values[i] = plain_values[i] + 1000.0F;
    plain_values[17] = shifted_values[17] = 9999.0F;
    const double nodata = 9999.0;
    char path[256];
    for (int64_t k = 0; k < ARRAY_LEN(scalings) * ARRAY_LEN(grids); k++) {
        const double *scaling = scalings[k % 3];
        const int64_t width = grids[k / 3], height = width * 8 / 12;
        float got[2][24 * 16];
        uint8_t valid[2][24 * 16];
        for (int shifted = 0; shifted < 2; shifted++) {
            Raster *raster = NULL;
            test_raster(unit_at("offset.tif", path), (TestRaster){ .width = 12,
                                                                   .height = 8,
                                                                   .type = GDT_UInt16,
                                                                   .nodata = &nodata,
                                                                   .values = shifted ? shifted_values : plain_values });
            const GDALDatasetH d = GDALOpen(path, GA_Update);
            GDALSetRasterScale(GDALGetRasterBand(d, 1), scaling[0]);
            GDALSetRasterOffset(GDALGetRasterBand(d, 1), shifted ? scaling[1] : 0.0);
            GDALClose(d);
            ASSERT_OK(raster_open(path, NULL, &raster));
            double scale = 0.0, offset = 0.0;
            raster_band_scaling(raster, 1, &scale, &offset);
            assert_true(scale == scaling[0] && offset == (shifted ? scaling[1] : 0.0));
            raster_remove_offsets(raster);
            ASSERT_OK(raster_set_grid(raster, width, height));
            ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, width, height }, got[shifted], valid[shifted]));
            raster_close(raster);
        }
        assert_memory_equal(valid[0], valid[1], (size_t)(width * height));
        assert_memory_equal(got[0], got[1], (size_t)(width * height) * sizeof(float));
    }
}

static void metadata(void **state)
{
    (void)state;
    char path[256];
    Raster *raster = NULL;
    test_raster(unit_at("meta.tif", path), (TestRaster){ .width = 2, .height = 2 });
    GDALDatasetH d = GDALOpen(path, GA_Update);
    GDALSetMetadataItem(d, "TIFFTAG_DATETIME", "2020:08:31 10:00:00", NULL);
    GDALClose(d);
    ASSERT_OK(raster_open(path, NULL, &raster));
    assert_string_equal(raster_metadata(raster, NULL, "TIFFTAG_DATETIME"), "2020:08:31 10:00:00");
    assert_null(raster_metadata(raster, "IMAGERY", "CLOUDCOVER"));
    assert_string_equal(raster_path(raster), path);
    assert_null(raster_file(raster, 1));
    raster_close(raster);
    raster_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows),     cmocka_unit_test(formats),          cmocka_unit_test(one_pixel),
        cmocka_unit_test(nodata),      cmocka_unit_test(all_nodata),       cmocka_unit_test(nodata_of_wide_types),
        cmocka_unit_test(alpha_band),  cmocka_unit_test(mask_file),        cmocka_unit_test(bands),
        cmocka_unit_test(other_grids), cmocka_unit_test(resampled_nodata), cmocka_unit_test(offsets),
        cmocka_unit_test(metadata),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
