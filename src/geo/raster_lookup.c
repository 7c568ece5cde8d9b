/* SPDX-License-Identifier: Apache-2.0
 * Looking up pixels: which ones, and how few reads and little memory bring them. */
#include "geo/raster_lookup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ_COST = 4096,      /* pixels that could be read in the time that one more read takes */
    MOST_PIXELS = 1 << 20, /* pixels read at once */
    STRIP_ROWS = 256,      /* rows of points looked up at a time */
};

Err raster_lookup_new(Raster *raster, Georeference *from, Georeference *of, RasterLookup **ret_lookup)
{
    RasterLookup *l = calloc(1, sizeof *l);
    if (l == NULL) return err_memory(sizeof *l, "a look-up of pixels");
    l->raster = raster;
    l->bands = raster_chosen_count(raster);
    const Err err = place_lookup_new(from, of, &l->places);
    if (err == ERR_NONE)
        *ret_lookup = l;
    else
        raster_lookup_free(l);
    return err;
}

void raster_lookup_free(RasterLookup *l)
{
    if (l == NULL) return;
    place_lookup_free(l->places);
    free(l->column);
    free(l->row);
    free(l->x);
    free(l->y);
    free(l->values);
    free(l->valid);
    free(l);
}

static Err want_points(RasterLookup *l, int64_t points)
{
    if (points <= l->points) return ERR_NONE;
    free(l->column);
    free(l->row);
    free(l->x);
    free(l->y);
    l->column = malloc((size_t)points * sizeof *l->column);
    l->row = malloc((size_t)points * sizeof *l->row);
    l->x = malloc((size_t)points * sizeof *l->x);
    l->y = malloc((size_t)points * sizeof *l->y);
    l->points = l->column != NULL && l->row != NULL && l->x != NULL && l->y != NULL ? points : 0;
    return l->points > 0 ? ERR_NONE : err_memory((size_t)points * 24, "pixels that are looked up");
}

static Err want_pixels(RasterLookup *l, int64_t pixels)
{
    if (pixels <= l->pixels) return ERR_NONE;
    free(l->values);
    free(l->valid);
    const size_t bytes = (size_t)(pixels * l->bands) * sizeof *l->values;
    l->values = malloc(bytes);
    l->valid = malloc((size_t)pixels);
    l->pixels = l->values != NULL && l->valid != NULL ? pixels : 0;
    return l->pixels > 0 ? ERR_NONE : err_memory(bytes + (size_t)pixels, "pixels that are looked up");
}

/* One look-up of a grid's points. */
typedef struct Lookup {
    RasterLookup *lookup;
    int64_t stride; /* points in a row of the grid */
    float *values;
    uint8_t *valid;
} Lookup;

/* A rectangle of points, and the pixels around those that lie in the raster (columns 0: none does). */
typedef struct Part {
    int64_t column, row, columns, rows;
    RasterWindow window;
} Part;

static Part part_of(const Lookup *k, int64_t column, int64_t row, int64_t columns, int64_t rows)
{
    Part part = { .column = column, .row = row, .columns = columns, .rows = rows };
    int32_t x0 = INT32_MAX;
    int32_t y0 = INT32_MAX;
    int32_t x1 = -1;
    int32_t y1 = -1;
    for (int64_t i = row; i < row + rows; i++) {
        for (int64_t p = i * k->stride + column; p < i * k->stride + column + columns; p++) {
            const int32_t x = k->lookup->column[p];
            const int32_t y = k->lookup->row[p];
            if (x < 0) continue;
            x0 = x < x0 ? x : x0;
            x1 = x > x1 ? x : x1;
            y0 = y < y0 ? y : y0;
            y1 = y > y1 ? y : y1;
        }
    }
    if (x1 >= 0) part.window = (RasterWindow){ x0, y0, (int64_t)x1 - x0 + 1, (int64_t)y1 - y0 + 1 };
    return part;
}

static double pixels_of(const Part *part) { return (double)part->window.columns * (double)part->window.rows; }

/* The two halves along one side. */
static void halve(const Lookup *k, const Part *part, bool rows, Part ret_half[2])
{
    if (rows) {
        const int64_t first = part->rows / 2;
        ret_half[0] = part_of(k, part->column, part->row, part->columns, first);
        ret_half[1] = part_of(k, part->column, part->row + first, part->columns, part->rows - first);
    } else {
        const int64_t first = part->columns / 2;
        ret_half[0] = part_of(k, part->column, part->row, first, part->rows);
        ret_half[1] = part_of(k, part->column + first, part->row, part->columns - first, part->rows);
    }
}

/* Whether two reads are better than one, and of which halves: along the side that saves more. Where the points lie as
 * dense as the pixels there is nothing to save. */
static bool split(const Lookup *k, const Part *part, Part ret_half[2])
{
    const double points = (double)(part->columns * part->rows);
    double least = pixels_of(part);
    if (points <= 1.0 || (least <= 2.0 * points + READ_COST && least <= MOST_PIXELS)) return false;
    bool better = false;
    const bool too_large = least > MOST_PIXELS;
    if (too_large) least = (double)INFINITY;
    for (int64_t side = 0; side < 2; side++) {
        const bool rows = side == 0;
        if ((rows ? part->rows : part->columns) < 2) continue;
        Part half[2];
        halve(k, part, rows, half);
        const double cost = pixels_of(&half[0]) + pixels_of(&half[1]) + READ_COST;
        if (!(cost < least)) continue;
        least = cost;
        better = true;
        ret_half[0] = half[0];
        ret_half[1] = half[1];
    }
    return better;
}

static Err read_part(const Lookup *k, const Part *part)
{
    RasterLookup *l = k->lookup;
    const RasterWindow w = part->window;
    TRY(want_pixels(l, w.columns * w.rows));
    TRY(raster_read(l->raster, w, l->values, l->valid));
    for (int64_t i = part->row; i < part->row + part->rows; i++) {
        for (int64_t p = i * k->stride + part->column; p < i * k->stride + part->column + part->columns; p++) {
            if (l->column[p] < 0) continue;
            const int64_t at = (l->row[p] - w.y) * w.columns + l->column[p] - w.x;
            k->valid[p] = l->valid[at];
            memcpy(k->values + p * l->bands, l->values + at * l->bands, (size_t)l->bands * sizeof *l->values);
        }
    }
    return ERR_NONE;
}

/* Depth: log2 of the points along both sides. */
static Err look_up(const Lookup *k, const Part *part)
{
    Part half[2];
    if (part->window.columns == 0) return ERR_NONE;
    if (!split(k, part, half)) return read_part(k, part);
    TRY(look_up(k, &half[0]));
    return look_up(k, &half[1]);
}

/* The pixel of each point. */
static Err find_pixels(RasterLookup *l, const PlaceWindow *window)
{
    const RasterInfo *info = raster_info(l->raster);
    const int64_t points = window->columns * window->rows;
    TRY(want_points(l, points));
    TRY(place_lookup_window(l->places, window, l->x, l->y));
    for (int64_t i = 0; i < points; i++) {
        const int64_t column = place_index(l->x[i], info->width);
        const int64_t row = place_index(l->y[i], info->height);
        const bool inside = column >= 0 && row >= 0;
        l->column[i] = inside ? (int32_t)column : -1;
        l->row[i] = inside ? (int32_t)row : -1;
    }
    return ERR_NONE;
}

Err raster_lookup_window(RasterLookup *l, const PlaceWindow *window, float *ret_values, uint8_t *ret_valid)
{
    const int64_t strip_rows = window->rows < STRIP_ROWS ? window->rows : STRIP_ROWS;
    const size_t points = (size_t)(window->columns * window->rows);
    memset(ret_valid, 0, points);
    memset(ret_values, 0, points * (size_t)l->bands * sizeof *ret_values);
    for (int64_t row = 0; row < window->rows; row += strip_rows) {
        PlaceWindow strip = *window;
        strip.y = window->y + (double)row * window->step_y;
        strip.rows = window->rows - row < strip_rows ? window->rows - row : strip_rows;
        TRY(find_pixels(l, &strip));
        const Lookup k = { .lookup = l,
                           .stride = strip.columns,
                           .values = ret_values + row * strip.columns * l->bands,
                           .valid = ret_valid + row * strip.columns };
        const Part whole = part_of(&k, 0, 0, strip.columns, strip.rows);
        TRY(look_up(&k, &whole));
    }
    return ERR_NONE;
}
