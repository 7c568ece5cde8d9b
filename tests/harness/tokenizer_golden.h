/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts and ids that the reference of a tokenizer made (tests/golden, tools/golden/tokenizer.py and bpe.py). */
#ifndef METASEG_TESTS_TOKENIZER_GOLDEN_H
#define METASEG_TESTS_TOKENIZER_GOLDEN_H

#include "text/tokenizer.h"

#include "harness/data_file.h"

/* Undoes "\xNN" in place; returns the bytes. */
static inline size_t unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        if (*from == '\\') {
            const char digits[3] = { from[2], from[3], '\0' };
            *to++ = (char)strtol(digits, NULL, 16);
            from += 4;
        } else {
            *to++ = *from++;
        }
    }
    return (size_t)(to - text);
}

/* CRC-32 as in zip and zlib, reflected polynomial 0xEDB88320, continued from `crc`. */
static inline uint32_t crc32_continue(uint32_t crc, const void *bytes, size_t length)
{
    static uint32_t table[256];
    if (table[1] == 0)
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t value = i;
            for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320u : 0);
            table[i] = value;
        }
    crc = ~crc;
    for (size_t i = 0; i < length; i++) crc = (crc >> 8) ^ table[(crc ^ ((const unsigned char *)bytes)[i]) & 0xFF];
    return ~crc;
}

static inline size_t put_utf8(int32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    const int tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    to[0] = (char)((0xF0 << (3 - tail) & 0xFF) | c >> (6 * tail));
    for (int i = 1; i <= tail; i++) to[i] = (char)(0x80 | (c >> (6 * (tail - i)) & 0x3F));
    return (size_t)tail + 1;
}

static inline uint32_t add_ids(const Tokenizer *tokenizer, const char *text, size_t bytes, uint32_t crc)
{
    int32_t ids[33];
    int64_t count = 0;
    assert_int_equal(tokenizer_encode(tokenizer, text, bytes, 32, ids + 1, &count, NULL), ERR_NONE);
    ids[0] = (int32_t)count;
    return crc32_continue(crc, ids, (size_t)(count + 1) * sizeof ids[0]);
}

/* Every code point, alone and inside a word, against the sums of a file. */
static inline void check_sweep(const Tokenizer *tokenizer, const char *file)
{
    size_t bytes = 0;
    char *text = data_file_golden(file, &bytes);
    const char *at = strchr(text, '\n') + 1;
    for (int32_t first = 0; first < 0x110000; first += 4096) {
        char *end = NULL;
        assert_int_equal(strtol(at, &end, 16), first);
        const uint32_t wanted = (uint32_t)strtoul(end, &end, 16);
        at = end;
        uint32_t crc = 0;
        for (int32_t c = first; c < first + 4096; c++) {
            if (c >= 0xD800 && c < 0xE000) continue;
            char word[8] = { 'a' };
            const size_t length = put_utf8(c, word + 1);
            word[length + 1] = 'b';
            crc = add_ids(tokenizer, word + 1, length, crc);
            crc = add_ids(tokenizer, word, length + 2, crc);
        }
        if (crc != wanted)
            fail_msg("U+%06X..U+%06X: ids differ from the reference (%08x, %08x)", (unsigned)first,
                     (unsigned)first + 4095, crc, wanted);
    }
    free(text);
}

#endif
