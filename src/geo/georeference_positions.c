/* SPDX-License-Identifier: Apache-2.0
 * Pixel positions to longitude and latitude and back. */
#include "geo/gdal_session.h"
#include "geo/georeference.h"
#include "geo/georeference_internal.h"

#include <cpl_string.h>
#include <gdal_alg.h>
#include <math.h>
#include <string.h>

enum { CHUNK = 256 };

bool georeference_is_affine(const Georeference *g)
{
    return g->kind == GEOREFERENCE_POINT || (g->kind == GEOREFERENCE_GEOTRANSFORM && !g->transformed);
}

bool georeference_has_grid(const Georeference *g) { return g->has_grid; }

bool georeference_has_crs(const Georeference *g) { return g->crs != NULL || g->kind == GEOREFERENCE_RPC; }

bool georeference_same_crs(const Georeference *a, const Georeference *b)
{
    if (!a->has_grid || !b->has_grid || (a->crs == NULL) != (b->crs == NULL)) return false;
    if (a->crs == NULL) return true;
    GdalSession session;
    gdal_begin(&session);
    const bool same = crs_same(a->crs, b->crs);
    gdal_end(&session);
    return same;
}

static bool same_gcps(const Georeference *a, const Georeference *b)
{
    if (a->n_gcps != b->n_gcps || !crs_same(a->crs, b->crs)) return false;
    for (int i = 0; i < a->n_gcps; i++) {
        const GDAL_GCP *p = &a->gcps[i], *q = &b->gcps[i];
        if (p->dfGCPPixel != q->dfGCPPixel || p->dfGCPLine != q->dfGCPLine || p->dfGCPX != q->dfGCPX ||
            p->dfGCPY != q->dfGCPY)
            return false;
    }
    return true;
}

bool georeference_same_points(const Georeference *a, const Georeference *b)
{
    bool same = false;
    GdalSession session;
    gdal_begin(&session);
    if (a->kind == GEOREFERENCE_GCPS && b->kind == GEOREFERENCE_GCPS) {
        same = same_gcps(a, b);
    } else if (a->kind == GEOREFERENCE_RPC && b->kind == GEOREFERENCE_RPC) {
        same = CSLCount(a->rpc_items) == CSLCount(b->rpc_items);
        for (int i = 0; same && i < CSLCount(a->rpc_items); i++) same = strcmp(a->rpc_items[i], b->rpc_items[i]) == 0;
    }
    gdal_end(&session);
    return same;
}

static void apply_affine(const double t[6], double *x, double *y)
{
    const double u = t[0] + t[1] * *x + t[2] * *y, v = t[3] + t[4] * *x + t[5] * *y;
    *x = u;
    *y = v;
}

typedef int (*GdalTransformer)(void *, int, int, double *, double *, double *, int *);

/* Runs one of GDAL's transformers; failures become NaN. */
static void run_transformer(GdalTransformer run, void *transformer, bool inverse, int64_t n, double *x, double *y)
{
    for (int64_t i = 0; i < n; i += CHUNK) {
        double z[CHUNK] = { 0.0 };
        int good[CHUNK] = { 0 };
        const int count = (int)(n - i < CHUNK ? n - i : CHUNK);
        (void)run(transformer, inverse, count, x + i, y + i, z, good);
        for (int k = 0; k < count; k++)
            if (!good[k] || !isfinite(x[i + k]) || !isfinite(y[i + k])) x[i + k] = y[i + k] = (double)NAN;
    }
}

/* Brings x of the CRS to the turn nearest to the raster's centre; of two equally near to the western one, the first
 * column of a raster of the whole Earth. */
static double near_center(const Georeference *g, double x)
{
    return isnan(g->turn) ? x : x + g->turn * ceil((g->center_x - x) / g->turn - 0.5);
}

void georeference_to_crs(const Georeference *g, int64_t n, double *x, double *y)
{
    if (g->polynomial != NULL) {
        run_transformer(GDALGCPTransform, g->polynomial, false, n, x, y);
    } else {
        for (int64_t i = 0; i < n; i++) apply_affine(g->forward, &x[i], &y[i]);
    }
}

void georeference_from_crs(const Georeference *g, int64_t n, double *x, double *y)
{
    for (int64_t i = 0; i < n; i++) x[i] = near_center(g, x[i]);
    if (g->polynomial != NULL) {
        run_transformer(GDALGCPTransform, g->polynomial, true, n, x, y);
    } else {
        for (int64_t i = 0; i < n; i++) apply_affine(g->backward, &x[i], &y[i]);
    }
}

static bool has_crs_coordinates(const Georeference *g)
{
    return g->kind == GEOREFERENCE_GEOTRANSFORM || g->kind == GEOREFERENCE_GCPS;
}

void georeference_to_lonlat(Georeference *g, int64_t n, double *x, double *y)
{
    GdalSession session;
    gdal_begin(&session);
    if (has_crs_coordinates(g)) georeference_to_crs(g, n, x, y);
    if (g->transformed) crs_pair_transform(&g->lonlat, n, x, y);
    if (g->rpc != NULL) run_transformer(GDALGenImgProjTransform, g->rpc, false, n, x, y);
    gdal_end(&session);
    for (int64_t i = 0; i < n; i++) {
        if (g->kind == GEOREFERENCE_NONE) x[i] = y[i] = (double)NAN;
        if (g->kind == GEOREFERENCE_POINT) {
            x[i] = g->lon;
            y[i] = g->lat;
        } else if (has_crs_coordinates(g) && !g->transformed) {
            x[i] = x[i] * g->degrees_per_unit + g->prime_meridian;
            y[i] *= g->degrees_per_unit;
        }
        if (isnan(x[i])) continue;
        if (fabs(y[i]) > 90.0 + 1e-9)
            x[i] = y[i] = (double)NAN;
        else
            x[i] = georeference_wrap(x[i]);
    }
}

void georeference_to_pixel(Georeference *g, int64_t n, double *lon, double *lat)
{
    GdalSession session;
    gdal_begin(&session);
    if (has_crs_coordinates(g)) {
        if (g->transformed) crs_pair_transform_back(&g->lonlat, n, lon, lat);
        for (int64_t i = 0; i < n && !g->transformed; i++) {
            lon[i] = (lon[i] - g->prime_meridian) / g->degrees_per_unit;
            lat[i] /= g->degrees_per_unit;
        }
        georeference_from_crs(g, n, lon, lat);
    } else if (g->rpc != NULL) {
        run_transformer(GDALGenImgProjTransform, g->rpc, true, n, lon, lat);
    } else {
        for (int64_t i = 0; i < n; i++) lon[i] = lat[i] = (double)NAN;
    }
    gdal_end(&session);
}
