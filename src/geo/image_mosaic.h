/* SPDX-License-Identifier: Apache-2.0
 *
 * Many files of one place as one image: a virtual raster of them, as gdalbuildvrt makes it.
 */
#ifndef METASEG_GEO_IMAGE_MOSAIC_H
#define METASEG_GEO_IMAGE_MOSAIC_H

#include "base/err.h"

#include <stdint.h>

/* Writes the virtual raster (path: *.vrt, replaced if it is there) that lays n raster files over each other, in order: later ones on top, but for their nodata; the finest
 * pixel size; where no file lies is no data (an alpha band). Paths in it are absolute. ERR_INPUT: a product, a file
 * that cannot be read, another CRS, number or kind of bands than the first's, a rotated one or one without geotransform; ERR_OUTPUT, ERR_MEMORY. */
Err image_mosaic_write(int64_t n, const char *const *files, const char *path);

#endif
