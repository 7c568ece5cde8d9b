/* SPDX-License-Identifier: Apache-2.0
 *
 * Images as people name them: files, products, folders of images, patterns and lists of all these.
 *
 *     InputList list = { 0 };
 *     Err err = input_list_add(&list, "@scenes.txt", log, stop);
 *     ... list.paths[i], list.origins[i] ...
 *     input_list_done(&list);
 */
#ifndef METASEG_GEO_INPUT_LIST_H
#define METASEG_GEO_INPUT_LIST_H

#include "base/log.h"

#include <stdint.h>

typedef struct InputList {
    char **paths;   /* each as raster_open() takes it */
    char **origins; /* of each: "'scenes.txt', line 3", NULL: no list named it */
    int64_t count, capacity, origins_capacity;
    bool many; /* a list, a folder or a pattern was among the words: as many inputs as there are, even one */
} InputList;

/* Adds what one word names, in this order:
 * - "@FILE": a list, one word of these kinds per line but no further list. Relative paths are relative to the list's folder.
 *   Lines that begin with '#' and blank lines count only as lines; blanks at the end of a line and a byte order mark are none of it.
 * - a folder: the images in it (folder_images.h), sorted; what else lies there is told, one line of LOG_INFO. A folder that
 *   is a product (product.h) is one scene.
 * - a pattern of *, ? and [...] that is no file's name: what it names, sorted by bytes; names that begin with a dot only
 *   where the pattern has it. "**" is refused, since it would be a '*'.
 * - anything else: itself, there or not, so that who reads it tells of it.
 * ERR_INPUT: a list that cannot be read, is empty or holds a list or a NUL (with its line); a folder without images; a pattern that
 * names nothing. ERR_INTERRUPTED, ERR_MEMORY. After an error the list may have grown. */
Err input_list_add(InputList *list, const char *word, const Log *log, const volatile int *stop);
void input_list_done(InputList *list);

#endif
