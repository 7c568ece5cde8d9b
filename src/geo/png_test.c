/* SPDX-License-Identifier: Apache-2.0
 * A picture in memory is read back from its PNG, pixel by pixel, and no file is left behind. */
#include "geo/png.h"

#include "geo/raster.h"
#include "harness/unit.h"

enum { WIDTH = 37, HEIGHT = 21 };

static void read_back(void **state)
{
    (void)state;
    char path[256];
    uint8_t rgb[HEIGHT][WIDTH][3];
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < 3; c++) rgb[y][x][c] = (uint8_t)(x * 7 + y * 3 + c * 101);
    for (int round = 0; round < 2; round++) {
        uint8_t *bytes = NULL;
        size_t length = 0;
        ASSERT_OK(png_encode(&rgb[0][0][0], WIDTH, HEIGHT, &bytes, &length));
        FILE *file = fopen(unit_at("picture.png", path), "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, length, file), length);
        assert_int_equal(fclose(file), 0);
        free(bytes);
        Raster *raster = NULL;
        static float values[HEIGHT * WIDTH * 3];
        static uint8_t valid[HEIGHT * WIDTH];
        ASSERT_OK(raster_open(path, NULL, &raster));
        ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, WIDTH, HEIGHT }, values, valid));
        for (int i = 0; i < HEIGHT * WIDTH * 3; i++) assert_true(values[i] == (float)(&rgb[0][0][0])[i]);
        raster_close(raster);
    }
    unit_check_files((const char *const[]){ "picture.png" }, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(read_back) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
