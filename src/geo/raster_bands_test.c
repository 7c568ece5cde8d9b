/* SPDX-License-Identifier: Apache-2.0
 * Which band of a file is chosen for which name. */
#include "geo/raster.h"

#include "geo/geo_test.h"

enum { MAX_BANDS = 8 };

/* What a file says of its bands; "" nothing. */
typedef struct Naming {
    const char *file; /* name of the file, NULL: "bands.tif" */
    const char *bands[MAX_BANDS];
    const char *item[2]; /* metadata item of the file */
} Naming;

/* Writes it, coloured red, green, blue if `rgb`. */
static void write_named(const Naming *naming, bool rgb, char path[256])
{
    static const char *const colours[] = { "PHOTOMETRIC=RGB", NULL };
    int n = 0;
    while (n < MAX_BANDS && naming->bands[n] != NULL) n++;
    test_raster(
        unit_at(naming->file != NULL ? naming->file : "bands.tif", path),
        (TestRaster){ .width = 4, .height = 4, .bands = n, .type = GDT_UInt16, .options = rgb ? colours : NULL });
    const GDALDatasetH d = GDALOpen(path, GA_Update);
    for (int b = 0; b < n; b++)
        if (naming->bands[b][0] != '\0') GDALSetDescription(GDALGetRasterBand(d, b + 1), naming->bands[b]);
    if (naming->item[0] != NULL) GDALSetMetadataItem(d, naming->item[0], naming->item[1], NULL);
    GDALClose(d);
}

/* "321": numbers of the chosen bands; "!": refused; "?" before them: doubtful. */
static void check(const char *path, const char *choice, int64_t wanted, const char *const *names, const char *expected)
{
    Raster *raster = NULL;
    char got[16] = "!";
    bool doubtful = false;
    ASSERT_OK(raster_open(path, NULL, &raster));
    const Err err = raster_choose_bands(raster, choice, wanted, names);
    (void)raster_choice_note(raster, &doubtful);
    size_t used = 0;
    if (err == ERR_NONE && doubtful) got[used++] = '?';
    for (int64_t i = 0; err == ERR_NONE && i < raster_chosen_count(raster); i++)
        got[used++] = (char)('0' + raster_chosen_band(raster, i));
    if (err == ERR_NONE) got[used] = '\0';
    if (strcmp(got, expected) != 0)
        fail_msg("'%s' (%s): got %s, expected %s", path, raster_band_name(raster, 1), got, expected);
    raster_close(raster);
}

static void red_green_blue(void **state)
{
    (void)state;
    static const char *const rgb[] = { "red", "green", "blue" };
    static const struct {
        Naming naming;
        const char *expected;
    } list[] = {
        { { .bands = { "B4", "B3", "B2" } }, "123" },
        { { .bands = { "B2", "B3", "B4" } }, "321" },
        { { .bands = { "B02", "B03", "B04", "B08" } }, "321" },
        { { .bands = { "b04", "b03", "b02" } }, "123" },
        { { .bands = { "Band 1 (Blue)", "Band 2 (Green)", "Band 3 (Red)" } }, "321" },
        { { .bands = { "Blue", "Green", "Red", "NIR" } }, "321" },
        { { .bands = { "blue band", "green band", "red band" } }, "321" },
        { { .bands = { "BLUE", "GREEN", "RED" } }, "321" },
        { { .bands = { "490 nm", "560 nm", "665 nm", "842 nm" } }, "321" },
        { { .bands = { "nir", "red", "green" } }, "!" },
        { { .bands = { "nir", "red", "" } }, "!" },
        { { .bands = { "", "red", "" } }, "!" },
        { { .bands = { "blue", "", "" } }, "!" },
        { { .bands = { "B8", "B4", "B3" } }, "!" },
        { { .bands = { "red_mean", "green_mean", "blue_mean" } }, "123" },
        { { .bands = { "red", "green", "blue", "red_std", "green_std" } }, "123" },
        { { .bands = { "", "", "" } }, "123" },
        { { .bands = { "band 1", "band 2", "band 3" } }, "123" },
        { { .bands = { "Layer_1", "Layer_2", "Layer_3" } }, "123" },
        { { .bands = { "PC1", "PC2", "PC3" } }, "123" },
        { { .bands = { "B1", "B2", "B3" } }, "?123" }, /* maybe no more than a count */
        { { .bands = { "B3", "B2", "B1" } }, "123" },  /* Landsat 4 to 7: no other has a red among them */
        /* the numbering of the sensor, from wherever it is told */
        { { .bands = { "SR_B1", "SR_B2", "SR_B3", "SR_B4", "SR_B5", "SR_B7" } }, "321" },
        { { .bands = { "SR_B1", "SR_B2", "SR_B3", "SR_B4", "SR_B5", "SR_B6", "SR_B7" } }, "432" },
        { { .bands = { "SR_B2", "SR_B3", "SR_B4" } }, "?321" },
        { { .bands = { "SR_B1", "SR_B2", "SR_B3" } }, "?321" },
        { { .file = "LT05_L2SP_006066_20100131_20200823_02_T1.tif", .bands = { "SR_B2", "SR_B3", "SR_B4" } }, "!" },
        { { .file = "LE07_L2SP_006066_20100131_20200823_02_T1.tif", .bands = { "SR_B1", "SR_B2", "SR_B3" } }, "321" },
        { { .file = "LC08_L2SP_006066_20200131_20200823_02_T1.tif", .bands = { "SR_B2", "SR_B3", "SR_B4" } }, "321" },
        { { .file = "tm_282D.tif", .bands = { "B02", "B03", "B04", "B08", "B12" } }, "321" }, /* no Thematic Mapper */
        { { .file = "terra_1.tif", .bands = { "B02", "B03", "B04", "B08" } }, "321" },
        { { .file = "LT05_mosaic.tif", .bands = { "B02", "B03", "B04", "B12" } }, "321" }, /* it had no band 12 */
        { { .bands = { "B1", "B2", "B3" }, .item = { "SPACECRAFT_ID", "LANDSAT_5" } }, "321" },
        { { .bands = { "B1", "B2", "B3", "B4" }, .item = { "SATELLITE", "Landsat 8" } }, "432" },
        { { .bands = { "B1", "B2", "B3", "B4" }, .item = { "SENSOR_ID", "TM" } }, "321" },
        { { .bands = { "sur_refl_b01", "sur_refl_b02", "sur_refl_b03", "sur_refl_b04" } }, "143" },
        { { .bands = { "T30UYG_20200425T113321_B02_10m", "T30UYG_20200425T113321_B03_10m",
                       "T30UYG_20200425T113321_B04_10m" } },
          "321" },
        { { .bands = { "HLS.L30.T17SLU.2020209T155956.v2.0.B05", "HLS.L30.T17SLU.2020209T155956.v2.0.B04",
                       "HLS.L30.T17SLU.2020209T155956.v2.0.B03" } },
          "!" },
    };
    char path[256];
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        write_named(&list[i].naming, false, path);
        check(path, NULL, 3, rgb, list[i].expected);
        assert_int_equal(remove(path), 0);
    }
}

/* Names outweigh colours; colours alone put bands in order, but do not refuse a model of other bands. */
static void colours(void **state)
{
    (void)state;
    static const char *const rgb[] = { "red", "green", "blue" }, *const bgr[] = { "blue", "green", "red" };
    static const char *const infrared[] = { "nir", "red", "green" };
    char path[256];
    write_named(&(Naming){ .bands = { "", "", "" } }, true, path);
    check(path, NULL, 3, rgb, "123");
    check(path, NULL, 3, bgr, "321");
    check(path, NULL, 3, infrared, "?123");
    write_named(&(Naming){ .bands = { "nir", "red", "green" } }, true, path);
    check(path, NULL, 3, rgb, "!");
    check(path, NULL, 3, infrared, "123");
    write_named(&(Naming){ .bands = { "Layer_1", "Layer_2", "Layer_3" } }, true, path);
    check(path, NULL, 3, bgr, "321");
}

/* Names of a model may be codes, and a person's words are the file's own. */
static void other_names(void **state)
{
    (void)state;
    static const char *const sentinel[] = { "B04", "B03", "B02" }, *const four[] = { "B2", "B3", "B4", "B8" };
    static const char *const edge[] = { "B05" }, *const own[] = { "height", "slope" };
    char path[256];
    write_named(&(Naming){ .bands = { "blue", "green", "red", "nir" } }, false, path);
    check(path, NULL, 3, sentinel, "321");
    check(path, NULL, 4, four, "1234");
    check(path, "nir,red,green", 3, NULL, "432");
    check(path, "B08,B04", 2, NULL, "43");
    write_named(&(Naming){ .bands = { "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A" } }, false, path);
    check(path, NULL, 4, four, "1237");
    check(path, "nir", 1, NULL, "7");
    check(path, "B8A", 1, NULL, "8");
    check(path, "b08a", 1, NULL, "8");
    check(path, "sr_b5", 1, NULL, "4");
    check(path, "red edge", 1, NULL, "!"); /* three of them */
    write_named(&(Naming){ .bands = { "SR_B4", "SR_B5", "SR_B6" }, .item = { "SPACECRAFT_ID", "LANDSAT_8" } }, false,
                path);
    check(path, NULL, 1, edge, "!"); /* Sentinel-2's red edge is no band of Landsat */
    check(path, "B5", 1, NULL, "2");
    check(path, "nir", 1, NULL, "2");
    check(path, "red,swir1", 2, NULL, "13");
    write_named(&(Naming){ .bands = { "red", "green", "blue", "red" } }, false, path);
    check(path, "red", 1, NULL, "!"); /* two of one name */
    check(path, "green", 1, NULL, "2");
    write_named(&(Naming){ .bands = { "height", "slope" } }, false, path);
    check(path, NULL, 2, own, "12");
    check(path, "slope", 1, NULL, "2");
}

/* Wavelengths as items of the bands: the nearest of a spectrometer's many. */
static void wavelengths(void **state)
{
    (void)state;
    static const char *const rgb[] = { "red", "green", "blue" };
    static const char *const nanometres[] = { "470", "485", "500", "550", "558", "640", "658", "850" };
    char path[256], text[32];
    for (int unit = 0; unit < 4; unit++) {
        write_named(&(Naming){ .bands = { "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8" } }, false, path);
        const GDALDatasetH d = GDALOpen(path, GA_Update);
        for (int b = 0; b < 8; b++) {
            const GDALRasterBandH band = GDALGetRasterBand(d, b + 1);
            (void)snprintf(text, sizeof text, "0.%s", nanometres[b]);
            if (unit == 0) GDALSetMetadataItem(band, "wavelength", nanometres[b], NULL);
            if (unit == 1) GDALSetMetadataItem(band, "wavelength", text, NULL);
            if (unit == 1) GDALSetMetadataItem(band, "wavelength_units", "Micrometers", NULL);
            if (unit == 2) GDALSetMetadataItem(band, "CENTRAL_WAVELENGTH_UM", text, "IMAGERY");
            if (unit == 3) GDALSetMetadataItem(band, "CENTRAL_WAVELENGTH_UM", text, NULL);
        }
        GDALClose(d);
        check(path, NULL, 3, rgb, "752");
        assert_int_equal(remove(path), 0);
    }
}

/* A stack of files, as gdalbuildvrt -separate makes it: their names tell. */
static void stacked_files(void **state)
{
    (void)state;
    static const char *const rgb[] = { "red", "green", "blue" };
    static const char *const files[] = { "T30UYG_20200425T113321_B02_10m.tif", "T30UYG_20200425T113321_B03_10m.tif",
                                         "T30UYG_20200425T113321_B04_10m.tif" };
    char path[256], text[2048];
    size_t used = (size_t)snprintf(text, sizeof text, "<VRTDataset rasterXSize=\"4\" rasterYSize=\"4\">");
    for (int b = 0; b < 3; b++) {
        test_raster(unit_at(files[b], path), (TestRaster){ .width = 4, .height = 4 });
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "<VRTRasterBand dataType=\"Byte\" band=\"%d\"><SimpleSource><SourceFilename "
                                 "relativeToVRT=\"1\">%s</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
                                 "</VRTRasterBand>",
                                 b + 1, files[b]);
    }
    (void)snprintf(text + used, sizeof text - used, "</VRTDataset>");
    unit_write_text(unit_at("stack.vrt", path), text);
    check(path, NULL, 3, rgb, "321");
}

/* "3=2-1": the file's chosen bands, then which of them (counted from 0) each band of the model is, - missing. */
static void check_present(const char *path, const char *choice, const char *expected)
{
    static const char *const names[] = { "blue", "green", "red", "B05", "nir", "swir1" };
    Raster *raster = NULL;
    char got[32] = "";
    int32_t source[6];
    ASSERT_OK(raster_open(path, NULL, &raster));
    const Err err = raster_choose_named(raster, choice, 6, names, true, source);
    if (err == ERR_NONE) {
        for (int64_t i = 0; i < raster_chosen_count(raster); i++)
            got[strlen(got)] = (char)('0' + raster_chosen_band(raster, i));
        got[strlen(got)] = '=';
        for (int i = 0; i < 6; i++) got[strlen(got)] = source[i] < 0 ? '-' : (char)('0' + source[i]);
        if (strcmp(got, expected) != 0) fail_msg("-b %s: %s instead of %s", choice, got, expected);
        bool doubtful = false;
        const char *note = raster_choice_note(raster, &doubtful);
        assert_true((strstr(note, "missing: ") != NULL) == (strchr(got, '-') != NULL));
    } else if (strstr(err_message(), expected) == NULL) {
        fail_msg("-b %s: '%s' instead of '%s'", choice, err_message(), expected);
    }
    raster_close(raster);
}

static void bands_that_are_there(void **state)
{
    (void)state;
    static const struct {
        Naming naming;
        const char *choice, *expected;
    } list[] = {
        { { .bands = { "red", "green", "blue" } }, NULL, "321=012---" },
        { { .bands = { "B04", "B03", "B02", "B08" } }, NULL, "3214=012-3-" },
        { { .bands = { "B02", "B03", "B04", "B05", "B08", "B11" } }, NULL, "123456=012345" },
        { { .bands = { "", "", "" } }, NULL, "321=012---" },                /* a picture */
        { { .bands = { "", "", "", "", "", "" } }, NULL, "123456=012345" }, /* as many as the model's */
        { { .bands = { "", "", "", "" } }, NULL, "not without blue, and no band of the file is known to be it" },
        { { .bands = { "nir", "red", "green" } }, NULL, "names of the file's bands say otherwise" },
        { { .bands = { "nir", "red", "green", "swir1" } }, NULL, "not without blue" },
        { { .bands = { "", "", "", "", "" } }, "red=3,green=2,blue=1", "123=012---" },
        { { .bands = { "", "", "", "", "" } }, "B8 = 5, B4=1,green=2 ,blue=3", "3215=012-3-" },
        { { .bands = { "x", "y", "z", "u", "v" } }, "red=z,green=y,blue=x", "123=012---" },
        { { .bands = { "", "", "", "", "" } }, "3,2,1", "123=012---" },
        { { .bands = { "", "", "", "", "" } }, "3,2,1,5", "1235=012-3-" },
        { { .bands = { "", "", "", "", "", "", "" } }, "7,6,5,4,3,2", "765432=012345" },
        { { .bands = { "red", "green", "blue", "nir", "" } }, "red,green,blue", "321=012---" },
        { { .bands = { "B2", "B3", "B4", "B8A" } }, "B4,B3,B2", "123=012---" },
        { { .bands = { "", "", "", "", "" } }, "3,2", "2 bands were chosen; the model reads blue, green, red, B05" },
        { { .bands = { "", "", "", "", "" } }, "1,2,3,4,5", "5 bands were chosen" },
        { { .bands = { "", "", "", "", "" } }, "red=3,green=2", "not without blue, and -b does not name it" },
        { { .bands = { "", "", "", "", "" } }, "red=3,green=2,blue=9", "band 9 was asked for" },
        { { .bands = { "", "", "", "", "" } }, "red=3,green=2,B4=1", "names the band red of the model twice" },
        { { .bands = { "", "", "", "", "" } }, "red=3,thermal=2,blue=1", "reads no band 'thermal'" },
        { { .bands = { "", "", "", "", "" } }, "red=3,2,blue=1", "expected NAME=BAND like the others" },
        { { .bands = { "", "", "", "", "" } }, "red=,green=2,blue=1", "expected NAME=BAND" },
        { { .bands = { "a", "b", "c", "d", "e" } }, "a,b,c", "reads no band 'a'" },
    };
    char path[256];
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        write_named(&list[i].naming, false, path);
        check_present(path, list[i].choice, list[i].expected);
        assert_int_equal(remove(path), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(red_green_blue), cmocka_unit_test(colours),       cmocka_unit_test(other_names),
        cmocka_unit_test(wavelengths),    cmocka_unit_test(stacked_files), cmocka_unit_test(bands_that_are_there),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
