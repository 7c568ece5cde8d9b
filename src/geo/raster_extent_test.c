/* SPDX-License-Identifier: Apache-2.0
 * Boxes of coordinates as parts of rasters, and reading such a part. */
#include "geo/geo_test.h"
#include "geo/raster_extent.h"

#include <math.h>

static const double utm[6] = { 400000.0, 10.0, 0.0, 5800000.0, 0.0, -10.0 }; /* zone 33N, 100 x 80 pixels */

static void make(const char *name, const double *t, int epsg, char path[256])
{
    test_raster(unit_at(name, path), (TestRaster){ .width = 100, .height = 80, .geotransform = t, .epsg = epsg });
}

static Err find(const char *path, RasterExtent extent, RasterWindow *ret_window, bool *ret_cut)
{
    Raster *raster = NULL;
    Georeference *place = NULL;
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(georeference_open(raster, NULL, &place));
    const Err err = raster_extent_window(&extent, raster, place, ret_window, ret_cut);
    georeference_free(place);
    raster_close(raster);
    return err;
}

static void expect(const char *path, RasterExtent extent, RasterWindow window, bool cut)
{
    RasterWindow w = { 0 };
    bool was_cut = false;
    ASSERT_OK(find(path, extent, &w, &was_cut));
    if (w.x != window.x || w.y != window.y || w.columns != window.columns || w.rows != window.rows || was_cut != cut)
        fail_msg("%.10g %.10g %.10g %.10g is (%lld, %lld) %lld x %lld%s", extent.xmin, extent.ymin, extent.xmax,
                 extent.ymax, (long long)w.x, (long long)w.y, (long long)w.columns, (long long)w.rows,
                 was_cut ? ", cut" : "");
}

static void refuse(const char *path, RasterExtent extent, Err err, const char *text)
{
    RasterWindow w = { 0 };
    bool cut = false;
    ASSERT_ERR(find(path, extent, &w, &cut), err, text);
}

/* In the raster's own CRS: every pixel that is touched, no neighbour for a rounding error. */
static void own_crs(void **state)
{
    (void)state;
    char path[256];
    make("utm.tif", utm, 32633, path);
    expect(path, (RasterExtent){ 400100.0, 5799700.0, 400300.0, 5799950.0, NULL }, (RasterWindow){ 10, 5, 20, 25 },
           false);
    expect(path, (RasterExtent){ 400101.0, 5799701.0, 400299.0, 5799949.0, NULL }, (RasterWindow){ 10, 5, 20, 25 },
           false);
    expect(path, (RasterExtent){ 400099.0, 5799699.0, 400301.0, 5799951.0, NULL }, (RasterWindow){ 9, 4, 22, 27 },
           false);
    expect(path, (RasterExtent){ 400099.999, 5799699.999, 400300.001, 5799950.001, NULL },
           (RasterWindow){ 10, 5, 20, 25 }, false);
    expect(path, (RasterExtent){ 400105.0, 5799804.0, 400106.0, 5799805.0, "EPSG:32633" },
           (RasterWindow){ 10, 19, 1, 1 }, false);
    expect(path, (RasterExtent){ 0.0, 0.0, 400010.0, 9e6, NULL }, (RasterWindow){ 0, 0, 1, 80 }, true);
    expect(path, (RasterExtent){ 400000.0, 5799200.0, 401000.0, 5800000.0, NULL }, (RasterWindow){ 0, 0, 100, 80 },
           false);
    refuse(path, (RasterExtent){ 401000.0, 5799200.0, 402000.0, 5800000.0, NULL }, ERR_INPUT, "lies beside the image");
    refuse(path, (RasterExtent){ 1.0, 2.0, 3.0, 4.0, NULL }, ERR_INPUT, "lies beside the image");
}

/* Longitude and latitude onto UTM. */
static void other_crs(void **state)
{
    (void)state;
    char path[256];
    Raster *raster = NULL;
    Georeference *place = NULL;
    make("utm2.tif", utm, 32633, path);
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(georeference_open(raster, NULL, &place));
    double x = 20.5, y = 30.5; /* the middle of a pixel, by the transformation of points */
    georeference_to_lonlat(place, 1, &x, &y);
    georeference_free(place);
    raster_close(raster);
    expect(path, (RasterExtent){ x - 1e-6, y - 1e-6, x + 1e-6, y + 1e-6, "EPSG:4326" }, (RasterWindow){ 20, 30, 1, 1 },
           false);
    refuse(path, (RasterExtent){ 20.0, 52.0, 21.0, 53.0, "EPSG:4326" }, ERR_INPUT, "lies beside the image");
    refuse(path, (RasterExtent){ 1.0, 2.0, 3.0, 4.0, "EPSG:nonsense" }, ERR_ARGUMENT, "EPSG:nonsense");
}

/* Longitudes that are counted otherwise, and rasters that are turned or lie nowhere. */
static void odd_rasters(void **state)
{
    (void)state;
    static const double world[6] = { 170.0, 0.5, 0.0, 20.0, 0.0, -0.5 }; /* to 220 degrees */
    static const double turned[6] = { 0.0, 1.0, 1.0, 0.0, 1.0, -1.0 };
    char path[256];
    make("world.tif", world, 4326, path);
    expect(path, (RasterExtent){ -175.0, 0.0, -170.0, 10.0, "EPSG:4326" }, (RasterWindow){ 30, 20, 10, 20 }, false);
    expect(path, (RasterExtent){ 175.0, 0.0, 185.0, 10.0, NULL }, (RasterWindow){ 10, 20, 20, 20 }, false);
    make("turned.tif", turned, 32633, path); /* x = column + row, y = column - row */
    expect(path, (RasterExtent){ 50.0, 10.0, 52.0, 12.0, NULL }, (RasterWindow){ 30, 19, 2, 2 }, false);
    make("nowhere.tif", NULL, 0, path);
    refuse(path, (RasterExtent){ 1.0, 2.0, 3.0, 4.0, NULL }, ERR_INPUT, "no geotransform");
    make("no_crs.tif", utm, 0, path);
    refuse(path, (RasterExtent){ 1.0, 2.0, 3.0, 4.0, "EPSG:4326" }, ERR_INPUT, "name one with --crs");
}

static void checks(void **state)
{
    (void)state;
    ASSERT_OK(raster_extent_check(&(RasterExtent){ 1.0, 2.0, 3.0, 4.0, NULL }, "-te"));
    RasterExtent e;
    assert_false(raster_extent_of((const double[4]){ 0.0 }, NULL, &e));
    assert_true(raster_extent_of((const double[4]){ 0.0, 0.0, (double)NAN, 0.0 }, NULL, &e));
    ASSERT_ERR(raster_extent_check(&e, "-te"), ERR_ARGUMENT, "is no box");
    ASSERT_ERR(raster_extent_check(&(RasterExtent){ 3.0, 2.0, 1.0, 4.0, NULL }, "-te"), ERR_ARGUMENT,
               "-te: x from 3 to 1");
    ASSERT_ERR(raster_extent_check(&(RasterExtent){ 1.0, 2.0, 3.0, 2.0, NULL }, "-projwin"), ERR_ARGUMENT,
               "-projwin: ");
}

/* A part has its place, and its pixels are those of the whole, with nodata, on its own grid and on a coarser one. */
static void part(void **state)
{
    (void)state;
    const double nodata = test_value(12, 7, 0);
    char path[256];
    Raster *whole = NULL, *cut = NULL;
    float expected[20 * 10], values[20 * 10], pixel = 0.0F;
    uint8_t expected_valid[20 * 10], valid[20 * 10], kept[20], one = 0;
    test_raster(unit_at("part.tif", path),
                (TestRaster){ .width = 100, .height = 80, .geotransform = utm, .nodata = &nodata });
    ASSERT_OK(raster_open(path, NULL, &whole));
    ASSERT_OK(raster_open(path, NULL, &cut));
    ASSERT_ERR(raster_set_part(cut, (RasterWindow){ 90, 0, 20, 10 }), ERR_ARGUMENT, "are no part of");
    ASSERT_OK(raster_set_part(cut, (RasterWindow){ 10, 5, 30, 20 }));
    ASSERT_OK(raster_set_part(cut, (RasterWindow){ 0, 0, 20, 10 }));
    assert_true(raster_info(cut)->width == 20 && raster_height(cut) == 10);
    assert_true(raster_info(cut)->geotransform[0] == 400100.0 && raster_info(cut)->geotransform[3] == 5799950.0);
    ASSERT_OK(raster_keep_valid(cut, (RasterWindow){ 0, 0, raster_info(cut)->width, raster_info(cut)->height }));
    ASSERT_OK(raster_read(whole, (RasterWindow){ 10, 5, 20, 10 }, expected, expected_valid));
    ASSERT_OK(raster_read(cut, (RasterWindow){ 0, 0, 20, 10 }, values, valid));
    assert_memory_equal(values, expected, sizeof values);
    assert_memory_equal(valid, expected_valid, sizeof valid);
    assert_int_equal(valid[2 * 20 + 2], 0);
    raster_take_valid(cut, 2, 1, kept);
    assert_true(kept[2] == 0 && kept[3] == 1);
    ASSERT_OK(raster_read(cut, (RasterWindow){ -3, 1, 1, 1 }, &pixel, &one)); /* mirrored at the part's border */
    assert_true(pixel == test_value(13, 6, 0));
    ASSERT_OK(raster_set_grid(cut, 10, 5));
    ASSERT_OK(raster_read(cut, (RasterWindow){ 4, 4, 1, 1 }, &pixel, &one));
    assert_true(
        fabsf(pixel - (expected[8 * 20 + 8] + expected[8 * 20 + 9] + expected[9 * 20 + 8] + expected[9 * 20 + 9]) /
                          4.0F) < 1e-3F);
    raster_close(cut);
    ASSERT_OK(raster_open(unit_at("nowhere.tif", path), NULL, &cut));
    ASSERT_ERR(raster_set_part(cut, (RasterWindow){ 0, 0, 2, 2 }), ERR_INPUT, "no geotransform");
    raster_close(cut);
    raster_close(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_crs), cmocka_unit_test(other_crs), cmocka_unit_test(odd_rasters),
        cmocka_unit_test(checks),  cmocka_unit_test(part),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
