/* SPDX-License-Identifier: Apache-2.0
 * Arrays that grow. */
#include "base/grow.h"

#include <stdlib.h>
#include <string.h>

Err grow_array(void *array, int64_t count, int64_t *capacity, size_t bytes, const char *what)
{
    enum { FIRST = 64 };
    void *items = NULL;
    if (count < *capacity) return ERR_NONE;
    int64_t wanted = *capacity > 0 ? 2 * *capacity : FIRST;
    while (wanted <= count) wanted *= 2;
    memcpy(&items, array, sizeof items); /* a T * is read as what it is, whatever T */
    if ((uint64_t)wanted > PTRDIFF_MAX / bytes) return err_memory((unsigned long long)wanted * bytes, what);
    void *larger = realloc(items, (size_t)wanted * bytes);
    if (larger == NULL) return err_memory((size_t)wanted * bytes, what);
    memcpy(array, &larger, sizeof larger);
    *capacity = wanted;
    return ERR_NONE;
}
