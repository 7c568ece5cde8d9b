/* SPDX-License-Identifier: Apache-2.0
 *
 * Room for the libraries below us. GDAL, PROJ, oneDNN, OpenMP and C++ end the process where a small allocation of theirs
 * fails, while our own failures are ordinary errors. So before they are called it is made sure that they find enough:
 *
 *     TRY(room_check("reading a raster"));
 */
#ifndef METASEG_BASE_ROOM_H
#define METASEG_BASE_ROOM_H

#include "base/err.h"

/* Whether 64 MiB of address space can still be had (ulimit -v); takes nothing, costs some microseconds. ERR_MEMORY. */
Err room_check(const char *what);

#endif
