/* SPDX-License-Identifier: Apache-2.0
 *
 * Tiles that cover a scene, their order and how they blend. Pure arithmetic.
 *
 * Tiles are squares of `size` pixels whose origins are multiples of stride = size - overlap, from (0, 0); the last
 * column and row may reach beyond the scene (the reader mirrors there). They are visited row by row. Blending is
 * separable: along an axis a tile's weight is 0 in the `margin` outermost pixels towards a neighbour, rises linearly
 * through the rest of the overlap, and is 1 elsewhere; towards the border of the scene it is 1. The weights of all
 * tiles over a pixel sum to 1.
 *
 * After a tile in column c and row r nothing later touches its own block
 * [c * stride, (c + 1) * stride) x [r * stride, (r + 1) * stride) (to the end of the scene for the last ones): these
 * blocks cover the scene once, so a caller needs to hold the overlap to the right and the `overlap` rows below, not
 * whole scenes.
 */
#ifndef METASEG_GEO_TILE_GRID_H
#define METASEG_GEO_TILE_GRID_H

#include "base/err.h"

#include <stdint.h>

typedef struct TileGrid {
    int64_t width, height; /* scene */
    int64_t size;          /* tile edge */
    int64_t overlap;       /* pixels that neighbours share */
    int64_t margin; /* outermost pixels that do not count where a neighbour covers them; 2 * margin < overlap or 0 */
    int64_t columns, rows; /* tiles */
} TileGrid;

typedef struct Tile {
    int64_t column, row;                 /* in the grid */
    int64_t x, y;                        /* origin in the scene; the tile is size x size */
    int64_t inside_columns, inside_rows; /* part within the scene, from the origin */
    int64_t final_columns, final_rows;   /* block that is finished after this tile, from the origin */
} Tile;

/* ERR_ARGUMENT unless width, height >= 1, size a positive multiple of 32, 0 <= overlap <= size / 2, overlap a multiple
 * of 32 (so that cells of 16 and 32 pixels lie alike in all tiles), 0 <= margin, 2 * margin < overlap (or both 0). */
Err tile_grid_init(TileGrid *ret_grid, int64_t width, int64_t height, int64_t size, int64_t overlap, int64_t margin);

/* Number of tiles. */
int64_t tile_grid_count(const TileGrid *grid);

/* Tile i, 0 <= i < count, row by row. */
Tile tile_grid_at(const TileGrid *grid, int64_t i);

/* Blend weights along x of the tiles of a column, along y of those of a row, at the centres of cells of `cell` pixels
 * (1: pixels; a divisor of 16): ret_weights[size / cell]. A cell's weight is their product. With margin 0 all are
 * positive. */
void tile_grid_weights_x(const TileGrid *grid, int64_t column, int64_t cell, float *ret_weights);
void tile_grid_weights_y(const TileGrid *grid, int64_t row, int64_t cell, float *ret_weights);

/* The columns of tiles that count in columns [first, end) of cells of the scene: [*ret_first, *ret_end). */
void tile_grid_columns_over(const TileGrid *grid, int64_t cell, int64_t first, int64_t end, int64_t *ret_first,
                            int64_t *ret_end);

/* Rows of the scene that are finished once tile row `row` is done: [*ret_first, *ret_end). */
void tile_grid_final_rows(const TileGrid *grid, int64_t row, int64_t *ret_first, int64_t *ret_end);

#endif
