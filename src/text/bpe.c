/* SPDX-License-Identifier: Apache-2.0
 * Byte-level BPE: words of a text and their merges. */
#include "text/bpe.h"

#include "text/bpe_merges.h"
#include "text/normal_form.h"
#include "text/unicode_class.h"
#include "text/utf8.h"

#include <stdlib.h>
#include <string.h>

typedef struct Bpe {
    Tokenizer base;
    BpeMerges merges;
} Bpe;

/* ---- what the reference reads of a text ---- */

static Err push_lower(Characters *list, int32_t character)
{
    TRY(characters_push(list, unicode_lower(character)));
    return character == 0x130 ? characters_push(list, 0x307) : ERR_NONE;
}

/* Step 1. NULL where there is nothing. */
static Err normalize(const char *text, size_t bytes, Characters *ret_list)
{
    Characters composed = { 0 };
    Err err = ERR_NONE;
    for (size_t at = 0; at < bytes && err == ERR_NONE;) {
        int32_t character = 0;
        at += utf8_next(text + at, bytes - at, &character);
        err = characters_push_decomposed(&composed, character);
    }
    characters_order(&composed);
    characters_compose(&composed);
    bool blank = false;
    for (int64_t i = 0; i < composed.count && err == ERR_NONE; i++) {
        const bool space = unicode_is_white_space(composed.items[i]);
        if (!space)
            err = push_lower(ret_list, composed.items[i]);
        else if (!blank)
            err = characters_push(ret_list, ' ');
        blank = space;
    }
    free(composed.items);
    return err;
}

/* ---- words ---- */

typedef enum Class { CLASS_BLANK, CLASS_LETTER, CLASS_NUMBER, CLASS_OTHER } Class;

static Class class_of(int32_t character)
{
    if (unicode_is_white_space(character)) return CLASS_BLANK;
    if (unicode_is_letter(character)) return CLASS_LETTER;
    return unicode_is_number(character) ? CLASS_NUMBER : CLASS_OTHER;
}

static bool starts(const int32_t *characters, int64_t count, const char *word)
{
    for (int64_t i = 0; word[i] != '\0'; i++)
        if (i >= count || characters[i] != word[i]) return false;
    return true;
}

/* Length of the word that begins with the first character, which is no blank; step 3. */
static int64_t word_length(const int32_t *characters, int64_t count)
{
    static const char *const endings[] = { "'s", "'t", "'re", "'ve", "'m", "'ll", "'d" };
    for (int64_t i = 0; i < ARRAY_LEN(endings); i++)
        if (starts(characters, count, endings[i])) return (int64_t)strlen(endings[i]);
    const Class class = class_of(characters[0]);
    int64_t length = 1;
    while (class != CLASS_NUMBER && length < count && class_of(characters[length]) == class) length++;
    return length;
}

static Err put_words(const Bpe *bpe, const int32_t *characters, int64_t count, TokenizerOutput *output)
{
    char *bytes = malloc((size_t)count * 4 + 1);
    if (bytes == NULL) return err_memory((unsigned long long)count * 4, "a text to tokenize");
    Err err = ERR_NONE;
    for (int64_t first = 0; first < count && err == ERR_NONE;) {
        if (class_of(characters[first]) == CLASS_BLANK) {
            first++;
            continue;
        }
        const int64_t length = word_length(characters + first, count - first);
        size_t n = 0;
        for (int64_t i = 0; i < length; i++) n += utf8_put(characters[first + i], bytes + n);
        err = bpe_put_word(&bpe->merges, bytes, n, output);
        first += length;
    }
    free(bytes);
    return err;
}

static Err put_characters(const Bpe *bpe, const int32_t *characters, int64_t count, TokenizerOutput *output)
{
    int64_t first = 0;
    for (int64_t i = 0; i < count; i++) {
        const bool start = starts(characters + i, count - i, bpe_start_token);
        if (!start && !starts(characters + i, count - i, bpe_end_token)) continue;
        TRY(put_words(bpe, characters + first, i - first, output));
        tokenizer_put(output, start ? bpe->base.start_id : bpe->base.end_id);
        i += (int64_t)strlen(start ? bpe_start_token : bpe_end_token) - 1;
        first = i + 1;
    }
    return put_words(bpe, characters + first, count - first, output);
}

static Err put_text(const Tokenizer *tokenizer, const char *text, size_t bytes, TokenizerOutput *output)
{
    Characters list = { 0 };
    Err err = normalize(text, bytes, &list);
    if (err == ERR_NONE) err = put_characters((const Bpe *)tokenizer, list.items, list.count, output);
    free(list.items);
    return err;
}

static void free_kind(Tokenizer *tokenizer)
{
    Bpe *bpe = (Bpe *)tokenizer;
    bpe_merges_done(&bpe->merges);
    free(bpe);
}

Err bpe_new(const char *path, Tokenizer **ret_tokenizer)
{
    Bpe *made = calloc(1, sizeof *made);
    if (made == NULL) return err_memory(sizeof *made, "a tokenizer");
    made->base.put_text = put_text;
    made->base.free_kind = free_kind;
    const Err err = bpe_merges_read(path, &made->base.tokens, &made->merges);
    if (err != ERR_NONE) {
        tokenizer_free(&made->base);
        return err;
    }
    made->base.n_special = 2;
    made->base.start_id = made->base.special_ids[0] = (int32_t)made->base.tokens.count - 2;
    made->base.end_id = made->base.special_ids[1] = (int32_t)made->base.tokens.count - 1;
    *ret_tokenizer = &made->base;
    return ERR_NONE;
}
