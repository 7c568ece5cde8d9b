/* SPDX-License-Identifier: Apache-2.0
 * What the labels of an image hold: features of a layer, or classes in blocks of a raster. */
#include "train/train_plan.h"

#include "base/grow.h"
#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Index of a text (value -1) or a number; -1: it is none of them yet. */
static int32_t find_value(const Plan *p, const char *name, int64_t value)
{
    for (int32_t i = 0; i < p->n_values; i++)
        if (value < 0 ? p->values[i].value < 0 && str_equal_nocase(p->values[i].name, name)
                      : p->values[i].value == value)
            return i;
    return -1;
}

static Err add_value(Plan *p, const char *name, int64_t value, int32_t *ret_index)
{
    const int32_t known = find_value(p, name, value);
    if (known >= 0) {
        *ret_index = known;
        return ERR_NONE;
    }
    if (p->n_values == VECTOR_MOST_CLASSES)
        return err_set(ERR_INPUT, "the labels have more than %d classes in all", (int)VECTOR_MOST_CLASSES);
    PlanValue *v = &p->values[p->n_values];
    *v = (PlanValue){ .value = value, .class_index = -1 };
    TRY(str_copy(name, &v->name));
    *ret_index = p->n_values++;
    return ERR_NONE;
}

static Err add_item(Plan *p, const SplitItem *item)
{
    TRY(grow_array(&p->items, p->n_items, &p->capacity, sizeof *p->items, "the labels"));
    p->items[p->n_items++] = *item;
    return ERR_NONE;
}

/* The box in degrees around a rectangle of pixels, by places along its sides. False where its place is unknown. */
static bool degrees(Georeference *place, double x0, double y0, double x1, double y1, SplitItem *item)
{
    enum { SIDE = 5, POINTS = 4 * SIDE };
    double lon[POINTS];
    double lat[POINTS];
    for (int i = 0; i < SIDE; i++) {
        const double x = x0 + (x1 - x0) * i / (SIDE - 1);
        const double y = y0 + (y1 - y0) * i / (SIDE - 1);
        lon[i] = lon[SIDE + i] = x;
        lat[i] = y0;
        lat[SIDE + i] = y1;
        lon[2 * SIDE + i] = x0;
        lon[3 * SIDE + i] = x1;
        lat[2 * SIDE + i] = lat[3 * SIDE + i] = y;
    }
    georeference_to_lonlat(place, POINTS, lon, lat);
    item->west = item->east = lon[0];
    item->south = item->north = lat[0];
    for (int i = 0; i < POINTS; i++) {
        if (!isfinite(lon[i]) || !isfinite(lat[i])) return false;
        const double at = lon[i] - 360.0 * floor((lon[i] - lon[0]) / 360.0 + 0.5);
        item->west = fmin(item->west, at);
        item->east = fmax(item->east, at);
        item->south = fmin(item->south, lat[i]);
        item->north = fmax(item->north, lat[i]);
    }
    return true;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Pixels of the feature of middle size; the smallest such of all images counts. */
static Err measure_features(Plan *p, const VectorLabels *v)
{
    int64_t n = 0;
    double *sizes = malloc(((size_t)vector_labels_feature_count(v) + 1) * sizeof *sizes);
    if (sizes == NULL) return err_memory((size_t)vector_labels_feature_count(v) * sizeof *sizes, "the labels");
    for (int64_t i = 0; i < vector_labels_feature_count(v); i++) {
        const VectorFeature *f = vector_labels_feature(v, i);
        if (f->pixels > 0) sizes[n++] = (double)f->pixels;
    }
    qsort(sizes, (size_t)n, sizeof *sizes, by_size);
    if (n > 0 && (p->feature_pixels == 0.0 || sizes[n / 2] < p->feature_pixels)) p->feature_pixels = sizes[n / 2];
    free(sizes);
    return ERR_NONE;
}

static Err add_features(Plan *p, int32_t scene, const VectorLabels *v, Georeference *place)
{
    int32_t index[VECTOR_MOST_CLASSES];
    for (int32_t c = 0; c < vector_labels_class_count(v); c++) {
        const VectorClass *from = vector_labels_class(v, c);
        if (!vector_labels_is_text(v) && (from->value < 0 || from->value > 254))
            return err_set(
                ERR_INPUT,
                "'%s': field '%s' has the value %lld; class values are 0 to 254: renumber them, or name a field "
                "of texts with --field",
                vector_labels_path(v), vector_labels_field(v), (long long)from->value);
        TRY(add_value(p, from->name, vector_labels_is_text(v) ? -1 : from->value, &index[c]));
        PlanValue *value = &p->values[index[c]];
        value->pixels += (double)from->pixels;
        if (from->has_color) {
            value->has_color = true;
            value->color = from->color;
        }
    }
    for (int64_t i = 0; i < vector_labels_feature_count(v); i++) {
        const VectorFeature *f = vector_labels_feature(v, i);
        SplitItem item = { .scene = scene,
                           .class_index = index[f->class_index],
                           .x = (f->x0 + f->x1) / 2.0,
                           .y = (f->y0 + f->y1) / 2.0,
                           .pixels = (double)f->pixels };
        if (f->pixels > 0 && degrees(place, f->x0, f->y0, f->x1, f->y1, &item)) TRY(add_item(p, &item));
    }
    return measure_features(p, v);
}

static Err read_vector(Plan *p, int32_t scene, Georeference *place)
{
    const MetasegTrainPlan *given = p->given;
    const PlanScene *s = &p->scenes[scene];
    const VectorOptions options = {
        .layer = given->layer, .field = given->field, .crs = given->labels_crs, .buffer = given->buffer
    };
    VectorLabels *v = NULL;
    TRY(vector_labels_open(s->labels, &options, place, s->width, s->height, p->run != NULL ? p->run->stop : NULL, &v));
    Err err = add_features(p, scene, v, place);
    if (err == ERR_NONE) err = vector_census_add(&p->vectors, v);
    vector_labels_close(v);
    return err;
}

void plan_count_features(Plan *p)
{
    for (int64_t i = 0; i < p->vectors.n_layers; i++) {
        const VectorCensusLayer *l = &p->vectors.layers[i];
        for (int64_t c = 0; c < l->n_classes; c++) {
            const int32_t index = find_value(p, l->classes[c].name, l->is_text ? -1 : l->classes[c].value);
            if (index >= 0) p->values[index].features += l->classes[c].features;
        }
    }
}

/* ---- rasters ---- */

/* Counts of one block. */
static Err add_block(Plan *p, const Raster *labels, const double *counts)
{
    for (int value = 0; value < 255; value++) {
        int32_t index = 0;
        char digits[8];
        if (counts[value] <= 0.0) continue;
        const char *name = raster_class_name(labels, value);
        (void)snprintf(digits, sizeof digits, "%d", value);
        TRY(add_value(p, name[0] != '\0' ? name : digits, value, &index));
        PlanValue *v = &p->values[index];
        v->pixels += counts[value];
        if (!v->has_color) v->has_color = raster_class_color(labels, value, &v->color);
    }
    return ERR_NONE;
}

/* Values of a block's pixels: of a picture those of the classes with its colours. */
static Err block_values(const Plan *p, Labels *labels, const PlaceWindow *part, float *values, uint8_t *valid)
{
    const int64_t points = part->columns * part->rows;
    if (!p->colors) return raster_lookup_window(labels->lookup, part, values, valid);
    const LabelTable table = label_table(labels->options);
    TRY(labels_read(labels, &table, part, valid, NULL));
    for (int64_t i = 0; i < points; i++) {
        values[i] = valid[i] != CLASS_IGNORE ? (float)labels->options->classes[valid[i]].value : 0.0F;
        valid[i] = valid[i] != CLASS_IGNORE;
    }
    return ERR_NONE;
}

static Err read_block(Plan *p, Labels *labels, const PlaceWindow *part)
{
    const int64_t points = part->columns * part->rows;
    double counts[256] = { 0.0 };
    float *values = malloc((size_t)points * sizeof *values);
    uint8_t *valid = malloc((size_t)points);
    Err err = values != NULL && valid != NULL ? block_values(p, labels, part, values, valid)
                                              : err_memory((size_t)points * 5, "a block of labels");
    for (int64_t i = 0; err == ERR_NONE && i < points; i++)
        p->has_255 = p->has_255 || (valid[i] != 0 && values[i] == 255.0F);
    for (int64_t i = 0; err == ERR_NONE && i < points; i++)
        if (valid[i] != 0 && label_is_code(values[i])) counts[(int)values[i]] += part->step_x * part->step_y;
    if (err == ERR_NONE) err = add_block(p, labels->raster, counts);
    free(values);
    free(valid);
    return err;
}

static Err read_blocks(Plan *p, int32_t scene, Labels *labels)
{
    const PlanScene *s = &p->scenes[scene];
    const double step_x = fmax(1.0, ceil((double)s->width / PLAN_SAMPLES));
    const double step_y = fmax(1.0, ceil((double)s->height / PLAN_SAMPLES));
    const int64_t columns = (int64_t)ceil((double)s->width / step_x / PLAN_BLOCKS);
    const int64_t rows = (int64_t)ceil((double)s->height / step_y / PLAN_BLOCKS);
    for (int64_t i = 0; i < (int64_t)PLAN_BLOCKS * PLAN_BLOCKS; i++) {
        const double left = (double)(i % PLAN_BLOCKS * columns) * step_x;
        const double top = (double)(i / PLAN_BLOCKS * rows) * step_y;
        const int64_t fit_x = (int64_t)ceil(((double)s->width - left) / step_x);
        const int64_t fit_y = (int64_t)ceil(((double)s->height - top) / step_y);
        const PlaceWindow part = {
            left + step_x / 2.0,        top + step_y / 2.0, step_x, step_y, fit_x < columns ? fit_x : columns,
            fit_y < rows ? fit_y : rows
        };
        if (part.columns > 0 && part.rows > 0) TRY(read_block(p, labels, &part));
    }
    return ERR_NONE;
}

/* A picture is read by the colours of the class table. */
static Err look_for_picture(Plan *p, int32_t scene)
{
    Raster *raster = NULL;
    const char *path = p->scenes[scene].labels;
    TRY(raster_open(path, p->run != NULL ? p->run->stop : NULL, &raster));
    const bool picture = raster_is_color_picture(raster);
    raster_close(raster);
    if (picture && p->given->classes == NULL)
        return err_set(
            ERR_INPUT,
            "'%s': its bands are red, green and blue, a picture of classes; name a class table with these colours "
            "by --classes",
            path);
    if (scene > 0 && picture != p->colors)
        return err_set(ERR_INPUT, "'%s': this one is %s of classes, those before it are not; give labels of one kind",
                       path, picture ? "a picture" : "no picture");
    p->colors = picture;
    return ERR_NONE;
}

static Err read_raster(Plan *p, int32_t scene, ImageSource *image)
{
    Labels *labels = NULL;
    if (p->given->field != NULL || p->given->layer != NULL)
        return err_set(ERR_ARGUMENT, "'%s': --layer and --field are for vector files; this is a raster",
                       p->scenes[scene].labels);
    TRY(look_for_picture(p, scene));
    const DatasetOptions options = { .labels_kind = p->colors ? LABELS_COLORS : LABELS_CLASSES,
                                     .classes = p->classes.classes,
                                     .n_classes = p->classes.n_classes,
                                     .ignore = 255 };
    const LabelsPlace place = { .crs = p->given->labels_crs };
    TRY(labels_open(p->scenes[scene].labels, &options, &place, p->run != NULL ? p->run->stop : NULL, image->raster,
                    image->place, &labels));
    const Err err = read_blocks(p, scene, labels);
    labels_close(labels);
    return err;
}

Err plan_read_labels(Plan *plan, int32_t scene, ImageSource *image)
{
    PlanScene *s = &plan->scenes[scene];
    s->vector = vector_labels_is_vector(s->labels);
    if (s->vector && !s->placed)
        return err_set(ERR_INPUT,
                       "'%s': no georeference (%s), so the features of '%s' cannot be placed on it; name its CRS with "
                       "--crs, georeference it first, or give a raster of class values with the same pixels",
                       s->image, georeference_note(image->place), s->labels);
    return s->vector ? read_vector(plan, scene, image->place) : read_raster(plan, scene, image);
}
