/* SPDX-License-Identifier: Apache-2.0
 *
 * The formats that maps are written in, and the creation options of their drivers that a user may choose. GDAL itself only
 * warns of an option that it does not know, and takes many that would change values, grid or colours: those are refused
 * here, before any work. */
#ifndef METASEG_GEO_RASTER_FORMAT_H
#define METASEG_GEO_RASTER_FORMAT_H

#include "base/err.h"

/* What a raster of ours holds; its name stands in the TIFF as METASEG_KIND ("classes", "confidence", "probabilities"). A
 * class map also carries METASEG_CLASS_7=NAME for each class, so that a copy without its .aux.xml keeps the names. */
typedef enum RasterKind {
    RASTER_CLASSES,       /* 1 band: class values, palette, class names, nodata 255 */
    RASTER_CONFIDENCE,    /* 1 band: 0..254 = probability / 254 (band scale 1/254, offset 0), nodata 255 */
    RASTER_PROBABILITIES, /* one band per class, named, values as RASTER_CONFIDENCE */
    RASTER_COLORS,        /* 3 bands red, green, blue, no nodata */
} RasterKind;

typedef enum RasterFormat {
    RASTER_GTIFF, /* tiles of 256 x 256 pixels, deflated, bands one after the other */
    RASTER_COG,   /* Cloud Optimized GeoTIFF: tiles of 512 x 512, deflated, with overviews */
} RasterFormat;

/* Checks creation options of a user: "NAME=VALUE", NULL at the end; NULL: none. Names are GDAL's, in any case. Whatever the driver
 * takes is tried on a small raster in memory, which must come back with the same values. ERR_OUTPUT: the driver cannot read its own files. ERR_ARGUMENT, one sentence: no
 * NAME=VALUE, a name twice, one that the driver does not have (with those that may be chosen), a value that it does not take, an
 * option that would change values, grid, colours or names. */
Err raster_format_check(RasterFormat format, const char *const *options);

/* Private to src/geo, inside a GDAL session: the driver's name, and what a raster is created with: our own choice, and checked
 * options of the user over it. CSLDestroy() it. */
const char *raster_format_driver(RasterFormat format);
char **raster_format_options(RasterFormat format, RasterKind kind, const char *const *options);

/* The same, until the session ends: what GDAL would otherwise take from the environment for the overviews of a COG (COMPRESS_OVERVIEW and
 * others) is what `options`, made by raster_format_options, say. */
void raster_format_pin_overviews(char **options);

#endif
