/* SPDX-License-Identifier: Apache-2.0
 * Shares of climate zones per cell: sums, smoothing, slots, independence of the window. */
#include "geo/zone_shares.h"

#include "geo/climate_internal.h"
#include "geo/geo_test.h"

#include <math.h>

enum { WIDTH = 360, HEIGHT = 180, MAX_RUNS = WIDTH * HEIGHT, CHANNELS = ZONE_SLOTS + 1 };

/* A climate map of 1 degree cells made from a rule. */
static uint32_t row_start[HEIGHT + 1];
static uint16_t run_end[MAX_RUNS];
static uint8_t run_zone[MAX_RUNS];

static Climate make_climate(int (*zone_of)(int x, int y))
{
    Climate c = { .width = WIDTH, .height = HEIGHT, .row_start = row_start, .run_end = run_end, .run_zone = run_zone };
    for (int y = 0; y < HEIGHT; y++) {
        row_start[y] = (uint32_t)c.runs;
        for (int x = 0; x < WIDTH; x++) {
            if (x + 1 < WIDTH && zone_of(x, y) == zone_of(x + 1, y)) continue;
            run_end[c.runs] = (uint16_t)(x + 1);
            run_zone[c.runs++] = (uint8_t)zone_of(x, y);
        }
    }
    row_start[HEIGHT] = (uint32_t)c.runs;
    return c;
}

/* The whole Earth at 1/16 degree: a cell of 16 pixels is a degree, a cell of the map. */
static const double world[6] = { -180.0, 0.0625, 0.0, 90.0, 0.0, -0.0625 };

static Georeference *open_world(const double *geotransform, int epsg, int width, int height)
{
    char path[256];
    Raster *raster = NULL;
    Georeference *g = NULL;
    static const char *const sparse[] = { "SPARSE_OK=YES", NULL };
    GDALRegister_GTiff();
    GDALDatasetH d = GDALCreate(GDALGetDriverByName("GTiff"), unit_at("world.tif", path), width, height, 1, GDT_Byte,
                                (CSLConstList)sparse);
    assert_non_null(d);
    if (geotransform != NULL) assert_int_equal(GDALSetGeoTransform(d, (double *)geotransform), CE_None);
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    assert_int_equal(OSRImportFromEPSG(crs, epsg), OGRERR_NONE);
    if (geotransform != NULL) assert_int_equal(GDALSetSpatialRef(d, crs), CE_None);
    OSRDestroySpatialReference(crs);
    GDALClose(d);
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(georeference_open(raster, NULL, &g));
    raster_close(raster);
    return g;
}

static void check_sums(const float *shares, int64_t cells)
{
    for (int64_t i = 0; i < cells; i++) {
        double sum = 0.0;
        for (int k = 0; k < CHANNELS; k++) {
            assert_true(shares[i * CHANNELS + k] >= 0.0F && shares[i * CHANNELS + k] <= 1.0F + 1e-6F);
            sum += (double)shares[i * CHANNELS + k];
        }
        assert_true(fabs(sum - 1.0) < 1e-6);
    }
}

static int two_zones(int x, int y)
{
    (void)y;
    return x < 180 ? 3 : 15;
}

static int stripes(int x, int y) { return (x / 3 + y / 2) % 7 == 0 ? 0 : 1 + (x / 3 + y / 2) % 7 * 4; }

static int island(int x, int y) { return x == 200 && y == 90 ? 7 : 0; }

/* A border between columns 179 and 180: shares go over it as the sums of the triangle 1 2 3 2 1. */
static void smooth_border(void **state)
{
    (void)state;
    const Climate c = make_climate(two_zones);
    Georeference *g = open_world(world, 4326, 5760, 2880);
    ZoneSampler *s = NULL;
    ZoneSlots slots;
    float shares[4 * 8 * CHANNELS];
    double t[6];
    ASSERT_OK(zone_sampler_new(&c, g, 5760, 2880, zone_share_defaults(), &s));
    zone_window((180 - 4) * 16, 80 * 16, 5760, 2880, 5760, 2880, t);
    ASSERT_OK(zone_shares(s, t, 4 * 16, 8 * 16, shares, &slots));
    check_sums(shares, 4 * 8);
    assert_int_equal(slots.count, 2);
    assert_int_equal(slots.zone[0], 3);
    assert_int_equal(slots.zone[1], 15);
    assert_int_equal(slots.zone[2], 0);
    assert_true(fabs(slots.share[0] - 0.5) < 1e-6 && slots.null_share == 0.0);
    static const float east[8] = { 0.0F, 0.0F, 1.0F / 9.0F, 3.0F / 9.0F, 6.0F / 9.0F, 8.0F / 9.0F, 1.0F, 1.0F };
    for (int i = 0; i < 4 * 8; i++) {
        assert_float_equal(shares[i * CHANNELS + 1], east[i % 8], 1e-6F);
        assert_float_equal(shares[i * CHANNELS + 4], 0.0F, 0.0F);
    }
    zone_sampler_free(s);
    georeference_free(g);
}

/* The date line is the east end of the map's last column and the west end of the first. */
static void border_of_the_raster(void **state)
{
    (void)state;
    const Climate c = make_climate(two_zones);
    Georeference *g = open_world(world, 4326, 5760, 2880);
    ZoneSampler *s = NULL;
    ZoneSlots slots;
    float shares[2 * 2 * CHANNELS];
    double t[6];
    ASSERT_OK(zone_sampler_new(&c, g, 5760, 2880, zone_share_defaults(), &s));
    zone_window(5760, 2880, 5760, 2880, 5760, 2880, t); /* wholly beyond the corner: the corner's zones */
    ASSERT_OK(zone_shares(s, t, 32, 32, shares, &slots));
    check_sums(shares, 4);
    assert_true(slots.count >= 1);
    zone_sampler_free(s);
    georeference_free(g);
}

/* Same place, same shares: windows anywhere, cells of other windows, mirrored windows. */
static void independent_of_window(void **state)
{
    (void)state;
    static const struct {
        const double t[6];
        int epsg, size;
    } scenes[] = { { { -20.0, 0.0625, 0.0, 60.0, 0.0, -0.0625 }, 4326, 1024 },
                   { { 300000.0, 3000.0, 0.0, 5.5e6, 0.0, -3000.0 }, 32633, 1024 } };
    const Climate c = make_climate(stripes);
    for (int64_t k = 0; k < ARRAY_LEN(scenes); k++) {
        Georeference *g = open_world(scenes[k].t, scenes[k].epsg, scenes[k].size, scenes[k].size);
        ZoneSampler *s = NULL;
        ZoneShareOptions options = zone_share_defaults();
        options.coast_km = 0.0;
        ASSERT_OK(zone_sampler_new(&c, g, scenes[k].size, scenes[k].size, options, &s));
        ZoneSlots slots_a, slots_b;
        float a[8 * 8 * CHANNELS], b[8 * 8 * CHANNELS];
        double t[6];
        zone_window(0, 128, 1024, 1024, 1024, 1024, t);
        ASSERT_OK(zone_shares(s, t, 128, 128, a, &slots_a));
        check_sums(a, 64);
        assert_true(slots_a.count > 1);
        zone_window(64, 160, 1024, 1024, 1024, 1024, t);
        ASSERT_OK(zone_shares(s, t, 128, 128, b, &slots_b));
        for (int y = 2; y < 8; y++)
            for (int x = 4; x < 8; x++) {
                const float *in_a = a + (y * 8 + x) * CHANNELS, *in_b = b + ((y - 2) * 8 + x - 4) * CHANNELS;
                assert_float_equal(in_a[ZONE_SLOTS], in_b[ZONE_SLOTS], 1e-6F);
                if (slots_a.count < ZONE_SLOTS && slots_b.count < ZONE_SLOTS) /* nothing was dropped */
                    for (int i = 0; i < slots_a.count; i++)
                        for (int j = 0; j < slots_b.count; j++)
                            if (slots_a.zone[i] == slots_b.zone[j]) assert_float_equal(in_a[i], in_b[j], 1e-6F);
            }
        const double mirrored[6] = { 128.0, -1.0, 0.0, 128.0, 0.0, 1.0 }; /* columns from east to west */
        ASSERT_OK(zone_shares(s, mirrored, 128, 128, b, &slots_b));
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 8; x++)
                for (int i = 0; i < CHANNELS; i++)
                    assert_float_equal(a[(y * 8 + x) * CHANNELS + i], b[(y * 8 + 7 - x) * CHANNELS + i], 1e-6F);
        const double half[6] = {
            0.0, 0.5, 0.0, 128.0, 0.0, 0.5
        }; /* twice as fine: the north-west quarter, cells of half the side */
        ASSERT_OK(zone_shares(s, half, 128, 128, b, &slots_b));
        check_sums(b, 64);
        zone_sampler_free(s);
        georeference_free(g);
    }
}

static int many(int x, int y)
{
    (void)y;
    return 1 + (x - 180) / 2 % 6; /* six zones, two degrees each, from Greenwich on */
}

static void at_most_four(void **state)
{
    (void)state;
    const Climate c = make_climate(many);
    Georeference *g = open_world(world, 4326, 5760, 2880);
    ZoneSampler *s = NULL;
    ZoneSlots slots;
    ZoneShareOptions options = zone_share_defaults();
    options.radius = 0;
    float shares[11 * CHANNELS];
    double t[6];
    ASSERT_OK(zone_sampler_new(&c, g, 5760, 2880, options, &s));
    zone_window(180 * 16, 80 * 16, 5760, 2880, 5760, 2880, t); /* zones 1 1 2 2 3 3 4 4 5 5 6 */
    ASSERT_OK(zone_shares(s, t, 16, 11 * 16, shares, &slots));
    check_sums(shares, 11);
    assert_int_equal(slots.count, 4);
    for (int k = 0; k < 4; k++) assert_int_equal(slots.zone[k], k + 1); /* ties go to the lower number */
    for (int k = 0; k < 4; k++) assert_true(fabs(slots.share[k] - 2.0 / 11.0) < 1e-6);
    assert_float_equal(shares[0], 1.0F, 0.0F);
    assert_float_equal(shares[8 * CHANNELS + ZONE_SLOTS], 1.0F, 0.0F); /* a cell with dropped zones alone is null */
    options.radius = 2;
    zone_sampler_free(s);
    ASSERT_OK(zone_sampler_new(&c, g, 5760, 2880, options, &s));
    ASSERT_OK(zone_shares(s, t, 16, 11 * 16, shares, &slots));
    check_sums(shares, 11);
    float land = 0.0F;
    for (int k = 0; k < 4; k++) land += shares[7 * CHANNELS + k];
    assert_float_equal(land, 1.0F, 1e-6F); /* mixed cells: what was dropped goes to the kept ones */
    zone_sampler_free(s);
    georeference_free(g);
}

static void sea_and_coast(void **state)
{
    (void)state;
    const Climate c = make_climate(island); /* one cell at 20..21 E, 0..1 S */
    Georeference *g = open_world(world, 4326, 5760, 2880);
    ZoneSampler *s = NULL;
    ZoneSlots slots;
    ZoneShareOptions options = zone_share_defaults();
    float shares[8 * 8 * CHANNELS];
    double t[6];
    options.radius = 0;
    options.coast_km = 0.0;
    zone_window(197 * 16, 87 * 16, 5760, 2880, 5760, 2880, t); /* the island is cell (3, 3) */
    ASSERT_OK(zone_sampler_new(&c, g, 5760, 2880, options, &s));
    ASSERT_OK(zone_shares(s, t, 128, 128, shares, &slots));
    assert_int_equal(slots.count, 1);
    assert_int_equal(slots.zone[0], 7);
    assert_true(fabs(slots.null_share - 63.0 / 64.0) < 1e-6);
    for (int i = 0; i < 64; i++) assert_float_equal(shares[i * CHANNELS], i == 3 * 8 + 3 ? 1.0F : 0.0F, 0.0F);
    zone_sampler_free(s);
    options.coast_km =
        100.0; /* 0.9 degrees from the centre of the island's cell: samples within 0.4 degrees of its sides */
    ASSERT_OK(zone_sampler_new(&c, g, 5760, 2880, options, &s));
    ASSERT_OK(zone_shares(s, t, 128, 128, shares, &slots));
    check_sums(shares, 64);
    assert_float_equal(shares[(3 * 8 + 3) * CHANNELS], 1.0F, 0.0F);
    assert_true(shares[(3 * 8 + 4) * CHANNELS] > 0.2F && shares[(3 * 8 + 4) * CHANNELS] < 0.6F);
    assert_float_equal(shares[(3 * 8 + 5) * CHANNELS], 0.0F, 0.0F);
    zone_sampler_free(s);
    georeference_free(g);
}

static void unknown_and_point(void **state)
{
    (void)state;
    const Climate c = make_climate(two_zones);
    ZoneSampler *s = NULL;
    ZoneSlots slots;
    float shares[4 * CHANNELS];
    double t[6];
    zone_window(0, 0, 32, 32, 32, 32, t);
    Georeference *g = open_world(NULL, 4326, 32, 32);
    ASSERT_OK(zone_sampler_new(&c, g, 32, 32, zone_share_defaults(), &s));
    ASSERT_OK(zone_shares(s, t, 32, 32, shares, &slots));
    assert_int_equal(slots.count, 0);
    assert_true(slots.null_share == 1.0);
    for (int i = 0; i < 4; i++) assert_float_equal(shares[i * CHANNELS + ZONE_SLOTS], 1.0F, 0.0F);
    zone_sampler_free(s);
    georeference_free(g);
    ASSERT_OK(georeference_from_point(13.0, 52.0, &g));
    ASSERT_OK(zone_sampler_new(&c, g, 32, 32, zone_share_defaults(), &s));
    ASSERT_OK(zone_shares(s, t, 32, 32, shares, &slots));
    assert_int_equal(slots.count, 1);
    assert_int_equal(slots.zone[0], 15);
    for (int i = 0; i < 4; i++) assert_float_equal(shares[i * CHANNELS], 1.0F, 1e-6F);
    zone_sampler_free(s);
    ASSERT_OK(zone_sampler_new(NULL, g, 32, 32, zone_share_defaults(), &s)); /* no map */
    ASSERT_OK(zone_shares(s, t, 32, 32, shares, &slots));
    assert_int_equal(slots.count, 0);
    zone_sampler_free(s);
    ZoneShareOptions wrong = zone_share_defaults();
    wrong.samples = 0;
    ASSERT_ERR(zone_sampler_new(&c, g, 32, 32, wrong, &s), ERR_ARGUMENT, "0 samples");
    georeference_free(g);
}

static void whole_image(void **state)
{
    (void)state;
    const Climate c = make_climate(two_zones);
    const double t[6] = { -30.0, 0.1, 0.0, 10.0, 0.0, -0.1 }; /* 30 W .. 10 E: three quarters in the west */
    double shares[CLIMATE_ZONES + 1];
    Georeference *g = open_world(t, 4326, 400, 100);
    zone_image_shares(&c, g, 0.0, shares);
    assert_true(fabs(shares[3] - 0.75) < 1e-12 && fabs(shares[15] - 0.25) < 1e-12 && shares[0] == 0.0);
    georeference_free(g);
    g = open_world(NULL, 4326, 32, 32);
    zone_image_shares(&c, g, 0.0, shares);
    assert_true(fabs(shares[0] - 1.0) < 1e-12);
    georeference_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smooth_border),         cmocka_unit_test(border_of_the_raster),
        cmocka_unit_test(independent_of_window), cmocka_unit_test(at_most_four),
        cmocka_unit_test(sea_and_coast),         cmocka_unit_test(unknown_and_point),
        cmocka_unit_test(whole_image),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
