/* SPDX-License-Identifier: Apache-2.0 */
#ifndef METASEG_GEO_GEO_VERSION_H
#define METASEG_GEO_GEO_VERSION_H

#include <stddef.h>

/* Writes the release name of the GDAL library in use: "3.6.2". */
void geo_gdal_version(char *ret_text, size_t bytes);

#endif
