/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of a raster at the pixels of another one, nearest neighbour, whatever grids and coordinate systems the two have:
 * of each pixel's centre that of the pixel which holds it. Memory follows the pixels that are looked up, not those that
 * lie between them.
 *
 *     RasterLookup *lookup = NULL;
 *     TRY(raster_lookup_new(labels, image_place, label_place, &lookup));
 *     Err err = raster_lookup_window(lookup, &window, values, valid);
 *     raster_lookup_free(lookup);
 */
#ifndef METASEG_GEO_RASTER_LOOKUP_H
#define METASEG_GEO_RASTER_LOOKUP_H

#include "geo/place_lookup.h"
#include "geo/raster.h"

/* Open struct, read-only for others. */
typedef struct RasterLookup {
    Raster *raster;
    int64_t bands;         /* chosen */
    PlaceLookup *places;   /* positions in the raster of the pixels that are looked up */
    double *x, *y;         /* of the points looked up; grow */
    int32_t *column, *row; /* the pixel of each, -1: none */
    int64_t points;
    float *values; /* of one window of pixels; grow */
    uint8_t *valid;
    int64_t pixels;
} RasterLookup;

/* raster: with its bands chosen, on its own grid; `of` and `from` are its place and that of the raster whose pixels are
 * looked up. All are borrowed and must outlive it; one thread at a time. Errors as place_lookup_new. */
Err raster_lookup_new(Raster *raster, Georeference *from, Georeference *of, RasterLookup **ret_lookup);
void raster_lookup_free(RasterLookup *lookup);

/* ret_values [rows][columns][bands], ret_valid [rows][columns]; 0 and 0 where the raster has no pixel or an invalid one. Errors of raster_read.
 */
Err raster_lookup_window(RasterLookup *lookup, const PlaceWindow *window, float *ret_values, uint8_t *ret_valid);

#endif
