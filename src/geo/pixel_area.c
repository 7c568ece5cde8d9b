/* SPDX-License-Identifier: Apache-2.0
 * Areas of pixels. Longitude and the integral of the zone's area over latitude are coordinates in which equal areas are equal (the
 * cylindrical equal-area projection), so the area of a pixel is that of a polygon in the plane, and neighbours share their
 * edge: sums over pixels are those of the whole. */
#include "geo/pixel_area.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STEP = 64, EDGE_POINTS = 64, CORNERS = 4 };

static const double radians = 0.017453292519943295769, equator_metres = 6378137.0;
static const double flattening = 1.0 / 298.257223563; /* WGS 84 */
static const double node_degrees = 0.1, metres_per_degree = 111319.49;
static const double wide_degrees = 1.0; /* of longitude; the edge of such a pixel is no straight line */

struct PixelArea {
    Georeference *place;
    bool known;
    double uniform; /* of a local system: every pixel's; NaN: they differ */
    bool rows;      /* longitude follows x alone, latitude y alone */
    int64_t step;   /* of the lattice */
};

/* Square metres per radian of longitude between the equator and a latitude. */
static double authalic(double lat)
{
    const double e2 = flattening * (2.0 - flattening), e = sqrt(e2), s = sin(lat * radians);
    return equator_metres * equator_metres * (1.0 - e2) / 2.0 * (s / (1.0 - e2 * s * s) + atanh(e * s) / e);
}

double geo_zone_area(double south, double north, double width)
{
    return fabs((authalic(north) - authalic(south)) * width * radians);
}

/* Within a turn, so that neighbours across the date line are neighbours. */
static double difference(double lon_a, double lon_b)
{
    return lon_b - lon_a - 360.0 * floor((lon_b - lon_a + 180.0) / 360.0);
}

/* Of a closed ring; one that goes round a pole holds it. */
static double ring_area(int n, const double *lon, const double *lat)
{
    const double first = authalic(lat[0]);
    double sum = 0.0, turn = 0.0;
    for (int i = 0; i < n; i++) {
        const int next = (i + 1) % n;
        const double d = difference(lon[i], lon[next]) * radians;
        sum += d * (authalic(lat[i]) - first + (authalic(lat[next]) - first)) / 2.0;
        turn += d;
    }
    if (fabs(turn) > 180.0 * radians) sum = turn * (authalic(lat[0] < 0.0 ? -90.0 : 90.0) - first) - sum;
    return fabs(sum);
}

/* A pixel whose edges are divided into `points` each. NaN beyond the edge of a projection. */
static double measure(PixelArea *a, double x, double y, int points, bool *ret_wide)
{
    double lon[CORNERS * EDGE_POINTS], lat[CORNERS * EDGE_POINTS];
    static const double corner[CORNERS + 1][2] = { { 0, 0 }, { 1, 0 }, { 1, 1 }, { 0, 1 }, { 0, 0 } };
    const int n = CORNERS * points;
    for (int i = 0; i < n; i++) {
        const double *from = corner[i / points], *to = corner[i / points + 1];
        const double t = (double)(i % points) / (double)points;
        lon[i] = x + from[0] + t * (to[0] - from[0]);
        lat[i] = y + from[1] + t * (to[1] - from[1]);
    }
    georeference_to_lonlat(a->place, n, lon, lat);
    *ret_wide = false;
    for (int i = 0; i < n; i++) {
        if (!isfinite(lon[i]) || !isfinite(lat[i])) return (double)NAN;
        *ret_wide = *ret_wide || fabs(difference(lon[i], lon[(i + 1) % n])) > wide_degrees;
    }
    return ring_area(n, lon, lat);
}

static double pixel(PixelArea *a, double x, double y)
{
    bool wide = false;
    const double area = measure(a, x, y, 1, &wide);
    return wide ? measure(a, x, y, EDGE_POINTS, &wide) : area;
}

static bool is_along_axes(const PixelArea *a, const RasterInfo *info)
{
    return georeference_kind(a->place) == GEOREFERENCE_GEOTRANSFORM && georeference_is_affine(a->place) &&
           info->geotransform[2] == 0.0 && info->geotransform[4] == 0.0;
}

Err pixel_area_new(const Raster *raster, const char *crs, PixelArea **ret_area)
{
    PixelArea *a = calloc(1, sizeof *a);
    if (a == NULL) return err_memory(sizeof *a, "areas of pixels");
    const Err err = georeference_open(raster, crs, &a->place);
    if (err != ERR_NONE) {
        free(a);
        return err;
    }
    const GroundSampling sampling = georeference_sampling(a->place);
    const bool placed = georeference_kind(a->place) != GEOREFERENCE_NONE;
    a->uniform = placed ? (double)NAN : sampling.metres_x * sampling.metres_y;
    a->known = placed || isfinite(a->uniform);
    a->rows = is_along_axes(a, raster_info(raster));
    const double step = node_degrees * metres_per_degree / sampling.metres;
    a->step = step >= MOST_STEP ? MOST_STEP : step >= 1.0 ? (int64_t)step : 1; /* NaN: 1 */
    *ret_area = a;
    return ERR_NONE;
}

void pixel_area_free(PixelArea *a)
{
    if (a == NULL) return;
    georeference_free(a->place);
    free(a);
}

bool pixel_area_is_known(const PixelArea *a) { return a->known; }

/* Rows of one area each. */
static void fill_rows(PixelArea *a, RasterWindow w, double *ret_areas)
{
    for (int64_t y = 0; y < w.rows; y++) {
        double lon[2] = { 0.0, 1.0 }, lat[2] = { (double)(w.y + y), (double)(w.y + y + 1) };
        georeference_to_lonlat(a->place, 2, lon, lat);
        const double area = geo_zone_area(lat[0], lat[1], difference(lon[0], lon[1]));
        for (int64_t x = 0; x < w.columns; x++) ret_areas[y * w.columns + x] = area;
    }
}

static double between(const double *nodes, int64_t stride, double u, double v)
{
    const double above = nodes[0] + u * (nodes[1] - nodes[0]);
    const double below = nodes[stride] + u * (nodes[stride + 1] - nodes[stride]);
    return above + v * (below - above);
}

static Err fill_lattice(PixelArea *a, RasterWindow w, double *ret_areas)
{
    const int64_t step = a->step, left = w.x / step, top = w.y / step;
    const int64_t columns = (w.x + w.columns - 1) / step - left + 2, rows = (w.y + w.rows - 1) / step - top + 2;
    double *nodes = calloc((size_t)(columns * rows), sizeof *nodes);
    if (nodes == NULL) return err_memory((size_t)(columns * rows) * sizeof *nodes, "areas of pixels");
    for (int64_t j = 0; j < rows; j++)
        for (int64_t i = 0; i < columns; i++)
            nodes[j * columns + i] = pixel(a, (double)((left + i) * step), (double)((top + j) * step));
    for (int64_t y = w.y; y < w.y + w.rows; y++)
        for (int64_t x = w.x; x < w.x + w.columns; x++) {
            const double *node = nodes + (y / step - top) * columns + x / step - left;
            const double u = (double)(x % step) / (double)step, v = (double)(y % step) / (double)step;
            const double area = step == 1 ? *node : between(node, columns, u, v);
            ret_areas[(y - w.y) * w.columns + x - w.x] = isnan(area) ? pixel(a, (double)x, (double)y) : area;
        }
    free(nodes);
    return ERR_NONE;
}

Err pixel_area_window(PixelArea *a, RasterWindow w, double *ret_areas)
{
    if (a->rows) {
        fill_rows(a, w, ret_areas);
        return ERR_NONE;
    }
    if (georeference_kind(a->place) != GEOREFERENCE_NONE) return fill_lattice(a, w, ret_areas);
    for (int64_t i = 0; i < w.rows * w.columns; i++) ret_areas[i] = a->uniform;
    return ERR_NONE;
}
