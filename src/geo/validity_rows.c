/* SPDX-License-Identifier: Apache-2.0
 * Strips of bits behind a lock. */
#include "geo/validity_rows.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { STRIP_ROWS = 64 };

struct ValidityRows {
    pthread_mutex_t lock;
    int64_t x, y, width, height, row_bytes;
    int64_t taken;    /* rows handed on, from y */
    uint8_t **strips; /* [strips of 64 rows] bits of invalid pixels, 1 invalid; NULL: all valid */
};

static int64_t strip_count(int64_t height) { return (height + STRIP_ROWS - 1) / STRIP_ROWS; }

Err validity_rows_new(int64_t x, int64_t y, int64_t width, int64_t height, ValidityRows **ret_rows)
{
    ValidityRows *r = calloc(1, sizeof *r);
    uint8_t **strips = calloc((size_t)strip_count(height), sizeof *strips);
    if (r == NULL || strips == NULL || pthread_mutex_init(&r->lock, NULL) != 0) {
        free(r);
        free(strips);
        return err_memory((size_t)strip_count(height) * sizeof *strips, "the mask of a raster");
    }
    r->x = x;
    r->y = y;
    r->width = width;
    r->height = height;
    r->row_bytes = (width + 7) / 8;
    r->strips = strips;
    *ret_rows = r;
    return ERR_NONE;
}

void validity_rows_free(ValidityRows *r)
{
    if (r == NULL) return;
    for (int64_t i = 0; i < strip_count(r->height); i++) free(r->strips[i]);
    free(r->strips);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

/* The bits of a row, made on request. NULL: none, or no memory. */
static uint8_t *row_bits(ValidityRows *r, int64_t y, bool make)
{
    uint8_t **strip = &r->strips[y / STRIP_ROWS];
    if (*strip == NULL && make) *strip = calloc(STRIP_ROWS, (size_t)r->row_bytes);
    return *strip != NULL ? *strip + y % STRIP_ROWS * r->row_bytes : NULL;
}

/* Row y and columns x .. of the kept part. */
static Err add_row(ValidityRows *r, int64_t x, int64_t y, int64_t columns, const uint8_t *valid)
{
    if (y < r->taken || y >= r->height || memchr(valid, 0, (size_t)columns) == NULL) return ERR_NONE;
    uint8_t *bits = row_bits(r, y, true);
    if (bits == NULL) return err_memory((size_t)r->row_bytes * STRIP_ROWS, "the mask of a raster");
    for (int64_t i = 0; i < columns; i++)
        if (valid[i] == 0) bits[(x + i) / 8] |= (uint8_t)(1U << (x + i) % 8);
    return ERR_NONE;
}

Err validity_rows_add(ValidityRows *r, int64_t x, int64_t y, int64_t columns, int64_t n_rows, const uint8_t *valid)
{
    Err err = ERR_NONE;
    const int64_t left = r->x > x ? r->x - x : 0, over = x + columns - (r->x + r->width);
    const int64_t inside = columns - left - (over > 0 ? over : 0);
    if (inside <= 0) return ERR_NONE;
    (void)pthread_mutex_lock(&r->lock);
    for (int64_t i = 0; i < n_rows && err == ERR_NONE; i++)
        err = add_row(r, x + left - r->x, y + i - r->y, inside, valid + i * columns + left);
    (void)pthread_mutex_unlock(&r->lock);
    return err;
}

void validity_rows_take(ValidityRows *r, int64_t y, int64_t n_rows, uint8_t *ret_valid)
{
    y -= r->y;
    ASSERT(y >= r->taken && y + n_rows <= r->height);
    memset(ret_valid, 1, (size_t)(n_rows * r->width));
    (void)pthread_mutex_lock(&r->lock);
    for (int64_t i = 0; i < n_rows; i++) {
        const uint8_t *bits = row_bits(r, y + i, false);
        for (int64_t x = 0; bits != NULL && x < r->width; x++)
            if ((bits[x / 8] >> x % 8 & 1U) != 0) ret_valid[i * r->width + x] = 0;
    }
    for (int64_t strip = r->taken / STRIP_ROWS; strip < (y + n_rows) / STRIP_ROWS; strip++) {
        free(r->strips[strip]);
        r->strips[strip] = NULL;
    }
    r->taken = y + n_rows;
    (void)pthread_mutex_unlock(&r->lock);
}
