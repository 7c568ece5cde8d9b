/* SPDX-License-Identifier: Apache-2.0
 *
 * A zip archive that is written. The same members give the same bytes, whenever and by whomever they are written: times are
 * those of 1 January 1980, permissions those of a plain file. Members are stored as they are, for what is compressed already (PNG),
 * and wait in a file without a name, so that memory does not grow with them.
 *
 *     Output *output = NULL;
 *     ZipWriter *zip = NULL;
 *     TRY(output_open("submission.zip", overwrite, &output));
 *     Err err = zip_writer_new(output_partial(output), "submission.zip", &zip);
 *     if (err == ERR_NONE) err = zip_writer_add(zip, "4191.png", bytes, length);
 *     if (err == ERR_NONE) err = zip_writer_finish(zip);
 *     if (err == ERR_NONE) err = output_publish(output);
 *     zip_writer_free(zip);
 *     output_close(output);
 */
#ifndef METASEG_TENSOR_FILE_ZIP_WRITER_H
#define METASEG_TENSOR_FILE_ZIP_WRITER_H

#include "base/err.h"

#include <stddef.h>

typedef struct ZipWriter ZipWriter;

/* partial: the file to write, which does not exist yet; further files begin with its name. path: its name to be, for messages.
 * ERR_OUTPUT, ERR_MEMORY. */
Err zip_writer_new(const char *partial, const char *path, ZipWriter **ret_writer);
void zip_writer_free(ZipWriter *writer);

/* The next member. ERR_ARGUMENT: the name was there before; ERR_OUTPUT, ERR_MEMORY. */
Err zip_writer_add(ZipWriter *writer, const char *name, const void *bytes, size_t length);

/* Writes the archive; nothing can be added any more. ERR_ARGUMENT: it has no member; ERR_OUTPUT, ERR_MEMORY. */
Err zip_writer_finish(ZipWriter *writer);

#endif
