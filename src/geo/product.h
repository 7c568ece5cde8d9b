/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of several files, one band each, as agencies deliver them: what their metadata say, and one data set of all
 * bands. Private to src/geo; raster_open() takes what is named here like a file.
 *
 *     Product *product = NULL;
 *     if (product_is_named(path)) TRY(product_open(path, &product));
 *     Err err = product_dataset(product, 0, NULL, &dataset);
 *     product_free(product);
 *
 * Read are a Sentinel-2 product (its .SAFE folder, a zip of it, its metadata file, or one folder in its GRANULE), a Landsat
 * product (its folder, its MTL file, or the tar it comes in), a STAC item (its JSON file), a folder of band files, and "B02=a.jp2,B03=b.jp2". All is untrusted: metadata of
 * at most 32 MiB, no file outside the product, plain GeoTIFF or JPEG 2000 files of one band, zips and tars of at most
 * 65,534 entries.
 */
#ifndef METASEG_GEO_PRODUCT_H
#define METASEG_GEO_PRODUCT_H

#include "base/err.h"

#include <gdal.h>
#include <stdbool.h>
#include <stdint.h>

enum { PRODUCT_MAX_BANDS = 64, PRODUCT_NAME_BYTES = 24, PRODUCT_NOTE_BYTES = 400 };

typedef struct ProductBand {
    char name[PRODUCT_NAME_BYTES]; /* "B02", "SR_B4" */
    double wavelength;             /* nanometres, 0: told by the name and the platform */
    double scale, offset;          /* value = stored * scale + offset; 1 and 0 if the metadata state none */
    bool zero_is_nodata;           /* as the product's handbook says, whatever the file does */
    char *file;                    /* as GDAL opens it */
    int source_band;               /* of a file of several bands, from 1; 0: it has one */
    bool file_first;               /* scale, offset and nodata count where the file states none */
    double stated_nodata;          /* with file_first; NAN: none */
    double stated_gsd;             /* metres; of several files of one band */
    /* of the file */
    int width, height, block_height;
    double geotransform[6];
    GDALDataType type;
    bool has_nodata;
    double nodata;
} ProductBand;

/* A band that the metadata list and whose file is not there. */
typedef struct ProductMissing {
    char name[PRODUCT_NAME_BYTES];
    double wavelength;
    char *file;
} ProductMissing;

typedef struct Product {
    const char *format; /* "Sentinel-2 SAFE" */
    ProductBand bands[PRODUCT_MAX_BANDS];
    int64_t n_bands;
    ProductMissing missing[PRODUCT_MAX_BANDS];
    int64_t n_missing;
    char *crs;                     /* WKT of all bands, "" if none */
    char *stated_crs;              /* what the metadata name ("EPSG:32633"), for files that have none; NULL: nothing */
    char **items;                  /* metadata as "KEY=VALUE" (CSL), keys as in metadata.c */
    char **files;                  /* local files that are read (CSL), the one whose name tells most first */
    const char *classification;    /* "SCL" or "QA_PIXEL": tells clouds; NULL: none */
    char *classification_file;     /* as GDAL opens it */
    char note[PRODUCT_NOTE_BYTES]; /* what a person should know of it, "": nothing */
} Product;

/* Whether a path names a product rather than one raster file; looks at the kind of file and at names alone. */
bool product_is_named(const char *path);

/* What a folder is, by the names in it: a product with its metadata (X.SAFE, a folder in its GRANULE, one with an MTL file), a
 * scene of band files (one name at least has a code), or neither, which includes a folder that cannot be read. */
typedef enum ProductFolder {
    PRODUCT_FOLDER_NONE = 0,
    PRODUCT_FOLDER_METADATA,
    PRODUCT_FOLDER_BAND_FILES
} ProductFolder;
ProductFolder product_folder_kind(const char *path);

/* "B02=a.jp2,B03=b.jp2" */
bool product_band_files_is_list(const char *path);

/* Whether the name of a file (no folders) says raster and has a band code: "x_B04.tif". */
bool product_band_files_has_code(const char *name);

/* Reads the metadata, and looks into each band's file. product_free() it. ERR_INPUT with one sentence: no product in a
 * folder, a level that is not known, metadata that are damaged, no band's file, bands that do not fit together; ERR_MEMORY. A
 * band whose file is missing or empty is remembered: whoever asks for it is told. */
Err product_open(const char *path, Product **ret_product);
void product_free(Product *product);

/* The classification of a product as a product of its own. ERR_INPUT where it has none of that name (case ignored);
 * ERR_MEMORY. */
Err product_classification(const char *path, const Product *product, const char *name, Product **ret_product);

/* A virtual data set with all bands, in order, on the grid of the finest of the chosen ones (numbers from 1; count 0: of
 * all): bands of that grid as they are, others brought onto it, bilinear among their valid pixels. GDALClose() it.
 * ERR_INPUT, ERR_MEMORY. */
Err product_dataset(const Product *product, int64_t count, const int *chosen, GDALDatasetH *ret_dataset);

#endif
