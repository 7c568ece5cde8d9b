/* SPDX-License-Identifier: Apache-2.0
 * What may be labels, and the classes of their pixels. */
#include "data/labels.h"

#include <stdlib.h>
#include <string.h>

enum {
    NODES = 65, /* places of an image, per side, that tell where it lies in the labels */
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
    TRY(raster_lookup_new(l->raster, image, l->place, &l->lookup));
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
    raster_lookup_free(l->lookup);
    place_lookup_free(l->to_image);
    georeference_free(l->place);
    raster_close(l->raster);
    free(l->values);
    free(l->valid);
    free(l);
}

static Err want_points(Labels *l, int64_t points)
{
    if (points <= l->points) return ERR_NONE;
    free(l->values);
    free(l->valid);
    l->values = malloc((size_t)points * sizeof *l->values);
    l->valid = malloc((size_t)points);
    l->points = l->values != NULL && l->valid != NULL ? points : 0;
    return l->points > 0 ? ERR_NONE : err_memory((size_t)points * (sizeof *l->values + 1), "a window of labels");
}

Err labels_read(Labels *l, const LabelTable *table, const PlaceWindow *window, uint8_t *ret_classes)
{
    const int64_t points = window->columns * window->rows;
    TRY(want_points(l, points));
    TRY(raster_lookup_window(l->lookup, window, l->values, l->valid));
    for (int64_t i = 0; i < points; i++)
        ret_classes[i] = l->valid[i] != 0 ? label_class(table, l->values[i]) : CLASS_IGNORE;
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
    TRY(place_lookup_window(l->lookup->places, &nodes, x, y));
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
