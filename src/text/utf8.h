/* SPDX-License-Identifier: Apache-2.0
 * Characters in and out of UTF-8. */
#ifndef METASEG_TEXT_UTF8_H
#define METASEG_TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Reads one character of text[0..bytes), bytes >= 1; U+FFFD for an ill-formed sequence. Returns the bytes it took: for
 * an ill-formed one the maximal part that begins a well-formed sequence, at least 1 (Unicode, section 3.9, "U+FFFD
 * substitution of maximal subparts"). */
size_t utf8_next(const char *text, size_t bytes, int32_t *ret_character);

/* Writes `character` (a Unicode scalar value) as UTF-8 into up to 4 bytes; returns how many. */
size_t utf8_put(int32_t character, char ret_bytes[4]);

#endif
