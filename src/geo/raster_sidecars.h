/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to src/geo: what lies beside a map that we write. GDAL's side-car (MAP.tif.aux.xml) has the class names, the
 * raster attribute table and coordinate systems that GeoTIFF cannot hold; GDAL writes it while it closes the file and says nothing when it cannot,
 * so the text is made here and written by us. QGIS's style (MAP.qml) shows the classes alone: without it QGIS lists all
 * 256 entries of the palette.
 */
#ifndef METASEG_GEO_RASTER_SIDECARS_H
#define METASEG_GEO_RASTER_SIDECARS_H

#include "geo/class_areas.h"
#include "geo/raster_write.h"

/* The text of a .aux.xml: what GDAL left in the file `pam` (may be missing), and the class names and the raster attribute table of
 * band 1 (n_classes 0: none): a row for each class with Value, Count, Class_Name, Red, Green, Blue, Area_m2 where areas are known,
 * and Share (class_areas.h). Counts are reals, as in tables of ERDAS Imagine, because GDAL's integers end at 2^31.
 * *ret_text is NULL when there is nothing to write; else free() it. ERR_OUTPUT: GDAL's own part is incomplete;
 * ERR_MEMORY. */
Err sidecar_text(const char *pam, const RasterClass *classes, int64_t n_classes, const ClassAreas *areas,
                 char **ret_text);

/* The text of a .qml for these classes; free() it. ERR_MEMORY. */
Err sidecar_style(const RasterClass *classes, int64_t n_classes, char **ret_text);

/* Text for XML and for people: control characters, characters that turn the direction, and what is not UTF-8 become
 * visible escapes. free() it. ERR_MEMORY. */
Err sidecar_clean(const char *text, char **ret_text);

#endif
