/* SPDX-License-Identifier: Apache-2.0
 * JSON: strict reading over cJSON. The writer is json_writer.c. */
#include "base/json.h"

#include "base/file.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A Json is a cJSON under our name; the struct is never defined. */
static const cJSON *cjson(const Json *node) { return (const cJSON *)(const void *)node; }
static const Json *json_of(const cJSON *node) { return (const Json *)(const void *)node; }

/* cJSON ends a string at U+0000, so that two different keys would look alike. */
static bool has_escaped_nul(const char *text, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++) {
        if (text[i] != '\\') continue;
        if (length - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0) return true;
        i++;
    }
    return false;
}

static int compare_keys(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;
    return strcmp(*x, *y);
}

static Err check_duplicates(const cJSON *object)
{
    size_t count = 0;
    for (const cJSON *child = object->child; child != NULL; child = child->next) count++;
    if (count < 2) return ERR_NONE;
    const char **keys = malloc(count * sizeof *keys);
    if (keys == NULL) return err_memory(count * sizeof *keys, "the keys of a JSON object");
    size_t at = 0;
    for (const cJSON *child = object->child; child != NULL; child = child->next) keys[at++] = child->string;
    qsort(keys, count, sizeof *keys, compare_keys);
    Err err = ERR_NONE;
    for (size_t i = 1; i < count && err == ERR_NONE; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            err = err_set(ERR_INPUT, "JSON: the key '%s' stands twice in one object", keys[i]);
    free(keys);
    return err;
}

/* Recursion is bounded by cJSON's own nesting limit of 1,000. */
static Err check_tree(const cJSON *node)
{
    if (cJSON_IsObject(node)) TRY(check_duplicates(node));
    for (const cJSON *child = node->child; child != NULL; child = child->next) TRY(check_tree(child));
    return ERR_NONE;
}

/* ---- what cJSON reads although RFC 8259 does not allow it: control characters in strings, wrong escapes, numbers such as
 * 01, 1. or 1.e3, form feeds between the parts ---- */

static size_t count_digits(const char *text, size_t length)
{
    size_t n = 0;
    while (n < length && text[n] >= '0' && text[n] <= '9') n++;
    return n;
}

/* Bytes of the number at the start of `text` (RFC 8259, section 6), 0 if it is none. */
static size_t number_length(const char *text, size_t length)
{
    size_t at = length > 0 && text[0] == '-' ? 1 : 0;
    const size_t whole = count_digits(text + at, length - at);
    if (whole == 0 || (whole > 1 && text[at] == '0')) return 0;
    at += whole;
    if (at < length && text[at] == '.') {
        const size_t fraction = count_digits(text + at + 1, length - at - 1);
        if (fraction == 0) return 0;
        at += 1 + fraction;
    }
    if (at < length && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        if (at < length && (text[at] == '+' || text[at] == '-')) at++;
        const size_t exponent = count_digits(text + at, length - at);
        if (exponent == 0) return 0;
        at += exponent;
    }
    return at;
}

/* Bytes of the string at the start of `text`, both quotes counted (RFC 8259, section 7), 0 if it is none. */
static size_t string_length(const char *text, size_t length)
{
    for (size_t at = 1; at < length; at++) {
        if ((unsigned char)text[at] < 0x20) return 0;
        if (text[at] == '"') return at + 1;
        if (text[at] != '\\') continue;
        at++;
        if (at == length || strchr("\"\\/bfnrtu", text[at]) == NULL) return 0;
        if (text[at] != 'u') continue;
        for (size_t digit = 1; digit <= 4; digit++)
            if (at + digit >= length || !isxdigit((unsigned char)text[at + digit])) return 0;
        at += 4;
    }
    return 0;
}

/* The first byte that no part of JSON begins with or where one is malformed; `length` if all are sound. A byte order
 * mark at the start is passed over, as cJSON does. How the parts follow each other, and the words true, false and null,
 * are cJSON's affair. */
static size_t find_malformed(const char *text, size_t length)
{
    size_t part = 0;
    for (size_t at = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; at < length; at += part) {
        const char c = text[at];
        if (c == '"')
            part = string_length(text + at, length - at);
        else if (c == '-' || (c >= '0' && c <= '9'))
            part = number_length(text + at, length - at);
        else
            part = strchr("{}[]:, \t\r\n", c) != NULL || (c >= 'a' && c <= 'z') ? 1 : 0;
        if (part == 0) return at;
    }
    return length;
}

static Err check_text(const char *text, size_t length, size_t limit_bytes)
{
    if (length > limit_bytes)
        return err_set(ERR_INPUT, "JSON: %zu bytes; at most %zu are read here", length, limit_bytes);
    if (!str_is_utf8(text, length)) return err_set(ERR_INPUT, "JSON: the text is not valid UTF-8");
    if (memchr(text, '\0', length) != NULL || has_escaped_nul(text, length))
        return err_set(ERR_INPUT, "JSON: a NUL character stands in the text");
    const size_t malformed = find_malformed(text, length);
    if (malformed < length) return err_set(ERR_INPUT, "JSON: not well-formed near byte %zu of %zu", malformed, length);
    return ERR_NONE;
}

Err json_parse(const char *text, size_t length, size_t limit_bytes, Json **ret_root)
{
    const char *end = NULL;
    TRY(check_text(text, length, limit_bytes));
    cJSON *root = cJSON_ParseWithLengthOpts(text, length, &end, 0);
    if (root == NULL) {
        const size_t at = end == NULL ? 0 : (size_t)(end - text);
        return err_set(ERR_INPUT, "JSON: not well-formed near byte %zu of %zu", at, length);
    }
    Err err = ERR_NONE;
    for (const char *p = end; p < text + length && err == ERR_NONE; p++)
        if (strchr(" \t\r\n", *p) == NULL)
            err = err_set(ERR_INPUT, "JSON: something follows the value at byte %zu", (size_t)(p - text));
    if (err == ERR_NONE) err = check_tree(root);
    if (err != ERR_NONE) {
        cJSON_Delete(root);
        return err;
    }
    *ret_root = (Json *)(void *)root;
    return ERR_NONE;
}

Err json_read_file(const char *path, size_t limit_bytes, Json **ret_root)
{
    char *text = NULL;
    size_t length = 0;
    TRY(file_read(path, limit_bytes, &text, &length));
    const Err err = json_parse(text, length, limit_bytes, ret_root);
    free(text);
    return err_prefix(err, "'%s'", path);
}

void json_free(Json *root) { cJSON_Delete((cJSON *)(void *)root); }

JsonKind json_kind(const Json *value)
{
    const cJSON *node = cjson(value);
    if (cJSON_IsBool(node)) return JSON_BOOL;
    if (cJSON_IsNumber(node)) return JSON_NUMBER;
    if (cJSON_IsString(node)) return JSON_STRING;
    if (cJSON_IsArray(node)) return JSON_ARRAY;
    if (cJSON_IsObject(node)) return JSON_OBJECT;
    return JSON_NULL;
}

const char *json_kind_name(JsonKind kind)
{
    static const char *const names[] = { "null", "boolean", "number", "string", "array", "object" };
    return names[kind];
}

const char *json_key(const Json *node) { return cjson(node)->string; }

const Json *json_first(const Json *container) { return container == NULL ? NULL : json_of(cjson(container)->child); }

const Json *json_next(const Json *node) { return json_of(cjson(node)->next); }

int64_t json_count(const Json *container)
{
    int64_t count = 0;
    for (const Json *child = json_first(container); child != NULL; child = json_next(child)) count++;
    return count;
}

const Json *json_find(const Json *object, const char *key)
{
    if (object == NULL || json_kind(object) != JSON_OBJECT) return NULL;
    for (const Json *child = json_first(object); child != NULL; child = json_next(child))
        if (strcmp(json_key(child), key) == 0) return child;
    return NULL;
}

static Err check_kind(const Json *node, const char *what, JsonKind wanted)
{
    if (node == NULL) return err_set(ERR_INPUT, "'%s' is missing; a %s is wanted", what, json_kind_name(wanted));
    if (json_kind(node) == wanted) return ERR_NONE;
    return err_set(ERR_INPUT, "'%s' is a %s; a %s is wanted", what, json_kind_name(json_kind(node)),
                   json_kind_name(wanted));
}

Err json_as_string(const Json *node, const char *what, const char **ret_text)
{
    TRY(check_kind(node, what, JSON_STRING));
    *ret_text = cjson(node)->valuestring;
    return ERR_NONE;
}

Err json_as_double(const Json *node, const char *what, double *ret_value)
{
    TRY(check_kind(node, what, JSON_NUMBER));
    const double value = cjson(node)->valuedouble;
    if (!isfinite(value)) return err_set(ERR_INPUT, "'%s' is not a finite number", what);
    *ret_value = value;
    return ERR_NONE;
}

Err json_as_int(const Json *node, const char *what, int64_t minimum, int64_t maximum, int64_t *ret_value)
{
    const double exact = 9007199254740992.0; /* 2^53 */
    double value = 0.0;
    TRY(json_as_double(node, what, &value));
    if (value < -exact || value > exact || value != floor(value))
        return err_set(ERR_INPUT, "'%s' is %g; a whole number is wanted", what, value);
    if ((int64_t)value < minimum || (int64_t)value > maximum)
        return err_set(ERR_INPUT, "'%s' is %.0f; %lld to %lld is wanted", what, value, (long long)minimum,
                       (long long)maximum);
    *ret_value = (int64_t)value;
    return ERR_NONE;
}

Err json_as_bool(const Json *node, const char *what, bool *ret_value)
{
    TRY(check_kind(node, what, JSON_BOOL));
    *ret_value = cJSON_IsTrue(cjson(node)) != 0;
    return ERR_NONE;
}

Err json_get_string(const Json *object, const char *key, const char **ret_text)
{
    return json_as_string(json_find(object, key), key, ret_text);
}

Err json_get_double(const Json *object, const char *key, double *ret_value)
{
    return json_as_double(json_find(object, key), key, ret_value);
}

Err json_get_int(const Json *object, const char *key, int64_t minimum, int64_t maximum, int64_t *ret_value)
{
    return json_as_int(json_find(object, key), key, minimum, maximum, ret_value);
}

Err json_get_bool(const Json *object, const char *key, bool *ret_value)
{
    return json_as_bool(json_find(object, key), key, ret_value);
}

Err json_get_array(const Json *object, const char *key, const Json **ret_array)
{
    const Json *node = json_find(object, key);
    TRY(check_kind(node, key, JSON_ARRAY));
    *ret_array = node;
    return ERR_NONE;
}

Err json_get_object(const Json *object, const char *key, const Json **ret_object)
{
    const Json *node = json_find(object, key);
    TRY(check_kind(node, key, JSON_OBJECT));
    *ret_object = node;
    return ERR_NONE;
}

Err json_print(const Json *node, bool pretty, char **ret_text)
{
    char *text = pretty ? cJSON_Print(cjson(node)) : cJSON_PrintUnformatted(cjson(node));
    if (text == NULL) return err_memory(0, "a JSON text");
    *ret_text = text;
    return ERR_NONE;
}
