/* SPDX-License-Identifier: Apache-2.0
 *
 * A picture in memory as the bytes of a PNG file, for pages and archives that carry their pictures inside.
 */
#ifndef METASEG_GEO_PNG_H
#define METASEG_GEO_PNG_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* pixels [height][width][bands], 3 bands of red, green and blue or 1 of grey, which gets no palette -> the bytes of a PNG file; free()
 * them. ERR_UNSUPPORTED: this GDAL writes no PNG; ERR_MEMORY. */
Err png_encode(const uint8_t *pixels, int32_t bands, int64_t width, int64_t height, uint8_t **ret_bytes,
               size_t *ret_length);

#endif
