/* SPDX-License-Identifier: Apache-2.0
 * Pixel positions to longitude and latitude and back. */
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
#include <strings.h>

enum { CHUNK = 256 };

static const double degrees_per_radian = 57.295779513082320877;

struct Georeference {
    GeoreferenceKind kind;
    char note[160];
    double width, height;                    /* of the raster, pixels */
    double forward[6], backward[6];          /* geotransform and its inverse */
    bool geographic;                         /* the CRS's own units are angles */
    double metres_per_unit;                  /* of a projected or local CRS, else NaN */
    double degrees_per_unit, prime_meridian; /* of a geographic CRS; applied only without `to_lonlat` */
    OGRCoordinateTransformationH to_lonlat,
        from_lonlat;   /* NULL: CRS coordinates are degrees of EPSG:4326 but for the unit */
    void *transformer; /* GCPs and RPCs: pixel -> lon, lat */
    double lon, lat;   /* GEOREFERENCE_POINT */
};

static void set_note(Georeference *g, const char *text) { (void)snprintf(g->note, sizeof g->note, "%s", text); }

static OGRSpatialReferenceH new_lonlat_crs(void)
{
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    if (crs == NULL) return NULL;
    if (OSRImportFromEPSG(crs, 4326) != OGRERR_NONE && OSRSetWellKnownGeogCS(crs, "WGS84") != OGRERR_NONE) {
        OSRDestroySpatialReference(crs);
        return NULL;
    }
    OSRSetAxisMappingStrategy(crs, OAMS_TRADITIONAL_GIS_ORDER);
    return crs;
}

static bool has_unknown_datum(OGRSpatialReferenceH crs)
{
    const char *datum = OSRGetAttrValue(crs, "DATUM", 0);
    if (datum == NULL) return true;
    char text[128];
    (void)snprintf(text, sizeof text, "%s", datum);
    for (char *c = text; *c != '\0'; c++) *c = *c == '_' ? ' ' : (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    return strstr(text, "unknown") != NULL || strstr(text, "not specified") != NULL;
}

static bool is_epsg_4326(OGRSpatialReferenceH crs)
{
    const char *code = OSRGetAuthorityCode(crs, NULL);
    const char *authority = OSRGetAuthorityName(crs, NULL);
    if (code != NULL && authority != NULL) return strcasecmp(authority, "EPSG") == 0 && strcmp(code, "4326") == 0;
    const char *datum = OSRGetAttrValue(crs, "DATUM", 0);
    const bool wgs84 =
        datum != NULL && (strcmp(datum, "WGS_1984") == 0 || strcmp(datum, "World Geodetic System 1984") == 0);
    return wgs84 && fabs(OSRGetAngularUnits(crs, NULL) * degrees_per_radian - 1.0) < 1e-9 &&
           OSRGetPrimeMeridian(crs, NULL) == 0.0;
}

/* Transformations between `crs` and EPSG:4326, or with the datum unknown between it and its own degrees. */
static bool make_transformations(Georeference *g, OGRSpatialReferenceH crs)
{
    const bool unknown = has_unknown_datum(crs);
    if (unknown) set_note(g, "the datum of its coordinate reference system is unknown; taken as EPSG:4326");
    if (g->geographic && (unknown || is_epsg_4326(crs))) {
        g->degrees_per_unit = OSRGetAngularUnits(crs, NULL) * degrees_per_radian;
        g->prime_meridian = OSRGetPrimeMeridian(crs, NULL);
        return true;
    }
    OGRSpatialReferenceH lonlat = unknown ? OSRCloneGeogCS(crs) : new_lonlat_crs();
    if (lonlat == NULL) return false;
    OSRSetAxisMappingStrategy(lonlat, OAMS_TRADITIONAL_GIS_ORDER);
    g->to_lonlat = OCTNewCoordinateTransformation(crs, lonlat);
    g->from_lonlat = OCTNewCoordinateTransformation(lonlat, crs);
    OSRDestroySpatialReference(lonlat);
    return g->to_lonlat != NULL && g->from_lonlat != NULL;
}

static void read_geotransform(Georeference *g, const RasterInfo *info, OGRSpatialReferenceH crs)
{
    memcpy(g->forward, info->geotransform, sizeof g->forward);
    double inverse[6];
    if (!GDALInvGeoTransform(g->forward, inverse)) {
        set_note(g, "its geotransform is singular");
        return;
    }
    memcpy(g->backward, inverse, sizeof g->backward);
    if (crs == NULL) {
        set_note(g, "no coordinate reference system");
        return;
    }
    g->geographic = OSRIsGeographic(crs) != 0;
    if (OSRIsLocal(crs) || OSRIsProjected(crs)) g->metres_per_unit = OSRGetLinearUnits(crs, NULL);
    if (OSRIsLocal(crs) || !(g->geographic || OSRIsProjected(crs))) {
        set_note(g, OSRIsLocal(crs) ? "a local coordinate system without a place on the Earth"
                                    : "a coordinate reference system that is not horizontal");
        return;
    }
    if (make_transformations(g, crs))
        g->kind = GEOREFERENCE_GEOTRANSFORM;
    else
        set_note(g, "its coordinate reference system cannot be transformed to EPSG:4326");
}

/* GCPs or RPCs through GDAL's image transformer. */
static void read_transformer(Georeference *g, const Raster *raster, OGRSpatialReferenceH crs)
{
    const bool rpc = raster->info.gcps == 0;
    if (!rpc && crs == NULL) {
        set_note(g, "ground control points without a coordinate reference system");
        return;
    }
    char **options = CSLSetNameValue(NULL, "METHOD", rpc ? "RPC" : "GCP_POLYNOMIAL");
    options = CSLSetNameValue(options, "DST_SRS", "EPSG:4326");
    if (rpc) {
        const char *height = GDALGetMetadataItem(raster->dataset, "HEIGHT_OFF", "RPC");
        options = CSLSetNameValue(options, "RPC_HEIGHT", height != NULL ? height : "0");
    } else {
        char *wkt = NULL;
        if (OSRExportToWkt(crs, &wkt) == OGRERR_NONE) options = CSLSetNameValue(options, "SRC_SRS", wkt);
        CPLFree(wkt);
    }
    g->transformer = GDALCreateGenImgProjTransformer2(raster->dataset, NULL, options);
    CSLDestroy(options);
    if (g->transformer != NULL)
        g->kind = rpc ? GEOREFERENCE_RPC : GEOREFERENCE_GCPS;
    else
        set_note(g, rpc ? "its rational polynomial coefficients cannot be used"
                        : "its ground control points cannot be used");
}

/* The CRS to use, a copy; NULL if there is none. */
static Err choose_crs(const Raster *raster, const char *crs, OGRSpatialReferenceH *ret_crs)
{
    OGRSpatialReferenceH chosen = NULL;
    if (crs != NULL && crs[0] != '\0') {
        chosen = OSRNewSpatialReference(NULL);
        if (chosen == NULL || strstr(crs, "://") != NULL || OSRSetFromUserInput(chosen, crs) != OGRERR_NONE) {
            OSRDestroySpatialReference(chosen);
            return err_set(ERR_ARGUMENT, "'%s' is not a coordinate reference system; expected for example EPSG:4326",
                           crs);
        }
    } else {
        OGRSpatialReferenceH own = GDALGetSpatialRef(raster->dataset);
        if (own == NULL) own = GDALGetGCPSpatialRef(raster->dataset);
        if (own != NULL) chosen = OSRClone(own);
    }
    if (chosen != NULL) OSRSetAxisMappingStrategy(chosen, OAMS_TRADITIONAL_GIS_ORDER);
    *ret_crs = chosen;
    return ERR_NONE;
}

static Georeference *new_georeference(void)
{
    Georeference *g = calloc(1, sizeof *g);
    if (g == NULL) return NULL;
    g->metres_per_unit = NAN;
    g->degrees_per_unit = 1.0;
    g->width = g->height = 1.0;
    return g;
}

Err georeference_open(const Raster *raster, const char *crs, Georeference **ret_georeference)
{
    Georeference *g = new_georeference();
    if (g == NULL) return err_memory(sizeof *g, "a georeference");
    GdalSession session;
    gdal_begin(&session);
    g->width = (double)raster->info.width;
    g->height = (double)raster->info.height;
    OGRSpatialReferenceH chosen = NULL;
    const Err err = choose_crs(raster, crs, &chosen);
    if (err == ERR_NONE) {
        if (raster->info.has_geotransform)
            read_geotransform(g, &raster->info, chosen);
        else if (raster->info.gcps > 0 || raster->info.has_rpc)
            read_transformer(g, raster, chosen);
        else
            set_note(g, "no georeference");
    }
    OSRDestroySpatialReference(chosen);
    gdal_end(&session);
    if (err == ERR_NONE)
        *ret_georeference = g;
    else
        georeference_free(g);
    return err;
}

static double wrap_longitude(double lon)
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
    g->lon = wrap_longitude(lon);
    g->lat = lat;
    *ret_georeference = g;
    return ERR_NONE;
}

void georeference_free(Georeference *g)
{
    if (g == NULL) return;
    GdalSession session;
    gdal_begin(&session);
    OCTDestroyCoordinateTransformation(g->to_lonlat);
    OCTDestroyCoordinateTransformation(g->from_lonlat);
    if (g->transformer != NULL) GDALDestroyGenImgProjTransformer(g->transformer);
    gdal_end(&session);
    free(g);
}

GeoreferenceKind georeference_kind(const Georeference *g) { return g->kind; }

const char *georeference_note(const Georeference *g) { return g->note; }

bool georeference_is_affine(const Georeference *g)
{
    return g->kind == GEOREFERENCE_POINT || (g->kind == GEOREFERENCE_GEOTRANSFORM && g->to_lonlat == NULL);
}

const double *georeference_geotransform(const Georeference *g) { return g->forward; }

double georeference_metres_per_unit(const Georeference *g) { return g->metres_per_unit; }

double georeference_degrees_per_unit(const Georeference *g)
{
    return g->geographic ? g->degrees_per_unit : (double)NAN;
}

void georeference_size(const Georeference *g, double *ret_width, double *ret_height)
{
    *ret_width = g->width;
    *ret_height = g->height;
}

static void apply_affine(const double t[6], double *x, double *y)
{
    const double u = t[0] + t[1] * *x + t[2] * *y, v = t[3] + t[4] * *x + t[5] * *y;
    *x = u;
    *y = v;
}

/* Runs a transformation or the image transformer over a chunk; failures become NaN. */
static void transform_chunk(Georeference *g, OGRCoordinateTransformationH transformation, bool inverse, int n,
                            double *x, double *y)
{
    double z[CHUNK] = { 0.0 };
    int good[CHUNK] = { 0 };
    if (transformation != NULL)
        (void)OCTTransformEx(transformation, n, x, y, z, good);
    else
        (void)GDALGenImgProjTransform(g->transformer, inverse, n, x, y, z, good);
    for (int i = 0; i < n; i++)
        if (!good[i] || !isfinite(x[i]) || !isfinite(y[i])) x[i] = y[i] = (double)NAN;
}

static void transform(Georeference *g, OGRCoordinateTransformationH transformation, bool inverse, int64_t n, double *x,
                      double *y)
{
    GdalSession session;
    gdal_begin(&session);
    for (int64_t i = 0; i < n; i += CHUNK)
        transform_chunk(g, transformation, inverse, (int)(n - i < CHUNK ? n - i : CHUNK), x + i, y + i);
    gdal_end(&session);
}

void georeference_to_lonlat(Georeference *g, int64_t n, double *x, double *y)
{
    if (g->kind == GEOREFERENCE_GEOTRANSFORM) {
        for (int64_t i = 0; i < n; i++) apply_affine(g->forward, &x[i], &y[i]);
        if (g->to_lonlat != NULL) transform(g, g->to_lonlat, false, n, x, y);
    } else if (g->transformer != NULL) {
        transform(g, NULL, false, n, x, y);
    }
    for (int64_t i = 0; i < n; i++) {
        if (g->kind == GEOREFERENCE_NONE) x[i] = y[i] = (double)NAN;
        if (g->kind == GEOREFERENCE_POINT) {
            x[i] = g->lon;
            y[i] = g->lat;
        } else if (g->kind == GEOREFERENCE_GEOTRANSFORM && g->to_lonlat == NULL) {
            x[i] = x[i] * g->degrees_per_unit + g->prime_meridian;
            y[i] *= g->degrees_per_unit;
        }
        if (isnan(x[i])) continue;
        if (fabs(y[i]) > 90.0 + 1e-9)
            x[i] = y[i] = (double)NAN;
        else
            x[i] = wrap_longitude(x[i]);
    }
}

/* Brings a longitude in CRS units to the turn nearest to the raster's centre. */
static double near_center(const Georeference *g, double x)
{
    const double turn = 360.0 / g->degrees_per_unit;
    const double center = g->forward[0] + g->forward[1] * g->width / 2.0 + g->forward[2] * g->height / 2.0;
    return x + turn * floor((center - x) / turn + 0.5);
}

void georeference_to_pixel(Georeference *g, int64_t n, double *lon, double *lat)
{
    if (g->kind == GEOREFERENCE_GEOTRANSFORM) {
        if (g->from_lonlat != NULL) transform(g, g->from_lonlat, false, n, lon, lat);
        for (int64_t i = 0; i < n; i++) {
            if (g->from_lonlat == NULL) {
                lon[i] = (lon[i] - g->prime_meridian) / g->degrees_per_unit;
                lat[i] /= g->degrees_per_unit;
            }
            if (g->geographic) lon[i] = near_center(g, lon[i]);
            apply_affine(g->backward, &lon[i], &lat[i]);
        }
    } else if (g->transformer != NULL) {
        transform(g, NULL, true, n, lon, lat);
    } else {
        for (int64_t i = 0; i < n; i++) lon[i] = lat[i] = (double)NAN;
    }
}

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
    *ret_lon = wrap_longitude(values[0]);
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
