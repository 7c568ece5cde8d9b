/* SPDX-License-Identifier: Apache-2.0
 * Private to src/geo: coordinate reference systems. Each call stands between gdal_begin() and gdal_end(). */
#ifndef METASEG_GEO_GEOREFERENCE_CRS_H
#define METASEG_GEO_GEOREFERENCE_CRS_H

#include "base/err.h"

#include <ogr_srs_api.h>
#include <stdbool.h>
#include <stdint.h>

/* ERR_INPUT, with PROJ's own words, when its database (proj.db) cannot be opened: without it no CRS can be read. */
Err crs_check_database(void);

/* The CRS that `text` names ("EPSG:4326", WKT, PROJ string, file of WKT), first axis east. ERR_ARGUMENT when it cannot
 * be read; ERR_INPUT when PROJ's database is missing. OSRDestroySpatialReference() it. */
Err crs_from_text(const char *text, OGRSpatialReferenceH *ret_crs);

/* EPSG:4326, longitude first; NULL when there is no memory or no database. */
OGRSpatialReferenceH crs_new_lonlat(void);

/* True when the datum is "unknown" or "not specified" and nothing (TOWGS84, grids) ties it to WGS 84. */
bool crs_has_unknown_datum(OGRSpatialReferenceH crs);

/* True when the coordinates are longitude and latitude of EPSG:4326, in this order, but for the unit and the prime
 * meridian: no transformation is needed. False for a derived CRS (rotated pole). A geographic CRS whose datum is unknown
 * counts: its degrees are taken as they are. */
bool crs_is_lonlat(OGRSpatialReferenceH crs);

/* True when equal coordinates are equal places: OSRIsSame, or two projected CRSs of one projection, ellipsoid, prime
 * meridian and unit of which at least one has an unknown datum. Names and codes do not matter. */
bool crs_same(OGRSpatialReferenceH a, OGRSpatialReferenceH b);

/* A transformation and its inverse. */
typedef struct CrsPair {
    OGRCoordinateTransformationH there, back;
    double turn; /* x after which the source repeats: 360 degrees, the width of a cylindrical projection; else NaN */
    double tolerance;   /* in units of the source */
    bool is_geographic; /* the source's units are angles, x is longitude */
    double unit;        /* of a geographic source: degrees */
} CrsPair;

/* False when PROJ has none between them. tolerance_metres: see crs_pair_transform. crs_pair_done() it. */
bool crs_pair_init(CrsPair *pair, OGRSpatialReferenceH from, OGRSpatialReferenceH to, double tolerance_metres);
void crs_pair_done(CrsPair *pair);

/* n positions, in place. NaN where the transformation fails, and where the way back does not lead to the same position
 * within the tolerance (but for whole turns of x): beyond the edge of a projection PROJ may answer with a place that
 * lies elsewhere on the map. */
void crs_pair_transform(const CrsPair *pair, int64_t n, double *x, double *y);

/* The same backwards, unchecked. */
void crs_pair_transform_back(const CrsPair *pair, int64_t n, double *x, double *y);

#endif
