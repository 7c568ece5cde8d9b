/* SPDX-License-Identifier: Apache-2.0
 * Cloud Optimized GeoTIFFs: the layout that GDAL's validate_cloud_optimized_geotiff.py asks for, overviews that invent
 * nothing, everything of the GeoTIFF in it; and creation options. */
#include "geo/raster_write.h"

#include "base/file.h"
#include "geo/geo_test.h"

#include <cpl_conv.h>
#include <signal.h>
#include <sys/resource.h>

enum { WIDTH = 1500, HEIGHT = 1300, OVERVIEWS = 2 };

static const RasterClass classes[] = { { 0, "water", { 0, 0, 255 } },
                                       { 2, "forest", { 1, 100, 3 } },
                                       { 7, "cr\xc3\xb6p", { 200, 200, 10 } } };

/* In each square of 2 x 2 pixels three of one value, the fourth another one; a stripe of no data, and squares with one pixel that
 * has some. */
static uint8_t map_value(int64_t x, int64_t y, int64_t b)
{
    static const uint8_t values[] = { 0, 2, 7 };
    if (x / 100 == 3) return 255;
    if (x / 100 == 4) return x % 2 == 0 && y % 2 == 0 ? 2 : 255;
    const int64_t main = (x / 40 + y / 30 + b) % 3;
    return values[x % 2 == 1 && y % 2 == 1 ? (main + 1) % 3 : main];
}

static Err write_rows(RasterWriter *writer, int64_t bands)
{
    static uint8_t rows[3][WIDTH];
    const uint8_t *const planes[] = { rows[0], rows[1], rows[2] };
    for (int64_t y = 0; y < HEIGHT; y++) {
        for (int64_t b = 0; b < bands; b++)
            for (int64_t x = 0; x < WIDTH; x++) rows[b][x] = map_value(x, y, b);
        TRY(raster_writer_rows(writer, 1, planes, WIDTH));
    }
    return ERR_NONE;
}

static Err write_raster(const RasterWriteOptions *o)
{
    RasterWriter *writer = NULL;
    TRY(raster_writer_open(o, &writer));
    const Err err = write_rows(writer, o->kind == RASTER_PROBABILITIES ? 3 : 1);
    if (err == ERR_NONE) return raster_writer_finish(writer);
    raster_writer_abort(writer);
    return err;
}

static const double bounds[4] = { 400000.0, 5000000.0, 415000.0, 5013000.0 };
static const char *const metadata[] = { "METASEG_MODEL", "a <b>", NULL };

static RasterWriteOptions cog_options(const char *path, RasterKind kind)
{
    return (RasterWriteOptions){ .path = path,
                                 .kind = kind,
                                 .format = RASTER_COG,
                                 .width = WIDTH,
                                 .height = HEIGHT,
                                 .bounds = bounds,
                                 .epsg = 32633,
                                 .classes = classes,
                                 .n_classes = 3,
                                 .metadata = metadata };
}

static int64_t tiff_number(GDALRasterBandH band, const char *key)
{
    const char *text = GDALGetMetadataItem(band, key, "TIFF");
    assert_non_null(text);
    return strtoll(text, NULL, 10);
}

/* Every block has its size before it and its last 4 bytes once more behind it; returns where the first begins, *ret_end where the
 * last ends. */
static int64_t check_blocks(GDALRasterBandH band, const uint8_t *bytes, int64_t length, int side, int64_t *ret_end)
{
    int width = 0, height = 0;
    int64_t first = 0, previous = 0;
    GDALGetBlockSize(band, &width, &height);
    assert_true(width == side && height == side);
    const int columns = (GDALGetRasterBandXSize(band) + side - 1) / side;
    const int rows = (GDALGetRasterBandYSize(band) + side - 1) / side;
    for (int i = 0; i < columns * rows; i++) {
        char key[64];
        (void)snprintf(key, sizeof key, "BLOCK_OFFSET_%d_%d", i % columns, i / columns);
        const int64_t offset = tiff_number(band, key);
        (void)snprintf(key, sizeof key, "BLOCK_SIZE_%d_%d", i % columns, i / columns);
        const int64_t size = tiff_number(band, key);
        if (i == 0) first = offset;
        assert_true(offset > previous && offset >= 4 && offset + size + 4 <= length); /* rows of blocks in order */
        const uint8_t *before = bytes + offset - 4;
        const int64_t leader = before[0] | before[1] << 8 | before[2] << 16 | (int64_t)before[3] << 24;
        assert_int_equal(leader, size);
        assert_memory_equal(bytes + offset + size, bytes + offset + size - 4, 4);
        previous = offset;
        *ret_end = offset + size + 4;
    }
    return first;
}

static void check_ghost(const char *bytes)
{
    static const char *const lines[] = { "\nLAYOUT=IFDS_BEFORE_DATA\n", "\nBLOCK_ORDER=ROW_MAJOR\n",
                                         "\nBLOCK_LEADER=SIZE_AS_UINT4\n", "\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\n",
                                         "\nKNOWN_INCOMPATIBLE_EDITION=NO\n" };
    char head[400];
    memcpy(head, bytes + 8, sizeof head - 1);
    head[sizeof head - 1] = '\0';
    assert_int_equal(strncmp(head, "GDAL_STRUCTURAL_METADATA_SIZE=", 30), 0);
    for (int64_t i = 0; i < ARRAY_LEN(lines); i++) assert_non_null(strstr(head, lines[i]));
}

/* The main directory comes first, those of the overviews follow, each smaller than the last; then the blocks, the smallest overview's
 * first. */
static void check_layout(const char *path, int bands, int side, int overviews)
{
    char *bytes = NULL;
    size_t length = 0;
    ASSERT_OK(file_read(path, (size_t)1 << 30, &bytes, &length));
    assert_memory_equal(bytes, "II*\0", 4);
    check_ghost(bytes);
    const GDALDatasetH d = GDALOpen(path, GA_ReadOnly);
    const GDALRasterBandH main = GDALGetRasterBand(d, 1);
    assert_string_equal(GDALGetMetadataItem(d, "LAYOUT", "IMAGE_STRUCTURE"), "COG");
    assert_int_equal(GDALGetRasterCount(d), bands);
    assert_int_equal(GDALGetOverviewCount(main), overviews);
    int64_t directory = tiff_number(main, "IFD_OFFSET"), end = 0;
    assert_true(directory < 300);
    int64_t data = check_blocks(main, (const uint8_t *)bytes, (int64_t)length, side, &end);
    int width = GDALGetRasterBandXSize(main);
    for (int i = 0; i < overviews; i++) {
        const GDALRasterBandH o = GDALGetOverview(main, i);
        const int64_t next = tiff_number(o, "IFD_OFFSET");
        const int64_t first = check_blocks(o, (const uint8_t *)bytes, (int64_t)length, side, &end);
        assert_true(GDALGetRasterBandXSize(o) < width && next > directory && first > next && end < data);
        width = GDALGetRasterBandXSize(o);
        directory = next;
        data = first;
    }
    assert_true(width <= side);
    GDALClose(d);
    free(bytes);
}

static void check_values(GDALDatasetH d, int bands)
{
    uint8_t row[WIDTH];
    for (int b = 0; b < bands; b++)
        for (int y = 0; y < HEIGHT; y++) {
            assert_int_equal(
                GDALRasterIO(GDALGetRasterBand(d, b + 1), GF_Read, 0, y, WIDTH, 1, row, WIDTH, 1, GDT_Byte, 0, 0),
                CE_None);
            for (int x = 0; x < WIDTH; x++) assert_int_equal(row[x], map_value(x, y, b));
        }
}

static void class_map(void **state)
{
    (void)state;
    char out[256], again[256], *bytes[2] = { NULL, NULL };
    size_t lengths[2] = { 0, 0 };
    RasterWriteOptions o = cog_options(unit_at("out.tif", out), RASTER_CLASSES);
    ASSERT_OK(write_raster(&o));
    unit_check_files((const char *const[]){ "out.qml", "out.tif", "out.tif.aux.xml" }, 3);
    check_layout(out, 1, 512, OVERVIEWS);
    const GDALDatasetH d = GDALOpen(out, GA_ReadOnly);
    double t[6];
    int has = 0;
    assert_int_equal(GDALGetGeoTransform(d, t), CE_None);
    assert_true(t[0] == 400000.0 && t[1] == 10.0 && t[3] == 5013000.0 && t[5] == -10.0);
    assert_string_equal(OSRGetAuthorityCode(GDALGetSpatialRef(d), NULL), "32633");
    const GDALRasterBandH band = GDALGetRasterBand(d, 1);
    assert_true(GDALGetRasterNoDataValue(band, &has) == 255.0 && has);
    assert_string_equal(GDALGetDescription(band), "class");
    assert_string_equal(GDALGetRasterCategoryNames(band)[7], "cr\xc3\xb6p");
    GDALColorEntry color;
    assert_true(GDALGetColorEntryAsRGB(GDALGetRasterColorTable(band), 2, &color) && color.c2 == 100);
    assert_int_equal(GDALGetColorEntry(GDALGetRasterColorTable(band), 255)->c4, 0);
    assert_string_equal(GDALGetMetadataItem(d, "METASEG_KIND", NULL), "classes");
    assert_string_equal(GDALGetMetadataItem(d, "METASEG_CLASS_7", NULL), "cr\xc3\xb6p");
    assert_string_equal(GDALGetMetadataItem(d, "METASEG_MODEL", NULL), "a <b>");
    assert_string_equal(GDALGetMetadataItem(d, "COMPRESSION", "IMAGE_STRUCTURE"), "DEFLATE");
    check_values(d, 1);
    const GDALRasterBandH half = GDALGetOverview(band, 0);
    uint8_t row[WIDTH / 2];
    for (int y = 0; y < HEIGHT / 2; y++) { /* the mode of the pixels that have data; no data where none has */
        assert_int_equal(GDALRasterIO(half, GF_Read, 0, y, WIDTH / 2, 1, row, WIDTH / 2, 1, GDT_Byte, 0, 0), CE_None);
        for (int x = 0; x < WIDTH / 2; x++) assert_int_equal(row[x], map_value((int64_t)2 * x, (int64_t)2 * y, 0));
    }
    GDALClose(d);
    o.path = unit_at("again.tif", again);
    ASSERT_OK(write_raster(&o));
    ASSERT_OK(file_read(out, (size_t)1 << 30, &bytes[0], &lengths[0]));
    ASSERT_OK(file_read(again, (size_t)1 << 30, &bytes[1], &lengths[1]));
    assert_int_equal(lengths[0], lengths[1]);
    assert_memory_equal(bytes[0], bytes[1], lengths[0]);
    free(bytes[0]);
    free(bytes[1]);
    assert_true(unit_remove_files());
}

/* Averages of what has data. */
static void confidence_and_probabilities(void **state)
{
    (void)state;
    char out[256];
    int has = 0;
    RasterWriteOptions o = cog_options(unit_at("c.tif", out), RASTER_CONFIDENCE);
    ASSERT_OK(write_raster(&o));
    check_layout(out, 1, 512, OVERVIEWS);
    GDALDatasetH d = GDALOpen(out, GA_ReadOnly);
    check_values(d, 1);
    assert_true(GDALGetRasterScale(GDALGetRasterBand(d, 1), &has) == 1.0 / 254.0 && has);
    assert_string_equal(GDALGetMetadataItem(d, "METASEG_KIND", NULL), "confidence");
    uint8_t row[WIDTH / 2];
    assert_int_equal(GDALRasterIO(GDALGetOverview(GDALGetRasterBand(d, 1), 0), GF_Read, 0, 0, WIDTH / 2, 1, row,
                                  WIDTH / 2, 1, GDT_Byte, 0, 0),
                     CE_None);
    for (int x = 0; x < WIDTH / 2; x++) {
        double sum = 0.0, n = 0.0;
        for (int i = 0; i < 4; i++) {
            const uint8_t value = map_value((int64_t)2 * x + i % 2, i / 2, 0);
            sum += value != 255 ? (double)value : 0.0;
            n += value != 255 ? 1.0 : 0.0;
        }
        assert_int_equal(row[x], n > 0.0 ? (int)(sum / n + 0.5) : 255);
    }
    GDALClose(d);
    o = cog_options(unit_at("p.tif", out), RASTER_PROBABILITIES);
    ASSERT_OK(write_raster(&o));
    check_layout(out, 3, 512, OVERVIEWS);
    d = GDALOpen(out, GA_ReadOnly);
    check_values(d, 3);
    assert_string_equal(GDALGetDescription(GDALGetRasterBand(d, 2)), "forest");
    assert_true(GDALGetRasterScale(GDALGetRasterBand(d, 3), &has) == 1.0 / 254.0 && has);
    assert_true(GDALGetRasterNoDataValue(GDALGetRasterBand(d, 3), &has) == 255.0 && has);
    GDALClose(d);
    unit_check_files((const char *const[]){ "c.tif", "p.tif" }, 2);
    assert_true(unit_remove_files());
}

static void place_image(const char *path, int kind, const double t[6], OGRSpatialReferenceH crs)
{
    static const char *const rpc[] = { "LINE_OFF=100",
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
    GDAL_GCP points[3];
    test_raster(path, (TestRaster){ .width = WIDTH, .height = HEIGHT, .geotransform = kind < 2 ? t : NULL });
    const GDALDatasetH d = GDALOpen(path, GA_Update);
    GDALInitGCPs(3, points);
    for (int k = 0; k < 3; k++) {
        points[k].dfGCPPixel = k == 1 ? 9 : 0;
        points[k].dfGCPLine = k == 2 ? 7 : 0;
        points[k].dfGCPX = 10.0 + 0.01 * points[k].dfGCPPixel;
        points[k].dfGCPY = 50.0 - 0.01 * points[k].dfGCPLine;
    }
    if (kind < 2) assert_int_equal(GDALSetSpatialRef(d, crs), CE_None);
    if (kind == 0) GDALSetMetadataItem(d, "AREA_OR_POINT", "Point", NULL);
    if (kind == 2) assert_int_equal(GDALSetGCPs2(d, 3, points, crs), CE_None);
    if (kind == 3) assert_int_equal(GDALSetMetadata(d, (char **)rpc, "RPC"), CE_None);
    GDALDeinitGCPs(3, points);
    GDALClose(d);
}

/* What says where pixels lie is that of the image, also what no GeoTIFF can hold. */
static void places(void **state)
{
    (void)state;
    static const char *const systems[] = { "EPSG:4326", "+proj=eqearth +datum=WGS84" };
    const double t[6] = { 10.0, 0.01, 0.002, 50.0, 0.001, -0.01 };
    char in[256], out[256];
    for (int i = 0; i < 4; i++) { /* two systems; control points; RPCs */
        OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
        Raster *like = NULL;
        assert_int_equal(OSRSetFromUserInput(crs, systems[i % 2]), OGRERR_NONE);
        OSRSetAxisMappingStrategy(crs, OAMS_TRADITIONAL_GIS_ORDER);
        place_image(unit_at("in.tif", in), i, t, crs);
        ASSERT_OK(raster_open(in, NULL, &like));
        RasterWriteOptions o = cog_options(unit_at("out.tif", out), RASTER_CLASSES);
        o.like = like;
        o.overwrite = true;
        ASSERT_OK(write_raster(&o));
        raster_close(like);
        check_layout(out, 1, 512, OVERVIEWS);
        const GDALDatasetH d = GDALOpen(out, GA_ReadOnly);
        double got[6];
        const bool has = GDALGetGeoTransform(d, got) == CE_None;
        assert_true(has == (i < 2));
        if (has) assert_memory_equal(got, t, sizeof t);
        const OGRSpatialReferenceH own = i == 2 ? GDALGetGCPSpatialRef(d) : GDALGetSpatialRef(d);
        assert_true(i < 3 ? own != NULL && OSRIsSame(own, crs) : own == NULL);
        if (i == 0) assert_string_equal(GDALGetMetadataItem(d, "AREA_OR_POINT", NULL), "Point");
        assert_int_equal(GDALGetGCPCount(d), i == 2 ? 3 : 0);
        assert_true((GDALGetMetadataItem(d, "LINE_NUM_COEFF", "RPC") != NULL) == (i == 3));
        assert_string_equal(GDALGetRasterCategoryNames(GDALGetRasterBand(d, 1))[2], "forest");
        GDALClose(d);
        OSRDestroySpatialReference(crs);
    }
    assert_true(unit_remove_files());
}

/* GDAL's own options in the environment change nothing, neither in the bytes nor in what may be chosen. */
static void environment(void **state)
{
    (void)state;
    static const char *const options[][2] = {
        { "GDAL_TIFF_OVR_BLOCKSIZE", "128" },
        { "COMPRESS_OVERVIEW", "JPEG" },
        { "PREDICTOR_OVERVIEW", "3" },
        { "ZLEVEL_OVERVIEW", "1" },
        { "PHOTOMETRIC_OVERVIEW", "MINISWHITE" },
        { "INTERLEAVE_OVERVIEW", "BAND" },
        { "GDAL_TIFF_DEFLATE_SUBCODEC", "ZLIB" },
        { "GDAL_OVR_PROPAGATE_NODATA", "YES" },
        { "GDAL_OVR_CHUNKYSIZE", "16" },
        { "BIGTIFF_OVERVIEW", "YES" },
    };
    char path[256], *bytes[2] = { NULL, NULL };
    size_t lengths[2] = { 0, 0 };
    for (int kind = RASTER_CLASSES; kind <= RASTER_PROBABILITIES; kind++) {
        for (int i = 0; i < 2; i++) {
            for (int64_t k = 0; k < ARRAY_LEN(options) && i == 1; k++) CPLSetConfigOption(options[k][0], options[k][1]);
            RasterWriteOptions o = cog_options(unit_at(i == 0 ? "a.tif" : "b.tif", path), (RasterKind)kind);
            o.overwrite = true;
            o.creation_options = (const char *const[]){ "BIGTIFF=NO", NULL };
            ASSERT_OK(write_raster(&o));
            ASSERT_OK(file_read(path, (size_t)1 << 30, &bytes[i], &lengths[i]));
        }
        for (int64_t k = 0; k < ARRAY_LEN(options); k++) CPLSetConfigOption(options[k][0], NULL);
        assert_int_equal(lengths[0], lengths[1]);
        assert_memory_equal(bytes[0], bytes[1], lengths[0]);
        free(bytes[0]);
        free(bytes[1]);
    }
    assert_true(unit_remove_files());
}

/* Options that a user may choose reach the file; smaller tiles bring more overviews. */
static void chosen(void **state)
{
    (void)state;
    static const char *const cog[] = { "BlockSize=256", "COMPRESS=LZW", "OVERVIEW_RESAMPLING=nearest", NULL };
    static const char *const gtiff[] = { "COMPRESS=PACKBITS", "BIGTIFF=YES", "SPARSE_OK=TRUE", NULL };
    char out[256];
    RasterWriteOptions o = cog_options(unit_at("out.tif", out), RASTER_CLASSES);
    o.creation_options = cog;
    ASSERT_OK(write_raster(&o));
    check_layout(out, 1, 256, 3);
    GDALDatasetH d = GDALOpen(out, GA_ReadOnly);
    assert_string_equal(GDALGetMetadataItem(d, "COMPRESSION", "IMAGE_STRUCTURE"), "LZW");
    check_values(d, 1);
    GDALClose(d);
    o.format = RASTER_GTIFF;
    o.creation_options = gtiff;
    o.overwrite = true;
    ASSERT_OK(write_raster(&o));
    d = GDALOpen(out, GA_ReadOnly);
    assert_string_equal(GDALGetMetadataItem(d, "COMPRESSION", "IMAGE_STRUCTURE"), "PACKBITS");
    assert_int_equal(GDALGetOverviewCount(GDALGetRasterBand(d, 1)), 0);
    check_values(d, 1);
    GDALClose(d);
    char *bytes = NULL;
    size_t length = 0;
    ASSERT_OK(file_read(out, (size_t)1 << 30, &bytes, &length));
    assert_memory_equal(bytes, "II+\0", 4); /* BigTIFF */
    free(bytes);
    assert_true(unit_remove_files());
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        RasterFormat format;
        const char *options[4];
        const char *words;
    } list[] = {
        { RASTER_GTIFF, { "COMPRES=LZW" }, "'COMPRES=LZW': the driver GTiff has none of this name; it has COMPRESS, " },
        { RASTER_COG,
          { "ZLEVEL=9" },
          "the driver COG has none of this name; it has COMPRESS, OVERVIEW_COMPRESS, LEVEL" },
        { RASTER_GTIFF, { "COMPRESS" }, "expected NAME=VALUE" },
        { RASTER_GTIFF, { "COMPRESS=" }, "expected NAME=VALUE" },
        { RASTER_GTIFF, { "=LZW" }, "expected NAME=VALUE" },
        { RASTER_GTIFF, { "COMPRESS=LZW", "compress=ZSTD" }, "was given as 'COMPRESS=LZW' before" },
        { RASTER_GTIFF, { "NBITS=4" }, "would change the values" },
        { RASTER_GTIFF, { "tiled=NO" }, "tiles of 256 x 256" },
        { RASTER_GTIFF, { "BLOCKXSIZE=16" }, "tiles of 256 x 256" },
        { RASTER_GTIFF, { "PHOTOMETRIC=RGB" }, "colours" },
        { RASTER_GTIFF, { "PROFILE=BASELINE" }, "class names" },
        { RASTER_GTIFF, { "COMPRESS=JPEG" }, "changes values" },
        { RASTER_GTIFF, { "COMPRESS=FOO" }, "'FOO' is an unexpected value for COMPRESS" },
        { RASTER_GTIFF, { "COMPRESS=DEFLATE", "ZLEVEL=x" }, "'x' is an unexpected value for ZLEVEL" },
        { RASTER_GTIFF, { "PREDICTOR=3" }, "cannot be used together" },
        { RASTER_COG, { "COMPRESS=jpeg" }, "changes values" },
        { RASTER_COG, { "OVERVIEW_COMPRESS=WEBP" }, "changes values" },
        { RASTER_COG, { "OVERVIEWS=NONE" }, "has overviews" },
        { RASTER_COG, { "OVERVIEW_RESAMPLING=CUBIC" }, "invents classes" },
        { RASTER_COG, { "TARGET_SRS=EPSG:3857" }, "the image's own grid" },
        { RASTER_COG, { "BLOCKSIZE=100" }, "cannot be used together" },
        { RASTER_COG, { "BLOCKSIZE=250" }, "cannot be used together" },
    };
    char out[256];
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        RasterWriter *writer = NULL;
        RasterWriteOptions o = cog_options(unit_at("out.tif", out), RASTER_CLASSES);
        o.format = list[i].format;
        o.creation_options = list[i].options;
        ASSERT_ERR(raster_writer_open(&o, &writer), ERR_ARGUMENT, list[i].words);
        ASSERT_ERR(raster_format_check(list[i].format, list[i].options), ERR_ARGUMENT, list[i].words);
        unit_check_files(NULL, 0);
    }
    ASSERT_OK(raster_format_check(RASTER_COG, NULL));
    ASSERT_OK(raster_format_check(RASTER_COG, (const char *const[]){ NULL }));
}

/* A full disk at any moment, also while the copy or its overviews grow, and a stop leave nothing. */
static void failures(void **state)
{
    (void)state;
    char out[256];
    struct rlimit before;
    RasterWriteOptions o = cog_options(unit_at("out.tif", out), RASTER_CLASSES);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    ASSERT_OK(write_raster(&o));
    struct stat written;
    assert_int_equal(stat(out, &written), 0);
    const rlim_t size = (rlim_t)written.st_size;
    assert_true(unit_remove_files());
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ size * (rlim_t)i / 12, before.rlim_max }), 0);
        const Err err = write_raster(&o);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(err, ERR_OUTPUT);
        assert_non_null(strstr(err_message(), o.path));
        unit_check_files(NULL, 0);
    }
    (void)signal(SIGXFSZ, handler);
    const volatile int stop = 1;
    o.stop = &stop;
    ASSERT_ERR(write_raster(&o), ERR_INTERRUPTED, "stopped");
    unit_check_files(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_map), cmocka_unit_test(confidence_and_probabilities),
        cmocka_unit_test(places),    cmocka_unit_test(environment),
        cmocka_unit_test(chosen),    cmocka_unit_test(refused),
        cmocka_unit_test(failures),
    };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
