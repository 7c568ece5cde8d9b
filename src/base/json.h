/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON in and out; the only home of cJSON.
 *
 * Reading: a tree, parsed strictly (size limit, valid UTF-8, no duplicate keys, no U+0000 in strings, nothing after the
 * value, at most 1,000 levels). Nodes are borrowed from the root and die with it. Getters return ERR_INPUT with the key
 * in the message; a reader of models or configurations maps it: `if (err == ERR_INPUT) err = err_prefix(ERR_MODEL,
 * "'%s'", path)`.
 *
 *     Json *root = NULL;
 *     TRY(json_parse(text, length, 1 << 20, &root));
 *     Err err = json_get_int(root, "width", 1, 4096, &width);
 *     json_free(root);
 *
 * Writing: a JsonWriter appends text; no tree, one check at the end.
 *
 *     JsonWriter w = { 0 };
 *     json_begin_object(&w, NULL);
 *     json_put_string(&w, "name", "globe");
 *     json_begin_array(&w, "shape");
 *     json_put_int(&w, NULL, 512);
 *     json_end(&w);
 *     json_end(&w);
 *     TRY(json_take(&w, &text));   // {"name":"globe","shape":[512]}
 */
#ifndef METASEG_BASE_JSON_H
#define METASEG_BASE_JSON_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Json Json;
typedef enum JsonKind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } JsonKind;

/* Parses `length` bytes (no NUL needed). ERR_INPUT: over limit_bytes or not strict JSON; ERR_MEMORY. json_free(). */
Err json_parse(const char *text, size_t length, size_t limit_bytes, Json **ret_root);

/* Reads and parses a file; the message starts with its path. ERR_INPUT, ERR_MEMORY. */
Err json_read_file(const char *path, size_t limit_bytes, Json **ret_root);

void json_free(Json *root);

JsonKind json_kind(const Json *value);
const char *json_kind_name(JsonKind kind); /* "object", "number", ... */

/* Key of a member of an object, NULL for others. */
const char *json_key(const Json *node);

/* Children in file order: for (c = json_first(n); c != NULL; c = json_next(c)). */
const Json *json_first(const Json *container);
const Json *json_next(const Json *node);
int64_t json_count(const Json *container);

/* Member by exact key, NULL if absent or `object` is none (or NULL). Linear in the number of members. */
const Json *json_find(const Json *object, const char *key);

/* Members that must be there and of that kind. Strings are borrowed. Numbers must be finite; integers whole and within
 * [minimum, maximum] (and exactly representable in a double). ERR_INPUT. */
Err json_get_string(const Json *object, const char *key, const char **ret_text);
Err json_get_double(const Json *object, const char *key, double *ret_value);
Err json_get_int(const Json *object, const char *key, int64_t minimum, int64_t maximum, int64_t *ret_value);
Err json_get_bool(const Json *object, const char *key, bool *ret_value);
Err json_get_array(const Json *object, const char *key, const Json **ret_array);
Err json_get_object(const Json *object, const char *key, const Json **ret_object);

/* The same of a node itself, for elements of arrays; `what` names it in the message. ERR_INPUT. */
Err json_as_string(const Json *node, const char *what, const char **ret_text);
Err json_as_double(const Json *node, const char *what, double *ret_value);
Err json_as_int(const Json *node, const char *what, int64_t minimum, int64_t maximum, int64_t *ret_value);
Err json_as_bool(const Json *node, const char *what, bool *ret_value);

/* The tree as text; free() it. ERR_MEMORY. */
Err json_print(const Json *node, bool pretty, char **ret_text);

/* Writer. Zero it to start. `key` is the member name inside an object and NULL inside an array or at the top; a
 * mismatch is our bug and reported by json_take as ERR_INTERNAL. Strings that are not UTF-8 get U+FFFD for each bad
 * byte. */
enum { JSON_WRITER_DEPTH = 32 };
typedef struct JsonWriter {
    Str text;
    bool pretty; /* set before the first call: two spaces of indentation */
    int32_t depth;
    char closing[JSON_WRITER_DEPTH];    /* '}' or ']' of each open container */
    bool filled[JSON_WRITER_DEPTH + 1]; /* something was written at this level */
    bool misused;
} JsonWriter;

void json_begin_object(JsonWriter *writer, const char *key);
void json_begin_array(JsonWriter *writer, const char *key);
void json_end(JsonWriter *writer);
void json_put_string(JsonWriter *writer, const char *key, const char *text); /* NULL: null */
void json_put_double(JsonWriter *writer, const char *key, double value);     /* not finite: null */
void json_put_int(JsonWriter *writer, const char *key, int64_t value);
void json_put_bool(JsonWriter *writer, const char *key, bool value);
void json_put_null(JsonWriter *writer, const char *key);
void json_put_node(JsonWriter *writer, const char *key, const Json *node); /* a parsed tree, compact */

/* Hands the finished text over (free() it) and empties the writer. ERR_MEMORY; ERR_INTERNAL if containers are open. */
Err json_take(JsonWriter *writer, char **ret_text);
void json_writer_done(JsonWriter *writer);

#endif
