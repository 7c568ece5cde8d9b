/* SPDX-License-Identifier: Apache-2.0
 *
 * A picture in memory as the bytes of a PNG file, for pages that carry their pictures inside.
 */
#ifndef METASEG_GEO_PNG_H
#define METASEG_GEO_PNG_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* rgb [height][width][3] -> the bytes of a PNG file; free() them. ERR_UNSUPPORTED: this GDAL writes no PNG; ERR_MEMORY. */
Err png_encode(const uint8_t *rgb, int64_t width, int64_t height, uint8_t **ret_bytes, size_t *ret_length);

#endif
