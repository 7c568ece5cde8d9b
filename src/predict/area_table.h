/* SPDX-License-Identifier: Apache-2.0
 * The areas of a map's classes as a file: CSV for spreadsheets, JSON for programs. */
#ifndef METASEG_PREDICT_AREA_TABLE_H
#define METASEG_PREDICT_AREA_TABLE_H

#include "base/output.h"
#include "geo/class_areas.h"
#include "geo/raster_write.h"

/* Writes the table (a line for each class of the list, in its order) as an output to be published (base/output.h), the caller's
 * to close. A path that ends in .json gets one object:
 *
 *     { "map": NAME, "valid_pixels": n, "valid_area_m2": x, "pixels_without_area": n,
 *       "classes": [{ "code": 1, "name": "water", "pixels": n, "area_m2": x, "share": 0.25 }, ...] }
 *
 * any other CSV with the columns class,name,pixels,area_m2,share (names as in base/csv.h). Where no area is known it is null or
 * empty, and the share is that of the valid pixels. `map`: the name that is told in JSON. ERR_OUTPUT, ERR_MEMORY. */
Err area_table_write(const ClassAreas *areas, const RasterClass *classes, int64_t n_classes, const char *map,
                     const char *path, bool overwrite, Output **ret_output);

#endif
