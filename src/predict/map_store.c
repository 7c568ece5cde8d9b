/* SPDX-License-Identifier: Apache-2.0
 * Blocks one after the other: [planes][rows of blocks][columns of blocks][MAP_STORE_BLOCK][MAP_STORE_BLOCK]. */
#include "predict/map_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = MAP_STORE_BLOCK, BLOCK_BYTES = BLOCK * BLOCK };

struct MapStore {
    int file;
    const char *path;
    int64_t columns, rows, planes; /* of blocks */
    uint8_t *gathered;             /* [BLOCK][BLOCK] */
};

Err map_store_new(int file, const char *path, int64_t width, int64_t height, int64_t planes, MapStore **ret_store)
{
    MapStore *s = calloc(1, sizeof *s);
    uint8_t *gathered = malloc(BLOCK_BYTES);
    if (s == NULL || gathered == NULL) {
        free(s);
        free(gathered);
        (void)close(file);
        return err_memory(BLOCK_BYTES, "a block of the map");
    }
    *s = (MapStore){ .file = file,
                     .path = path,
                     .columns = (width + BLOCK - 1) / BLOCK,
                     .rows = (height + BLOCK - 1) / BLOCK,
                     .planes = planes,
                     .gathered = gathered };
    *ret_store = s;
    return ERR_NONE;
}

void map_store_free(MapStore *store)
{
    if (store == NULL) return;
    (void)close(store->file);
    free(store->gathered);
    free(store);
}

static int64_t block_offset(const MapStore *s, int64_t plane, int64_t column, int64_t row)
{
    ASSERT(plane >= 0 && plane < s->planes && column >= 0 && column < s->columns && row >= 0 && row < s->rows);
    return ((plane * s->rows + row) * s->columns + column) * BLOCK_BYTES;
}

static Err write_at(const MapStore *s, const uint8_t *bytes, int64_t count, int64_t offset)
{
    while (count > 0) {
        const ssize_t n = pwrite(s->file, bytes, (size_t)count, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return output_error(s->path, n < 0 ? errno : ENOSPC);
        bytes += n;
        count -= n;
        offset += n;
    }
    return ERR_NONE;
}

/* The part of a window in one block, whose pixel (x, y) of the map is its first. */
static Err write_part(MapStore *s, int64_t plane, RasterWindow part, const uint8_t *bytes, int64_t stride)
{
    const int64_t column = part.x / BLOCK, row = part.y / BLOCK, x = part.x % BLOCK, y = part.y % BLOCK;
    const int64_t offset = block_offset(s, plane, column, row) + y * BLOCK + x;
    if (part.columns < BLOCK) {
        for (int64_t i = 0; i < part.rows; i++) TRY(write_at(s, bytes + i * stride, part.columns, offset + i * BLOCK));
        return ERR_NONE;
    }
    for (int64_t i = 0; i < part.rows; i++) memcpy(s->gathered + i * BLOCK, bytes + i * stride, BLOCK);
    return write_at(s, s->gathered, part.rows * BLOCK, offset);
}

/* From i on, up to the end of its block or to `end`. */
static int64_t along_block(int64_t i, int64_t end)
{
    const int64_t block_end = (i / BLOCK + 1) * BLOCK;
    return (block_end < end ? block_end : end) - i;
}

Err map_store_write(MapStore *s, int64_t plane, RasterWindow at, const uint8_t *bytes, int64_t stride)
{
    const int64_t end_x = at.x + at.columns, end_y = at.y + at.rows;
    RasterWindow part = at;
    for (part.y = at.y; part.y < end_y; part.y += part.rows) {
        part.rows = along_block(part.y, end_y);
        for (part.x = at.x; part.x < end_x; part.x += part.columns) {
            part.columns = along_block(part.x, end_x);
            TRY(write_part(s, plane, part, bytes + (part.y - at.y) * stride + part.x - at.x, stride));
        }
    }
    return ERR_NONE;
}

Err map_store_read(const MapStore *s, int64_t plane, int64_t column, int64_t row, uint8_t *ret_bytes)
{
    const int64_t offset = block_offset(s, plane, column, row);
    int64_t done = 0;
    while (done < BLOCK_BYTES) {
        const ssize_t n = pread(s->file, ret_bytes + done, (size_t)(BLOCK_BYTES - done), (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return output_error(s->path, errno);
        if (n == 0) break; /* behind the last byte that was written */
        done += n;
    }
    memset(ret_bytes + done, 0, (size_t)(BLOCK_BYTES - done));
    return ERR_NONE;
}
