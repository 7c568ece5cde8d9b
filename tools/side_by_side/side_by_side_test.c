/* SPDX-License-Identifier: Apache-2.0
 * The picture of image, map and labels: what stands where, in which colour, and what is refused. */
#include "side_by_side.h"

#include "geo/raster_write.h"
#include "harness/unit.h"

enum { COLUMNS = 40, ROWS = 20 };
static const RasterClass classes[] = { { 1, "left", { 255, 0, 0 } }, { 4, "right", { 0, 128, 255 } } };
static const double bounds[4] = { 10.0, 40.0, 14.0, 42.0 };

/* A raster over the bounds whose left half is `left` and whose right half is `right`, in all bands. */
static void make(const char *name, RasterKind kind, int64_t columns, int64_t rows, uint8_t left, uint8_t right)
{
    char path[256];
    const RasterWriteOptions options = { .path = unit_at(name, path),
                                         .kind = kind,
                                         .width = columns,
                                         .height = rows,
                                         .bounds = bounds,
                                         .epsg = 4326,
                                         .classes = classes,
                                         .n_classes = 2 };
    RasterWriter *writer = NULL;
    uint8_t row[2 * COLUMNS];
    const uint8_t *const planes[] = { row, row, row };
    for (int64_t x = 0; x < columns; x++) row[x] = x < columns / 2 ? left : right;
    assert_int_equal(raster_writer_open(&options, &writer), ERR_NONE);
    for (int64_t y = 0; y < rows; y++) assert_int_equal(raster_writer_rows(writer, 1, planes, COLUMNS), ERR_NONE);
    assert_int_equal(raster_writer_finish(writer), ERR_NONE);
}

static int make_all(void **state)
{
    (void)unit_set_up(state);
    make("image.tif", RASTER_COLORS, COLUMNS, ROWS, 40, 200);
    make("map.tif", RASTER_CLASSES, COLUMNS, ROWS, 1, 4);
    make("labels.tif", RASTER_CLASSES, COLUMNS / 2, ROWS / 2, 4, 9); /* the map has no class 9 */
    return 0;
}

static Err write_picture(const char *image, const char *map, const char *labels, int64_t width)
{
    char paths[4][256];
    unit_at(image, paths[0]);
    unit_at(map, paths[1]);
    unit_at(labels, paths[2]);
    unit_at("out.png", paths[3]);
    const SideBySide what = { .image = paths[0], .map = paths[1], .labels = paths[2], .width = width };
    return side_by_side_write(&what, paths[3], true);
}

static uint32_t pixel(Raster *picture, int64_t x, int64_t y)
{
    float values[3];
    uint8_t valid = 0;
    assert_int_equal(raster_read(picture, (RasterWindow){ x, y, 1, 1 }, values, &valid), ERR_NONE);
    return (uint32_t)values[0] << 16 | (uint32_t)values[1] << 8 | (uint32_t)values[2];
}

static void quarters(void **state)
{
    (void)state;
    char path[256];
    Raster *picture = NULL;
    assert_int_equal(write_picture("image.tif", "map.tif", "labels.tif", 500), ERR_NONE);
    assert_int_equal(raster_open(unit_at("out.png", path), NULL, &picture), ERR_NONE);
    const int64_t left = 8;
    const int64_t right = 8 + 500 + 12;
    const int64_t upper = 8 + 22;
    const int64_t lower = upper + 250 + 12 + 22;
    assert_int_equal(raster_width(picture), right + 500 + 8);
    assert_int_equal(raster_height(picture), lower + 250 + 8);
    assert_int_equal(pixel(picture, left + 100, upper + 100), 0x282828);
    assert_int_equal(pixel(picture, left + 400, upper + 100), 0xc8c8c8);
    assert_int_equal(pixel(picture, right + 100, upper + 100), 0xff0000);
    assert_int_equal(pixel(picture, right + 400, upper + 100), 0x0080ff);
    assert_int_equal(pixel(picture, right + 100, lower + 200), 0x0080ff);
    assert_int_equal(pixel(picture, right + 400, lower + 200), 0xffffff);
    assert_int_equal(pixel(picture, left + 5, lower + 5), 0xff0000);   /* the legend's first entry */
    assert_int_equal(pixel(picture, left + 255, lower + 5), 0x0080ff); /* its second column */
    raster_close(picture);
}

static void refusals(void **state)
{
    (void)state;
    assert_int_equal(write_picture("image.tif", "map.tif", "labels.tif", 100), ERR_ARGUMENT);
    assert_int_equal(write_picture("image.tif", "nothing.tif", "labels.tif", 0), ERR_INPUT);
    assert_int_equal(write_picture("image.tif", "image.tif", "labels.tif", 0), ERR_INPUT);
    assert_non_null(strstr(err_message(), "palette"));
    assert_int_equal(write_picture("image.tif", "map.tif", "out.png", 0), ERR_INPUT);
    assert_non_null(strstr(err_message(), "its place is unknown"));
}

static void nothing_else_is_left(void **state)
{
    (void)state;
    unit_check_files((const char *const[]){ "image.tif", "map.tif", "map.tif.aux.xml", "map.qml", "labels.tif",
                                            "labels.tif.aux.xml", "labels.qml", "out.png" },
                     8);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(quarters), cmocka_unit_test(refusals),
                                        cmocka_unit_test(nothing_else_is_left) };
    return cmocka_run_group_tests(tests, make_all, unit_tear_down);
}
