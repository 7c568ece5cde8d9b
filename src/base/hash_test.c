/* SPDX-License-Identifier: Apache-2.0
 * XXH64 against published values, and in pieces. */
#include "base/hash.h"

#include "base/file.h"
#include "harness/unit.h"

#include <string.h>
#include <unistd.h>

static void known_values(void **state)
{
    (void)state;
    /* computed from the text of the xxHash specification by other code (Python integers) */
    unsigned char bytes[100];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)i;
    assert_true(hash_xxh64(bytes, sizeof bytes) == 0x6AC1E58032166597u);
    assert_true(hash_xxh64(NULL, 0) == 0xEF46DB3751D8E999u);
    assert_true(hash_xxh64("a", 1) == 0xD24EC4F1A98C6E5Bu);
    assert_true(hash_xxh64("abc", 3) == 0x44BC2CF5AD770999u);
    char text[17];
    hash_hex(0x0123456789ABCDEFu, text);
    assert_string_equal(text, "0123456789abcdef");
}

static void pieces_equal_whole(void **state)
{
    (void)state;
    unsigned char bytes[1000];
    Hash *hash = NULL;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 7);
    assert_int_equal(hash_new(&hash), ERR_NONE);
    for (size_t at = 0, step = 1; at < sizeof bytes; at += step, step = step * 2 + 1) {
        if (step > sizeof bytes - at) step = sizeof bytes - at;
        hash_update(hash, bytes + at, step);
        assert_true(hash_value(hash) == hash_xxh64(bytes, at + step));
    }
    hash_free(hash);
    hash_free(NULL);
}

static void files(void **state)
{
    (void)state;
    char folder[64];
    char *path = NULL;
    uint64_t value = 0;
    unit_folder(folder);
    assert_int_equal(path_join(folder, "x", &path), ERR_NONE);
    char *bytes = calloc(1, 200000);
    assert_non_null(bytes);
    bytes[150000] = 1;
    assert_int_equal(file_write(path, bytes, 200000, false), ERR_NONE);
    assert_int_equal(hash_file(path, &value), ERR_NONE);
    assert_true(value == hash_xxh64(bytes, 200000));
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_int_equal(hash_file(path, &value), ERR_INPUT);
    assert_int_equal(rmdir(folder), 0);
    free(bytes);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(pieces_equal_whole),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
