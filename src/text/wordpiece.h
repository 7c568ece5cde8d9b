/* SPDX-License-Identifier: Apache-2.0
 *
 * BERT's uncased WordPiece tokenizer: text to token ids, the same ids as the reference (the `tokenizers` package with
 * the tokenizer.json of all-MiniLM-L6-v2), for every text.
 *
 *     Tokenizer *tokenizer = NULL;
 *     TRY(wordpiece_new("vocab.txt", &tokenizer));
 *
 * What happens to a text:
 *  1. "[PAD]", "[UNK]", "[CLS]", "[SEP]" and "[MASK]", spelled so, are tokens of their own.
 *  2. Control, format and private-use characters are removed; white space becomes blanks; CJK ideographs get blanks
 *     around.
 *  3. Canonical decomposition (NFD), combining marks (Mn) removed, then lower case character by character (so there is
 *     no final sigma; the sharp s stays).
 *  4. Words: split at blanks, each punctuation character alone.
 *  5. Each word, greedily from the left, the longest piece of the vocabulary ("##" before pieces inside a word). A word
 *     with no way through, or of more than 100 characters, is [UNK].
 *
 * Ill-formed UTF-8 is read as U+FFFD, which step 2 removes: stray bytes vanish.
 * Source: Devlin et al., BERT, 2019 (section 3) and the reference's observable behaviour.
 */
#ifndef METASEG_TEXT_WORDPIECE_H
#define METASEG_TEXT_WORDPIECE_H

#include "text/tokenizer.h"

enum { WORDPIECE_WORD_CHARACTERS_MAX = 100 }; /* longer words are [UNK] */

/* Reads a vocabulary: UTF-8, one token a line, the line number (from 0) is the id; [PAD], [UNK], [CLS], [SEP] and
 * [MASK] must be there, no line empty or twice. tokenizer_free(). ERR_INPUT (missing, unreadable), ERR_MODEL (not such a file),
 * ERR_MEMORY. */
Err wordpiece_new(const char *path, Tokenizer **ret_tokenizer);

#endif
