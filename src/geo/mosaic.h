/* SPDX-License-Identifier: Apache-2.0
 *
 * Blends the class scores of overlapping tiles and brings them to the scene's own pixels, in bounded memory.
 *
 * The network gives scores (logits) at a fraction of its resolution, in cells of 4, 2 or 1 pixels. Bilinear interpolation
 * is linear, so tiles are blended there first, of 16 times fewer values in cells of 4, and each output pixel is interpolated once from the blended scores,
 * whatever the ratio between the network's grid and the scene's. Only a ring of rows is held: rows that tiles may still
 * touch or outputs still need; and of these only the columns that a vertical strip of the output reads, so that memory does not
 * follow the scene's width either. A pixel has the same value whichever strip it is read in.
 *
 *   blended[y, x, c] = sum_t w_t[y, x] score_t[y, x, c] / sum_t w_t[y, x]
 *   output pixel (i, j) reads blended at ((i + 0.5) span_y / out_height - 0.5, (j + 0.5) span_x / out_width - 0.5),
 *     clamped at the borders
 *   class = argmax_c, probability = softmax_c
 */
#ifndef METASEG_GEO_MOSAIC_H
#define METASEG_GEO_MOSAIC_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef struct Mosaic Mosaic;

/* Sizes of a mosaic: the scene spans span_y x span_x cells (of the scores; may end inside the last cell), of which
 * `ring_rows` rows are held at a time (at least the rows of a tile plus 3), and is written as out_height x out_width
 * pixels, of which this mosaic gives the columns strip_x .. strip_x + strip_columns. */
typedef struct MosaicSize {
    double span_y, span_x;
    int64_t classes, ring_rows;
    int64_t out_height, out_width;
    int64_t strip_x, strip_columns; /* strip_columns 0: all columns */
    int32_t threads;                /* of mosaic_add; >= 1 */
} MosaicSize;

/* The columns of cells that the strip reads: [*ret_first, *ret_first + *ret_columns). */
void mosaic_strip_cells(const MosaicSize *size, int64_t *ret_first, int64_t *ret_columns);

/* ERR_MEMORY. Owned by the caller. */
Err mosaic_new(const MosaicSize *size, Mosaic **ret_mosaic);
void mosaic_free(Mosaic *mosaic);

/* Bytes that mosaic_new allocates for strips of so many columns of cells. */
size_t mosaic_bytes(int64_t columns, int64_t classes, int64_t ring_rows);

/* Adds a tile: scores [rows, columns, classes] of which the part inside the strip is used; its first cell is (row,
 * column), may be negative. Separable weights: weight_y [rows], weight_x [columns], all >= 0; every cell needs one tile
 * with a weight above 0. Rows that mosaic_discard gave up must not be touched. */
void mosaic_add(Mosaic *mosaic, const float *scores, int64_t row, int64_t column, int64_t rows, int64_t columns,
                const float *weight_y, const float *weight_x);

/* States that no tile will touch rows < row any more: they are divided by their weights. Returns the number of output
 * rows that can be read from now on (mosaic_read with row < that). */
int64_t mosaic_complete(Mosaic *mosaic, int64_t row);

/* Output row of the strip -> classes [strip_columns] u8; confidence [strip_columns] u8 0..254 = round(254 * max probability), NULL: not
 * wanted; probabilities [classes][strip_columns] u8 planes 0..254, plane_stride bytes apart, NULL: not wanted. Rows in any
 * order among the readable ones that mosaic_discard has not given up. Safe to call from several threads at once on
 * different rows. */
void mosaic_read(const Mosaic *mosaic, int64_t out_row, uint8_t *classes, uint8_t *confidence, uint8_t *probabilities,
                 size_t plane_stride, float *scratch);

/* Floats of scratch that one mosaic_read needs. */
int64_t mosaic_scratch(const Mosaic *mosaic);

/* Gives up cells that only output rows < out_row read; makes room in the ring for later tiles. */
void mosaic_discard(Mosaic *mosaic, int64_t out_row);

#endif
