/* SPDX-License-Identifier: Apache-2.0
 * Mosaics: what lies on top, what is no data between files, which files do not fit together. */
#include "geo/geo_test.h"
#include "geo/image_mosaic.h"
#include "geo/raster.h"

enum { SIDE = 8 };

/* A square of one value, `column` pixels of 10 m east of the first. */
static const char *make(const char *name, double column, float value, TestRaster r, char path[256])
{
    const double t[6] = { 500000.0 + column * 10.0, 10.0, 0.0, 5600000.0, 0.0, -10.0 };
    float values[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) values[i] = value;
    r.width = r.height = SIDE;
    r.geotransform = t;
    r.values = values;
    if (r.epsg == 0) r.epsg = 32633;
    test_raster(unit_at(name, path), r);
    return path;
}

static void read_row(const char *path, int64_t columns, float *values, uint8_t *valid)
{
    Raster *raster = NULL;
    ASSERT_OK(raster_open(path, NULL, &raster));
    assert_int_equal(raster_info(raster)->width, columns);
    assert_int_equal(raster_chosen_count(raster), 1);
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, columns, 1 }, values, valid));
    raster_close(raster);
}

static void order_and_gaps(void **state)
{
    (void)state;
    char a[256], b[256], c[256], path[256];
    float values[24];
    uint8_t valid[24];
    const char *const files[] = { make("a.tif", 0.0, 1.0F, (TestRaster){ 0 }, a),
                                  make("b.tif", 4.0, 2.0F, (TestRaster){ 0 }, b),
                                  make("c.tif", 16.0, 3.0F, (TestRaster){ 0 }, c) };
    ASSERT_OK(image_mosaic_write(3, files, unit_at("m.vrt", path)));
    read_row(path, 24, values, valid);
    for (int i = 0; i < 24; i++) {
        const float expected = i < 4 ? 1.0F : i < 12 ? 2.0F : i < 16 ? 0.0F : 3.0F;
        if (values[i] != expected || (valid[i] != 0) != (i < 12 || i >= 16)) fail_msg("pixel %d", i);
    }
}

/* Nodata of a file lets the one below through; a mask counts, and so does the gap. */
static void nodata_and_masks(void **state)
{
    (void)state;
    const double two = 2.0;
    char a[256], b[256], path[256];
    float values[24];
    uint8_t valid[24];
    const TestRaster r = { .nodata = &two };
    const char *const files[] = { make("na.tif", 0.0, 1.0F, r, a), make("nb.tif", 4.0, 2.0F, r, b) };
    ASSERT_OK(image_mosaic_write(2, files, unit_at("n.vrt", path)));
    read_row(path, 12, values, valid);
    for (int i = 0; i < 12; i++)
        if ((valid[i] != 0) != (i < 8) || (i < 8 && values[i] != 1.0F)) fail_msg("pixel %d", i);
    const char *const masked[] = { make("ma.tif", 0.0, 1.0F, (TestRaster){ 0 }, a),
                                   make("mb.tif", 16.0, 3.0F, (TestRaster){ 0 }, b) };
    const uint8_t row[SIDE] = { 0, 255, 255, 255, 255, 255, 255, 255 };
    GDALDatasetH d = GDALOpen(a, GA_Update);
    assert_non_null(d);
    assert_int_equal(GDALCreateDatasetMaskBand(d, GMF_PER_DATASET), CE_None);
    for (int y = 0; y < SIDE; y++)
        assert_int_equal(GDALRasterIO(GDALGetMaskBand(GDALGetRasterBand(d, 1)), GF_Write, 0, y, SIDE, 1, (void *)row,
                                      SIDE, 1, GDT_Byte, 0, 0),
                         CE_None);
    GDALClose(d);
    ASSERT_OK(image_mosaic_write(2, masked, unit_at("k.vrt", path)));
    read_row(path, 24, values, valid);
    for (int i = 0; i < 24; i++)
        if ((valid[i] != 0) != ((i >= 1 && i < 8) || i >= 16)) fail_msg("masked pixel %d", i);
}

static void refuse(const char *other, const char *text)
{
    char a[256], path[256];
    const char *const files[] = { unit_at("a.tif", a), other };
    ASSERT_ERR(image_mosaic_write(2, files, unit_at("x.vrt", path)), ERR_INPUT, text);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void refusals(void **state)
{
    (void)state;
    const double nine = 9.0;
    char path[256];
    refuse(make("crs.tif", 0.0, 1.0F, (TestRaster){ .epsg = 32634 }, path), "is not that of");
    refuse(make("nodata.tif", 0.0, 1.0F, (TestRaster){ .nodata = &nine }, path), "its nodata value (9) is not that of");
    refuse(make("type.tif", 0.0, 1.0F, (TestRaster){ .type = GDT_UInt16 }, path), "1 bands of UInt16");
    refuse(unit_at("gone.tif", path), "no such file");
    test_raster(unit_at("plain.tif", path), (TestRaster){ .width = 4, .height = 4, .epsg = 32633 });
    refuse(path, "no geotransform");
    refuse(unit_scratch, "no place in a mosaic");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(order_and_gaps), cmocka_unit_test(nodata_and_masks),
                                        cmocka_unit_test(refusals) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
