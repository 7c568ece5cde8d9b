/* SPDX-License-Identifier: Apache-2.0
 * Strings. */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DISTANCE_LETTERS = 63 };

static bool reserve(Str *str, size_t extra)
{
    if (str->failed) return false;
    const size_t wanted = extra < SIZE_MAX / 4 - str->length ? str->length + extra + 1 : SIZE_MAX;
    if (wanted <= str->capacity) return true;
    size_t capacity = str->capacity < 64 ? 64 : str->capacity * 2;
    if (capacity < wanted) capacity = wanted;
    char *text = wanted < SIZE_MAX ? realloc(str->text, capacity) : NULL;
    if (text == NULL) {
        str->failed = true;
        str->wanted = capacity;
        return false;
    }
    if (str->text == NULL) text[0] = '\0';
    str->text = text;
    str->capacity = capacity;
    return true;
}

void str_add_bytes(Str *str, const char *bytes, size_t length)
{
    if (!reserve(str, length)) return;
    if (length > 0) memcpy(str->text + str->length, bytes, length);
    str->length += length;
    str->text[str->length] = '\0';
}

void str_add(Str *str, const char *text) { str_add_bytes(str, text, strlen(text)); }

void str_add_char(Str *str, char c) { str_add_bytes(str, &c, 1); }

static void add_formatted(Str *str, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) {
        str->failed = true;
        str->wanted = SIZE_MAX;
        return;
    }
    if (!reserve(str, (size_t)length)) return;
    (void)vsnprintf(str->text + str->length, (size_t)length + 1, format, arguments);
    str->length += (size_t)length;
}

void str_addf(Str *str, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_formatted(str, format, arguments);
    va_end(arguments);
}

const char *str_text(const Str *str) { return str->text == NULL ? "" : str->text; }

Err str_take(Str *str, char **ret_text)
{
    if (!str->failed && str->text == NULL) (void)reserve(str, 0);
    if (str->failed) {
        const size_t wanted = str->wanted;
        str_done(str);
        return err_memory((unsigned long long)wanted, "a text");
    }
    *ret_text = str->text;
    *str = (Str){ 0 };
    return ERR_NONE;
}

void str_done(Str *str)
{
    if (str == NULL) return;
    free(str->text);
    *str = (Str){ 0 };
}

Err str_copy(const char *text, char **ret_copy)
{
    Str str = { 0 };
    str_add(&str, text == NULL ? "" : text);
    return str_take(&str, ret_copy);
}

Err str_format(char **ret_text, const char *format, ...)
{
    Str str = { 0 };
    va_list arguments;
    va_start(arguments, format);
    add_formatted(&str, format, arguments);
    va_end(arguments);
    return str_take(&str, ret_text);
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

bool str_starts_with(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

bool str_equal_nocase(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

bool str_ends_with(const char *text, const char *suffix)
{
    const size_t length = strlen(text), end = strlen(suffix);
    return length >= end && str_equal_nocase(text + length - end, suffix);
}

/* Bytes of the UTF-8 sequence at p (RFC 3629, table in section 4), 0 if malformed. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    const unsigned char first = p[0];
    if (first < 0x80) return 1;
    size_t length;
    unsigned char low = 0x80, high = 0xBF;
    if (first >= 0xC2 && first <= 0xDF) {
        length = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
        length = 3;
        if (first == 0xE0) low = 0xA0;
        if (first == 0xED) high = 0x9F;
    } else if (first >= 0xF0 && first <= 0xF4) {
        length = 4;
        if (first == 0xF0) low = 0x90;
        if (first == 0xF4) high = 0x8F;
    } else {
        return 0;
    }
    if (left < length || p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < length; i++)
        if (p[i] < 0x80 || p[i] > 0xBF) return 0;
    return length;
}

bool str_is_utf8(const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length) {
        const size_t step = utf8_sequence((const unsigned char *)bytes + at, length - at);
        if (step == 0) return false;
        at += step;
    }
    return true;
}

Err str_parse_int(const char *text, const char *what, int64_t minimum, int64_t maximum, int64_t *ret_value)
{
    const char *digits = text[0] == '-' || text[0] == '+' ? text + 1 : text;
    char *end = NULL;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (digits[0] < '0' || digits[0] > '9' || *end != '\0')
        return err_set(ERR_ARGUMENT, "%s: '%s' is not a whole number", what, text);
    if (errno == ERANGE || value < minimum || value > maximum)
        return err_set(ERR_ARGUMENT, "%s: %s is out of range; give %lld to %lld", what, text, (long long)minimum,
                       (long long)maximum);
    *ret_value = value;
    return ERR_NONE;
}

/* strtod with '.' whatever locale the host program has set. */
static double to_double(const char *text, char **ret_end)
{
    const locale_t c_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    const locale_t before = c_locale == (locale_t)0 ? (locale_t)0 : uselocale(c_locale);
    const double value = strtod(text, ret_end);
    if (c_locale != (locale_t)0) {
        (void)uselocale(before);
        freelocale(c_locale);
    }
    return value;
}

Err str_parse_double(const char *text, const char *what, double minimum, double maximum, double *ret_value)
{
    char *end = NULL;
    double value = 0.0;
    const size_t length = strlen(text);
    bool ok = length > 0 && length < 128 && strspn(text, "+-.0123456789eE") == length;
    if (ok) {
        value = to_double(text, &end);
        ok = end != text && *end == '\0';
    }
    if (!ok) return err_set(ERR_ARGUMENT, "%s: '%s' is not a number", what, text);
    if (!isfinite(value)) return err_set(ERR_ARGUMENT, "%s: %s is out of range of any number", what, text);
    if (value < minimum || value > maximum)
        return err_set(ERR_ARGUMENT, "%s: %s is out of range; give %g to %g", what, text, minimum, maximum);
    *ret_value = value;
    return ERR_NONE;
}

Err str_parse_bytes(const char *text, const char *what, int64_t *ret_bytes)
{
    enum { BITS = 10, DIGITS = 32 };
    static const char units[] = "KMGT";
    const char *unit = text + strspn(text, "0123456789.");
    const size_t digits = (size_t)(unit - text);
    const char *found = *unit != '\0' ? strchr(units, toupper((unsigned char)*unit)) : NULL;
    const char *rest = found != NULL ? unit + 1 : unit;
    char number[DIGITS];
    double value = 0.0;
    if (found == NULL || digits == 0 || digits >= DIGITS ||
        !(*rest == '\0' || str_equal_nocase(rest, "B") || str_equal_nocase(rest, "iB")))
        return err_set(ERR_ARGUMENT, "%s: '%s' is no size; expected a number and its unit: 512M, 1.5G", what, text);
    memcpy(number, text, digits);
    number[digits] = '\0';
    const double factor = (double)(INT64_C(1) << (BITS * (found - units + 1)));
    TRY(str_parse_double(number, what, 1.0 / factor, (double)(INT64_C(1) << 60) / factor, &value));
    *ret_bytes = (int64_t)(value * factor);
    return ERR_NONE;
}

Err str_parse_doubles(const char *text, const char *what, int64_t count, double *ret_values)
{
    const char *at = text;
    for (int64_t i = 0; i < count; i++) {
        const size_t length = strcspn(at, ",");
        const bool last = i == count - 1;
        char word[128];
        if (length == 0 || length >= sizeof word || (at[length] == '\0') != last)
            return err_set(ERR_ARGUMENT, "%s: '%s' found; %lld numbers with commas between them are wanted", what, text,
                           (long long)count);
        memcpy(word, at, length);
        word[length] = '\0';
        TRY(str_parse_double(word, what, -HUGE_VAL, HUGE_VAL, &ret_values[i]));
        at += length + 1;
    }
    return ERR_NONE;
}

void str_from_double(double value, char ret_text[32])
{
    if (!isfinite(value)) {
        (void)snprintf(ret_text, 32, "null");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(ret_text, 32, "%.*g", digits, value);
        char *comma = strchr(ret_text, ',');
        if (comma != NULL) *comma = '.';
        if (to_double(ret_text, NULL) == value) return;
    }
}

int64_t str_distance(const char *a, const char *b)
{
    const size_t m = strnlen(a, DISTANCE_LETTERS), n = strnlen(b, DISTANCE_LETTERS);
    int64_t row[3][DISTANCE_LETTERS + 1];
    for (size_t j = 0; j <= n; j++) row[0][j] = (int64_t)j;
    for (size_t i = 1; i <= m; i++) {
        int64_t *now = row[i % 3];
        const int64_t *above = row[(i - 1) % 3];
        now[0] = (int64_t)i;
        for (size_t j = 1; j <= n; j++) {
            const char x = lower(a[i - 1]), y = lower(b[j - 1]);
            int64_t best = above[j - 1] + (x != y);
            if (above[j] + 1 < best) best = above[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]) && row[(i - 2) % 3][j - 2] + 1 < best)
                best = row[(i - 2) % 3][j - 2] + 1;
            now[j] = best;
        }
    }
    return row[m % 3][n];
}

const char *str_nearest(const char *word, const char *const *candidates, int64_t count)
{
    const int64_t third = (int64_t)strlen(word) / 3;
    int64_t best = (third < 1 ? 1 : third) + 1;
    const char *nearest = NULL;
    for (int64_t i = 0; i < count; i++) {
        const int64_t distance = str_distance(word, candidates[i]);
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
