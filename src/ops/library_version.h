/* SPDX-License-Identifier: Apache-2.0 */
#ifndef METASEG_OPS_LIBRARY_VERSION_H
#define METASEG_OPS_LIBRARY_VERSION_H

#include <stddef.h>

/* Writes the version of the oneDNN library in use and its threading ("2.6.3, OpenMP"), or that this build has none. */
void ops_library_version(char *ret_text, size_t bytes);

#endif
