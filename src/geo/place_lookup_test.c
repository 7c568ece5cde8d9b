/* SPDX-License-Identifier: Apache-2.0
 * Positions in another raster against GDAL's own transformation, pixel by pixel. */
#include "geo/place_lookup.h"

#include "geo/geo_test.h"

#include <math.h>

/* A grid: what OSR reads, size, geotransform. */
typedef struct Grid {
    const char *crs;
    int width, height;
    double t[6];
} Grid;

static Georeference *open_grid(const Grid *grid)
{
    char path[256];
    Raster *raster = NULL;
    Georeference *g = NULL;
    test_raster(unit_at("g.tif", path),
                (TestRaster){ .width = grid->width, .height = grid->height, .geotransform = grid->t });
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(georeference_open(raster, grid->crs, &g));
    raster_close(raster);
    return g;
}

static OGRSpatialReferenceH open_crs(const char *text)
{
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    assert_int_equal(OSRSetFromUserInput(crs, text), OGRERR_NONE);
    OSRSetAxisMappingStrategy(crs, OAMS_TRADITIONAL_GIS_ORDER);
    return crs;
}

/* Index of the pixel at (x, y) of the CRS, tried one turn of `turn` units to both sides; -1 outside. false: within a
 * millionth of a pixel of a border, where rounding decides. */
static bool pixel_at(const Grid *grid, double x, double y, double turn, int64_t *ret_index)
{
    double inverse[6];
    assert_true(GDALInvGeoTransform((double *)grid->t, inverse));
    *ret_index = -1;
    for (int k = -1; k <= 1; k++) {
        const double u = x + k * turn;
        const double column = inverse[0] + inverse[1] * u + inverse[2] * y;
        const double row = inverse[3] + inverse[4] * u + inverse[5] * y;
        if (fabs(column - floor(column + 0.5)) < 1e-5 || fabs(row - floor(row + 0.5)) < 1e-5) return false;
        if (column >= 0 && column < grid->width && row >= 0 && row < grid->height)
            *ret_index = (int64_t)row * grid->width + (int64_t)column;
    }
    return true;
}

/* Every pixel of `from` in `to`, by OCTTransform alone. Returns how many lie inside. */
static int64_t check_pair(const char *name, const Grid *from, const Grid *to, double turn)
{
    Georeference *a = open_grid(from), *b = open_grid(to);
    PlaceLookup *lookup = NULL;
    ASSERT_OK(place_lookup_new(a, b, &lookup));
    const int64_t n = (int64_t)from->width * from->height;
    double *x = malloc((size_t)n * sizeof *x), *y = malloc((size_t)n * sizeof *y);
    const PlaceWindow window = {
        .x = 0.5, .y = 0.5, .step_x = 1.0, .step_y = 1.0, .columns = from->width, .rows = from->height
    };
    ASSERT_OK(place_lookup_window(lookup, &window, x, y));
    OGRSpatialReferenceH source = open_crs(from->crs), target = open_crs(to->crs);
    OGRCoordinateTransformationH oct = OCTNewCoordinateTransformation(source, target);
    int64_t inside = 0, wrong = 0;
    CPLPushErrorHandler(CPLQuietErrorHandler);
    for (int64_t i = 0; i < n; i++) {
        const double column = (double)(i % from->width) + 0.5, row = (double)(i / from->width) + 0.5;
        double u = from->t[0] + from->t[1] * column + from->t[2] * row;
        double v = from->t[3] + from->t[4] * column + from->t[5] * row;
        int64_t expected = -1;
        if (OCTTransform(oct, 1, &u, &v, NULL) && !pixel_at(to, u, v, turn, &expected)) continue;
        const int64_t c = place_index(x[i], to->width), r = place_index(y[i], to->height);
        const int64_t got = c >= 0 && r >= 0 ? r * to->width + c : -1;
        wrong += got != expected;
        inside += got >= 0;
    }
    CPLPopErrorHandler();
    if (wrong > 0) fail_msg("%s: %lld of %lld pixels differ from GDAL's", name, (long long)wrong, (long long)n);
    OCTDestroyCoordinateTransformation(oct);
    OSRDestroySpatialReference(source);
    OSRDestroySpatialReference(target);
    free(x);
    free(y);
    place_lookup_free(lookup);
    georeference_free(a);
    georeference_free(b);
    return inside;
}

#define UTM                                                                                                            \
    {                                                                                                                  \
        "EPSG:32633", 200, 150, { 400000.0, 10.0, 0.0, 5800000.0, 0.0, -10.0 }                                         \
    }
#define GLOBE                                                                                                          \
    {                                                                                                                  \
        "EPSG:4326", 720, 360, { -180.0, 0.5, 0.0, 90.0, 0.0, -0.5 }                                                   \
    }
#define GLOBE_360                                                                                                      \
    {                                                                                                                  \
        "EPSG:4326", 720, 360, { 0.0, 0.5, 0.0, 90.0, 0.0, -0.5 }                                                      \
    }

static const struct {
    const char *name;
    Grid from, to;
    double turn;
    int64_t inside; /* -1: all */
} cases[] = {
    { "UTM in fine degrees",
      { "EPSG:32633", 200, 150, { 400000.0, 10.0, 0.0, 5800000.0, 0.0, -10.0 } },
      { "EPSG:4326", 6000, 5000, { 13.5, 0.0001, 0.0, 52.4, 0.0, -0.0001 } },
      360.0,
      -1 },
    { "degrees in UTM", { "EPSG:4326", 150, 150, { 13.53, 0.0002, 0.0, 52.345, 0.0, -0.0001 } }, UTM, 0.0, 0 },
    { "UTM across 180 degrees, globe from -180",
      { "EPSG:32660", 150, 120, { 600000.0, 4000.0, 0.0, 6000000.0, 0.0, -4000.0 } },
      GLOBE,
      360.0,
      -1 },
    { "UTM across 180 degrees, globe from 0",
      { "EPSG:32660", 150, 120, { 600000.0, 4000.0, 0.0, 6000000.0, 0.0, -4000.0 } },
      GLOBE_360,
      360.0,
      -1 },
    { "north pole",
      { "EPSG:3413", 101, 101, { -1013000.0, 20000.0, 0.0, 1009000.0, 0.0, -20000.0 } },
      GLOBE,
      360.0,
      -1 },
    { "south pole, rotated",
      { "EPSG:3031", 101, 101, { -900000.0, 16000.0, 3000.0, 500000.0, 4000.0, -14000.0 } },
      GLOBE_360,
      360.0,
      -1 },
    { "rotated pole",
      { "+proj=ob_tran +o_proj=longlat +o_lat_p=39.25 +lon_0=18 +o_lon_p=0 +datum=WGS84",
        120,
        120,
        { -10.0, 0.1, 0.0, 8.0, 0.0, -0.1 } },
      GLOBE,
      360.0,
      -1 },
    { "other datum, south-up",
      { "EPSG:31467", 150, 100, { 3500000.0, 250.0, 0.0, 5500000.0, 0.0, 250.0 } },
      { "EPSG:25832", 1000, 700, { 490000.0, 50.0, 0.0, 5530000.0, 0.0, -50.0 } },
      0.0,
      -1 },
    { "feet",
      { "EPSG:2263", 100, 100, { 980000.0, 20.0, 0.0, 200000.0, 0.0, -20.0 } },
      { "EPSG:32618", 300, 300, { 583000.0, 3.0, 0.0, 4507800.0, 0.0, -3.0 } },
      0.0,
      -1 },
    { "grads from Paris",
      { "EPSG:4807", 80, 60, { 0.0, 0.001, 0.0, 54.0, 0.0, -0.001 } },
      { "EPSG:2154", 900, 900, { 640000.0, 20.0, 0.0, 6840000.0, 0.0, -20.0 } },
      0.0,
      0 },
    { "southern tile in UTM north",
      { "EPSG:32633", 90, 90, { 399960.0, 30.0, 0.0, -3000000.0, 0.0, -30.0 } },
      { "EPSG:32733", 90, 90, { 399960.0, 30.0, 0.0, 7000000.0, 0.0, -30.0 } },
      0.0,
      -1 },
};

static void against_gdal(void **state)
{
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        const int64_t inside = check_pair(cases[i].name, &cases[i].from, &cases[i].to, cases[i].turn);
        const int64_t all = (int64_t)cases[i].from.width * cases[i].from.height;
        if (inside < (cases[i].inside < 0 ? all * 99 / 100 : 100))
            fail_msg("%s: only %lld of %lld pixels lie inside", cases[i].name, (long long)inside, (long long)all);
    }
}

/* The affine way, with turns: a raster about the date line in one of the whole Earth. */
static void one_crs(void **state)
{
    (void)state;
    static const Grid fiji = { "EPSG:4326", 40, 30, { 170.0, 0.5, 0.0, -10.0, 0.0, -0.5 } };
    static const Grid globe = { "EPSG:4326", 720, 360, { -180.0, 0.5, 0.0, 90.0, 0.0, -0.5 } };
    static const Grid mercator = { "EPSG:3857", 50, 10, { 19987508.34, 1000.0, 0.0, 1e6, 0.0, -1000.0 } };
    static const Grid world = { "EPSG:3857", 4008, 2000, { -20037508.342789244, 10000.0, 0.0, 1e7, 0.0, -10000.0 } };
    assert_int_equal(check_pair("Fiji", &fiji, &globe, 360.0), 40 * 30);
    assert_int_equal(check_pair("Fiji backwards", &globe, &fiji, 360.0), 40 * 30);
    /* x of Web Mercator repeats after the Earth's circumference: pixel 20 of 50 lies at 20007508, 41 beyond 180 */
    check_pair("Web Mercator", &mercator, &world, 40075016.685578488);
    Georeference *a = open_grid(&fiji), *b = open_grid(&globe);
    PlaceLookup *lookup = NULL;
    double map[6];
    ASSERT_OK(place_lookup_new(a, b, &lookup));
    assert_false(place_lookup_is_affine(lookup, NULL)); /* the turn changes at 180 */
    place_lookup_free(lookup);
    ASSERT_OK(place_lookup_new(a, a, &lookup));
    assert_true(place_lookup_is_affine(lookup, map));
    assert_true(fabs(map[0]) < 1e-9 && fabs(map[1] - 1.0) < 1e-12 && map[2] == 0.0 && fabs(map[3]) < 1e-9 &&
                fabs(map[5] - 1.0) < 1e-12);
    place_lookup_free(lookup);
    georeference_free(a);
    georeference_free(b);
}

/* Without any CRS, and beyond the edge of a projection, geotransforms of one CRS still tell. */
static void by_geotransform_alone(void **state)
{
    (void)state;
    static const Grid pairs[][2] = {
        { { NULL, 20, 10, { 1000.0, 2.0, 0.0, 500.0, 0.0, -2.0 } },
          { NULL, 20, 10, { 990.0, 1.0, 0.0, 510.0, 0.0, -4.0 } } },
        { { "+proj=moll", 20, 10, { 2e7, 2.0, 0.0, 500.0, 0.0, -2.0 } },
          { "+proj=moll", 20, 10, { 2e7 - 10.0, 1.0, 0.0, 510.0, 0.0, -4.0 } } },
    };
    for (int64_t k = 0; k < ARRAY_LEN(pairs); k++) {
        Georeference *a = open_grid(&pairs[k][0]), *b = open_grid(&pairs[k][1]);
        assert_true(georeference_same_crs(a, b) && georeference_has_grid(a));
        PlaceLookup *lookup = NULL;
        ASSERT_OK(place_lookup_new(a, b, &lookup));
        double x[2], y[2];
        ASSERT_OK(place_lookup_window(
            lookup, &(PlaceWindow){ .x = 1.5, .y = 2.5, .step_x = 1.0, .step_y = 1.0, .columns = 2, .rows = 1 }, x, y));
        assert_true(fabs(x[0] - 13.0) < 1e-6 && fabs(x[1] - 15.0) < 1e-6 && fabs(y[0] - 3.75) < 1e-6);
        place_lookup_free(lookup);
        georeference_free(a);
        georeference_free(b);
    }
    static const Grid without = { NULL, 20, 10, { 1000.0, 2.0, 0.0, 500.0, 0.0, -2.0 } };
    static const Grid with = { "EPSG:32633", 20, 10, { 1000.0, 2.0, 0.0, 500.0, 0.0, -2.0 } };
    Georeference *a = open_grid(&without), *b = open_grid(&with);
    PlaceLookup *lookup = NULL;
    assert_false(georeference_same_crs(a, b));
    ASSERT_ERR(place_lookup_new(a, b, &lookup), ERR_INPUT, "no coordinate reference system");
    ASSERT_ERR(place_lookup_new(b, a, &lookup), ERR_INPUT, "no coordinate reference system");
    georeference_free(a);
    georeference_free(b);
}

/* Longitude and latitude of a window on another grid over the raster, also where longitudes jump. */
static void longitude_and_latitude(void **state)
{
    (void)state;
    static const Grid grids[] = { { "EPSG:32660", 400, 300, { 700000.0, 1000.0, 0.0, 3000000.0, 0.0, -1000.0 } },
                                  { "EPSG:3995", 300, 300, { -150000.0, 1000.0, 0.0, 150000.0, 0.0, -1000.0 } },
                                  { "EPSG:4326", 30, 30, { 179.0, 0.1, 0.0, 10.0, 0.0, -0.1 } } };
    enum { SIDE = 200 };
    for (int64_t k = 0; k < ARRAY_LEN(grids); k++) {
        Georeference *g = open_grid(&grids[k]);
        PlaceLookup *lookup = NULL;
        ASSERT_OK(place_lookup_new(g, NULL, &lookup));
        double *lon = malloc(SIDE * SIDE * sizeof *lon), *lat = malloc(SIDE * SIDE * sizeof *lat);
        const PlaceWindow w = { .x = 10.25, .y = 20.25, .step_x = 0.5, .step_y = 0.5, .columns = SIDE, .rows = SIDE };
        ASSERT_OK(place_lookup_window(lookup, &w, lon, lat));
        for (int i = 0; i < SIDE * SIDE; i++) {
            double x = w.x + 0.5 * (i % SIDE), y = w.y + 0.5 * (i / SIDE);
            georeference_to_lonlat(g, 1, &x, &y);
            if (!(geo_distance(x, y, lon[i], lat[i]) <= 2.0)) /* metres: pixels are 1 km and larger */
                fail_msg("%s: pixel %d lies at %g, %g, not at %g, %g", grids[k].crs, i, x, y, lon[i], lat[i]);
        }
        free(lon);
        free(lat);
        place_lookup_free(lookup);
        georeference_free(g);
    }
}

/* Windows of any place and size give the same pixels. */
static void windows_agree(void **state)
{
    (void)state;
    static const Grid from = { "EPSG:32633", 300, 300, { 400000.0, 300.0, 0.0, 5800000.0, 0.0, -300.0 } };
    static const Grid to = { "EPSG:3035", 2000, 2000, { 4300000.0, 100.0, 0.0, 3300000.0, 0.0, -100.0 } };
    Georeference *a = open_grid(&from), *b = open_grid(&to);
    PlaceLookup *lookup = NULL;
    ASSERT_OK(place_lookup_new(a, b, &lookup));
    double *x = malloc(2 * 300 * 300 * sizeof *x), *y = x + 300 * 300, u[70], v[70];
    PlaceWindow w = { .x = 0.5, .y = 0.5, .step_x = 1.0, .step_y = 1.0, .columns = 300, .rows = 300 };
    ASSERT_OK(place_lookup_window(lookup, &w, x, y));
    for (int r = 0; r < 300; r += 7) {
        w = (PlaceWindow){ .x = 31.5, .y = r + 0.5, .step_x = 1.0, .step_y = 1.0, .columns = 70, .rows = 1 };
        ASSERT_OK(place_lookup_window(lookup, &w, u, v));
        for (int c = 0; c < 70; c++) {
            assert_int_equal(place_index(u[c], 2000), place_index(x[r * 300 + 31 + c], 2000));
            assert_int_equal(place_index(v[c], 2000), place_index(y[r * 300 + 31 + c], 2000));
        }
    }
    free(x);
    place_lookup_free(lookup);
    georeference_free(a);
    georeference_free(b);
}

static void indexes(void **state)
{
    (void)state;
    assert_int_equal(place_index(0.0, 5), 0);
    assert_int_equal(place_index(4.999, 5), 4);
    assert_int_equal(place_index(2.0 - 1e-9, 5), 2); /* rounding before a border */
    assert_int_equal(place_index(5.0, 5), -1);
    assert_int_equal(place_index(-1e-3, 5), -1);
    assert_int_equal(place_index((double)NAN, 5), -1);
    assert_int_equal(place_index(1e300, 5), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_gdal),  cmocka_unit_test(one_crs), cmocka_unit_test(by_geotransform_alone),
        cmocka_unit_test(windows_agree), cmocka_unit_test(indexes), cmocka_unit_test(longitude_and_latitude),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
