/* SPDX-License-Identifier: Apache-2.0
 * BERT's text normalisation. */
#include "text/bert_normalize.h"

#include "text/normal_form.h"
#include "text/unicode_class.h"
#include "text/utf8.h"

#include <stdbool.h>
#include <stdlib.h>

static Err push_clean(Characters *list, int32_t character)
{
    if (unicode_is_removed(character)) return ERR_NONE;
    if (unicode_is_space(character)) return characters_push(list, ' ');
    const bool alone = unicode_is_ideograph(character);
    if (alone) TRY(characters_push(list, ' '));
    TRY(characters_push_decomposed(list, character));
    if (alone) TRY(characters_push(list, ' '));
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
    characters_order(&list);
    int64_t count = 0;
    for (int64_t i = 0; i < list.count; i++)
        if (!unicode_is_mark(list.items[i])) list.items[count++] = unicode_lower(list.items[i]);
    *ret_characters = list.items;
    *ret_count = count;
    return ERR_NONE;
}
