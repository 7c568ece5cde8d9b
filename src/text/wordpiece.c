/* SPDX-License-Identifier: Apache-2.0
 * WordPiece: vocabulary with a hash table, words, greedy pieces. */
#include "text/wordpiece.h"

#include "base/file.h"
#include "base/str.h"
#include "text/bert_normalize.h"
#include "text/unicode_class.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    VOCABULARY_BYTES_MAX = 16 << 20,
    VOCABULARY_TOKENS_MAX = 1 << 20,
    N_SPECIAL = 5,
};

static const char *const special_tokens[N_SPECIAL] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" };
enum { SPECIAL_UNK = 1, SPECIAL_CLS = 2, SPECIAL_SEP = 3 };

struct WordPiece {
    char *text; /* the file, lines ended by NUL */
    int64_t count;
    const char **tokens; /* [count] into text */
    uint32_t *lengths;   /* [count] bytes */
    int32_t *slots;      /* [slot_mask + 1] ids, -1 where empty; open addressing, linear probing */
    uint32_t slot_mask;
    int32_t special_ids[N_SPECIAL];
};

/* The ids of one text while it is being encoded; room for [SEP] is kept. */
typedef struct Output {
    int32_t *ids;
    int64_t capacity, count, full;
} Output;

/* FNV-1a (Fowler, Noll, Vo), 32 bits: the hash of a prefix continues to that of the longer one, so that all prefixes of
 * a word cost one pass. The last bits are mixed because the table takes the low ones. */
static uint32_t hash_start(bool inside)
{
    const uint32_t start = 2166136261u;
    return inside ? (((start ^ '#') * 16777619u) ^ '#') * 16777619u : start;
}
static uint32_t hash_next(uint32_t hash, char byte) { return (hash ^ (unsigned char)byte) * 16777619u; }
static uint32_t hash_finish(uint32_t hash) { return hash ^ hash >> 15; }

/* The id of prefix + bytes[0..length), prefix "##" for a piece inside a word; -1 if there is none. */
static int32_t find(const WordPiece *tokenizer, uint32_t hash, bool inside, const char *bytes, size_t length)
{
    const size_t skip = inside ? 2 : 0;
    for (uint32_t slot = hash_finish(hash) & tokenizer->slot_mask;; slot = (slot + 1) & tokenizer->slot_mask) {
        const int32_t id = tokenizer->slots[slot];
        if (id < 0) return -1;
        const char *token = tokenizer->tokens[id];
        if (tokenizer->lengths[id] == length + skip && memcmp(token + skip, bytes, length) == 0 &&
            (!inside || (token[0] == '#' && token[1] == '#')))
            return id;
    }
}

static int32_t find_token(const WordPiece *tokenizer, const char *token, size_t length)
{
    uint32_t hash = hash_start(false);
    for (size_t i = 0; i < length; i++) hash = hash_next(hash, token[i]);
    return find(tokenizer, hash, false, token, length);
}

static Err add_line(WordPiece *tokenizer, const char *path, const char *line, size_t length)
{
    const int64_t id = tokenizer->count;
    uint32_t hash = hash_start(false);
    for (size_t i = 0; i < length; i++) hash = hash_next(hash, line[i]);
    if (length == 0)
        return err_set(ERR_MODEL, "'%s': line %lld is empty; expected a vocabulary, one token a line", path,
                       (long long)id + 1);
    const int32_t other = find(tokenizer, hash, false, line, length);
    if (other >= 0)
        return err_set(ERR_MODEL, "'%s': lines %d and %lld hold the same token '%.40s'; expected each token once", path,
                       other + 1, (long long)id + 1, line);
    tokenizer->tokens[id] = line;
    tokenizer->lengths[id] = (uint32_t)length;
    uint32_t slot = hash_finish(hash) & tokenizer->slot_mask;
    while (tokenizer->slots[slot] >= 0) slot = (slot + 1) & tokenizer->slot_mask;
    tokenizer->slots[slot] = (int32_t)id;
    tokenizer->count = id + 1;
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

static Err allocate(WordPiece *tokenizer, int64_t lines)
{
    uint32_t slots = 64;
    while ((int64_t)slots < lines * 2) slots *= 2;
    tokenizer->slot_mask = slots - 1;
    tokenizer->tokens = malloc((size_t)lines * sizeof *tokenizer->tokens);
    tokenizer->lengths = malloc((size_t)lines * sizeof *tokenizer->lengths);
    tokenizer->slots = malloc(slots * sizeof *tokenizer->slots);
    if (tokenizer->tokens == NULL || tokenizer->lengths == NULL || tokenizer->slots == NULL)
        return err_memory((unsigned long long)lines * 16 + slots * 4ull, "a vocabulary");
    memset(tokenizer->slots, 0xFF, slots * sizeof *tokenizer->slots);
    return ERR_NONE;
}

static Err index_lines(WordPiece *tokenizer, const char *path, size_t bytes)
{
    char *text = tokenizer->text;
    if (memchr(text, '\0', bytes) != NULL || !str_is_utf8(text, bytes))
        return err_set(ERR_MODEL, "'%s': not a UTF-8 text; expected a vocabulary, one token a line", path);
    const int64_t lines = count_lines(text, bytes);
    if (lines < N_SPECIAL || lines > VOCABULARY_TOKENS_MAX)
        return err_set(ERR_MODEL, "'%s': has %lld lines; expected a vocabulary, one token a line", path,
                       (long long)lines);
    TRY(allocate(tokenizer, lines));
    for (char *at = text; at < text + bytes;) {
        char *end = memchr(at, '\n', (size_t)(text + bytes - at));
        if (end == NULL) end = text + bytes; /* file_read put a NUL there */
        *end = '\0';
        char *next = end + 1;
        if (end > at && end[-1] == '\r') *--end = '\0';
        TRY(add_line(tokenizer, path, at, (size_t)(end - at)));
        at = next;
    }
    for (int i = 0; i < N_SPECIAL; i++) {
        tokenizer->special_ids[i] = wordpiece_id(tokenizer, special_tokens[i]);
        if (tokenizer->special_ids[i] < 0)
            return err_set(ERR_MODEL, "'%s': token %s is missing; expected the vocabulary of a BERT model", path,
                           special_tokens[i]);
    }
    return ERR_NONE;
}

Err wordpiece_new(const char *path, WordPiece **ret_tokenizer)
{
    WordPiece *tokenizer = calloc(1, sizeof *tokenizer);
    if (tokenizer == NULL) return err_memory(sizeof *tokenizer, "a tokenizer");
    size_t bytes = 0;
    Err err = file_read(path, VOCABULARY_BYTES_MAX, &tokenizer->text, &bytes);
    if (err == ERR_NONE) err = index_lines(tokenizer, path, bytes);
    if (err != ERR_NONE) {
        wordpiece_free(tokenizer);
        return err;
    }
    *ret_tokenizer = tokenizer;
    return ERR_NONE;
}

void wordpiece_free(WordPiece *tokenizer)
{
    if (tokenizer == NULL) return;
    free(tokenizer->text);
    free(tokenizer->tokens);
    free(tokenizer->lengths);
    free(tokenizer->slots);
    free(tokenizer);
}

const char *wordpiece_token(const WordPiece *tokenizer, int32_t id)
{
    return id >= 0 && id < tokenizer->count ? tokenizer->tokens[id] : NULL;
}

int32_t wordpiece_id(const WordPiece *tokenizer, const char *token)
{
    return find_token(tokenizer, token, strlen(token));
}

static void put(Output *output, int32_t id)
{
    if (output->count < output->capacity) output->ids[output->count++] = id;
    output->full++;
}

/* Pieces of one word given as UTF-8; ends[i] is the byte behind character i. */
static void put_word(const WordPiece *tokenizer, const char *bytes, const size_t *ends, int64_t count, Output *output)
{
    int32_t pieces[WORDPIECE_WORD_CHARACTERS_MAX];
    int64_t n_pieces = 0;
    for (int64_t first = 0; first < count;) {
        const size_t start = first == 0 ? 0 : ends[first - 1];
        uint32_t hashes[WORDPIECE_WORD_CHARACTERS_MAX];
        uint32_t hash = hash_start(first > 0);
        size_t at = start;
        for (int64_t i = first; i < count; i++) {
            while (at < ends[i]) hash = hash_next(hash, bytes[at++]);
            hashes[i] = hash;
        }
        int64_t last = count - 1;
        int32_t id = -1;
        for (; last >= first; last--) {
            id = find(tokenizer, hashes[last], first > 0, bytes + start, ends[last] - start);
            if (id >= 0) break;
        }
        if (id < 0) {
            put(output, tokenizer->special_ids[SPECIAL_UNK]);
            return;
        }
        pieces[n_pieces++] = id;
        first = last + 1;
    }
    for (int64_t i = 0; i < n_pieces; i++) put(output, pieces[i]);
}

/* A word of normalised characters. */
static void put_characters(const WordPiece *tokenizer, const int32_t *characters, int64_t count, Output *output)
{
    if (count > WORDPIECE_WORD_CHARACTERS_MAX) {
        put(output, tokenizer->special_ids[SPECIAL_UNK]);
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
static Err put_text(const WordPiece *tokenizer, const char *text, size_t bytes, Output *output)
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

Err wordpiece_encode(const WordPiece *tokenizer, const char *text, size_t bytes, int64_t capacity, int32_t *ret_ids,
                     int64_t *ret_count, int64_t *ret_full)
{
    if (bytes > WORDPIECE_TEXT_BYTES_MAX)
        return err_set(ERR_ARGUMENT, "the text has %zu bytes; at most %d are taken", bytes, WORDPIECE_TEXT_BYTES_MAX);
    ASSERT(capacity >= 2);
    Output output = { .ids = ret_ids, .capacity = capacity - 1 };
    put(&output, tokenizer->special_ids[SPECIAL_CLS]);
    size_t first = 0;
    for (size_t i = 0; i < bytes; i++) {
        const int special = special_at(text + i, bytes - i);
        if (special < 0) continue;
        TRY(put_text(tokenizer, text + first, i - first, &output));
        put(&output, tokenizer->special_ids[special]);
        i += strlen(special_tokens[special]) - 1;
        first = i + 1;
    }
    TRY(put_text(tokenizer, text + first, bytes - first, &output));
    ret_ids[output.count] = tokenizer->special_ids[SPECIAL_SEP];
    *ret_count = output.count + 1;
    if (ret_full != NULL) *ret_full = output.full + 1;
    return ERR_NONE;
}
