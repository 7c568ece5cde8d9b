/* SPDX-License-Identifier: Apache-2.0
 * Private to src/geo: the classes of a map that was written. */
#ifndef METASEG_GEO_RASTER_COUNT_H
#define METASEG_GEO_RASTER_COUNT_H

#include "geo/class_areas.h"

/* Reads the whole of a finished map once more, block by block, and counts its classes: what was written by many calls in whatever order,
 * before and after an interruption, is counted as it lies on the disk, and a block that cannot be read is found before the
 * map has its name. `path`: for messages; `area`: of its grid, NULL: unknown; stop: NULL, or checked. ERR_OUTPUT,
 * ERR_INTERRUPTED, ERR_MEMORY. */
Err raster_count_classes(const char *tiff, const char *path, PixelArea *area, const volatile int *stop,
                         ClassAreas *ret_areas);

#endif
