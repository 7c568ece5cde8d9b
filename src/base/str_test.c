/* SPDX-License-Identifier: Apache-2.0
 * Strings: builder, number parsing, UTF-8, nearest word. */
#include "base/str.h"

#include "harness/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void builder_grows(void **state)
{
    (void)state;
    Str str = { 0 };
    assert_string_equal(str_text(&str), "");
    for (int i = 0; i < 1000; i++) str_addf(&str, "%d,", i % 10);
    str_add_char(&str, '!');
    assert_int_equal(str.length, 2001);
    char *text = NULL;
    assert_int_equal(str_take(&str, &text), ERR_NONE);
    assert_int_equal(strlen(text), 2001);
    assert_int_equal(strncmp(text, "0,1,2,3,", 8), 0);
    assert_null(str.text);
    free(text);
    assert_int_equal(str_take(&str, &text), ERR_NONE); /* empty is "" */
    assert_string_equal(text, "");
    free(text);
}

static void failure_sticks(void **state)
{
    (void)state;
    Str str = { 0 };
    char *text = NULL;
    str_add(&str, "a");
    str_add_bytes(&str, "b", SIZE_MAX / 2);
    str_add(&str, "c");
    assert_int_equal(str_take(&str, &text), ERR_MEMORY);
    assert_null(text);
}

static void ends_and_cases(void **state)
{
    (void)state;
    assert_true(str_ends_with("a.TIF", ".tif"));
    assert_false(str_ends_with("tif", ".tif"));
    assert_true(str_starts_with("/vsimem/x", "/vsi"));
    assert_false(str_starts_with("/vs", "/vsi"));
    assert_true(str_equal_nocase("GTiff", "gtiff"));
    assert_false(str_equal_nocase("GTiff", "gtif"));
}

static void whole_numbers(void **state)
{
    (void)state;
    int64_t value = 7;
    assert_int_equal(str_parse_int("-12", "n", -20, 20, &value), ERR_NONE);
    assert_int_equal(value, -12);
    static const char *const bad[] = {
        "", " 1", "1 ", "1.5", "0x10", "21", "-21", "99999999999999999999", "one", "--1"
    };
    for (int64_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(str_parse_int(bad[i], "n", -20, 20, &value), ERR_ARGUMENT);
        assert_int_equal(value, -12);
    }
}

static void numbers(void **state)
{
    (void)state;
    double value = 0.0, pair[2] = { 0 };
    assert_int_equal(str_parse_double("-1.5e-3", "x", -1, 1, &value), ERR_NONE);
    assert_true(value == -1.5e-3);
    static const char *const bad[] = { "", "nan", "inf", "1e999", "0x1p3", "1,5", " 1", "1x", "2", "." };
    for (int64_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(str_parse_double(bad[i], "x", -1, 1, &value), ERR_ARGUMENT);
    assert_true(value == -1.5e-3);
    assert_int_equal(str_parse_doubles("13.06,52.40", "lonlat", 2, pair), ERR_NONE);
    assert_true(pair[0] == 13.06 && pair[1] == 52.40);
    static const char *const bad_pairs[] = { "1", "1,2,3", "1,", ",1", "1,x", "" };
    for (int64_t i = 0; i < ARRAY_LEN(bad_pairs); i++)
        assert_int_equal(str_parse_doubles(bad_pairs[i], "lonlat", 2, pair), ERR_ARGUMENT);
}

static void doubles_read_back(void **state)
{
    (void)state;
    static const double values[] = { 0.0, -0.0, 0.1, 1.0 / 3.0, 1e300, 5e-324, 123456789.0, 0.1 + 0.2 };
    for (int64_t i = 0; i < ARRAY_LEN(values); i++) {
        char text[32];
        str_from_double(values[i], text);
        const double back = strtod(text, NULL);
        assert_memory_equal(&back, &values[i], sizeof back);
    }
    char text[32];
    str_from_double(0.1, text);
    assert_string_equal(text, "0.1");
    str_from_double((double)NAN, text);
    assert_string_equal(text, "null");
}

static void utf8(void **state)
{
    (void)state;
    static const char *const good[] = {
        "", "abc", "K\xC3\xB6ppen", "\xE2\x82\xAC", "\xF0\x9F\x8C\x8D", "\xED\x9F\xBF"
    };
    static const char *const bad[] = {
        "\x80",     "\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80",
        "a\xE2\x82"
    };
    for (int64_t i = 0; i < ARRAY_LEN(good); i++) assert_true(str_is_utf8(good[i], strlen(good[i])));
    for (int64_t i = 0; i < ARRAY_LEN(bad); i++) assert_false(str_is_utf8(bad[i], strlen(bad[i])));
}

static void distance(void **state)
{
    (void)state;
    assert_int_equal(str_distance("kitten", "sitting"), 3);
    assert_int_equal(str_distance("ab", "ba"), 1);
    assert_int_equal(str_distance("", "abc"), 3);
    assert_int_equal(str_distance("Same", "sAME"), 0);
    static const char *const words[] = { "confidence", "probabilities", "overwrite", "quicklook" };
    assert_string_equal(str_nearest("confidnce", words, 4), "confidence");
    assert_string_equal(str_nearest("quick-look", words, 4), "quicklook");
    assert_null(str_nearest("zzz", words, 4));
    assert_null(str_nearest("x", words, 0));
}

static void sizes(void **state)
{
    static const char *const bad[] = { "", "512", "G", "-1G", "1GG", "1e9M", "1.2.3G", "2X", "1 G", "0M", "99999999T" };
    int64_t bytes = 0;
    (void)state;
    ASSERT_OK(str_parse_bytes("512M", "ram", &bytes));
    assert_int_equal(bytes, 512 << 20);
    ASSERT_OK(str_parse_bytes("1.5GiB", "ram", &bytes));
    assert_int_equal(bytes, 3 << 29);
    ASSERT_OK(str_parse_bytes("2kb", "ram", &bytes));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(str_parse_bytes(bad[i], "ram", &bytes), ERR_ARGUMENT);
    assert_int_equal(bytes, 2048);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builder_grows), cmocka_unit_test(failure_sticks), cmocka_unit_test(ends_and_cases),
        cmocka_unit_test(whole_numbers), cmocka_unit_test(numbers),        cmocka_unit_test(doubles_read_back),
        cmocka_unit_test(utf8),          cmocka_unit_test(distance),       cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
