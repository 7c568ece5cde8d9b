/* SPDX-License-Identifier: Apache-2.0
 *
 * Which pixels of a raster's own grid are valid, remembered while windows are read and handed on row by row: the reader
 * of tiles adds, the writer of the map takes, so that no file is decoded twice. A bit per pixel, and only in strips of
 * rows that have an invalid pixel: a raster without gaps costs nothing. Two threads may use it at a time. */
#ifndef METASEG_GEO_VALIDITY_ROWS_H
#define METASEG_GEO_VALIDITY_ROWS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct ValidityRows ValidityRows;

/* For the columns x .. x + width and rows y .. y + height of a grid, all valid at first. ERR_MEMORY. validity_rows_free(). */
Err validity_rows_new(int64_t x, int64_t y, int64_t width, int64_t height, ValidityRows **ret_rows);
void validity_rows_free(ValidityRows *rows);

/* Notes the invalid pixels (0) of a window of the grid, of which the part inside counts; valid: [n_rows][columns]. What was
 * noted invalid stays so. Rows that were taken are passed over. ERR_MEMORY. */
Err validity_rows_add(ValidityRows *rows, int64_t x, int64_t y, int64_t columns, int64_t n_rows, const uint8_t *valid);

/* ret_valid [n_rows][width]: rows y .. y + n_rows, 1 valid, 0 not; then forgets all rows above y + n_rows. Rows are
 * taken in order. */
void validity_rows_take(ValidityRows *rows, int64_t y, int64_t n_rows, uint8_t *ret_valid);

#endif
