/* SPDX-License-Identifier: Apache-2.0
 *
 * The three character classes of the BERT tokenizer as the reference implementation sees them. Its tables are those of
 * Unicode 8, whatever the system's Unicode library knows, so they are data of ours (unicode_class.c, written by
 * tools/golden/tokenizer.py from the reference itself): token ids do not move with the utf8proc version.
 */
#ifndef METASEG_TEXT_UNICODE_CLASS_H
#define METASEG_TEXT_UNICODE_CLASS_H

#include <stdbool.h>
#include <stdint.h>

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

#endif
