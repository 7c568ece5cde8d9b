/* SPDX-License-Identifier: Apache-2.0
 *
 * Character classes and lower case of the tokenizers as the reference implementation sees them. Its tables are of several
 * versions of Unicode (8 for BERT, 17 for letters, numbers and lower case), whatever the system's Unicode library knows, so they
 * are data of ours (unicode_class.c, written by tools/golden/tokenizer.py from the reference itself): token ids do not move with
 * the utf8proc version.
 */
#ifndef METASEG_TEXT_UNICODE_CLASS_H
#define METASEG_TEXT_UNICODE_CLASS_H

#include <stdbool.h>
#include <stdint.h>

/* ---- BERT ---- */

/* Control, format and private-use characters and U+FFFD: removed. Tab, line feed and carriage return are not among
 * them; U+000B, U+000C and U+0085 are. */
bool unicode_is_removed(int32_t character);

/* White space: becomes one blank each. */
bool unicode_is_space(int32_t character);

/* Combining marks without width (general category Mn): the accents that are stripped after decomposition. */
bool unicode_is_mark(int32_t character);

/* ASCII punctuation ("$+<=>^`|~" among it) and general category P: each character is a word of its own. */
bool unicode_is_punctuation(int32_t character);

/* The blocks of CJK ideographs that the reference sets between blanks. */
bool unicode_is_ideograph(int32_t character);

/* ---- byte-level BPE: what \p{L}, \p{N} and \s match ---- */

bool unicode_is_letter(int32_t character);
bool unicode_is_number(int32_t character);
bool unicode_is_white_space(int32_t character);

/* ---- both ---- */

/* Canonical combining class (Unicode, section 3.11), 0 of characters that are no marks. */
int32_t unicode_combining_class(int32_t character);

/* The lower case of one character, whatever stands around it. U+0130 alone has one of two characters, "i" and U+0307; this gives
 * "i". */
int32_t unicode_lower(int32_t character);

#endif
