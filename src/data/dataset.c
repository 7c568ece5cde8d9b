/* SPDX-License-Identifier: Apache-2.0
 * Windows for training and validation; the promises are in the header. */
#include "data/dataset.h"

#include "base/rng.h"
#include "data/augment.h"
#include "data/image_source.h"
#include "data/sampler.h"
#include "data/scene.h"
#include "geo/zone_shares.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLACES_PER_CLASS = 200000, /* kept by the sampler */
    CANDIDATES = 8000000,      /* label pixels looked at per scene, about */
    STATISTICS_WINDOWS = 64,
    ATTEMPTS = 64, /* windows tried before a step gives up */
    DRAW_JITTER = 1,
    DRAW_TEXT = 0,
};

typedef struct ValidationWindow {
    int32_t scene;
    int64_t x, y;
} ValidationWindow;

struct Dataset {
    const DatasetOptions *options;
    const Climate *climate;
    Scene **scenes;
    ZoneSampler **zones; /* of each scene, NULL without a climate map */
    Sampler *sampler;
    bool unsampled[256]; /* class indexes that windows are not drawn for */
    int64_t bands, side;
    ImageBand *normalisation; /* [bands] */
    ValidationWindow *validation;
    int64_t n_validation;
    float *image, *shares; /* a window before its symmetry is applied */
    uint8_t *valid, *labels;
    double *lonlat; /* [2, side, side] */
};

static Err allocate(Dataset *d)
{
    const size_t pixels = (size_t)(d->side * d->side);
    d->image = malloc(pixels * (size_t)d->bands * sizeof(float));
    d->shares = malloc(pixels / 256 * (ZONE_SLOTS + 1) * sizeof(float));
    d->valid = malloc(pixels);
    d->labels = malloc(pixels);
    d->lonlat = malloc(2 * pixels * sizeof(double));
    d->normalisation = calloc((size_t)d->bands, sizeof *d->normalisation);
    if (d->image == NULL || d->shares == NULL || d->valid == NULL || d->labels == NULL || d->lonlat == NULL ||
        d->normalisation == NULL)
        return err_memory(pixels * 32, "a window of the data set");
    for (int64_t b = 0; b < d->bands; b++) d->normalisation[b] = (ImageBand){ .scale = 1.0, .std = 1.0 };
    return ERR_NONE;
}

static Err open_scenes(Dataset *d)
{
    const DatasetOptions *options = d->options;
    d->scenes = calloc(options->n_scenes, sizeof(Scene *));
    d->zones = calloc(options->n_scenes, sizeof(ZoneSampler *));
    if (d->scenes == NULL || d->zones == NULL) return err_memory(options->n_scenes * sizeof(Scene *), "the scenes");
    for (uint32_t i = 0; i < options->n_scenes; i++) {
        TRY(scene_open(d->options, i, &d->scenes[i]));
        const int64_t bands = raster_chosen_count(d->scenes[i]->image);
        if (i > 0 && bands != d->bands)
            return err_set(ERR_CONFIG, "scene '%s' has %lld bands, the first one %lld; choose bands alike",
                           options->scenes[i].name, (long long)bands, (long long)d->bands);
        d->bands = bands;
        if (d->climate == NULL) continue;
        const RasterInfo *info = raster_info(d->scenes[i]->image);
        TRY(zone_sampler_new(d->climate, d->scenes[i]->image_place, info->width, info->height, zone_share_defaults(),
                             &d->zones[i]));
    }
    return ERR_NONE;
}

/* One row of label pixels, `step` apart: offers those with a class, outside all boxes and inside the image. */
static Err add_row(Dataset *d, uint32_t scene_index, int64_t row, int64_t step, const float *values,
                   const uint8_t *valid, double *u, double *v)
{
    Scene *s = d->scenes[scene_index];
    const DatasetOptions *options = d->options;
    const int64_t width = raster_info(s->labels)->width;
    const int64_t n = (width + step - 1) / step;
    for (int64_t i = 0; i < n; i++) {
        u[i] = (double)(i * step) + 0.5;
        v[i] = (double)row + 0.5;
    }
    georeference_to_lonlat(s->label_place, n, u, v);
    double *x = u + n;
    double *y = v + n;
    memcpy(x, u, (size_t)n * sizeof *x);
    memcpy(y, v, (size_t)n * sizeof *y);
    georeference_to_pixel(s->image_place, n, x, y);
    for (int64_t i = 0; i < n; i++) {
        const float value = values[i * step];
        if (valid[i * step] == 0 || !(value >= 0.0F && value <= 255.0F)) continue;
        const uint8_t c = s->class_of[(int32_t)value];
        const double px = x[i] * s->upsample_x;
        const double py = y[i] * s->upsample_y;
        if (c == CLASS_IGNORE || d->unsampled[c] ||
            !(px >= 0.0 && py >= 0.0 && px < (double)s->width && py < (double)s->height))
            continue;
        if (boxes_contain(options->holdout, options->n_holdout, u[i], v[i]) ||
            boxes_contain(options->validation, options->n_validation, u[i], v[i]))
            continue;
        const double degree = 3.14159265358979323846 / 180.0;
        const bool geographic = isfinite(georeference_sampling(s->label_place).degrees);
        const float area = geographic ? (float)fmax(cos(v[i] * degree), 1e-3) : 1.0F;
        TRY(sampler_add(d->sampler, c, (SamplerPlace){ (int32_t)scene_index, (float)px, (float)py }, area));
    }
    return ERR_NONE;
}

static Err scan_labels(Dataset *d, uint32_t scene_index)
{
    Scene *s = d->scenes[scene_index];
    const RasterInfo *info = raster_info(s->labels);
    const double pixels = (double)info->width * (double)info->height;
    const int64_t step = (int64_t)fmax(1.0, ceil(sqrt(pixels / CANDIDATES)));
    const size_t width = (size_t)info->width;
    float *values = malloc(width * (sizeof(float) + 1));
    double *positions = malloc(4 * (width + 1) * sizeof *positions);
    Err err = ERR_NONE;
    if (values == NULL || positions == NULL) err = err_memory(width * 37, "a row of labels");
    for (int64_t row = step / 2; err == ERR_NONE && row < info->height; row += step) {
        uint8_t *valid = (uint8_t *)(values + width);
        const RasterWindow window = { .x = 0, .y = row, .columns = info->width, .rows = 1 };
        err = raster_read(s->labels, window, values, valid);
        if (err == ERR_NONE)
            err = add_row(d, scene_index, row, step, values, valid, positions, positions + 2 * width + 2);
    }
    free(values);
    free(positions);
    return err;
}

/* Box in pixels of the network's grid, from its outline; false when it misses the scene. */
static bool box_pixels(Scene *s, const DatasetBox *box, int64_t *ret_x0, int64_t *ret_y0, int64_t *ret_x1,
                       int64_t *ret_y1)
{
    enum { NODES = 9 };
    double x[NODES * NODES];
    double y[NODES * NODES];
    for (int64_t i = 0; i < NODES * NODES; i++) {
        x[i] = box->west + (box->east - box->west) * (double)(i % NODES) / (NODES - 1);
        y[i] = box->south + (box->north - box->south) * (double)(i / NODES) / (NODES - 1);
    }
    georeference_to_pixel(s->image_place, NODES * NODES, x, y);
    double x0 = (double)INFINITY;
    double y0 = (double)INFINITY;
    double x1 = -(double)INFINITY;
    double y1 = -(double)INFINITY;
    for (int64_t i = 0; i < NODES * NODES; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i])) continue;
        x0 = fmin(x0, x[i] * s->upsample_x);
        x1 = fmax(x1, x[i] * s->upsample_x);
        y0 = fmin(y0, y[i] * s->upsample_y);
        y1 = fmax(y1, y[i] * s->upsample_y);
    }
    *ret_x0 = (int64_t)fmax(floor(x0), 0.0);
    *ret_y0 = (int64_t)fmax(floor(y0), 0.0);
    *ret_x1 = (int64_t)fmin(ceil(x1), (double)s->width);
    *ret_y1 = (int64_t)fmin(ceil(y1), (double)s->height);
    return x0 < x1 && *ret_x0 < *ret_x1 && *ret_y0 < *ret_y1;
}

static Err add_validation(Dataset *d, int32_t scene, int64_t x, int64_t y)
{
    ValidationWindow *grown = realloc(d->validation, (size_t)(d->n_validation + 1) * sizeof *grown);
    if (grown == NULL) return err_memory((size_t)d->n_validation * sizeof *grown, "the validation windows");
    grown[d->n_validation] = (ValidationWindow){ scene, x, y };
    d->validation = grown;
    d->n_validation++;
    return ERR_NONE;
}

static Err plan_validation(Dataset *d)
{
    const DatasetOptions *options = d->options;
    for (uint32_t i = 0; i < options->n_scenes; i++) {
        for (uint32_t b = 0; b < options->n_validation; b++) {
            int64_t x0 = 0;
            int64_t y0 = 0;
            int64_t x1 = 0;
            int64_t y1 = 0;
            if (!box_pixels(d->scenes[i], &options->validation[b], &x0, &y0, &x1, &y1)) continue;
            for (int64_t y = y0; y < y1; y += d->side) {
                for (int64_t x = x0; x < x1; x += d->side) TRY(add_validation(d, (int32_t)i, x, y));
            }
        }
    }
    return ERR_NONE;
}

static Err open_dataset(Dataset *d, bool training)
{
    TRY(open_scenes(d));
    TRY(allocate(d));
    TRY(plan_validation(d));
    if (!training) return ERR_NONE;
    const DatasetOptions *options = d->options;
    for (uint32_t i = 0; i < options->n_unsampled; i++) {
        for (uint32_t c = 0; c < options->n_classes; c++)
            d->unsampled[c] = d->unsampled[c] || options->classes[c].value == options->unsampled[i];
    }
    TRY(sampler_new((int32_t)options->n_classes, PLACES_PER_CLASS, (uint64_t)options->seed, options->balance,
                    &d->sampler));
    for (uint32_t i = 0; i < options->n_scenes; i++) TRY(scan_labels(d, i));
    return sampler_finish(d->sampler);
}

Err dataset_open(const DatasetOptions *options, const Climate *climate, bool training, Dataset **ret_dataset)
{
    Dataset *d = calloc(1, sizeof *d);
    if (d == NULL) return err_memory(sizeof *d, "the data set");
    *d = (Dataset){ .options = options, .climate = climate, .side = options->window };
    const Err err = open_dataset(d, training);
    if (err != ERR_NONE) {
        dataset_close(d);
        return err;
    }
    *ret_dataset = d;
    return ERR_NONE;
}

void dataset_close(Dataset *d)
{
    if (d == NULL) return;
    for (uint32_t i = 0; d->zones != NULL && i < d->options->n_scenes; i++) zone_sampler_free(d->zones[i]);
    for (uint32_t i = 0; d->scenes != NULL && i < d->options->n_scenes; i++) scene_close(d->scenes[i]);
    free(d->zones);
    free(d->scenes);
    sampler_free(d->sampler);
    free(d->validation);
    free(d->image);
    free(d->shares);
    free(d->valid);
    free(d->labels);
    free(d->lonlat);
    free(d->normalisation);
    free(d);
}

int64_t dataset_bands(const Dataset *d) { return d->bands; }

const char *dataset_band_name(const Dataset *d, int64_t i)
{
    const Raster *image = d->scenes[0]->image;
    return raster_band_common_name(image, raster_chosen_band(image, i));
}

int64_t dataset_validation_count(const Dataset *d) { return d->n_validation; }

void dataset_set_statistics(Dataset *d, const double *mean, const double *std)
{
    for (int64_t b = 0; b < d->bands; b++)
        d->normalisation[b] = (ImageBand){ .scale = 1.0, .mean = mean[b], .std = std[b] };
}

void dataset_class_shares(const Dataset *d, double *ret_shares)
{
    double total = 0.0;
    for (uint32_t c = 0; c < d->options->n_classes; c++) total += sampler_class_area(d->sampler, (int32_t)c);
    for (uint32_t c = 0; c < d->options->n_classes; c++)
        ret_shares[c] = sampler_class_area(d->sampler, (int32_t)c) / total;
}

/* Centre place -> corner of a window that holds it at a random position of its middle half, inside the scene if it can
 * be. */
static void window_corner(const Dataset *d, SamplerPlace place, uint64_t step, uint64_t draw, int64_t *ret_x,
                          int64_t *ret_y)
{
    const Scene *s = d->scenes[place.scene];
    const uint64_t seed = (uint64_t)d->options->seed;
    const double side = (double)d->side;
    const double u = (double)rng_uniform(seed, RNG_AUGMENT, step, draw * 64 + DRAW_JITTER) - 0.5;
    const double v = (double)rng_uniform(seed, RNG_AUGMENT, step, draw * 64 + DRAW_JITTER + 1) - 0.5;
    const int64_t x = (int64_t)floor((double)place.column - side * (0.5 + 0.5 * u));
    const int64_t y = (int64_t)floor((double)place.row - side * (0.5 + 0.5 * v));
    *ret_x = (int64_t)fmax(0.0, fmin((double)x, (double)(s->width - d->side)));
    *ret_y = (int64_t)fmax(0.0, fmin((double)y, (double)(s->height - d->side)));
}

/* First window of (step, index) whose footprint touches no holdout box. */
static Err draw_window(Dataset *d, uint64_t step, uint64_t index, ValidationWindow *ret_window)
{
    const DatasetOptions *options = d->options;
    for (uint64_t attempt = 0; attempt < ATTEMPTS; attempt++) {
        const uint64_t draw = index * ATTEMPTS + attempt;
        const SamplerPlace place = sampler_draw(d->sampler, step, draw);
        Scene *s = d->scenes[place.scene];
        ValidationWindow w = { .scene = place.scene };
        window_corner(d, place, step, draw, &w.x, &w.y);
        if (scene_window_touches(s, w.x, w.y, d->side, options->holdout, options->n_holdout)) continue;
        *ret_window = w;
        return ERR_NONE;
    }
    return err_set(ERR_INPUT,
                   "no window of %lld pixels fits between the holdout boxes; make them or the window smaller",
                   (long long)d->side);
}

/* Zone shares and slots of a window; empty slots are 0. */
static Err window_shares(Dataset *d, ValidationWindow w, int32_t zones[ZONE_SLOTS])
{
    const Scene *s = d->scenes[w.scene];
    return zone_window_shares(d->zones[w.scene], w.x, w.y, d->side, s->width, s->height, d->shares, zones);
}

static Err read_window(Dataset *d, ValidationWindow w)
{
    Scene *s = d->scenes[w.scene];
    TRY(scene_read_image(s, w.x, w.y, d->side, d->image, d->valid));
    image_normalise(d->normalisation, d->bands, d->side * d->side, d->valid, d->image);
    TRY(scene_read_labels(s, w.x, w.y, d->side, d->labels));
    for (int64_t i = 0; i < d->side * d->side; i++) {
        if (d->valid[i] == 0) d->labels[i] = CLASS_IGNORE;
    }
    return ERR_NONE;
}

Err dataset_statistics(Dataset *d, double *ret_mean, double *ret_std)
{
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
        ValidationWindow w;
        TRY(draw_window(d, 0, i, &w));
        TRY(scene_read_image(d->scenes[w.scene], w.x, w.y, d->side, d->image, d->valid));
        for (int64_t p = 0; p < d->side * d->side; p++) {
            if (d->valid[p] == 0) continue;
            count++;
            for (int64_t b = 0; b < d->bands; b++) {
                const double value = (double)d->image[p * d->bands + b];
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

/* Applies one symmetry to all layers on the way into the batch. */
static void deliver(Dataset *d, Symmetry symmetry, const NetworkInputs *image)
{
    augment_square(symmetry, d->image, image->image, d->side, (size_t)d->bands * sizeof(float));
    augment_square(symmetry, d->labels, image->labels, d->side, 1);
}

static Err deliver_text(Dataset *d, ValidationWindow w, Symmetry symmetry, bool null_prompt, const int32_t *variants,
                        const TextTable *table, const NetworkInputs *image)
{
    if (image->tokens == NULL) return ERR_NONE;
    const int64_t cells = d->side / 16;
    int32_t zones[ZONE_SLOTS] = { 0 };
    if (null_prompt || d->climate == NULL) {
        text_inputs_fill(table, zones, variants, NULL, image);
        return ERR_NONE;
    }
    TRY(window_shares(d, w, zones));
    float *turned = d->image; /* already delivered: free to use */
    augment_square(symmetry, d->shares, turned, cells, (ZONE_SLOTS + 1) * sizeof(float));
    text_inputs_fill(table, zones, variants, turned, image);
    return ERR_NONE;
}

/* Labels inside the validation boxes count in validation alone, all others in training alone. */
static Err keep_labels(Dataset *d, ValidationWindow w, bool validation)
{
    const DatasetOptions *options = d->options;
    Scene *s = d->scenes[w.scene];
    if (!validation && !scene_window_touches(s, w.x, w.y, d->side, options->validation, options->n_validation))
        return ERR_NONE;
    double *lon = d->lonlat;
    double *lat = d->lonlat + d->side * d->side;
    TRY(scene_lonlat(s, w.x, w.y, d->side, lon, lat));
    for (int64_t i = 0; i < d->side * d->side; i++) {
        if (boxes_contain(options->validation, options->n_validation, lon[i], lat[i]) != validation)
            d->labels[i] = CLASS_IGNORE;
    }
    return ERR_NONE;
}

static Err check_shape(const Dataset *d, const NetworkShape *s)
{
    if (s->batch == 1 && s->height == d->side && s->width == d->side && s->bands == d->bands &&
        (s->tokens == 0 || s->slots == ZONE_SLOTS))
        return ERR_NONE;
    return err_set(ERR_SHAPE,
                   "a window of %lld x %lld pixels with %lld bands was wanted; the data set has %lld x %lld with %lld",
                   (long long)s->height, (long long)s->width, (long long)s->bands, (long long)d->side,
                   (long long)d->side, (long long)d->bands);
}

Err dataset_training_window(Dataset *d, uint64_t step, uint64_t index, const TextTable *table, NetworkInputs image)
{
    const DatasetOptions *options = d->options;
    const uint64_t seed = (uint64_t)options->seed;
    ValidationWindow w;
    TRY(check_shape(d, &image.shape));
    TRY(draw_window(d, step, index, &w));
    TRY(read_window(d, w));
    TRY(keep_labels(d, w, false));
    augment_color(d->image, d->valid, d->side * d->side, d->bands, options->color_jitter, seed, step, index);
    const Symmetry symmetry = augment_symmetry(seed, step, index, options->flips, options->rotations);
    deliver(d, symmetry, &image);
    const bool null_prompt = (double)rng_uniform(seed, RNG_TEXT, step, index * 16 + DRAW_TEXT) < options->text_dropout;
    int32_t variants[ZONE_SLOTS] = { 0 };
    for (uint64_t k = 0; table != NULL && k < ZONE_SLOTS; k++)
        variants[k] = (int32_t)rng_below(seed, RNG_TEXT, step, index * 16 + 1 + k, table->variants);
    return deliver_text(d, w, symmetry, null_prompt, variants, table, &image);
}

Err dataset_validation_window(Dataset *d, int64_t index, const TextTable *table, NetworkInputs image)
{
    const ValidationWindow w = d->validation[index];
    TRY(check_shape(d, &image.shape));
    TRY(read_window(d, w));
    TRY(keep_labels(d, w, true));
    deliver(d, (Symmetry){ 0 }, &image);
    const int32_t variants[ZONE_SLOTS] = { 0 };
    return deliver_text(d, w, (Symmetry){ 0 }, false, variants, table, &image);
}
