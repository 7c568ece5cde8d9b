/* SPDX-License-Identifier: Apache-2.0
 * Tile arithmetic. */
#include "geo/tile_grid.h"

#include <stdbool.h>

enum { ALIGNMENT = 32 };

static int64_t count_along(int64_t length, int64_t size, int64_t overlap)
{
    if (length <= size) return 1;
    const int64_t stride = size - overlap;
    return (length - overlap + stride - 1) / stride;
}

Err tile_grid_init(TileGrid *ret_grid, int64_t width, int64_t height, int64_t size, int64_t overlap, int64_t margin)
{
    if (width < 1 || height < 1)
        return err_set(ERR_ARGUMENT, "a scene of %lld x %lld pixels has no tiles", (long long)width, (long long)height);
    if (size < ALIGNMENT || size % ALIGNMENT != 0)
        return err_set(ERR_ARGUMENT, "a tile size of %lld; expected a positive multiple of %d", (long long)size,
                       ALIGNMENT);
    if (overlap < 0 || overlap > size / 2 || overlap % ALIGNMENT != 0)
        return err_set(ERR_ARGUMENT,
                       "a tile overlap of %lld; expected a multiple of %d, at most half the tile size %lld",
                       (long long)overlap, ALIGNMENT, (long long)size);
    if (margin < 0 || (margin > 0 && 2 * margin >= overlap))
        return err_set(ERR_ARGUMENT, "a tile margin of %lld; expected less than half the overlap %lld",
                       (long long)margin, (long long)overlap);
    *ret_grid = (TileGrid){ .width = width,
                            .height = height,
                            .size = size,
                            .overlap = overlap,
                            .margin = margin,
                            .columns = count_along(width, size, overlap),
                            .rows = count_along(height, size, overlap) };
    return ERR_NONE;
}

int64_t tile_grid_count(const TileGrid *grid) { return grid->columns * grid->rows; }

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

Tile tile_grid_at(const TileGrid *grid, int64_t i)
{
    ASSERT(i >= 0 && i < tile_grid_count(grid));
    const int64_t stride = grid->size - grid->overlap;
    Tile tile = { .column = i % grid->columns, .row = i / grid->columns };
    tile.x = tile.column * stride;
    tile.y = tile.row * stride;
    tile.inside_columns = least(grid->size, grid->width - tile.x);
    tile.inside_rows = least(grid->size, grid->height - tile.y);
    tile.final_columns = tile.column + 1 < grid->columns ? stride : tile.inside_columns;
    tile.final_rows = tile.row + 1 < grid->rows ? stride : tile.inside_rows;
    return tile;
}

/* Rise of the weight over an overlap at distance t from its outer end; w(t) + w(overlap - t) = 1. */
static double ramp(const TileGrid *grid, double t)
{
    const double margin = (double)grid->margin, length = (double)grid->overlap - 2.0 * margin;
    const double rise = (t - margin) / length;
    return rise < 0.0 ? 0.0 : rise > 1.0 ? 1.0 : rise;
}

static void weights_along(const TileGrid *grid, int64_t index, int64_t count, int64_t cell, float *weights)
{
    ASSERT(cell > 0 && 16 % cell == 0 && index >= 0 && index < count);
    const double size = (double)grid->size, overlap = (double)grid->overlap;
    for (int64_t i = 0; i < grid->size / cell; i++) {
        const double t = ((double)i + 0.5) * (double)cell;
        double weight = 1.0;
        if (index > 0 && t < overlap) weight *= ramp(grid, t);
        if (index + 1 < count && size - t < overlap) weight *= ramp(grid, size - t);
        weights[i] = (float)weight;
    }
}

void tile_grid_weights_x(const TileGrid *grid, int64_t column, int64_t cell, float *ret_weights)
{
    weights_along(grid, column, grid->columns, cell, ret_weights);
}

void tile_grid_weights_y(const TileGrid *grid, int64_t row, int64_t cell, float *ret_weights)
{
    weights_along(grid, row, grid->rows, cell, ret_weights);
}

/* Whether any cell of [first, end) has a weight above 0 in this column of tiles. */
static bool counts_in(const TileGrid *grid, int64_t column, int64_t cell, int64_t first, int64_t end)
{
    const int64_t stride = grid->size - grid->overlap, x = column * stride;
    const double size = (double)grid->size, outer = (double)grid->margin;
    const double begin = column > 0 ? outer : 0.0, limit = column + 1 < grid->columns ? size - outer : size;
    /* centres of cells lie strictly between begin and limit */
    const double from = (double)(first * cell - x) + 0.5 * (double)cell;
    const double last = (double)((end - 1) * cell - x) + 0.5 * (double)cell;
    return last > begin && from < limit;
}

void tile_grid_columns_over(const TileGrid *grid, int64_t cell, int64_t first, int64_t end, int64_t *ret_first,
                            int64_t *ret_end)
{
    ASSERT(first >= 0 && first < end);
    const int64_t stride = grid->size - grid->overlap;
    int64_t column = first * cell / stride;
    if (column >= grid->columns) column = grid->columns - 1;
    while (column > 0 && counts_in(grid, column - 1, cell, first, end)) column--;
    while (column + 1 < grid->columns && !counts_in(grid, column, cell, first, end)) column++;
    *ret_first = column;
    while (column < grid->columns && counts_in(grid, column, cell, first, end)) column++;
    *ret_end = column;
}

void tile_grid_final_rows(const TileGrid *grid, int64_t row, int64_t *ret_first, int64_t *ret_end)
{
    const Tile tile = tile_grid_at(grid, row * grid->columns);
    *ret_first = tile.y;
    *ret_end = tile.y + tile.final_rows;
}
