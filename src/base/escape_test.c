/* SPDX-License-Identifier: Apache-2.0
 * What is shown of names that would play with a terminal. */
#include "base/escape.h"

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "harness/unit.h"

static void lines(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } list[] = {
        { "", "" },
        { "plain 'name'.tif", "plain 'name'.tif" },
        { "Grün, 森林, \xF0\x9F\x8C\xB3", "Grün, 森林, \xF0\x9F\x8C\xB3" },
        { "back\\slash", "back\\slash" },
        { "a\x1b[31m\nb\tc\r", "a\\x1b[31m\\x0ab\\x09c\\x0d" },
        { "bell\a, delete\x7f", "bell\\x07, delete\\x7f" },
        { "C1 \xC2\x9B"
          "31m",
          "C1 \\u009b31m" },
        { "gnp.\xE2\x80\xAE"
          "evil",
          "gnp.\\u202eevil" },
        { "\xE2\x81\xA6isolate\xE2\x81\xA9 \xD8\x9C \xE2\x80\x8F", "\\u2066isolate\\u2069 \\u061c \\u200f" },
        { "line\xE2\x80\xA8paragraph\xE2\x80\xA9", "line\\u2028paragraph\\u2029" },
        { "\xEF\xBB\xBFmark", "\\ufeffmark" },
        { "tag \xF3\xA0\x81\x81", "tag \\U000e0041" },
        { "not UTF-8: \xFF\xC3 \xED\xA0\x80", "not UTF-8: \\xff\\xc3 \\xed\\xa0\\x80" },
        { "cut \xE6\xA3", "cut \\xe6\\xa3" },
    };
    for (int64_t i = 0; i < ARRAY_LEN(list); i++) {
        char line[256], again[256];
        escape_line(list[i].text, line, sizeof line);
        assert_string_equal(line, list[i].shown);
        escape_line(line, again, sizeof again);
        assert_string_equal(again, line);
    }
}

/* The ends of a long text stay, whole characters only, for every capacity. */
static void long_lines(void **state)
{
    (void)state;
    char text[600], line[2000];
    size_t used = 0;
    while (used < 500) used += (size_t)snprintf(text + used, sizeof text - used, "%s", used % 3 == 0 ? "森" : "\x1b");
    (void)snprintf(text + used, sizeof text - used, "end");
    escape_line(text, line, sizeof line);
    const size_t total = strlen(line);
    assert_true(total > 500 && strstr(line, " ... ") == NULL);
    for (size_t capacity = 64; capacity <= total; capacity++) {
        memset(line, 'X', sizeof line);
        escape_line(text, line, capacity);
        const size_t length = strlen(line);
        assert_true(length < capacity && length + 16 >= capacity);
        assert_string_equal(line + length - 3, "end");
        assert_memory_equal(line, "森", 3);
        assert_non_null(strstr(line, " ... "));
        for (size_t i = length + 1; i < sizeof line; i++) assert_int_equal(line[i], 'X');
        for (const char *c = line; *c != '\0';) {
            char shown[ESCAPE_BYTES];
            assert_int_equal(escape_next(&c, shown), -1);
        }
    }
}

/* Errors of every kind come out as one harmless line; the reason behind a long name is still there. */
static void errors(void **state)
{
    (void)state;
    char name[3000];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    (void)err_set(ERR_INPUT, "'%s': no such file", "a\nmetaseg: error: fake\x1b[2J");
    assert_string_equal(err_message(), "'a\\x0ametaseg: error: fake\\x1b[2J': no such file");
    (void)err_prefix(ERR_INPUT, "in '%s'", "\xE2\x80\xAE");
    assert_string_equal(err_message(), "in '\\u202e': 'a\\x0ametaseg: error: fake\\x1b[2J': no such file");
    (void)err_set(ERR_INPUT, "'%s': no such file", name);
    assert_int_equal(strlen(err_message()), ERR_MESSAGE_BYTES - 1);
    assert_string_equal(err_message() + strlen(err_message()) - 14, ": no such file");
    (void)err_prefix(ERR_INPUT, "%s", name);
    assert_string_equal(err_message() + strlen(err_message()) - 14, ": no such file");
    (void)err_adopt(ERR_INPUT, "\r");
    assert_string_equal(err_message(), "\\x0d");
}

static void check_stream(FILE *file, const char *expected)
{
    char text[1024];
    rewind(file);
    const size_t n = fread(text, 1, sizeof text - 1, file);
    text[n] = '\0';
    if (strstr(text, expected) == NULL) fail_msg("'%s' is not in '%s'", expected, text);
    for (size_t i = 0; i + 1 < n; i++) assert_true((unsigned char)text[i] >= 0x20 && text[i] != '\x7f');
}

/* Messages and progress, as text and as JSON. */
static void streams(void **state)
{
    (void)state;
    for (int json = 0; json < 2; json++) {
        LogStream stream;
        FILE *file = tmpfile();
        assert_non_null(file);
        log_stream_init(&stream, file, json == 1);
        log_to_stream(&stream, LOG_WARNING, "\x1b]0;title\x07 \xC2\x85 \xE2\x80\xAE");
        check_stream(file, json == 1 ? "\\u001b]0;title\\u0007 \\u0085 \\u202e" : "\\x1b]0;title\\x07 \\u0085 \\u202e");
        (void)fclose(file);
        file = tmpfile();
        assert_non_null(file);
        log_stream_init(&stream, file, json == 1);
        Progress progress;
        progress_start(&progress, &stream, "na\x1bme", "tiles", 2);
        progress_note(&progress, "\n%s", "\xE2\x81\xA7");
        progress_finish(&progress);
        check_stream(file, json == 1 ? "\\n\\u2067" : "\\x0a\\u2067");
        (void)fclose(file);
    }
}

/* A parsed text that is written again: hidden characters come out as escapes that read back as the same text. */
static void json_nodes(void **state)
{
    (void)state;
    static const char text[] = "{\"k\xE2\x80\xAE\":\"a\xC2\x9B\\u001b\x7f森\"}";
    Json *root = NULL;
    char *written = NULL;
    JsonWriter w = { 0 };
    ASSERT_OK(json_parse(text, strlen(text), 1024, &root));
    json_begin_object(&w, NULL);
    json_put_node(&w, "node", root);
    json_end(&w);
    ASSERT_OK(json_take(&w, &written));
    assert_string_equal(written, "{\"node\":{\"k\\u202e\":\"a\\u009b\\u001b\\u007f森\"}}");
    free(written);
    json_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lines), cmocka_unit_test(long_lines), cmocka_unit_test(errors),
                                        cmocka_unit_test(streams), cmocka_unit_test(json_nodes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
