/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a raster lies on the Earth: pixel positions <-> longitude and latitude (degrees, EPSG:4326), footprint, ground
 * sampling distance.
 *
 * Sources, first that holds: geotransform and CRS (0, 1, 0, 0, 0, 1 is how GDAL says "none"), ground control points
 * (GDAL's polynomial, of their own CRS), rational polynomial coefficients (at the height offset that the coefficients
 * state, no terrain). Geolocation arrays are not read. No georeference is not an error: the kind is GEOREFERENCE_NONE,
 * note says why, and every position is unknown (NaN). Where a CRS has an unknown datum it is taken as that of EPSG:4326
 * (the shift is under a few hundred metres) and `note` says so.
 *
 * Pixel positions are GDAL's: (0, 0) is the outer corner of the first pixel, (0.5, 0.5) its centre; positions beyond
 * the raster are extrapolated. Longitudes come out in [-180, 180). Beyond the edge of a projection a position is
 * unknown, also where PROJ answers with another place. Only one thread may use a Georeference at a time.
 */
#ifndef METASEG_GEO_GEOREFERENCE_H
#define METASEG_GEO_GEOREFERENCE_H

#include "geo/raster.h"

typedef struct Georeference Georeference;

typedef enum GeoreferenceKind {
    GEOREFERENCE_NONE = 0,
    GEOREFERENCE_GEOTRANSFORM, /* geotransform and CRS */
    GEOREFERENCE_GCPS,         /* ground control points */
    GEOREFERENCE_RPC,          /* rational polynomial coefficients */
    GEOREFERENCE_POINT,        /* one position given by hand for the whole image */
} GeoreferenceKind;

/* Footprint: the outline walked once, and the box around all of the image. */
enum { FOOTPRINT_POINTS = 64 };
typedef struct Footprint {
    double lon[FOOTPRINT_POINTS],
        lat[FOOTPRINT_POINTS];       /* outline, unwrapped: neighbours differ by less than 180 degrees */
    double west, south, east, north; /* west in [-180, 180), east > west and beyond 180 when the date line is crossed */
    double center_lon, center_lat;   /* of the middle pixel */
    bool contains_pole;              /* then west = -180, east = 180 */
} Footprint;

/* Ground sampling distance at the middle of the image. */
typedef struct GroundSampling {
    double metres; /* sqrt(metres_x * metres_y); NaN if unknown */
    double metres_x, metres_y;
    double degrees; /* sqrt of the product of the pixel's sides in degrees when the CRS is geographic, else NaN */
    double degrees_x, degrees_y;
} GroundSampling;

/* Reads the georeference of an open raster; it may outlive the raster. `crs`: NULL, or what OSR reads ("EPSG:4326")
 * instead of the file's CRS. Fails only for memory, an unreadable `crs` (ERR_ARGUMENT), and for PROJ's missing database
 * when the raster says where it lies (ERR_INPUT). georeference_free() it. */
Err georeference_open(const Raster *raster, const char *crs, Georeference **ret_georeference);

/* The whole image at one position (`--lonlat`). ERR_ARGUMENT when lon is outside -180..360 or lat outside -90..90. */
Err georeference_from_point(double lon, double lat, Georeference **ret_georeference);

/* Of a georeference that says nothing (GEOREFERENCE_NONE, no grid): its pixel positions become its coordinates, without a
 * CRS and without a place on the Earth, so that two such rasters match pixel by pixel (georeference_same_crs). */
void georeference_use_pixels(Georeference *georeference);

void georeference_free(Georeference *georeference);

GeoreferenceKind georeference_kind(const Georeference *georeference);

/* One clause about what was assumed or missing, "" if nothing: "no coordinate reference system". */
const char *georeference_note(const Georeference *georeference);

/* True when longitude and latitude are affine in the pixel position, so that they need no transformation. */
bool georeference_is_affine(const Georeference *georeference);

/* True when it has a geotransform that can be inverted; its place may be unknown all the same (no CRS, a local one). */
bool georeference_has_grid(const Georeference *georeference);

/* True when its coordinates have a CRS, of whatever kind. */
bool georeference_has_crs(const Georeference *georeference);

/* True when both have a geotransform and equal coordinates are equal places: one CRS, or none on both sides. Projection,
 * ellipsoid and unit are compared, not names and codes. */
bool georeference_same_crs(const Georeference *a, const Georeference *b);

/* True when both are placed by the same control points or the same rational polynomials, so that equal pixel positions
 * are equal places. */
bool georeference_same_points(const Georeference *a, const Georeference *b);

/* n pixel positions (x, y) -> (lon, lat), in place. NaN where it is unknown or outside the projection's domain. */
void georeference_to_lonlat(Georeference *georeference, int64_t n, double *x, double *y);

/* n (lon, lat) -> pixel positions, in place; NaN where impossible. Longitudes are taken at the turn that lies nearest
 * to the raster's centre. */
void georeference_to_pixel(Georeference *georeference, int64_t n, double *lon, double *lat);

/* Footprint; false (ret untouched) when the place is unknown. */
bool georeference_footprint(Georeference *georeference, Footprint *ret_footprint);

/* Ground sampling distance. Metres come from the CRS's linear unit when that agrees with the ellipsoid within 1 % (so
 * that 5 m stays 5 m), else from the ellipsoid (Web Mercator at 60 degrees: half). A local CRS knows metres but no
 * place. */
GroundSampling georeference_sampling(Georeference *georeference);

/* Sides of the pixel at the middle of the image, in degrees or metres. Where the CRS has no degrees, a degree is
 * 111,319.49 m (the equator of WGS 84). Without a place, but with a geotransform, `x` and `y` are its own units and
 * `known` is false: only their ratio tells something. Sides within 5 % of each other count as equal, and both are the
 * square root of their product. */
typedef struct PixelSides {
    double x, y;
    double
        side;   /* the larger: of the square network pixel that shows the image without inventing detail; NaN unknown */
    bool known; /* the unit is what was asked for */
} PixelSides;
PixelSides georeference_pixel_sides(Georeference *georeference, bool in_degrees);

/* Network pixels along each axis of an image of width x height pixels, when a network pixel is a square with sides of
 * `target` (in the unit of the sides). Sides or target unknown: the image's own pixels. At least 1. */
void georeference_square_grid(const PixelSides *sides, double target, int64_t width, int64_t height,
                              double *ret_columns, double *ret_rows);

/* Metres between two positions that lie near each other, WGS 84, by the radii of curvature at the mean latitude. */
double geo_distance(double lon_a, double lat_a, double lon_b, double lat_b);

/* Whether the longitudes low..high and west..east meet, counted round the Earth: each within -180..360, so one turn
 * apart at most. A place has low == high. False for NAN. */
bool geo_longitudes_meet(double low, double high, double west, double east);

/* Reads "lon,lat" or "west,south,east,north" with georeference limits. ERR_ARGUMENT. */
Err geo_parse_lonlat(const char *text, double *ret_lon, double *ret_lat);
Err geo_parse_bbox(const char *text, double ret_bbox[4]);

#endif
