/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the pixels of one raster lie in another one, for whole windows: labels under an image, a map under a reference.
 *
 *     PlaceLookup *lookup = NULL;
 *     TRY(place_lookup_new(image_place, label_place, &lookup));
 *     const PlaceWindow window = { .x = 0.5, .y = 64.5, .step_x = 1.0, .step_y = 1.0, .columns = 512, .rows = 64 };
 *     TRY(place_lookup_window(lookup, &window, x, y));
 *     const int64_t column = place_index(x[i], label_width), row = place_index(y[i], label_height);
 *     if (column >= 0 && row >= 0) ... the label pixel that holds the centre of pixel i ...
 *
 * Rasters of one CRS (georeference_same_crs) are joined by their geotransforms alone, also beyond the edge of their
 * projection. Else each position is that of PROJ's transformation from one CRS to the other (through EPSG:4326 where one
 * side has RPCs), computed at nodes: a cell of pixels takes the quadratic polynomial through nine of them where four more
 * positions in it agree, and is split where they do not, until each pixel is within
 *
 *     a ten-thousandth of a pixel of the target, or of the source where that is larger.
 *
 * Between UTM and degrees the error of the polynomial is about (side / 6371 km)^3 * 6371 km / 50, 1 cm over 27 km.
 * A position nearer than twice that to the border of a target pixel is transformed itself, so that place_index gives the
 * pixel that an exact transformation gives. At the date line, around poles and along the edge of a projection cells do
 * not agree, so every pixel there is transformed. Longitudes (and x of cylindrical projections) are taken at the turn
 * nearest to the target's centre. Outside the domain of a projection positions are NaN.
 */
#ifndef METASEG_GEO_PLACE_LOOKUP_H
#define METASEG_GEO_PLACE_LOOKUP_H

#include "geo/georeference.h"

typedef struct PlaceLookup PlaceLookup;

/* Pixel (column, row) of the window has its centre at (x + column step_x, y + row step_y), in pixel positions of the
 * source raster ((0.5, 0.5): centre of its first pixel). Any grid over the source may be described so. */
typedef struct PlaceWindow {
    double x, y;
    double step_x, step_y;
    int64_t columns, rows;
} PlaceWindow;

/* `to` NULL: positions are longitude in [-180, 180) and latitude, within a thousandth of a source pixel. Borrows both,
 * which must outlive it; one thread at a time. ERR_INPUT when the place of one is unknown and they do not share a CRS
 * either; ERR_MEMORY. place_lookup_free() it. */
Err place_lookup_new(Georeference *from, Georeference *to, PlaceLookup **ret_lookup);
void place_lookup_free(PlaceLookup *lookup);

/* True when target positions are an affine map of source positions over the whole raster: ret_map (may be NULL) as a
 * geotransform, x = m[0] + m[1] column + m[2] row. */
bool place_lookup_is_affine(const PlaceLookup *lookup, double ret_map[6]);

/* Positions of a window's pixels in the target: ret_x, ret_y [rows][columns], NaN where unknown. ERR_MEMORY. */
Err place_lookup_window(PlaceLookup *lookup, const PlaceWindow *window, double *ret_x, double *ret_y);

/* Index of the pixel that holds a position on an axis of n pixels, -1 outside and for NaN. A position on the border of
 * two pixels, or less than a millionth before it, belongs to the second, so that rounding does not decide. */
int64_t place_index(double position, int64_t n);

#endif
