/* SPDX-License-Identifier: Apache-2.0
 * Properties of the tile grid over many sizes. */
#include "geo/tile_grid.h"

#include "geo/geo_test.h"

#include <math.h>

/* Along one axis (the grid is separable): coverage, weights, final blocks. */
static void check_axis(int64_t length, int64_t size, int64_t overlap, int64_t margin, int64_t cell)
{
    TileGrid grid;
    ASSERT_OK(tile_grid_init(&grid, length, 1, size, overlap, margin));
    double *sum = calloc((size_t)length, sizeof *sum);
    int *last = calloc((size_t)length, sizeof *last), *final = calloc((size_t)length, sizeof *final);
    float *weights = malloc((size_t)(size / cell) * sizeof *weights);
    for (int64_t i = 0; i < tile_grid_count(&grid); i++) {
        const Tile tile = tile_grid_at(&grid, i);
        assert_int_equal(tile.x % 32, 0);
        assert_true(tile.x < length && tile.inside_columns > 0 && tile.inside_columns <= size);
        assert_true(tile.x + tile.inside_columns <= length);
        tile_grid_weights_x(&grid, tile.column, cell, weights);
        for (int64_t x = 0; x < tile.inside_columns; x++) {
            const float weight = weights[x / cell];
            assert_true(weight >= 0.0F && weight <= 1.0F && (margin > 0 || weight > 0.0F));
            sum[tile.x + x] += (double)weight;
            last[tile.x + x] = (int)i;
        }
        for (int64_t x = 0; x < tile.final_columns; x++) final[tile.x + x] += 1000 + (int)i;
    }
    for (int64_t x = 0; x < length; x++) {
        if (fabs(sum[x] - 1.0) > 1e-6)
            fail_msg("length %lld, size %lld: weight %g at %lld", (long long)length, (long long)size, sum[x],
                     (long long)x);
        assert_int_equal(final[x], 1000 + last[x]); /* once, by the last tile that touches it */
    }
    free(sum);
    free(last);
    free(final);
    free(weights);
}

static void axes(void **state)
{
    (void)state;
    static const int64_t lengths[] = { 1,   2,   31,  97,  255, 256, 257,  447,  448,  449, 480,
                                       511, 512, 513, 959, 960, 961, 1009, 2700, 5400, 7919 };
    static const int64_t layouts[][3] = { { 256, 0, 0 },   { 256, 32, 0 },    { 256, 128, 32 },
                                          { 512, 64, 16 }, { 512, 256, 127 }, { 1024, 96, 8 } };
    for (int64_t i = 0; i < ARRAY_LEN(lengths); i++)
        for (int64_t k = 0; k < ARRAY_LEN(layouts); k++)
            for (int64_t cell = 1; cell <= 16; cell *= 4)
                check_axis(lengths[i], layouts[k][0], layouts[k][1], layouts[k][2], cell);
}

static void plane(void **state)
{
    (void)state;
    TileGrid grid;
    ASSERT_OK(tile_grid_init(&grid, 5400, 2700, 512, 64, 0));
    assert_int_equal(grid.columns, 12);
    assert_int_equal(grid.rows, 6);
    int64_t covered = 0, end = 0;
    for (int64_t i = 0; i < tile_grid_count(&grid); i++) {
        const Tile tile = tile_grid_at(&grid, i);
        assert_int_equal(tile.row * grid.columns + tile.column, i);
        covered += tile.final_columns * tile.final_rows;
    }
    assert_int_equal(covered, 5400 * 2700);
    for (int64_t row = 0; row < grid.rows; row++) {
        int64_t first = 0;
        const int64_t before = end;
        tile_grid_final_rows(&grid, row, &first, &end);
        assert_int_equal(first, before);
    }
    assert_int_equal(end, 2700);
    ASSERT_OK(tile_grid_init(&grid, 512, 512, 512, 64, 0)); /* a scene of exactly one tile is one tile */
    assert_int_equal(tile_grid_count(&grid), 1);
    ASSERT_OK(tile_grid_init(&grid, INT32_MAX, INT32_MAX, 512, 64, 0));
    assert_true(tile_grid_count(&grid) > INT32_MAX);
}

static void refused(void **state)
{
    (void)state;
    TileGrid grid = { .width = 77 };
    ASSERT_ERR(tile_grid_init(&grid, 0, 5, 256, 32, 0), ERR_ARGUMENT, "no tiles");
    ASSERT_ERR(tile_grid_init(&grid, 5, 5, 250, 32, 0), ERR_ARGUMENT, "tile size of 250");
    ASSERT_ERR(tile_grid_init(&grid, 5, 5, 256, 160, 0), ERR_ARGUMENT, "overlap of 160");
    ASSERT_ERR(tile_grid_init(&grid, 5, 5, 256, 20, 0), ERR_ARGUMENT, "overlap of 20");
    ASSERT_ERR(tile_grid_init(&grid, 5, 5, 256, 32, 16), ERR_ARGUMENT, "margin of 16");
    assert_int_equal(grid.width, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(axes), cmocka_unit_test(plane), cmocka_unit_test(refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
