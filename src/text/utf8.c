/* SPDX-License-Identifier: Apache-2.0
 * UTF-8. */
#include "text/utf8.h"

enum { REPLACEMENT = 0xFFFD };

size_t utf8_next(const char *text, size_t bytes, int32_t *ret_character)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char first = at[0];
    *ret_character = REPLACEMENT;
    if (first < 0x80) {
        *ret_character = first;
        return 1;
    }
    if (first < 0xC2 || first > 0xF4) return 1;
    const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    /* The second byte's range keeps out overlong forms, surrogates and what lies above U+10FFFF. */
    unsigned char low = 0x80, high = 0xBF;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
    int32_t character = first & (0x7F >> length);
    for (size_t i = 1; i < length; i++) {
        if (i >= bytes || at[i] < low || at[i] > high) return i;
        character = character << 6 | (at[i] & 0x3F);
        low = 0x80;
        high = 0xBF;
    }
    *ret_character = character;
    return length;
}

size_t utf8_put(int32_t character, char ret_bytes[4])
{
    if (character < 0x80) {
        ret_bytes[0] = (char)character;
        return 1;
    }
    const size_t tail = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    ret_bytes[0] = (char)((0xF0 << (3 - tail) & 0xFF) | character >> (6 * tail));
    for (size_t i = 1; i <= tail; i++) ret_bytes[i] = (char)(0x80 | (character >> (6 * (tail - i)) & 0x3F));
    return tail + 1;
}
