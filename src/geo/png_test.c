/* SPDX-License-Identifier: Apache-2.0
 * A picture in memory is read back from its PNG, pixel by pixel, and no file is left behind. */
#include "geo/png.h"

#include "geo/raster.h"
#include "harness/unit.h"

enum { WIDTH = 37, HEIGHT = 21 };

static void read_bands(int32_t bands)
{
    char path[256];
    uint8_t pixels[HEIGHT * WIDTH * 3];
    for (int i = 0; i < HEIGHT * WIDTH * bands; i++) pixels[i] = (uint8_t)(i * 7 + i / WIDTH * 3);
    for (int round = 0; round < 2; round++) {
        uint8_t *bytes = NULL;
        size_t length = 0;
        ASSERT_OK(png_encode(pixels, bands, WIDTH, HEIGHT, &bytes, &length));
        FILE *file = fopen(unit_at("picture.png", path), "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, length, file), length);
        assert_int_equal(fclose(file), 0);
        free(bytes);
        Raster *raster = NULL;
        static float values[HEIGHT * WIDTH * 3];
        static uint8_t valid[HEIGHT * WIDTH];
        ASSERT_OK(raster_open(path, NULL, &raster));
        assert_int_equal(raster_info(raster)->bands, bands);
        assert_false(raster_info(raster)->has_palette);
        ASSERT_OK(raster_read(raster, (RasterWindow){ 0, 0, WIDTH, HEIGHT }, values, valid));
        for (int i = 0; i < HEIGHT * WIDTH * bands; i++) assert_true(values[i] == (float)pixels[i]);
        raster_close(raster);
    }
    unit_check_files((const char *const[]){ "picture.png" }, 1);
}

static void read_back(void **state)
{
    (void)state;
    read_bands(3);
    read_bands(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(read_back) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
