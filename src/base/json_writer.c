/* SPDX-License-Identifier: Apache-2.0
 * JSON: the writer. */
#include "base/json.h"

#include "base/escape.h"

#include <stdlib.h>
#include <string.h>

/* One character of a string, or of a JSON text that is written already: hidden ones as \uHHHH (above U+FFFF as two
 * surrogates), what is not UTF-8 as U+FFFD. */
static void put_character(Str *text, const char **value)
{
    char shown[ESCAPE_BYTES];
    const bool ascii = (unsigned char)**value < 0x80;
    const int32_t c = escape_next(value, shown);
    if (c < 0)
        str_add(text, shown);
    else if (c == 0 && !ascii)
        str_add(text, "\xEF\xBF\xBD"); /* U+FFFD */
    else if (c < 0x10000)
        str_addf(text, "\\u%04x", (unsigned)c);
    else
        str_addf(text, "\\u%04x\\u%04x", 0xD800U + (((unsigned)c - 0x10000U) >> 10), 0xDC00U + ((unsigned)c & 0x3FFU));
}

static void put_quoted(Str *text, const char *value)
{
    str_add_char(text, '"');
    while (*value != '\0') {
        if (*value == '"' || *value == '\\') str_add_char(text, '\\');
        if (*value == '\n') {
            str_add(text, "\\n");
            value++;
        } else {
            put_character(text, &value);
        }
    }
    str_add_char(text, '"');
}

static void new_line(JsonWriter *writer)
{
    if (!writer->pretty) return;
    str_add_char(&writer->text, '\n');
    for (int32_t i = 0; i < writer->depth; i++) str_add(&writer->text, "  ");
}

/* Comma, line break and key before a value. */
static void before_value(JsonWriter *writer, const char *key)
{
    const bool in_object = writer->depth > 0 && writer->closing[writer->depth - 1] == '}';
    if (in_object != (key != NULL) || (writer->depth == 0 && writer->filled[0])) writer->misused = true;
    if (writer->filled[writer->depth]) str_add_char(&writer->text, ',');
    if (writer->depth > 0) new_line(writer);
    writer->filled[writer->depth] = true;
    if (key == NULL) return;
    put_quoted(&writer->text, key);
    str_add(&writer->text, writer->pretty ? ": " : ":");
}

static void begin(JsonWriter *writer, const char *key, char opening, char closing)
{
    before_value(writer, key);
    str_add_char(&writer->text, opening);
    if (writer->depth >= JSON_WRITER_DEPTH) {
        writer->misused = true;
        return;
    }
    writer->closing[writer->depth++] = closing;
    writer->filled[writer->depth] = false;
}

void json_begin_object(JsonWriter *writer, const char *key) { begin(writer, key, '{', '}'); }

void json_begin_array(JsonWriter *writer, const char *key) { begin(writer, key, '[', ']'); }

void json_end(JsonWriter *writer)
{
    if (writer->depth == 0) {
        writer->misused = true;
        return;
    }
    const bool filled = writer->filled[writer->depth];
    writer->depth--;
    if (filled) new_line(writer);
    str_add_char(&writer->text, writer->closing[writer->depth]);
}

void json_put_string(JsonWriter *writer, const char *key, const char *text)
{
    before_value(writer, key);
    if (text == NULL)
        str_add(&writer->text, "null");
    else
        put_quoted(&writer->text, text);
}

void json_put_double(JsonWriter *writer, const char *key, double value)
{
    char number[32];
    str_from_double(value, number);
    before_value(writer, key);
    str_add(&writer->text, number);
}

void json_put_int(JsonWriter *writer, const char *key, int64_t value)
{
    before_value(writer, key);
    str_addf(&writer->text, "%lld", (long long)value);
}

void json_put_bool(JsonWriter *writer, const char *key, bool value)
{
    before_value(writer, key);
    str_add(&writer->text, value ? "true" : "false");
}

void json_put_null(JsonWriter *writer, const char *key)
{
    before_value(writer, key);
    str_add(&writer->text, "null");
}

void json_put_node(JsonWriter *writer, const char *key, const Json *node)
{
    char *text = NULL;
    before_value(writer, key);
    if (json_print(node, false, &text) != ERR_NONE) writer->text.failed = true;
    for (const char *c = text; c != NULL && *c != '\0';) put_character(&writer->text, &c);
    free(text);
}

Err json_take(JsonWriter *writer, char **ret_text)
{
    if (writer->depth != 0 || writer->misused || !writer->filled[0]) {
        json_writer_done(writer);
        return err_set(ERR_INTERNAL, "the JSON writer was left with an open container or a misplaced key");
    }
    if (writer->pretty) str_add_char(&writer->text, '\n');
    const Err err = str_take(&writer->text, ret_text);
    *writer = (JsonWriter){ 0 };
    return err;
}

void json_writer_done(JsonWriter *writer)
{
    if (writer == NULL) return;
    str_done(&writer->text);
    *writer = (JsonWriter){ 0 };
}
