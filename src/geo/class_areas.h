/* SPDX-License-Identifier: Apache-2.0
 *
 * How many pixels each class of a map has, and how much ground they cover. */
#ifndef METASEG_GEO_CLASS_AREAS_H
#define METASEG_GEO_CLASS_AREAS_H

#include "geo/pixel_area.h"

#include <stddef.h>

enum { CLASS_AREAS_CODES = 256, CLASS_AREAS_NODATA = 255 };

/* By code; of CLASS_AREAS_NODATA nothing is counted. */
typedef struct ClassAreas {
    bool known; /* how large pixels are; otherwise all areas are 0 */
    int64_t pixels[CLASS_AREAS_CODES];
    double area[CLASS_AREAS_CODES]; /* m2 on the ellipsoid of WGS 84 */
    int64_t valid;                  /* pixels of all codes */
    double valid_area;
    int64_t beyond; /* of the valid pixels those whose area is unknown: beyond the edge of the projection */
} ClassAreas;

/* Adds a window of a map: codes [rows], row_stride bytes apart; scratch [rows][columns] for the areas. `area`: of the map's grid; NULL:
 * pixels alone are counted. Windows come in any order; sums of areas depend on it in their last digits. ERR_MEMORY. */
Err class_areas_add(ClassAreas *areas, PixelArea *area, RasterWindow window, const uint8_t *codes, size_t row_stride,
                    double *scratch);

/* Share of a code in the valid area; where no area is known in the valid pixels; 0 of a map without any. */
double class_areas_share(const ClassAreas *areas, int32_t code);

#endif
