/* SPDX-License-Identifier: Apache-2.0
 * Private to src/geo: what footprint and sampling need of a Georeference. */
#ifndef METASEG_GEO_GEOREFERENCE_INTERNAL_H
#define METASEG_GEO_GEOREFERENCE_INTERNAL_H

#include "geo/georeference.h"

/* Geotransform (kind GEOTRANSFORM, or NONE with a local CRS). */
const double *georeference_geotransform(const Georeference *georeference);

/* Metres per unit of a projected or local CRS, else NaN; degrees per unit of a geographic one, else NaN. */
double georeference_metres_per_unit(const Georeference *georeference);
double georeference_degrees_per_unit(const Georeference *georeference);

/* Size of the raster in pixels. */
void georeference_size(const Georeference *georeference, double *ret_width, double *ret_height);

#endif
