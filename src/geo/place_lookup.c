/* SPDX-License-Identifier: Apache-2.0
 * Positions in another raster: affine within one CRS, else a grid refined where it bends. */
#include "geo/place_lookup.h"

#include "base/grow.h"
#include "geo/gdal_session.h"
#include "geo/georeference_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LARGEST_CELL = 256,
    SMALLEST_CELL = 8, /* smaller ones: every pixel is transformed */
    NODES = 9,         /* of a cell: its corners, the middles of its sides, its middle */
    CHECKS = 4,        /* the middles of its quarters, where a cubic error is near its largest */
    POINTS = NODES + CHECKS,
    EXACT_AT_ONCE = 4096
};

static const double target_tolerance = 1e-4; /* pixels of the target */
static const double source_tolerance = 1e-4; /* pixels of the source; of longitude and latitude ten times that */
static const double edge_metres = 1000.0;    /* as in georeference.c */

/* Pixels [column, column + columns) x [row, row + rows) of the window. */
typedef struct Cell {
    int64_t column, row, columns, rows;
} Cell;

typedef struct CellList {
    Cell *cells;
    int64_t count, capacity;
} CellList;

struct PlaceLookup {
    Georeference *from, *to; /* to NULL: longitude and latitude */
    bool affine;             /* `map` and `crs_x` hold */
    double map[6];           /* source position -> target position */
    double crs_x[3];         /* source position -> x of the target's CRS */
    double turn_x, turn_y;   /* what one turn adds to a target position */
    bool direct;             /* `pair` holds: CRS to CRS */
    CrsPair pair;
    CellList now, next; /* cells of this step and of the next */
    double *x, *y;      /* nodes and checks of the cells of this step, [cells][POINTS] */
    int64_t nodes;
    int64_t exact_index[EXACT_AT_ONCE]; /* pixels that wait for their own transformation */
    double exact_x[EXACT_AT_ONCE], exact_y[EXACT_AT_ONCE];
    int64_t n_exact;
};

/* outer after inner, both as geotransforms. */
static void compose(const double outer[6], const double inner[6], double ret[6])
{
    for (int i = 0; i < 2; i++) {
        const double *o = outer + 3 * i;
        ret[3 * i] = o[0] + o[1] * inner[0] + o[2] * inner[3];
        ret[3 * i + 1] = o[1] * inner[1] + o[2] * inner[4];
        ret[3 * i + 2] = o[1] * inner[2] + o[2] * inner[5];
    }
}

/* Within one CRS, or between two that are longitude and latitude but for unit and prime meridian. */
static void join_affine(PlaceLookup *l, bool same_crs)
{
    const Georeference *a = l->from, *b = l->to;
    double crs[6];
    memcpy(crs, a->forward, sizeof crs);
    if (!same_crs) {
        const double unit = a->degrees_per_unit / b->degrees_per_unit;
        for (int i = 0; i < 6; i++) crs[i] *= unit;
        crs[0] += (a->prime_meridian - b->prime_meridian) / b->degrees_per_unit;
    }
    compose(b->backward, crs, l->map);
    memcpy(l->crs_x, crs, sizeof l->crs_x);
    l->turn_x = b->turn * b->backward[1];
    l->turn_y = b->turn * b->backward[4];
    l->affine = true;
}

static bool has_crs_coordinates(const Georeference *g)
{
    return g->kind == GEOREFERENCE_GEOTRANSFORM || g->kind == GEOREFERENCE_GCPS;
}

static bool is_lonlat_grid(const Georeference *g)
{
    return g->kind == GEOREFERENCE_GEOTRANSFORM && georeference_is_affine(g);
}

static Err join(PlaceLookup *l)
{
    Georeference *a = l->from, *b = l->to;
    if (b != NULL) {
        const bool same_crs = georeference_same_crs(a, b);
        if (same_crs || (is_lonlat_grid(a) && is_lonlat_grid(b))) {
            join_affine(l, same_crs);
            return ERR_NONE;
        }
    }
    const Georeference *unknown = a->kind == GEOREFERENCE_NONE ? a : b;
    if (a->kind == GEOREFERENCE_NONE || (b != NULL && b->kind == GEOREFERENCE_NONE))
        return err_set(ERR_INPUT, "the place of a raster is unknown (%s), so nothing can be looked up there",
                       unknown->note);
    if (b == NULL || !has_crs_coordinates(a) || !has_crs_coordinates(b)) return ERR_NONE;
    GdalSession session;
    gdal_begin(&session);
    const double pixel = georeference_sampling(a).metres;
    l->direct = crs_pair_init(&l->pair, a->crs, b->crs, fmax(edge_metres, isnan(pixel) ? 0.0 : pixel));
    gdal_end(&session);
    return ERR_NONE;
}

Err place_lookup_new(Georeference *from, Georeference *to, PlaceLookup **ret_lookup)
{
    PlaceLookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) return err_memory(sizeof *lookup, "a look-up of places");
    lookup->from = from;
    lookup->to = to;
    const Err err = join(lookup);
    if (err == ERR_NONE)
        *ret_lookup = lookup;
    else
        place_lookup_free(lookup);
    return err;
}

void place_lookup_free(PlaceLookup *lookup)
{
    if (lookup == NULL) return;
    GdalSession session;
    gdal_begin(&session);
    if (lookup->direct) crs_pair_done(&lookup->pair);
    gdal_end(&session);
    free(lookup->now.cells);
    free(lookup->next.cells);
    free(lookup->x);
    free(lookup->y);
    free(lookup);
}

/* ---- one CRS ---- */

/* Turns that bring x of the CRS nearest to the target's centre. */
static double turns(const PlaceLookup *l, double column, double row)
{
    const double x = l->crs_x[0] + l->crs_x[1] * column + l->crs_x[2] * row;
    return ceil((l->to->center_x - x) / l->to->turn - 0.5);
}

/* Over the rectangle between two source positions: the turns where they are the same everywhere. */
static bool same_turns(const PlaceLookup *l, double x0, double y0, double x1, double y1, double *ret_turns)
{
    *ret_turns = 0.0;
    if (isnan(l->to->turn)) return true;
    const double first = turns(l, x0, y0);
    *ret_turns = first;
    return first == turns(l, x1, y0) && first == turns(l, x0, y1) && first == turns(l, x1, y1);
}

bool place_lookup_is_affine(const PlaceLookup *l, double ret_map[6])
{
    double count = 0.0;
    if (!l->affine) return false;
    if (!same_turns(l, 0.5, 0.5, l->from->width - 0.5, l->from->height - 0.5, &count)) return false;
    if (ret_map == NULL) return true;
    memcpy(ret_map, l->map, sizeof l->map);
    if (count != 0.0) {
        ret_map[0] += count * l->turn_x;
        ret_map[3] += count * l->turn_y;
    }
    return true;
}

static void affine_window(const PlaceLookup *l, const PlaceWindow *w, double *ret_x, double *ret_y)
{
    const double *m = l->map;
    double constant = 0.0;
    const bool same = same_turns(l, w->x, w->y, w->x + (double)(w->columns - 1) * w->step_x,
                                 w->y + (double)(w->rows - 1) * w->step_y, &constant);
    for (int64_t i = 0; i < w->rows; i++) {
        const double row = w->y + (double)i * w->step_y;
        double *x = ret_x + i * w->columns, *y = ret_y + i * w->columns;
        for (int64_t k = 0; k < w->columns; k++) {
            const double column = w->x + (double)k * w->step_x;
            const double count = same ? constant : turns(l, column, row);
            x[k] = m[0] + m[1] * column + m[2] * row;
            y[k] = m[3] + m[4] * column + m[5] * row;
            if (count != 0.0) {
                x[k] += count * l->turn_x;
                y[k] += count * l->turn_y;
            }
        }
    }
}

/* ---- two CRSs ---- */

static void transform(PlaceLookup *l, int64_t n, double *x, double *y)
{
    if (l->direct) {
        GdalSession session;
        gdal_begin(&session);
        georeference_to_crs(l->from, n, x, y);
        crs_pair_transform(&l->pair, n, x, y);
        georeference_from_crs(l->to, n, x, y);
        gdal_end(&session);
        return;
    }
    georeference_to_lonlat(l->from, n, x, y);
    if (l->to != NULL) georeference_to_pixel(l->to, n, x, y);
}

static Err add_cell(CellList *list, Cell cell)
{
    TRY(grow_array(&list->cells, list->count, &list->capacity, sizeof *list->cells, "a grid of places"));
    list->cells[list->count++] = cell;
    return ERR_NONE;
}

/* Adds a rectangle in parts of at most `side` pixels a side. */
static Err add_cells(CellList *list, Cell whole, int64_t side)
{
    for (int64_t r = 0; r < whole.rows; r += side) {
        for (int64_t c = 0; c < whole.columns; c += side) {
            const Cell cell = { whole.column + c, whole.row + r, whole.columns - c < side ? whole.columns - c : side,
                                whole.rows - r < side ? whole.rows - r : side };
            TRY(add_cell(list, cell));
        }
    }
    return ERR_NONE;
}

static void flush_exact(PlaceLookup *l, double *ret_x, double *ret_y)
{
    transform(l, l->n_exact, l->exact_x, l->exact_y);
    for (int64_t i = 0; i < l->n_exact; i++) {
        ret_x[l->exact_index[i]] = l->exact_x[i];
        ret_y[l->exact_index[i]] = l->exact_y[i];
    }
    l->n_exact = 0;
}

/* Pixel (column, row) of the window gets its own transformation. */
static void want_exact(PlaceLookup *l, const PlaceWindow *w, int64_t column, int64_t row, double *ret_x, double *ret_y)
{
    if (l->n_exact == EXACT_AT_ONCE) flush_exact(l, ret_x, ret_y);
    l->exact_index[l->n_exact] = row * w->columns + column;
    l->exact_x[l->n_exact] = w->x + (double)column * w->step_x;
    l->exact_y[l->n_exact++] = w->y + (double)row * w->step_y;
}

/* Positions of the nodes of all cells of this step, row by row in each cell, then of the checks. */
static Err make_nodes(PlaceLookup *l, const PlaceWindow *w)
{
    const int64_t n = l->now.count * POINTS;
    if (n > l->nodes) {
        free(l->x);
        free(l->y);
        l->x = malloc((size_t)n * sizeof *l->x);
        l->y = malloc((size_t)n * sizeof *l->y);
        l->nodes = l->x != NULL && l->y != NULL ? n : 0;
        if (l->nodes == 0) return err_memory(2 * (size_t)n * sizeof *l->x, "a grid of places");
    }
    for (int64_t i = 0; i < n; i++) {
        const Cell c = l->now.cells[i / POINTS];
        const int64_t k = i % POINTS, check = k - NODES;
        const double u = k < NODES ? 0.5 * (double)(k % 3) : 0.25 + 0.5 * (double)(check % 2);
        const double v = k < NODES ? 0.5 * (double)(k / 3) : 0.25 + 0.5 * (double)(check / 2);
        l->x[i] = w->x + ((double)c.column + u * (double)(c.columns - 1)) * w->step_x;
        l->y[i] = w->y + ((double)c.row + v * (double)(c.rows - 1)) * w->step_y;
    }
    transform(l, n, l->x, l->y);
    return ERR_NONE;
}

/* Largest step of one window pixel along an axis of the cell, from its corners. */
static double step_of(const double node[NODES], Cell c)
{
    const double across = (double)(c.columns > 1 ? c.columns - 1 : 1), down = (double)(c.rows > 1 ? c.rows - 1 : 1);
    return fmax(fmax(fabs(node[2] - node[0]), fabs(node[8] - node[6])) / across,
                fmax(fabs(node[6] - node[0]), fabs(node[8] - node[2])) / down);
}

/* Lagrange's polynomials of the nodes 0, 1/2, 1. */
static void lagrange(double t, double ret_weight[3])
{
    ret_weight[0] = (2.0 * t - 1.0) * (t - 1.0);
    ret_weight[1] = 4.0 * t * (1.0 - t);
    ret_weight[2] = t * (2.0 * t - 1.0);
}

/* How far the quadratic through the nodes is from the checks; NaN when any is unknown. */
static double deviation(const double point[POINTS])
{
    double worst = 0.0, sum = 0.0;
    for (int i = 0; i < POINTS; i++) sum += point[i];
    if (isnan(sum)) return sum;
    for (int i = 0; i < CHECKS; i++) {
        double across[3], down[3], value = 0.0;
        lagrange(0.25 + 0.5 * (double)(i % 2), across);
        lagrange(0.25 + 0.5 * (double)(i / 2), down);
        for (int k = 0; k < NODES; k++) value += down[k / 3] * across[k % 3] * point[k];
        worst = fmax(worst, fabs(value - point[NODES + i]));
    }
    return worst;
}

static bool near_border(double position, double guard)
{
    const double part = position - floor(position);
    return part < guard || part > 1.0 - guard;
}

/* Row v (0..1 of the cell) of the quadratic through the nodes, as c[0] + c[1] u + c[2] u^2. */
static void row_of(const double node[NODES], double v, double ret_c[3])
{
    double down[3], at[3];
    lagrange(v, down);
    for (int k = 0; k < 3; k++) at[k] = down[0] * node[k] + down[1] * node[3 + k] + down[2] * node[6 + k];
    ret_c[0] = at[0];
    ret_c[1] = 4.0 * at[1] - 3.0 * at[0] - at[2];
    ret_c[2] = 2.0 * (at[0] - 2.0 * at[1] + at[2]);
}

/* Interpolates a cell; positions near the border of a target pixel are transformed themselves. */
static void fill_cell(PlaceLookup *l, const PlaceWindow *w, Cell c, const double *x, const double *y, double guard,
                      double *ret_x, double *ret_y)
{
    const double across = c.columns > 1 ? 1.0 / (double)(c.columns - 1) : 0.0;
    const double down = c.rows > 1 ? 1.0 / (double)(c.rows - 1) : 0.0;
    for (int64_t r = 0; r < c.rows; r++) {
        double a[3], b[3];
        row_of(x, (double)r * down, a);
        row_of(y, (double)r * down, b);
        const int64_t first = (c.row + r) * w->columns + c.column;
        for (int64_t k = 0; k < c.columns; k++) {
            const double u = (double)k * across;
            ret_x[first + k] = a[0] + u * (a[1] + u * a[2]);
            ret_y[first + k] = b[0] + u * (b[1] + u * b[2]);
        }
        for (int64_t k = 0; guard > 0.0 && k < c.columns; k++)
            if (near_border(ret_x[first + k], guard) || near_border(ret_y[first + k], guard))
                want_exact(l, w, c.column + k, c.row + r, ret_x, ret_y);
    }
}

/* Fills a cell, or hands it on: smaller cells to the next step, the pixels of a small one to exact transformation. */
static Err settle_cell(PlaceLookup *l, const PlaceWindow *w, Cell c, const double *x, const double *y, double *ret_x,
                       double *ret_y)
{
    const double step_x = step_of(x, c), step_y = step_of(y, c);
    const double least = l->to != NULL ? target_tolerance : 0.0;
    const double share = l->to != NULL ? source_tolerance : 10.0 * source_tolerance;
    const double tolerance = fmax(least, share * fmax(step_x, step_y));
    if (deviation(x) <= 0.5 * tolerance && deviation(y) <= 0.5 * tolerance) {
        fill_cell(l, w, c, x, y, l->to != NULL ? 2.0 * tolerance : 0.0, ret_x, ret_y);
        return ERR_NONE;
    }
    const int64_t larger = c.columns > c.rows ? c.columns : c.rows;
    if (larger > SMALLEST_CELL) return add_cells(&l->next, c, (larger + 1) / 2);
    for (int64_t r = 0; r < c.rows; r++)
        for (int64_t k = 0; k < c.columns; k++) want_exact(l, w, c.column + k, c.row + r, ret_x, ret_y);
    return ERR_NONE;
}

static Err refined_window(PlaceLookup *l, const PlaceWindow *w, double *ret_x, double *ret_y)
{
    l->now.count = l->n_exact = 0;
    TRY(add_cells(&l->now, (Cell){ .columns = w->columns, .rows = w->rows }, LARGEST_CELL));
    while (l->now.count > 0) {
        TRY(make_nodes(l, w));
        l->next.count = 0;
        for (int64_t i = 0; i < l->now.count; i++)
            TRY(settle_cell(l, w, l->now.cells[i], l->x + i * POINTS, l->y + i * POINTS, ret_x, ret_y));
        const CellList done = l->now;
        l->now = l->next;
        l->next = done;
    }
    flush_exact(l, ret_x, ret_y);
    return ERR_NONE;
}

Err place_lookup_window(PlaceLookup *l, const PlaceWindow *w, double *ret_x, double *ret_y)
{
    if (l->affine) {
        affine_window(l, w, ret_x, ret_y);
        return ERR_NONE;
    }
    if (l->to == NULL && georeference_is_affine(l->from)) {
        for (int64_t i = 0; i < w->rows * w->columns; i++) {
            ret_x[i] = w->x + (double)(i % w->columns) * w->step_x;
            ret_y[i] = w->y + (double)(i / w->columns) * w->step_y;
        }
        transform(l, w->rows * w->columns, ret_x, ret_y);
        return ERR_NONE;
    }
    return refined_window(l, w, ret_x, ret_y);
}

int64_t place_index(double position, int64_t n)
{
    const double index = floor(position + 1e-6);
    return index >= 0.0 && index < (double)n ? (int64_t)index : -1;
}
