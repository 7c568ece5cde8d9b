/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that belong together and get their names together: a map, its side-car with the class names and its style are
 * one output. They are written in a hidden folder beside their place (".metaseg-partial-" and 16 digits that nobody can
 * guess; only its owner may enter it, so that no link can be put in a file's way), synced, and renamed. When anything
 * fails, also in the middle of renaming, none of the names has changed: what stood there before stands there again.
 *
 *     Output *output = NULL;
 *     TRY(output_open("map.tif", overwrite, &output));
 *     Err err = output_add(output, "map.tif.aux.xml", &side_car);
 *     ... write output_partial(output) and side_car ...
 *     if (err == ERR_NONE) err = output_publish(output);
 *     output_close(output);      // after output_publish, or instead of it: nothing remains
 *
 * Outputs of one command, in whatever folders, are published together with output_publish_all.
 *
 * A process that is killed leaves its hidden folder. It is held by a lock (flock) while the process lives; the next
 * output_open of that folder's owner removes those whose lock is gone, on whatever machine the file system locks for.
 * Between two renames a killed process may leave a new side-car beside an old file, never half a file.
 */
#ifndef METASEG_BASE_OUTPUT_H
#define METASEG_BASE_OUTPUT_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct Output Output;

/* At most this many files in one output. */
enum { OUTPUT_MOST_FILES = 8 };

/* Checks the name as file_check_output does, removes what killed processes left in its folder and makes the hidden
 * folder. The caller ends it with output_close. ERR_OUTPUT, ERR_MEMORY. */
Err output_open(const char *path, bool overwrite, Output **ret_output);

/* The file to write for the path of output_open. It does not exist yet. Valid until output_close. */
const char *output_partial(const Output *output);

/* Adds a file of the same folder that gets its name just before the main one; the file to write is *ret_partial.
 * Checks the name. ERR_OUTPUT, ERR_MEMORY. */
Err output_add(Output *output, const char *path, const char **ret_partial);

/* A file without a name beside the files of the output, open for reading and writing, gone when it is closed; the caller's to
 * close. ERR_OUTPUT. */
Err output_scratch(const Output *output, int *ret_file);

/* Adds an older file that goes when the output gets its names, as overviews of the older map; it may be missing. Without
 * `overwrite` it must be. ERR_OUTPUT, ERR_MEMORY. */
Err output_retire(Output *output, const char *path);

/* Syncs the files, renames them, syncs the folder. Permissions of replaced files are kept, those of new ones are what
 * the umask leaves. Of a file that was added but not written the older one goes. ERR_OUTPUT: nothing has changed. */
Err output_publish(Output *output);

/* The same for several outputs, one transaction: all are synced before the first is renamed, and when anything fails all
 * names are what they were before. They get their names in the order given. */
Err output_publish_all(Output *const *outputs, int64_t count);

/* Opens an output of one file and fills it; to be published. ERR_OUTPUT, ERR_MEMORY: *ret_output is untouched. */
Err output_prepare(const char *path, const void *bytes, size_t length, bool overwrite, Output **ret_output);

/* Removes what has no name and frees; NULL is fine. Leaves the thread's error message alone. */
void output_close(Output *output);

/* Creates a partial file for writing, never through a link and never over an older file; `path` is its name to be, for
 * messages. The second also fills and closes it. ERR_OUTPUT. */
Err output_create(const char *partial, const char *path, FILE **ret_stream);
Err output_write(const char *partial, const char *path, const void *bytes, size_t length);

/* Appends to a plain file, never through a link, and makes it where there is none. ERR_OUTPUT: nothing is appended, or
 * part of it where the disk is full and cannot be cut back. */
Err output_append(const char *path, const void *bytes, size_t length);

/* ERR_OUTPUT: `path` cannot be written, with the reason that errno holds and what to do about it. */
Err output_error(const char *path, int reason);

#endif
