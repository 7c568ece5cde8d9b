/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that a command reads and writes, so that none is both and no two outputs are one. Files are known by what
 * they are (device and inode), not by how they are written: relative and absolute paths, symbolic and hard links and
 * bind mounts are all seen through. What does not exist yet is known by its folder and name, a link to nothing also by
 * what it names.
 *
 *     FileSet set = { 0 };
 *     Err err = file_set_input(&set, "scene.tif", "the image");
 *     if (err == ERR_NONE) err = file_set_output(&set, "./scene.tif", "the map");   // ERR_ARGUMENT
 *     file_set_done(&set);
 *
 * The order of calls does not matter. Nothing is opened. Names that differ in case alone are different names.
 */
#ifndef METASEG_BASE_FILE_SET_H
#define METASEG_BASE_FILE_SET_H

#include "base/err.h"

#include <stdint.h>

typedef struct FileSetItem FileSetItem;
typedef struct FileSetSlot FileSetSlot;

typedef struct FileSet {
    FileSetItem *items;
    int64_t count, capacity;
    FileSetSlot *slots; /* by which an item finds those that may be the same file */
    int64_t n_slots, used;
    const volatile int *stop; /* for those who open files to know them (raster_files.h); NULL: none */
} FileSet;

/* Adds a file that is read or written. `role` says what it is in messages, with its article: "the image"; both texts are
 * copied. ERR_ARGUMENT, one sentence that names both files: an input that is an output, an output that is an input or
 * another output. An input may be named often. ERR_MEMORY. A NULL path is no file. */
Err file_set_input(FileSet *set, const char *path, const char *role);
Err file_set_output(FileSet *set, const char *path, const char *role);

void file_set_done(FileSet *set);

#endif
