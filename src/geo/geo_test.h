/* SPDX-License-Identifier: Apache-2.0
 * For the tests of src/geo: rasters made on the spot. */
#ifndef METASEG_GEO_GEO_TEST_H
#define METASEG_GEO_GEO_TEST_H

#include "harness/unit.h"

#include <cpl_string.h>
#include <gdal.h>
#include <gdal_frmts.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <sys/stat.h>

/* A raster for a test; zero means the usual: 1 band, GTiff, no georeference. */
typedef struct TestRaster {
    int width, height, bands;
    GDALDataType type;          /* GDT_Unknown: Byte */
    const char *driver;         /* NULL: GTiff */
    const double *geotransform; /* NULL: none */
    int epsg;                   /* 0: none */
    const char *wkt;            /* instead of epsg */
    const double *nodata;       /* NULL: none */
    const float *values;        /* [height][width][bands]; NULL: value (7 x + 13 y + 29 b) % 200 + 1 */
    const char *const *options; /* creation options */
} TestRaster;

static inline float test_value(int x, int y, int b) { return (float)((7 * x + 13 * y + 29 * b) % 200 + 1); }

/* Writes it; fails the test when GDAL cannot. */
static inline void test_raster(const char *path, TestRaster r)
{
    GDALRegister_GTiff();
    GDALRegister_PNG();
    GDALRegister_JPEG();
    GDALRegister_ENVI();
    GDALRegister_HFA();
    GDALRegister_COG();
    GDALRegister_JP2OpenJPEG();
    GDALRegister_MEM();
    const int bands = r.bands > 0 ? r.bands : 1;
    const GDALDataType type = r.type == GDT_Unknown ? GDT_Byte : r.type;
    const GDALDriverH driver = GDALGetDriverByName(r.driver != NULL ? r.driver : "GTiff");
    const bool direct = GDALGetMetadataItem(driver, GDAL_DCAP_CREATE, NULL) != NULL;
    GDALDatasetH d = GDALCreate(direct ? driver : GDALGetDriverByName("MEM"), path, r.width, r.height, bands, type,
                                direct ? (CSLConstList)r.options : NULL);
    assert_non_null(d);
    if (r.geotransform != NULL) assert_int_equal(GDALSetGeoTransform(d, (double *)r.geotransform), CE_None);
    if (r.epsg != 0 || r.wkt != NULL) {
        OGRSpatialReferenceH crs = OSRNewSpatialReference(r.wkt);
        if (r.epsg != 0) assert_int_equal(OSRImportFromEPSG(crs, r.epsg), OGRERR_NONE);
        assert_int_equal(GDALSetSpatialRef(d, crs), CE_None);
        OSRDestroySpatialReference(crs);
    }
    float *row = malloc((size_t)r.width * sizeof *row);
    for (int b = 0; b < bands; b++) {
        if (r.nodata != NULL) GDALSetRasterNoDataValue(GDALGetRasterBand(d, b + 1), *r.nodata);
        for (int y = 0; y < r.height; y++) {
            for (int x = 0; x < r.width; x++)
                row[x] = r.values != NULL ? r.values[((long)y * r.width + x) * bands + b] : test_value(x, y, b);
            assert_int_equal(GDALRasterIO(GDALGetRasterBand(d, b + 1), GF_Write, 0, y, r.width, 1, row, r.width, 1,
                                          GDT_Float32, 0, 0),
                             CE_None);
        }
    }
    free(row);
    if (!direct) {
        const GDALDatasetH copy = GDALCreateCopy(driver, path, d, 0, (CSLConstList)r.options, NULL, NULL);
        assert_non_null(copy);
        GDALClose(copy);
    }
    GDALClose(d);
}

#endif
