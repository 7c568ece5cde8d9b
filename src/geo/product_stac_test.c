/* SPDX-License-Identifier: Apache-2.0
 * STAC items as scenes: the dialects of 1.0 and 1.1, what files and items state, what is refused. */
#include "geo/geo_test.h"
#include "geo/georeference.h"
#include "geo/raster.h"

#include <math.h>

enum { SIDE = 16 };

static void make_band(const char *name, int side, double pixel, float value, int bands, int epsg)
{
    const double t[6] = { 500000.0, pixel, 0.0, 5600000.0, 0.0, -pixel };
    char path[256];
    float *values = malloc((size_t)(side * side * bands) * sizeof *values);
    assert_non_null(values);
    for (int i = 0; i < side * side * bands; i++) values[i] = value + (float)(i % bands);
    test_raster(unit_at(name, path), (TestRaster){ .width = side,
                                                   .height = side,
                                                   .bands = bands,
                                                   .type = GDT_UInt16,
                                                   .geotransform = t,
                                                   .epsg = epsg,
                                                   .values = values });
    free(values);
}

static void write_item(const char *name, const char *version, const char *properties, const char *assets,
                       char path[256])
{
    FILE *file = fopen(unit_at(name, path), "wb");
    assert_non_null(file);
    assert_true(fprintf(file,
                        "{\"type\":\"Feature\",\"stac_version\":\"%s\",\"id\":\"x\",\"geometry\":null,\"links\":[],"
                        "\"properties\":{\"datetime\":\"2024-06-01T10:00:00Z\",\"platform\":\"sentinel-2b\"%s},"
                        "\"assets\":{%s}}",
                        version, properties, assets) > 0);
    assert_int_equal(fclose(file), 0);
}

/* Values of the first pixel in the bands that `choice` names, or of red, green, blue by name alone. */
static void expect(const char *item, const char *choice, float red, float green, float blue)
{
    static const char *const names[] = { "red", "green", "blue" };
    Raster *raster = NULL;
    float values[3];
    uint8_t valid = 0;
    ASSERT_OK(raster_open(item, NULL, &raster));
    ASSERT_OK(raster_choose_bands(raster, choice, 3, names));
    raster_remove_offsets(raster);
    ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, 1, 1 }, values, &valid));
    if (fabsf(values[0] - red) > 0.01F || fabsf(values[1] - green) > 0.01F || fabsf(values[2] - blue) > 0.01F ||
        valid != 1)
        fail_msg("%s: %g %g %g, valid %d", item, (double)values[0], (double)values[1], (double)values[2], valid);
    raster_close(raster);
}

#define EO(key, href, name, common)                                                                                    \
    "\"" key "\":{\"href\":\"" href                                                                                    \
    "\",\"type\":\"image/tiff; application=geotiff\",\"roles\":[\"data\"],\"eo:bands\":"                               \
    "[{\"name\":\"" name "\",\"common_name\":\"" common "\"}]"

/* 1.0: eo:bands and raster:bands of the asset; the model's words find codes of the sensor by the common names. */
static void version_1_0(void **state)
{
    (void)state;
    char path[256];
    Raster *raster = NULL;
    Georeference *place = NULL;
    make_band("a.tif", SIDE, 10.0, 1300.0F, 1, 0);
    make_band("b.tif", SIDE, 10.0, 1200.0F, 1, 0);
    make_band("c.tif", SIDE, 10.0, 1100.0F, 1, 0);
    write_item(
        "v10.json", "1.0.0", ",\"proj:epsg\":32633,\"eo:cloud_cover\":12.5",
        "\"thumbnail\":{\"href\":\"t.png\",\"type\":\"image/png\",\"roles\":[\"thumbnail\"]},"
        "\"visual\":{\"href\":\"a.tif\",\"eo:bands\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]}," EO(
            "one", "./c.tif", "X3", "blue") ",\"raster:bands\":[{\"scale\":0.0001,\"offset\":-0.1,\"nodata\":7}]"
                                            "}," EO("two", "b.tif", "X2", "green") ",\"raster:bands\":[{\"scale\":0."
                                                                                   "0001,\"offset\":-0.1,\"nodata\":0}]"
                                                                                   "}," EO("three", "a.tif", "X1",
                                                                                           "red") ",\"raster:bands\":[{"
                                                                                                  "\"scale\":0.0001,"
                                                                                                  "\"offset\":-0.1}]}",
        path);
    expect(path, NULL, 300.0F, 200.0F, 100.0F); /* less an offset of 1000 stored numbers */
    expect(path, "X1,X2,X3", 300.0F, 200.0F, 100.0F);
    ASSERT_OK(raster_open(path, NULL, &raster));
    assert_string_equal(raster_info(raster)->driver, "STAC item");
    assert_int_equal(raster_info(raster)->bands, 3);
    char nodata[32];
    raster_band_nodata(raster, 1, nodata);
    assert_string_equal(nodata, "7");
    assert_string_equal(raster_metadata(raster, NULL, "CLOUD_COVER"), "12.5");
    assert_string_equal(raster_metadata(raster, NULL, "SPACECRAFT_ID"), "sentinel-2b");
    ASSERT_OK(georeference_open(raster, NULL, &place)); /* the files have no CRS */
    assert_int_equal(georeference_kind(place), GEOREFERENCE_GEOTRANSFORM);
    georeference_free(place);
    raster_close(raster);
}

/* 1.1: bands, proj:code; of several files of a band the finest; the file's own scale and nodata before the item's. */
static void version_1_1(void **state)
{
    (void)state;
    char path[256];
    make_band("b04_20.tif", SIDE / 2, 20.0, 2300.0F, 1, 32633);
    make_band("b04_10.tif", SIDE, 10.0, 1301.0F, 1, 32633);
    make_band("b03.tif", SIDE, 10.0, 1201.0F, 1, 32633);
    make_band("b02.tif", SIDE, 10.0, 1101.0F, 1, 32633);
    GDALDatasetH d = GDALOpen(unit_at("b02.tif", path), GA_Update);
    assert_non_null(d);
    GDALSetRasterOffset(GDALGetRasterBand(d, 1), -5.0);
    GDALSetRasterScale(GDALGetRasterBand(d, 1), 0.1);
    GDALSetRasterNoDataValue(GDALGetRasterBand(d, 1), 9.0);
    GDALClose(d);
#define BAND(key, href, name, common, gsd)                                                                             \
    "\"" key "\":{\"href\":\"" href "\",\"gsd\":" gsd ",\"bands\":[{\"name\":\"" name                                  \
    "\",\"eo:common_name\":\"" common "\",\"raster:scale\":0.0001,\"raster:offset\":-0.1,\"nodata\":0}]}"
    write_item("v11.json", "1.1.0", ",\"proj:code\":\"EPSG:32633\"",
               BAND("B04_20m", "b04_20.tif", "B04", "red",
                    "20") "," BAND("B04_10m", "b04_10.tif", "B04", "red",
                                   "10") "," BAND("B03_10m", "b03.tif", "B03", "green",
                                                  "10") "," BAND("B02_10m", "b02.tif", "B02", "blue", "10"),
               path);
    expect(path, NULL, 301.0F, 201.0F, 1051.0F); /* 1101 - 5 / 0.1 */
    Raster *raster = NULL;
    char nodata[32];
    ASSERT_OK(raster_open(path, NULL, &raster));
    assert_int_equal(raster_info(raster)->width, SIDE);
    raster_band_nodata(raster, 3, nodata);
    assert_string_equal(nodata, "9");
    raster_band_nodata(raster, 1, nodata);
    assert_string_equal(nodata, "0");
    raster_close(raster);
    write_item("applied.json", "1.1.0", ",\"earthsearch:boa_offset_applied\":true",
               BAND("red", "b04_10.tif", "red", "red", "10") "," BAND(
                   "green", "b03.tif", "green", "green", "10") "," BAND("blue", "a.tif", "blue", "blue", "10"),
               path);
    make_band("a.tif", SIDE, 10.0, 1300.0F, 1, 32633);
    expect(path, NULL, 1301.0F, 1201.0F, 1300.0F);
}

/* Bare numbers point into the item's list, and a file may have several bands. */
static void lists_of_the_item(void **state)
{
    (void)state;
    char path[256];
    make_band("stack.tif", SIDE, 10.0, 50.0F, 4, 32633);
    write_item("stack.json", "1.0.0-beta.2",
               ",\"eo:bands\":[{\"name\":\"N\",\"common_name\":\"nir\"},{\"name\":\"R\",\"common_name\":\"red\"},"
               "{\"name\":\"G\",\"common_name\":\"green\"},{\"name\":\"BL\",\"common_name\":\"blue\"}]",
               "\"image\":{\"href\":\"stack.tif\",\"eo:bands\":[3,2,1,0]}", path);
    expect(path, NULL, 52.0F, 51.0F, 50.0F);
    write_item("short.json", "1.0.0", "",
               "\"image\":{\"href\":\"a.tif\",\"eo:bands\":[{\"name\":\"r\"},{\"name\":\"g\"}]}", path);
    Raster *raster = NULL;
    ASSERT_ERR(raster_open(path, NULL, &raster), ERR_INPUT, "has 1 bands; band 2 was expected");
}

static void refuse(const char *text, const char *message)
{
    char path[256];
    Raster *raster = NULL;
    FILE *file = fopen(unit_at("bad.json", path), "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    ASSERT_ERR(raster_open(path, NULL, &raster), ERR_INPUT, message);
}

static void refusals(void **state)
{
    (void)state;
    char path[256];
    Raster *raster = NULL;
#define ITEM(assets) "{\"type\":\"Feature\",\"stac_version\":\"1.0.0\",\"assets\":{" assets "}}"
    refuse("{", "bad.json");
    refuse("{\"type\":\"Feature\"}", "this is no STAC item");
    refuse("{\"type\":\"FeatureCollection\",\"features\":[]}", "save each of its features");
    refuse(ITEM(""), "no asset of this STAC item has bands");
    refuse(ITEM("\"a\":{\"href\":\"a.tif\"},\"b\":3"), "no asset of this STAC item has bands");
    refuse(ITEM(EO("a", "https://example.com/a.tif", "a", "red") "}"), "download them, and let 'href' name the files");
    refuse(ITEM(EO("a", "/vsicurl/http://example.com/a.tif", "a", "red") "}"), "only local files are read");
    refuse(ITEM(EO("a", "gone.tif", "a", "red") "}"), "are missing or empty");
    refuse(ITEM(EO("a", "bad.json", "a", "red") "}"), "cannot be read as a GeoTIFF");
    /* one that is not there is told when it is asked for */
    write_item("part.json", "1.0.0", "",
               EO("r", "a.tif", "r", "red") "}," EO("g", "s3://bucket/g.tif", "g", "green") "}", path);
    ASSERT_OK(raster_open(path, NULL, &raster));
    assert_non_null(strstr(raster_product_note(raster), "files of bands are missing: g"));
    ASSERT_ERR(raster_choose_bands(raster, "r,g", 2, NULL), ERR_INPUT, "missing");
    raster_close(raster);
    write_item("crs.json", "1.0.0", ",\"proj:code\":\"EPSG:nonsense\"", EO("r", "c.tif", "r", "red") "}", path);
    make_band("c.tif", SIDE, 10.0, 1.0F, 1, 0);
    ASSERT_ERR(raster_open(path, NULL, &raster), ERR_INPUT, "its coordinate reference system");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1_0),
        cmocka_unit_test(version_1_1),
        cmocka_unit_test(lists_of_the_item),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
