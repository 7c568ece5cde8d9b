/* SPDX-License-Identifier: Apache-2.0
 *
 * A map while it is computed: planes of bytes in a file without a name, filled in any order and read block by block, so that
 * the raster can be written in the order of its blocks whatever order its pixels came in, in memory that does not follow its
 * size. The file takes planes * width * height bytes, both sides filled up to whole blocks of MAP_STORE_BLOCK. */
#ifndef METASEG_PREDICT_MAP_STORE_H
#define METASEG_PREDICT_MAP_STORE_H

#include "base/output.h"
#include "geo/raster.h"

enum { MAP_STORE_BLOCK = 256 };

typedef struct MapStore MapStore;

/* Takes `file` (open for reading and writing, empty; closed by map_store_free, also when this fails). path: the map it is for,
 * borrowed, for messages. ERR_MEMORY. */
Err map_store_new(int file, const char *path, int64_t width, int64_t height, int64_t planes, MapStore **ret_store);
void map_store_free(MapStore *store);

/* Writes a window of a plane; bytes: [at.rows][at.columns], rows `stride` bytes apart. ERR_OUTPUT: the disk is full, fails. */
Err map_store_write(MapStore *store, int64_t plane, RasterWindow at, const uint8_t *bytes, int64_t stride);

/* Reads the block in this column and row of blocks: ret_bytes [MAP_STORE_BLOCK][MAP_STORE_BLOCK]; what nobody wrote is 0.
 * ERR_OUTPUT. */
Err map_store_read(const MapStore *store, int64_t plane, int64_t column, int64_t row, uint8_t *ret_bytes);

#endif
