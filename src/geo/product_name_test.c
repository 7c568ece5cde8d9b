/* SPDX-License-Identifier: Apache-2.0
 * Product names. */
#include "geo/product_name.h"

#include "geo/geo_test.h"

static const struct {
    const char *name;
    int year, month, day; /* year 0: no date */
    SensorClass sensor;
    const char *platform;
} list[] = {
    { "S2A_MSIL2A_20200425T113321_N0214_R080_T30UYG_20200425T122345.SAFE", 2020, 4, 25, SENSOR_SENTINEL_2,
      "Sentinel-2A" },
    { "S2A_OPER_PRD_MSIL1C_PDMC_20160106T003535_R093_V20160105T124600_20160105T124600.SAFE", 2016, 1, 5,
      SENSOR_SENTINEL_2, "Sentinel-2A" },
    { "S2B_OPER_MSI_L2A_DS_S2RP_20230315T224658_S20200914T231559_N05.00", 2020, 9, 14, SENSOR_SENTINEL_2,
      "Sentinel-2B" },
    { "S2B_OPER_MSI_L2A_TL_S2RP_20230315T224658_A018417_T01VCG_N05.00", 0, 0, 0, SENSOR_SENTINEL_2,
      "Sentinel-2B" }, /* processed then; taken in 2020 */
    { "esa_S2B_MSIL2A_20210122T133229_N0214_R081_T22HBD_20210122T155500.SAFE", 2021, 1, 22, SENSOR_SENTINEL_2,
      "Sentinel-2B" },
    { "clip 2-LC08_L2SP_005009_20150710_20200908_02_T2_SR_B4.tif", 2015, 7, 10, SENSOR_LANDSAT, "Landsat 8" },
    { "my_MOD09GA.A2020060.h18v04.tif", 2020, 2, 29, SENSOR_MODIS, "Terra MODIS" },
    { "crop_T30UYG_20200425T113321_B04_10m.tif", 2020, 4, 25, SENSOR_SENTINEL_2, "Sentinel-2" },
    { "change_T30UYG_20200425T113321_T30UYG_20210425T113321_B04.tif", 0, 0, 0, SENSOR_SENTINEL_2,
      "Sentinel-2" }, /* which one? */
    { "map_s2_model.tif", 0, 0, 0, SENSOR_UNKNOWN, "" },
    { "S2B_30UYG_20210102_0_L2A.tif", 2021, 1, 2, SENSOR_SENTINEL_2, "Sentinel-2B" },
    { "T30UYG_20200425T113321_B04_10m.jp2", 2020, 4, 25, SENSOR_SENTINEL_2, "Sentinel-2" },
    { "s2_20190920.png", 2019, 9, 20, SENSOR_SENTINEL_2, "Sentinel-2" },
    { "LC08_L1TP_006066_20200131_20200211_01_T1_B4.TIF", 2020, 1, 31, SENSOR_LANDSAT, "Landsat 8" },
    { "LT05_L2SP_006066_19850620_20200918_02_T1_SR_B3.TIF", 1985, 6, 20, SENSOR_LANDSAT, "Landsat 5" },
    { "LC80060662020031LGN00_B4.TIF", 2020, 1, 31, SENSOR_LANDSAT, "Landsat 8" },
    { "LE70060662000366EDC00.tif", 2000, 12, 31, SENSOR_LANDSAT, "Landsat 7" },
    { "LE70060662001366EDC00.tif", 0, 0, 0, SENSOR_LANDSAT, "Landsat 7" }, /* 2001 has 365 days */
    { "m_4709963_se_14_1_20200831.tif", 2020, 8, 31, SENSOR_AERIAL, "NAIP" },
    { "m_4709963_sw_14_060_20200831_20201104.tif", 2020, 8, 31, SENSOR_AERIAL, "NAIP" },
    { "MCD12C1.A2019001.006.2020220162300.tif", 2019, 1, 1, SENSOR_MODIS, "Terra and Aqua MODIS" },
    { "MOD09A1.A2020060.h18v04.tif", 2020, 2, 29, SENSOR_MODIS, "Terra MODIS" },
    { "WV02_20180704_scene.tif", 2018, 7, 4, SENSOR_VERY_HIGH_RESOLUTION, "" },
    { "ortho_2018-07-04.tif", 2018, 7, 4, SENSOR_UNKNOWN, "" },
    { "field_20180704_20180704.tif", 2018, 7, 4, SENSOR_UNKNOWN, "" },
    { "change_20180704_20190704.tif", 0, 0, 0, SENSOR_UNKNOWN, "" }, /* which one? */
    { "tile_20181304.tif", 0, 0, 0, SENSOR_UNKNOWN, "" },
    { "tile_120180704.tif", 0, 0, 0, SENSOR_UNKNOWN, "" },
    { "tile_201807041.tif", 0, 0, 0, SENSOR_UNKNOWN, "" },
    { "tile_18500704.tif", 0, 0, 0, SENSOR_UNKNOWN, "" },
    { "landsat_1985.tif", 0, 0, 0, SENSOR_LANDSAT, "" },
    { "m_4709963_xx_14_1.tif", 0, 0, 0, SENSOR_UNKNOWN, "" },
    { "terrain.tif", 0, 0, 0, SENSOR_UNKNOWN, "" },
    { "scene.tif", 0, 0, 0, SENSOR_UNKNOWN, "" },
    { "", 0, 0, 0, SENSOR_UNKNOWN, "" },
};

static void names(void **state)
{
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        const ProductName p = product_name_read(list[i].name);
        if (p.has_date != (list[i].year != 0) ||
            (p.has_date && (p.date.year != list[i].year || p.date.month != list[i].month || p.date.day != list[i].day)))
            fail_msg("'%s': date %d %d-%d-%d", list[i].name, p.has_date, p.date.year, p.date.month, p.date.day);
        if (p.sensor != list[i].sensor) fail_msg("'%s': sensor %s", list[i].name, sensor_names[p.sensor]);
        assert_string_equal(p.platform, list[i].platform);
        assert_int_equal(p.convention != NULL, p.has_date || p.sensor != SENSOR_UNKNOWN);
    }
}

static void levels(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        ProcessingLevel level;
    } cases[] = {
        { "S2A_MSIL2A_20200425T113321_N0214_R080_T30UYG_20200425T122345.SAFE", PROCESSING_LEVEL_2 },
        { "clip_S2B_MSIL1C_20200425T113321_N0209_R080_T30UYG_20200425T122345.tif", PROCESSING_LEVEL_1 },
        { "S2B_30UYG_20210102_0_L2A.tif", PROCESSING_LEVEL_2 },
        { "S2B_OPER_MSI_L1C_TL_SGS__20160106T003535_A000001_T01VCG_N02.01", PROCESSING_LEVEL_1 },
        { "T30UYG_20200425T113321_B04_10m.jp2", PROCESSING_LEVEL_2 },
        { "T30UYG_20200425T113321_B04.jp2", PROCESSING_LEVEL_1 },
        { "T30UYG_20200425T113321_B04_clip.tif", PROCESSING_UNKNOWN },
        { "s2_20190920.png", PROCESSING_UNKNOWN },
        { "LC08_L1TP_006066_20200131_20200211_01_T1_B4.TIF", PROCESSING_LEVEL_1 },
        { "LT05_L2SP_006066_19850620_20200918_02_T1_SR_B3.TIF", PROCESSING_LEVEL_2 },
        { "LC80060662020031LGN00_B4.TIF", PROCESSING_LEVEL_1 },
        { "m_4709963_se_14_1_20200831.tif", PROCESSING_UNKNOWN },
    };
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++)
        if (product_name_read(cases[i].name).level != cases[i].level) fail_msg("'%s'", cases[i].name);
    static const char *const first[] = { "L1C", "Level-1C", "level 1c", "L1TP", "S2MSI1C", "1C", "L1" };
    static const char *const second[] = { "L2A", "Level-2A", "L2SP", "L2SR", "S2MSI2A", "l2", "2A" };
    static const char *const neither[] = { "", "L", "L3A", "level", "Level-12", "20200101", "raw", "L0" };
    for (int64_t i = 0; i < ARRAY_LEN(first); i++)
        assert_int_equal(processing_level_read(first[i]), PROCESSING_LEVEL_1);
    for (int64_t i = 0; i < ARRAY_LEN(second); i++)
        assert_int_equal(processing_level_read(second[i]), PROCESSING_LEVEL_2);
    for (int64_t i = 0; i < ARRAY_LEN(neither); i++)
        assert_int_equal(processing_level_read(neither[i]), PROCESSING_UNKNOWN);
    assert_int_equal(processing_level_read(NULL), PROCESSING_UNKNOWN);
}

static void dates(void **state)
{
    (void)state;
    Date d = { 1, 2, 3 };
    assert_true(date_read("2020-02-29", &d) && d.month == 2 && d.day == 29);
    assert_true(date_read("2020:08:31 10:00:00", &d) && d.month == 8 && d.day == 31);
    assert_true(date_read("20200831T101010Z", &d) && d.day == 31);
    assert_true(date_read("2020-08", &d) && d.month == 8 && d.day == 0);
    assert_true(date_read("2020-08-31T10:00:00Z", &d) && d.day == 31);
    d = (Date){ 1, 2, 3 };
    static const char *const wrong[] = { "2021-02-29", "2020-13-01",  "2020-00-01", "2020-01-00", "20200100",
                                         "2020-1-1",   "1850-01-01",  "2020",       "",           "2020-01-311",
                                         "202001011",  "x2020-01-01", "2020-01:01" };
    for (int64_t i = 0; i < ARRAY_LEN(wrong); i++) {
        if (date_read(wrong[i], &d)) fail_msg("'%s' is taken for a date", wrong[i]);
        assert_true(d.year == 1 && d.month == 2 && d.day == 3);
    }
}

static void platforms(void **state)
{
    (void)state;
    assert_int_equal(sensor_class_of_platform("LANDSAT_8"), SENSOR_LANDSAT);
    assert_int_equal(sensor_class_of_platform("sentinel-2b"), SENSOR_SENTINEL_2);
    assert_int_equal(sensor_class_of_platform("WV03"), SENSOR_VERY_HIGH_RESOLUTION);
    assert_int_equal(sensor_class_of_platform("WVX"), SENSOR_UNKNOWN);
    assert_int_equal(sensor_class_of_platform(""), SENSOR_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names), cmocka_unit_test(levels), cmocka_unit_test(dates),
                                        cmocka_unit_test(platforms) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
