/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to src/geo: why a file could not be read, for messages. GDAL's words tell a missing codec from damage; that the
 * disk or the network fails, it does not tell. */
#ifndef METASEG_GEO_READ_FAILURE_H
#define METASEG_GEO_READ_FAILURE_H

#include "base/err.h"

#include <stdbool.h>

/* Does GDAL's message say that it lacks the codec of a compression? */
bool read_failure_is_codec(const char *reason);

/* Sets the error for a raster `path` that cannot be read; `what` says it ("band 2 cannot be read at row 7"). files: those
 * that make it up, NULL at the end (NULL: `path` alone); they are read through once, to see whether the system can.
 * ERR_INPUT. */
Err read_failure(const char *path, const char *what, const char *reason, char *const *files);

/* errno of reading a file to its end, 0 if all is well or there is no such file. */
int read_failure_probe(const char *path);

#endif
