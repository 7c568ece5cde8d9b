/* SPDX-License-Identifier: Apache-2.0
 * Facts and their sources. */
#include "geo/metadata.h"

#include "geo/geo_test.h"

#include <math.h>

static const double utm[6] = { 485899.0, 5.0, 0.0, 5209246.0, 0.0, -5.0 };

static const Fact *find(const Metadata *m, const char *name)
{
    for (int64_t i = 0; i < m->n_facts; i++)
        if (strcmp(m->facts[i].name, name) == 0) return &m->facts[i];
    fail_msg("no fact '%s'", name);
    return &m->facts[0];
}

static void check_fact(const Metadata *m, const char *name, const char *value, const char *source)
{
    const Fact *fact = find(m, name);
    assert_string_equal(fact->value, value);
    if (strstr(fact->source, source) == NULL) fail_msg("'%s' is not in the source '%s'", source, fact->source);
}

/* Makes a raster of that name, with items "KEY=value" (may be NULL), and reads its facts. */
static void read_facts(const char *name, const double *t, int epsg, const char *const *items,
                       const MetadataOverrides *overrides, Metadata *ret)
{
    char path[256];
    Raster *raster = NULL;
    Georeference *g = NULL;
    test_raster(unit_at(name, path), (TestRaster){ .width = 8, .height = 8, .geotransform = t, .epsg = epsg });
    GDALDatasetH d = GDALOpen(path, GA_Update);
    for (; items != NULL && *items != NULL; items += 3)
        assert_int_equal(GDALSetMetadataItem(d, items[1], items[2], items[0][0] != '\0' ? items[0] : NULL), CE_None);
    GDALClose(d);
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(georeference_open(raster, NULL, &g));
    ASSERT_OK(metadata_read(raster, g, overrides, ret));
    georeference_free(g);
    raster_close(raster);
}

static void naip(void **state)
{
    (void)state;
    Metadata m;
    static const char *const items[] = { "", "TIFFTAG_DATETIME", "2021:01:01 00:00:00", NULL };
    read_facts("m_4709963_se_14_1_20200831.tif", utm, 26914, items, NULL, &m);
    check_fact(&m, "date", "2020-08-31", "NAIP file name"); /* before the TIFF tag */
    check_fact(&m, "sensor", "aerial", "NAIP");
    check_fact(&m, "platform", "NAIP", "NAIP");
    check_fact(&m, "hemisphere", "north", "latitude");
    check_fact(&m, "season", "summer", "date and hemisphere");
    check_fact(&m, "ground sampling distance", "5 m", "geotransform");
    assert_true(m.has_place && m.has_footprint && fabs(m.lon + 99.185) < 0.01 && fabs(m.lat - 47.036) < 0.01);
    assert_true(m.has_season && m.season == SEASON_SUMMER && !m.is_south && m.sensor == SENSOR_AERIAL);
    assert_true(isnan(m.cloud_cover) && isnan(m.sun_elevation));
}

static void items_and_overrides(void **state)
{
    (void)state;
    Metadata m;
    static const char *const items[] = { "IMAGERY", "ACQUISITIONDATETIME", "2019-12-24 10:11:12",
                                         "IMAGERY", "SATELLITEID",         "WV03",
                                         "IMAGERY", "CLOUDCOVER",          "12.5",
                                         "",        "SUN_ELEVATION",       "45.25",
                                         "",        "PROCESSING_LEVEL",    "Level-2A",
                                         "",        "TIFFTAG_DATETIME",    "2021:01:01 00:00:00",
                                         NULL };
    read_facts("scene.tif", utm, 26914, items, NULL, &m);
    check_fact(&m, "date", "2019-12-24", "ACQUISITIONDATETIME");
    check_fact(&m, "sensor", "very-high-resolution", "SATELLITEID");
    check_fact(&m, "platform", "WV03", "SATELLITEID");
    check_fact(&m, "cloud cover", "12.5 %", "CLOUDCOVER");
    check_fact(&m, "sun elevation", "45.25 degrees", "SUN_ELEVATION");
    check_fact(&m, "processing level", "Level-2A", "PROCESSING_LEVEL");
    assert_int_equal(m.level, PROCESSING_LEVEL_2);
    check_fact(&m, "season", "winter", "");
    const MetadataOverrides by_hand = { .lonlat = "151.2,-33.9", .date = "2020-01", .sensor = "Sentinel-2" };
    read_facts("scene.tif", utm, 26914, items, &by_hand, &m);
    check_fact(&m, "date", "2020-01", "by hand");
    check_fact(&m, "longitude, latitude", "151.20000, -33.90000", "by hand");
    check_fact(&m, "hemisphere", "south", "latitude");
    check_fact(&m, "season", "summer", "");
    check_fact(&m, "sensor", "sentinel-2", "by hand");
    check_fact(&m, "ground sampling distance", "5 m", "geotransform"); /* still the file's */
    assert_false(m.has_footprint);
    ASSERT_OK(metadata_read(NULL, NULL, &by_hand, &m)); /* a place alone */
    assert_true(m.has_place && m.lat == -33.9 && isnan(m.sampling.metres));
    ASSERT_ERR(metadata_read(NULL, NULL, &(MetadataOverrides){ .date = "yesterday" }, &m), ERR_ARGUMENT, "'yesterday'");
    ASSERT_ERR(metadata_read(NULL, NULL, &(MetadataOverrides){ .lonlat = "1" }, &m), ERR_ARGUMENT,
               "longitude,latitude");
    ASSERT_ERR(metadata_read(NULL, NULL, &(MetadataOverrides){ .sensor = "radar" }, &m), ERR_ARGUMENT, "'radar'");
}

static void tag_and_nothing(void **state)
{
    (void)state;
    Metadata m;
    static const char *const items[] = { "", "TIFFTAG_DATETIME", "2021:07:01 00:00:00", NULL };
    const double t[6] = { 10.0, 0.5, 0.0, -10.0, 0.0, -0.5 };
    read_facts("scene.tif", t, 4326, items, NULL, &m);
    check_fact(&m, "date", "2021-07-01", "maybe of processing");
    check_fact(&m, "season", "winter", ""); /* south */
    assert_true(m.sampling.degrees == 0.5);
    read_facts("plain.tif", NULL, 0, NULL, NULL, &m);
    check_fact(&m, "longitude, latitude", "unknown", "no georeference");
    assert_false(m.has_place || m.has_date || m.has_season);
    assert_int_equal(m.n_facts, 1);
    read_facts("noplace_20200101.tif", NULL, 0, NULL, NULL, &m);
    assert_true(m.has_date && !m.has_season); /* the hemisphere is unknown */
}

static void sidecars(void **state)
{
    (void)state;
    Metadata m;
    char path[256];
    unit_write_text(unit_at("LC08_L1TP_006066_20200131_20200211_01_T1_MTL.txt", path),
                    "GROUP = L1_METADATA_FILE\n  GROUP = PRODUCT_METADATA\n    DATE_ACQUIRED = 2020-01-31\n    "
                    "SPACECRAFT_ID = \"LANDSAT_8\"\r\n"
                    "    CLOUD_COVER = 3.25\n    SUN_ELEVATION = 58.5\n    CLOUD_COVER_LAND = 77\nEND\n");
    read_facts("LC08_L1TP_006066_20200131_20200211_01_T1_B4.TIF", utm, 32614, NULL, NULL, &m);
    check_fact(&m, "date", "2020-01-31", "MTL");
    check_fact(&m, "platform", "LANDSAT_8", "MTL");
    check_fact(&m, "cloud cover", "3.25 %", "MTL");
    check_fact(&m, "sun elevation", "58.5 degrees", "MTL");
    assert_int_equal(m.sensor, SENSOR_LANDSAT);
    unit_write_text(unit_at("item.json", path),
                    "{\"stac_version\":\"1.0.0\",\"type\":\"Feature\",\"properties\":{\"datetime\":\"2022-03-04T05:06:"
                    "07Z\",\"platform\":\"sentinel-2b\","
                    "\"eo:cloud_cover\":7,\"view:sun_elevation\":30.5}}");
    read_facts("item.tif", utm, 32614, NULL, NULL, &m);
    check_fact(&m, "date", "2022-03-04", "STAC");
    check_fact(&m, "sensor", "sentinel-2", "STAC");
    check_fact(&m, "cloud cover", "7 %", "STAC");
    check_fact(&m, "sun elevation", "30.5 degrees", "STAC");
    unit_write_text(unit_at("item.json", path), "{\"stac_version\":");
    read_facts("item.tif", utm, 32614, NULL, NULL, &m);
    check_fact(&m, "STAC item", "item.json", "passed over");
    unit_write_text(unit_at("item.json", path),
                    "{\"stac_version\":\"1.0.0\",\"properties\":{\"datetime\":null,\"start_datetime\":\"2022-05-01T00:"
                    "00:00Z\",\"platform\":[1]}}");
    read_facts("item.tif", utm, 32614, NULL, NULL, &m);
    check_fact(&m, "date", "2022-05-01", "STAC");
    unit_write_text(unit_at("item.json", path), "{\"properties\":{\"datetime\":\"2022-03-04\"}}"); /* some other JSON */
    read_facts("item.tif", utm, 32614, NULL, NULL, &m);
    assert_false(m.has_date);
}

static void folder_names(void **state)
{
    (void)state;
    char safe[256], path[300];
    Metadata m;
    Raster *raster = NULL;
    (void)snprintf(safe, sizeof safe, "%s/S2A_MSIL2A_20200425T113321_N0214_R080_T30UYG_20200425T122345.SAFE",
                   unit_scratch);
    assert_int_equal(mkdir(safe, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/TCI.tif", safe);
    test_raster(path, (TestRaster){ .width = 2, .height = 2 });
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(metadata_read(raster, NULL, NULL, &m));
    raster_close(raster);
    check_fact(&m, "date", "2020-04-25", "of the folder");
    check_fact(&m, "platform", "Sentinel-2A", "of the folder");
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(safe), 0);
}

static void seasons(void **state)
{
    (void)state;
    static const Season north[12] = { SEASON_WINTER, SEASON_WINTER, SEASON_SPRING, SEASON_SPRING,
                                      SEASON_SPRING, SEASON_SUMMER, SEASON_SUMMER, SEASON_SUMMER,
                                      SEASON_AUTUMN, SEASON_AUTUMN, SEASON_AUTUMN, SEASON_WINTER };
    for (int month = 1; month <= 12; month++) {
        assert_int_equal(season_of_month(month, false), north[month - 1]);
        assert_int_equal(season_of_month(month, true), (north[month - 1] + 2) % 4);
    }
    assert_string_equal(season_names[SEASON_AUTUMN], "autumn");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(naip),     cmocka_unit_test(items_and_overrides), cmocka_unit_test(tag_and_nothing),
        cmocka_unit_test(sidecars), cmocka_unit_test(folder_names),        cmocka_unit_test(seasons),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
