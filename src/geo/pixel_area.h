/* SPDX-License-Identifier: Apache-2.0
 *
 * Areas of pixels on the ellipsoid of WGS 84, in square metres: true ones, whatever the projection does to areas. */
#ifndef METASEG_GEO_PIXEL_AREA_H
#define METASEG_GEO_PIXEL_AREA_H

#include "geo/georeference.h"

typedef struct PixelArea PixelArea;

/* Of the grid of an open raster. `crs`: as georeference_open takes it. pixel_area_free() it. Errors of georeference_open. */
Err pixel_area_new(const Raster *raster, const char *crs, PixelArea **ret_area);
void pixel_area_free(PixelArea *area);

/* False where the raster does not say how large its pixels are: no georeference, or a local one without a unit. */
bool pixel_area_is_known(const PixelArea *area);

/* Areas of the pixels of a window inside the raster, ret_areas [rows][columns]; NaN beyond the edge of the projection. In longitude and latitude they are
 * exact. Otherwise pixels of a lattice (at most 64 pixels and a tenth of a degree apart) are measured, those between interpolated,
 * which moves an area by less than a millionth; the same pixel always has the same area, whatever the window.
 * ERR_MEMORY. */
Err pixel_area_window(PixelArea *area, RasterWindow window, double *ret_areas);

/* Area between two latitudes and two longitudes, degrees. Snyder, Map Projections: A Working Manual (1987), equation 3-12: a quarter of
 * the authalic function's difference; on the sphere R^2 (sin b - sin a) (east - west). */
double geo_zone_area(double south, double north, double width);

#endif
