/* SPDX-License-Identifier: Apache-2.0
 * Private to src/geo: the climate map's rows and file format. */
#ifndef METASEG_GEO_CLIMATE_INTERNAL_H
#define METASEG_GEO_CLIMATE_INTERNAL_H

#include "geo/climate.h"

#include <stddef.h>

enum {
    CLIMATE_VERSION = 1,
    CLIMATE_HEADER_BYTES = 24,
    CLIMATE_MAX_WIDTH = 65535,
    CLIMATE_MAX_HEIGHT = 32768,
    CLIMATE_BLOCK = 32
};

struct Climate {
    int64_t width, height;
    int64_t runs;
    uint32_t *row_start; /* [height + 1] */
    uint16_t *run_end;   /* [runs], exclusive */
    uint8_t *run_zone;   /* [runs] */
    uint8_t *land; /* [rows of blocks][columns of blocks]: 1 where a block of 32 x 32 cells has a zone; may be NULL */
};

/* Blocks along an axis of n cells. */
int64_t climate_blocks(int64_t n);

/* Writes the compact file. */
Err climate_write(const Climate *climate, const char *path, int overwrite);

#endif
