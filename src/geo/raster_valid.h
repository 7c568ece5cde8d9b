/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to src/geo: which pixels of a window are valid. GDAL says it, band by band (GDALGetMaskBand): a mask stored
 * with the file decides alone, else NODATA_VALUES (no data where every band of the file has its value), else the band's
 * own nodata value, else the alpha band. What we add, because GDAL's rules leave it open:
 *   - a band that is chosen as data is never a mask; an alpha band that is not chosen is one in every file (GDAL: in
 *     files of two and of four bands), beside masks and nodata values; 0 is invalid, 1 and above are valid
 *   - values that are no number, infinite or beyond +-3.4e38 (nodata values near the largest float, however rounded)
 *   - colours of a palette that are wholly transparent
 *   - nodata values of signed bytes, which GDAL before 3.7 presents as bytes */
#ifndef METASEG_GEO_RASTER_VALID_H
#define METASEG_GEO_RASTER_VALID_H

#include "geo/gdal_session.h"
#include "geo/raster_internal.h"

/* Fills raster->bands[index].mask from the open data set. ERR_MEMORY. */
Err raster_valid_describe(Raster *raster, int64_t index);

/* A window inside the file: values [rows][columns][chosen bands] as read, ret_valid [rows][columns] 1 or 0. Inside a
 * GDAL bracket. ERR_INPUT: a mask cannot be read. ERR_MEMORY. */
Err raster_valid_read(Raster *raster, RasterWindow window, const GdalSession *session, const float *values,
                      uint8_t *ret_valid);

#endif
