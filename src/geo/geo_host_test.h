/* SPDX-License-Identifier: Apache-2.0
 *
 * GDAL's settings in the process of a host, for tests of what the library leaves behind. */
#ifndef METASEG_GEO_GEO_HOST_TEST_H
#define METASEG_GEO_GEO_HOST_TEST_H

#include <cpl_conv.h>
#include <cpl_error.h>
#include <gdal.h>
#include <ogr_srs_api.h>
#include <stdio.h>

static inline void CPL_STDCALL geo_host_error(CPLErr level, CPLErrorNum number, const char *text)
{
    (void)level;
    (void)number;
    (void)text;
}

/* Settings that nobody has by default; `mark` is the data of the host's own error handler. */
static inline void geo_host_settings(void *mark)
{
    GDALSetCacheMax64(INT64_C(777) << 20);
    OSRSetPROJEnableNetwork(1);
    CPLPushErrorHandlerEx(geo_host_error, mark);
}

/* Settings of the process and of the calling thread as one line. */
static inline void geo_host_state(char *ret_text, size_t bytes)
{
    (void)snprintf(ret_text, bytes,
                   "GDAL: cache %lld, PROJ network %d, limit %s, handler's data %p, Python %s, thread's network %s\n",
                   (long long)GDALGetCacheMax64(), OSRGetPROJEnableNetwork(), CPLGetConfigOption("GDAL_CACHEMAX", "-"),
                   CPLGetErrorHandlerUserData(), CPLGetConfigOption("GDAL_VRT_ENABLE_PYTHON", "-"),
                   CPLGetThreadLocalConfigOption("CPL_VSIL_CURL_ALLOWED_FILENAME", "-"));
}

#endif
