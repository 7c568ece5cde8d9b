/* SPDX-License-Identifier: Apache-2.0
 *
 * A box of coordinates as a part of a raster.
 */
#ifndef METASEG_GEO_RASTER_EXTENT_H
#define METASEG_GEO_RASTER_EXTENT_H

#include "geo/georeference.h"
#include "geo/raster.h"

/* A box in coordinates of a CRS: as gdalwarp -te has it. */
typedef struct RasterExtent {
    double xmin, ymin, xmax, ymax;
    const char *crs; /* of these numbers ("EPSG:4326", longitude first); NULL: the raster's own */
} RasterExtent;

/* xmin, ymin, xmax, ymax as a box, whatever they are; false, ret untouched, where all are 0, which is how options say "none". */
bool raster_extent_of(const double numbers[4], const char *crs, RasterExtent *ret_extent);

/* ERR_ARGUMENT, with the `option` that gave it, unless xmin < xmax and ymin < ymax. */
Err raster_extent_check(const RasterExtent *extent, const char *option);

/* All pixels of the raster that the box touches: it grows to whole pixels of the raster's own grid (by none where it ends within a
 * thousandth of a pixel of a border) and is cut to the raster. place: that of the whole raster, with its geotransform and the CRS that counts. From
 * another CRS the box around the transformed box is taken, edges divided into 21 pieces as gdalwarp does; where the
 * raster is rotated the box around it in pixels. *ret_cut: some of the box lies beside the raster. ERR_INPUT: the raster has no geotransform, or no
 * CRS while the box has one; no way between the CRSs; the box lies beside the raster. ERR_ARGUMENT (crs), ERR_MEMORY. */
Err raster_extent_window(const RasterExtent *extent, const Raster *raster, const Georeference *place,
                         RasterWindow *ret_window, bool *ret_cut);

#endif
