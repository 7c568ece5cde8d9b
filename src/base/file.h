/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole files in and out. A file is written under a hidden name beside its place (".NAME.partial-MACHINE-PROCESS"),
 * synced and renamed, so that nothing half-written ever has the final name, and processes that write the same file at
 * once do not mix: the last one to finish wins.
 *
 *     TRY(file_write("run/log.json", text, strlen(text), true));
 *
 * For writers that open the file themselves (GDAL): file_partial_name, write, file_publish; on failure file_remove.
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

/* ".NAME.partial-MACHINE-PROCESS" in the folder of `path`, with a hash of the host name and the process number; free()
 * it. A process writes a path once at a time. Also removes the partial files of `path` that processes of this machine
 * left when they were killed, with what belongs to them (partial name + ".aux.xml"). ERR_MEMORY, ERR_ARGUMENT for a
 * path that names no file. */
Err file_partial_name(const char *path, char **ret_partial);

/* Checks, before long work, that `path` may be written: its folder exists and is writable, `path` is no folder, and
 * exists only with `overwrite`. ERR_OUTPUT; the message says what to do (-f). */
Err file_check_output(const char *path, bool overwrite);

/* Syncs `partial`, renames it to `path`, syncs the folder. On failure `partial` stays. ERR_OUTPUT. */
Err file_publish(const char *partial, const char *path, bool overwrite);

/* Removes a file; a missing one is no error. ERR_OUTPUT. */
Err file_remove(const char *path);

bool file_exists(const char *path); /* anything of that name */
bool file_is_folder(const char *path);
Err file_size(const char *path, int64_t *ret_bytes); /* ERR_INPUT */

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
