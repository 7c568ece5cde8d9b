/* SPDX-License-Identifier: Apache-2.0
 * Private to src/geo: the insides of a Georeference. */
#ifndef METASEG_GEO_GEOREFERENCE_INTERNAL_H
#define METASEG_GEO_GEOREFERENCE_INTERNAL_H

#include "geo/georeference.h"
#include "geo/georeference_crs.h"

#include <gdal.h>

struct Georeference {
    GeoreferenceKind kind;
    char note[192];
    double width, height;           /* of the raster, pixels */
    bool has_grid;                  /* it has a geotransform that can be inverted; also of kind NONE */
    double forward[6], backward[6]; /* geotransform and its inverse */
    OGRSpatialReferenceH crs;       /* of geotransform or control points; NULL: none */
    bool geographic;                /* the CRS's own units are angles */
    double metres_per_unit;         /* of a projected or local CRS, else NaN */
    double degrees_per_unit;        /* of a geographic CRS, else 1 */
    double prime_meridian;          /* of a CRS that is longitude and latitude but for unit and prime meridian */
    double turn;                    /* x of the CRS after which the Earth repeats, NaN: never */
    double center_x;                /* of the raster, in the CRS */
    bool transformed;               /* `lonlat` is there */
    CrsPair lonlat;                 /* CRS -> EPSG:4326 */
    void *polynomial;               /* GCPs: pixel -> coordinates of the CRS */
    void *rpc;                      /* RPCs: pixel -> longitude, latitude */
    GDAL_GCP *gcps;                 /* of the polynomial */
    int n_gcps;
    char **rpc_items; /* CSL */
    double lon, lat;  /* GEOREFERENCE_POINT */
};

/* Longitude in [-180, 180). */
double georeference_wrap(double lon);

/* n pixel positions -> coordinates of the CRS and back, in place; kinds GEOTRANSFORM, GCPS, and NONE with a grid. x is
 * brought to the turn nearest to the raster's centre. Between gdal_begin() and gdal_end(). */
void georeference_to_crs(const Georeference *g, int64_t n, double *x, double *y);
void georeference_from_crs(const Georeference *g, int64_t n, double *x, double *y);

#endif
