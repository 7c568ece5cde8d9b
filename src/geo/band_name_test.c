/* SPDX-License-Identifier: Apache-2.0
 * Names of bands as they are written. */
#include "geo/band_name.h"

#include "harness/unit.h"

static const struct {
    const char *name;
    Spectral spectral;
} named[] = {
    { "red", SPECTRAL_RED },
    { "RED", SPECTRAL_RED },
    { "Band 1 (Blue)", SPECTRAL_BLUE },
    { "Band 4 - Near Infrared", SPECTRAL_NIR },
    { "near-infrared", SPECTRAL_NIR },
    { "NearInfrared", SPECTRAL_NIR },
    { "blue band", SPECTRAL_BLUE },
    { "green_reflectance", SPECTRAL_GREEN },
    { "red_median", SPECTRAL_RED },
    { "Red Edge 1", SPECTRAL_RED_EDGE },
    { "rededge", SPECTRAL_RED_EDGE },
    { "Vegetation red edge", SPECTRAL_RED_EDGE },
    { "NIR", SPECTRAL_NIR },
    { "narrow NIR", SPECTRAL_NIR },
    { "nir08", SPECTRAL_NIR },
    { "SWIR 1", SPECTRAL_SWIR1 },
    { "SWIR 2", SPECTRAL_SWIR2 },
    { "swir22", SPECTRAL_SWIR2 },
    { "Shortwave infrared 2", SPECTRAL_SWIR2 },
    { "short wave infrared", SPECTRAL_SWIR1 },
    { "Band 2 SWIR", SPECTRAL_SWIR1 },
    { "Thermal Infrared", SPECTRAL_OTHER },
    { "Coastal aerosol", SPECTRAL_COASTAL },
    { "coastal blue", SPECTRAL_COASTAL },
    { "Grün", SPECTRAL_GREEN },
    { "Rouge", SPECTRAL_RED },
    { "proche infrarouge", SPECTRAL_NIR },
    { "N", SPECTRAL_NIR },
    { "r", SPECTRAL_RED },
    { "B4, central wavelength 665 nm", SPECTRAL_RED },
    { "665.0 Nanometers", SPECTRAL_RED },
    { "Band 3 (0.56 Micrometers)", SPECTRAL_GREEN },
    { "842nm", SPECTRAL_NIR },
    { "0.49 um", SPECTRAL_BLUE },
    { "panchromatic", SPECTRAL_OTHER },
    { "945 nm", SPECTRAL_OTHER },
    { "", SPECTRAL_UNKNOWN },
    { "Band 1", SPECTRAL_UNKNOWN },
    { "Layer_1", SPECTRAL_UNKNOWN },
    { "Gray", SPECTRAL_UNKNOWN },
    { "red mask", SPECTRAL_UNKNOWN },
    { "red_std", SPECTRAL_UNKNOWN },
    { "red/green ratio", SPECTRAL_UNKNOWN },
    { "red green", SPECTRAL_UNKNOWN },
    { "predicted", SPECTRAL_UNKNOWN },
    { "greenness", SPECTRAL_UNKNOWN },
    { "NDVI", SPECTRAL_UNKNOWN },
    { "10 nm", SPECTRAL_UNKNOWN },
};

static void words(void **state)
{
    (void)state;
    for (int64_t i = 0; i < ARRAY_LEN(named); i++)
        if (band_name_read(named[i].name).spectral != named[i].spectral)
            fail_msg("'%s' is read as '%s'", named[i].name, spectral_name(band_name_read(named[i].name).spectral));
}

static void codes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int code;
        bool code_a, surface;
        BandNumbering numbering;
    } list[] = {
        { "B4", 4, false, false, NUMBERING_UNKNOWN },
        { "b04", 4, false, false, NUMBERING_UNKNOWN },
        { "B8A", 8, true, false, NUMBERING_SENTINEL_2 },
        { "SR_B4", 4, false, true, NUMBERING_UNKNOWN },
        { "sr_b5_median", 5, false, true, NUMBERING_UNKNOWN },
        { "sur_refl_b01", 1, false, false, NUMBERING_MODIS },
        { "T30UYG_20200425T113321_B04_10m", 4, false, false, NUMBERING_SENTINEL_2 },
        { "T30UYG_20200425T113321_B12.jp2", 12, false, false, NUMBERING_SENTINEL_2 },
        { "LC08_L2SP_006066_20200131_20200823_02_T1_SR_B4", 4, false, true, NUMBERING_OLI },
        { "LT05_L2SP_006066_20100131_20200823_02_T1_SR_B4.TIF", 4, false, true, NUMBERING_TM },
        { "HLS.S30.T17SLU.2020209T155956.v2.0.B8A.tif", 8, true, false, NUMBERING_SENTINEL_2 },
        { "HLS.L30.T17SLU.2020209T155956.v2.0.B05.tif", 5, false, false, NUMBERING_OLI },
        { "BQA", 0, false, false, NUMBERING_UNKNOWN },
        { "Band 4", 0, false, false, NUMBERING_UNKNOWN },
        { "b4_mask", 0, false, false, NUMBERING_UNKNOWN },
        { "B0", 0, false, false, NUMBERING_UNKNOWN },
        { "b123", 0, false, false, NUMBERING_UNKNOWN },
    };
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        const BandName b = band_name_read(list[i].name);
        if (b.code != list[i].code || b.code_a != list[i].code_a || b.surface != list[i].surface ||
            b.numbering != list[i].numbering)
            fail_msg("'%s': code %d, numbering %d", list[i].name, b.code, (int)b.numbering);
    }
}

static void numberings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        BandNumbering numbering;
    } list[] = {
        { "LANDSAT_5", NUMBERING_TM },
        { "Landsat 8", NUMBERING_OLI },
        { "landsat-9", NUMBERING_OLI },
        { "LANDSAT_7", NUMBERING_TM },
        { "Landsat", NUMBERING_UNKNOWN },
        { "LE07_L1TP_", NUMBERING_TM },
        { "LC80060662020031LGN00", NUMBERING_OLI },
        { "Sentinel-2A", NUMBERING_SENTINEL_2 },
        { "S2B_MSIL2A_20200425T113321", NUMBERING_SENTINEL_2 },
        { "OLI_TIRS", NUMBERING_OLI },
        { "TM", NUMBERING_TM },
        { "ETM+", NUMBERING_TM },
        { "Terra", NUMBERING_MODIS },
        { "scene.tif", NUMBERING_UNKNOWN },
        { "tmp.tif", NUMBERING_UNKNOWN },
        { "terrain.tif", NUMBERING_UNKNOWN },
        { "", NUMBERING_UNKNOWN },
    };
    for (int64_t i = 0; i < ARRAY_LEN(list); i++)
        if (band_numbering_of(list[i].text) != list[i].numbering)
            fail_msg("'%s' is numbering %d", list[i].text, (int)band_numbering_of(list[i].text));
    static const char *const words[] = { "tm_01.tif", "TM", "terra", "aqua.tif", "msi-3", "oli_b4.tif", "ETM+.tif" };
    for (int64_t i = 0; i < ARRAY_LEN(words); i++)
        assert_int_equal(band_numbering_of_file(words[i]), NUMBERING_UNKNOWN);
    assert_int_equal(band_numbering_of_file("LT05_L2SP_006066_20100131"), NUMBERING_TM);
    assert_int_equal(band_numbering_of_file("S2B_MSIL2A_20200425T113321.SAFE"), NUMBERING_SENTINEL_2);
    assert_int_equal(spectral_of_code(NUMBERING_TM, 4, false), SPECTRAL_NIR);
    assert_int_equal(spectral_of_code(NUMBERING_OLI, 4, false), SPECTRAL_RED);
    assert_int_equal(spectral_of_code(NUMBERING_OLI, 5, false), SPECTRAL_NIR);
    assert_int_equal(spectral_of_code(NUMBERING_SENTINEL_2, 5, false), SPECTRAL_RED_EDGE);
    assert_int_equal(spectral_of_code(NUMBERING_SENTINEL_2, 8, true), SPECTRAL_NIR);
    assert_int_equal(spectral_of_code(NUMBERING_MODIS, 1, false), SPECTRAL_RED);
    assert_int_equal(spectral_of_code(NUMBERING_TM, 12, false), SPECTRAL_UNKNOWN);
    assert_int_equal(spectral_of_code(NUMBERING_UNKNOWN, 4, false), SPECTRAL_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(words), cmocka_unit_test(codes),
                                        cmocka_unit_test(numberings) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
