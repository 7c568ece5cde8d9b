/* SPDX-License-Identifier: Apache-2.0
 *
 * Text as BERT uncased sees it, before it is cut into pieces (steps 2 and 3 of text/wordpiece.h): characters without
 * controls, accents and case, blanks around ideographs. Invariant: the only white space in the result is ' '.
 */
#ifndef METASEG_TEXT_BERT_NORMALIZE_H
#define METASEG_TEXT_BERT_NORMALIZE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Reads one character of text[0..bytes), bytes >= 1; U+FFFD for an ill-formed sequence. Returns the bytes it took: for
 * an ill-formed one the maximal part that begins a well-formed sequence, at least 1 (Unicode, section 3.9, "U+FFFD
 * substitution of maximal subparts"). */
size_t utf8_next(const char *text, size_t bytes, int32_t *ret_character);

/* Writes `character` (a Unicode scalar value) as UTF-8 into up to 4 bytes; returns how many. */
size_t utf8_put(int32_t character, char ret_bytes[4]);

/* Normalised characters of text[0..bytes); free() them. *ret_characters is not NULL even when the count is 0.
 * ERR_MEMORY. */
Err bert_normalize(const char *text, size_t bytes, int32_t **ret_characters, int64_t *ret_count);

#endif
