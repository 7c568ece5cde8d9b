/* SPDX-License-Identifier: Apache-2.0
 * Normal forms. The only file that includes utf8proc.h: decomposition, composition. */
#include "text/normal_form.h"

#include "base/grow.h"
#include "text/unicode_class.h"

#include <utf8proc.h>

/* No character has a longer canonical decomposition: 4 in Unicode 15 (U+1F82 and others). */
enum { DECOMPOSED_MAX = 8 };

Err characters_push(Characters *list, int32_t character)
{
    TRY(grow_array(&list->items, list->count, &list->capacity, sizeof *list->items, "a text to tokenize"));
    list->items[list->count++] = character;
    return ERR_NONE;
}

Err characters_push_decomposed(Characters *list, int32_t character)
{
    if (character < 0x80) return characters_push(list, character);
    utf8proc_int32_t parts[DECOMPOSED_MAX];
    int boundary = 0;
    const utf8proc_ssize_t count = utf8proc_decompose_char(
        character, parts, DECOMPOSED_MAX, (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE), &boundary);
    if (count < 0 || count > DECOMPOSED_MAX)
        return err_set(ERR_INTERNAL, "utf8proc decomposes U+%04X into %lld characters", (unsigned)character,
                       (long long)count);
    for (utf8proc_ssize_t i = 0; i < count; i++) TRY(characters_push(list, parts[i]));
    return ERR_NONE;
}

/* Canonical ordering (Unicode, section 3.11): stable sort by class inside each run of non-zero classes. */
void characters_order(Characters *list)
{
    int32_t *items = list->items;
    for (int64_t i = 1; i < list->count; i++) {
        const int32_t character = items[i];
        if (character < 0x300) continue;
        const int32_t rank = unicode_combining_class(character);
        if (rank == 0) continue;
        int64_t at = i;
        while (at > 0 && unicode_combining_class(items[at - 1]) > rank) {
            items[at] = items[at - 1];
            at--;
        }
        items[at] = character;
    }
}

void characters_compose(Characters *list)
{
    if (list->count > 0) /* it cannot fail on characters, which never grow in number */
        list->count =
            utf8proc_normalize_utf32(list->items, list->count, (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
}
