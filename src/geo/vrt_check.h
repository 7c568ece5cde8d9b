/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to src/geo: a virtual raster (VRT) is a small program in XML. Before GDAL opens one we check that it does
 * nothing but mosaic, stack or warp plain local files. */
#ifndef METASEG_GEO_VRT_CHECK_H
#define METASEG_GEO_VRT_CHECK_H

#include "base/err.h"

/* Walks the XML of the VRT file `path` and of the VRTs among its sources (at most 4 deep, none within itself); each file
 * once, at most 2^20 sources and 2^28 bytes of XML in all. ERR_INPUT, with the reason: broken XML; a source of another
 * kind than simple, complex, averaged and no-data; a class of band or data set other than plain, sourced and warped
 * (pixel functions, raw, pan-sharpened, processed, multidimensional); a source that is missing, not a plain local file,
 * or of a format that raster_open refuses. ERR_INTERRUPTED when *stop (NULL: none) is set meanwhile. ERR_MEMORY. */
Err vrt_check(const char *path, const volatile int *stop);

#endif
