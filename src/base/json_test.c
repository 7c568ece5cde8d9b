/* SPDX-License-Identifier: Apache-2.0
 * JSON: strict reading, getters, writer. */
#include "base/json.h"

#include "harness/unit.h"

#include <math.h>
#include <string.h>

static Json *parsed(const char *text)
{
    Json *root = NULL;
    if (json_parse(text, strlen(text), 1000, &root) != ERR_NONE) fail_msg("%s: %s", text, err_message());
    return root;
}

static void getters(void **state)
{
    (void)state;
    Json *root = parsed(" {\"name\":\"K\\u00f6ppen\",\"width\":512,\"rate\":-2.5e-1,\"on\":true,\"off\":false,"
                        "\"none\":null,\"box\":[1,2,3,4],\"sub\":{\"x\":1}} \n");
    const char *text = NULL;
    int64_t width = 0;
    double rate = 0.0;
    bool on = false, off = true;
    const Json *node = NULL;
    assert_int_equal(json_get_string(root, "name", &text), ERR_NONE);
    assert_string_equal(text, "K\xC3\xB6ppen");
    assert_int_equal(json_get_int(root, "width", 1, 1024, &width), ERR_NONE);
    assert_int_equal(width, 512);
    assert_int_equal(json_get_double(root, "rate", &rate), ERR_NONE);
    assert_true(rate == -0.25);
    assert_int_equal(json_get_bool(root, "on", &on), ERR_NONE);
    assert_int_equal(json_get_bool(root, "off", &off), ERR_NONE);
    assert_true(on && !off);
    assert_int_equal(json_get_object(root, "sub", &node), ERR_NONE);
    assert_non_null(json_find(node, "x"));
    assert_int_equal(json_get_array(root, "box", &node), ERR_NONE);
    assert_int_equal(json_count(node), 4);
    assert_int_equal(json_kind(json_find(root, "none")), JSON_NULL);
    assert_string_equal(json_key(json_next(json_first(root))), "width");

    assert_int_equal(json_get_string(root, "width", &text), ERR_INPUT);
    assert_string_equal(err_message(), "'width' is a number; a string is wanted");
    assert_int_equal(json_get_string(root, "gone", &text), ERR_INPUT);
    assert_string_equal(err_message(), "'gone' is missing; a string is wanted");
    assert_int_equal(json_get_int(root, "rate", 0, 9, &width), ERR_INPUT);
    assert_int_equal(json_get_int(root, "width", 0, 9, &width), ERR_INPUT);
    assert_int_equal(json_get_array(root, "sub", &node), ERR_INPUT);
    assert_null(json_find(NULL, "x"));
    json_free(root);
}

static void refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "{\"a\":1,}",
        "{\"a\":1}x",
        "[1] [2]",
        "nul",
        "{'a':1}",
        "[1,2",
        "{\"a\" 1}",
        "{\"a\":1,\"a\":2}",
        "\"\\u0000\"",
        "{\"a\\u0000b\":1}",
        "\"\x80\"",
        "[NaN]",
        "[Infinity]",
        "{\"x\":{\"b\":1,\"c\":2,\"b\":3}}",
        /* what cJSON itself would read */
        "[01]",
        "[-01]",
        "[1.]",
        "[-.5]",
        "[-]",
        "[1.e3]",
        "[2.e-3]",
        "[1e]",
        "[1e+]",
        "[1.5.2]",
        "\"a\nb\"",
        "\"a\tb\"",
        "\"\x1f\"",
        "\"\\q\"",
        "\"\\u00g0\"",
        "\"\\u00",
        "[1,\f2]",
        "[1,\v2]",
        ("[\xEF\xBB\xBF"
         "1]"),
        "[1]\xC2\xA0",
    };
    for (int64_t i = 0; i < ARRAY_LEN(bad); i++) {
        Json *root = NULL;
        assert_int_equal(json_parse(bad[i], strlen(bad[i]), 1000, &root), ERR_INPUT);
        assert_null(root);
    }
    Json *root = NULL;
    assert_int_equal(json_parse("[1, 2]", 6, 5, &root), ERR_INPUT);
    assert_int_equal(json_parse("1\0", 2, 5, &root), ERR_INPUT);
    ASSERT_ERR(json_parse("[1, 02]", 7, 9, &root), ERR_INPUT, "not well-formed near byte 4 of 7");
    json_free(parsed("[0, -0, 10, 1.50, 1e5, 1E+05, -2.5e-10, \"\\u00fC\\/\\b\\f\", true, false, null]\r\n\t "));
    json_free(parsed("\xEF\xBB\xBF[1]"));
    json_free(parsed("\"\\\\u0000\"")); /* an escaped backslash, then plain letters */
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    enum { LEVELS = 100000 };
    char *text = malloc(LEVELS);
    Json *root = NULL;
    assert_non_null(text);
    memset(text, '[', LEVELS);
    assert_int_equal(json_parse(text, LEVELS, LEVELS, &root), ERR_INPUT);
    free(text);
}

static void huge_numbers(void **state)
{
    (void)state;
    Json *root = parsed("[1e999, 9007199254740993000, 9007199254740992]");
    const Json *node = json_first(root);
    double value = 0.0;
    int64_t whole = 0;
    assert_int_equal(json_as_double(node, "a", &value), ERR_INPUT);
    node = json_next(node);
    assert_int_equal(json_as_int(node, "b", INT64_MIN, INT64_MAX, &whole), ERR_INPUT);
    node = json_next(node);
    assert_int_equal(json_as_int(node, "c", INT64_MIN, INT64_MAX, &whole), ERR_NONE);
    assert_true(whole == 9007199254740992);
    json_free(root);
}

static void writer(void **state)
{
    (void)state;
    JsonWriter w = { 0 };
    char *text = NULL;
    Json *tree = parsed("{\"k\":[1]}");
    json_begin_object(&w, NULL);
    json_put_string(&w, "a\"b", "line\n\x01\\ K\xC3\xB6 \xFF");
    json_put_string(&w, "n", NULL);
    json_begin_array(&w, "list");
    json_put_int(&w, NULL, -5);
    json_put_double(&w, NULL, 0.1);
    json_put_double(&w, NULL, (double)INFINITY);
    json_put_bool(&w, NULL, true);
    json_begin_object(&w, NULL);
    json_end(&w);
    json_end(&w);
    json_put_node(&w, "tree", tree);
    json_end(&w);
    assert_int_equal(json_take(&w, &text), ERR_NONE);
    assert_string_equal(text, "{\"a\\\"b\":\"line\\n\\u0001\\\\ K\xC3\xB6 \xEF\xBF\xBD\",\"n\":null,"
                              "\"list\":[-5,0.1,null,true,{}],\"tree\":{\"k\":[1]}}");
    json_free(parsed(text));
    free(text);
    json_free(tree);
}

static void writer_pretty(void **state)
{
    (void)state;
    JsonWriter w = { .pretty = true };
    char *text = NULL;
    json_begin_object(&w, NULL);
    json_put_int(&w, "a", 1);
    json_begin_array(&w, "b");
    json_end(&w);
    json_end(&w);
    assert_int_equal(json_take(&w, &text), ERR_NONE);
    assert_string_equal(text, "{\n  \"a\": 1,\n  \"b\": []\n}\n");
    free(text);
}

static void writer_misuse_is_noticed(void **state)
{
    (void)state;
    JsonWriter w = { 0 };
    char *text = NULL;
    json_begin_object(&w, NULL);
    assert_int_equal(json_take(&w, &text), ERR_INTERNAL); /* left open */
    json_begin_object(&w, NULL);
    json_put_int(&w, NULL, 1); /* no key */
    json_end(&w);
    assert_int_equal(json_take(&w, &text), ERR_INTERNAL);
    json_put_int(&w, NULL, 1);
    json_put_int(&w, NULL, 2); /* two values at the top */
    assert_int_equal(json_take(&w, &text), ERR_INTERNAL);
    for (int i = 0; i < JSON_WRITER_DEPTH + 1; i++) json_begin_array(&w, NULL);
    for (int i = 0; i < JSON_WRITER_DEPTH + 1; i++) json_end(&w);
    assert_int_equal(json_take(&w, &text), ERR_INTERNAL); /* too deep */
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(getters),
        cmocka_unit_test(refuses),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(huge_numbers),
        cmocka_unit_test(writer),
        cmocka_unit_test(writer_pretty),
        cmocka_unit_test(writer_misuse_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
