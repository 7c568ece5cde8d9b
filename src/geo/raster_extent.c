/* SPDX-License-Identifier: Apache-2.0
 * From a box of coordinates to pixels. */
#include "geo/raster_extent.h"

#include "geo/gdal_session.h"
#include "geo/georeference_internal.h"

#include <math.h>

enum { EDGE_PIECES = 21 };

static const double snap = 1e-3; /* pixels */

bool raster_extent_of(const double numbers[4], const char *crs, RasterExtent *ret_extent)
{
    bool given = false;
    for (int i = 0; i < 4; i++) given = given || numbers[i] < 0.0 || numbers[i] > 0.0 || isnan(numbers[i]);
    if (given) *ret_extent = (RasterExtent){ numbers[0], numbers[1], numbers[2], numbers[3], crs };
    return given;
}

Err raster_extent_check(const RasterExtent *e, const char *option)
{
    if (e->xmin < e->xmax && e->ymin < e->ymax) return ERR_NONE;
    return err_set(ERR_ARGUMENT,
                   "%s: x from %.15g to %.15g and y from %.15g to %.15g is no box; x and y must rise from the "
                   "lower left to the upper right corner",
                   option, e->xmin, e->xmax, e->ymin, e->ymax);
}

/* Into the CRS of the raster, at the turn of the Earth that lies nearest to it. */
static Err transform(const RasterExtent *e, const Raster *raster, const Georeference *place, double box[4])
{
    OGRSpatialReferenceH from = NULL;
    if (place->crs == NULL)
        return err_set(
            ERR_INPUT,
            "'%s': no coordinate reference system, so a box in %s cannot be found on it; name one with --crs",
            raster_path(raster), e->crs);
    TRY(crs_from_text(e->crs, &from));
    Err err = ERR_NONE;
    if (!crs_same(from, place->crs)) {
        OGRCoordinateTransformationH way = OCTNewCoordinateTransformation(from, place->crs);
        if (way == NULL || !OCTTransformBounds(way, e->xmin, e->ymin, e->xmax, e->ymax, &box[0], &box[1], &box[2],
                                               &box[3], EDGE_PIECES))
            err = err_set(ERR_INPUT,
                          "'%s': the box %.15g %.15g %.15g %.15g in %s has no place in the image's "
                          "coordinate reference system",
                          raster_path(raster), e->xmin, e->ymin, e->xmax, e->ymax, e->crs);
        OCTDestroyCoordinateTransformation(way);
    }
    OSRDestroySpatialReference(from);
    if (err != ERR_NONE || !(place->turn > 0.0)) return err;
    if (box[2] < box[0]) box[2] += place->turn; /* over the date line */
    const double turns = floor(((box[0] + box[2]) / 2.0 - place->center_x) / place->turn + 0.5);
    box[0] -= turns * place->turn;
    box[2] -= turns * place->turn;
    return ERR_NONE;
}

/* Whole pixels along one axis of n, from those that the box has to those that lie on the raster. */
static bool cut_axis(double low, double high, int64_t n, int64_t *ret_first, int64_t *ret_count, bool *cut)
{
    const double first = floor(low + snap), end = ceil(high - snap);
    *cut = *cut || first < 0.0 || end > (double)n;
    if (!(end > 0.0) || !(first < (double)n) || !(end > first)) return false;
    *ret_first = first > 0.0 ? (int64_t)first : 0;
    *ret_count = (end < (double)n ? (int64_t)end : n) - *ret_first;
    return true;
}

static Err find_window(const Raster *raster, const Georeference *place, const double box[4], RasterWindow *ret_window,
                       bool *ret_cut)
{
    double low[2] = { HUGE_VAL, HUGE_VAL }, high[2] = { -HUGE_VAL, -HUGE_VAL };
    RasterWindow w = { 0 };
    bool cut = false;
    for (int i = 0; i < 4; i++) {
        double at[2];
        GDALApplyGeoTransform((double *)place->backward, box[i % 2 * 2], box[i / 2 * 2 + 1], &at[0], &at[1]);
        for (int k = 0; k < 2; k++) {
            low[k] = fmin(low[k], at[k]);
            high[k] = fmax(high[k], at[k]);
        }
    }
    const RasterInfo *info = raster_info(raster);
    if (!cut_axis(low[0], high[0], info->width, &w.x, &w.columns, &cut) ||
        !cut_axis(low[1], high[1], info->height, &w.y, &w.rows, &cut))
        return err_set(
            ERR_INPUT,
            "'%s': the box lies beside the image (its columns %.0f to %.0f and rows %.0f to %.0f are asked for; it "
            "has %lld and %lld)",
            raster_path(raster), floor(low[0] + snap), ceil(high[0] - snap), floor(low[1] + snap), ceil(high[1] - snap),
            (long long)info->width, (long long)info->height);
    *ret_window = w;
    *ret_cut = cut;
    return ERR_NONE;
}

Err raster_extent_window(const RasterExtent *extent, const Raster *raster, const Georeference *place,
                         RasterWindow *ret_window, bool *ret_cut)
{
    double box[4] = { extent->xmin, extent->ymin, extent->xmax, extent->ymax };
    if (!place->has_grid)
        return err_set(ERR_INPUT, "'%s': it has no geotransform, so a box of coordinates cannot be found on it",
                       raster_path(raster));
    GdalSession session;
    gdal_begin(&session);
    Err err = extent->crs != NULL ? transform(extent, raster, place, box) : ERR_NONE;
    if (err == ERR_NONE) err = find_window(raster, place, box, ret_window, ret_cut);
    gdal_end(&session);
    return err;
}
