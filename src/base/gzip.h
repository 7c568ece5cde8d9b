/* SPDX-License-Identifier: Apache-2.0
 * Compressed files, read whole. The only home of zlib. */
#ifndef METASEG_BASE_GZIP_H
#define METASEG_BASE_GZIP_H

#include "base/err.h"

#include <stddef.h>

/* Exchanges the bytes of a gzip file, on the heap as file_read gives them, for what they hold; other bytes stay as they are. A NUL follows
 * the last byte (not counted). ERR_INPUT: damaged, or more than limit_bytes in it; ERR_MEMORY. The bytes then stay as they are. */
Err gzip_unpack(const char *path, size_t limit_bytes, char **bytes, size_t *length);

#endif
