/* SPDX-License-Identifier: Apache-2.0
 * Vector labels as label pixels on the image's grid. */
#include "data/labels_vector.h"

#include <stdlib.h>

enum { BLOCK = 256 }; /* side of the parts that are looked at */

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
        l->vector_values[i] =
            vector_labels_is_text(l->vector) ? label_value_of_name(options, c->name) : (float)c->value;
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
