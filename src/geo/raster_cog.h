/* SPDX-License-Identifier: Apache-2.0
 * Private to src/geo: a finished GeoTIFF as a Cloud Optimized GeoTIFF. */
#ifndef METASEG_GEO_RASTER_COG_H
#define METASEG_GEO_RASTER_COG_H

#include "geo/raster_format.h"

typedef struct CogCopy {
    const char *path;           /* that the file will have, for messages */
    const char *from;           /* the GeoTIFF */
    const char *to;             /* written here; while it grows the driver keeps overviews beside it, as TO.ovr.tmp */
    RasterKind kind;            /* overviews of classes by mode, of all others by average */
    const char *const *options; /* creation options of the driver, checked; NULL: none */
    const volatile int *stop;   /* not 0: stops; NULL: never */
} CogCopy;

/* Copies values, place, names, colours and metadata. ERR_OUTPUT; ERR_INTERRUPTED; ERR_INPUT: `from` cannot be read. */
Err cog_copy(const CogCopy *copy);

#endif
