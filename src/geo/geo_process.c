/* SPDX-License-Identifier: Apache-2.0
 * Version and process-wide settings of GDAL. */
#include "geo/geo_process.h"

#include "geo/gdal_session.h"

#include <cpl_conv.h>
#include <gdal.h>
#include <ogr_srs_api.h>
#include <stdio.h>

void geo_gdal_version(char *ret_text, size_t bytes)
{
    (void)snprintf(ret_text, bytes, "%s", GDALVersionInfo("RELEASE_NAME"));
}

/* Enough for the rows of a scene that neighbouring tiles share; GDAL's own default is 5 % of the machine. */
static const GIntBig program_cache_bytes = 32 << 20;

/* GDAL itself remembers whose process it is. */
static const char owner_option[] = "METASEG_OWNS_GDAL";

void gdal_own_process(void)
{
    OSRSetPROJEnableNetwork(0);
    if (CPLGetConfigOption("GDAL_CACHEMAX", NULL) != NULL) return; /* the user's own choice stands */
    CPLSetConfigOption(owner_option, "YES");
    GDALSetCacheMax64(program_cache_bytes);
}

void gdal_allow_network(void) { CPLSetConfigOption(GDAL_NETWORK_OPTION, "YES"); }

void gdal_set_cache(int64_t bytes)
{
    if (CPLGetConfigOption(owner_option, NULL) != NULL) GDALSetCacheMax64(bytes);
}
