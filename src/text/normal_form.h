/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of characters and Unicode's canonical normal forms of them (Unicode, section 3.11):
 *
 *     Characters list = { 0 };
 *     TRY(characters_push_decomposed(&list, 0xC5));   // for each character of a text; then
 *     characters_order(&list);                        // NFD
 *     characters_compose(&list);                      // NFC
 *     free(list.items);
 */
#ifndef METASEG_TEXT_NORMAL_FORM_H
#define METASEG_TEXT_NORMAL_FORM_H

#include "base/err.h"

#include <stdint.h>

/* Zero it to start; free(items). */
typedef struct Characters {
    int32_t *items;
    int64_t count, capacity;
} Characters;

/* Adds a character, or its canonical decomposition. ERR_MEMORY. */
Err characters_push(Characters *list, int32_t character);
Err characters_push_decomposed(Characters *list, int32_t character);

/* Puts combining marks into canonical order. */
void characters_order(Characters *list);

/* Composes a list that is decomposed and ordered. */
void characters_compose(Characters *list);

#endif
