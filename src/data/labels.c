/* SPDX-License-Identifier: Apache-2.0
 * What may be labels, and the classes of their pixels. */
#include "data/labels.h"
#include "data/labels_vector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    NODES = 65, /* places of an image, per side, that tell where it lies in the labels */
};

static Err check_distribution(const Raster *raster, const DatasetOptions *options)
{
    const int64_t bands = raster_chosen_count(raster);
    if (bands == (int64_t)options->n_classes) return ERR_NONE;
    return err_set(
        ERR_INPUT,
        "'%s': %lld bands for %u classes; data.labels_kind probabilities reads one band of each class, in the "
        "order of the classes",
        raster_path(raster), (long long)bands, (unsigned)options->n_classes);
}

static Err check_bands(const Raster *raster)
{
    if (raster_is_color_picture(raster))
        return err_set(ERR_INPUT,
                       "'%s': its bands are red, green and blue, a picture of classes; labels are one band of class "
                       "values: data.labels_kind colors reads classes by their colours",
                       raster_path(raster));
    const char *measurement = raster_measurement(raster, 1);
    if (measurement != NULL)
        return err_set(ERR_INPUT, "'%s': %s, so its values are measurements; labels are class values",
                       raster_path(raster), measurement);
    return ERR_NONE;
}

static bool distribution(const Labels *l) { return l->options->labels_kind == LABELS_PROBABILITIES; }
static bool colors(const Labels *l) { return l->options->labels_kind == LABELS_COLORS; }

static Err refuse_image(const Raster *image, const Georeference *place, const char *labels)
{
    return err_set(
        ERR_INPUT,
        "'%s': no georeference (%s), so its labels '%s', which have one, cannot be placed; name its CRS with "
        "crs, or georeference it first",
        raster_path(image), georeference_note(place), labels);
}

static Err refuse_labels(const Raster *labels, const Georeference *place)
{
    const RasterInfo *info = raster_info(labels);
    return err_set(
        ERR_INPUT, "'%s': its labels cannot be placed: %s; %s", raster_path(labels), georeference_note(place),
        info->has_geotransform || info->gcps > 0 ? "name the CRS with labels_crs"
                                                 : "georeference it first (gdal_edit.py -a_srs ... -a_ullr ...)");
}

static Err check_sizes(const Labels *l, const Raster *image, const char *rule)
{
    const RasterInfo *a = raster_info(image);
    const RasterInfo *b = raster_info(l->raster);
    if (a->width == b->width && a->height == b->height) return ERR_NONE;
    return err_set(ERR_INPUT, "'%s' (%lld x %lld pixels) and its labels '%s' (%lld x %lld) %s", raster_path(image),
                   (long long)a->width, (long long)a->height, raster_path(l->raster), (long long)b->width,
                   (long long)b->height, rule);
}

/* How labels lie on the image where one of the two has no place on the Earth. */
static Err place_labels(Labels *l, const Raster *image, Georeference *image_place)
{
    const bool image_known = georeference_kind(image_place) != GEOREFERENCE_NONE;
    const bool labels_known = georeference_kind(l->place) != GEOREFERENCE_NONE;
    if (image_known && labels_known) return ERR_NONE;
    if (georeference_same_crs(image_place, l->place)) return ERR_NONE;
    if (image_known || (!labels_known && georeference_has_grid(image_place))) return refuse_labels(l->raster, l->place);
    if (labels_known || georeference_has_grid(l->place))
        return refuse_image(image, image_place, raster_path(l->raster));
    TRY(check_sizes(l, image,
                    "have no georeference and differ in size; give labels of the same pixels, or georeference both"));
    georeference_use_pixels(image_place);
    georeference_use_pixels(l->place);
    return ERR_NONE;
}

/* The labels lie where the image does. */
static Err place_by_pixel(Labels *l, const Raster *image, Georeference *image_place, const char *image_crs)
{
    TRY(check_sizes(l, image, "are to match pixel by pixel and differ in size; give labels of the same pixels"));
    TRY(georeference_open(image, image_crs, &l->place));
    if (georeference_kind(image_place) != GEOREFERENCE_NONE || georeference_has_grid(image_place)) return ERR_NONE;
    georeference_use_pixels(image_place);
    georeference_use_pixels(l->place);
    return ERR_NONE;
}

static Err choose_colors(Labels *l)
{
    const DatasetOptions *o = l->options;
    const size_t n = (size_t)o->n_classes + o->n_ignore_colors;
    l->table = calloc(n + 1, sizeof *l->table);
    if (l->table == NULL) return err_memory(n * sizeof *l->table, "the colours of the classes");
    for (uint32_t c = 0; c < o->n_classes; c++)
        l->table[c] = (RasterColor){ (uint32_t)strtoul(o->classes[c].color + 1, NULL, 16), (float)o->classes[c].value };
    for (uint32_t i = 0; i < o->n_ignore_colors; i++)
        l->table[o->n_classes + i] =
            (RasterColor){ (uint32_t)strtoul(o->ignore_colors[i] + 1, NULL, 16), (float)o->ignore };
    l->colors = (RasterColors){ .table = l->table, .n = (int64_t)n, .threshold = (uint32_t)o->colors_threshold };
    return raster_colors_choose(l->raster,
                                "data.labels_kind colors reads classes by their colours, leave it out for a raster of "
                                "class values",
                                &l->colors);
}

static Err open_labels(Labels *l, const char *path, const LabelsPlace *place, const volatile int *stop,
                       const Raster *image, Georeference *image_place)
{
    TRY(raster_open(path, stop, &l->raster));
    l->bands = raster_chosen_count(l->raster);
    if (distribution(l)) {
        TRY(check_distribution(l->raster, l->options));
    } else if (colors(l)) {
        TRY(choose_colors(l));
    } else {
        TRY(check_bands(l->raster));
        TRY(raster_choose_bands(l->raster, "1", 1, NULL));
    }
    if (place->by_pixel) {
        TRY(place_by_pixel(l, image, image_place, place->image_crs));
    } else {
        TRY(georeference_open(l->raster, place->crs, &l->place));
        TRY(place_labels(l, image, image_place));
    }
    l->width = raster_info(l->raster)->width;
    l->height = raster_info(l->raster)->height;
    TRY(raster_lookup_new(l->raster, image_place, l->place, &l->lookup));
    return place_lookup_new(l->place, image_place, &l->to_image);
}

Err labels_open(const char *path, const DatasetOptions *options, const LabelsPlace *place, const volatile int *stop,
                const Raster *image, Georeference *image_place, Labels **ret_labels)
{
    Labels *l = calloc(1, sizeof *l);
    if (l == NULL) return err_memory(sizeof *l, "a label raster");
    l->options = options;
    l->sharpening = options->temperature > 0.0 ? (float)(1.0 / options->temperature) : 1.0F;
    const Err err = open_labels(l, path, place, stop, image, image_place);
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
    if (l->vector == NULL) georeference_free(l->place);
    raster_close(l->raster);
    vector_labels_close(l->vector);
    free(l->table);
    free(l->vector_values);
    free(l->vector_window);
    free(l->values);
    free(l->valid);
    free(l);
}

static Err want_points(Labels *l, int64_t points)
{
    if (points <= l->points) return ERR_NONE;
    free(l->values);
    free(l->valid);
    const size_t bytes = (size_t)(points * raster_chosen_count(l->raster)) * sizeof *l->values;
    l->values = malloc(bytes);
    l->valid = malloc((size_t)points);
    l->points = l->values != NULL && l->valid != NULL ? points : 0;
    return l->points > 0 ? ERR_NONE : err_memory(bytes + (size_t)points, "a window of labels");
}

/* The most probable class of one distribution, the first of several; -1 in *ret_class when all are 0. */
static Err most_probable(const Labels *l, const float *p, int64_t *ret_class, float *ret_sum)
{
    const int64_t classes = (int64_t)l->options->n_classes;
    float sum = 0.0F;
    int64_t best = 0;
    for (int64_t c = 0; c < classes; c++) {
        if (!(p[c] >= 0.0F) || isinf(p[c]))
            return err_set(ERR_INPUT, "'%s': %g in band %lld; probabilities are 0 or more", raster_path(l->raster),
                           (double)p[c], (long long)c + 1);
        sum += p[c];
        if (p[c] > p[best]) best = c;
    }
    *ret_class = sum > 0.0F ? best : -1;
    *ret_sum = sum;
    return ERR_NONE;
}

/* p in any unit -> 255 p^(1/T) / sum of those; the most probable class keeps at least 1. */
static void to_bytes(const Labels *l, const float *p, int64_t best, float sum, uint8_t *ret_bytes)
{
    const int64_t classes = (int64_t)l->options->n_classes;
    if (l->sharpening != 1.0F) {
        sum = 0.0F;
        for (int64_t c = 0; c < classes; c++) sum += powf(p[c] / p[best], l->sharpening);
        for (int64_t c = 0; c < classes; c++)
            ret_bytes[c] = (uint8_t)lrintf(255.0F * powf(p[c] / p[best], l->sharpening) / sum);
    } else {
        for (int64_t c = 0; c < classes; c++) ret_bytes[c] = (uint8_t)lrintf(255.0F * p[c] / sum);
    }
    if (ret_bytes[best] == 0) ret_bytes[best] = 1;
}

static Err read_distribution(Labels *l, const LabelTable *table, int64_t points, uint8_t *ret_classes,
                             uint8_t *ret_probabilities)
{
    const int64_t classes = (int64_t)l->options->n_classes;
    if (ret_probabilities != NULL) memset(ret_probabilities, 0, (size_t)(points * classes));
    for (int64_t i = 0; i < points; i++) {
        const float *p = l->values + i * classes;
        int64_t best = -1;
        float sum = 0.0F;
        if (l->valid[i] != 0) TRY(most_probable(l, p, &best, &sum));
        ret_classes[i] = best >= 0 ? label_class(table, (float)l->options->classes[best].value) : CLASS_IGNORE;
        if (best >= 0 && ret_probabilities != NULL) to_bytes(l, p, best, sum, ret_probabilities + i * classes);
    }
    return ERR_NONE;
}

/* Vector labels need no label pixels: their features are laid over the points themselves. */
static Err read_vector(Labels *l, const LabelTable *table, const PlaceWindow *window, uint8_t *ret_classes)
{
    TRY(vector_labels_read(l->vector, window, ret_classes));
    for (int64_t i = 0; i < window->columns * window->rows; i++)
        if (ret_classes[i] != VECTOR_NO_LABEL) ret_classes[i] = label_class(table, l->vector_values[ret_classes[i]]);
    return ERR_NONE;
}

Err labels_read(Labels *l, const LabelTable *table, const PlaceWindow *window, uint8_t *ret_classes,
                uint8_t *ret_probabilities)
{
    if (l->vector != NULL) return read_vector(l, table, window, ret_classes);
    const int64_t points = window->columns * window->rows;
    TRY(want_points(l, points));
    TRY(raster_lookup_window(l->lookup, window, l->values, l->valid));
    if (distribution(l)) return read_distribution(l, table, points, ret_classes, ret_probabilities);
    if (colors(l)) raster_colors_values(&l->colors, points, l->values, l->values);
    for (int64_t i = 0; i < points; i++)
        ret_classes[i] = l->valid[i] != 0 ? label_class(table, l->values[i]) : CLASS_IGNORE;
    return ERR_NONE;
}

Err labels_read_values(Labels *l, RasterWindow window, float *ret_values, uint8_t *ret_valid)
{
    const int64_t points = window.columns * window.rows;
    if (l->vector != NULL) return labels_vector_values(l, window, ret_values, ret_valid);
    if (!distribution(l) && !colors(l)) return raster_read(l->raster, window, ret_values, ret_valid);
    TRY(want_points(l, points));
    TRY(raster_read(l->raster, window, l->values, ret_valid));
    if (colors(l)) {
        raster_colors_values(&l->colors, points, l->values, ret_values);
        return ERR_NONE;
    }
    for (int64_t i = 0; i < points; i++) {
        int64_t best = -1;
        float sum = 0.0F;
        if (ret_valid[i] != 0) TRY(most_probable(l, l->values + i * (int64_t)l->options->n_classes, &best, &sum));
        ret_valid[i] = best >= 0;
        ret_values[i] = best >= 0 ? (float)l->options->classes[best].value : 0.0F;
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

/* Part of a label raster that may hold centres of label pixels inside an image of width x height pixels: all of it unless
 * places all over the image tell less. columns 0: they do not meet. */
static Err around_image(Labels *l, int64_t width, int64_t height, RasterWindow *ret_window)
{
    double x[NODES * NODES];
    double y[NODES * NODES];
    const PlaceWindow nodes = { 0.0, 0.0, (double)width / (NODES - 1), (double)height / (NODES - 1), NODES, NODES };
    TRY(place_lookup_window(l->lookup->places, &nodes, x, y));
    double x0 = 0.0;
    double y0 = 0.0;
    double x1 = 0.0;
    double y1 = 0.0;
    RasterWindow around = { 0, 0, l->width, l->height };
    if (span_of_nodes(x, (double)l->width, &x0, &x1) && span_of_nodes(y, (double)l->height, &y0, &y1))
        around = x0 < x1 && y0 < y1 ? (RasterWindow){ (int64_t)x0, (int64_t)y0, (int64_t)(x1 - x0), (int64_t)(y1 - y0) }
                                    : (RasterWindow){ 0 };
    *ret_window = around;
    return ERR_NONE;
}

Err labels_parts(Labels *l, int64_t width, int64_t height, RasterWindow **ret_parts, int64_t *ret_count)
{
    if (l->vector != NULL) return labels_vector_parts(l, ret_parts, ret_count);
    RasterWindow *part = malloc(sizeof *part);
    if (part == NULL) return err_memory(sizeof *part, "the labels");
    const Err err = around_image(l, width, height, part);
    if (err != ERR_NONE) {
        free(part);
        return err;
    }
    *ret_count = part->columns > 0 && part->rows > 0 ? 1 : 0;
    *ret_parts = part;
    return ERR_NONE;
}
