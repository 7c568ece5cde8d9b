/* SPDX-License-Identifier: Apache-2.0
 * What is said of files that cannot be read. */
#include "geo/read_failure.h"

#include "geo/geo_test.h"
#include "geo/raster.h"

#include <errno.h>

static void codecs(void **state)
{
    (void)state;
    assert_true(read_failure_is_codec("./jxl.tif: Cannot open TIFF file due to missing codec JXL."));
    assert_true(read_failure_is_codec("LERC compression support is not configured"));
    assert_true(read_failure_is_codec("JPEGPreDecode:Unsupported JPEG data precision 12"));
    assert_false(read_failure_is_codec("TIFFReadEncodedStrip() failed."));
    assert_false(read_failure_is_codec("Read error at scanline 3"));
    assert_false(read_failure_is_codec(""));
}

/* A TIFF of 8 x 8 bytes in compression 50002, JPEG XL, and one in a compression that nobody knows. */
static void missing_codec(void **state)
{
    (void)state;
    static const int compressions[] = { 50002, 32908 };
    for (int64_t k = 0; k < ARRAY_LEN(compressions); k++) {
        const int tags[][4] = { { 256, 3, 1, 8 }, { 257, 3, 1, 8 }, { 258, 3, 1, 8 }, { 259, 3, 1, compressions[k] },
                                { 262, 3, 1, 1 }, { 273, 4, 1, 8 }, { 277, 3, 1, 1 }, { 278, 3, 1, 8 },
                                { 279, 4, 1, 64 } };
        uint8_t bytes[8 + 64 + 2 + 9 * 12 + 4] = { 'I', 'I', 42, 0, 72, 0, 0, 0 };
        size_t at = 72;
        bytes[at] = 9;
        at += 2;
        for (int64_t i = 0; i < ARRAY_LEN(tags); i++, at += 12) {
            bytes[at] = (uint8_t)tags[i][0];
            bytes[at + 1] = (uint8_t)(tags[i][0] >> 8);
            bytes[at + 2] = (uint8_t)tags[i][1];
            bytes[at + 4] = (uint8_t)tags[i][2];
            bytes[at + 8] = (uint8_t)tags[i][3];
            bytes[at + 9] = (uint8_t)(tags[i][3] >> 8);
        }
        char path[256];
        FILE *file = fopen(unit_at("codec.tif", path), "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, sizeof bytes, file), sizeof bytes);
        assert_int_equal(fclose(file), 0);
        Raster *raster = NULL;
        float values[64];
        uint8_t valid[64];
        Err err = raster_open(path, NULL, &raster); /* of the second GDAL tells it when it reads */
        if (err == ERR_NONE) err = raster_read(raster, (RasterWindow){ 0, 0, 8, 8 }, values, valid);
        assert_int_equal(err, ERR_INPUT);
        if (strstr(err_message(), "no codec") == NULL) fail_msg("%s", err_message());
        assert_null(strstr(err_message(), "damaged"));
        assert_non_null(strstr(err_message(), "COMPRESS=DEFLATE"));
        raster_close(raster);
    }
}

/* A file that the system itself cannot read: the memory of this process, whose first page is never there. */
static void failing_disk(void **state)
{
    (void)state;
    char path[256];
    assert_int_equal(read_failure_probe("/proc/self/mem"), EIO);
    assert_int_equal(read_failure_probe(unit_at("nothing", path)), 0);
    unit_write_text(unit_at("text", path), "text");
    assert_int_equal(read_failure_probe(path), 0);
    char memory[] = "/proc/self/mem";
    char *const files[] = { path, memory, NULL };
    ASSERT_ERR(read_failure("a.tif", "band 1 cannot be read at row 3", "Read error", files), ERR_INPUT,
               "the system cannot read '/proc/self/mem' (Input/output error)");
    assert_null(strstr(err_message(), "damaged"));
    ASSERT_ERR(read_failure(path, "band 1 cannot be read at row 3", "Read error", NULL), ERR_INPUT,
               "band 1 cannot be read at row 3 (Read error); the file is truncated or damaged");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(codecs), cmocka_unit_test(missing_codec),
                                        cmocka_unit_test(failing_disk) };
    return cmocka_run_group_tests(tests, unit_set_up, unit_tear_down);
}
