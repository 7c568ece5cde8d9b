/* SPDX-License-Identifier: Apache-2.0
 * Windows for training and validation; the promises are in the header. */
#include "data/dataset.h"

#include "base/clock.h"
#include "base/grow.h"
#include "base/report.h"
#include "base/rng.h"
#include "base/str.h"
#include "data/augment.h"
#include "data/band_draw.h"
#include "data/image_source.h"
#include "data/label_scan.h"
#include "data/scene_pool.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLACES_PER_CLASS = 200000, /* kept by the sampler */
    STATISTICS_WINDOWS = 64,
    ATTEMPTS = 64,        /* windows tried first for a place in a batch; their draws lie side by side */
    MORE_ATTEMPTS = 4096, /* and then, before a step gives up */
    GRID = 16,            /* windows along a side of an image, at most, that are searched for a valid pixel */
    LOOKS = 256,          /* windows searched for a valid pixel with a label */
    MOST_DRAWS = 4096,    /* draws to find LOOKS windows of images that are valid anywhere */
    DRAW_JITTER = 1,
    DRAW_TEXT = 0,
    DRAW_STRETCH = 2, /* of RNG_BANDS, beside those of band_draw.c */
};

static const uint64_t more_draws = UINT64_C(1) << 40; /* draws of MORE_ATTEMPTS begin here */

/* What is remembered of a scene while it is closed. */
typedef struct SceneFacts {
    int64_t width, height; /* of the network's grid */
    bool invalid;          /* the image has no valid pixel */
} SceneFacts;

/* A window of the network's grid of a scene; of validation also whose box it covers. */
typedef struct Window {
    int32_t scene, box;
    int64_t x, y;
} Window;

struct Dataset {
    const DatasetOptions *options;
    const Climate *climate;
    ScenePool *pool;
    LabelTable table;
    Sampler *sampler;
    ValidationBlocks *blocks; /* NULL: validation has none */
    SceneFacts *scenes;       /* [n_scenes] */
    bool unsampled[256];      /* class indexes that windows are not drawn for */
    int64_t bands, side;
    char **band_names; /* [bands] of the first scene */
    BandSets sets;
    ImageBand *normalisation; /* [bands] */
    Window *validation;
    int64_t n_validation, validation_capacity;
    float *image, *shares; /* a window before its symmetry is applied */
    float *turned;         /* the image after it, for networks that also read which bands are there */
    uint8_t *valid, *labels;
    uint8_t *probabilities; /* [side, side, classes]; NULL: labels are classes */
    double *lonlat;         /* [2, side, side] */
};

int64_t dataset_label_classes(const DatasetOptions *options)
{
    return options->labels_kind == LABELS_PROBABILITIES ? (int64_t)options->n_classes : 0;
}

static Err allocate(Dataset *d)
{
    const size_t pixels = (size_t)(d->side * d->side);
    d->image = malloc(pixels * (size_t)d->bands * sizeof(float));
    d->turned = malloc(pixels * (size_t)d->bands * sizeof(float));
    d->shares = malloc(pixels / 256 * (ZONE_SLOTS + 1) * sizeof(float));
    d->valid = malloc(pixels);
    d->labels = malloc(pixels);
    d->lonlat = malloc(2 * pixels * sizeof(double));
    const size_t classes = (size_t)dataset_label_classes(d->options);
    if (classes > 0) d->probabilities = malloc(pixels * classes);
    d->normalisation = calloc((size_t)d->bands, sizeof *d->normalisation);
    if (d->image == NULL || d->turned == NULL || d->shares == NULL || d->valid == NULL || d->labels == NULL ||
        d->lonlat == NULL || d->normalisation == NULL || (classes > 0 && d->probabilities == NULL))
        return err_memory(pixels * 32, "a window of the data set");
    for (int64_t b = 0; b < d->bands; b++) d->normalisation[b] = (ImageBand){ .scale = 1.0, .std = 1.0 };
    return ERR_NONE;
}

/* Bands of the first scene that is opened are those of all. */
static Err check_bands(Dataset *d, const Scene *s, uint32_t index)
{
    const Raster *image = s->image->raster;
    const int64_t bands = raster_chosen_count(image);
    if (d->band_names != NULL) {
        if (bands == d->bands) return ERR_NONE;
        return err_set(ERR_CONFIG, "scene '%s' has %lld bands, the first one %lld; choose bands alike",
                       d->options->scenes[index].name, (long long)bands, (long long)d->bands);
    }
    d->band_names = calloc((size_t)bands, sizeof *d->band_names);
    if (d->band_names == NULL) return err_memory((size_t)bands * sizeof *d->band_names, "the names of the bands");
    d->bands = bands;
    for (int64_t b = 0; b < bands; b++)
        TRY(str_copy(raster_band_common_name(image, raster_chosen_band(image, b)), &d->band_names[b]));
    return band_sets_init(d->options, bands, d->band_names, &d->sets);
}

static Err add_validation(Dataset *d, Window window)
{
    TRY(grow_array(&d->validation, d->n_validation, &d->validation_capacity, sizeof *d->validation,
                   "the validation windows"));
    d->validation[d->n_validation++] = window;
    return ERR_NONE;
}

/* Of the windows that cover a scene those with a pixel for validation. */
static Err plan_scene(Dataset *d, uint32_t index)
{
    const bool blocks = d->options->scenes[index].split == SCENE_TRAIN;
    for (int64_t y = 0; y < d->scenes[index].height; y += d->side)
        for (int64_t x = 0; x < d->scenes[index].width; x += d->side)
            if (!blocks || validation_blocks_touch(d->blocks, index, x, y, d->side))
                TRY(add_validation(d, (Window){ (int32_t)index, -1, x, y }));
    return ERR_NONE;
}

/* Windows that cover the validation boxes of a scene, or a validation scene. */
static Err plan_validation(Dataset *d, Scene *s, uint32_t index, Census *census)
{
    const DatasetOptions *options = d->options;
    if (options->scenes[index].split == SCENE_VALIDATION) TRY(plan_scene(d, index));
    for (uint32_t b = 0; b < options->n_validation; b++) {
        const DatasetBox *box = &options->validation[b];
        RasterWindow w;
        TRY(scene_box_pixels(s, box, &w));
        for (int64_t y = w.y; y < w.y + w.rows; y += d->side) {
            for (int64_t x = w.x; x < w.x + w.columns; x += d->side) {
                if (!scene_window_touches(s, x, y, d->side, box, 1)) continue;
                TRY(add_validation(d, (Window){ (int32_t)index, (int32_t)b, x, y }));
                census->met[b] = true;
            }
        }
    }
    return ERR_NONE;
}

/* Labels inside the validation boxes count in validation alone, each in the first box that holds it; all others in
 * training alone, those inside holdout boxes nowhere. */
static Err keep_labels(Dataset *d, Scene *s, Window w, bool validation)
{
    const DatasetOptions *options = d->options;
    if (d->blocks != NULL)
        validation_blocks_keep(d->blocks, (uint32_t)w.scene, w.x, w.y, d->side, validation, d->labels);
    const bool boxes =
        w.box >= 0 || scene_window_touches(s, w.x, w.y, d->side, options->validation, options->n_validation);
    const bool holdout = validation && scene_window_touches(s, w.x, w.y, d->side, options->holdout, options->n_holdout);
    if (!boxes && !holdout) return ERR_NONE;
    double *lon = d->lonlat;
    double *lat = d->lonlat + d->side * d->side;
    TRY(scene_lonlat(s, w.x, w.y, d->side, lon, lat));
    const int64_t wanted = validation ? w.box : -1;
    for (int64_t i = 0; i < d->side * d->side; i++)
        if (boxes_find(options->validation, options->n_validation, lon[i], lat[i]) != wanted ||
            (holdout && boxes_find(options->holdout, options->n_holdout, lon[i], lat[i]) >= 0))
            d->labels[i] = CLASS_IGNORE;
    return ERR_NONE;
}

/* A small box may lie between the label pixels that were counted: whether it holds a labelled pixel of the network. */
static Err look_into_box(Dataset *d, int32_t box, Census *census)
{
    for (int64_t i = 0; i < d->n_validation && census->in_box[box] == 0; i++) {
        const Window w = d->validation[i];
        Scene *s = NULL;
        if (w.box != box) continue;
        TRY(scene_pool_get(d->pool, (uint32_t)w.scene, NULL, &s));
        TRY(scene_read_labels(s, &d->table, w.x, w.y, d->side, d->labels, d->probabilities));
        TRY(keep_labels(d, s, w, true));
        for (int64_t p = 0; p < d->side * d->side; p++) {
            if (d->labels[p] == CLASS_IGNORE) continue;
            census->in_box[box]++;
            census->validation[d->labels[p]]++;
        }
    }
    return ERR_NONE;
}

static Err check_stop(const MetasegRun *run)
{
    return report_stop(run) ? err_set(ERR_INTERRUPTED, "stopped while the images were looked at") : ERR_NONE;
}

static bool any_valid(const Dataset *d) { return memchr(d->valid, 1, (size_t)(d->side * d->side)) != NULL; }

/* Corner k of n windows that lie evenly along `size` pixels, from one end to the other. */
static int64_t even_corner(int64_t k, int64_t n, int64_t side, int64_t size)
{
    return n < 2 ? 0 : k * (size - side) / (n - 1);
}

/* Searches an image for a valid pixel, up to the first one: all of it where GRID x GRID windows cover it. */
static Err look_at_image(Dataset *d, Scene *s, uint32_t index, Census *census, const MetasegRun *run)
{
    const int64_t all_columns = (s->width + d->side - 1) / d->side;
    const int64_t all_rows = (s->height + d->side - 1) / d->side;
    const int64_t columns = all_columns < GRID ? all_columns : GRID;
    const int64_t rows = all_rows < GRID ? all_rows : GRID;
    for (int64_t i = 0; i < columns * rows; i++) {
        const int64_t x = even_corner(i % columns, columns, d->side, s->width);
        const int64_t y = even_corner(i / columns, rows, d->side, s->height);
        TRY(check_stop(run));
        TRY(image_source_read(s->image, x, y, d->side, d->image, d->valid));
        if (any_valid(d)) return ERR_NONE;
    }
    d->scenes[index].invalid = columns == all_columns && rows == all_rows;
    census_invalid(census, index, d->scenes[index].invalid);
    return ERR_NONE;
}

/* Opens each scene once: what it is, what its labels hold, where validation looks. */
static Err visit_scenes(Dataset *d, Census *census, const MetasegRun *run)
{
    LabelScan scan = { .options = d->options,
                       .unsampled = d->unsampled,
                       .sampler = d->sampler,
                       .blocks = d->blocks,
                       .census = census,
                       .run = run,
                       .start = clock_seconds() };
    for (uint32_t i = 0; i < d->options->n_scenes; i++) {
        Scene *s = NULL;
        TRY(census_files(census, i));
        if (d->options->scenes[i].split == SCENE_HOLDOUT) continue;
        TRY(scene_pool_get(d->pool, i, run != NULL ? run->stop : NULL, &s));
        TRY(check_bands(d, s, i));
        if (d->image == NULL) TRY(allocate(d));
        TRY(census_scene(census, s, i));
        labels_tell(s->labels, run);
        d->scenes[i] = (SceneFacts){ .width = s->width, .height = s->height };
        if (d->blocks != NULL) TRY(validation_blocks_add_scene(d->blocks, i, s->width, s->height));
        TRY(plan_validation(d, s, i, census));
        TRY(label_scan(&scan, s, i));
        TRY(look_at_image(d, s, i, census, run));
    }
    for (uint32_t b = 0; b < d->options->n_validation; b++)
        if (census->in_box[b] == 0) TRY(look_into_box(d, (int32_t)b, census));
    return ERR_NONE;
}

static Err draw_window(Dataset *d, uint64_t step, uint64_t index, Window *ret_window);
static Err read_labels(Dataset *d, Scene *s, Window w);

/* Whether a window holds a valid pixel with a label that counts. Leaves the image's normalisation alone. */
static Err look_into_window(Dataset *d, Window w, bool validation, bool *ret_found)
{
    Scene *s = NULL;
    TRY(scene_pool_get(d->pool, (uint32_t)w.scene, NULL, &s));
    TRY(image_source_read(s->image, w.x, w.y, d->side, d->image, d->valid));
    if (!any_valid(d)) return ERR_NONE;
    TRY(read_labels(d, s, w));
    TRY(keep_labels(d, s, w, validation));
    for (int64_t i = 0; i < d->side * d->side && !*ret_found; i++) *ret_found = d->labels[i] != CLASS_IGNORE;
    return ERR_NONE;
}

/* Refuses what training would draw where no window holds anything to learn. */
static Err check_drawn(Dataset *d, const MetasegRun *run)
{
    bool found = false;
    int64_t looks = 0;
    for (uint64_t i = 0; i < MOST_DRAWS && looks < LOOKS && !found; i++) {
        Window w;
        TRY(check_stop(run));
        TRY(draw_window(d, 0, i, &w)); /* where nothing can be drawn it is said now */
        if (d->scenes[w.scene].invalid) continue;
        TRY(look_into_window(d, w, false, &found));
        looks++;
    }
    if (found || looks < LOOKS) return ERR_NONE;
    return err_set(
        ERR_INPUT,
        "no valid pixel of an image has a label in %d windows drawn for training, so nothing could be learned: "
        "where there are labels, the images are nodata or masked",
        (int)LOOKS);
}

/* "in the boxes ('north' is the first)": where validation looks. */
static void describe_validation(const Dataset *d, char ret_text[160])
{
    const DatasetOptions *o = d->options;
    if (dataset_validation_places(o) == VALIDATION_BOXES)
        (void)snprintf(ret_text, 160, "in the boxes ('%.100s' is the first)", o->validation[0].name);
    else if (d->blocks != NULL)
        (void)snprintf(ret_text, 160, "in the blocks of data.validation_fraction (some in scene '%.80s')",
                       o->scenes[d->validation[0].scene].name);
    else
        (void)snprintf(ret_text, 160, "in the scenes of split validation ('%.80s' is the first)",
                       o->scenes[d->validation[0].scene].name);
}

/* The same of the validation windows: refused where all were looked at, told where they are too many for that. */
static Err check_validation(Dataset *d, const MetasegRun *run)
{
    char places[160];
    bool found = d->n_validation == 0;
    const int64_t looks = d->n_validation < LOOKS ? d->n_validation : LOOKS;
    for (int64_t i = 0; i < looks && !found; i++) {
        const Window w = d->validation[i * d->n_validation / looks];
        TRY(check_stop(run));
        if (!d->scenes[w.scene].invalid) TRY(look_into_window(d, w, true, &found));
    }
    if (found) return ERR_NONE;
    describe_validation(d, places);
    if (looks == d->n_validation)
        return err_set(ERR_INPUT, "no valid pixel of an image has a label %s; nothing could be validated", places);
    report_message(run, 1, "no valid pixel of an image has a label in %d windows spread over those %s", (int)LOOKS,
                   places);
    return ERR_NONE;
}

/* What is counted of the blocks goes to census and sampler, and windows cover those for validation. */
static Err choose_blocks(Dataset *d, Census *census, const MetasegRun *run)
{
    double areas[LABEL_VALUES] = { 0.0 };
    int64_t apart = 0;
    int64_t labelled = 0;
    double pixels[2] = { 0.0 };
    TRY(validation_blocks_choose(d->blocks));
    for (int32_t c = 0; c < (int32_t)d->options->n_classes; c++) {
        census->training[c] = validation_blocks_pixels(d->blocks, c, false);
        census->validation[c] = validation_blocks_pixels(d->blocks, c, true);
        areas[c] = validation_blocks_area(d->blocks, c, true);
        pixels[0] += (double)census->training[c];
        pixels[1] += (double)census->validation[c];
    }
    sampler_take_out(d->sampler, validation_blocks_apart(d->blocks), areas);
    for (uint32_t i = 0; i < d->options->n_scenes; i++) TRY(plan_scene(d, i));
    validation_blocks_number(d->blocks, &apart, &labelled);
    if (apart > 0)
        report_message(run, 0, "validation: %lld of %lld blocks with labels, %.1f %% of the labelled pixels",
                       (long long)apart, (long long)labelled, 100.0 * pixels[1] / (pixels[0] + pixels[1]));
    return ERR_NONE;
}

static Err open_dataset(Dataset *d, Census *census, const MetasegRun *run)
{
    const DatasetOptions *options = d->options;
    d->table = census->table;
    for (uint32_t i = 0; i < options->n_unsampled; i++) {
        for (uint32_t c = 0; c < options->n_classes; c++)
            d->unsampled[c] = d->unsampled[c] || options->classes[c].value == options->unsampled[i];
    }
    d->scenes = calloc(options->n_scenes, sizeof *d->scenes);
    if (d->scenes == NULL) return err_memory(options->n_scenes * sizeof *d->scenes, "the scenes");
    if (dataset_validation_places(options) == VALIDATION_BLOCKS)
        TRY(validation_blocks_new(options->validation_fraction, (uint64_t)options->seed, options->n_scenes,
                                  (int32_t)options->n_classes, &d->blocks));
    TRY(scene_pool_new(options, d->climate, &d->pool));
    TRY(sampler_new((int32_t)options->n_classes, PLACES_PER_CLASS, (uint64_t)options->seed, options->balance,
                    &d->sampler));
    TRY(visit_scenes(d, census, run));
    if (d->blocks != NULL) TRY(choose_blocks(d, census, run));
    TRY(census_tell(census, run));
    TRY(sampler_finish(d->sampler));
    TRY(check_drawn(d, run));
    return check_validation(d, run);
}

Err dataset_open(const DatasetOptions *options, const Climate *climate, const MetasegRun *run, Dataset **ret_dataset)
{
    Census census;
    Dataset *d = calloc(1, sizeof *d);
    if (d == NULL) return err_memory(sizeof *d, "the data set");
    *d = (Dataset){ .options = options, .climate = climate, .side = options->window };
    Err err = census_init(options, &census);
    if (err == ERR_NONE) {
        err = open_dataset(d, &census, run);
        census_done(&census);
    }
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
    scene_pool_free(d->pool);
    for (int64_t b = 0; d->band_names != NULL && b < d->bands; b++) free(d->band_names[b]);
    free(d->band_names);
    band_sets_done(&d->sets);
    sampler_free(d->sampler);
    free(d->validation);
    free(d->image);
    free(d->turned);
    free(d->shares);
    free(d->valid);
    free(d->scenes);
    validation_blocks_free(d->blocks);
    free(d->labels);
    free(d->probabilities);
    free(d->lonlat);
    free(d->normalisation);
    free(d);
}

int64_t dataset_bands(const Dataset *d) { return d->bands; }

const char *dataset_band_name(const Dataset *d, int64_t i) { return d->band_names[i]; }

int64_t dataset_band_sets(const Dataset *d) { return d->sets.n_sets; }

const char *dataset_band_set_name(const Dataset *d, int64_t i) { return d->sets.sets[i].name; }

int64_t dataset_validation_count(const Dataset *d) { return d->n_validation; }

void dataset_set_statistics(Dataset *d, const double *mean, const double *std)
{
    for (int64_t b = 0; b < d->bands; b++)
        d->normalisation[b] =
            (ImageBand){ .scale = 1.0, .mean = mean[b], .std = std[b], .transform = d->options->transform };
}

/* A label pixel -> corner of a window that holds its centre at a random position of the window's middle half, inside the
 * scene if it can be. */
static Err window_corner(const Dataset *d, Scene *s, SamplerPlace place, uint64_t step, uint64_t draw, Window *w)
{
    const uint64_t seed = (uint64_t)d->options->seed;
    const double side = (double)d->side;
    const double u = (double)rng_uniform(seed, RNG_AUGMENT, step, draw * 64 + DRAW_JITTER) - 0.5;
    const double v = (double)rng_uniform(seed, RNG_AUGMENT, step, draw * 64 + DRAW_JITTER + 1) - 0.5;
    const PlaceWindow centre = { (double)place.column + 0.5, (double)place.row + 0.5, 1.0, 1.0, 1, 1 };
    double column = 0.0;
    double row = 0.0;
    TRY(place_lookup_window(s->labels->to_image, &centre, &column, &row));
    const double x = floor((double)(float)(column * s->upsample_x) - side * (0.5 + 0.5 * u));
    const double y = floor((double)(float)(row * s->upsample_y) - side * (0.5 + 0.5 * v));
    w->x = (int64_t)fmax(0.0, fmin(x, (double)(s->width - d->side)));
    w->y = (int64_t)fmax(0.0, fmin(y, (double)(s->height - d->side)));
    return ERR_NONE;
}

/* First window of (step, index) whose footprint touches no holdout box. */
static Err draw_window(Dataset *d, uint64_t step, uint64_t index, Window *ret_window)
{
    const DatasetOptions *options = d->options;
    for (uint64_t attempt = 0; attempt < ATTEMPTS + MORE_ATTEMPTS; attempt++) {
        const uint64_t draw =
            attempt < ATTEMPTS ? index * ATTEMPTS + attempt : more_draws + index * MORE_ATTEMPTS + attempt - ATTEMPTS;
        const SamplerPlace place = sampler_draw(d->sampler, step, draw);
        Scene *s = NULL;
        Window w = { .scene = place.scene };
        TRY(scene_pool_get(d->pool, (uint32_t)place.scene, NULL, &s));
        TRY(window_corner(d, s, place, step, draw, &w));
        if (scene_window_touches(s, w.x, w.y, d->side, options->holdout, options->n_holdout)) continue;
        *ret_window = w;
        return ERR_NONE;
    }
    return err_set(ERR_INPUT,
                   "no window of %lld pixels fits between the holdout boxes; make them or the window smaller",
                   (long long)d->side);
}

/* Labels of a window whose image was read: none where it is invalid. */
static Err read_labels(Dataset *d, Scene *s, Window w)
{
    TRY(scene_read_labels(s, &d->table, w.x, w.y, d->side, d->labels, d->probabilities));
    for (int64_t i = 0; i < d->side * d->side; i++) {
        if (d->valid[i] == 0) d->labels[i] = CLASS_IGNORE;
    }
    return ERR_NONE;
}

static Err read_window(Dataset *d, Scene *s, Window w)
{
    if (s->image->bands == NULL) TRY(image_source_normalise(s->image, d->normalisation, d->options->byte_scale));
    TRY(image_source_read(s->image, w.x, w.y, d->side, d->image, d->valid));
    return read_labels(d, s, w);
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
        Window w;
        Scene *s = NULL;
        TRY(draw_window(d, 0, i, &w));
        TRY(scene_pool_get(d->pool, (uint32_t)w.scene, NULL, &s));
        ASSERT(s->image->bands == NULL);
        TRY(image_source_read(s->image, w.x, w.y, d->side, d->image, d->valid));
        double factors[MOST_BANDS];
        for (int64_t b = 0; b < d->bands; b++) factors[b] = image_source_factor(s->image, b, options->byte_scale);
        for (int64_t p = 0; p < d->side * d->side; p++) {
            if (d->valid[p] == 0) continue;
            count++;
            for (int64_t b = 0; b < d->bands; b++) {
                const double value =
                    image_transformed(options->transform, factors[b] * (double)d->image[p * d->bands + b]);
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
static void make_picture(Dataset *d, const bool *there, bool plain, uint64_t step, uint64_t index)
{
    const DatasetOptions *options = d->options;
    const Picture picture = {
        .there = there, .bands = d->normalisation, .byte_scale = options->byte_scale, .plain = plain
    };
    augment_picture(&picture, d->image, d->valid, d->side * d->side, d->bands, (uint64_t)options->seed, step, index);
}

/* What training sees of the values that were read; ret_there: of which bands. */
static void augment_values(Dataset *d, uint64_t step, uint64_t index, bool ret_there[MODEL_MAX_BANDS])
{
    const DatasetOptions *options = d->options;
    const uint64_t seed = (uint64_t)options->seed;
    const int64_t pixels = d->side * d->side;
    augment_color(d->image, d->valid, pixels, d->bands, options->color_jitter, seed, step, index);
    augment_noise(d->image, d->valid, pixels, d->bands, options->noise, seed, step, index);
    const bool colours = band_sets_draw(&d->sets, seed, step, index, ret_there);
    if (colours && (double)rng_uniform(seed, RNG_BANDS, step, index * 64 + DRAW_STRETCH) < options->stretch)
        make_picture(d, ret_there, false, step, index);
}

/* Applies one symmetry to all layers on the way into the batch. there: of each band. */
static void deliver(Dataset *d, Symmetry symmetry, const bool *there, const NetworkInputs *image)
{
    int32_t source[MODEL_MAX_BANDS];
    for (int64_t b = 0; b < d->bands; b++) source[b] = there[b] ? (int32_t)b : -1;
    float *to = image->shape.presence ? d->turned : image->image;
    augment_square(symmetry, d->image, to, d->side, (size_t)d->bands * sizeof(float));
    if (image->shape.presence) network_inputs_fill_image(image, d->turned, d->bands, source);
    augment_square(symmetry, d->labels, image->labels, d->side, 1);
    if (image->label_probabilities == NULL) return;
    augment_square(symmetry, d->probabilities, image->label_probabilities, d->side,
                   (size_t)dataset_label_classes(d->options));
}

static Err deliver_text(Dataset *d, const Scene *s, Window w, Symmetry symmetry, bool null_prompt,
                        const int32_t *wordings, const PromptTable *table, const NetworkInputs *image)
{
    if (image->tokens == NULL) return ERR_NONE;
    const int64_t cells = d->side / 16;
    int32_t zones[ZONE_SLOTS] = { 0 };
    int32_t entries[ZONE_SLOTS] = { -1, -1, -1, -1 };
    if (null_prompt || d->climate == NULL) {
        text_inputs_fill(table, entries, wordings, NULL, image);
        return ERR_NONE;
    }
    bool known = false;
    TRY(image_source_shares(s->image, w.x, w.y, d->side, &known, zones, d->shares));
    ASSERT(known);
    float *turned = d->image; /* already delivered: free to use */
    augment_square(symmetry, d->shares, turned, cells, (ZONE_SLOTS + 1) * sizeof(float));
    text_inputs_entries(table, ZONE_SLOTS, zones, entries);
    text_inputs_fill(table, entries, wordings, turned, image);
    return ERR_NONE;
}

static Err check_shape(const Dataset *d, const NetworkShape *s)
{
    if (s->batch == 1 && s->height == d->side && s->width == d->side && s->bands == d->bands &&
        (s->tokens == 0 || s->slots == ZONE_SLOTS) &&
        (s->label_classes == 0 || s->label_classes == dataset_label_classes(d->options)))
        return ERR_NONE;
    return err_set(ERR_SHAPE,
                   "a window of %lld x %lld pixels with %lld bands was wanted; the data set has %lld x %lld with %lld",
                   (long long)s->height, (long long)s->width, (long long)s->bands, (long long)d->side,
                   (long long)d->side, (long long)d->bands);
}

Err dataset_training_window(Dataset *d, uint64_t step, uint64_t index, const PromptTable *table, NetworkInputs image)
{
    const DatasetOptions *options = d->options;
    const uint64_t seed = (uint64_t)options->seed;
    Window w;
    Scene *s = NULL;
    TRY(check_shape(d, &image.shape));
    TRY(draw_window(d, step, index, &w));
    TRY(scene_pool_get(d->pool, (uint32_t)w.scene, NULL, &s));
    TRY(read_window(d, s, w));
    TRY(keep_labels(d, s, w, false));
    bool there[MODEL_MAX_BANDS];
    augment_values(d, step, index, there);
    const Symmetry symmetry = augment_symmetry(seed, step, index, options->flips, options->rotations);
    deliver(d, symmetry, there, &image);
    const bool null_prompt = (double)rng_uniform(seed, RNG_TEXT, step, index * 16 + DRAW_TEXT) < options->text_dropout;
    int32_t wordings[ZONE_SLOTS] = { 0 };
    for (uint64_t k = 0; table != NULL && table->count > 0 && k < ZONE_SLOTS; k++)
        wordings[k] = (int32_t)rng_below(seed, RNG_TEXT, step, index * 16 + 1 + k, table->wordings);
    return deliver_text(d, s, w, symmetry, null_prompt, wordings, table, &image);
}

Err dataset_validation_window(Dataset *d, int64_t index, int64_t set, const PromptTable *table, NetworkInputs image)
{
    const BandSet *shown = set < 0 ? &d->sets.all : &d->sets.sets[set];
    const Window w = d->validation[index];
    Scene *s = NULL;
    TRY(check_shape(d, &image.shape));
    TRY(scene_pool_get(d->pool, (uint32_t)w.scene, NULL, &s));
    TRY(read_window(d, s, w));
    TRY(keep_labels(d, s, w, true));
    if (set >= 0 && shown->colours && d->options->stretch > 0.0) make_picture(d, shown->there, true, 0, 0);
    deliver(d, (Symmetry){ 0 }, shown->there, &image);
    const int32_t wordings[ZONE_SLOTS] = { 0 };
    return deliver_text(d, s, w, (Symmetry){ 0 }, false, wordings, table, &image);
}
