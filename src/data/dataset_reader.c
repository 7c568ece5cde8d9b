/* SPDX-License-Identifier: Apache-2.0
 * Windows for training and validation; the promises are in dataset.h. */
#include "data/dataset_internal.h"

#include "base/rng.h"
#include "data/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATISTICS_WINDOWS = 64,
    ATTEMPTS = 64,        /* windows tried first for a place in a batch; their draws lie side by side */
    MORE_ATTEMPTS = 4096, /* and then, before a step gives up */
    DRAW_JITTER = 1,
    DRAW_TEXT = 0,
    DRAW_STRETCH = 2, /* of RNG_BANDS, beside those of band_draw.c */
};

static const uint64_t more_draws = UINT64_C(1) << 40; /* draws of MORE_ATTEMPTS begin here */

Err reader_allocate(DatasetReader *r)
{
    const Dataset *d = r->data;
    r->most = reader_largest_side(d->options);
    const size_t pixels = (size_t)(r->most * r->most);
    r->image = malloc(pixels * (size_t)d->bands * sizeof(float));
    r->turned = malloc(pixels * (size_t)d->bands * sizeof(float));
    r->shares = malloc(pixels / 256 * (ZONE_SLOTS + 1) * sizeof(float));
    r->valid = malloc(pixels);
    r->labels = malloc(pixels);
    r->lonlat = malloc(2 * pixels * sizeof(double));
    const size_t classes = (size_t)dataset_label_classes(d->options);
    if (classes > 0) r->probabilities = malloc(pixels * classes);
    if (r->image == NULL || r->turned == NULL || r->shares == NULL || r->valid == NULL || r->labels == NULL ||
        r->lonlat == NULL || (classes > 0 && r->probabilities == NULL))
        return err_memory(pixels * 32, "a window of the data set");
    return reader_allocate_mosaic(r);
}

Err dataset_reader_new(const Dataset *data, DatasetReader **ret_reader)
{
    DatasetReader *r = calloc(1, sizeof *r);
    if (r == NULL) return err_memory(sizeof *r, "a reader of the data set");
    r->data = data;
    Err err = scene_pool_new(data->options, data->climate, &r->pool);
    if (err == ERR_NONE && data->bands > 0) err = reader_allocate(r);
    if (err == ERR_NONE)
        *ret_reader = r;
    else
        dataset_reader_free(r);
    return err;
}

void dataset_reader_free(DatasetReader *r)
{
    if (r == NULL) return;
    scene_pool_free(r->pool);
    reader_free_mosaic(r);
    free(r->image);
    free(r->turned);
    free(r->shares);
    free(r->valid);
    free(r->labels);
    free(r->probabilities);
    free(r->lonlat);
    free(r);
}

/* A label pixel -> corner of a window that holds its centre at a random position of the window's middle half, inside the
 * scene if it can be. */
static Err window_corner(DatasetReader *r, Scene *s, SamplerPlace place, uint64_t step, uint64_t draw, Window *w)
{
    const Dataset *d = r->data;
    const uint64_t seed = (uint64_t)d->options->seed;
    const double side = (double)w->side;
    const double u = (double)rng_uniform(seed, RNG_AUGMENT, step, draw * 64 + DRAW_JITTER) - 0.5;
    const double v = (double)rng_uniform(seed, RNG_AUGMENT, step, draw * 64 + DRAW_JITTER + 1) - 0.5;
    const PlaceWindow centre = { (double)place.column + 0.5, (double)place.row + 0.5, 1.0, 1.0, 1, 1 };
    double column = 0.0;
    double row = 0.0;
    TRY(place_lookup_window(s->labels->to_image, &centre, &column, &row));
    const double x = floor((double)(float)(column * s->upsample_x) - side * (0.5 + 0.5 * u));
    const double y = floor((double)(float)(row * s->upsample_y) - side * (0.5 + 0.5 * v));
    w->x = (int64_t)fmax(0.0, fmin(x, (double)(s->width - w->side)));
    w->y = (int64_t)fmax(0.0, fmin(y, (double)(s->height - w->side)));
    return ERR_NONE;
}

Err reader_draw(DatasetReader *r, uint64_t step, uint64_t index, int64_t side, Window *ret_window)
{
    const Dataset *d = r->data;
    const DatasetOptions *options = d->options;
    for (uint64_t attempt = 0; attempt < ATTEMPTS + MORE_ATTEMPTS; attempt++) {
        const uint64_t draw =
            attempt < ATTEMPTS ? index * ATTEMPTS + attempt : more_draws + index * MORE_ATTEMPTS + attempt - ATTEMPTS;
        const SamplerPlace place = sampler_draw(d->sampler, step, draw);
        Scene *s = NULL;
        Window w = { .scene = place.scene, .side = side };
        TRY(scene_pool_get(r->pool, (uint32_t)place.scene, NULL, &s));
        TRY(window_corner(r, s, place, step, draw, &w));
        if (scene_window_touches(s, w.x, w.y, side, options->holdout, options->n_holdout)) continue;
        *ret_window = w;
        return ERR_NONE;
    }
    return err_set(ERR_INPUT,
                   "no window of %lld pixels fits between the holdout boxes; make them or the window smaller",
                   (long long)d->side);
}

Err reader_read_labels(DatasetReader *r, Scene *s, Window w)
{
    const Dataset *d = r->data;
    TRY(scene_read_labels(s, &d->table, w.x, w.y, w.side, r->labels, r->probabilities));
    for (int64_t i = 0; i < w.side * w.side; i++) {
        if (r->valid[i] == 0) r->labels[i] = CLASS_IGNORE;
    }
    return ERR_NONE;
}

Err reader_keep_labels(DatasetReader *r, Scene *s, Window w, bool validation)
{
    const Dataset *d = r->data;
    const DatasetOptions *options = d->options;
    if (d->blocks != NULL)
        validation_blocks_keep(d->blocks, (uint32_t)w.scene, w.x, w.y, w.side, validation, r->labels);
    const bool boxes =
        w.box >= 0 || scene_window_touches(s, w.x, w.y, w.side, options->validation, options->n_validation);
    const bool holdout = validation && scene_window_touches(s, w.x, w.y, w.side, options->holdout, options->n_holdout);
    if (!boxes && !holdout) return ERR_NONE;
    double *lon = r->lonlat;
    double *lat = r->lonlat + w.side * w.side;
    TRY(scene_lonlat(s, w.x, w.y, w.side, lon, lat));
    const int64_t wanted = validation ? w.box : -1;
    for (int64_t i = 0; i < w.side * w.side; i++)
        if (boxes_find(options->validation, options->n_validation, lon[i], lat[i]) != wanted ||
            (holdout && boxes_find(options->holdout, options->n_holdout, lon[i], lat[i]) >= 0))
            r->labels[i] = CLASS_IGNORE;
    return ERR_NONE;
}

Err reader_read_window(DatasetReader *r, Scene *s, Window w)
{
    const Dataset *d = r->data;
    if (s->image->bands == NULL) TRY(image_source_normalise(s->image, d->normalisation));
    TRY(image_source_read(s->image, w.x, w.y, w.side, r->image, r->valid));
    return reader_read_labels(r, s, w);
}

Err dataset_statistics(DatasetReader *r, double *ret_mean, double *ret_std)
{
    const Dataset *d = r->data;
    const DatasetOptions *options = d->options;
    if (options->n_mean > 0) {
        if (options->n_mean != (uint32_t)d->bands || options->n_std != (uint32_t)d->bands)
            return err_set(ERR_CONFIG, "model.mean and model.std need %lld values, one per band", (long long)d->bands);
        memcpy(ret_mean, options->mean, (size_t)d->bands * sizeof *ret_mean);
        memcpy(ret_std, options->std, (size_t)d->bands * sizeof *ret_std);
        return ERR_NONE;
    }
    enum { MOST_BANDS = 64 };
    double sum[MOST_BANDS] = { 0.0 };
    double squares[MOST_BANDS] = { 0.0 };
    int64_t count = 0;
    if (d->bands > MOST_BANDS)
        return err_set(ERR_INPUT, "%lld bands; at most %d", (long long)d->bands, (int)MOST_BANDS);
    for (uint64_t i = 0; i < STATISTICS_WINDOWS; i++) {
        Window w;
        Scene *s = NULL;
        TRY(reader_draw(r, 0, i, d->side, &w));
        TRY(scene_pool_get(r->pool, (uint32_t)w.scene, NULL, &s));
        ASSERT(s->image->bands == NULL); /* no window was read yet */
        TRY(image_source_read(s->image, w.x, w.y, d->side, r->image, r->valid));
        ImageUnits units[MOST_BANDS];
        for (int64_t b = 0; b < d->bands; b++) units[b] = image_source_units(s->image, b, &d->normalisation[b]);
        for (int64_t p = 0; p < d->side * d->side; p++) {
            if (r->valid[p] == 0) continue;
            count++;
            for (int64_t b = 0; b < d->bands; b++) {
                const double pixel = units[b].factor * (double)r->image[p * d->bands + b] + units[b].offset;
                const double value = image_transformed(options->transform, pixel);
                sum[b] += value;
                squares[b] += value * value;
            }
        }
    }
    for (int64_t b = 0; b < d->bands; b++) {
        ret_mean[b] = count > 0 ? sum[b] / (double)count : 0.0;
        const double variance = count > 0 ? squares[b] / (double)count - ret_mean[b] * ret_mean[b] : 1.0;
        ret_std[b] = variance > 0.0 ? sqrt(variance) : 1.0;
    }
    return ERR_NONE;
}

/* The bands that are there as a picture of bytes. plain: nothing is drawn. */
static void make_picture(DatasetReader *r, const bool *there, bool plain, uint64_t step, uint64_t index)
{
    const Dataset *d = r->data;
    const DatasetOptions *options = d->options;
    const Picture picture = {
        .there = there, .bands = d->normalisation, .byte_scale = options->byte_scale, .plain = plain
    };
    augment_picture(&picture, r->image, r->valid, d->side * d->side, d->bands, (uint64_t)options->seed, step, index);
}

/* What training sees of the values that were read; ret_there: of which bands. */
static void augment_values(DatasetReader *r, uint64_t step, uint64_t index, bool ret_there[MODEL_MAX_BANDS])
{
    const Dataset *d = r->data;
    const DatasetOptions *options = d->options;
    const uint64_t seed = (uint64_t)options->seed;
    const int64_t pixels = d->side * d->side;
    augment_color(r->image, r->valid, pixels, d->bands, options->color_jitter, seed, step, index);
    augment_noise(r->image, r->valid, pixels, d->bands, options->noise, seed, step, index);
    const bool colours = band_sets_draw(&d->sets, seed, step, index, ret_there);
    if (colours && (double)rng_uniform(seed, RNG_BANDS, step, index * 64 + DRAW_STRETCH) < options->stretch)
        make_picture(r, ret_there, false, step, index);
}

/* Applies one symmetry to all layers on the way into the batch. there: of each band. */
static void deliver(DatasetReader *r, Symmetry symmetry, const bool *there, const NetworkInputs *image)
{
    const Dataset *d = r->data;
    int32_t source[MODEL_MAX_BANDS];
    for (int64_t b = 0; b < d->bands; b++) source[b] = there[b] ? (int32_t)b : -1;
    float *to = image->shape.presence ? r->turned : image->image;
    augment_square(symmetry, r->image, to, d->side, (size_t)d->bands * sizeof(float));
    if (image->shape.presence) network_inputs_fill_image(image, r->turned, d->bands, source);
    augment_square(symmetry, r->labels, image->labels, d->side, 1);
    if (image->label_probabilities == NULL) return;
    augment_square(symmetry, r->probabilities, image->label_probabilities, d->side,
                   (size_t)dataset_label_classes(d->options));
}

static Err deliver_text(DatasetReader *r, const Scene *s, Window w, Symmetry symmetry, bool null_prompt,
                        const int32_t *wordings, const PromptTable *table, const NetworkInputs *image)
{
    const Dataset *d = r->data;
    if (image->tokens == NULL) return ERR_NONE;
    const int64_t cells = d->side / 16;
    int32_t zones[ZONE_SLOTS] = { 0 };
    int32_t entries[ZONE_SLOTS] = { -1, -1, -1, -1 };
    if (null_prompt || d->climate == NULL) {
        text_inputs_fill(table, entries, wordings, NULL, image);
        return ERR_NONE;
    }
    bool known = false;
    const int64_t middle =
        (w.side - d->side) / 2; /* zones change over kilometres: those around the middle of a scaled window */
    TRY(image_source_shares(s->image, w.x + middle, w.y + middle, d->side, &known, zones, r->shares));
    ASSERT(known);
    float *turned = r->image; /* already delivered: free to use */
    augment_square(symmetry, r->shares, turned, cells, (ZONE_SLOTS + 1) * sizeof(float));
    text_inputs_entries(table, ZONE_SLOTS, zones, entries);
    text_inputs_fill(table, entries, wordings, turned, image);
    return ERR_NONE;
}

static Err check_shape(DatasetReader *r, const NetworkShape *s)
{
    const Dataset *d = r->data;
    if (s->batch == 1 && s->height == d->side && s->width == d->side && s->bands == d->bands &&
        (s->tokens == 0 || s->slots == ZONE_SLOTS) &&
        (s->label_classes == 0 || s->label_classes == dataset_label_classes(d->options)))
        return ERR_NONE;
    return err_set(ERR_SHAPE,
                   "a window of %lld x %lld pixels with %lld bands was wanted; the data set has %lld x %lld with %lld",
                   (long long)s->height, (long long)s->width, (long long)s->bands, (long long)d->side,
                   (long long)d->side, (long long)d->bands);
}

Err dataset_training_window(DatasetReader *r, uint64_t step, uint64_t index, const PromptTable *table,
                            NetworkInputs image)
{
    const Dataset *d = r->data;
    const DatasetOptions *options = d->options;
    const uint64_t seed = (uint64_t)options->seed;
    Window w;
    Scene *s = NULL;
    TRY(check_shape(r, &image.shape));
    TRY(reader_window(r, step, index, &s, &w));
    bool there[MODEL_MAX_BANDS];
    augment_values(r, step, index, there);
    const Symmetry symmetry = augment_symmetry(seed, step, index, options->flips, options->rotations);
    deliver(r, symmetry, there, &image);
    const bool null_prompt = (double)rng_uniform(seed, RNG_TEXT, step, index * 16 + DRAW_TEXT) < options->text_dropout;
    int32_t wordings[ZONE_SLOTS] = { 0 };
    for (uint64_t k = 0; table != NULL && table->count > 0 && k < ZONE_SLOTS; k++)
        wordings[k] = (int32_t)rng_below(seed, RNG_TEXT, step, index * 16 + 1 + k, table->wordings);
    return deliver_text(r, s, w, symmetry, null_prompt, wordings, table, &image);
}

Err dataset_validation_window(DatasetReader *r, int64_t index, int64_t set, const PromptTable *table,
                              NetworkInputs image)
{
    const Dataset *d = r->data;
    const BandSet *shown = set < 0 ? &d->sets.all : &d->sets.sets[set];
    const Window w = d->validation[index];
    Scene *s = NULL;
    TRY(check_shape(r, &image.shape));
    TRY(scene_pool_get(r->pool, (uint32_t)w.scene, NULL, &s));
    TRY(reader_read_window(r, s, w));
    TRY(reader_keep_labels(r, s, w, true));
    if (set >= 0 && shown->colours && d->options->stretch > 0.0) make_picture(r, shown->there, true, 0, 0);
    deliver(r, (Symmetry){ 0 }, shown->there, &image);
    const int32_t wordings[ZONE_SLOTS] = { 0 };
    return deliver_text(r, s, w, (Symmetry){ 0 }, false, wordings, table, &image);
}
