/* SPDX-License-Identifier: Apache-2.0
 *
 * Many raster positions to longitude and latitude, fast: exact where that is affine, else interpolated between the
 * nodes of a coarse grid whose nodes are fixed to the raster (multiples of the spacing), so that a place always gets
 * the same answer. Interpolation is bilinear in unit vectors, which the date line and the poles do not disturb; over at
 * most 50 km between nodes its error is about 50^2 / (8 * 6371) = 0.05 km.
 */
#ifndef METASEG_GEO_PLACE_GRID_H
#define METASEG_GEO_PLACE_GRID_H

#include "geo/georeference.h"

typedef struct PlaceGrid PlaceGrid;

/* Borrows the georeference. ERR_MEMORY. */
Err place_grid_new(Georeference *georeference, PlaceGrid **ret_grid);
void place_grid_free(PlaceGrid *grid);

/* n raster positions -> (lon, lat), in place; NaN where unknown. ERR_MEMORY. */
Err place_grid_lonlat(PlaceGrid *grid, int64_t n, double *x, double *y);

#endif
