/* SPDX-License-Identifier: Apache-2.0
 * Pixels and areas of classes, from windows and from a written map. */
#include "geo/class_areas.h"

#include "geo/geo_test.h"
#include "geo/raster_count.h"

#include <math.h>
#include <unistd.h>

enum { WIDTH = 300, HEIGHT = 270 };

static uint8_t code_at(int64_t x, int64_t y)
{
    return (uint8_t)(x < 30 ? 255 : x < 100 && y < 50 ? 7 : y % 2 == 0 ? 0 : 254);
}

static void add(ClassAreas *areas, PixelArea *area, RasterWindow w)
{
    static uint8_t codes[WIDTH * HEIGHT];
    static double scratch[WIDTH * HEIGHT];
    const size_t stride = (size_t)w.columns + 5;
    assert_true(stride * (size_t)w.rows <= sizeof codes);
    memset(codes, 9, sizeof codes);
    for (int64_t y = 0; y < w.rows; y++)
        for (int64_t x = 0; x < w.columns; x++) codes[(size_t)y * stride + (size_t)x] = code_at(w.x + x, w.y + y);
    ASSERT_OK(class_areas_add(areas, area, w, codes, stride, scratch));
}

static void open_area(const char *crs, const double t[6], PixelArea **ret_area)
{
    char in[256];
    Raster *raster = NULL;
    test_raster(unit_at("in.tif", in), (TestRaster){ .width = WIDTH, .height = HEIGHT, .geotransform = t });
    ASSERT_OK(raster_open(in, NULL, &raster));
    ASSERT_OK(pixel_area_new(raster, crs, ret_area));
    raster_close(raster);
}

static void check_pixels(const ClassAreas *areas)
{
    int64_t expected[256] = { 0 };
    for (int64_t y = 0; y < HEIGHT; y++)
        for (int64_t x = 0; x < WIDTH; x++) expected[code_at(x, y)]++;
    for (int code = 0; code < 255; code++) assert_int_equal(areas->pixels[code], expected[code]);
    assert_int_equal(areas->valid, WIDTH * HEIGHT - expected[255]);
}

static void rows_and_blocks(void **state)
{
    (void)state;
    const double t[6] = { 10.0, 0.01, 0.0, 60.0, 0.0, -0.02 };
    ClassAreas by_rows = { .known = false }, by_blocks = { .known = false };
    PixelArea *area = NULL;
    open_area("EPSG:4326", t, &area);
    for (int64_t y = 0; y < HEIGHT; y += 7)
        add(&by_rows, area, (RasterWindow){ 0, y, WIDTH, HEIGHT - y < 7 ? HEIGHT - y : 7 });
    for (int64_t x = 200; x >= 0; x -= 100) /* any order */
        for (int64_t y = 180; y >= 0; y -= 90) add(&by_blocks, area, (RasterWindow){ x, y, 100, 90 });
    check_pixels(&by_rows);
    check_pixels(&by_blocks);
    assert_true(by_rows.known && by_rows.beyond == 0);
    const double seven = geo_zone_area(60.0 - 50 * 0.02, 60.0, 70 * 0.01);
    const double all = geo_zone_area(60.0 - HEIGHT * 0.02, 60.0, (WIDTH - 30) * 0.01);
    assert_true(fabs(by_rows.area[7] / seven - 1.0) < 1e-12 && fabs(by_blocks.area[7] / seven - 1.0) < 1e-12);
    assert_true(fabs(by_rows.valid_area / all - 1.0) < 1e-12);
    assert_true(fabs(class_areas_share(&by_rows, 7) - seven / all) < 1e-12);
    assert_true(class_areas_share(&by_rows, 9) == 0.0);
    double sum = 0.0;
    for (int code = 0; code < 255; code++) sum += class_areas_share(&by_blocks, code);
    assert_true(fabs(sum - 1.0) < 1e-12);
    pixel_area_free(area);
    assert_true(unit_remove_files());
}

/* Without areas the share is that of pixels; a map without a valid pixel has none; pixels beyond the Earth have no area and are told. */
static void unknown(void **state)
{
    (void)state;
    ClassAreas areas = { .known = false };
    PixelArea *area = NULL;
    assert_true(class_areas_share(&areas, 0) == 0.0);
    add(&areas, NULL, (RasterWindow){ 0, 0, 130, 50 });
    assert_true(!areas.known && areas.pixels[7] == 70 * 50 && areas.valid == 100 * 50 && areas.area[7] == 0.0);
    assert_true(class_areas_share(&areas, 7) == 0.7);
    areas = (ClassAreas){ .known = false };
    open_area("ESRI:54009", (const double[]){ -18100000.0, 100000.0, 0.0, 9100000.0, 0.0, -100000.0 }, &area);
    add(&areas, area, (RasterWindow){ 0, 0, WIDTH, 50 }); /* the corner of a Mollweide map of the world */
    assert_true(areas.known && areas.beyond > 0 && areas.beyond < areas.valid && areas.valid_area > 0.0);
    pixel_area_free(area);
    assert_true(unit_remove_files());
}

/* A map on the disk, in blocks that reach beyond it; a block that cannot be read; a stop. */
static void of_a_file(void **state)
{
    (void)state;
    static const char *const options[] = { "TILED=YES", "BLOCKXSIZE=128", "BLOCKYSIZE=64", "COMPRESS=DEFLATE", NULL };
    static float values[WIDTH * HEIGHT];
    const double t[6] = { 400000.0, 10.0, 0.0, 5000000.0, 0.0, -10.0 };
    char path[256];
    ClassAreas areas = { .known = false };
    PixelArea *area = NULL;
    open_area("EPSG:32633", t, &area);
    for (int64_t i = 0; i < WIDTH * HEIGHT; i++) values[i] = (float)code_at(i % WIDTH, i / WIDTH);
    test_raster(unit_at("map.tif", path),
                (TestRaster){ .width = WIDTH, .height = HEIGHT, .values = values, .options = options });
    ASSERT_OK(raster_count_classes(path, "final.tif", area, NULL, &areas));
    check_pixels(&areas);
    assert_true(fabs(areas.area[7] / (100.0 * 70 * 50) - 1.0) < 1e-3 && areas.area[7] != 100.0 * 70 * 50);
    const volatile int stop = 1;
    ASSERT_ERR(raster_count_classes(path, "final.tif", area, &stop, &areas), ERR_INTERRUPTED, "'final.tif': stopped");
    struct stat written;
    assert_int_equal(stat(path, &written), 0);
    assert_int_equal(truncate(path, written.st_size / 2), 0);
    ASSERT_ERR(raster_count_classes(path, "final.tif", area, NULL, &areas), ERR_OUTPUT,
               "'final.tif': cannot be read back");
    check_pixels(&areas); /* untouched */
    pixel_area_free(area);
    assert_true(unit_remove_files());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_blocks),
        cmocka_unit_test(unknown),
        cmocka_unit_test(of_a_file),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
