/* SPDX-License-Identifier: Apache-2.0
 * Windows in, rows out. */
#include "geo/validity_rows.h"

#include "harness/unit.h"

/* A pattern with gaps, and a band of rows without. */
static uint8_t is_valid(int64_t x, int64_t y) { return (y > 70 && y < 200) || (3 * x + 5 * y) % 11 != 0; }

static void add_tiles(ValidityRows *rows, int64_t width, int64_t height, int64_t y0, int64_t y1)
{
    enum { SIDE = 48, STEP = 36 };
    uint8_t window[SIDE * SIDE];
    for (int64_t y = y0; y < y1; y += STEP)
        for (int64_t x = 0; x < width; x += STEP) {
            const int64_t columns = width - x < SIDE ? width - x : SIDE, n = height - y < SIDE ? height - y : SIDE;
            for (int64_t i = 0; i < n * columns; i++) window[i] = is_valid(x + i % columns, y + i / columns);
            ASSERT_OK(validity_rows_add(rows, x, y, columns, n, window));
        }
}

static void overlapping_windows(void **state)
{
    (void)state;
    enum { WIDTH = 133, HEIGHT = 301, ROWS = 50 };
    uint8_t got[ROWS * WIDTH];
    ValidityRows *rows = NULL;
    ASSERT_OK(validity_rows_new(0, 0, WIDTH, HEIGHT, &rows));
    add_tiles(rows, WIDTH, HEIGHT, 0, 180);
    for (int64_t y = 0; y < HEIGHT; y += ROWS) {
        const int64_t n = HEIGHT - y < ROWS ? HEIGHT - y : ROWS;
        if (y == 100) add_tiles(rows, WIDTH, HEIGHT, 0, HEIGHT); /* rows that were taken are passed over */
        validity_rows_take(rows, y, n, got);
        for (int64_t i = 0; i < n * WIDTH; i++) assert_int_equal(got[i], is_valid(i % WIDTH, y + i / WIDTH));
    }
    validity_rows_free(rows);
    validity_rows_free(NULL);
}

static void nothing_noted(void **state)
{
    (void)state;
    uint8_t got[9];
    ValidityRows *rows = NULL;
    ASSERT_OK(validity_rows_new(0, 0, 9, 1, &rows));
    validity_rows_take(rows, 0, 1, got);
    for (int i = 0; i < 9; i++) assert_int_equal(got[i], 1);
    validity_rows_free(rows);
}

/* Windows lie left, right, above and below of what is kept, and across its border. */
static void part_of_a_grid(void **state)
{
    (void)state;
    enum { WIDTH = 133, HEIGHT = 301, X = 41, Y = 77, COLUMNS = 37, KEPT = 130 };
    uint8_t got[KEPT * COLUMNS];
    ValidityRows *rows = NULL;
    ASSERT_OK(validity_rows_new(X, Y, COLUMNS, KEPT, &rows));
    add_tiles(rows, WIDTH, HEIGHT, 0, HEIGHT);
    validity_rows_take(rows, Y, KEPT, got);
    for (int64_t i = 0; i < KEPT * COLUMNS; i++) assert_int_equal(got[i], is_valid(X + i % COLUMNS, Y + i / COLUMNS));
    validity_rows_free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(overlapping_windows), cmocka_unit_test(part_of_a_grid),
                                        cmocka_unit_test(nothing_noted) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
