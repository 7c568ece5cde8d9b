/* SPDX-License-Identifier: Apache-2.0
 * Vector labels as label pixels on the image's grid, and what is told of them. */
#include "data/labels_vector.h"

#include "base/report.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256 }; /* side of the parts that are looked at */

static float value_of_text(const DatasetOptions *options, const char *name)
{
    for (uint32_t c = 0; c < options->n_classes; c++)
        if (strcmp(options->classes[c].name, name) == 0) return (float)options->classes[c].value;
    for (uint32_t c = 0; c < options->n_classes; c++)
        if (str_equal_nocase(options->classes[c].name, name)) return (float)options->classes[c].value;
    return -1.0F;
}

static Err open_vector(Labels *l, const char *path, const VectorOptions *vector, const DatasetOptions *options,
                       Georeference *image, const volatile int *stop)
{
    TRY(vector_labels_open(path, vector, image, l->width, l->height, stop, &l->vector));
    const int32_t n = vector_labels_class_count(l->vector);
    l->place = image;
    l->vector_values = calloc((size_t)n + 1, sizeof *l->vector_values);
    if (l->vector_values == NULL) return err_memory((size_t)n * sizeof *l->vector_values, "the classes of the labels");
    for (int32_t i = 0; i < n; i++) {
        const VectorClass *c = vector_labels_class(l->vector, i);
        l->vector_values[i] = vector_labels_is_text(l->vector) ? value_of_text(options, c->name) : (float)c->value;
    }
    return place_lookup_new(image, image, &l->to_image);
}

Err labels_open_vector(const char *path, const VectorOptions *vector, const DatasetOptions *options,
                       Georeference *image, int64_t width, int64_t height, const volatile int *stop,
                       Labels **ret_labels)
{
    Labels *l = calloc(1, sizeof *l);
    if (l == NULL) return err_memory(sizeof *l, "vector labels");
    *l = (Labels){ .bands = 1, .options = options, .width = width, .height = height };
    const Err err = open_vector(l, path, vector, options, image, stop);
    if (err == ERR_NONE)
        *ret_labels = l;
    else
        labels_close(l);
    return err;
}

Err labels_vector_values(Labels *l, RasterWindow w, float *ret_values, uint8_t *ret_valid)
{
    const int64_t pixels = w.columns * w.rows;
    const PlaceWindow window = { (double)w.x + 0.5, (double)w.y + 0.5, 1.0, 1.0, w.columns, w.rows };
    const bool text = vector_labels_is_text(l->vector);
    if (pixels > l->vector_pixels) {
        free(l->vector_window);
        l->vector_window = malloc((size_t)pixels);
        l->vector_pixels = l->vector_window != NULL ? pixels : 0;
        if (l->vector_window == NULL) return err_memory((size_t)pixels, "a window of labels");
    }
    TRY(vector_labels_read(l->vector, &window, l->vector_window));
    for (int64_t i = 0; i < pixels; i++) {
        const uint8_t index = l->vector_window[i];
        const float value = index != VECTOR_NO_LABEL ? l->vector_values[index] : -1.0F;
        ret_valid[i] = index != VECTOR_NO_LABEL && !(text && value < 0.0F);
        ret_values[i] = ret_valid[i] ? value : 0.0F;
    }
    return ERR_NONE;
}

/* Marks the blocks that a feature touches. */
static void mark(const Labels *l, const VectorFeature *f, int64_t columns, uint8_t *marked)
{
    const int64_t x1 = (int64_t)f->x1 < l->width ? (int64_t)f->x1 : l->width - 1;
    const int64_t y1 = (int64_t)f->y1 < l->height ? (int64_t)f->y1 : l->height - 1;
    for (int64_t y = (int64_t)f->y0 / BLOCK; y <= y1 / BLOCK; y++)
        for (int64_t x = (int64_t)f->x0 / BLOCK; x <= x1 / BLOCK; x++) marked[y * columns + x] = 1;
}

Err labels_vector_parts(Labels *l, RasterWindow **ret_parts, int64_t *ret_count)
{
    const int64_t columns = (l->width + BLOCK - 1) / BLOCK;
    const int64_t rows = (l->height + BLOCK - 1) / BLOCK;
    int64_t n = 0;
    uint8_t *marked = calloc((size_t)(columns * rows), 1);
    if (marked == NULL) return err_memory((size_t)(columns * rows), "the labels");
    for (int64_t i = 0; i < vector_labels_feature_count(l->vector); i++)
        mark(l, vector_labels_feature(l->vector, i), columns, marked);
    for (int64_t i = 0; i < columns * rows; i++) n += marked[i];
    RasterWindow *parts = malloc(((size_t)n + 1) * sizeof *parts);
    for (int64_t i = 0, k = 0; parts != NULL && i < columns * rows; i++) {
        if (marked[i] == 0) continue;
        const int64_t x = i % columns * BLOCK;
        const int64_t y = i / columns * BLOCK;
        parts[k++] = (RasterWindow){ x, y, l->width - x < BLOCK ? l->width - x : BLOCK,
                                     l->height - y < BLOCK ? l->height - y : BLOCK };
    }
    free(marked);
    if (parts == NULL) return err_memory((size_t)n * sizeof *parts, "the labels");
    *ret_parts = parts;
    *ret_count = n;
    return ERR_NONE;
}

/* "12 features have no class (the first is feature 3)": count, and what of them. */
static void tell_features(const MetasegRun *run, int level, const char *path, int64_t count, int64_t first,
                          const char *what)
{
    if (count == 0) return;
    report_message(run, level, "'%s': %lld feature%s %s (FID %lld%s)", path, (long long)count, count > 1 ? "s" : "",
                   what, (long long)first, count > 1 ? " is the first" : "");
}

static void tell_names(const Labels *l, const MetasegRun *run)
{
    const VectorLabels *v = l->vector;
    for (int32_t i = 0; i < vector_labels_class_count(v) && vector_labels_is_text(v); i++) {
        const VectorClass *c = vector_labels_class(v, i);
        if (l->vector_values[i] < 0.0F)
            report_message(run, 1, "'%s': no class is called '%s'; its %lld features (%lld pixels) are not learned",
                           vector_labels_path(v), c->name, (long long)c->features, (long long)c->pixels);
        for (int32_t k = 0; k < i; k++)
            if (l->vector_values[i] == l->vector_values[k] &&
                str_equal_nocase(c->name, vector_labels_class(v, k)->name))
                report_message(run, 1, "'%s': '%s' and '%s' differ in case alone; both are one class",
                               vector_labels_path(v), vector_labels_class(v, k)->name, c->name);
    }
}

void labels_tell(const Labels *l, const MetasegRun *run)
{
    if (l->vector == NULL) return;
    const VectorFindings *f = vector_labels_findings(l->vector);
    const char *path = vector_labels_path(l->vector);
    report_message(run, 0, "'%s': %lld of %lld features of layer '%s' lie on the image, their class is in field '%s'",
                   path, (long long)vector_labels_feature_count(l->vector), (long long)f->features,
                   vector_labels_layer(l->vector), vector_labels_field(l->vector));
    tell_names(l, run);
    tell_features(run, 1, path, f->null_fields, f->first_null, "without a class (the field is empty): not learned");
    tell_features(run, 1, path, f->empty, f->first_empty, "without a geometry: not learned");
    tell_features(run, 1, path, f->far, f->first_far, "beyond the domain of the image's projection: not learned");
    if (f->beside > 0)
        report_message(run, 1, "'%s': %lld of %lld features lie beside the image: not learned", path,
                       (long long)f->beside, (long long)f->features);
    if (f->partly > 0)
        report_message(run, 0, "'%s': %lld features lie partly beside the image; what lies on it is learned", path,
                       (long long)f->partly);
    tell_features(run, 1, path, f->small, f->first_small, "on the image without the centre of any pixel: not learned");
    tell_features(run, 1, path, f->repaired, f->first_repaired, "crossed itself and was made valid");
    if (f->overlapped > 0)
        report_message(run, f->contradicting > 0 ? 1 : 0,
                       "'%s': %lld pixels have more than one feature, %lld of them with different classes; the last "
                       "feature of the layer has them",
                       path, (long long)f->overlapped, (long long)f->contradicting);
    if (f->widened > 0)
        report_message(run, 0, "'%s': %lld lines and points were widened by the buffer", path, (long long)f->widened);
}
