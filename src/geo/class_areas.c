/* SPDX-License-Identifier: Apache-2.0
 * Sums of a window are added to those of the map, so that small pixels are not lost in large sums. */
#include "geo/class_areas.h"

#include <math.h>

/* Sums of one window. */
typedef struct WindowSums {
    int64_t pixels[CLASS_AREAS_CODES];
    double area[CLASS_AREAS_CODES];
    int64_t beyond;
} WindowSums;

static void count_areas(const uint8_t *codes, const double *areas, int64_t n, WindowSums *sums)
{
    for (int64_t x = 0; x < n; x++) {
        if (codes[x] == CLASS_AREAS_NODATA) continue;
        if (isnan(areas[x]))
            sums->beyond++;
        else
            sums->area[codes[x]] += areas[x];
    }
}

Err class_areas_add(ClassAreas *a, PixelArea *area, RasterWindow w, const uint8_t *codes, size_t row_stride,
                    double *scratch)
{
    WindowSums sums = { .beyond = 0 };
    a->known = area != NULL && pixel_area_is_known(area);
    if (a->known) TRY(pixel_area_window(area, w, scratch));
    for (int64_t y = 0; y < w.rows; y++) {
        const uint8_t *row = codes + (size_t)y * row_stride;
        for (int64_t x = 0; x < w.columns; x++) sums.pixels[row[x]]++;
        if (a->known) count_areas(row, scratch + y * w.columns, w.columns, &sums);
    }
    for (int32_t code = 0; code < CLASS_AREAS_NODATA; code++) {
        a->pixels[code] += sums.pixels[code];
        a->area[code] += sums.area[code];
        a->valid += sums.pixels[code];
        a->valid_area += sums.area[code];
    }
    a->beyond += sums.beyond;
    return ERR_NONE;
}

double class_areas_share(const ClassAreas *a, int32_t code)
{
    if (a->known) return a->valid_area > 0.0 ? a->area[code] / a->valid_area : 0.0;
    return a->valid > 0 ? (double)a->pixels[code] / (double)a->valid : 0.0;
}
