/* SPDX-License-Identifier: Apache-2.0
 * BERT's text normalisation. The only file that includes utf8proc.h: decomposition, combining classes, lower case. */
#include "text/bert_normalize.h"

#include "base/grow.h"
#include "text/unicode_class.h"

#include <stdbool.h>
#include <stdlib.h>
#include <utf8proc.h>

enum {
    REPLACEMENT = 0xFFFD,
    /* No character has a longer canonical decomposition: 4 in Unicode 15 (U+1F82 and others). */
    DECOMPOSED_MAX = 8,
};

typedef struct Characters {
    int32_t *items;
    int64_t count, capacity;
} Characters;

size_t utf8_next(const char *text, size_t bytes, int32_t *ret_character)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char first = at[0];
    *ret_character = REPLACEMENT;
    if (first < 0x80) {
        *ret_character = first;
        return 1;
    }
    if (first < 0xC2 || first > 0xF4) return 1;
    const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    /* The second byte's range keeps out overlong forms, surrogates and what lies above U+10FFFF. */
    unsigned char low = 0x80, high = 0xBF;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
    int32_t character = first & (0x7F >> length);
    for (size_t i = 1; i < length; i++) {
        if (i >= bytes || at[i] < low || at[i] > high) return i;
        character = character << 6 | (at[i] & 0x3F);
        low = 0x80;
        high = 0xBF;
    }
    *ret_character = character;
    return length;
}

size_t utf8_put(int32_t character, char ret_bytes[4])
{
    return (size_t)utf8proc_encode_char(character, (utf8proc_uint8_t *)ret_bytes);
}

static Err push(Characters *list, int32_t character)
{
    TRY(grow_array(&list->items, list->count, &list->capacity, sizeof *list->items, "a text to tokenize"));
    list->items[list->count++] = character;
    return ERR_NONE;
}

static Err push_decomposed(Characters *list, int32_t character)
{
    if (character < 0x80) return push(list, character);
    utf8proc_int32_t parts[DECOMPOSED_MAX];
    int boundary = 0;
    const utf8proc_ssize_t count = utf8proc_decompose_char(
        character, parts, DECOMPOSED_MAX, (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE), &boundary);
    if (count < 0 || count > DECOMPOSED_MAX)
        return err_set(ERR_INTERNAL, "utf8proc decomposes U+%04X into %lld characters", (unsigned)character,
                       (long long)count);
    for (utf8proc_ssize_t i = 0; i < count; i++) TRY(push(list, parts[i]));
    return ERR_NONE;
}

static int combining_class(int32_t character)
{
    return character < 0x300 ? 0 : (int)utf8proc_get_property(character)->combining_class;
}

/* Canonical ordering (Unicode, section 3.11): stable sort by class inside each run of non-zero classes. */
static void order_marks(int32_t *items, int64_t count)
{
    for (int64_t i = 1; i < count; i++) {
        const int32_t character = items[i];
        const int rank = combining_class(character);
        if (rank == 0) continue;
        int64_t at = i;
        while (at > 0 && combining_class(items[at - 1]) > rank) {
            items[at] = items[at - 1];
            at--;
        }
        items[at] = character;
    }
}

static Err push_clean(Characters *list, int32_t character)
{
    if (unicode_is_removed(character)) return ERR_NONE;
    if (unicode_is_space(character)) return push(list, ' ');
    const bool alone = unicode_is_ideograph(character);
    if (alone) TRY(push(list, ' '));
    TRY(push_decomposed(list, character));
    if (alone) TRY(push(list, ' '));
    return ERR_NONE;
}

Err bert_normalize(const char *text, size_t bytes, int32_t **ret_characters, int64_t *ret_count)
{
    Characters list = { .capacity = (int64_t)bytes + 16 };
    list.items = malloc((size_t)list.capacity * sizeof *list.items);
    if (list.items == NULL)
        return err_memory((unsigned long long)list.capacity * sizeof *list.items, "a text to tokenize");
    for (size_t at = 0; at < bytes;) {
        int32_t character = 0;
        at += utf8_next(text + at, bytes - at, &character);
        const Err err = push_clean(&list, character);
        if (err != ERR_NONE) {
            free(list.items);
            return err;
        }
    }
    order_marks(list.items, list.count);
    int64_t count = 0;
    for (int64_t i = 0; i < list.count; i++)
        if (!unicode_is_mark(list.items[i])) list.items[count++] = (int32_t)utf8proc_tolower(list.items[i]);
    *ret_characters = list.items;
    *ret_count = count;
    return ERR_NONE;
}
