/* SPDX-License-Identifier: Apache-2.0
 *
 * Text: a growing string that keeps its first error, strict number parsing, and the nearest known word for messages.
 *
 *     Str text = { 0 };
 *     str_add(&text, "classes:");
 *     str_addf(&text, " %d", count);
 *     char *result = NULL;
 *     TRY(str_take(&text, &result));   // one check at the end; free(result)
 */
#ifndef METASEG_BASE_STR_H
#define METASEG_BASE_STR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero it to start. After a failed allocation further additions do nothing and str_take reports it. */
typedef struct Str {
    char *text;    /* NULL while empty, else ends in NUL */
    size_t length; /* bytes without the NUL */
    size_t capacity;
    bool failed;
    size_t wanted; /* bytes that could not be had, when `failed` */
} Str;

void str_add(Str *str, const char *text);
void str_add_bytes(Str *str, const char *bytes, size_t length);
void str_add_char(Str *str, char c);
void str_addf(Str *str, const char *format, ...) PRINTF_LIKE(2, 3);

/* The text so far, "" while empty. Valid until the next addition. */
const char *str_text(const Str *str);

/* Hands the text over (free() it) and empties `str`. ERR_MEMORY if an addition had failed. */
Err str_take(Str *str, char **ret_text);

/* Frees and zeroes. */
void str_done(Str *str);

/* Copy for the heap; NULL gives a copy of "". free() it. ERR_MEMORY. */
Err str_copy(const char *text, char **ret_copy);

/* Formatted text on the heap; free() it. ERR_MEMORY. */
Err str_format(char **ret_text, const char *format, ...) PRINTF_LIKE(2, 3);

bool str_starts_with(const char *text, const char *prefix);
bool str_ends_with(const char *text, const char *suffix); /* ASCII case ignored: file name suffixes */
bool str_equal_nocase(const char *a, const char *b);      /* ASCII case ignored */

/* Whether the bytes are well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF). */
bool str_is_utf8(const char *bytes, size_t length);

/* The whole text must be one decimal number; surrounding blanks, hexadecimal, "nan" and "inf" are refused. `what` names
 * the value in the message. The decimal point is '.' in every locale. ERR_ARGUMENT, ret_value untouched. */
Err str_parse_int(const char *text, const char *what, int64_t minimum, int64_t maximum, int64_t *ret_value);
Err str_parse_double(const char *text, const char *what, double minimum, double maximum, double *ret_value);

/* A number of bytes: "512M", "1.5G"; K, M, G and T are powers of 1024, "B" and "iB" may follow. A number without a unit is refused.
 * At least 1. ERR_ARGUMENT. */
Err str_parse_bytes(const char *text, const char *what, int64_t *ret_bytes);

/* "x1,x2,...": exactly `count` finite numbers. ERR_ARGUMENT. */
Err str_parse_doubles(const char *text, const char *what, int64_t count, double *ret_values);

/* Shortest decimal text that reads back as the same double ('.' in every locale); needs 32 bytes. Not finite: "null".
 */
void str_from_double(double value, char ret_text[32]);

/* Edits (insert, delete, replace, swap of neighbours: "optimal string alignment") between two words, ASCII case
 * ignored. Words longer than 63 bytes count by their first 63. */
int64_t str_distance(const char *a, const char *b);

/* The candidate nearest to `word`, or NULL when none is near enough to be a likely slip (at most a third of the
 * letters, at least 1). */
const char *str_nearest(const char *word, const char *const *candidates, int64_t count);

#endif
