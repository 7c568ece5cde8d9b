/* SPDX-License-Identifier: Apache-2.0
 * Names of the classes that a class map carries. */
#include "geo/raster_internal.h"

const char *raster_class_name(const Raster *raster, int64_t value)
{
    char **const names = GDALGetRasterCategoryNames(GDALGetRasterBand(raster->dataset, 1));
    if (names == NULL || value < 0) return "";
    for (int64_t i = 0; names[i] != NULL; i++) {
        if (i == value) return names[i];
    }
    return "";
}
