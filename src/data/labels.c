/* SPDX-License-Identifier: Apache-2.0
 * Looking up label pixels: which ones, and how few reads and little memory bring them. */
#include "data/labels.h"

#include <stdlib.h>
#include <string.h>

enum {
    READ_COST = 4096,      /* label pixels that could be read in the time that one more read takes */
    MOST_PIXELS = 1 << 20, /* label pixels read at once */
    STRIP_ROWS = 256,      /* rows of points looked up at a time */
    NODES = 65,            /* places of an image, per side, that tell where it lies in the labels */
};

static Err check_bands(const Raster *raster)
{
    if (raster_is_color_picture(raster))
        return err_set(ERR_INPUT,
                       "'%s': its bands are red, green and blue, a picture of classes; labels are one band of class "
                       "values: make them of the colours first (gdal_calc.py)",
                       raster_path(raster));
    const char *measurement = raster_measurement(raster, 1);
    if (measurement != NULL)
        return err_set(ERR_INPUT, "'%s': %s, so its values are measurements; labels are class values",
                       raster_path(raster), measurement);
    return ERR_NONE;
}

static Err open_labels(Labels *l, const char *path, const char *crs, const volatile int *stop, Georeference *image)
{
    TRY(raster_open(path, stop, &l->raster));
    TRY(check_bands(l->raster));
    l->bands = raster_chosen_count(l->raster);
    TRY(raster_choose_bands(l->raster, "1", 1, NULL));
    TRY(georeference_open(l->raster, crs, &l->place));
    if (georeference_kind(l->place) == GEOREFERENCE_NONE) {
        const RasterInfo *info = raster_info(l->raster);
        return err_set(ERR_INPUT, "'%s': its labels cannot be placed: %s; %s", path, georeference_note(l->place),
                       info->has_geotransform || info->gcps > 0
                           ? "name the CRS with labels_crs"
                           : "georeference it first (gdal_edit.py -a_srs ... -a_ullr ...)");
    }
    TRY(place_lookup_new(image, l->place, &l->from_image));
    return place_lookup_new(l->place, image, &l->to_image);
}

Err labels_open(const char *path, const char *crs, const volatile int *stop, Georeference *image, Labels **ret_labels)
{
    Labels *l = calloc(1, sizeof *l);
    if (l == NULL) return err_memory(sizeof *l, "a label raster");
    const Err err = open_labels(l, path, crs, stop, image);
    if (err == ERR_NONE)
        *ret_labels = l;
    else
        labels_close(l);
    return err;
}

void labels_close(Labels *l)
{
    if (l == NULL) return;
    place_lookup_free(l->from_image);
    place_lookup_free(l->to_image);
    georeference_free(l->place);
    raster_close(l->raster);
    free(l->column);
    free(l->row);
    free(l->x);
    free(l->y);
    free(l->values);
    free(l->valid);
    free(l);
}

static Err want_points(Labels *l, int64_t points)
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
    return l->points > 0 ? ERR_NONE : err_memory((size_t)points * 24, "a window of labels");
}

static Err want_pixels(Labels *l, int64_t pixels)
{
    if (pixels <= l->pixels) return ERR_NONE;
    free(l->values);
    free(l->valid);
    l->values = malloc((size_t)pixels * sizeof *l->values);
    l->valid = malloc((size_t)pixels);
    l->pixels = l->values != NULL && l->valid != NULL ? pixels : 0;
    return l->pixels > 0 ? ERR_NONE : err_memory((size_t)pixels * (sizeof *l->values + 1), "a window of labels");
}

/* One look-up of a grid's points. */
typedef struct Lookup {
    Labels *labels;
    const LabelTable *table;
    int64_t stride; /* points in a row of the grid */
    uint8_t *classes;
} Lookup;

/* A rectangle of points, and the label pixels around those that lie in the labels (columns 0: none does). */
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
            const int32_t x = k->labels->column[p];
            const int32_t y = k->labels->row[p];
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

static double label_pixels(const Part *part) { return (double)part->window.columns * (double)part->window.rows; }

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
 * dense as the label pixels there is nothing to save. */
static bool split(const Lookup *k, const Part *part, Part ret_half[2])
{
    const double points = (double)(part->columns * part->rows);
    double least = label_pixels(part);
    if (points <= 1.0 || (least <= 2.0 * points + READ_COST && least <= MOST_PIXELS)) return false;
    bool better = false;
    const bool too_large = least > MOST_PIXELS;
    if (too_large) least = (double)INFINITY;
    for (int64_t side = 0; side < 2; side++) {
        const bool rows = side == 0;
        if ((rows ? part->rows : part->columns) < 2) continue;
        Part half[2];
        halve(k, part, rows, half);
        const double cost = label_pixels(&half[0]) + label_pixels(&half[1]) + READ_COST;
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
    Labels *l = k->labels;
    const RasterWindow w = part->window;
    TRY(want_pixels(l, w.columns * w.rows));
    TRY(raster_read(l->raster, w, l->values, l->valid));
    for (int64_t i = part->row; i < part->row + part->rows; i++) {
        for (int64_t p = i * k->stride + part->column; p < i * k->stride + part->column + part->columns; p++) {
            if (l->column[p] < 0) continue;
            const int64_t at = (l->row[p] - w.y) * w.columns + l->column[p] - w.x;
            if (l->valid[at] != 0) k->classes[p] = label_class(k->table, l->values[at]);
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

/* Label pixel of each point. */
static Err find_pixels(Labels *l, const PlaceWindow *window)
{
    const RasterInfo *info = raster_info(l->raster);
    const int64_t points = window->columns * window->rows;
    TRY(want_points(l, points));
    TRY(place_lookup_window(l->from_image, window, l->x, l->y));
    for (int64_t i = 0; i < points; i++) {
        const int64_t column = place_index(l->x[i], info->width);
        const int64_t row = place_index(l->y[i], info->height);
        const bool inside = column >= 0 && row >= 0;
        l->column[i] = inside ? (int32_t)column : -1;
        l->row[i] = inside ? (int32_t)row : -1;
    }
    return ERR_NONE;
}

Err labels_read(Labels *l, const LabelTable *table, const PlaceWindow *window, uint8_t *ret_classes)
{
    const int64_t strip_rows = window->rows < STRIP_ROWS ? window->rows : STRIP_ROWS;
    memset(ret_classes, CLASS_IGNORE, (size_t)(window->columns * window->rows));
    for (int64_t row = 0; row < window->rows; row += strip_rows) {
        PlaceWindow strip = *window;
        strip.y = window->y + (double)row * window->step_y;
        strip.rows = window->rows - row < strip_rows ? window->rows - row : strip_rows;
        TRY(find_pixels(l, &strip));
        const Lookup k = {
            .labels = l, .table = table, .stride = strip.columns, .classes = ret_classes + row * strip.columns
        };
        const Part whole = part_of(&k, 0, 0, strip.columns, strip.rows);
        TRY(look_up(&k, &whole));
    }
    return ERR_NONE;
}

/* Smallest and largest of the nodes along one axis, with a margin of the largest step between neighbours: what lies
 * between nodes is no further away. */
static bool span_of_nodes(const double *node, double size, double *ret_low, double *ret_high)
{
    double low = (double)INFINITY;
    double high = -(double)INFINITY;
    double step = 0.0;
    for (int64_t i = 0; i < NODES * NODES; i++) {
        if (isnan(node[i])) return false;
        low = fmin(low, node[i]);
        high = fmax(high, node[i]);
        if (i % NODES > 0) step = fmax(step, fabs(node[i] - node[i - 1]));
        if (i >= NODES) step = fmax(step, fabs(node[i] - node[i - NODES]));
    }
    *ret_low = fmax(floor(low - step) - 1.0, 0.0);
    *ret_high = fmin(ceil(high + step) + 1.0, size);
    return true;
}

Err labels_around_image(Labels *l, int64_t width, int64_t height, RasterWindow *ret_window)
{
    double x[NODES * NODES];
    double y[NODES * NODES];
    const RasterInfo *info = raster_info(l->raster);
    const PlaceWindow nodes = { 0.0, 0.0, (double)width / (NODES - 1), (double)height / (NODES - 1), NODES, NODES };
    TRY(place_lookup_window(l->from_image, &nodes, x, y));
    double x0 = 0.0;
    double y0 = 0.0;
    double x1 = 0.0;
    double y1 = 0.0;
    RasterWindow around = { 0, 0, info->width, info->height };
    if (span_of_nodes(x, (double)info->width, &x0, &x1) && span_of_nodes(y, (double)info->height, &y0, &y1))
        around = x0 < x1 && y0 < y1 ? (RasterWindow){ (int64_t)x0, (int64_t)y0, (int64_t)(x1 - x0), (int64_t)(y1 - y0) }
                                    : (RasterWindow){ 0 };
    *ret_window = around;
    return ERR_NONE;
}
