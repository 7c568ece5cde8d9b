/* SPDX-License-Identifier: Apache-2.0
 * Pixels of one raster looked up in another: tests/geometry/pairs.txt lists the pairs, GDAL's own transformation of
 * each single pixel is the judge. */
#include "geo/place_lookup.h"

#include "geo/geo_test.h"

#include <gdal_alg.h>
#include <math.h>

/* A raster without pixels worth reading: only its place counts. */
typedef struct Place {
    char crs[256];
    int64_t columns, rows;
    double transform[6];
    char *wkt;
    bool geographic;
    Georeference *georeference;
} Place;

static void open_place(Place *p)
{
    char path[256];
    Raster *raster = NULL;
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    for (char *c = p->crs + 1; *c != '\0'; c++) /* PROJ wants the spaces that the table cannot have */
        if (*c == '+') memmove(c + 1, c, strlen(c) + 1), *c++ = ' ';
    assert_int_equal(OSRSetFromUserInput(crs, p->crs), OGRERR_NONE);
    p->geographic = OSRIsGeographic(crs) != 0;
    assert_int_equal(OSRExportToWkt(crs, &p->wkt), OGRERR_NONE);
    OSRDestroySpatialReference(crs);
    const char *const sparse[] = { "SPARSE_OK=TRUE", NULL };
    GDALRegister_GTiff();
    const GDALDatasetH d = GDALCreate(GDALGetDriverByName("GTiff"), unit_at("place.tif", path), (int)p->columns,
                                      (int)p->rows, 1, GDT_Byte, (CSLConstList)sparse);
    assert_non_null(d);
    assert_int_equal(GDALSetGeoTransform(d, p->transform), CE_None);
    assert_int_equal(GDALSetProjection(d, p->wkt), CE_None);
    GDALClose(d);
    ASSERT_OK(raster_open(path, NULL, &raster));
    ASSERT_OK(georeference_open(raster, NULL, &p->georeference));
    raster_close(raster);
}

static void close_place(Place *p)
{
    georeference_free(p->georeference);
    CPLFree(p->wkt);
}

/* GDAL's position of each image pixel in the labels. */
static void *gdal_transformer(const Place *image, const Place *labels)
{
    OGRSpatialReferenceH from = OSRNewSpatialReference(image->wkt);
    OGRSpatialReferenceH to = OSRNewSpatialReference(labels->wkt);
    OSRSetAxisMappingStrategy(from, OAMS_TRADITIONAL_GIS_ORDER);
    OSRSetAxisMappingStrategy(to, OAMS_TRADITIONAL_GIS_ORDER);
    void *t = GDALCreateGenImgProjTransformer4(from, image->transform, to, labels->transform, NULL);
    OSRDestroySpatialReference(from);
    OSRDestroySpatialReference(to);
    assert_non_null(t);
    return t;
}

/* A cell, -1 outside; a whole turn of the Earth on from where GDAL puts it counts as the same place. */
static int64_t expected_cell(const Place *labels, double u, double v, int64_t *ret_row)
{
    const double turn = labels->geographic ? 360.0 / labels->transform[1] : 0.0;
    for (int turns = -1; turns <= 1; turns++) {
        const double column = floor(u + turns * turn + 1e-6);
        const double row = floor(v + 1e-6);
        if (!(column >= 0.0 && row >= 0.0 && column < (double)labels->columns && row < (double)labels->rows)) continue;
        *ret_row = (int64_t)row;
        return (int64_t)column;
    }
    *ret_row = -1;
    return -1;
}

static void check_pair(const char *name, Place *image, Place *labels, double at_least)
{
    PlaceLookup *lookup = NULL;
    open_place(image);
    open_place(labels);
    ASSERT_OK(place_lookup_new(image->georeference, labels->georeference, &lookup));
    const int64_t n = image->columns * image->rows;
    double *found_x = malloc((size_t)n * sizeof *found_x);
    double *found_y = malloc((size_t)n * sizeof *found_y);
    const PlaceWindow window = { 0.5, 0.5, 1.0, 1.0, image->columns, image->rows };
    ASSERT_OK(place_lookup_window(lookup, &window, found_x, found_y));
    void *gdal = gdal_transformer(image, labels);
    int64_t inside = 0;
    for (int64_t i = 0; i < n; i++) {
        double x = (double)(i % image->columns) + 0.5;
        double y = (double)(i / image->columns) + 0.5;
        double z = 0.0;
        int good = 0;
        (void)GDALGenImgProjTransform(gdal, 0, 1, &x, &y, &z, &good);
        int64_t expected_row = -1;
        const int64_t expected = good ? expected_cell(labels, x, y, &expected_row) : -1;
        inside += expected >= 0;
        int64_t column = place_index(found_x[i], labels->columns);
        int64_t row = place_index(found_y[i], labels->rows);
        if (column < 0 || row < 0) column = row = -1;
        if (column != expected || row != expected_row)
            fail_msg("%s: pixel %lld, %lld lies at %.9g, %.9g; GDAL says %.9g, %.9g", name,
                     (long long)(i % image->columns), (long long)(i / image->columns), found_x[i], found_y[i], x, y);
    }
    if ((double)inside < at_least / 100.0 * (double)n)
        fail_msg("%s: %.1f %% of the pixels lie in the labels", name, 100.0 * (double)inside / (double)n);
    GDALDestroyGenImgProjTransformer(gdal);
    place_lookup_free(lookup);
    free(found_x);
    free(found_y);
    close_place(image);
    close_place(labels);
}

/* The last nine words of a line. */
static void read_place(char *line, Place *p)
{
    char *word[32];
    int64_t n = 0;
    for (char *w = strtok_r(line, " \t\n", &line); w != NULL; w = strtok_r(NULL, " \t\n", &line)) {
        assert_true(n < 32);
        word[n++] = w;
    }
    assert_true(n >= 10);
    char **last = word + n - 9;
    (void)snprintf(p->crs, sizeof p->crs / 2, "%s", last[0]);
    p->columns = strtoll(last[1], NULL, 10);
    p->rows = strtoll(last[2], NULL, 10);
    for (int64_t i = 0; i < 6; i++) p->transform[i] = strtod(last[3 + i], NULL);
}

static void table_of_pairs(void **state)
{
    (void)state;
    char line[512];
    char name[512] = "";
    Place image = { 0 };
    Place labels = { 0 };
    int64_t pairs = 0;
    FILE *table = fopen(METASEG_SOURCE_DIR "/tests/geometry/pairs.txt", "r");
    assert_non_null(table);
    while (fgets(line, sizeof line, table) != NULL) {
        if (strncmp(line, "pair:", 5) == 0) {
            (void)snprintf(name, sizeof name, "%s", line + 6);
            name[strcspn(name, "\n")] = '\0';
        } else if (strncmp(line, "image", 5) == 0) {
            image = (Place){ 0 };
            read_place(line, &image);
        } else if (strncmp(line, "labels", 6) == 0) {
            labels = (Place){ 0 };
            read_place(line, &labels);
        } else if (strncmp(line, "at least ", 9) == 0) {
            check_pair(name, &image, &labels, strtod(line + 9, NULL));
            pairs++;
        }
    }
    (void)fclose(table);
    assert_true(pairs >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(table_of_pairs) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
