/* SPDX-License-Identifier: Apache-2.0
 * WordPiece: the vocabulary's file, words, greedy pieces. */
#include "text/wordpiece.h"

#include "base/file.h"
#include "base/str.h"
#include "text/bert_normalize.h"
#include "text/unicode_class.h"
#include "text/utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    VOCABULARY_BYTES_MAX = 16 << 20,
    VOCABULARY_TOKENS_MAX = 1 << 20,
    N_SPECIAL = TOKENIZER_SPECIAL_MAX,
};

static const char *const special_tokens[N_SPECIAL] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" };
enum { SPECIAL_UNK = 1, SPECIAL_CLS = 2, SPECIAL_SEP = 3 };

/* Before pieces inside a word. */
static const char inside[] = "##";

static uint32_t hash_inside(void) { return token_hash_next(token_hash_next(token_hash_start(), inside[0]), inside[1]); }

static Err add_line(TokenTable *tokens, const char *path, const char *line, size_t length)
{
    const long long number = (long long)tokens->count + 1;
    if (length == 0)
        return err_set(ERR_MODEL, "'%s': line %lld is empty; expected a vocabulary, one token a line", path, number);
    const int32_t other = token_table_find(tokens, line, length);
    if (other >= 0)
        return err_set(ERR_MODEL, "'%s': lines %d and %lld hold the same token '%.40s'; expected each token once", path,
                       other + 1, number, token_table_token(tokens, other));
    token_table_add(tokens, line, length);
    return ERR_NONE;
}

static int64_t count_lines(const char *text, size_t bytes)
{
    int64_t lines = 0;
    for (const char *at = text; at < text + bytes; lines++) {
        const char *end = memchr(at, '\n', (size_t)(text + bytes - at));
        at = end == NULL ? text + bytes : end + 1;
    }
    return lines;
}

static Err index_lines(TokenTable *tokens, const char *path, const char *text, size_t bytes)
{
    if (memchr(text, '\0', bytes) != NULL || !str_is_utf8(text, bytes))
        return err_set(ERR_MODEL, "'%s': not a UTF-8 text; expected a vocabulary, one token a line", path);
    const int64_t lines = count_lines(text, bytes);
    if (lines < N_SPECIAL || lines > VOCABULARY_TOKENS_MAX)
        return err_set(ERR_MODEL, "'%s': has %lld lines; expected a vocabulary, one token a line", path,
                       (long long)lines);
    TRY(token_table_init(tokens, lines, bytes + 1));
    for (const char *at = text; at < text + bytes;) {
        const char *end = memchr(at, '\n', (size_t)(text + bytes - at));
        if (end == NULL) end = text + bytes;
        const bool carriage_return = end > at && end[-1] == '\r';
        TRY(add_line(tokens, path, at, (size_t)(end - at) - (carriage_return ? 1 : 0)));
        at = end + 1;
    }
    return ERR_NONE;
}

static Err find_special(Tokenizer *made, const char *path)
{
    for (int i = 0; i < N_SPECIAL; i++) {
        made->special_ids[i] = tokenizer_id(made, special_tokens[i]);
        if (made->special_ids[i] < 0)
            return err_set(ERR_MODEL, "'%s': token %s is missing; expected the vocabulary of a BERT model", path,
                           special_tokens[i]);
    }
    made->n_special = N_SPECIAL;
    made->start_id = made->special_ids[SPECIAL_CLS];
    made->end_id = made->special_ids[SPECIAL_SEP];
    return ERR_NONE;
}

/* Pieces of one word given as UTF-8; ends[i] is the byte behind character i. */
static void put_word(const Tokenizer *tokenizer, const char *bytes, const size_t *ends, int64_t count,
                     TokenizerOutput *output)
{
    int32_t pieces[WORDPIECE_WORD_CHARACTERS_MAX];
    int64_t n_pieces = 0;
    for (int64_t first = 0; first < count;) {
        const size_t start = first == 0 ? 0 : ends[first - 1];
        uint32_t hashes[WORDPIECE_WORD_CHARACTERS_MAX];
        const size_t skip = first == 0 ? 0 : sizeof inside - 1;
        uint32_t hash = first == 0 ? token_hash_start() : hash_inside();
        size_t at = start;
        for (int64_t i = first; i < count; i++) {
            while (at < ends[i]) hash = token_hash_next(hash, bytes[at++]);
            hashes[i] = hash;
        }
        int64_t last = count - 1;
        int32_t id = -1;
        for (; last >= first; last--) {
            id = token_table_find_hashed(&tokenizer->tokens, hashes[last], inside, skip, bytes + start,
                                         ends[last] - start);
            if (id >= 0) break;
        }
        if (id < 0) {
            tokenizer_put(output, tokenizer->special_ids[SPECIAL_UNK]);
            return;
        }
        pieces[n_pieces++] = id;
        first = last + 1;
    }
    for (int64_t i = 0; i < n_pieces; i++) tokenizer_put(output, pieces[i]);
}

/* A word of normalised characters. */
static void put_characters(const Tokenizer *tokenizer, const int32_t *characters, int64_t count,
                           TokenizerOutput *output)
{
    if (count > WORDPIECE_WORD_CHARACTERS_MAX) {
        tokenizer_put(output, tokenizer->special_ids[SPECIAL_UNK]);
        return;
    }
    char bytes[WORDPIECE_WORD_CHARACTERS_MAX * 4];
    size_t ends[WORDPIECE_WORD_CHARACTERS_MAX];
    size_t length = 0;
    for (int64_t i = 0; i < count; i++) {
        length += utf8_put(characters[i], bytes + length);
        ends[i] = length;
    }
    put_word(tokenizer, bytes, ends, count, output);
}

/* Text without special tokens in it. */
static Err put_plain(const Tokenizer *tokenizer, const char *text, size_t bytes, TokenizerOutput *output)
{
    int32_t *characters = NULL;
    int64_t count = 0;
    TRY(bert_normalize(text, bytes, &characters, &count));
    int64_t first = 0;
    for (int64_t i = 0; i <= count; i++) {
        const bool end = i == count || characters[i] == ' ';
        const bool alone = !end && unicode_is_punctuation(characters[i]);
        if (!end && !alone) continue;
        if (i > first) put_characters(tokenizer, characters + first, i - first, output);
        if (alone) put_characters(tokenizer, characters + i, 1, output);
        first = i + 1;
    }
    free(characters);
    return ERR_NONE;
}

/* Index of the special token that text[0..bytes) begins with, -1 if none. */
static int special_at(const char *text, size_t bytes)
{
    if (text[0] != '[') return -1;
    for (int i = 0; i < N_SPECIAL; i++) {
        const size_t length = strlen(special_tokens[i]);
        if (bytes >= length && memcmp(text, special_tokens[i], length) == 0) return i;
    }
    return -1;
}

static Err put_text(const Tokenizer *tokenizer, const char *text, size_t bytes, TokenizerOutput *output)
{
    size_t first = 0;
    for (size_t i = 0; i < bytes; i++) {
        const int special = special_at(text + i, bytes - i);
        if (special < 0) continue;
        TRY(put_plain(tokenizer, text + first, i - first, output));
        tokenizer_put(output, tokenizer->special_ids[special]);
        i += strlen(special_tokens[special]) - 1;
        first = i + 1;
    }
    return put_plain(tokenizer, text + first, bytes - first, output);
}

static void free_kind(Tokenizer *tokenizer) { free(tokenizer); }

Err wordpiece_new(const char *path, Tokenizer **ret_tokenizer)
{
    Tokenizer *made = calloc(1, sizeof *made);
    if (made == NULL) return err_memory(sizeof *made, "a tokenizer");
    made->put_text = put_text;
    made->free_kind = free_kind;
    char *text = NULL;
    size_t bytes = 0;
    Err err = file_read(path, VOCABULARY_BYTES_MAX, &text, &bytes);
    if (err == ERR_NONE) err = index_lines(&made->tokens, path, text, bytes);
    if (err == ERR_NONE) err = find_special(made, path);
    free(text);
    if (err == ERR_NONE)
        *ret_tokenizer = made;
    else
        tokenizer_free(made);
    return err;
}
