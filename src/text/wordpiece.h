/* SPDX-License-Identifier: Apache-2.0
 *
 * BERT's uncased WordPiece tokenizer: text to token ids, the same ids as the reference (the `tokenizers` package with
 * the tokenizer.json of all-MiniLM-L6-v2), for every text.
 *
 *     WordPiece *tokenizer = NULL;
 *     TRY(wordpiece_new("vocab.txt", &tokenizer));
 *     int32_t ids[64];
 *     int64_t count = 0, full = 0;
 *     Err err = wordpiece_encode(tokenizer, text, strlen(text), 64, ids, &count, &full);
 *     wordpiece_free(tokenizer);
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
 * Ill-formed UTF-8 is read as U+FFFD per maximal ill-formed part, which step 2 removes: stray bytes vanish.
 * Source: Devlin et al., BERT, 2019 (section 3) and the reference's observable behaviour.
 */
#ifndef METASEG_TEXT_WORDPIECE_H
#define METASEG_TEXT_WORDPIECE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef struct WordPiece WordPiece;

enum {
    WORDPIECE_TEXT_BYTES_MAX = 65536,    /* longer texts are refused */
    WORDPIECE_WORD_CHARACTERS_MAX = 100, /* longer words are [UNK] */
};

/* Reads a vocabulary: UTF-8, one token a line, the line number (from 0) is the id; [PAD], [UNK], [CLS], [SEP] and
 * [MASK] must be there, no line empty or twice. ERR_INPUT (missing, unreadable), ERR_MODEL (not such a file),
 * ERR_MEMORY. */
Err wordpiece_new(const char *path, WordPiece **ret_tokenizer);
void wordpiece_free(WordPiece *tokenizer);

/* [CLS] pieces [SEP]. `bytes` of text, NUL bytes allowed. At most `capacity` (>= 2) ids are written; a longer text
 * loses the pieces before [SEP], as the reference truncates. `ret_full` (may be NULL): the count without truncation.
 * Safe to call from several threads. ERR_ARGUMENT: text too long; ERR_MEMORY. */
Err wordpiece_encode(const WordPiece *tokenizer, const char *text, size_t bytes, int64_t capacity, int32_t *ret_ids,
                     int64_t *ret_count, int64_t *ret_full);

/* The token of an id as in the vocabulary ("##ing"), NULL outside of it. Lives as long as the tokenizer. */
const char *wordpiece_token(const WordPiece *tokenizer, int32_t id);

/* The id of a token as in the vocabulary, -1 if there is none. */
int32_t wordpiece_id(const WordPiece *tokenizer, const char *token);

#endif
