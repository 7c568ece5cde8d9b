/* SPDX-License-Identifier: Apache-2.0
 * The climate map: names, the compact file, look-ups on a small world, and the published map where it is installed. */
#include "geo/climate.h"

#include "geo/climate_internal.h"
#include "geo/geo_test.h"
#include "harness/data_file.h"

#include <math.h>

/* A world of 36 x 18 cells of 10 degrees: column 0..3 Af (1), row 9 all BWh (4), the top row EF (30), else sea. */
static void small_world(char path[256])
{
    char image[256], csv[256];
    float values[18 * 36];
    for (int i = 0; i < 18 * 36; i++) values[i] = i / 36 == 0 ? 30.0F : i / 36 == 9 ? 7.0F : i % 36 < 4 ? 1.0F : 32.0F;
    test_raster(unit_at("world.png", image),
                (TestRaster){ .width = 36, .height = 18, .driver = "PNG", .values = values });
    unit_write_text(unit_at("world.csv", csv), ",kg_zone,zoneNum\n1,Af,1\n3,As,3\n7,BWh,7\n30,EF,30\n32,Ocean,32\n");
    unit_at("world.zones", path);
    ASSERT_OK(climate_convert(image, csv, path, 1));
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(climate_zone_name(1), "Af");
    assert_string_equal(climate_zone_name(15), "Cfb");
    assert_string_equal(climate_zone_name(30), "EF");
    assert_int_equal(climate_zone_number("As"), climate_zone_number("Aw"));
    assert_int_equal(climate_zone_number("Ocean"), 0);
    assert_int_equal(climate_zone_number("cfb"), 15);
    assert_int_equal(climate_zone_number("Xyz"), -1);
    for (int zone = 0; zone <= CLIMATE_ZONES; zone++) {
        assert_int_equal(climate_zone_number(climate_zone_name(zone)), zone);
        assert_true(strlen(climate_zone_description(zone)) > 5);
    }
}

static void look_up(void **state)
{
    (void)state;
    char path[256];
    Climate *c = NULL;
    small_world(path);
    ASSERT_OK(climate_open(path, &c));
    assert_int_equal(c->width, 36);
    assert_int_equal(climate_zone_at(c, -180.0, 85.0), 30);
    assert_int_equal(climate_zone_at(c, -179.9, 45.0), 1);
    assert_int_equal(climate_zone_at(c, 180.0, 45.0), 1); /* wraps */
    assert_int_equal(climate_zone_at(c, 540.0, 45.0), 1);
    assert_int_equal(climate_zone_at(c, 179.9, 45.0), 0);
    assert_int_equal(climate_zone_at(c, -140.01, 45.0), 1);
    assert_int_equal(climate_zone_at(c, -139.99, 45.0), 0);
    assert_int_equal(climate_zone_at(c, 0.0, 90.0), 30); /* poles */
    assert_int_equal(climate_zone_at(c, 0.0, 91.0), 30);
    assert_int_equal(climate_zone_at(c, 0.0, -90.0), 0);
    assert_int_equal(climate_zone_at(c, (double)NAN, 0.0), 0);
    assert_int_equal(climate_zone_at(c, 10.0, (double)INFINITY), 0);
    climate_close(c);
}

static void nearest_land(void **state)
{
    (void)state;
    char path[256];
    Climate *c = NULL;
    double kilometres = -1.0;
    small_world(path);
    ASSERT_OK(climate_open(path, &c));
    const double degree = 6371.0 * 3.14159265358979 / 180.0;
    assert_int_equal(climate_zone_near(c, -170.0, 45.0, 100.0, &kilometres), 1);
    assert_true(kilometres == 0.0);
    /* the cell centre 5 degrees east of the date line, seen from 5 degrees west of it, across the turn of the map */
    assert_int_equal(climate_zone_near(c, 175.0, 45.0, 10.0 * degree, &kilometres), 1);
    const double expected =
        2.0 * asin(cos(45.0 * 3.14159265358979 / 180.0) * sin(5.0 * 3.14159265358979 / 180.0)) * 6371.0;
    assert_true(fabs(kilometres - expected) < 1e-6);
    assert_int_equal(climate_zone_near(c, 175.0, 45.0, expected - 1.0, &kilometres), 0);
    assert_int_equal(climate_zone_near(c, 175.0, 45.0, expected + 1.0, NULL), 1);
    /* row 9: its nearest centres lie at 5 south, 5 east and west */
    assert_int_equal(climate_zone_near(c, 0.0, 2.0, 8.5 * degree, NULL), 0);
    assert_int_equal(climate_zone_near(c, 0.0, 2.0, 8.7 * degree, NULL), 4);
    assert_int_equal(climate_zone_near(c, 0.0, -85.0, 5000.0, NULL), 1); /* around the pole: all longitudes are near */
    assert_int_equal(climate_zone_near(c, 0.0, -89.99, 0.0, NULL), 0);
    climate_close(c);
}

/* Against a look at every cell. */
static void nearest_land_by_search(void **state)
{
    (void)state;
    char path[256];
    Climate *c = NULL;
    small_world(path);
    ASSERT_OK(climate_open(path, &c));
    const double radian = 3.14159265358979323846 / 180.0;
    for (int k = 0; k < 2000; k++) {
        const double lon = (double)(k * 7919 % 36000) / 100.0 - 180.0,
                     lat = (double)(k * 104729 % 18000) / 100.0 - 90.0;
        const double reach = (double)(k % 40) * 100.0;
        double best = reach, found = -1.0;
        for (int cell = 0; cell < 18 * 36; cell++) {
            const double cell_lat = 85.0 - 10.0 * (cell / 36), cell_lon = -175.0 + 10.0 * (cell % 36);
            if (climate_zone_at(c, cell_lon, cell_lat) == 0) continue;
            const double dot = sin(lat * radian) * sin(cell_lat * radian) +
                               cos(lat * radian) * cos(cell_lat * radian) * cos((lon - cell_lon) * radian);
            const double away = acos(fmax(-1.0, fmin(1.0, dot))) * 6371.0;
            if (away < best) best = found = away;
        }
        double kilometres = 0.0;
        const int zone = climate_zone_near(c, lon, lat, reach, &kilometres);
        if (climate_zone_at(c, lon, lat) != 0)
            assert_true(kilometres == 0.0);
        else if (fabs(best - reach) > 1e-3)
            assert_true(zone != 0 && fabs(kilometres - found) < 1e-3);
    }
    climate_close(c);
}

static void point_shares(void **state)
{
    (void)state;
    char path[256];
    double shares[CLIMATE_ZONES + 1];
    Climate *c = NULL;
    small_world(path);
    ASSERT_OK(climate_open(path, &c));
    const double lon[4] = { -170.0, 0.0, (double)NAN, 0.0 }, lat[4] = { 45.0, -5.0, 0.0, 45.0 };
    climate_point_shares(c, 4, lon, lat, 0.0, shares);
    assert_true(shares[1] == 0.25 && shares[4] == 0.25 && shares[0] == 0.5);
    climate_close(c);
}

static void damage_byte(const char *path, long at, int change)
{
    FILE *file = fopen(path, "r+b");
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    const int byte = fgetc(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_not_equal(fputc(byte ^ change, file), EOF);
    assert_int_equal(fclose(file), 0);
}

static void damaged_files(void **state)
{
    (void)state;
    char path[256];
    struct stat status;
    Climate *c = NULL;
    small_world(path);
    assert_int_equal(stat(path, &status), 0);
    for (long at = 0; at < (long)status.st_size; at++) { /* each byte matters */
        damage_byte(path, at, 0x10);
        ASSERT_ERR(climate_open(path, &c), ERR_INPUT, "not a climate map");
        damage_byte(path, at, 0x10);
    }
    ASSERT_OK(climate_open(path, &c));
    climate_close(c);
    c = NULL;
    for (off_t length = status.st_size - 1; length >= 0; length -= 7) {
        assert_int_equal(truncate(path, length), 0);
        ASSERT_ERR(climate_open(path, &c), ERR_INPUT, "not a climate map");
    }
    ASSERT_ERR(climate_open("no/such/file", &c), ERR_INPUT, "no/such/file");
    assert_null(c);
}

/* A file with a right checksum whose runs are wrong. */
static void hostile_files(void **state)
{
    (void)state;
    char path[256];
    Climate *c = NULL;
    unit_at("hostile.zones", path);
    uint32_t starts[3] = { 0, 1, 2 };
    uint16_t ends[2] = { 4, 4 };
    uint8_t zones[2] = { 1, 0 };
    Climate world = { .width = 4, .height = 2, .runs = 2, .row_start = starts, .run_end = ends, .run_zone = zones };
    ASSERT_OK(climate_write(&world, path, 1));
    ASSERT_OK(climate_open(path, &c));
    climate_close(c);
    ends[1] = 5;
    ASSERT_OK(climate_write(&world, path, 1));
    ASSERT_ERR(climate_open(path, &c), ERR_INPUT, "another width");
    ends[1] = 4;
    starts[1] = 2;
    ASSERT_OK(climate_write(&world, path, 1));
    ASSERT_ERR(climate_open(path, &c), ERR_INPUT, "goes back");
    starts[1] = 4000000000u;
    ASSERT_OK(climate_write(&world, path, 1));
    ASSERT_ERR(climate_open(path, &c), ERR_INPUT, "without runs");
    starts[1] = 1;
    zones[0] = 31;
    ASSERT_OK(climate_write(&world, path, 1));
    ASSERT_ERR(climate_open(path, &c), ERR_INPUT, "unknown zone");
}

static void bad_sources(void **state)
{
    (void)state;
    char path[256], image[256], csv[256];
    small_world(path);
    unit_at("world.png", image);
    unit_at("world.csv", csv);
    ASSERT_ERR(climate_convert(image, csv, path, 0), ERR_OUTPUT, "exists already");
    unit_write_text(csv, "a,b,c\n1,Af,1\n2,Foo,7\n");
    ASSERT_ERR(climate_convert(image, csv, path, 1), ERR_INPUT, "'Foo'");
    unit_write_text(csv, "a,b,c\n1,Af,x\n");
    ASSERT_ERR(climate_convert(image, csv, path, 1), ERR_INPUT, "cannot be read");
    unit_write_text(csv, "a,b,c\n1,Af,1\n");
    ASSERT_ERR(climate_convert(image, csv, path, 1), ERR_INPUT, "value 30 at row 0");
    test_raster(image, (TestRaster){ .width = 35, .height = 18, .driver = "PNG" });
    ASSERT_ERR(climate_convert(image, csv, path, 1), ERR_INPUT, "twice as wide");
}

static void published_map(void **state)
{
    (void)state;
    char image[512], csv[512], path[256];
    Climate *c = NULL;
    data_file_require("koppen_geiger.png", image);
    data_file_require("koppen_geiger_zones.csv", csv);
    ASSERT_OK(climate_convert(image, csv, unit_at("koppen.zones", path), 1));
    ASSERT_OK(climate_open(path, &c));
    static const struct {
        double lon, lat;
        const char *zone;
    } places[] = {
        { 13.06, 52.40, "Cfb" },  { 31.2, 30.0, "BWh" },   { 103.8, 1.35, "Af" },   { -30.0, 30.0, "none" },
        { 55.3, 25.2, "BWh" },    { 37.6, 55.75, "Dfb" },  { -87.6, 41.85, "Dfa" }, { 72.9, 19.1, "Am" },
        { 151.2, -33.87, "Cfa" }, { 118.8, 32.05, "Cfa" }, { 0.0, -89.0, "EF" },    { -40.0, 75.0, "EF" },
    };
    for (int64_t i = 0; i < ARRAY_LEN(places); i++) {
        const int zone = climate_zone_near(c, places[i].lon, places[i].lat, 25.0, NULL);
        if (strcmp(climate_zone_name(zone), places[i].zone) != 0)
            fail_msg("%g,%g is %s, expected %s", places[i].lon, places[i].lat, climate_zone_name(zone), places[i].zone);
    }
    int sea = 0; /* of places even in longitude and in the latitude's sine */
    for (int i = 0; i < 360 * 180; i++)
        sea += climate_zone_at(c, (double)(i % 360) - 179.5,
                               asin(((double)(i / 360) + 0.5) / 90.0 - 1.0) * 180.0 / 3.14159265358979323846) == 0;
    assert_true(sea > 0.68 * 360 * 180 && sea < 0.74 * 360 * 180); /* 71 % of the Earth is sea */
    uint8_t *land = c->land;
    for (int k = 0; k < 20000; k++) { /* the blocks that save the search never change its result */
        const double lon = (double)((int64_t)k * 7919 % 36000) / 100.0 - 180.0,
                     lat = (double)((int64_t)k * 104729 % 18000) / 100.0 - 90.0;
        const double reach = k % 3 == 0 ? 25.0 : k % 3 == 1 ? 100.0 : 400.0;
        c->land = land;
        const int quick = climate_zone_near(c, lon, lat, reach, NULL);
        c->land = NULL;
        assert_int_equal(climate_zone_near(c, lon, lat, reach, NULL), quick);
    }
    c->land = land;
    assert_int_equal(c->width, 12960);
    assert_true(c->runs < 500000);
    climate_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),         cmocka_unit_test(look_up),
        cmocka_unit_test(nearest_land),  cmocka_unit_test(nearest_land_by_search),
        cmocka_unit_test(point_shares),  cmocka_unit_test(damaged_files),
        cmocka_unit_test(hostile_files), cmocka_unit_test(bad_sources),
        cmocka_unit_test(published_map),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
