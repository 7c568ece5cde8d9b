/* SPDX-License-Identifier: Apache-2.0
 *
 * A text to the token ids of a text encoder, whichever way it cuts words: text/wordpiece.h of BERT, text/bpe.h of CLIP.
 *
 *     Tokenizer *tokenizer = NULL;
 *     TRY(wordpiece_new("vocab.txt", &tokenizer));
 *     int32_t ids[64];
 *     int64_t count = 0, full = 0;
 *     Err err = tokenizer_encode(tokenizer, text, strlen(text), 64, ids, &count, &full);
 *     tokenizer_free(tokenizer);
 *
 * Ill-formed UTF-8 is read as U+FFFD per maximal ill-formed part.
 */
#ifndef METASEG_TEXT_TOKENIZER_H
#define METASEG_TEXT_TOKENIZER_H

#include "base/err.h"
#include "text/token_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TOKENIZER_TEXT_BYTES_MAX = 65536, /* longer texts are refused */
    TOKENIZER_SPECIAL_MAX = 5,
};

typedef struct Tokenizer Tokenizer;

/* Start, pieces, end ([CLS] and [SEP] of BERT). `bytes` of text, NUL bytes allowed. At most `capacity` (>= 2) ids are written; a
 * longer text loses the pieces before the end, as the references truncate. `ret_full` (may be NULL): the count without truncation.
 * Safe to call from several threads. ERR_ARGUMENT: text too long; ERR_MEMORY. */
Err tokenizer_encode(const Tokenizer *tokenizer, const char *text, size_t bytes, int64_t capacity, int32_t *ret_ids,
                     int64_t *ret_count, int64_t *ret_full);
void tokenizer_free(Tokenizer *tokenizer);

/* How many ids there are: 0 .. count - 1. */
int64_t tokenizer_count(const Tokenizer *tokenizer);

/* The token of an id as the vocabulary spells it ("##ing", "ing</w>"), NULL outside of it. Lives as long as the tokenizer. */
const char *tokenizer_token(const Tokenizer *tokenizer, int32_t id);

/* The id of a token as the vocabulary spells it, -1 if there is none. */
int32_t tokenizer_id(const Tokenizer *tokenizer, const char *token);

/* Whether an id is no part of a text but start, end, padding or a word that the vocabulary lacks. */
bool tokenizer_is_special(const Tokenizer *tokenizer, int32_t id);

/* ---- for the kinds of tokenizers ---- */

/* The ids of one text while it is being encoded; room for the end is kept. */
typedef struct TokenizerOutput {
    int32_t *ids;
    int64_t capacity, count, full;
} TokenizerOutput;
void tokenizer_put(TokenizerOutput *output, int32_t id);

/* A kind embeds it as its first member. */
struct Tokenizer {
    TokenTable tokens;
    int32_t start_id, end_id;
    int32_t special_ids[TOKENIZER_SPECIAL_MAX];
    int32_t n_special;
    Err (*put_text)(const Tokenizer *tokenizer, const char *text, size_t bytes, TokenizerOutput *output);
    void (*free_kind)(Tokenizer *tokenizer); /* all but `tokens` */
};

#endif
