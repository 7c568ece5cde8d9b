/* SPDX-License-Identifier: Apache-2.0
 * Control and direction characters made visible. */
#include "base/escape.h"

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Unicode 15: categories Cc, Zl, Zp, property Bidi_Control, and what is invisible without being part of a script. */
static bool is_hidden(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        { 0x00, 0x1F },     { 0x7F, 0x9F },     { 0x61C, 0x61C },   { 0x200B, 0x200B }, { 0x200E, 0x200F },
        { 0x2028, 0x202E }, { 0x2060, 0x2069 }, { 0xFEFF, 0xFEFF }, { 0xFFF9, 0xFFFB }, { 0xE0000, 0xE007F },
    };
    for (int64_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last) return true;
    return false;
}

/* Bytes of the well-formed UTF-8 character at `text`, 0 if there is none. */
static size_t decode(const unsigned char *text, uint32_t *ret_character)
{
    const size_t n = text[0] < 0x80 ? 1 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
    if (strnlen((const char *)text, n) < n || !str_is_utf8((const char *)text, n)) return 0;
    uint32_t c = n == 1 ? text[0] : text[0] & (0xFFU >> (n + 1));
    for (size_t i = 1; i < n; i++) c = c << 6 | (text[i] & 0x3FU);
    *ret_character = c;
    return n;
}

int32_t escape_next(const char **text, char ret_shown[ESCAPE_BYTES])
{
    uint32_t c = 0;
    const size_t n = decode((const unsigned char *)*text, &c);
    if (n > 0 && !is_hidden(c)) {
        memcpy(ret_shown, *text, n);
        ret_shown[n] = '\0';
        *text += n;
        return -1;
    }
    const char *format = n <= 1 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
    (void)snprintf(ret_shown, ESCAPE_BYTES, format, n == 0 ? (unsigned)(unsigned char)**text : (unsigned)c);
    *text += n == 0 ? 1 : n;
    return (int32_t)c;
}

void escape_line(const char *text, char *ret_line, size_t capacity)
{
    static const char gap[] = " ... ";
    char shown[ESCAPE_BYTES];
    size_t total = 0, used = 0;
    for (const char *c = text; *c != '\0'; total += strlen(shown)) (void)escape_next(&c, shown);
    const bool whole = total < capacity;
    const size_t head = whole ? total : (capacity - sizeof gap) / 2, tail = (capacity - sizeof gap) - head;
    bool skipped = false;
    size_t at = 0; /* in the escaped text */
    for (const char *c = text; *c != '\0';) {
        (void)escape_next(&c, shown);
        const size_t n = strlen(shown);
        if (whole || at + n <= head || at >= total - tail) {
            memcpy(ret_line + used, shown, n);
            used += n;
        } else if (!skipped) {
            memcpy(ret_line + used, gap, sizeof gap - 1);
            used += sizeof gap - 1;
            skipped = true;
        }
        at += n;
    }
    ret_line[used] = '\0';
}
