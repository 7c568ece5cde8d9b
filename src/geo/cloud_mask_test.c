/* SPDX-License-Identifier: Apache-2.0
 * Cloud masks of each kind, on the image's grid and on others. */
#include "geo/cloud_mask.h"

#include "geo/geo_test.h"

enum { SIDE = 8 };

static const double place[6] = { 500000, 10, 0, 5300000, 0, -10 };

/* An image of valid pixels, with or without a place. */
static Raster *open_image(bool placed)
{
    char path[256];
    Raster *raster = NULL;
    test_raster(unit_at("image.tif", path),
                (TestRaster){
                    .width = SIDE, .height = SIDE, .geotransform = placed ? place : NULL, .epsg = placed ? 32633 : 0 });
    ASSERT_OK(raster_open(path, NULL, &raster));
    return raster;
}

/* A mask of side x side pixels over the image's extent. */
static const char *make_mask(const char *name, int side, const float *values, char path[256])
{
    const double pixel = 10.0 * SIDE / side, grid[6] = { place[0], pixel, 0, place[3], 0, -pixel };
    test_raster(
        unit_at(name, path),
        (TestRaster){
            .width = side, .height = side, .type = GDT_UInt16, .geotransform = grid, .epsg = 32633, .values = values });
    return path;
}

/* Reads the image through a mask: valid pixels. */
static void read_masked(const char *file, const char *values, uint8_t valid[SIDE * SIDE])
{
    float pixels[SIDE * SIDE];
    Raster *image = open_image(true);
    Georeference *where = NULL;
    CloudMask *mask = NULL;
    ASSERT_OK(georeference_open(image, NULL, &where));
    ASSERT_OK(cloud_mask_open(&(CloudMaskOptions){ .file = file, .values = values }, image, where, &mask));
    raster_set_cloud_mask(image, mask);
    ASSERT_OK(raster_read(image, (RasterWindow){ 0, 0, SIDE, SIDE }, pixels, valid));
    for (int i = 0; i < SIDE * SIDE; i++)
        if (valid[i] == 0 && pixels[i] != 0.0F) fail_msg("a masked pixel has the value %g", (double)pixels[i]);
    cloud_mask_close(mask);
    georeference_free(where);
    raster_close(image);
}

/* 16 pixels of 20 m with the values 0 to 15: bits of those that are valid. */
static uint32_t unmasked(const char *name, const char *values)
{
    float of[16];
    char path[256];
    uint8_t valid[SIDE * SIDE];
    uint32_t bits = 0;
    for (int i = 0; i < 16; i++) of[i] = (float)i;
    read_masked(make_mask(name, 4, of, path), values, valid);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const int value = y / 2 * 4 + x / 2;
            if (valid[y * SIDE + x] != 0) bits |= 1U << value;
            if (valid[y * SIDE + x] != valid[y / 2 * 2 * SIDE + x / 2 * 2])
                fail_msg("pixel %d, %d is not its neighbour", x, y);
        }
    return bits;
}

static void kinds(void **state)
{
    (void)state;
    const uint32_t all = 0xffffU, scl = 1U << 0 | 1U << 1 | 1U << 3 | 1U << 8 | 1U << 9 | 1U << 10;
    assert_int_equal(unmasked("clouds.tif", NULL), 1U);
    assert_int_equal(unmasked("T33UUU_20230820T094549_SCL_20m.tif", NULL), all & ~scl & 0xfffU);
    assert_int_equal(unmasked("LC08_L2SP_193024_20180824_02_T1_QA_PIXEL.TIF", NULL), 1U); /* bits 0 to 3 of 1 to 15 */
    assert_int_equal(unmasked("clouds.tif", "1,3"), all & ~(1U << 1 | 1U << 3));
    assert_int_equal(unmasked("muscle.tif", "2"), all & ~(1U << 2)); /* "scl" is no word of this name */
}

/* Clear land of a Landsat product is 21824, cloud 22280, its shadow 23888. */
static void landsat_bits(void **state)
{
    (void)state;
    const float values[4] = { 21824, 22280, 23888, 1 };
    char path[256];
    uint8_t valid[SIDE * SIDE];
    read_masked(make_mask("x_QA_PIXEL.tif", 2, values, path), NULL, valid);
    assert_int_equal(valid[0], 1);
    assert_int_equal(valid[SIDE - 1], 0);
    assert_int_equal(valid[(SIDE - 1) * SIDE], 0);
    assert_int_equal(valid[SIDE * SIDE - 1], 0);
}

/* Where there is no mask pixel: unknown to a classification, clear to a mask. */
static void outside(void **state)
{
    (void)state;
    const double far[6] = { 600000, 10, 0, 5300000, 0, -10 };
    char path[256];
    uint8_t valid[SIDE * SIDE];
    test_raster(unit_at("far.tif", path), (TestRaster){ .width = 4, .height = 4, .geotransform = far, .epsg = 32633 });
    read_masked(path, NULL, valid);
    for (int i = 0; i < SIDE * SIDE; i++) assert_int_equal(valid[i], 1);
    test_raster(unit_at("far_SCL.tif", path),
                (TestRaster){ .width = 4, .height = 4, .geotransform = far, .epsg = 32633 });
    read_masked(path, NULL, valid);
    for (int i = 0; i < SIDE * SIDE; i++) assert_int_equal(valid[i], 0);
}

static Err open_mask(const char *file, const char *values, bool placed)
{
    Raster *image = open_image(placed);
    Georeference *where = NULL;
    CloudMask *mask = NULL;
    ASSERT_OK(georeference_open(image, NULL, &where));
    const Err err = cloud_mask_open(&(CloudMaskOptions){ .file = file, .values = values }, image, where, &mask);
    cloud_mask_close(mask);
    georeference_free(where);
    raster_close(image);
    return err;
}

/* A fraction is none of the values that it lies between, and neither is a number that no mask holds. */
static void fractions(void **state)
{
    (void)state;
    const double pixel = 20.0, grid[6] = { place[0], pixel, 0, place[3], 0, -pixel };
    const float values[16] = { 1.0F, 1.5F, 0.75F, 2.0F, 1e30F, -1e30F };
    char path[256];
    uint8_t valid[SIDE * SIDE];
    int64_t masked = 0;
    test_raster(
        unit_at("fractions.tif", path),
        (TestRaster){
            .width = 4, .height = 4, .type = GDT_Float32, .geotransform = grid, .epsg = 32633, .values = values });
    read_masked(path, "1", valid);
    for (int i = 0; i < SIDE * SIDE; i++) masked += valid[i] == 0;
    assert_int_equal(masked, 4); /* of the first one */
    assert_int_equal(valid[0], 0);
}

static void refused(void **state)
{
    (void)state;
    char path[256];
    ASSERT_ERR(open_mask("missing.tif", NULL, true), ERR_INPUT, "no such file");
    ASSERT_ERR(open_mask("scl", NULL, true), ERR_INPUT, "it has no scl of its own");
    test_raster(unit_at("two.tif", path), (TestRaster){ .width = SIDE, .height = SIDE, .bands = 2 });
    ASSERT_ERR(open_mask(path, NULL, false), ERR_INPUT, "2 bands; a cloud mask has one");
    test_raster(unit_at("small.tif", path), (TestRaster){ .width = 3, .height = 3 });
    ASSERT_ERR(open_mask(path, NULL, false), ERR_INPUT, "their sizes differ (3 x 3, 8 x 8 pixels)");
    ASSERT_ERR(open_mask(path, NULL, true), ERR_INPUT, "only one of cloud mask and image tells where it lies");
    test_raster(unit_at("equal.tif", path), (TestRaster){ .width = SIDE, .height = SIDE });
    ASSERT_OK(open_mask(path, NULL, false));
    ASSERT_OK(open_mask(path, NULL, true));
    ASSERT_ERR(open_mask(path, "1,x", true), ERR_ARGUMENT, "a masked value");
    ASSERT_ERR(open_mask(path, "", true), ERR_ARGUMENT, "a masked value");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(kinds), cmocka_unit_test(landsat_bits),
                                        cmocka_unit_test(outside), cmocka_unit_test(fractions),
                                        cmocka_unit_test(refused) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
