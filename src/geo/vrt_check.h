/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to src/geo: a virtual raster (VRT) is a small program in XML. Before GDAL opens one we check that it does
 * nothing but mosaic, stack or warp plain local files. */
#ifndef METASEG_GEO_VRT_CHECK_H
#define METASEG_GEO_VRT_CHECK_H

#include "base/err.h"

/* Walks the XML of the VRT file `path` and of the VRTs among its sources (at most 4 deep). ERR_INPUT, with the reason:
 * broken XML; a class of band or data set other than plain, sourced and warped (pixel functions, raw, pan-sharpened,
 * multidimensional); a source that is missing, not a plain local file, or of a format that raster_open refuses. */
Err vrt_check(const char *path);

#endif
