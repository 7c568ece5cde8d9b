/* SPDX-License-Identifier: Apache-2.0
 * What a training window shows before its colours and its symmetry are drawn: its scale, windows of one class drawn again,
 * mosaics. */
#include "base/rng.h"
#include "data/dataset_internal.h"
#include "data/window_scale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    REDRAWS = 10,
    PARTS = 4,          /* of a mosaic: upper left, upper right, lower left, lower right */
    PART_ATTEMPTS = 32, /* draws for a part in the climate zone of the first one */
    DRAWS = 64,         /* numbers of RNG_CROP and RNG_MOSAIC for each window */
    DRAW_MOSAIC = 0,
    DRAW_SPLICE = 1, /* and the next one; then the corner of the window */
    DRAW_CORNER = 3,
};

static const uint64_t other_windows = UINT64_C(1)
                                      << 20; /* draws of a mosaic's parts begin behind those of all windows */

/* A mosaic as it grows, of the largest side, and room for cells while they are scaled. */
typedef struct Mosaic {
    float *image;
    uint8_t *valid, *labels, *probabilities;
} Mosaic;

static int64_t scaled_side(const DatasetOptions *o, double scale)
{
    const int64_t side = (int64_t)llround((double)o->window / scale);
    return side < 1 ? 1 : side;
}

int64_t reader_largest_side(const DatasetOptions *o)
{
    int64_t most = o->window;
    for (uint32_t i = 0; i < o->n_scales; i++)
        if (scaled_side(o, o->scales[i]) > most) most = scaled_side(o, o->scales[i]);
    return most;
}

Err reader_allocate_mosaic(DatasetReader *r)
{
    const Dataset *d = r->data;
    const size_t pixels = (size_t)(r->most * r->most), classes = (size_t)dataset_label_classes(d->options);
    if (d->options->mosaic <= 0.0 && d->options->n_scales == 0) return ERR_NONE;
    r->mosaic = calloc(1, sizeof *r->mosaic);
    if (r->mosaic == NULL) return err_memory(sizeof *r->mosaic, "a mosaic");
    r->mosaic->image = malloc(pixels * (size_t)d->bands * sizeof(float));
    r->mosaic->valid = malloc(pixels);
    r->mosaic->labels = malloc(pixels);
    if (classes > 0) r->mosaic->probabilities = malloc(pixels * classes);
    if (r->mosaic->image != NULL && r->mosaic->valid != NULL && r->mosaic->labels != NULL &&
        (classes == 0 || r->mosaic->probabilities != NULL))
        return ERR_NONE;
    return err_memory(pixels * ((size_t)d->bands * sizeof(float) + 2 + classes), "a mosaic");
}

void reader_free_mosaic(DatasetReader *r)
{
    if (r->mosaic == NULL) return;
    free(r->mosaic->image);
    free(r->mosaic->valid);
    free(r->mosaic->labels);
    free(r->mosaic->probabilities);
    free(r->mosaic);
    r->mosaic = NULL;
}

/* What was read and what the mosaic has change places. */
static void swap_buffers(DatasetReader *r)
{
    const Mosaic other = *r->mosaic;
    *r->mosaic = (Mosaic){ r->image, r->valid, r->labels, r->probabilities };
    r->image = other.image;
    r->valid = other.valid;
    r->labels = other.labels;
    r->probabilities = other.probabilities;
}

/* ---- windows of one class ---- */

static bool is_dominated(const uint8_t *labels, int64_t pixels, double part)
{
    int64_t counts[256] = { 0 }, most = 0, all = 0, classes = 0;
    for (int64_t i = 0; i < pixels; i++) counts[labels[i]]++;
    for (int32_t c = 0; c < CLASS_IGNORE; c++) {
        classes += counts[c] > 0;
        all += counts[c];
        if (counts[c] > most) most = counts[c];
    }
    return classes < 2 || (double)most >= part * (double)all;
}

/* Other places of the same scene, until one is not dominated; the last one stays if none is. */
static Err redraw(DatasetReader *r, Scene *s, uint64_t step, uint64_t index, Window *w)
{
    const Dataset *d = r->data;
    const DatasetOptions *o = d->options;
    const uint64_t seed = (uint64_t)o->seed;
    for (uint64_t k = 0; k < REDRAWS && o->redraw_above > 0.0; k++) {
        TRY(scene_read_labels(s, &d->table, w->x, w->y, w->side, r->labels, NULL));
        TRY(reader_keep_labels(r, s, *w, false));
        if (!is_dominated(r->labels, w->side * w->side, o->redraw_above)) return ERR_NONE;
        const int64_t columns = s->width - w->side + 1, rows = s->height - w->side + 1;
        Window other = *w;
        other.x = columns > 1 ? rng_below(seed, RNG_CROP, step, index * DRAWS + 2 * k, columns) : 0;
        other.y = rows > 1 ? rng_below(seed, RNG_CROP, step, index * DRAWS + 2 * k + 1, rows) : 0;
        if (!scene_window_touches(s, other.x, other.y, other.side, o->holdout, o->n_holdout)) *w = other;
    }
    return ERR_NONE;
}

/* Draws and reads a window of a side. */
static Err take(DatasetReader *r, uint64_t step, uint64_t index, int64_t side, Scene **ret_scene, Window *ret_window)
{
    Scene *s = NULL;
    Window w;
    TRY(reader_draw(r, step, index, side, &w));
    TRY(scene_pool_get(r->pool, (uint32_t)w.scene, NULL, &s));
    TRY(redraw(r, s, step, index, &w));
    TRY(reader_read_window(r, s, w));
    TRY(reader_keep_labels(r, s, w, false));
    *ret_scene = s;
    *ret_window = w;
    return ERR_NONE;
}

/* ---- mosaics ---- */

/* Columns and rows of a part of a window whose parts meet at (x, y). */
static RasterWindow part_of(int64_t part, int64_t x, int64_t y, int64_t side)
{
    const bool right = part % 2 == 1, lower = part >= 2;
    return (RasterWindow){
        .x = right ? x : 0, .y = lower ? y : 0, .columns = right ? side - x : x, .rows = lower ? side - y : y
    };
}

/* Copies a part of what was read to its place in the mosaic. */
static void keep_part(DatasetReader *r, RasterWindow part, int64_t side)
{
    const size_t bands = (size_t)r->data->bands, classes = (size_t)dataset_label_classes(r->data->options);
    for (int64_t y = part.y; y < part.y + part.rows; y++) {
        const size_t at = (size_t)(y * side + part.x), n = (size_t)part.columns;
        memcpy(r->mosaic->image + at * bands, r->image + at * bands, n * bands * sizeof(float));
        memcpy(r->mosaic->valid + at, r->valid + at, n);
        memcpy(r->mosaic->labels + at, r->labels + at, n);
        if (classes > 0) memcpy(r->mosaic->probabilities + at * classes, r->probabilities + at * classes, n * classes);
    }
}

/* A part in the same climate zone, so that one text is true of all; the first window again where none is met. */
static Err take_part(DatasetReader *r, uint64_t step, uint64_t index, uint64_t part, const Window *first)
{
    const Dataset *d = r->data;
    Scene *s = NULL;
    Window w;
    for (uint64_t attempt = 0; attempt < PART_ATTEMPTS; attempt++) {
        const uint64_t draw = index + other_windows * (part + PARTS * attempt);
        TRY(reader_draw(r, step, draw, first->side, &w));
        if (d->scenes[w.scene].zone != d->scenes[first->scene].zone) continue;
        return take(r, step, draw, first->side, &s, &w);
    }
    TRY(scene_pool_get(r->pool, (uint32_t)first->scene, NULL, &s));
    TRY(reader_read_window(r, s, *first));
    return reader_keep_labels(r, s, *first, false);
}

/* Four windows meet at a point in the middle half of a mosaic, from which the window is cut; parts that it does not reach are not read. */
static Err compose(DatasetReader *r, uint64_t step, uint64_t index, const Window *first)
{
    const DatasetOptions *o = r->data->options;
    const uint64_t seed = (uint64_t)o->seed, draw = index * DRAWS;
    const int64_t side = first->side, whole = o->mosaic_side > side ? o->mosaic_side : side;
    int64_t meet[2];
    for (uint64_t axis = 0; axis < 2; axis++) {
        const int64_t splice = whole / 4 + rng_below(seed, RNG_MOSAIC, step, draw + DRAW_SPLICE + axis, whole / 2 + 1);
        const int64_t corner = rng_below(seed, RNG_MOSAIC, step, draw + DRAW_CORNER + axis, whole - side + 1);
        const int64_t at = splice - corner;
        meet[axis] = at < 0 ? 0 : at > side ? side : at;
    }
    for (int64_t part = 0; part < PARTS; part++) {
        const RasterWindow place = part_of(part, meet[0], meet[1], side);
        if (place.columns == 0 || place.rows == 0) continue;
        if (part > 0) TRY(take_part(r, step, index, (uint64_t)part, first));
        keep_part(r, place, side);
    }
    swap_buffers(r);
    return ERR_NONE;
}

/* ---- scales ---- */

static int64_t draw_side(const DatasetOptions *o, uint64_t step, uint64_t index)
{
    if (o->n_scales == 0) return o->window;
    return scaled_side(o, o->scales[rng_below((uint64_t)o->seed, RNG_SCALE, step, index, (int64_t)o->n_scales)]);
}

/* From the side that was read to that of the network. */
static Err bring_to_side(DatasetReader *r, int64_t from)
{
    const Dataset *d = r->data;
    const size_t classes = (size_t)dataset_label_classes(d->options);
    if (from == d->side) return ERR_NONE;
    TRY(window_scale_image(r->image, from, d->bands, d->side, r->mosaic->image));
    window_scale_cells(r->valid, from, 1, d->side, r->mosaic->valid);
    window_scale_cells(r->labels, from, 1, d->side, r->mosaic->labels);
    if (classes > 0) window_scale_cells(r->probabilities, from, classes, d->side, r->mosaic->probabilities);
    swap_buffers(r);
    for (int64_t i = 0; i < d->side * d->side; i++)
        if (r->valid[i] == 0) memset(r->image + i * d->bands, 0, (size_t)d->bands * sizeof(float));
    return ERR_NONE;
}

Err reader_window(DatasetReader *r, uint64_t step, uint64_t index, Scene **ret_scene, Window *ret_window)
{
    const DatasetOptions *o = r->data->options;
    const int64_t side = draw_side(o, step, index);
    const double mosaic = (double)rng_uniform((uint64_t)o->seed, RNG_MOSAIC, step, index * DRAWS + DRAW_MOSAIC);
    TRY(take(r, step, index, side, ret_scene, ret_window));
    if (mosaic < o->mosaic) {
        TRY(compose(r, step, index, ret_window));
        /* reading the parts may have closed the first one's scene */
        TRY(scene_pool_get(r->pool, (uint32_t)ret_window->scene, NULL, ret_scene));
    }
    return bring_to_side(r, side);
}
