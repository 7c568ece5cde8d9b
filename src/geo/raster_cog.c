/* SPDX-License-Identifier: Apache-2.0
 * GDAL's COG driver copies; it cannot write block by block. */
#include "geo/raster_cog.h"

#include "geo/gdal_session.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <errno.h>
#include <gdal.h>

static int CPL_STDCALL go_on(double complete, const char *message, void *context)
{
    const volatile int *const *stop = context;
    (void)complete;
    (void)message;
    return *stop == NULL || **stop == 0;
}

Err cog_copy(const CogCopy *copy)
{
    static const char *const drivers[] = { "GTiff", NULL };
    const volatile int *stop = copy->stop;
    Err err = ERR_NONE;
    GdalSession session;
    gdal_begin(&session);
    const GDALDatasetH from = GDALOpenEx(copy->from, GDAL_OF_RASTER | GDAL_OF_READONLY, drivers, NULL, NULL);
    if (from == NULL) {
        err =
            err_set(ERR_OUTPUT, "'%s': cannot be read back (%s)", copy->path, gdal_reason(&session, "no reason given"));
    } else {
        char **options = raster_format_options(RASTER_COG, copy->kind, copy->options);
        raster_format_pin_overviews(options);
        /* no value means the main image's own: of one that GDAL does not know it only warns */
        if (CPLGetConfigOption("PHOTOMETRIC_OVERVIEW", NULL) != NULL)
            CPLSetThreadLocalConfigOption("PHOTOMETRIC_OVERVIEW", "AS THE IMAGE");
        errno = 0;
        const GDALDatasetH to = GDALCreateCopy(GDALGetDriverByName(raster_format_driver(RASTER_COG)), copy->to, from,
                                               FALSE, options, go_on, (void *)&stop);
        if (to != NULL) GDALClose(to);
        if (stop != NULL && *stop != 0)
            err = err_set(ERR_INTERRUPTED, "'%s': stopped while its overviews were made; nothing was written",
                          copy->path);
        else if (to == NULL || session.failures > 0)
            err = gdal_write_error(copy->path, &session);
        CSLDestroy(options);
        GDALClose(from);
    }
    gdal_end(&session);
    return err;
}
