/* SPDX-License-Identifier: Apache-2.0
 * Cutlines: which pixels are inside, what is read outside, what is refused. */
#include "geo/cutline.h"
#include "geo/geo_test.h"

enum { WIDTH = 40, HEIGHT = 30 };

static const double grid[6] = { 10.0, 0.5, 0.0, 50.0, 0.0, -0.5 }; /* 10 to 30 degrees east, 50 to 35 north */

static void write_layer(const char *name, const char *features, char path[256])
{
    FILE *file = fopen(unit_at(name, path), "wb");
    assert_non_null(file);
    assert_true(fprintf(file, "{\"type\":\"FeatureCollection\",\"features\":[%s]}", features) > 0);
    assert_int_equal(fclose(file), 0);
}

#define FEATURE(kind, coordinates)                                                                                     \
    "{\"type\":\"Feature\",\"properties\":{},\"geometry\":{\"type\":\"" kind "\",\"coordinates\":" coordinates "}}"

/* Columns 4 to 9, rows 2 to 5; and columns 20 to 21, rows 10 to 11. */
static const char boxes[] = FEATURE("Polygon", "[[[12,49],[15,49],[15,47],[12,47],[12,49]]]") "," FEATURE(
    "Polygon", "[[[20,45],[21,45],[21,44],[20,44],[20,45]]]");

typedef struct Opened {
    Raster *raster;
    Georeference *place;
    Cutline *cutline;
} Opened;

static Err open_all(const char *image, CutlineOptions options, Opened *o)
{
    *o = (Opened){ NULL };
    ASSERT_OK(raster_open(image, NULL, &o->raster));
    ASSERT_OK(georeference_open(o->raster, NULL, &o->place));
    return cutline_open(&options, o->raster, o->place, &o->cutline);
}

static void close_all(Opened *o)
{
    cutline_close(o->cutline);
    georeference_free(o->place);
    raster_close(o->raster);
}

static bool is_inside(int x, int y)
{
    return (x >= 4 && x < 10 && y >= 2 && y < 6) || (x >= 20 && x < 22 && y >= 10 && y < 12);
}

/* The image is read as without, the kept validity is that of the pixels inside. */
static void inside(void **state)
{
    (void)state;
    char image[256], layer[256];
    Opened o;
    static float values[WIDTH * HEIGHT];
    static uint8_t valid[WIDTH * HEIGHT], kept[WIDTH * HEIGHT];
    const double nodata = test_value(5, 3, 0);
    test_raster(
        unit_at("image.tif", image),
        (TestRaster){ .width = WIDTH, .height = HEIGHT, .geotransform = grid, .epsg = 4326, .nodata = &nodata });
    write_layer("boxes.geojson", boxes, layer);
    ASSERT_OK(open_all(image, (CutlineOptions){ .file = layer }, &o));
    raster_set_cutline(o.raster, o.cutline);
    ASSERT_OK(raster_keep_valid(o.raster, (RasterWindow){ 0, 0, WIDTH, HEIGHT }));
    ASSERT_OK(raster_read(o.raster, (RasterWindow){ 0, 0, WIDTH, HEIGHT }, values, valid));
    raster_take_valid(o.raster, 0, HEIGHT, kept);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            const float value = test_value(x, y, 0);
            const bool data = value != test_value(5, 3, 0);
            if ((kept[y * WIDTH + x] != 0) != (is_inside(x, y) && data)) fail_msg("pixel (%d, %d) kept", x, y);
            if ((valid[y * WIDTH + x] != 0) != data) fail_msg("pixel (%d, %d) read", x, y);
        }
    assert_int_equal(kept[3 * WIDTH + 5], 0);
    close_all(&o);
}

/* A window that has nothing inside has no valid pixel: its tile is not computed. */
static void outside(void **state)
{
    (void)state;
    char image[256], layer[256];
    Opened o;
    float values[64];
    uint8_t valid[64];
    ASSERT_OK(open_all(unit_at("image.tif", image), (CutlineOptions){ .file = unit_at("boxes.geojson", layer) }, &o));
    raster_set_cutline(o.raster, o.cutline);
    ASSERT_OK(raster_read(o.raster, (RasterWindow){ 28, 20, 8, 8 }, values, valid));
    for (int i = 0; i < 64; i++) assert_true(valid[i] == 0 && !(values[i] > 0.0F));
    ASSERT_OK(raster_read(o.raster, (RasterWindow){ 14, 4, 8, 8 }, values, valid)); /* a corner of the second box */
    assert_true(valid[0] == 1 && values[0] == test_value(14, 4, 0));
    ASSERT_OK(raster_set_grid(o.raster, WIDTH / 2, HEIGHT / 2));
    ASSERT_OK(raster_read(o.raster, (RasterWindow){ 12, 9, 4, 4 }, values, valid));
    for (int i = 0; i < 16; i++) assert_int_equal(valid[i], 0);
    ASSERT_OK(raster_read(o.raster, (RasterWindow){ -2, -2, 8, 8 }, values, valid)); /* mirrored */
    assert_int_equal(valid[0], 1);
    close_all(&o);
}

/* Polygons in degrees on an image in metres, and a part of an image. */
static void other_grids(void **state)
{
    (void)state;
    static const double utm[6] = { 400000.0, 1000.0, 0.0, 5500000.0, 0.0, -1000.0 };
    char image[256], layer[256];
    Opened o;
    test_raster(unit_at("utm.tif", image),
                (TestRaster){ .width = WIDTH, .height = HEIGHT, .geotransform = utm, .epsg = 32633 });
    ASSERT_OK(raster_open(image, NULL, &o.raster));
    ASSERT_OK(georeference_open(o.raster, NULL, &o.place));
    double x[2] = { 5.0, 9.0 }, y[2] = { 6.0, 9.0 }; /* corners of pixels; lines bend by less than a metre */
    char features[600];
    georeference_to_lonlat(o.place, 2, x, y);
    (void)snprintf(features, sizeof features,
                   FEATURE("Polygon", "[[[%.9f,%.9f],[%.9f,%.9f],[%.9f,%.9f],[%.9f,%.9f],[%.9f,%.9f]]]") "," FEATURE(
                       "Polygon", "[[[500013,6000043],[500287,6000043],[500287,6000207],[500013,6000043]]]"),
                   x[0], y[0], x[1], y[0], x[1], y[1], x[0], y[1], x[0], y[0]);
    write_layer("utm.geojson", features, layer);
    const uint8_t all[9] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    const uint8_t *found = NULL;
    bool any = false;
    ASSERT_OK(raster_set_part(o.raster, (RasterWindow){ 5, 6, 10, 10 }));
    georeference_free(o.place);
    ASSERT_OK(georeference_open(o.raster, NULL, &o.place));
    ASSERT_OK(cutline_open(&(CutlineOptions){ .file = layer }, o.raster, o.place, &o.cutline));
    ASSERT_OK(cutline_apply(o.cutline, (RasterWindow){ 2, 1, 3, 3 }, all, &found, &any));
    static const uint8_t expected[9] = { 1, 1, 0, 1, 1, 0, 0, 0, 0 };
    assert_true(any);
    assert_int_equal(cutline_passed_over(o.cutline), 1); /* metres that are taken for degrees */
    assert_memory_equal(found, expected, sizeof expected);
    close_all(&o);
}

static void refuse(const char *features, CutlineOptions options, Err err, const char *text)
{
    char image[256], layer[256];
    Opened o;
    write_layer("bad.geojson", features, layer);
    if (options.file == NULL) options.file = layer;
    ASSERT_ERR(open_all(unit_at("image.tif", image), options, &o), err, text);
    close_all(&o);
}

static void refusals(void **state)
{
    (void)state;
    char path[256];
    refuse("", (CutlineOptions){ .file = unit_at("nowhere.gpkg", path) }, ERR_INPUT, "no such file");
    refuse("", (CutlineOptions){ .file = unit_at("image.tif", path) }, ERR_INPUT, "not a vector file");
    refuse("", (CutlineOptions){ NULL }, ERR_INPUT, "has no feature, so there is nothing to map");
    refuse(boxes, (CutlineOptions){ .layer = "nothing" }, ERR_ARGUMENT, "has no layer 'nothing'");
    refuse(boxes, (CutlineOptions){ .crs = "EPSG:nonsense" }, ERR_ARGUMENT, "EPSG:nonsense");
    refuse(FEATURE("LineString", "[[12,49],[15,47]]"), (CutlineOptions){ NULL }, ERR_INPUT,
           "a cutline is of polygons alone");
    refuse(FEATURE("Polygon", "[[[52,49],[55,49],[55,47],[52,49]]]"), (CutlineOptions){ NULL }, ERR_INPUT,
           "no polygon of layer 'bad' holds a pixel");
    refuse(FEATURE("Polygon", "[[[12.01,49],[12.02,49],[12.02,48.99],[12.01,49]]]"), (CutlineOptions){ NULL },
           ERR_INPUT, "holds a pixel"); /* no pixel's centre */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inside),
        cmocka_unit_test(outside),
        cmocka_unit_test(other_grids),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
