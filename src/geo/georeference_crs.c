/* SPDX-License-Identifier: Apache-2.0
 * Coordinate reference systems: what they are, which are the same, transformations that say where they end. */
#include "geo/georeference_crs.h"

#include "geo/gdal_session.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 256 };

static const double degrees_per_radian = 57.295779513082320877;
static const double metres_per_degree = 111319.49; /* WGS 84, along the equator */

Err crs_check_database(void)
{
    GdalSession session;
    gdal_begin(&session);
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    Err err = ERR_NONE;
    if (crs == NULL)
        err = err_memory(64, "a coordinate reference system");
    else if (OSRImportFromEPSG(crs, 4326) != OGRERR_NONE)
        err = err_set(ERR_INPUT,
                      "PROJ's database proj.db cannot be used (%s), so no coordinate reference system can be read; "
                      "install proj-data, or set PROJ_DATA (before PROJ 9.1: PROJ_LIB) to the folder that holds it",
                      gdal_reason(&session, "no reason given"));
    OSRDestroySpatialReference(crs);
    gdal_end(&session);
    return err;
}

Err crs_from_text(const char *text, OGRSpatialReferenceH *ret_crs)
{
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    if (crs == NULL) return err_memory(64, "a coordinate reference system");
    if (strstr(text, "://") != NULL || OSRSetFromUserInput(crs, text) != OGRERR_NONE) {
        OSRDestroySpatialReference(crs);
        TRY(crs_check_database());
        return err_set(ERR_ARGUMENT, "'%s' is not a coordinate reference system; expected for example EPSG:4326", text);
    }
    OSRSetAxisMappingStrategy(crs, OAMS_TRADITIONAL_GIS_ORDER);
    *ret_crs = crs;
    return ERR_NONE;
}

OGRSpatialReferenceH crs_new_lonlat(void)
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

/* Value of a WKT node in lower case, blanks for underlines. */
static bool node_text(OGRSpatialReferenceH crs, const char *node, char *text, size_t bytes)
{
    const char *value = OSRGetAttrValue(crs, node, 0);
    if (value == NULL) return false;
    (void)snprintf(text, bytes, "%s", value);
    for (char *c = text; *c != '\0'; c++) *c = *c == '_' ? ' ' : (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    return true;
}

bool crs_has_unknown_datum(OGRSpatialReferenceH crs)
{
    char text[128];
    double shift[7];
    if (OSRGetTOWGS84(crs, shift, 7) == OGRERR_NONE) return false;
    if (!node_text(crs, "DATUM", text, sizeof text)) return true;
    return strstr(text, "unknown") != NULL || strstr(text, "not specified") != NULL;
}

/* Direction of the CRS's axis that x runs along. */
static OGRAxisOrientation x_axis(OGRSpatialReferenceH crs)
{
    int n = 0;
    OGRAxisOrientation orientation = OAO_East;
    const int *mapping = OSRGetDataAxisToSRSAxisMapping(crs, &n);
    if (mapping != NULL && n > 0 && mapping[0] > 0) (void)OSRGetAxis(crs, NULL, mapping[0] - 1, &orientation);
    return orientation;
}

bool crs_is_lonlat(OGRSpatialReferenceH crs)
{
    if (!OSRIsGeographic(crs) || OSRIsDerivedGeographic(crs) || x_axis(crs) != OAO_East) return false;
    if (crs_has_unknown_datum(crs)) return true;
    const char *code = OSRGetAuthorityCode(crs, NULL);
    const char *authority = OSRGetAuthorityName(crs, NULL);
    if (code != NULL && authority != NULL && !OSRIsCompound(crs))
        return strcmp(authority, "EPSG") == 0 && strcmp(code, "4326") == 0;
    char datum[128];
    double shift[7];
    return OSRGetTOWGS84(crs, shift, 7) != OGRERR_NONE && node_text(crs, "DATUM", datum, sizeof datum) &&
           (strcmp(datum, "wgs 1984") == 0 || strcmp(datum, "world geodetic system 1984") == 0) &&
           fabs(OSRGetAngularUnits(crs, NULL) * degrees_per_radian - 1.0) < 1e-9 &&
           OSRGetPrimeMeridian(crs, NULL) == 0.0;
}

static bool close_to(double a, double b) { return fabs(a - b) <= 1e-9 * fmax(1.0, fmax(fabs(a), fabs(b))); }

static bool same_projection(OGRSpatialReferenceH a, OGRSpatialReferenceH b)
{
    static const char *const parameters[] = {
        SRS_PP_LATITUDE_OF_ORIGIN,
        SRS_PP_CENTRAL_MERIDIAN,
        SRS_PP_SCALE_FACTOR,
        SRS_PP_FALSE_EASTING,
        SRS_PP_FALSE_NORTHING,
        SRS_PP_STANDARD_PARALLEL_1,
        SRS_PP_STANDARD_PARALLEL_2,
        SRS_PP_PSEUDO_STD_PARALLEL_1,
        SRS_PP_LONGITUDE_OF_CENTER,
        SRS_PP_LATITUDE_OF_CENTER,
        SRS_PP_AZIMUTH,
        SRS_PP_RECTIFIED_GRID_ANGLE,
        SRS_PP_SATELLITE_HEIGHT,
        SRS_PP_LATITUDE_OF_POINT_1,
        SRS_PP_LATITUDE_OF_POINT_2,
        SRS_PP_LONGITUDE_OF_POINT_1,
        SRS_PP_LONGITUDE_OF_POINT_2,
    };
    char one[128], other[128];
    if (!node_text(a, "PROJECTION", one, sizeof one) || !node_text(b, "PROJECTION", other, sizeof other) ||
        strcmp(one, other) != 0)
        return false;
    for (int64_t i = 0; i < ARRAY_LEN(parameters); i++) {
        OGRErr in_a = OGRERR_NONE, in_b = OGRERR_NONE;
        const double x = OSRGetProjParm(a, parameters[i], 0.0, &in_a);
        const double y = OSRGetProjParm(b, parameters[i], 0.0, &in_b);
        if ((in_a == OGRERR_NONE) != (in_b == OGRERR_NONE) || !close_to(x, y)) return false;
    }
    return close_to(OSRGetLinearUnits(a, NULL), OSRGetLinearUnits(b, NULL));
}

bool crs_same(OGRSpatialReferenceH a, OGRSpatialReferenceH b)
{
    if (OSRIsSame(a, b)) return true;
    if (!OSRIsProjected(a) || !OSRIsProjected(b)) return false;
    if (!crs_has_unknown_datum(a) && !crs_has_unknown_datum(b)) return false;
    OGRErr err = OGRERR_NONE;
    return same_projection(a, b) && x_axis(a) == x_axis(b) &&
           close_to(OSRGetSemiMajor(a, &err), OSRGetSemiMajor(b, &err)) &&
           close_to(OSRGetInvFlattening(a, &err), OSRGetInvFlattening(b, &err)) &&
           close_to(OSRGetPrimeMeridian(a, NULL), OSRGetPrimeMeridian(b, NULL));
}

/* Runs a transformation; failures become NaN. */
static void transform(OGRCoordinateTransformationH transformation, int64_t n, double *x, double *y)
{
    for (int64_t i = 0; i < n; i += CHUNK) {
        double z[CHUNK] = { 0.0 };
        int good[CHUNK] = { 0 };
        const int count = (int)(n - i < CHUNK ? n - i : CHUNK);
        (void)OCTTransformEx(transformation, count, x + i, y + i, z, good);
        for (int k = 0; k < count; k++)
            if (!good[k] || !isfinite(x[i + k]) || !isfinite(y[i + k])) x[i + k] = y[i + k] = (double)NAN;
    }
}

static double middle(double a, double b, double c) { return fmax(fmin(a, b), fmin(fmax(a, b), c)); }

/* Width of the whole Earth in x where that is one number (cylindrical projections), else NaN: 36 times the x of ten
 * degrees of longitude, the middle one of three steps since one may cross the seam. */
static double width_of_earth(OGRSpatialReferenceH crs)
{
    double width[2] = { (double)NAN, (double)NAN };
    OGRSpatialReferenceH lonlat = OSRCloneGeogCS(crs);
    if (lonlat == NULL) return (double)NAN;
    OSRSetAxisMappingStrategy(lonlat, OAMS_TRADITIONAL_GIS_ORDER);
    const OGRCoordinateTransformationH forward = OCTNewCoordinateTransformation(lonlat, crs);
    const double unit = 1.0 / (OSRGetAngularUnits(lonlat, NULL) * degrees_per_radian);
    for (int i = 0; forward != NULL && i < 2; i++) {
        double x[4] = { 0.0, 10.0 * unit, 20.0 * unit, 30.0 * unit }, y[4];
        for (int k = 0; k < 4; k++) y[k] = (i == 0 ? 0.0 : 50.0) * unit;
        transform(forward, 4, x, y);
        width[i] = 36.0 * fabs(middle(x[1] - x[0], x[2] - x[1], x[3] - x[2]));
    }
    OCTDestroyCoordinateTransformation(forward);
    OSRDestroySpatialReference(lonlat);
    return fabs(width[0] - width[1]) <= 1e-9 * width[0] ? width[0] : (double)NAN;
}

bool crs_pair_init(CrsPair *pair, OGRSpatialReferenceH from, OGRSpatialReferenceH to, double tolerance_metres)
{
    *pair = (CrsPair){ .turn = (double)NAN, .unit = 1.0 };
    pair->there = OCTNewCoordinateTransformation(from, to);
    pair->back = OCTNewCoordinateTransformation(to, from);
    if (pair->there == NULL || pair->back == NULL) {
        crs_pair_done(pair);
        return false;
    }
    pair->is_geographic = OSRIsGeographic(from) && x_axis(from) == OAO_East;
    if (OSRIsGeographic(from)) pair->unit = OSRGetAngularUnits(from, NULL) * degrees_per_radian;
    if (pair->is_geographic)
        pair->turn = 360.0 / pair->unit;
    else if (OSRIsProjected(from))
        pair->turn = width_of_earth(from);
    pair->tolerance = OSRIsGeographic(from) ? tolerance_metres / metres_per_degree / pair->unit
                                            : tolerance_metres / OSRGetLinearUnits(from, NULL);
    return true;
}

void crs_pair_done(CrsPair *pair)
{
    OCTDestroyCoordinateTransformation(pair->there);
    OCTDestroyCoordinateTransformation(pair->back);
    *pair = (CrsPair){ 0 };
}

static bool returns(const CrsPair *pair, double x, double y, double back_x, double back_y)
{
    double dx = back_x - x;
    if (!isnan(pair->turn)) dx -= pair->turn * floor(dx / pair->turn + 0.5);
    if (pair->is_geographic) dx *= cos(y * pair->unit / degrees_per_radian); /* at a pole any longitude is right */
    return fabs(dx) <= pair->tolerance && fabs(back_y - y) <= pair->tolerance;
}

/* PROJ calls more than 10 radians an error of the caller's. */
static const double most_longitude = 570.0;

void crs_pair_transform(const CrsPair *pair, int64_t n, double *x, double *y)
{
    double x0[CHUNK], y0[CHUNK], back_x[CHUNK], back_y[CHUNK];
    for (int64_t i = 0; i < n; i += CHUNK) {
        const int64_t count = n - i < CHUNK ? n - i : CHUNK;
        const size_t bytes = (size_t)count * sizeof *x;
        for (int64_t k = 0; k < count; k++)
            if (pair->is_geographic &&
                (fabs(y[i + k]) * pair->unit > 90.0 + 1e-9 || !(fabs(x[i + k]) * pair->unit <= most_longitude)))
                y[i + k] = (double)NAN;
        memcpy(x0, x + i, bytes);
        memcpy(y0, y + i, bytes);
        transform(pair->there, count, x + i, y + i);
        memcpy(back_x, x + i, bytes);
        memcpy(back_y, y + i, bytes);
        transform(pair->back, count, back_x, back_y);
        for (int64_t k = 0; k < count; k++)
            if (!returns(pair, x0[k], y0[k], back_x[k], back_y[k])) x[i + k] = y[i + k] = (double)NAN;
    }
}

void crs_pair_transform_back(const CrsPair *pair, int64_t n, double *x, double *y) { transform(pair->back, n, x, y); }
