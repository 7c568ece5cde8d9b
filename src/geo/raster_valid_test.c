/* SPDX-License-Identifier: Apache-2.0
 * Which pixels are valid, for every way in which a file can say it. */
#include "geo/raster.h"

#include "geo/geo_test.h"

#include <float.h>
#include <math.h>

enum { PIXELS = 6, MAX_BANDS = 4 };

/* A raster of 6 x 1 pixels is open; its bands `choice` are valid where `expected` is '1', read by raster_read and by
 * raster_take_valid alike. */
static void check_open(Raster *raster, const char *choice, const char *expected)
{
    float values[PIXELS * MAX_BANDS];
    uint8_t valid[PIXELS], kept[PIXELS];
    ASSERT_OK(raster_choose_bands(raster, choice, 0, NULL));
    ASSERT_OK(raster_keep_valid(raster, (RasterWindow){ 0, 0, PIXELS, 1 }));
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, PIXELS, 1 }, values, valid));
    raster_take_valid(raster, 0, 1, kept);
    for (int i = 0; i < PIXELS; i++) {
        if (valid[i] != (expected[i] == '1'))
            fail_msg("bands '%s': pixel %d is %d, expected %c", choice != NULL ? choice : "", i, valid[i], expected[i]);
        assert_int_equal(kept[i], valid[i]);
        for (int64_t b = 0; valid[i] == 0 && b < raster_chosen_count(raster); b++)
            assert_true(values[i * raster_chosen_count(raster) + b] == 0.0F);
    }
}

static void check(const char *name, const char *choice, const char *expected)
{
    char path[256];
    Raster *raster = NULL;
    ASSERT_OK(raster_open(unit_at(name, path), NULL, &raster));
    check_open(raster, choice, expected);
    raster_close(raster);
}

/* Opens a file of the scratch folder for changes; GDALClose() it. */
static GDALDatasetH change(const char *name)
{
    char path[256];
    const GDALDatasetH d = GDALOpen(unit_at(name, path), GA_Update);
    assert_non_null(d);
    return d;
}

static void write_mask(GDALRasterBandH band, const uint8_t mask[PIXELS])
{
    assert_int_equal(GDALRasterIO(band, GF_Write, 0, 0, PIXELS, 1, (void *)mask, PIXELS, 1, GDT_Byte, 0, 0), CE_None);
}

/* Three bands; 7 stands where band 1, band 2, band 3, all of them are to be invalid. */
static const float sevens[PIXELS * 3] = { 7, 2, 3, 1, 7, 3, 1, 2, 7, 7, 7, 7, 4, 5, 6, 8, 9, 8 };

static void per_band_nodata(void **state)
{
    (void)state;
    static const char *const drivers[] = { "HFA", "GTiff" }; /* inside the file; in its .aux.xml */
    for (int64_t i = 0; i < ARRAY_LEN(drivers); i++)
        for (int b = 1; b <= 3; b++) {
            char path[256];
            test_raster(
                unit_at("one_band", path),
                (TestRaster){ .width = PIXELS, .height = 1, .bands = 3, .driver = drivers[i], .values = sevens });
            const bool inside = i == 0;
            if (inside) {
                const GDALDatasetH d = change("one_band");
                assert_int_equal(GDALSetRasterNoDataValue(GDALGetRasterBand(d, b), 7.0), CE_None);
                GDALClose(d);
            } else {
                char aux[300], text[300];
                (void)snprintf(text, sizeof text,
                               "<PAMDataset><PAMRasterBand band=\"%d\"><NoDataValue>7</NoDataValue>"
                               "</PAMRasterBand></PAMDataset>",
                               b);
                unit_write_text(unit_at("one_band.aux.xml", aux), text);
            }
            const char *const alone[] = { "011011", "101011", "110011" };
            check("one_band", "1,2,3", alone[b - 1]);
            check("one_band", "3,2,1", alone[b - 1]);
            check("one_band", b == 1 ? "2,3" : "1", "111111"); /* bands that are not chosen do not count */
            (void)remove(unit_at("one_band.aux.xml", path));
            assert_int_equal(remove(unit_at("one_band", path)), 0);
        }
}

static void vrt_nodata(void **state)
{
    (void)state;
    char path[256];
    test_raster(unit_at("plain.tif", path), (TestRaster){ .width = PIXELS, .height = 1, .bands = 3, .values = sevens });
    unit_write_text(unit_at("bands.vrt", path),
                    "<VRTDataset rasterXSize=\"6\" rasterYSize=\"1\">"
                    "<VRTRasterBand dataType=\"Byte\" band=\"1\"><SimpleSource><SourceFilename "
                    "relativeToVRT=\"1\">plain.tif</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
                    "</VRTRasterBand><VRTRasterBand dataType=\"Byte\" band=\"2\"><NoDataValue>7</NoDataValue>"
                    "<ComplexSource><SourceFilename relativeToVRT=\"1\">plain.tif</SourceFilename>"
                    "<SourceBand>2</SourceBand><NODATA>7</NODATA></ComplexSource></VRTRasterBand></VRTDataset>");
    check("bands.vrt", "1,2", "101011");
    check("bands.vrt", "1", "111111");
}

/* A mask of the file decides alone: 7 is a value like others beside it. */
static void masks(void **state)
{
    (void)state;
    static const uint8_t first[PIXELS] = { 255, 0, 255, 255, 1, 255 }, third[PIXELS] = { 255, 255, 255, 0, 0, 255 };
    const double seven = 7.0;
    for (int internal = 0; internal < 2; internal++) {
        char path[256];
        CPLSetThreadLocalConfigOption("GDAL_TIFF_INTERNAL_MASK", internal ? "YES" : "NO");
        test_raster(unit_at("masked.tif", path),
                    (TestRaster){ .width = PIXELS, .height = 1, .bands = 3, .values = sevens, .nodata = &seven });
        GDALDatasetH d = internal ? change("masked.tif") : GDALOpen(path, GA_ReadOnly);
        assert_int_equal(GDALCreateDatasetMaskBand(d, GMF_PER_DATASET), CE_None);
        write_mask(GDALGetMaskBand(GDALGetRasterBand(d, 1)), first);
        GDALClose(d);
        check("masked.tif", "1,2,3", "101111");
        check("masked.tif", "3", "101111");
        (void)remove(unit_at("masked.tif.msk", path));
    }
    char path[256];
    CPLSetThreadLocalConfigOption("GDAL_TIFF_INTERNAL_MASK", NULL);
    test_raster(unit_at("own.tif", path), (TestRaster){ .width = PIXELS, .height = 1, .bands = 3, .values = sevens });
    const GDALDatasetH d = GDALOpen(path, GA_ReadOnly);
    for (int b = 1; b <= 3; b++) assert_int_equal(GDALCreateMaskBand(GDALGetRasterBand(d, b), 0), CE_None);
    static const uint8_t all[PIXELS] = { 255, 255, 255, 255, 255, 255 };
    write_mask(GDALGetMaskBand(GDALGetRasterBand(d, 1)), first);
    write_mask(GDALGetMaskBand(GDALGetRasterBand(d, 2)), all);
    write_mask(GDALGetMaskBand(GDALGetRasterBand(d, 3)), third);
    GDALClose(d);
    check("own.tif", "1,2,3", "101001");
    check("own.tif", "3,2", "111001");
    check("own.tif", "2", "111111");
}

static void nodata_values_of_all_bands(void **state)
{
    (void)state;
    char path[256];
    test_raster(unit_at("values.tif", path),
                (TestRaster){ .width = PIXELS, .height = 1, .bands = 3, .values = sevens });
    const GDALDatasetH d = change("values.tif");
    assert_int_equal(GDALSetMetadataItem(d, "NODATA_VALUES", "7 7 7", NULL), CE_None);
    GDALClose(d);
    check("values.tif", "1,2,3", "111011");
    check("values.tif", "2", "111011"); /* every band of the file, whichever are chosen */
}

static void transparent_palette(void **state)
{
    (void)state;
    static const float values[PIXELS] = { 0, 1, 2, 3, 1, 0 };
    char path[256];
    test_raster(unit_at("plain.png", path), (TestRaster){ .width = PIXELS, .height = 1, .driver = "PNG" });
    const GDALDatasetH memory = GDALCreate(GDALGetDriverByName("MEM"), "", PIXELS, 1, 1, GDT_Byte, NULL);
    const GDALRasterBandH band = GDALGetRasterBand(memory, 1);
    const GDALColorTableH palette = GDALCreateColorTable(GPI_RGB);
    static const GDALColorEntry colors[] = { { 1, 2, 3, 255 }, { 4, 5, 6, 0 }, { 7, 8, 9, 128 }, { 1, 1, 1, 0 } };
    for (int i = 0; i < 4; i++) GDALSetColorEntry(palette, i, &colors[i]);
    assert_int_equal(GDALSetRasterColorTable(band, palette), CE_None);
    GDALDestroyColorTable(palette);
    assert_int_equal(GDALRasterIO(band, GF_Write, 0, 0, PIXELS, 1, (void *)values, PIXELS, 1, GDT_Float32, 0, 0),
                     CE_None);
    GDALClose(GDALCreateCopy(GDALGetDriverByName("PNG"), unit_at("palette.png", path), memory, 0, NULL, NULL, NULL));
    GDALClose(memory);
    check("palette.png", "1", "101001");
}

/* A palette of more than 256 colours, in a VRT of 16 bits. */
static void transparent_palette_of_16_bits(void **state)
{
    (void)state;
    static const float values[PIXELS] = { 0, 1, 299, 298, 300, 65535 };
    char path[256];
    test_raster(unit_at("values.tif", path),
                (TestRaster){ .width = PIXELS, .height = 1, .type = GDT_UInt16, .values = values });
    FILE *file = fopen(unit_at("palette.vrt", path), "w");
    assert_non_null(file);
    (void)fprintf(file, "<VRTDataset rasterXSize=\"6\" rasterYSize=\"1\"><VRTRasterBand dataType=\"UInt16\" band=\"1\">"
                        "<ColorInterp>Palette</ColorInterp><ColorTable>");
    for (int i = 0; i < 300; i++)
        (void)fprintf(file, "<Entry c1=\"%d\" c2=\"0\" c3=\"0\" c4=\"%d\"/>", i % 256, i == 1 || i == 299 ? 0 : 255);
    (void)fprintf(file, "</ColorTable><SimpleSource><SourceFilename relativeToVRT=\"1\">values.tif</SourceFilename>"
                        "</SimpleSource></VRTRasterBand></VRTDataset>");
    assert_int_equal(fclose(file), 0);
    check("palette.vrt", "1", "100111");
}

/* A band that is chosen as data is no mask; an alpha band that is not chosen is one, in files of any number of bands. */
static void alpha(void **state)
{
    (void)state;
    static const float four[PIXELS * 4] = {
        1, 2, 3, 0, 1, 2, 3, 1, 1, 2, 3, 255, 0, 0, 0, 0, 0, 0, 0, 9, 5, 5, 5, 254
    };
    static const char *const rgba[] = { "PHOTOMETRIC=RGB", "ALPHA=YES", NULL };
    static const char *const last[] = { "PHOTOMETRIC=MINISBLACK", "ALPHA=YES", NULL };
    char path[256];
    test_raster(unit_at("rgba.tif", path),
                (TestRaster){ .width = PIXELS, .height = 1, .bands = 4, .values = four, .options = rgba });
    check("rgba.tif", NULL, "011011");
    check("rgba.tif", "1,2,3", "011011");
    check("rgba.tif", "1,2,3,4", "111111");
    check("rgba.tif", "4", "111111");
    GDALDatasetH d = change("rgba.tif");
    GDALSetDescription(GDALGetRasterBand(d, 4), "NIR"); /* the file's own words: it is data, chosen or not */
    GDALClose(d);
    check("rgba.tif", "1,2,3", "111111");
    check("rgba.tif", NULL, "111111");
    static const float three[PIXELS * 3] = { 1, 0, 2, 1, 1, 2, 1, 7, 2, 0, 0, 0, 0, 9, 0, 5, 4, 5 };
    test_raster(unit_at("three.tif", path),
                (TestRaster){ .width = PIXELS, .height = 1, .bands = 3, .values = three, .options = last });
    check("three.tif", "1,3", "011011"); /* the second band is the alpha band */
    check("three.tif", "2,1", "111111");
    static const float gray[PIXELS * 2] = { 9, 0, 9, 0.3F, 9, 1, 9, (float)NAN, 9, 0.001F, 9, 0 };
    test_raster(
        unit_at("gray.tif", path),
        (TestRaster){ .width = PIXELS, .height = 1, .bands = 2, .type = GDT_Float32, .values = gray, .options = last });
    check("gray.tif", "1", "011010");
}

static void signed_bytes(void **state)
{
    (void)state;
    const double nodata = -128.0;
    static const char *const options[] = { "PIXELTYPE=SIGNEDBYTE", NULL };
    static const int8_t stored[PIXELS] = { -128, -1, 0, 127, -127, 1 };
    char path[256];
    float got[PIXELS];
    uint8_t valid[PIXELS];
    Raster *raster = NULL;
    test_raster(unit_at("signed.tif", path),
                (TestRaster){ .width = PIXELS, .height = 1, .options = options, .nodata = &nodata });
    GDALDatasetH d = change("signed.tif");
    write_mask(GDALGetRasterBand(d, 1), (const uint8_t *)stored);
    GDALClose(d);
    check("signed.tif", "1", "011111");
    ASSERT_OK(raster_open(path, NULL, &raster));
    assert_string_equal(raster_info(raster)->type, "Int8");
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, PIXELS, 1 }, got, valid));
    for (int i = 1; i < PIXELS; i++) assert_true(got[i] == (float)stored[i]);
    raster_close(raster);
}

static void write_doubles(const char *name, GDALDataType type, double nodata, const double values[PIXELS])
{
    char path[256];
    test_raster(unit_at(name, path), (TestRaster){ .width = PIXELS, .height = 1, .type = type, .nodata = &nodata });
    const GDALDatasetH d = change(name);
    assert_int_equal(
        GDALRasterIO(GDALGetRasterBand(d, 1), GF_Write, 0, 0, PIXELS, 1, (void *)values, PIXELS, 1, GDT_Float64, 0, 0),
        CE_None);
    GDALClose(d);
}

/* Nodata values that are no value of the type, or only after rounding. */
static void rounded_nodata(void **state)
{
    (void)state;
    const double lowest = -(double)FLT_MAX;
    static const double texts[] = { -3.4028234663852886e38, -3.40282346639e38, -3.4028235e38, -3.40282e38, -3.4e38 };
    for (int64_t i = 0; i < ARRAY_LEN(texts); i++) {
        write_doubles("float.tif", GDT_Float32, texts[i], (double[]){ lowest, 0, 1, -1e30, 5, (double)FLT_MAX });
        check("float.tif", "1", "011110");
        write_doubles("double.tif", GDT_Float64, texts[i], (double[]){ lowest, 0, 1, -1e30, 5, -DBL_MAX });
        check("double.tif", "1", "011110");
    }
    write_doubles("tenth.tif", GDT_Float32, 0.1, (double[]){ 0.1, 0.2, 0.3, 0, 1, (double)NAN });
    check("tenth.tif", "1", "011110");
    write_doubles("nan.tif", GDT_Float32, (double)NAN, (double[]){ (double)NAN, 0, 1, (double)INFINITY, 2, 3 });
    check("nan.tif", "1", "011011");
    write_doubles("out.tif", GDT_Byte, -9999.0, (double[]){ 0, 1, 255, 3, 4, 5 });
    check("out.tif", "1", "111111");
    write_doubles("out16.tif", GDT_UInt16, 65536.0, (double[]){ 0, 1, 65535, 3, 4, 5 });
    check("out16.tif", "1", "111111");
    write_doubles("nan8.tif", GDT_Byte, (double)NAN, (double[]){ 0, 1, 255, 3, 4, 5 });
    check("nan8.tif", "1", "111111");
    write_doubles("wide.tif", GDT_Int32, 2147483647.0, (double[]){ 2147483647.0, 2147483646.0, 2147483583.0, 0, 1, 2 });
    check("wide.tif", "1", "011111");
    write_doubles("unsigned.tif", GDT_UInt32, 4294967295.0, (double[]){ 4294967295.0, 4294967294.0, 0, 1, 2, 3 });
    check("unsigned.tif", "1", "011111");
}

/* Neighbours of a 64-bit nodata value are the same double. */
static void nodata_of_64_bits(void **state)
{
    (void)state;
    static const int64_t values[PIXELS] = { INT64_MIN, INT64_MIN + 1, 0, 16777217, INT64_MAX, 9007199254740993 };
    static const struct {
        int64_t nodata;
        const char *expected;
    } list[] = { { INT64_MIN, "011111" }, { 16777217, "111011" }, { 9007199254740993, "111110" }, { 5, "111111" } };
    char path[256];
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        test_raster(unit_at("int64.tif", path), (TestRaster){ .width = PIXELS, .height = 1, .type = GDT_Int64 });
        const GDALDatasetH d = change("int64.tif");
        assert_int_equal(GDALSetRasterNoDataValueAsInt64(GDALGetRasterBand(d, 1), list[i].nodata), CE_None);
        assert_int_equal(GDALRasterIO(GDALGetRasterBand(d, 1), GF_Write, 0, 0, PIXELS, 1, (void *)values, PIXELS, 1,
                                      GDT_Int64, 0, 0),
                         CE_None);
        GDALClose(d);
        check("int64.tif", "1", list[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(per_band_nodata),
        cmocka_unit_test(vrt_nodata),
        cmocka_unit_test(masks),
        cmocka_unit_test(nodata_values_of_all_bands),
        cmocka_unit_test(transparent_palette),
        cmocka_unit_test(transparent_palette_of_16_bits),
        cmocka_unit_test(alpha),
        cmocka_unit_test(signed_bytes),
        cmocka_unit_test(rounded_nodata),
        cmocka_unit_test(nodata_of_64_bits),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
