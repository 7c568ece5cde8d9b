/* SPDX-License-Identifier: Apache-2.0
 * Merges: their file and their use. Each merge of the file makes a new symbol of two that stand before it; so its place and the id of
 * what it makes are in the same order, and merging one pair at a time, the first in the list and the leftmost of equal ones, gives the
 * same as merging all of a kind at once, as OpenAI's code does. */
#include "text/bpe_merges.h"

#include "base/file.h"
#include "base/gzip.h"
#include "base/json.h"
#include "base/str.h"
#include "text/utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
    FILE_BYTES_MAX = 64 << 20,
    MERGES_MAX = 49152 - 256 - 2, /* what the references take of a longer list */
    BYTES = 256,
    TOKEN_BYTES_MAX = 1024,
};

const char bpe_start_token[] = "<|startoftext|>", bpe_end_token[] = "<|endoftext|>";
static const char word_end[] = "</w>";

/* ---- symbols of bytes ---- */

/* Bytes that stand for themselves as characters: printable ones of Latin-1. */
static bool is_printable(int32_t byte)
{
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/* The alphabet in the order of the ids: printable bytes, then the others as characters from U+0100 on (Radford et al., GPT-2, 2019). */
static void add_bytes(TokenTable *tokens, BpeMerges *merges)
{
    char symbols[BYTES][4 + sizeof word_end];
    size_t lengths[BYTES];
    int32_t n = 0, next = BYTES;
    for (int32_t pass = 0; pass < 2; pass++)
        for (int32_t byte = 0; byte < BYTES; byte++) {
            if (is_printable(byte) != (pass == 0)) continue;
            lengths[n] = utf8_put(pass == 0 ? byte : next++, symbols[n]);
            memcpy(symbols[n] + lengths[n], word_end, sizeof word_end);
            merges->byte_ids[byte] = n++;
        }
    for (int32_t i = 0; i < BYTES; i++) token_table_add(tokens, symbols[i], lengths[i]);
    for (int32_t i = 0; i < BYTES; i++) token_table_add(tokens, symbols[i], lengths[i] + sizeof word_end - 1);
}

/* ---- the table of pairs ---- */

static uint64_t pair_of(int32_t left, int32_t right) { return (uint64_t)(uint32_t)left << 32 | (uint32_t)right; }

/* Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4). */
static uint32_t slot_of(const BpeMerges *merges, uint64_t pair)
{
    return (uint32_t)((pair * 0x9E3779B97F4A7C15u) >> 32) & merges->slot_mask;
}

static Err allocate_pairs(BpeMerges *merges, int64_t count)
{
    uint32_t slots = 64;
    while ((int64_t)slots < count * 2) slots *= 2;
    merges->slot_mask = slots - 1;
    merges->pairs = malloc(slots * sizeof *merges->pairs);
    merges->merged = malloc(slots * sizeof *merges->merged);
    if (merges->pairs == NULL || merges->merged == NULL) return err_memory(slots * 12ull, "a list of merges");
    memset(merges->pairs, 0xFF, slots * sizeof *merges->pairs);
    return ERR_NONE;
}

static void add_pair(BpeMerges *merges, uint64_t pair, int32_t merged)
{
    uint32_t slot = slot_of(merges, pair);
    while (merges->pairs[slot] != UINT64_MAX) slot = (slot + 1) & merges->slot_mask;
    merges->pairs[slot] = pair;
    merges->merged[slot] = merged;
}

/* What a pair becomes, -1: it is not merged. */
static int32_t find_pair(const BpeMerges *merges, int32_t left, int32_t right)
{
    const uint64_t pair = pair_of(left, right);
    for (uint32_t slot = slot_of(merges, pair);; slot = (slot + 1) & merges->slot_mask) {
        if (merges->pairs[slot] == pair) return merges->merged[slot];
        if (merges->pairs[slot] == UINT64_MAX) return -1;
    }
}

/* ---- the file ---- */

/* Two symbols with a blank between them. */
static Err add_merge(const char *path, int64_t line, const char *at, size_t length, TokenTable *tokens,
                     BpeMerges *merges)
{
    const char *blank = memchr(at, ' ', length);
    if (blank == NULL || length > TOKEN_BYTES_MAX)
        return err_set(ERR_MODEL,
                       "'%s': line %lld is '%.*s'; expected two symbols that are merged, with a blank between", path,
                       (long long)line, length < 40 ? (int)length : 40, at);
    const size_t n_left = (size_t)(blank - at), n_right = length - n_left - 1;
    const int32_t left = token_table_find(tokens, at, n_left), right = token_table_find(tokens, blank + 1, n_right);
    char merged[TOKEN_BYTES_MAX];
    memcpy(merged, at, n_left);
    memcpy(merged + n_left, blank + 1, n_right);
    if (left < 0 || right < 0) {
        const size_t n = left < 0 ? n_left : n_right;
        return err_set(ERR_MODEL, "'%s': line %lld merges '%.*s', which no line before it makes", path, (long long)line,
                       n < 40 ? (int)n : 40, left < 0 ? at : blank + 1);
    }
    if (token_table_find(tokens, merged, n_left + n_right) >= 0)
        return err_set(ERR_MODEL, "'%s': line %lld makes a symbol that a line before it makes", path, (long long)line);
    add_pair(merges, pair_of(left, right), (int32_t)tokens->count);
    token_table_add(tokens, merged, n_left + n_right);
    return ERR_NONE;
}

static Err add_merges(const char *path, const char *text, size_t bytes, TokenTable *tokens, BpeMerges *merges)
{
    int64_t line = 0, count = 0;
    for (const char *at = text; at < text + bytes && count < MERGES_MAX; line++) {
        const char *end = memchr(at, '\n', (size_t)(text + bytes - at));
        if (end == NULL) end = text + bytes;
        size_t length = (size_t)(end - at);
        if (length > 0 && at[length - 1] == '\r') length--;
        if (line > 0 && length > 0) {
            TRY(add_merge(path, line + 1, at, length, tokens, merges));
            count++;
        }
        at = end + 1;
    }
    return ERR_NONE;
}

/* The first line of both published files holds "#version". */
static bool has_header(const char *text, size_t bytes)
{
    const char *end = memchr(text, '\n', bytes);
    const size_t length = end == NULL ? 0 : (size_t)(end - text);
    static const char header[] = "#version";
    for (size_t i = 0; i + sizeof header - 1 <= length && i < 64; i++)
        if (memcmp(text + i, header, sizeof header - 1) == 0) return true;
    return false;
}

static Err read_text(const char *path, char **ret_text, size_t *ret_bytes)
{
    char *text = NULL;
    size_t bytes = 0;
    TRY(file_read(path, FILE_BYTES_MAX, &text, &bytes));
    Err err = gzip_unpack(path, FILE_BYTES_MAX, &text, &bytes);
    if (err == ERR_NONE && (memchr(text, '\0', bytes) != NULL || !str_is_utf8(text, bytes) || !has_header(text, bytes)))
        err = err_set(ERR_MODEL,
                      "'%s': does not begin with a line that holds #version; expected the merges of a byte-level BPE "
                      "tokenizer",
                      path);
    if (err != ERR_NONE) {
        free(text);
        return err;
    }
    *ret_text = text;
    *ret_bytes = bytes;
    return ERR_NONE;
}

/* ---- vocab.json beside it ---- */

static Err compare_vocabulary(const char *path, const Json *root, const TokenTable *tokens)
{
    if (json_kind(root) != JSON_OBJECT || json_count(root) != tokens->count)
        return err_set(ERR_MODEL,
                       "'%s': has %lld tokens, the merges beside it make %lld; expected the files of one model", path,
                       (long long)json_count(root), (long long)tokens->count);
    for (const Json *node = json_first(root); node != NULL; node = json_next(node)) {
        const char *token = json_key(node);
        int64_t id = 0;
        TRY(json_as_int(node, token, 0, INT32_MAX, &id));
        const int32_t own = token_table_find(tokens, token, strlen(token));
        if (own != id)
            return err_set(
                ERR_MODEL,
                "'%s': token '%.40s' has id %lld; the merges beside it make it %d, expected the files of one "
                "model",
                path, token, (long long)id, own);
    }
    return ERR_NONE;
}

static Err check_vocabulary(const char *merges_path, const TokenTable *tokens)
{
    char *folder = NULL, *path = NULL;
    Json *root = NULL;
    Err err = path_folder(merges_path, &folder);
    if (err == ERR_NONE) err = path_join(folder, "vocab.json", &path);
    if (err == ERR_NONE && file_exists(path)) {
        err = json_read_file(path, FILE_BYTES_MAX, &root);
        if (err == ERR_NONE) err = compare_vocabulary(path, root, tokens);
    }
    json_free(root);
    free(folder);
    free(path);
    return err;
}

Err bpe_merges_read(const char *path, TokenTable *tokens, BpeMerges *merges)
{
    char *text = NULL;
    size_t bytes = 0;
    TRY(read_text(path, &text, &bytes));
    const int64_t most = 2 * BYTES + MERGES_MAX + 2;
    Err err = token_table_init(tokens, most, 2 * BYTES * 16 + bytes + 64);
    if (err == ERR_NONE) err = allocate_pairs(merges, most);
    if (err == ERR_NONE) {
        add_bytes(tokens, merges);
        err = add_merges(path, text, bytes, tokens, merges);
    }
    free(text);
    TRY(err);
    token_table_add(tokens, bpe_start_token, strlen(bpe_start_token));
    token_table_add(tokens, bpe_end_token, strlen(bpe_end_token));
    return check_vocabulary(path, tokens);
}

void bpe_merges_done(BpeMerges *merges)
{
    free(merges->pairs);
    free(merges->merged);
    *merges = (BpeMerges){ .slot_mask = 0 };
}

/* ---- one word ---- */

/* The symbols of a word in a list, and the pairs of neighbours that are merged in a heap, the first merge on top. */
typedef struct Symbol {
    int32_t id; /* -1: merged into the one before */
    int32_t previous, next;
} Symbol;
typedef struct Candidate {
    int32_t merged, left; /* id that the pair becomes; its left symbol */
    int32_t right_id;     /* of the pair when it was found: another now, and it counts no more */
    int32_t left_id;
} Candidate;
typedef struct Word {
    const BpeMerges *merges;
    Symbol *symbols;
    Candidate *heap;
    int64_t count;
} Word;

static bool comes_first(const Candidate *a, const Candidate *b)
{
    return a->merged != b->merged ? a->merged < b->merged : a->left < b->left;
}

static void push(Word *word, int32_t left)
{
    const Symbol *symbol = &word->symbols[left];
    if (symbol->next < 0) return;
    Candidate made = { .left = left, .left_id = symbol->id, .right_id = word->symbols[symbol->next].id };
    made.merged = find_pair(word->merges, made.left_id, made.right_id);
    if (made.merged < 0) return;
    int64_t at = word->count++;
    while (at > 0 && comes_first(&made, &word->heap[(at - 1) / 2])) {
        word->heap[at] = word->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    word->heap[at] = made;
}

static Candidate pop(Word *word)
{
    const Candidate top = word->heap[0], last = word->heap[--word->count];
    int64_t at = 0;
    for (;;) {
        int64_t child = 2 * at + 1;
        if (child >= word->count) break;
        if (child + 1 < word->count && comes_first(&word->heap[child + 1], &word->heap[child])) child++;
        if (!comes_first(&word->heap[child], &last)) break;
        word->heap[at] = word->heap[child];
        at = child;
    }
    word->heap[at] = last;
    return top;
}

static void merge_all(Word *word)
{
    while (word->count > 0) {
        const Candidate best = pop(word);
        Symbol *left = &word->symbols[best.left];
        if (left->id != best.left_id || left->next < 0 || word->symbols[left->next].id != best.right_id) continue;
        Symbol *right = &word->symbols[left->next];
        left->id = best.merged;
        right->id = -1;
        left->next = right->next;
        if (left->next >= 0) word->symbols[left->next].previous = best.left;
        if (left->previous >= 0) push(word, left->previous);
        push(word, best.left);
    }
}

Err bpe_put_word(const BpeMerges *merges, const char *bytes, size_t n, TokenizerOutput *output)
{
    /* each merge takes a pair from the heap and adds up to two, of n - 1 pairs at first */
    Word word = { .merges = merges };
    word.symbols = malloc(n * sizeof *word.symbols);
    word.heap = malloc(3 * n * sizeof *word.heap);
    if (word.symbols == NULL || word.heap == NULL) {
        free(word.symbols);
        free(word.heap);
        return err_memory(n * (sizeof *word.symbols + 3 * sizeof *word.heap), "a text to tokenize");
    }
    for (size_t i = 0; i < n; i++) {
        const int32_t id = merges->byte_ids[(unsigned char)bytes[i]];
        word.symbols[i] = (Symbol){ i + 1 < n ? id : id + BYTES, (int32_t)i - 1, i + 1 < n ? (int32_t)i + 1 : -1 };
    }
    for (size_t i = 0; i < n; i++) push(&word, (int32_t)i);
    merge_all(&word);
    for (int32_t i = 0; i >= 0; i = word.symbols[i].next) tokenizer_put(output, word.symbols[i].id);
    free(word.symbols);
    free(word.heap);
    return ERR_NONE;
}
