/* SPDX-License-Identifier: Apache-2.0
 * Footprint and ground sampling distance. */
#include "geo/georeference.h"
#include "geo/georeference_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_POINTS = FOOTPRINT_POINTS / 4, GRID = 33, SAMPLES = GRID * GRID };

static const double metres_per_degree = 111319.49; /* WGS 84, along the equator */
static const double radians_per_degree = 0.017453292519943295769;

double geo_distance(double lon_a, double lat_a, double lon_b, double lat_b)
{
    const double a = 6378137.0, e2 = 0.00669437999014131699; /* WGS 84 */
    const double latitude = 0.5 * (lat_a + lat_b) * radians_per_degree;
    const double s = sin(latitude), w = 1.0 - e2 * s * s;
    const double meridian = a * (1.0 - e2) / (w * sqrt(w)), normal = a / sqrt(w);
    double turn = lon_b - lon_a;
    turn -= 360.0 * floor((turn + 180.0) / 360.0);
    const double dx = normal * cos(latitude) * turn * radians_per_degree,
                 dy = meridian * (lat_b - lat_a) * radians_per_degree;
    return sqrt(dx * dx + dy * dy);
}

/* Outline clockwise from the origin corner, in pixels. */
static void outline(double width, double height, double *x, double *y)
{
    const double corner_x[5] = { 0.0, width, width, 0.0, 0.0 }, corner_y[5] = { 0.0, 0.0, height, height, 0.0 };
    for (int side = 0; side < 4; side++)
        for (int i = 0; i < SIDE_POINTS; i++) {
            const double t = (double)i / SIDE_POINTS;
            x[side * SIDE_POINTS + i] = corner_x[side] + t * (corner_x[side + 1] - corner_x[side]);
            y[side * SIDE_POINTS + i] = corner_y[side] + t * (corner_y[side + 1] - corner_y[side]);
        }
}

static double turn_between(double from, double to)
{
    const double turn = to - from;
    return turn - 360.0 * floor((turn + 180.0) / 360.0);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* West and east of scattered longitudes: the complement of the widest gap; the whole turn when no gap exceeds 45
 * degrees. */
static void box_of_samples(double *lon, int n, Footprint *box)
{
    qsort(lon, (size_t)n, sizeof *lon, compare);
    double widest = lon[0] + 360.0 - lon[n - 1];
    int after = 0;
    for (int i = 1; i < n; i++)
        if (lon[i] - lon[i - 1] > widest) {
            widest = lon[i] - lon[i - 1];
            after = i;
        }
    box->west = widest > 45.0 ? lon[after] : -180.0;
    box->east = widest > 45.0 ? box->west + 360.0 - widest : 180.0;
}

/* Unwraps the outline; false when a point is unknown. Sets west, east and contains_pole. */
static bool box_of_outline(Footprint *f)
{
    double winding = 0.0;
    for (int i = 0; i < FOOTPRINT_POINTS; i++)
        if (isnan(f->lon[i])) return false;
    const double start = f->lon[0];
    double previous = start;
    for (int i = 1; i <= FOOTPRINT_POINTS; i++) {
        const double lon = i < FOOTPRINT_POINTS ? f->lon[i] : start;
        previous += turn_between(previous, lon);
        if (i < FOOTPRINT_POINTS) f->lon[i] = previous;
    }
    winding = previous - start;
    f->contains_pole = fabs(winding) > 180.0;
    double west = start, east = start;
    for (int i = 0; i < FOOTPRINT_POINTS; i++) {
        west = fmin(west, f->lon[i]);
        east = fmax(east, f->lon[i]);
    }
    if (f->contains_pole || east - west >= 360.0 - 1e-6) {
        west = -180.0;
        east = 180.0;
    }
    const double shift = 360.0 * floor((west + 180.0) / 360.0);
    f->west = west - shift;
    f->east = east - shift;
    return true;
}

static void box_as_outline(Footprint *f)
{
    outline(f->east - f->west, f->south - f->north, f->lon, f->lat);
    for (int i = 0; i < FOOTPRINT_POINTS; i++) {
        f->lon[i] += f->west;
        f->lat[i] += f->north;
    }
}

bool georeference_footprint(Georeference *g, Footprint *ret_footprint)
{
    double width = 0.0, height = 0.0, x[SAMPLES], y[SAMPLES];
    Footprint f = { .south = 90.0, .north = -90.0 };
    if (georeference_kind(g) == GEOREFERENCE_NONE) return false;
    width = g->width;
    height = g->height;
    outline(width, height, f.lon, f.lat);
    georeference_to_lonlat(g, FOOTPRINT_POINTS, f.lon, f.lat);
    for (int i = 0; i < SAMPLES; i++) {
        x[i] = width * (double)(i % GRID) / (GRID - 1);
        y[i] = height * (double)(i / GRID) / (GRID - 1);
    }
    georeference_to_lonlat(g, SAMPLES, x, y);
    f.center_lon = x[SAMPLES / 2];
    f.center_lat = y[SAMPLES / 2];
    int known = 0;
    for (int i = 0; i < SAMPLES + FOOTPRINT_POINTS; i++) {
        const double lat = i < SAMPLES ? y[i] : f.lat[i - SAMPLES];
        if (isnan(lat)) continue;
        f.south = fmin(f.south, lat);
        f.north = fmax(f.north, lat);
        if (i < SAMPLES) x[known++] = x[i];
    }
    if (known == 0) return false;
    const bool whole = box_of_outline(&f);
    if (!whole) box_of_samples(x, known, &f);
    if (f.contains_pole && f.north > -f.south) f.north = 90.0;
    if (f.contains_pole && f.north < -f.south) f.south = -90.0;
    if (!whole) box_as_outline(&f);
    if (isnan(f.center_lon)) {
        f.center_lon = 0.5 * (f.west + f.east);
        f.center_lat = 0.5 * (f.south + f.north);
    }
    *ret_footprint = f;
    return true;
}

/* Metres of one pixel step at the middle of the image: by the CRS's unit where the ellipsoid agrees within 1 %. */
static double step_metres(Georeference *g, bool along_x, double middle_x, double middle_y)
{
    const double *t = g->forward, half_x = along_x ? 0.5 : 0.0, half_y = along_x ? 0.0 : 0.5;
    const double nominal = g->metres_per_unit * (along_x ? hypot(t[1], t[4]) : hypot(t[2], t[5]));
    double x[2] = { middle_x - half_x, middle_x + half_x }, y[2] = { middle_y - half_y, middle_y + half_y };
    georeference_to_lonlat(g, 2, x, y);
    const double ground = geo_distance(x[0], y[0], x[1], y[1]);
    if (isnan(ground)) return nominal;
    return fabs(nominal - ground) <= 0.01 * ground ? nominal : ground;
}

GroundSampling georeference_sampling(Georeference *g)
{
    const double unknown = (double)NAN;
    GroundSampling sampling = { unknown, unknown, unknown, unknown, unknown, unknown };
    if (georeference_kind(g) == GEOREFERENCE_POINT) return sampling;
    double width = 0.0, height = 0.0;
    width = g->width;
    height = g->height;
    sampling.metres_x = step_metres(g, true, width / 2.0, height / 2.0);
    sampling.metres_y = step_metres(g, false, width / 2.0, height / 2.0);
    sampling.metres = sqrt(sampling.metres_x * sampling.metres_y);
    const double *t = g->forward;
    if (g->kind == GEOREFERENCE_GEOTRANSFORM && g->geographic) {
        sampling.degrees = g->degrees_per_unit * sqrt(fabs(t[1] * t[5] - t[2] * t[4]));
        sampling.degrees_x = g->degrees_per_unit * hypot(t[1], t[4]);
        sampling.degrees_y = g->degrees_per_unit * hypot(t[2], t[5]);
    }
    return sampling;
}

/* Sides that agree well enough are those of a square. */
static PixelSides square_where_close(double x, double y, double mean, bool known)
{
    const double nearly = 1.05;
    const bool square = fmax(x, y) <= nearly * fmin(x, y);
    return (PixelSides){ square ? mean : x, square ? mean : y, square ? mean : fmax(x, y), known };
}

PixelSides georeference_pixel_sides(Georeference *g, bool in_degrees)
{
    const GroundSampling s = georeference_sampling(g);
    const double *t = g->forward;
    if (in_degrees && isfinite(s.degrees)) return square_where_close(s.degrees_x, s.degrees_y, s.degrees, true);
    const double unit = in_degrees ? metres_per_degree : 1.0;
    if (isfinite(s.metres)) return square_where_close(s.metres_x / unit, s.metres_y / unit, s.metres / unit, true);
    if (!g->has_grid) return (PixelSides){ (double)NAN, (double)NAN, (double)NAN, false };
    const double x = hypot(t[1], t[4]), y = hypot(t[2], t[5]);
    return square_where_close(x, y, sqrt(x * y), false);
}

void georeference_square_grid(const PixelSides *sides, double target, int64_t width, int64_t height,
                              double *ret_columns, double *ret_rows)
{
    const bool known = isfinite(sides->side) && isfinite(target);
    *ret_columns = fmax(1.0, round((double)width * (known ? sides->x / target : 1.0)));
    *ret_rows = fmax(1.0, round((double)height * (known ? sides->y / target : 1.0)));
}
