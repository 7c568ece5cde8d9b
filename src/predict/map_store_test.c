/* SPDX-License-Identifier: Apache-2.0
 * Windows in any order in, blocks out. */
#include "predict/map_store.h"

#include "harness/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { WIDTH = 700, HEIGHT = 530, PLANES = 3 };

static int new_file(void)
{
    char path[256];
    const int file = open(unit_at("store", path), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    return file;
}

static uint8_t pixel(int64_t plane, int64_t x, int64_t y) { return (uint8_t)(plane * 71 + x * 7 + y * 13 + x * y % 5); }

static void write_window(MapStore *store, int64_t plane, RasterWindow at)
{
    const int64_t stride = at.columns + 3;
    uint8_t *bytes = malloc((size_t)(at.rows * stride));
    for (int64_t i = 0; i < at.rows * at.columns; i++)
        bytes[i / at.columns * stride + i % at.columns] = pixel(plane, at.x + i % at.columns, at.y + i / at.columns);
    ASSERT_OK(map_store_write(store, plane, at, bytes, stride));
    free(bytes);
}

static void check_block(const MapStore *store, int64_t plane, int64_t column, int64_t row)
{
    static uint8_t got[MAP_STORE_BLOCK * MAP_STORE_BLOCK];
    ASSERT_OK(map_store_read(store, plane, column, row, got));
    for (int64_t i = 0; i < MAP_STORE_BLOCK * MAP_STORE_BLOCK; i++) {
        const int64_t x = column * MAP_STORE_BLOCK + i % MAP_STORE_BLOCK,
                      y = row * MAP_STORE_BLOCK + i / MAP_STORE_BLOCK;
        assert_int_equal(got[i], x < WIDTH && y < HEIGHT ? pixel(plane, x, y) : 0);
    }
}

/* Strips from the right to the left, each in rows of odd heights. */
static void strips_become_blocks(void **state)
{
    enum { STRIP = 256, ROWS = 61 };
    MapStore *store = NULL;
    (void)state;
    ASSERT_OK(map_store_new(new_file(), "map.tif", WIDTH, HEIGHT, PLANES, &store));
    for (int64_t x = WIDTH / STRIP * STRIP; x >= 0; x -= STRIP)
        for (int64_t y = 0; y < HEIGHT; y += ROWS)
            for (int64_t plane = 0; plane < PLANES; plane++)
                write_window(store, plane,
                             (RasterWindow){ x, y, x + STRIP < WIDTH ? STRIP : WIDTH - x,
                                             y + ROWS < HEIGHT ? ROWS : HEIGHT - y });
    for (int64_t plane = 0; plane < PLANES; plane++)
        for (int64_t i = 0; i < 9; i++) check_block(store, plane, i % 3, i / 3);
    map_store_free(store);
    map_store_free(NULL);
}

static void odd_windows(void **state)
{
    MapStore *store = NULL;
    (void)state;
    ASSERT_OK(map_store_new(new_file(), "map.tif", WIDTH, HEIGHT, 1, &store));
    write_window(store, 0, (RasterWindow){ 600, 500, 100, 30 });
    write_window(store, 0, (RasterWindow){ 0, 0, 1, HEIGHT });
    write_window(store, 0, (RasterWindow){ 1, 0, 599, HEIGHT });
    write_window(store, 0, (RasterWindow){ 600, 0, 100, 500 });
    for (int64_t i = 0; i < 9; i++) check_block(store, 0, i % 3, i / 3);
    map_store_free(store);
}

static void full_disk(void **state)
{
    struct rlimit before, small;
    MapStore *store = NULL;
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1000;
    ASSERT_OK(map_store_new(new_file(), "map.tif", WIDTH, HEIGHT, 1, &store));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const uint8_t bytes[4] = { 0 };
    ASSERT_ERR(map_store_write(store, 0, (RasterWindow){ 600, 500, 2, 2 }, bytes, 2), ERR_OUTPUT,
               "'map.tif': cannot be written");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    map_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(strips_become_blocks), cmocka_unit_test(odd_windows),
                                        cmocka_unit_test(full_disk) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
