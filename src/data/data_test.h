/* SPDX-License-Identifier: Apache-2.0
 * For the tests of src/data: rasters made on the spot, as ENVI files (a header of text beside plain values), and what a
 * data set tells. */
#ifndef METASEG_DATA_DATA_TEST_H
#define METASEG_DATA_DATA_TEST_H

#include "base/str.h"
#include "data/dataset.h"
#include "harness/unit.h"
#include "metaseg/run.h"

/* ENVI's numbers of data types. */
typedef enum TestType { TEST_BYTE = 1, TEST_INT16 = 2, TEST_FLOAT = 4 } TestType;

/* A raster for a test. zone 0: degrees, above: UTM north of this zone in metres, below: no georeference. */
typedef struct TestRaster {
    const char *name; /* in the scratch folder */
    int64_t width, height, bands;
    TestType type;
    int zone;
    double x, y, pixel_x, pixel_y; /* corner of the first pixel, size of a pixel */
    const char *more;              /* further lines of the header; NULL: none */
    float (*value)(int64_t x, int64_t y, int64_t band);
} TestRaster;

static inline void test_raster(TestRaster r)
{
    char path[256];
    char header[264];
    Str text = { 0 };
    FILE *file = fopen(unit_at(r.name, path), "wb");
    assert_non_null(file);
    for (int64_t band = 0; band < r.bands; band++) {
        for (int64_t i = 0; i < r.width * r.height; i++) {
            const float value = r.value(i % r.width, i / r.width, band);
            const uint8_t byte = (uint8_t)value;
            const int16_t word = (int16_t)value;
            const void *bytes = r.type == TEST_BYTE    ? (const void *)&byte
                                : r.type == TEST_INT16 ? (const void *)&word
                                                       : &value;
            const size_t size = r.type == TEST_BYTE ? 1 : r.type == TEST_INT16 ? 2 : 4;
            assert_int_equal(fwrite(bytes, size, 1, file), 1);
        }
    }
    assert_int_equal(fclose(file), 0);
    str_addf(&text, "ENVI\nsamples = %lld\nlines = %lld\nbands = %lld\nheader offset = 0\nfile type = ENVI Standard\n",
             (long long)r.width, (long long)r.height, (long long)r.bands);
    str_addf(&text, "data type = %d\ninterleave = bsq\nbyte order = 0\n", (int)r.type);
    if (r.zone > 0)
        str_addf(&text, "map info = {UTM, 1, 1, %.9f, %.9f, %.12g, %.12g, %d, North, WGS-84}\n", r.x, r.y, r.pixel_x,
                 r.pixel_y, r.zone);
    else if (r.zone == 0)
        str_addf(&text, "map info = {Geographic Lat/Lon, 1, 1, %.9f, %.9f, %.12g, %.12g, WGS-84}\n", r.x, r.y,
                 r.pixel_x, r.pixel_y);
    str_addf(&text, "%s", r.more != NULL ? r.more : "");
    (void)snprintf(header, sizeof header, "%s.hdr", path);
    unit_write_text(header, str_text(&text));
    str_done(&text);
}

/* A rectangle of pixels as a feature of GeoJSON text, over an image of 10 m pixels at (500000, 5300000) of zone 33. */
static inline void test_box(Str *text, const char *value, double x0, double y0, double x1, double y1)
{
    const double west = 500000 + 10 * x0;
    const double east = 500000 + 10 * x1;
    const double north = 5300000 - 10 * y0;
    const double south = 5300000 - 10 * y1;
    str_addf(text,
             "%s{\"type\":\"Feature\",\"properties\":{\"id\":%d,\"class\":%s},\"geometry\":{\"type\":\"Polygon\","
             "\"coordinates\":[[[%.1f,%.1f],[%.1f,%.1f],[%.1f,%.1f],[%.1f,%.1f],[%.1f,%.1f]]]}}",
             text->length > 0 ? ",\n" : "", (int)text->length, value, west, north, east, north, east, south, west,
             south, west, north);
}

/* Writes and empties it. */
static inline const char *test_features(const char *name, Str *features, char ret_path[256])
{
    Str text = { 0 };
    str_addf(&text,
             "{\"type\":\"FeatureCollection\",\"crs\":{\"type\":\"name\",\"properties\":{\"name\":"
             "\"urn:ogc:def:crs:EPSG::32633\"}},\"features\":[%s]}",
             str_text(features));
    unit_write_text(unit_at(name, ret_path), str_text(&text));
    str_done(&text);
    str_done(features);
    return ret_path;
}

/* One scene of pixels of 10 m; what it points to lives as long as the options are used. */
static inline DatasetOptions test_dataset_options(DatasetScene *scene, DatasetClass *classes, uint32_t n_classes)
{
    return (DatasetOptions){ .scenes = scene,
                             .n_scenes = 1,
                             .classes = classes,
                             .n_classes = n_classes,
                             .ignore = 255,
                             .gsd_min = 5,
                             .gsd_max = 20,
                             .window = 256,
                             .upsample = 1,
                             .seed = 1,
                             .balance = 0.5 };
}

/* Messages of a call, one a line: the context of test_run(). */
typedef struct Told {
    Str text;
    int64_t warnings;
} Told;

static inline void test_take_message(void *context, int level, const char *text)
{
    Told *told = context;
    told->warnings += level > 0;
    str_addf(&told->text, "%s\n", text);
}

static inline MetasegRun test_run(Told *told) { return (MetasegRun){ .message = test_take_message, .context = told }; }

#endif
