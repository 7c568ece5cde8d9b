/* SPDX-License-Identifier: Apache-2.0
 *
 * The images in a folder, for who takes a folder as many inputs.
 */
#ifndef METASEG_GEO_FOLDER_IMAGES_H
#define METASEG_GEO_FOLDER_IMAGES_H

#include "base/err.h"

#include <stdint.h>

/* folder_images_done() it. */
typedef struct FolderImages {
    char **paths; /* "FOLDER/NAME", sorted by the bytes of the names */
    int64_t count, capacity;
    int64_t others, folders;    /* what else lies there: files that are no image, folders that are no product */
    char *other, *other_folder; /* the name of the first of each, NULL: there is none */
} FolderImages;

/* Lists a folder itself, no folder in it. An image is a file whose suffix says so (.tif, .tiff, .jp2, .j2k, .jpg, .jpeg,
 * .png, .img, .vrt), whatever is in it, so that a damaged one is told by who reads it; any other file that GDAL knows for a raster in a
 * format that raster_open() reads, but for side-cars (.ovr, .msk, .aux, .rrd); an archive that is called like a product of Sentinel-2 or Landsat; a
 * folder of such a product (.SAFE, or with its metadata). stop: NULL, or looked at between files. ERR_INPUT: the folder
 * cannot be read; ERR_INTERRUPTED, ERR_MEMORY. */
Err folder_images_list(const char *folder, const volatile int *stop, FolderImages *ret_images);
void folder_images_done(FolderImages *images);

/* "3 other files ('a.txt' for one) and 1 folder ('b')", "" where nothing else lies there. */
enum { FOLDER_REST_BYTES = 700 };
const char *folder_images_rest(const FolderImages *images, char ret_text[FOLDER_REST_BYTES]);

#endif
