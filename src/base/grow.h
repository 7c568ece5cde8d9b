/* SPDX-License-Identifier: Apache-2.0
 *
 * Arrays on the heap that grow:
 *
 *     TRY(grow_array(&list->items, list->count, &list->capacity, sizeof *list->items, "a list"));
 *     list->items[list->count++] = item;
 */
#ifndef METASEG_BASE_GROW_H
#define METASEG_BASE_GROW_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Room for element `count`, mostly the one behind the last: array is the address of the pointer to the elements (NULL: none yet), of
 * `bytes` each. The capacity doubles, from 64 on. ERR_MEMORY with `what` it is; the array is then as it was. */
Err grow_array(void *array, int64_t count, int64_t *capacity, size_t bytes, const char *what);

#endif
