/* SPDX-License-Identifier: Apache-2.0
 * Reading where a raster lies: geotransform, ground control points, rational polynomial coefficients. */
#include "geo/georeference.h"

#include "base/str.h"
#include "geo/gdal_session.h"
#include "geo/georeference_internal.h"
#include "geo/raster_internal.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal_alg.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double degrees_per_radian = 57.295779513082320877;

/* Beyond the edge of a projection a position comes back kilometres away; within it by less than the tolerance of datum
 * grids. */
static const double edge_metres = 1000.0;

static void set_note(Georeference *g, const char *text) { (void)snprintf(g->note, sizeof g->note, "%s", text); }

/* Between `g->crs` and EPSG:4326. False when PROJ knows no way. */
static bool make_transformations(Georeference *g)
{
    const double one_pixel =
        hypot(g->forward[1], g->forward[4]) * (isnan(g->metres_per_unit) ? 0.0 : g->metres_per_unit);
    g->geographic = OSRIsGeographic(g->crs) != 0;
    if (g->geographic) g->degrees_per_unit = OSRGetAngularUnits(g->crs, NULL) * degrees_per_radian;
    if (crs_has_unknown_datum(g->crs))
        set_note(g, "the datum of its coordinate reference system is unknown; taken as EPSG:4326");
    if (crs_is_lonlat(g->crs)) {
        g->prime_meridian = OSRGetPrimeMeridian(g->crs, NULL);
        g->turn = 360.0 / g->degrees_per_unit;
        return true;
    }
    OGRSpatialReferenceH lonlat = crs_new_lonlat();
    g->transformed = lonlat != NULL && crs_pair_init(&g->lonlat, g->crs, lonlat, fmax(edge_metres, one_pixel));
    OSRDestroySpatialReference(lonlat);
    if (g->transformed) g->turn = g->lonlat.turn;
    return g->transformed;
}

static void read_geotransform(Georeference *g, const RasterInfo *info)
{
    memcpy(g->forward, info->geotransform, sizeof g->forward);
    double inverse[6];
    if (!GDALInvGeoTransform(g->forward, inverse)) {
        set_note(g, "its geotransform is singular");
        return;
    }
    memcpy(g->backward, inverse, sizeof g->backward);
    g->has_grid = true;
    g->center_x = g->forward[0] + g->forward[1] * g->width / 2.0 + g->forward[2] * g->height / 2.0;
    if (g->crs == NULL) {
        set_note(g, "no coordinate reference system");
        return;
    }
    if (OSRIsLocal(g->crs) || OSRIsProjected(g->crs)) g->metres_per_unit = OSRGetLinearUnits(g->crs, NULL);
    if (OSRIsLocal(g->crs) || !(OSRIsGeographic(g->crs) || OSRIsProjected(g->crs))) {
        set_note(g, OSRIsLocal(g->crs) ? "a local coordinate system without a place on the Earth"
                                       : "a coordinate reference system that is not horizontal");
        return;
    }
    if (make_transformations(g))
        g->kind = GEOREFERENCE_GEOTRANSFORM;
    else
        set_note(g, "its coordinate reference system cannot be transformed to EPSG:4326");
}

/* A copy of the control points whose longitudes follow each other across 180 degrees; NULL: no memory. */
static GDAL_GCP *continuous_gcps(const Georeference *g, const Raster *raster)
{
    const int n = GDALGetGCPCount(raster->dataset);
    GDAL_GCP *gcps = GDALDuplicateGCPs(n, GDALGetGCPs(raster->dataset));
    for (int i = 1; gcps != NULL && !isnan(g->turn) && i < n; i++)
        gcps[i].dfGCPX -= g->turn * floor((gcps[i].dfGCPX - gcps[0].dfGCPX) / g->turn + 0.5);
    return gcps;
}

/* GDAL's polynomial through the ground control points, in their own CRS. */
static void read_gcps(Georeference *g, const Raster *raster)
{
    if (g->crs == NULL) {
        set_note(g, "ground control points without a coordinate reference system");
        return;
    }
    if (!(OSRIsGeographic(g->crs) || OSRIsProjected(g->crs))) {
        set_note(g, "ground control points in a coordinate reference system without a place on the Earth");
        return;
    }
    if (!make_transformations(g)) {
        set_note(g, "the coordinate reference system of its ground control points cannot be transformed to EPSG:4326");
        return;
    }
    g->n_gcps = GDALGetGCPCount(raster->dataset);
    g->gcps = continuous_gcps(g, raster);
    if (g->gcps != NULL) g->polynomial = GDALCreateGCPTransformer(g->n_gcps, g->gcps, 0, FALSE);
    if (g->polynomial == NULL) {
        set_note(g, "its ground control points cannot be used");
        return;
    }
    g->kind = GEOREFERENCE_GCPS;
    double x = g->width / 2.0, y = g->height / 2.0;
    georeference_to_crs(g, 1, &x, &y);
    g->center_x = x;
}

static void read_rpcs(Georeference *g, const Raster *raster)
{
    char **options = CSLSetNameValue(NULL, "METHOD", "RPC");
    options = CSLSetNameValue(options, "DST_SRS", "EPSG:4326");
    const char *height = GDALGetMetadataItem(raster->dataset, "HEIGHT_OFF", "RPC");
    options = CSLSetNameValue(options, "RPC_HEIGHT", height != NULL ? height : "0");
    g->rpc = GDALCreateGenImgProjTransformer2(raster->dataset, NULL, options);
    g->rpc_items = CSLDuplicate(GDALGetMetadata(raster->dataset, "RPC"));
    CSLDestroy(options);
    if (g->rpc != NULL)
        g->kind = GEOREFERENCE_RPC;
    else
        set_note(g, "its rational polynomial coefficients cannot be used");
}

/* The CRS to use, a copy; NULL if there is none. Control points have their own beside the file's. */
static Err choose_crs(const Raster *raster, const char *crs, OGRSpatialReferenceH *ret_crs)
{
    if (crs != NULL && crs[0] != '\0') return crs_from_text(crs, ret_crs);
    OGRSpatialReferenceH own =
        raster->info.has_geotransform ? GDALGetSpatialRef(raster->dataset) : GDALGetGCPSpatialRef(raster->dataset);
    if (own != NULL) *ret_crs = OSRClone(own);
    return ERR_NONE;
}

static Georeference *new_georeference(void)
{
    Georeference *g = calloc(1, sizeof *g);
    if (g == NULL) return NULL;
    g->metres_per_unit = g->turn = (double)NAN;
    g->degrees_per_unit = 1.0;
    g->width = g->height = 1.0;
    return g;
}

static void read_reference(Georeference *g, const Raster *raster)
{
    if (raster->info.has_geotransform)
        read_geotransform(g, &raster->info);
    else if (raster->info.gcps > 0)
        read_gcps(g, raster);
    else if (raster->info.has_rpc)
        read_rpcs(g, raster);
    else if (CSLCount(GDALGetMetadata(raster->dataset, "GEOLOCATION")) > 0)
        set_note(g, "its place stands in geolocation arrays, which are not read here; warp it with gdalwarp -geoloc");
    else
        set_note(g, "no georeference");
}

Err georeference_open(const Raster *raster, const char *crs, Georeference **ret_georeference)
{
    const bool has_place = raster->info.has_geotransform || raster->info.gcps > 0 || raster->info.has_rpc;
    if (has_place) TRY(crs_check_database());
    Georeference *g = new_georeference();
    if (g == NULL) return err_memory(sizeof *g, "a georeference");
    GdalSession session;
    gdal_begin(&session);
    g->width = (double)raster->info.width;
    g->height = (double)raster->info.height;
    const Err err = choose_crs(raster, crs, &g->crs);
    if (err == ERR_NONE) read_reference(g, raster);
    gdal_end(&session);
    if (err == ERR_NONE)
        *ret_georeference = g;
    else
        georeference_free(g);
    return err;
}

double georeference_wrap(double lon)
{
    const double wrapped = lon - 360.0 * floor((lon + 180.0) / 360.0);
    return wrapped >= 180.0 ? -180.0 : wrapped;
}

Err georeference_from_point(double lon, double lat, Georeference **ret_georeference)
{
    if (!(lon >= -180.0 && lon <= 360.0 && lat >= -90.0 && lat <= 90.0))
        return err_set(ERR_ARGUMENT,
                       "the position %g,%g is not on the Earth; expected longitude (-180 to 360), latitude (-90 to 90)",
                       lon, lat);
    Georeference *g = new_georeference();
    if (g == NULL) return err_memory(sizeof *g, "a georeference");
    g->kind = GEOREFERENCE_POINT;
    g->lon = georeference_wrap(lon);
    g->lat = lat;
    *ret_georeference = g;
    return ERR_NONE;
}

void georeference_use_pixels(Georeference *g)
{
    static const double identity[6] = { 0.0, 1.0, 0.0, 0.0, 0.0, 1.0 };
    ASSERT(g->kind == GEOREFERENCE_NONE && !g->has_grid);
    memcpy(g->forward, identity, sizeof identity);
    memcpy(g->backward, identity, sizeof identity);
    g->has_grid = true;
    g->center_x = g->width / 2.0;
    if (g->crs != NULL) OSRDestroySpatialReference(g->crs);
    g->crs = NULL;
}

void georeference_free(Georeference *g)
{
    if (g == NULL) return;
    GdalSession session;
    gdal_begin(&session);
    if (g->transformed) crs_pair_done(&g->lonlat);
    if (g->polynomial != NULL) GDALDestroyGCPTransformer(g->polynomial);
    if (g->rpc != NULL) GDALDestroyGenImgProjTransformer(g->rpc);
    if (g->gcps != NULL) GDALDeinitGCPs(g->n_gcps, g->gcps);
    CPLFree(g->gcps);
    CSLDestroy(g->rpc_items);
    OSRDestroySpatialReference(g->crs);
    gdal_end(&session);
    free(g);
}

GeoreferenceKind georeference_kind(const Georeference *g) { return g->kind; }

const char *georeference_note(const Georeference *g) { return g->note; }

bool geo_longitudes_meet(double low, double high, double west, double east)
{
    for (int32_t turn = -1; turn <= 1; turn++) {
        const double shift = 360.0 * turn;
        if (high + shift >= west && low + shift <= east) return true;
    }
    return false;
}

Err geo_parse_lonlat(const char *text, double *ret_lon, double *ret_lat)
{
    double values[2];
    TRY(str_parse_doubles(text, "longitude,latitude", 2, values));
    if (!(values[0] >= -180.0 && values[0] <= 360.0 && values[1] >= -90.0 && values[1] <= 90.0))
        return err_set(ERR_ARGUMENT,
                       "the position %s is not on the Earth; expected longitude (-180 to 360), latitude (-90 to 90)",
                       text);
    *ret_lon = georeference_wrap(values[0]);
    *ret_lat = values[1];
    return ERR_NONE;
}

Err geo_parse_bbox(const char *text, double ret_bbox[4])
{
    double values[4];
    TRY(str_parse_doubles(text, "west,south,east,north", 4, values));
    if (!(values[0] >= -180.0 && values[2] <= 360.0 && values[0] < values[2] && values[2] - values[0] <= 360.0 &&
          values[1] >= -90.0 && values[3] <= 90.0 && values[1] < values[3]))
        return err_set(
            ERR_ARGUMENT,
            "the box %s cannot be used; expected west,south,east,north in degrees with west < east and south < north",
            text);
    memcpy(ret_bbox, values, sizeof values);
    return ERR_NONE;
}
