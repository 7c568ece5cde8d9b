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

/* Normalised characters of text[0..bytes); free() them. *ret_characters is not NULL even when the count is 0.
 * ERR_MEMORY. */
Err bert_normalize(const char *text, size_t bytes, int32_t **ret_characters, int64_t *ret_count);

#endif
