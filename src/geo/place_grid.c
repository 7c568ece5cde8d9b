/* SPDX-License-Identifier: Apache-2.0
 * Interpolated positions. */
#include "geo/place_grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_SPACING = 8, MAX_SPACING = 1024 };

static const double node_metres = 50e3;
static const double radians_per_degree = 0.017453292519943295769;

struct PlaceGrid {
    Georeference *georeference;
    int64_t spacing;
    double *lon, *lat; /* node positions of the last call, then unit vectors x, y and z */
    double *z;
    size_t nodes;
};

Err place_grid_new(Georeference *georeference, PlaceGrid **ret_grid)
{
    PlaceGrid *grid = calloc(1, sizeof *grid);
    if (grid == NULL) return err_memory(sizeof *grid, "a grid of places");
    grid->georeference = georeference;
    const double metres = georeference_sampling(georeference).metres;
    if (!georeference_is_affine(georeference) && metres > 0.0) {
        int64_t spacing = MAX_SPACING;
        while (spacing >= MIN_SPACING && (double)spacing * metres > node_metres) spacing /= 2;
        grid->spacing = spacing >= MIN_SPACING ? spacing : 0;
    }
    *ret_grid = grid;
    return ERR_NONE;
}

void place_grid_free(PlaceGrid *grid)
{
    if (grid == NULL) return;
    free(grid->lon);
    free(grid->lat);
    free(grid->z);
    free(grid);
}

static Err reserve(PlaceGrid *grid, size_t nodes)
{
    if (nodes <= grid->nodes) return ERR_NONE;
    free(grid->lon);
    free(grid->lat);
    free(grid->z);
    grid->lon = malloc(nodes * sizeof *grid->lon);
    grid->lat = malloc(nodes * sizeof *grid->lat);
    grid->z = malloc(nodes * sizeof *grid->z);
    grid->nodes = grid->lon != NULL && grid->lat != NULL && grid->z != NULL ? nodes : 0;
    return grid->nodes > 0 ? ERR_NONE : err_memory(3 * nodes * sizeof *grid->lon, "a grid of places");
}

static void range(int64_t n, const double *values, double *ret_low, double *ret_high)
{
    *ret_low = *ret_high = values[0];
    for (int64_t i = 1; i < n; i++) {
        *ret_low = fmin(*ret_low, values[i]);
        *ret_high = fmax(*ret_high, values[i]);
    }
}

/* Nodes (first_x + i, first_y + j) * spacing as unit vectors. */
static Err make_nodes(PlaceGrid *grid, int64_t first_x, int64_t first_y, int64_t columns, int64_t rows)
{
    const int64_t n = columns * rows;
    TRY(reserve(grid, (size_t)n));
    for (int64_t i = 0; i < n; i++) {
        grid->lon[i] = (double)((first_x + i % columns) * grid->spacing);
        grid->lat[i] = (double)((first_y + i / columns) * grid->spacing);
    }
    georeference_to_lonlat(grid->georeference, n, grid->lon, grid->lat);
    for (int64_t i = 0; i < n; i++) {
        const double lon = grid->lon[i] * radians_per_degree, lat = grid->lat[i] * radians_per_degree;
        grid->lon[i] = cos(lat) * cos(lon);
        grid->lat[i] = cos(lat) * sin(lon);
        grid->z[i] = sin(lat);
    }
    return ERR_NONE;
}

static double bilinear(const double *nodes, int64_t columns, double u, double v)
{
    return (1.0 - v) * ((1.0 - u) * nodes[0] + u * nodes[1]) +
           v * ((1.0 - u) * nodes[columns] + u * nodes[columns + 1]);
}

Err place_grid_lonlat(PlaceGrid *grid, int64_t n, double *x, double *y)
{
    if (n == 0) return ERR_NONE;
    if (grid->spacing == 0) {
        georeference_to_lonlat(grid->georeference, n, x, y);
        return ERR_NONE;
    }
    double low_x = 0.0, high_x = 0.0, low_y = 0.0, high_y = 0.0;
    range(n, x, &low_x, &high_x);
    range(n, y, &low_y, &high_y);
    const double spacing = (double)grid->spacing;
    const int64_t first_x = (int64_t)floor(low_x / spacing), first_y = (int64_t)floor(low_y / spacing);
    const int64_t columns = (int64_t)floor(high_x / spacing) - first_x + 2;
    const int64_t rows = (int64_t)floor(high_y / spacing) - first_y + 2;
    TRY(make_nodes(grid, first_x, first_y, columns, rows));
    for (int64_t i = 0; i < n; i++) {
        const double px = x[i] / spacing - (double)first_x, py = y[i] / spacing - (double)first_y;
        const int64_t cx = (int64_t)px, cy = (int64_t)py, node = cy * columns + cx;
        const double u = px - (double)cx, v = py - (double)cy;
        const double a = bilinear(grid->lon + node, columns, u, v), b = bilinear(grid->lat + node, columns, u, v);
        const double c = bilinear(grid->z + node, columns, u, v);
        if (isnan(a)) { /* a node outside the projection's domain */
            georeference_to_lonlat(grid->georeference, 1, &x[i], &y[i]);
            continue;
        }
        x[i] = atan2(b, a) / radians_per_degree;
        y[i] = atan2(c, hypot(a, b)) / radians_per_degree;
    }
    return ERR_NONE;
}
