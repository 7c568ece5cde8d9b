/* SPDX-License-Identifier: Apache-2.0
 * Areas of pixels against those of geodesic polygons, and sums against the whole. */
#include "geo/pixel_area.h"

#include "geo/geo_test.h"

#include <math.h>

static void open_area(const char *crs, const double t[6], int width, int height, PixelArea **ret_area)
{
    char in[256];
    Raster *raster = NULL;
    test_raster(unit_at("in.tif", in), (TestRaster){ .width = width, .height = height, .geotransform = t });
    ASSERT_OK(raster_open(in, NULL, &raster));
    ASSERT_OK(pixel_area_new(raster, crs, ret_area));
    raster_close(raster);
    assert_true(unit_remove_files());
}

static double area_at(PixelArea *area, int64_t x, int64_t y)
{
    double value = 0.0;
    ASSERT_OK(pixel_area_window(area, (RasterWindow){ x, y, 1, 1 }, &value));
    return value;
}

/* pyproj 3.7.2 (PROJ 9.5.1): Geod(ellps='WGS84').polygon_area_perimeter of the pixel's outline, 200 points to an edge. Its own figures are
 * good to some 1e-8. */
static void geodesic_areas(void **state)
{
    (void)state;
    static const struct {
        const char *crs;
        double t[6];
        int64_t x, y;
        double area, tolerance;
    } list[] = {
        { "EPSG:32633", { 399960, 10, 0, 5900040, 0, -10 }, 0, 0, 100.0554570460954, 1e-7 },
        { "EPSG:32633", { 399960, 10, 0, 5900040, 0, -10 }, 5000, 5000, 100.07390311628569, 1e-7 },
        { "EPSG:32633", { 399960, 10, 0, 5900040, 0, -10 }, 10979, 10979, 100.07981351249942, 1e-7 },
        { "EPSG:32633", { 399960, 10, 0, 5900040, 0, -10 }, 7777, 321, 100.07882761691531, 1e-7 },
        { "EPSG:3857", { 1000000, 30, 0, 8000000, 0, -30 }, 0, 0, 251.28989073680714, 1e-7 },
        { "EPSG:3857", { 1000000, 30, 0, 8000000, 0, -30 }, 3001, 2011, 255.3389426653739, 1e-7 },
        { "EPSG:6933", { 1000000, 1000, 0, 5000000, 0, -1000 }, 500, 1500, 1000000.0005223826, 1e-8 },
        { "EPSG:4326", { 10, 0.001, 0.0004, 50, 0.0003, -0.001 }, 100, 300, 8981.173708570655, 1e-6 },
        { "EPSG:3413", { -50000, 25000, 0, 50000, 0, -25000 }, 3, 3, 664426738.5234146, 2e-4 },
        { "EPSG:3413", { -50000, 25000, 0, 50000, 0, -25000 }, 1, 1, 664448297.96875, 1e-2 }, /* a corner is the pole */
        { "EPSG:32661",
          { 1985000, 10000, 0, 2015000, 0, -10000 },
          1,
          1,
          101210866.1875,
          2e-3 }, /* it lies in the middle */
    };
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        PixelArea *area = NULL;
        open_area(list[i].crs, list[i].t, 4, 4, &area);
        assert_true(pixel_area_is_known(area));
        const double got = area_at(area, list[i].x, list[i].y), error = got / list[i].area - 1.0;
        if (!(fabs(error) < list[i].tolerance))
            fail_msg("case %d, %s: %.10g m2 instead of %.10g", (int)i, list[i].crs, got, list[i].area);
        pixel_area_free(area);
    }
}

/* The whole Earth, from its rows. */
static void whole_earth(void **state)
{
    (void)state;
    static const double earth = 510065621724088.56; /* 2 pi a^2 + pi b^2 / e ln((1 + e) / (1 - e)) of WGS 84 */
    const double t[6] = { -180.0, 0.5, 0.0, 90.0, 0.0, -0.5 };
    double row[720], sum = 0.0;
    PixelArea *area = NULL;
    open_area("EPSG:4326", t, 720, 360, &area);
    for (int64_t y = 0; y < 360; y++) {
        ASSERT_OK(pixel_area_window(area, (RasterWindow){ 0, y, 720, 1 }, row));
        for (int x = 0; x < 720; x++) sum += row[x];
    }
    assert_true(fabs(sum / earth - 1.0) < 1e-12);
    assert_true(fabs(geo_zone_area(-90.0, 90.0, 360.0) / earth - 1.0) < 1e-14);
    pixel_area_free(area);
}

/* A pixel's area does not depend on the window, also where it is interpolated; the interpolation is as good as it says. */
static void windows(void **state)
{
    (void)state;
    static double all[300 * 200], part[37 * 41];
    const double t[6] = { 399960, 10, 0, 5900040, 0, -10 }, coarse[6] = { 399960, 5000, 0, 5900040, 0, -5000 };
    PixelArea *area = NULL;
    open_area("EPSG:32633", t, 300, 200, &area);
    ASSERT_OK(pixel_area_window(area, (RasterWindow){ 0, 0, 300, 200 }, all));
    ASSERT_OK(pixel_area_window(area, (RasterWindow){ 101, 59, 37, 41 }, part));
    for (int y = 0; y < 41; y++)
        for (int x = 0; x < 37; x++) assert_true(part[y * 37 + x] == all[(59 + y) * 300 + 101 + x]);
    pixel_area_free(area);
    open_area("EPSG:32633", coarse, 20, 20, &area);
    double two = 0.0;
    ASSERT_OK(pixel_area_window(area, (RasterWindow){ 0, 0, 20, 20 }, all));
    for (int i = 0; i < 400; i++) two += all[i];
    pixel_area_free(area);
    open_area("EPSG:32633", (const double[]){ 399960, 100, 0, 5900040, 0, -100 }, 4, 4, &area);
    double fine = 0.0;
    for (int64_t y = 0; y < 1000; y += 100) { /* the same square of 100 km, in pixels between the lattice's */
        for (int64_t x = 0; x < 1000; x += 200) {
            ASSERT_OK(pixel_area_window(area, (RasterWindow){ x, y, 200, 100 }, all));
            for (int i = 0; i < 200 * 100; i++) fine += all[i];
        }
    }
    assert_true(fabs(fine / two - 1.0) < 1e-6);
    pixel_area_free(area);
}

/* Without a place a local system still knows metres; without anything nothing is known; beyond the Earth neither. */
static void unknown(void **state)
{
    (void)state;
    const double t[6] = { 0.0, 2.0, 0.0, 0.0, 0.0, -3.0 };
    PixelArea *area = NULL;
    open_area("LOCAL_CS[\"grid\",UNIT[\"metre\",1]]", t, 4, 4, &area);
    assert_true(pixel_area_is_known(area) && fabs(area_at(area, 1, 1) - 6.0) < 1e-12);
    pixel_area_free(area);
    open_area(NULL, NULL, 4, 4, &area);
    assert_false(pixel_area_is_known(area));
    pixel_area_free(area);
    open_area("ESRI:54009", (const double[]){ -18100000.0, 100000.0, 0.0, 9100000.0, 0.0, -100000.0 }, 362, 182,
              &area); /* Mollweide */
    assert_true(pixel_area_is_known(area) && isnan(area_at(area, 0, 0)));
    assert_true(fabs(area_at(area, 181, 91) / 1e10 - 1.0) < 1e-2);
    pixel_area_free(area);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geodesic_areas),
        cmocka_unit_test(whole_earth),
        cmocka_unit_test(windows),
        cmocka_unit_test(unknown),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
