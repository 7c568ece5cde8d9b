/* SPDX-License-Identifier: Apache-2.0
 * GDALBuildVRT, which refuses what it would pass over with a warning. */
#include "geo/image_mosaic.h"

#include "geo/gdal_session.h"
#include "geo/georeference_crs.h"
#include "geo/product.h"
#include "geo/raster.h"
#include "geo/raster_internal.h"

#include <cpl_string.h>
#include <gdal_utils.h>
#include <stdlib.h>
#include <string.h>

/* gdalbuildvrt compares more, but names less. */
static Err check(const Raster *first, const Raster *other)
{
    const RasterInfo *a = raster_info(first), *b = raster_info(other);
    const OGRSpatialReferenceH crs = GDALGetSpatialRef(first->dataset), own = GDALGetSpatialRef(other->dataset);
    if (!b->has_geotransform)
        return err_set(ERR_INPUT, "'%s': it has no geotransform, so it has no place in a mosaic", raster_path(other));
    if ((crs == NULL) != (own == NULL) || (crs != NULL && !crs_same(crs, own)))
        return err_set(ERR_INPUT,
                       "'%s': its coordinate reference system (%s) is not that of '%s' (%s); a mosaic has one: "
                       "gdalwarp -t_srs brings files into it",
                       raster_path(other), b->crs_name[0] != '\0' ? b->crs_name : "none", raster_path(first),
                       a->crs_name[0] != '\0' ? a->crs_name : "none");
    char nodata[32], own_nodata[32];
    raster_band_nodata(first, 1, nodata);
    raster_band_nodata(other, 1, own_nodata);
    if (strcmp(nodata, own_nodata) != 0)
        return err_set(ERR_INPUT, "'%s': its nodata value (%s) is not that of '%s' (%s); a mosaic has one",
                       raster_path(other), own_nodata[0] != '\0' ? own_nodata : "none", raster_path(first),
                       nodata[0] != '\0' ? nodata : "none");
    if (a->bands != b->bands || strcmp(a->type, b->type) != 0)
        return err_set(ERR_INPUT, "'%s': it has %lld bands of %s, and '%s' has %lld of %s; a mosaic has one kind",
                       raster_path(other), (long long)b->bands, b->type, raster_path(first), (long long)a->bands,
                       a->type);
    return ERR_NONE;
}

/* Whether masks or alpha tell where something is, so that they do where nothing is. */
static bool has_mask(const Raster *raster)
{
    for (int64_t band = 1; band <= raster_info(raster)->bands; band++)
        if (raster_band_mask(raster, band) == RASTER_MASK_FILE || raster_band_mask(raster, band) == RASTER_MASK_BAND ||
            raster->bands[band - 1].is_alpha)
            return true;
    return false;
}

static Err check_files(int64_t n, const char *const *files, bool *ret_masked)
{
    Raster *first = NULL;
    Err err = ERR_NONE;
    for (int64_t i = 0; i < n && err == ERR_NONE; i++) {
        Raster *raster = NULL;
        if (product_is_named(files[i]))
            err = err_set(ERR_INPUT, "'%s': a product of several files has no place in a mosaic; name raster files",
                          files[i]);
        if (err == ERR_NONE) err = raster_open(files[i], NULL, &raster);
        if (err == ERR_NONE) err = check(first != NULL ? first : raster, raster);
        if (err == ERR_NONE) *ret_masked = *ret_masked || has_mask(raster);
        if (first == NULL)
            first = raster;
        else
            raster_close(raster);
    }
    raster_close(first);
    return err;
}

static Err build(char **sources, bool masked, const char *path)
{
    const char *const words[] = { "-strict", "-resolution", "highest", masked ? NULL : "-addalpha", NULL };
    GDALBuildVRTOptions *options = GDALBuildVRTOptionsNew((char **)words, NULL);
    if (options == NULL) return err_memory(0, "a mosaic");
    GdalSession session;
    gdal_begin(&session);
    GDALDatasetH mosaic = GDALBuildVRT(path, CSLCount(sources), NULL, (const char *const *)sources, options, NULL);
    if (mosaic != NULL) GDALClose(mosaic);
    Err err = ERR_NONE;
    if (mosaic == NULL || session.failures > 0)
        err = err_set(ERR_INPUT, "the images cannot be one mosaic (%s)", gdal_reason(&session, "no reason given"));
    gdal_end(&session);
    GDALBuildVRTOptionsFree(options);
    return err;
}

Err image_mosaic_write(int64_t n, const char *const *files, const char *path)
{
    bool masked = false;
    TRY(check_files(n, files, &masked));
    char **sources = calloc((size_t)n + 1, sizeof *sources);
    if (sources == NULL) return err_memory((size_t)n * sizeof *sources, "a mosaic");
    Err err = ERR_NONE;
    for (int64_t i = 0; i < n && err == ERR_NONE; i++) {
        sources[i] = realpath(files[i], NULL);
        if (sources[i] == NULL) err = err_set(ERR_INPUT, "'%s': no such file", files[i]);
    }
    if (err == ERR_NONE) err = build(sources, masked, path);
    for (int64_t i = 0; i < n; i++) free(sources[i]);
    free(sources);
    return err;
}
