/* SPDX-License-Identifier: Apache-2.0
 * Private to the readers of products: their files, and one function per family. */
#ifndef METASEG_GEO_PRODUCT_INTERNAL_H
#define METASEG_GEO_PRODUCT_INTERNAL_H

#include "geo/product.h"

/* Adds a band with scale 1 and offset 0. name and file are copied. ERR_INPUT: too many bands, or one of that name;
 * ERR_MEMORY. */
Err product_add_band(Product *product, const char *name, const char *file, ProductBand **ret_band);

/* Remembers a band whose file is missing. */
Err product_add_missing(Product *product, const char *name, double wavelength, const char *file);

/* Adds a metadata item where there is a value. */
void product_add_item(Product *product, const char *key, const char *value);

/* Adds a local file that is read. */
void product_add_file(Product *product, const char *path);

/* Names in a folder, local or in an archive, sorted; CSLDestroy() them. NULL where it cannot be read. */
char **product_list(const char *folder);

/* The first of these names that `is` says yes to, NULL: none, or no names. */
const char *product_find_name(char **names, bool (*is)(const char *));

/* A whole text of at most 32 MiB, local or in an archive. free() it. ERR_INPUT, ERR_MEMORY. */
Err product_read_text(const char *path, char **ret_text);

/* Whether a file, local or in an archive, is there and not empty. */
bool product_has_file(const char *path);

/* A file name out of metadata: no folder above, no absolute path. ERR_INPUT, with the product's name. */
Err product_check_name(const char *path, const char *name);

/* Length of an image's name without the pixel size at its end ("_20m"), which goes to ret_metres; 0 there: none. */
size_t product_name_length(const char *name, int *ret_metres);

/* A number out of metadata, of a key that is there. ERR_INPUT. */
Err product_number(const char *path, const char *key, const char *text, double *ret_value);

/* product_grid.c: looks into each band's file, fills in its size, place and type, and the product's coordinate system.
 * ERR_INPUT: no plain raster of one band, another coordinate system or place than the first band's; ERR_MEMORY. */
Err product_measure(const char *path, Product *product);

/* product_sentinel2.c: the product in `root` (a folder, or one in a zip). granule: name of the one folder in GRANULE that
 * is wanted, NULL: the only one. zip: the local zip file, NULL: none. path: for messages. */
Err product_sentinel2_open(const char *path, const char *root, const char *granule, const char *zip, Product *product);
bool product_sentinel2_is_metadata(const char *name); /* "MTD_MSIL2A.xml" */

/* product_landsat.c: the product of an MTL file. tar: the local tar that it lies in, NULL: none. */
Err product_landsat_open(const char *path, const char *metadata, const char *tar, Product *product);
bool product_landsat_is_metadata(const char *name); /* "LC08_..._MTL.txt" */

/* product_stac.c: a STAC item, by its JSON file (absolute: whole). */
bool product_stac_is_named(const char *path);
Err product_stac_open(const char *path, const char *whole, Product *product);

/* product_archive.c: a Sentinel-2 product in a zip, a Landsat product in a tar; whole: its absolute path. At most 65,534 files lie
 * in it. */
bool product_archive_is_named(const char *path);
Err product_archive_open(const char *path, const char *whole, Product *product);

/* product_band_files.c: "B02=a.jp2,B03=b.jp2" (product_band_files_is_list), or the files of a folder whose names carry band codes. */
Err product_band_files_open_list(const char *path, Product *product);
Err product_band_files_open_folder(const char *path, char **names, Product *product);

#endif
