/* SPDX-License-Identifier: Apache-2.0
 * The compact climate file: writing, strict reading. */
#include "base/file.h"
#include "base/hash.h"
#include "geo/climate.h"
#include "geo/climate_internal.h"

#include <stdlib.h>
#include <string.h>

static const char magic[8] = { 'M', 'S', 'E', 'G', 'K', 'O', 'P', 'P' };

static void put(uint8_t **at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) *(*at)++ = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t **at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t) * (*at)++ << (8 * i);
    return value;
}

static size_t file_bytes(int64_t height, int64_t runs)
{
    return CLIMATE_HEADER_BYTES + 4 * (size_t)(height + 1) + 3 * (size_t)runs + 8;
}

Err climate_write(const Climate *climate, const char *path, int overwrite)
{
    const size_t length = file_bytes(climate->height, climate->runs);
    uint8_t *bytes = malloc(length), *at = bytes;
    if (bytes == NULL) return err_memory(length, "the climate file");
    memcpy(at, magic, sizeof magic);
    at += sizeof magic;
    put(&at, CLIMATE_VERSION, 4);
    put(&at, (uint64_t)climate->width, 4);
    put(&at, (uint64_t)climate->height, 4);
    put(&at, (uint64_t)climate->runs, 4);
    for (int64_t row = 0; row <= climate->height; row++) put(&at, climate->row_start[row], 4);
    for (int64_t run = 0; run < climate->runs; run++) put(&at, climate->run_end[run], 2);
    memcpy(at, climate->run_zone, (size_t)climate->runs);
    at += climate->runs;
    put(&at, hash_xxh64(bytes, (size_t)(at - bytes)), 8);
    ASSERT((size_t)(at - bytes) == length);
    const Err err = file_write(path, bytes, length, overwrite != 0);
    free(bytes);
    return err;
}

static Err damaged(const char *path, const char *what)
{
    return err_set(ERR_INPUT, "'%s': not a climate map (%s); make it again from the published image", path, what);
}

/* Every row starts where the last ended, its runs end further and further east, the last at the width; zones are known.
 */
static Err check_runs(const Climate *c, const char *path)
{
    if (c->row_start[0] != 0 || c->row_start[c->height] != c->runs) return damaged(path, "rows do not cover the runs");
    for (int64_t row = 0; row < c->height; row++) {
        const int64_t first = c->row_start[row], end = c->row_start[row + 1];
        if (first >= end || end > c->runs) return damaged(path, "a row without runs");
        int64_t column = 0;
        for (int64_t run = first; run < end; run++) {
            if (c->run_end[run] <= column) return damaged(path, "a run that goes back");
            column = c->run_end[run];
        }
        if (column != c->width) return damaged(path, "a row of another width");
    }
    for (int64_t run = 0; run < c->runs; run++)
        if (c->run_zone[run] > CLIMATE_ZONES) return damaged(path, "an unknown zone");
    return ERR_NONE;
}

int64_t climate_blocks(int64_t n) { return (n + CLIMATE_BLOCK - 1) / CLIMATE_BLOCK; }

static Err mark_land(Climate *c)
{
    const int64_t columns = climate_blocks(c->width), rows = climate_blocks(c->height);
    c->land = calloc((size_t)(columns * rows), 1);
    if (c->land == NULL) return err_memory((size_t)(columns * rows), "the climate map");
    for (int64_t row = 0; row < c->height; row++) {
        uint8_t *blocks = c->land + row / CLIMATE_BLOCK * columns;
        int64_t start = 0;
        for (int64_t run = c->row_start[row]; run < c->row_start[row + 1]; start = c->run_end[run++]) {
            if (c->run_zone[run] == CLIMATE_NONE) continue;
            const int64_t last = (c->run_end[run] - 1) / CLIMATE_BLOCK;
            for (int64_t block = start / CLIMATE_BLOCK; block <= last; block++) blocks[block] = 1;
        }
    }
    return ERR_NONE;
}

static Err parse(const char *path, const uint8_t *bytes, size_t length, Climate *c)
{
    if (length < CLIMATE_HEADER_BYTES || memcmp(bytes, magic, sizeof magic) != 0)
        return damaged(path, "another kind of file");
    const uint8_t *at = bytes + sizeof magic;
    if (get(&at, 4) != CLIMATE_VERSION) return damaged(path, "another version");
    c->width = (int64_t)get(&at, 4);
    c->height = (int64_t)get(&at, 4);
    c->runs = (int64_t)get(&at, 4);
    if (c->width < 1 || c->width > CLIMATE_MAX_WIDTH || c->height < 1 || c->height > CLIMATE_MAX_HEIGHT ||
        c->runs > c->width * c->height || length != file_bytes(c->height, c->runs))
        return damaged(path, "its length does not fit its header");
    const uint8_t *end = bytes + length - 8;
    if (get(&end, 8) != hash_xxh64(bytes, length - 8)) return damaged(path, "its checksum is wrong");
    const size_t rows = (size_t)c->height + 1, runs = (size_t)c->runs;
    c->row_start = malloc(rows * sizeof *c->row_start);
    c->run_end = malloc(runs * sizeof *c->run_end + 1);
    c->run_zone = malloc(runs + 1);
    if (c->row_start == NULL || c->run_end == NULL || c->run_zone == NULL) return err_memory(length, "the climate map");
    for (size_t i = 0; i < rows; i++) c->row_start[i] = (uint32_t)get(&at, 4);
    for (size_t i = 0; i < runs; i++) c->run_end[i] = (uint16_t)get(&at, 2);
    memcpy(c->run_zone, at, runs);
    TRY(check_runs(c, path));
    return mark_land(c);
}

Err climate_open(const char *path, Climate **ret_climate)
{
    char *bytes = NULL;
    size_t length = 0;
    TRY(file_read(path, 256u << 20, &bytes, &length));
    Climate *climate = calloc(1, sizeof *climate);
    const Err err = climate == NULL ? err_memory(sizeof *climate, "the climate map")
                                    : parse(path, (const uint8_t *)bytes, length, climate);
    free(bytes);
    if (err == ERR_NONE)
        *ret_climate = climate;
    else
        climate_close(climate);
    return err;
}

void climate_close(Climate *climate)
{
    if (climate == NULL) return;
    free(climate->row_start);
    free(climate->run_end);
    free(climate->run_zone);
    free(climate->land);
    free(climate);
}
