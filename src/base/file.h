/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole files in and out, checks of output names, parts of paths. A file that is written gets its name when it is
 * complete and on disk (output.h): nothing half-written ever has the final name, and of processes that write the same
 * file at once the last one to finish wins.
 *
 *     TRY(file_write("run/log.json", text, strlen(text), true));
 */
#ifndef METASEG_BASE_FILE_H
#define METASEG_BASE_FILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens a plain file for reading; close() it. Anything else of that name (a FIFO, a device, a folder) is refused at
 * once, without waiting for it. ERR_INPUT. */
Err file_open(const char *path, int *ret_fd);

/* Reads a whole file; a NUL follows the last byte (not counted). free() it. ERR_INPUT: missing, unreadable, not a
 * plain file, or larger than limit_bytes; ERR_MEMORY. */
Err file_read(const char *path, size_t limit_bytes, char **ret_bytes, size_t *ret_length);

/* Writes a whole file atomically. ERR_OUTPUT; without `overwrite` an existing file is ERR_OUTPUT and untouched. */
Err file_write(const char *path, const void *bytes, size_t length, bool overwrite);

/* Checks, before long work, that `path` may be written: its folder exists and is writable, the name is not too long, no
 * folder, device, pipe or socket is in its way, and a file only with `overwrite`. ERR_OUTPUT; the message says what to
 * do (-f). */
Err file_check_output(const char *path, bool overwrite);

/* Checks that the suffix of an output's name says what is written: one of `suffixes` ("tif,tiff", case ignored), or no
 * suffix (nothing with a letter behind the last dot). `what`: "the map", `format`: "GeoTIFF", for the message. Also refuses
 * "-" and what names a folder ("maps/"). A NULL path is fine. ERR_ARGUMENT. */
Err file_check_kind(const char *path, const char *what, const char *format, const char *suffixes);

/* Removes a file; a missing one is no error. ERR_OUTPUT. */
Err file_remove(const char *path);

bool file_exists(const char *path); /* anything of that name */
bool file_is_folder(const char *path);

/* Makes a folder and its parents; existing ones are fine. ERR_OUTPUT. */
Err file_make_folders(const char *path);

/* "folder/name"; an absolute `name` or an empty folder gives `name`. free() it. ERR_MEMORY. */
Err path_join(const char *folder, const char *name, char **ret_path);

/* Folder of a path: "a/b" -> "a", "b" -> ".", "/b" -> "/". free() it. ERR_MEMORY. */
Err path_folder(const char *path, char **ret_folder);

/* Part after the last '/'; points into `path`. */
const char *path_name(const char *path);

/* Path without the suffix of its last part: "a.b/c.tif" -> "a.b/c". free() it. ERR_MEMORY. */
Err path_stem(const char *path, char **ret_stem);

#endif
