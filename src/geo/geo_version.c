/* SPDX-License-Identifier: Apache-2.0
 * Version of GDAL. */
#include "geo/geo_version.h"

#include <gdal.h>
#include <stdio.h>

void geo_gdal_version(char *ret_text, size_t bytes)
{
    (void)snprintf(ret_text, bytes, "%s", GDALVersionInfo("RELEASE_NAME"));
}
