/* SPDX-License-Identifier: Apache-2.0
 * Maps: values, georeference, descriptions, and what happens when they cannot be written. */
#include "geo/raster_write.h"

#include "base/file.h"
#include "geo/geo_test.h"
#include "geo/georeference.h"
#include "geo/raster_files.h"

#include <cpl_conv.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

static const RasterClass classes[] = { { 0, "water", { 0, 0, 255 } },
                                       { 2, "forest", { 1, 100, 3 } },
                                       { 7, "cr\xc3\xb6p", { 200, 200, 10 } } };

static uint8_t map_value(int64_t x, int64_t y, int64_t b) { return (uint8_t)((x * 3 + y * 5 + b * 50) % 251); }

/* Writes all rows in portions of `portion`. */
static Err write_bands(RasterWriter *writer, int64_t bands, int64_t width, int64_t height, int64_t portion)
{
    const size_t stride = (size_t)width + 3;
    uint8_t *bytes = malloc((size_t)(bands * portion) * stride);
    const uint8_t *planes[16];
    Err err = ERR_NONE;
    for (int64_t y = 0; y < height && err == ERR_NONE; y += portion) {
        const int64_t rows = height - y < portion ? height - y : portion;
        for (int64_t b = 0; b < bands; b++) {
            planes[b] = bytes + (size_t)(b * portion) * stride;
            for (int64_t i = 0; i < rows; i++)
                for (int64_t x = 0; x < width; x++)
                    bytes[(size_t)(b * portion + i) * stride + (size_t)x] = map_value(x, y + i, b);
        }
        err = raster_writer_rows(writer, rows, planes, stride);
    }
    free(bytes);
    return err;
}

static Err write_rows(RasterWriter *writer, int64_t width, int64_t height, int64_t portion)
{
    return write_bands(writer, 1, width, height, portion);
}

static void check_values(const char *path, int64_t width, int64_t height, int64_t bands)
{
    GDALDatasetH d = GDALOpen(path, GA_ReadOnly);
    assert_non_null(d);
    assert_int_equal(GDALGetRasterXSize(d), width);
    assert_int_equal(GDALGetRasterYSize(d), height);
    assert_int_equal(GDALGetRasterCount(d), bands);
    uint8_t *row = malloc((size_t)width);
    for (int64_t b = 0; b < bands; b++)
        for (int64_t y = 0; y < height; y++) {
            const GDALRasterBandH band = GDALGetRasterBand(d, (int)b + 1);
            assert_int_equal(GDALRasterIO(band, GF_Read, 0, (int)y, (int)width, 1, row, (int)width, 1, GDT_Byte, 0, 0),
                             CE_None);
            for (int64_t x = 0; x < width; x++) assert_int_equal(row[x], map_value(x, y, b));
        }
    free(row);
    GDALClose(d);
}

static void class_map(void **state)
{
    (void)state;
    const double t[6] = { 485899.0, 5.0, 0.0, 5209246.0, 0.0, -5.0 };
    static const char *const metadata[] = { "MODEL_HASH", "0123456789abcdef", "PROMPT", "a <b> & \"c\"", NULL };
    char in[256], out[256];
    Raster *like = NULL;
    RasterWriter *writer = NULL;
    test_raster(
        unit_at("in.tif", in),
        (TestRaster){ .width = 300, .height = 530, .bands = 4, .type = GDT_UInt16, .geotransform = t, .epsg = 26914 });
    ASSERT_OK(raster_open(in, NULL, &like));
    RasterWriteOptions o = { .path = unit_at("out.tif", out),
                             .kind = RASTER_CLASSES,
                             .like = like,
                             .classes = classes,
                             .n_classes = 3,
                             .metadata = metadata };
    ASSERT_OK(raster_writer_open(&o, &writer));
    assert_false(file_exists(out)); /* hidden while it grows */
    ASSERT_OK(write_rows(writer, 300, 530, 77));
    assert_false(file_exists(out));
    ASSERT_OK(raster_writer_finish(writer));
    check_values(out, 300, 530, 1);
    unit_check_files((const char *const[]){ "in.tif", "out.qml", "out.tif", "out.tif.aux.xml" }, 4);
    GDALDatasetH d = GDALOpen(out, GA_ReadOnly);
    double got[6];
    int has = 0;
    assert_int_equal(GDALGetGeoTransform(d, got), CE_None);
    assert_memory_equal(got, t, sizeof t);
    assert_string_equal(OSRGetAuthorityCode(GDALGetSpatialRef(d), NULL), "26914");
    const GDALRasterBandH band = GDALGetRasterBand(d, 1);
    assert_true(GDALGetRasterNoDataValue(band, &has) == 255.0 && has);
    assert_string_equal(GDALGetRasterCategoryNames(band)[2], "forest");
    assert_string_equal(GDALGetRasterCategoryNames(band)[7], "cr\xc3\xb6p");
    GDALColorEntry color;
    assert_true(GDALGetColorEntryAsRGB(GDALGetRasterColorTable(band), 2, &color));
    assert_true(color.c1 == 1 && color.c2 == 100 && color.c3 == 3);
    assert_string_equal(GDALGetMetadataItem(d, "MODEL_HASH", NULL), "0123456789abcdef");
    assert_string_equal(GDALGetMetadataItem(d, "PROMPT", NULL), "a <b> & \"c\"");
    assert_string_equal(GDALGetMetadataItem(d, "COMPRESSION", "IMAGE_STRUCTURE"), "DEFLATE");
    GDALClose(d);
    ASSERT_ERR(raster_writer_open(&o, &writer), ERR_OUTPUT, "-f"); /* not over an existing file */
    o.overwrite = true;
    ASSERT_OK(raster_writer_open(&o, &writer));
    raster_writer_abort(writer);
    check_values(out, 300, 530, 1); /* untouched by an aborted run */
    raster_close(like);
    assert_true(unit_remove_files());
}

static void check_column(GDALRasterAttributeTableH table, int column, const char *name, GDALRATFieldType type,
                         GDALRATFieldUsage usage)
{
    assert_string_equal(GDALRATGetNameOfCol(table, column), name);
    assert_int_equal(GDALRATGetTypeOfCol(table, column), type);
    assert_int_equal(GDALRATGetUsageOfCol(table, column), usage);
}

/* The raster attribute table: a row for each class, also for one without pixels; areas where the map says where it lies. */
static void attribute_table(void **state)
{
    (void)state;
    const double t[6] = { 485899.0, 5.0, 0.0, 5209246.0, 0.0, -5.0 };
    const RasterClass all[] = { classes[0], classes[1], classes[2], { 254, "a <b> & \"c\"", { 9, 8, 7 } } };
    char in[256], out[256];
    test_raster(unit_at("in.tif", in), (TestRaster){ .width = 300, .height = 530, .geotransform = t, .epsg = 26914 });
    for (int placed = 0; placed <= 1; placed++) {
        Raster *like = NULL;
        RasterWriter *writer = NULL;
        ClassAreas areas = { .known = false };
        if (placed) ASSERT_OK(raster_open(in, NULL, &like));
        const RasterWriteOptions o = { .path = unit_at("out.tif", out),
                                       .kind = RASTER_CLASSES,
                                       .like = like,
                                       .width = 300,
                                       .height = 530,
                                       .classes = all,
                                       .n_classes = 4,
                                       .ret_areas = &areas,
                                       .overwrite = true };
        ASSERT_OK(raster_writer_open(&o, &writer));
        ASSERT_OK(write_rows(writer, 300, 530, 100));
        ASSERT_OK(raster_writer_finish(writer));
        raster_close(like);
        int64_t twos = 0;
        for (int64_t i = 0; i < (int64_t)300 * 530; i++) twos += map_value(i % 300, i / 300, 0) == 2;
        assert_true(areas.known == (placed != 0) && areas.valid == (int64_t)300 * 530 && areas.pixels[2] == twos);
        const GDALDatasetH d = GDALOpen(out, GA_ReadOnly);
        const GDALRasterAttributeTableH table = GDALGetDefaultRAT(GDALGetRasterBand(d, 1));
        assert_non_null(table);
        assert_int_equal(GDALRATGetRowCount(table), 4);
        assert_int_equal(GDALRATGetColumnCount(table), placed ? 8 : 7);
        check_column(table, 0, "Value", GFT_Integer, GFU_MinMax);
        check_column(table, 1, "Count", GFT_Real, GFU_PixelCount);
        check_column(table, 2, "Class_Name", GFT_String, GFU_Name);
        check_column(table, 3, "Red", GFT_Integer, GFU_Red);
        check_column(table, 5, "Blue", GFT_Integer, GFU_Blue);
        assert_int_equal(GDALRATGetValueAsInt(table, 2, 0), 7);
        assert_true(GDALRATGetValueAsDouble(table, 1, 1) == (double)twos);
        assert_string_equal(GDALRATGetValueAsString(table, 2, 2), "cr\xc3\xb6p");
        assert_int_equal(GDALRATGetValueAsInt(table, 1, 4), 100);
        assert_string_equal(GDALRATGetValueAsString(table, 3, 2), "a <b> & \"c\"");
        assert_true(GDALRATGetValueAsDouble(table, 3, 1) == 0.0);
        assert_int_equal(GDALRATGetRowOfValue(table, 254.0), 3);
        if (placed) {
            check_column(table, 6, "Area_m2", GFT_Real, GFU_Generic);
            assert_true(GDALRATGetValueAsDouble(table, 1, 6) == areas.area[2]);
            assert_true(fabs(areas.area[2] / (25.0 * (double)twos) - 1.0) < 1e-3);
        }
        check_column(table, placed ? 7 : 6, "Share", GFT_Real, GFU_Generic);
        assert_true(fabs(GDALRATGetValueAsDouble(table, 1, placed ? 7 : 6) - (double)twos / (300.0 * 530.0)) < 1e-4);
        GDALClose(d);
    }
    assert_true(unit_remove_files());
}

/* A copy of the TIFF alone keeps names, colours and what it is; what the TIFF says itself stands above a side-car. */
static void names_in_the_tiff(void **state)
{
    (void)state;
    char out[256], side[256], copy[256];
    RasterWriter *writer = NULL;
    Raster *raster = NULL;
    uint32_t color = 0;
    const RasterWriteOptions o = { .path = unit_at("out.tif", out),
                                   .kind = RASTER_CLASSES,
                                   .width = 4,
                                   .height = 4,
                                   .classes = classes,
                                   .n_classes = 3 };
    ASSERT_OK(raster_writer_open(&o, &writer));
    ASSERT_OK(write_rows(writer, 4, 4, 4));
    ASSERT_OK(raster_writer_finish(writer));
    assert_int_equal(rename(out, unit_at("copy.tif", copy)), 0);
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(raster_open(copy, NULL, &raster));
        assert_string_equal(raster_kind(raster), "classes");
        assert_string_equal(raster_class_name(raster, 0), "water");
        assert_string_equal(raster_class_name(raster, 7), "cr\xc3\xb6p");
        assert_string_equal(raster_class_name(raster, 1), "");
        assert_true(raster_class_color(raster, 2, &color) && color == 0x016403U);
        raster_close(raster);
        unit_write_text(unit_at("copy.tif.aux.xml", side),
                        "<PAMDataset><PAMRasterBand band=\"1\"><CategoryNames><Category>another map's</Category>"
                        "</CategoryNames></PAMRasterBand></PAMDataset>");
    }
    assert_true(unit_remove_files());
}

static void confidence_and_probabilities(void **state)
{
    (void)state;
    char out[256];
    RasterWriter *writer = NULL;
    const double bounds[4] = { 10.0, 50.0, 11.0, 52.0 };
    RasterWriteOptions o = { .path = unit_at("c.tif", out),
                             .kind = RASTER_CONFIDENCE,
                             .width = 257,
                             .height = 3,
                             .bounds = bounds,
                             .epsg = 4326 };
    ASSERT_OK(raster_writer_open(&o, &writer));
    ASSERT_OK(write_rows(writer, 257, 3, 1));
    ASSERT_OK(raster_writer_finish(writer));
    check_values(out, 257, 3, 1);
    GDALDatasetH d = GDALOpen(out, GA_ReadOnly);
    int has = 0;
    double t[6];
    assert_true(GDALGetRasterScale(GDALGetRasterBand(d, 1), &has) == 1.0 / 254.0 && has);
    assert_string_equal(GDALGetMetadataItem(d, "METASEG_KIND", NULL), "confidence");
    assert_true(GDALGetRasterNoDataValue(GDALGetRasterBand(d, 1), &has) == 255.0 && has);
    assert_int_equal(GDALGetGeoTransform(d, t), CE_None);
    assert_true(t[0] == 10.0 && t[3] == 52.0 && t[1] == 1.0 / 257.0 && t[5] == -2.0 / 3.0);
    GDALClose(d);
    o = (RasterWriteOptions){ .path = unit_at("p.tif", out),
                              .kind = RASTER_PROBABILITIES,
                              .width = 600,
                              .height = 300,
                              .classes = classes,
                              .n_classes = 3 };
    ASSERT_OK(raster_writer_open(&o, &writer));
    ASSERT_OK(write_bands(writer, 3, 600, 300, 300));
    ASSERT_OK(raster_writer_finish(writer));
    check_values(out, 600, 300, 3);
    d = GDALOpen(out, GA_ReadOnly);
    assert_string_equal(GDALGetDescription(GDALGetRasterBand(d, 2)), "forest");
    assert_string_equal(GDALGetMetadataItem(d, "METASEG_KIND", NULL), "probabilities");
    assert_true(GDALGetRasterScale(GDALGetRasterBand(d, 3), &has) == 1.0 / 254.0);
    GDALClose(d);
    assert_true(unit_remove_files());
}

static void copy_of(const char *in, const char *out)
{
    Raster *like = NULL;
    RasterWriter *writer = NULL;
    ASSERT_OK(raster_open(in, NULL, &like));
    const RasterWriteOptions o = {
        .path = out, .kind = RASTER_CLASSES, .like = like, .classes = classes, .n_classes = 3, .overwrite = true
    };
    ASSERT_OK(raster_writer_open(&o, &writer));
    ASSERT_OK(write_rows(writer, raster_info(like)->width, raster_info(like)->height, 4));
    ASSERT_OK(raster_writer_finish(writer));
    raster_close(like);
}

/* South-up, rotated, point-registered, one pixel, no CRS, unknown datum: exactly the input's. */
static void geotransforms(void **state)
{
    (void)state;
    static const char *const unknown = "GEOGCS[\"unknown\",DATUM[\"Unknown based on Clarke 1866 "
                                       "ellipsoid\",SPHEROID[\"Clarke 1866\",6378206.4,294.978698213898]],"
                                       "PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433]]";
    static const struct {
        double t[6];
        int epsg;
        const char *wkt;
        bool point;
    } list[] = { { { 10.0, 0.01, 0.0, 58.0, 0.0, 0.02 }, 4326, NULL, false },
                 { { 400000.0, 6.0, 8.0, 5000000.0, 8.0, -6.0 }, 32633, NULL, false },
                 { { 400000.0, 0.1, 0.0, 5000000.0, 0.0, -0.3 }, 32633, NULL, true },
                 { { 0.1, 0.3, 0.0, 0.7, 0.0, -0.3 }, 0, NULL, false },
                 { { -180.0, 0.05, 0.0, 90.0, 0.0, -0.05 }, 0, unknown, false } };
    char in[256], out[256];
    unit_at("in.tif", in);
    unit_at("out.tif", out);
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        test_raster(in, (TestRaster){ .width = i == 0 ? 1 : 9,
                                      .height = i == 0 ? 1 : 7,
                                      .geotransform = list[i].t,
                                      .epsg = list[i].epsg,
                                      .wkt = list[i].wkt });
        GDALDatasetH d = GDALOpen(in, GA_Update);
        if (list[i].point) GDALSetMetadataItem(d, "AREA_OR_POINT", "Point", NULL);
        GDALClose(d);
        copy_of(in, out);
        GDALDatasetH a = GDALOpen(in, GA_ReadOnly), b = GDALOpen(out, GA_ReadOnly);
        double ta[6], tb[6];
        assert_int_equal(GDALGetGeoTransform(a, ta), CE_None);
        assert_int_equal(GDALGetGeoTransform(b, tb), CE_None);
        assert_memory_equal(ta, tb, sizeof ta);
        const OGRSpatialReferenceH ca = GDALGetSpatialRef(a), cb = GDALGetSpatialRef(b);
        assert_int_equal(ca == NULL, cb == NULL);
        if (ca != NULL) assert_true(OSRIsSame(ca, cb));
        if (list[i].point) assert_string_equal(GDALGetMetadataItem(b, "AREA_OR_POINT", NULL), "Point");
        GDALClose(a);
        GDALClose(b);
    }
    test_raster(in, (TestRaster){ .width = 9, .height = 7 }); /* no georeference: none is invented */
    copy_of(in, out);
    GDALDatasetH d = GDALOpen(out, GA_ReadOnly);
    double t[6];
    assert_int_equal(GDALGetGeoTransform(d, t), CE_Failure);
    assert_null(GDALGetSpatialRef(d));
    GDALClose(d);
}

static void control_points_and_rpc(void **state)
{
    (void)state;
    char in[256], out[256];
    test_raster(unit_at("in.tif", in), (TestRaster){ .width = 9, .height = 7 });
    GDALDatasetH d = GDALOpen(in, GA_Update);
    GDAL_GCP points[3];
    GDALInitGCPs(3, points);
    for (int i = 0; i < 3; i++) {
        points[i].dfGCPPixel = i == 1 ? 9 : 0;
        points[i].dfGCPLine = i == 2 ? 7 : 0;
        points[i].dfGCPX = 500000.0 + 10.0 * points[i].dfGCPPixel;
        points[i].dfGCPY = 5000000.0 - 10.0 * points[i].dfGCPLine;
    }
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(crs, 32633);
    assert_int_equal(GDALSetGCPs2(d, 3, points, crs), CE_None);
    OSRDestroySpatialReference(crs);
    GDALDeinitGCPs(3, points);
    static const char *const items[] = { "LINE_OFF=100",
                                         "SAMP_OFF=100",
                                         "LAT_OFF=50",
                                         "LONG_OFF=10",
                                         "HEIGHT_OFF=300",
                                         "LINE_SCALE=100",
                                         "SAMP_SCALE=100",
                                         "LAT_SCALE=0.5",
                                         "LONG_SCALE=0.5",
                                         "HEIGHT_SCALE=500",
                                         "LINE_NUM_COEFF=0 0 -1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
                                         "LINE_DEN_COEFF=1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
                                         "SAMP_NUM_COEFF=0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
                                         "SAMP_DEN_COEFF=1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
                                         NULL };
    assert_int_equal(GDALSetMetadata(d, (char **)items, "RPC"), CE_None);
    GDALClose(d);
    copy_of(in, unit_at("out.tif", out));
    d = GDALOpen(out, GA_ReadOnly);
    assert_int_equal(GDALGetGCPCount(d), 3);
    assert_true(GDALGetGCPs(d)[1].dfGCPX == 500090.0);
    assert_string_equal(OSRGetAuthorityCode(GDALGetGCPSpatialRef(d), NULL), "32633");
    assert_non_null(GDALGetMetadataItem(d, "LINE_NUM_COEFF", "RPC"));
    GDALClose(d);
    assert_true(unit_remove_files());
}

/* A VRT whose x is latitude, its place told as `place`: the map lies where the image does. */
static void check_latitude_first(const char *place)
{
    char path[256], out[256], text[1200];
    Raster *rasters[2] = { NULL, NULL };
    double lon[2][4], lat[2][4];
    test_raster(unit_at("axes.tif", path), (TestRaster){ .width = 100, .height = 80 });
    (void)snprintf(text, sizeof text,
                   "<VRTDataset rasterXSize=\"100\" rasterYSize=\"80\">%s<VRTRasterBand dataType=\"Byte\" band=\"1\">"
                   "<SimpleSource><SourceFilename relativeToVRT=\"1\">axes.tif</SourceFilename></SimpleSource>"
                   "</VRTRasterBand></VRTDataset>",
                   place);
    unit_write_text(unit_at("axes.vrt", path), text);
    copy_of(path, unit_at("out.tif", out));
    ASSERT_OK(raster_open(path, NULL, &rasters[0]));
    ASSERT_OK(raster_open(out, NULL, &rasters[1]));
    for (int k = 0; k < 2; k++) {
        Georeference *g = NULL;
        ASSERT_OK(georeference_open(rasters[k], NULL, &g));
        for (int i = 0; i < 4; i++) {
            lon[k][i] = 30.0 * i;
            lat[k][i] = 20.0 * i;
        }
        georeference_to_lonlat(g, 4, lon[k], lat[k]);
        georeference_free(g);
        raster_close(rasters[k]);
    }
    for (int i = 0; i < 4; i++) {
        assert_true(fabs(lon[0][i] - (10.0 + 0.02 * 30.0 * i)) < 1e-6);
        assert_true(fabs(lat[0][i] - (50.0 - 0.01 * 20.0 * i)) < 1e-6);
        assert_true(fabs(lon[1][i] - lon[0][i]) < 1e-6);
        assert_true(fabs(lat[1][i] - lat[0][i]) < 1e-6);
    }
    assert_true(unit_remove_files());
}

static void latitude_first(void **state)
{
    (void)state;
    check_latitude_first("<SRS dataAxisToSRSAxisMapping=\"1,2\">EPSG:4326</SRS><GeoTransform>50, 0, -0.01, 10, 0.02, 0"
                         "</GeoTransform>");
    check_latitude_first("<GCPList Projection=\"EPSG:4326\" dataAxisToSRSAxisMapping=\"1,2\">"
                         "<GCP Pixel=\"0\" Line=\"0\" X=\"50\" Y=\"10\"/>"
                         "<GCP Pixel=\"100\" Line=\"0\" X=\"50\" Y=\"12\"/>"
                         "<GCP Pixel=\"0\" Line=\"80\" X=\"49.2\" Y=\"10\"/>"
                         "<GCP Pixel=\"100\" Line=\"80\" X=\"49.2\" Y=\"12\"/></GCPList>");
}

static void refused(void **state)
{
    (void)state;
    char out[256];
    RasterWriter *writer = NULL;
    RasterWriteOptions o = { .path = unit_at("no/out.tif", out), .kind = RASTER_CONFIDENCE, .width = 4, .height = 4 };
    ASSERT_ERR(raster_writer_open(&o, &writer), ERR_OUTPUT, "does not exist");
    o.path = unit_scratch;
    ASSERT_ERR(raster_writer_open(&o, &writer), ERR_OUTPUT, "is a folder");
    o.path = unit_at("out.tif", out);
    o.width = 0;
    ASSERT_ERR(raster_writer_open(&o, &writer), ERR_ARGUMENT, "0 x 4");
    const RasterClass wrong = { 255, "all", { 0, 0, 0 } };
    o = (RasterWriteOptions){
        .path = out, .kind = RASTER_CLASSES, .width = 4, .height = 4, .classes = &wrong, .n_classes = 1
    };
    ASSERT_ERR(raster_writer_open(&o, &writer), ERR_ARGUMENT, "has the value 255");
    assert_null(writer);
    o = (RasterWriteOptions){ .path = out, .kind = RASTER_CONFIDENCE, .width = 4, .height = 4 };
    ASSERT_OK(raster_writer_open(&o, &writer));
    ASSERT_ERR(raster_writer_finish(writer), ERR_INTERNAL, "only 0 of 4 rows");
    unit_check_files(NULL, 0);
}

/* A file size limit stands in for the full disk: writes fail with EFBIG at any size we choose. Writing the raster must
 * fail, name the file and leave nothing. */
static void refuse_over_limit(const RasterWriteOptions *o, int64_t portion, rlim_t limit)
{
    struct rlimit before;
    RasterWriter *writer = NULL;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ limit, before.rlim_max }), 0);
    Err err = raster_writer_open(o, &writer);
    if (err == ERR_NONE) {
        err = write_rows(writer, o->width, o->height, portion);
        if (err == ERR_NONE)
            err = raster_writer_finish(writer);
        else
            raster_writer_abort(writer);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(err, ERR_OUTPUT);
    assert_non_null(strstr(err_message(), o->path));
    unit_check_files(NULL, 0);
}

static void full_disk(void **state)
{
    (void)state;
    char out[256];
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    static const rlim_t limits[] = { 0, 100, 1000, 4000, 6000, 20000, 60000 };
    const RasterWriteOptions large = {
        .path = unit_at("out.tif", out), .kind = RASTER_CONFIDENCE, .width = 2000, .height = 2000
    };
    for (int64_t i = 0; i < ARRAY_LEN(limits); i++) refuse_over_limit(&large, 100, limits[i]);
    /* the directory alone does not fit: known only when the file is closed */
    const RasterWriteOptions small = {
        .path = out, .kind = RASTER_CLASSES, .width = 1, .height = 1, .classes = classes, .n_classes = 3
    };
    for (rlim_t limit = 300; limit < 1200; limit += 50) refuse_over_limit(&small, 1, limit);
    (void)signal(SIGXFSZ, handler);
}

/* A class map of 4 x 4 pixels at out.tif. */
static Err write_map(RasterKind kind, bool overwrite)
{
    char out[256];
    RasterWriter *writer = NULL;
    const RasterWriteOptions o = { .path = unit_at("out.tif", out),
                                   .kind = kind,
                                   .width = 4,
                                   .height = 4,
                                   .classes = classes,
                                   .n_classes = 3,
                                   .overwrite = overwrite };
    TRY(raster_writer_open(&o, &writer));
    ASSERT_OK(write_rows(writer, 4, 4, 4));
    return raster_writer_finish(writer);
}

static void check_text(const char *name, const char *expected)
{
    char path[256], *bytes = NULL;
    size_t length = 0;
    ASSERT_OK(file_read(unit_at(name, path), 1 << 16, &bytes, &length));
    if (strstr(bytes, expected) == NULL) fail_msg("'%s' is not in %s: %s", expected, name, bytes);
    free(bytes);
}

/* Side-cars of an older file go when the new one has its name, and only then. */
static void stale_sidecars(void **state)
{
    (void)state;
    static const char *const names[] = { "out.tif", "out.tif.ovr", "out.tif.msk", "out.tif.aux.xml" };
    char out[256];
    for (int64_t i = 0; i < ARRAY_LEN(names); i++) { /* each alone is in the way without `overwrite` */
        unit_write_text(unit_at(names[i], out), "old");
        ASSERT_ERR(write_map(RASTER_CLASSES, false), ERR_OUTPUT, names[i]);
        unit_check_files(&names[i], 1);
        assert_int_equal(remove(out), 0);
    }
    for (int64_t i = 0; i < ARRAY_LEN(names); i++) unit_write_text(unit_at(names[i], out), "old");
    assert_int_equal(remove(unit_at("out.tif.msk", out)) + mkdir(out, 0700), 0);
    ASSERT_ERR(write_map(RASTER_CONFIDENCE, true), ERR_OUTPUT, "is a folder");
    for (int64_t i = 0; i < ARRAY_LEN(names); i++)
        if (i != 2) check_text(names[i], "old");
    assert_int_equal(rmdir(out), 0);
    ASSERT_OK(write_map(RASTER_CONFIDENCE, true));
    check_values(unit_at("out.tif", out), 4, 4, 1);
    unit_check_files((const char *const[]){ "out.tif" }, 1); /* overviews of the old file would lie */
    assert_true(unit_remove_files());
}

/* Our style goes and comes with the map; somebody else's is never touched. */
static void styles(void **state)
{
    (void)state;
    char style[256];
    ASSERT_OK(write_map(RASTER_CLASSES, false));
    check_text("out.qml", "<paletteEntry value=\"7\" color=\"#c8c80a\" alpha=\"255\" label=\"cr\xc3\xb6p\"/>");
    assert_false(raster_style_is_foreign(unit_at("out.qml", style)));
    ASSERT_OK(write_map(RASTER_CONFIDENCE, true));
    unit_check_files((const char *const[]){ "out.tif" }, 1);
    ASSERT_OK(write_map(RASTER_CLASSES, true));
    unit_write_text(style, "<qgis>mine</qgis>");
    assert_true(raster_style_is_foreign(style));
    ASSERT_OK(write_map(RASTER_CLASSES, true));
    check_text("out.qml", "mine");
    ASSERT_OK(write_map(RASTER_CONFIDENCE, true));
    check_text("out.qml", "mine");
    assert_true(unit_remove_files());
}

/* GDAL's side-car holds the names whatever the environment says, and what GDAL itself puts there. */
static void side_car(void **state)
{
    (void)state;
    char in[256], out[256];
    const double t[6] = { 0.0, 0.1, 0.0, 1.0, 0.0, -0.1 };
    CPLSetConfigOption("GDAL_PAM_ENABLED", "NO");
    ASSERT_OK(write_map(RASTER_CLASSES, false));
    check_text("out.tif.aux.xml", "<Category>water</Category>\n      <Category></Category>\n      <Category>forest<");
    assert_true(unit_remove_files());
    /* GeoTIFF cannot hold an Equal Earth projection or a rotated pole: GDAL keeps them in the side-car */
    static const char *const systems[] = { "+proj=eqearth +datum=WGS84",
                                           "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=39.25 +lon_0=18 "
                                           "+datum=WGS84 +to_meter=0.0174532925199433" };
    for (int64_t i = 0; i < ARRAY_LEN(systems); i++) {
        for (int kind = RASTER_CLASSES; kind <= RASTER_CONFIDENCE; kind++) {
            OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
            Raster *like = NULL;
            RasterWriter *writer = NULL;
            assert_int_equal(OSRSetFromUserInput(crs, systems[i]), OGRERR_NONE);
            CPLSetConfigOption("GDAL_PAM_ENABLED", NULL);
            test_raster(unit_at("in.tif", in), (TestRaster){ .width = 4, .height = 4, .geotransform = t });
            GDALDatasetH d = GDALOpen(in, GA_Update);
            assert_int_equal(GDALSetSpatialRef(d, crs), CE_None);
            GDALClose(d);
            CPLSetConfigOption("GDAL_PAM_ENABLED", "NO");
            ASSERT_OK(raster_open(in, NULL, &like));
            const RasterWriteOptions o = { .path = unit_at("out.tif", out),
                                           .kind = (RasterKind)kind,
                                           .like = like,
                                           .classes = classes,
                                           .n_classes = 3 };
            ASSERT_OK(raster_writer_open(&o, &writer));
            ASSERT_OK(write_rows(writer, 4, 4, 4));
            ASSERT_OK(raster_writer_finish(writer));
            raster_close(like);
            CPLSetConfigOption("GDAL_PAM_ENABLED", NULL);
            d = GDALOpen(out, GA_ReadOnly);
            assert_non_null(GDALGetSpatialRef(d));
            assert_true(OSRIsSame(GDALGetSpatialRef(d), crs));
            char **names = GDALGetRasterCategoryNames(GDALGetRasterBand(d, 1));
            assert_true(kind == RASTER_CLASSES ? CSLCount(names) == 8 && strcmp(names[2], "forest") == 0
                                               : names == NULL);
            GDALClose(d);
            OSRDestroySpatialReference(crs);
            assert_true(unit_remove_files());
        }
    }
}

/* Names of any length up to what the side-car's name leaves; beyond, a refusal before the work. */
static void long_names(void **state)
{
    (void)state;
    for (int length = 215; length <= 255; length += 1) {
        char name[300], out[600], side[700];
        RasterWriter *writer = NULL;
        (void)snprintf(name, sizeof name, "%0*d.tif", length - 4, 7);
        (void)snprintf(out, sizeof out, "%s/%s", unit_scratch, name);
        (void)snprintf(side, sizeof side, "%s.aux.xml", out);
        const RasterWriteOptions o = {
            .path = out, .kind = RASTER_CLASSES, .width = 4, .height = 4, .classes = classes, .n_classes = 3
        };
        if (length + 8 > 255) {
            ASSERT_ERR(raster_writer_open(&o, &writer), ERR_OUTPUT, "shorter name");
            unit_check_files(NULL, 0);
            continue;
        }
        ASSERT_OK(raster_writer_open(&o, &writer));
        ASSERT_OK(write_rows(writer, 4, 4, 4));
        ASSERT_OK(raster_writer_finish(writer));
        assert_true(file_exists(out) && file_exists(side));
        assert_true(unit_remove_files());
    }
}

/* Names with markup, control characters and bytes that are no UTF-8 reach XML as text. */
static void odd_names(void **state)
{
    (void)state;
    char out[256];
    RasterWriter *writer = NULL;
    Raster *raster = NULL;
    const RasterClass odd[] = { { 0, "a <b> & \"c\"", { 1, 2, 3 } }, { 1, "x\x1b[31my\nz\xff", { 1, 2, 3 } } };
    const RasterWriteOptions o = {
        .path = unit_at("out.tif", out), .kind = RASTER_CLASSES, .width = 4, .height = 4, .classes = odd, .n_classes = 2
    };
    ASSERT_OK(raster_writer_open(&o, &writer));
    ASSERT_OK(write_rows(writer, 4, 4, 4));
    ASSERT_OK(raster_writer_finish(writer));
    check_text("out.tif.aux.xml", "<Category>a &lt;b&gt; &amp; ");
    ASSERT_OK(raster_open(out, NULL, &raster));
    assert_string_equal(raster_class_name(raster, 0), "a <b> & \"c\"");
    assert_string_equal(raster_class_name(raster, 1), "x\\x1b[31my\\x0az\\xff");
    raster_close(raster);
    GDALDatasetH d = GDALOpen(out, GA_ReadOnly);
    assert_null(GDALGetSpatialRef(d)); /* GDAL 3.6 looks into side-cars only when something else was asked */
    assert_string_equal(GDALGetRasterCategoryNames(GDALGetRasterBand(d, 1))[0], "a <b> & \"c\"");
    GDALClose(d);
    check_text("out.qml", "label=\"a &lt;b&gt; &amp; &quot;c&quot;\"");
    assert_true(unit_remove_files());
}

static void georeferenced_copy(void **state)
{
    (void)state;
    char in[256], out[256];
    Raster *raster = NULL;
    const double bounds[4] = { -180.0, -90.0, 180.0, 90.0 };
    test_raster(unit_at("in.png", in), (TestRaster){ .width = 720, .height = 360, .bands = 3, .driver = "PNG" });
    ASSERT_OK(raster_open(in, NULL, &raster));
    ASSERT_OK(raster_write_georeferenced(raster, bounds, 4326, unit_at("copy.tif", out), false));
    ASSERT_ERR(raster_write_georeferenced(raster, bounds, 4326, out, false), ERR_OUTPUT, "exists already");
    raster_close(raster);
    GDALDatasetH d = GDALOpen(out, GA_ReadOnly);
    double t[6];
    uint8_t value = 0;
    assert_int_equal(GDALGetGeoTransform(d, t), CE_None);
    assert_true(t[0] == -180.0 && t[1] == 0.5 && t[3] == 90.0 && t[5] == -0.5);
    assert_string_equal(OSRGetAuthorityCode(GDALGetSpatialRef(d), NULL), "4326");
    for (int b = 0; b < 3; b++) {
        assert_int_equal(
            GDALRasterIO(GDALGetRasterBand(d, b + 1), GF_Read, 700, 333, 1, 1, &value, 1, 1, GDT_Byte, 0, 0), CE_None);
        assert_int_equal(value, (int)test_value(700, 333, b));
        assert_int_equal(GDALGetRasterColorInterpretation(GDALGetRasterBand(d, b + 1)), GCI_RedBand + b);
    }
    GDALClose(d);
    test_raster(in, (TestRaster){ .width = 2, .height = 2, .driver = "PNG" });
    ASSERT_OK(raster_open(in, NULL, &raster));
    ASSERT_ERR(raster_write_georeferenced(raster, bounds, 4326, out, true), ERR_INPUT, "at least 3");
    raster_close(raster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_map),
        cmocka_unit_test(attribute_table),
        cmocka_unit_test(names_in_the_tiff),
        cmocka_unit_test(confidence_and_probabilities),
        cmocka_unit_test(control_points_and_rpc),
        cmocka_unit_test(latitude_first),
        cmocka_unit_test(refused),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(stale_sidecars),
        cmocka_unit_test(styles),
        cmocka_unit_test(side_car),
        cmocka_unit_test(long_names),
        cmocka_unit_test(odd_names),
        cmocka_unit_test(geotransforms),
        cmocka_unit_test(georeferenced_copy),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
