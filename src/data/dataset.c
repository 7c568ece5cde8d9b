/* SPDX-License-Identifier: Apache-2.0
 * The index of a data set: its scenes visited once, what they hold, what is validated; the promises are in the header. */
#include "base/clock.h"
#include "base/grow.h"
#include "base/report.h"
#include "base/str.h"
#include "data/dataset_internal.h"
#include "data/label_scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLACES_PER_CLASS = 200000, /* kept by the sampler */
    GRID = 16,                 /* windows along a side of an image, at most, that are searched for a valid pixel */
    LOOKS = 256,               /* windows searched for a valid pixel with a label */
    MOST_DRAWS = 4096,         /* draws to find LOOKS windows of images that are valid anywhere */
    SHIFT_SCENES = 64,         /* whose labels are laid over their image */
};

/* Values of an image that is slow to decode, from which on it is told that it is looked at. */
static const double slow_values = 16e6;

int64_t dataset_label_classes(const DatasetOptions *options)
{
    return options->labels_kind == LABELS_PROBABILITIES ? (int64_t)options->n_classes : 0;
}

ImageBand dataset_image_band(const DatasetOptions *options, int64_t band, double mean, double std)
{
    const bool surface = options->n_surface_scale > 0;
    return (ImageBand){ .scale = 1.0,
                        .mean = mean,
                        .std = std,
                        .transform = options->transform,
                        .byte_scale = options->byte_scale,
                        .reflectance = options->reflectance,
                        .surface_scale = surface ? options->surface_scale[band] : 0.0,
                        .surface_offset = surface ? options->surface_offset[band] : 0.0 };
}

static Err check_surface(const Dataset *d)
{
    const DatasetOptions *options = d->options;
    if (options->n_surface_scale == 0 && options->n_surface_offset == 0) return ERR_NONE;
    if (options->n_surface_scale == (uint32_t)d->bands && options->n_surface_offset == (uint32_t)d->bands)
        return ERR_NONE;
    return err_set(ERR_CONFIG, "model.surface_scale and model.surface_offset need %lld values each, one per band",
                   (long long)d->bands);
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
    d->normalisation = calloc((size_t)bands, sizeof *d->normalisation);
    if (d->normalisation == NULL) return err_memory((size_t)bands * sizeof *d->normalisation, "the bands");
    d->bands = bands;
    TRY(check_surface(d));
    for (int64_t b = 0; b < bands; b++) d->normalisation[b] = dataset_image_band(d->options, b, 0.0, 1.0);
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
                TRY(add_validation(d, (Window){ (int32_t)index, -1, x, y, d->side }));
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
                TRY(add_validation(d, (Window){ (int32_t)index, (int32_t)b, x, y, d->side }));
                census->met[b] = true;
            }
        }
    }
    return ERR_NONE;
}

/* A small box may lie between the label pixels that were counted: whether it holds a labelled pixel of the network. */
static Err look_into_box(const Dataset *d, DatasetReader *r, int32_t box, Census *census)
{
    for (int64_t i = 0; i < d->n_validation && census->in_box[box] == 0; i++) {
        const Window w = d->validation[i];
        Scene *s = NULL;
        if (w.box != box) continue;
        TRY(scene_pool_get(r->pool, (uint32_t)w.scene, NULL, &s));
        TRY(scene_read_labels(s, &d->table, w.x, w.y, d->side, r->labels, r->probabilities));
        TRY(reader_keep_labels(r, s, w, true));
        const double side = georeference_pixel_sides(s->image->place, false).side / d->options->upsample;
        for (int64_t p = 0; p < d->side * d->side; p++) {
            if (r->labels[p] == CLASS_IGNORE) continue;
            census->in_box[box]++;
            census->validation[r->labels[p]]++;
            label_area_add(&census->areas[DATASET_VALIDATION][r->labels[p]], (LabelArea){ 1.0, side * side });
        }
    }
    return ERR_NONE;
}

static Err check_stop(const MetasegRun *run)
{
    return report_stop(run) ? err_set(ERR_INTERRUPTED, "stopped while the images were looked at") : ERR_NONE;
}

static bool any_valid(const DatasetReader *r)
{
    return memchr(r->valid, 1, (size_t)(r->data->side * r->data->side)) != NULL;
}

/* Corner k of n windows that lie evenly along `size` pixels, from one end to the other. */
static int64_t even_corner(int64_t k, int64_t n, int64_t side, int64_t size)
{
    return n < 2 ? 0 : k * (size - side) / (n - 1);
}

static bool mask_reaches(const Scene *s)
{
    return s->image->mask == NULL || cloud_mask_counts(s->image->mask).covered > 0;
}

/* Searches an image for a valid pixel and for one that its mask has a value for, up to the first ones: all of it where GRID x
 * GRID windows cover it. */
static Err look_at_image(Dataset *d, DatasetReader *r, Scene *s, uint32_t index, Census *census, const MetasegRun *run)
{
    const int64_t all_columns = (s->width + d->side - 1) / d->side;
    const int64_t all_rows = (s->height + d->side - 1) / d->side;
    const int64_t columns = all_columns < GRID ? all_columns : GRID;
    const int64_t rows = all_rows < GRID ? all_rows : GRID;
    bool valid = false;
    for (int64_t i = 0; i < columns * rows; i++) {
        const int64_t x = even_corner(i % columns, columns, d->side, s->width);
        const int64_t y = even_corner(i / columns, rows, d->side, s->height);
        TRY(check_stop(run));
        TRY(image_source_read(s->image, x, y, d->side, r->image, r->valid));
        valid = valid || any_valid(r);
        if (valid && mask_reaches(s)) return ERR_NONE;
    }
    if (!mask_reaches(s)) census_mask_elsewhere(census, index);
    if (valid) return ERR_NONE;
    d->scenes[index].invalid = columns == all_columns && rows == all_rows;
    census_invalid(census, index, d->scenes[index].invalid);
    return ERR_NONE;
}

/* Zones of an image, for what is told of the data set, and which most of it has. */
static void add_zones(Dataset *d, const Scene *s, SceneFacts *facts)
{
    double shares[CLIMATE_ZONES + 1] = { 0.0 };
    if (d->climate == NULL || (s->lonlat == NULL && s->image->zone_place == NULL)) return;
    zone_image_shares(d->climate, image_source_zone_place(s->image), zone_share_defaults().coast_km, shares);
    for (int32_t z = 1; z <= CLIMATE_ZONES; z++)
        if (shares[z] > shares[facts->zone]) facts->zone = z;
    const double ground = survey_ground(s, d->options);
    for (int32_t z = 0; z <= CLIMATE_ZONES && isfinite(ground); z++) d->zone_areas[z] += shares[z] * ground;
}

/* Whether the labels lie on what they are labels of; of very many scenes of some. */
static Err find_shift(Dataset *d, Scene *s, uint32_t index, const MetasegRun *run)
{
    const DatasetOptions *o = d->options;
    const Raster *image = s->image->raster;
    const double values = (double)s->width * (double)s->height * (double)raster_chosen_count(image);
    LabelShift shift = { .told = false };
    char text[LABEL_SHIFT_TEXT];
    if (d->survey == NULL && (run == NULL || run->message == NULL)) return ERR_NONE; /* nobody asks */
    if (o->n_scenes > SHIFT_SCENES && (uint64_t)index * SHIFT_SCENES % o->n_scenes >= SHIFT_SCENES) return ERR_NONE;
    if (raster_cache_bytes(image, 1) > 0 && values > slow_values)
        report_message(run, 0,
                       "scene '%s': slow to decode; looks at up to %d places of it for how the labels lie on it",
                       o->scenes[index].name, (int)LABEL_SHIFT_WINDOWS);
    TRY(label_shift_measure(s, &d->table, run != NULL ? run->stop : NULL, &shift));
    if (d->survey != NULL) d->survey->scenes[index].shift = shift;
    if (!shift.told || d->survey != NULL) return ERR_NONE;
    label_shift_text(&shift, text);
    report_message(run, 1,
                   "scene '%s': its labels seem to lie %s of where the image has them: shifted back, their boundaries "
                   "meet %.2f times the change of pixels; check georeference and CRS of both files",
                   o->scenes[index].name, text, shift.better);
    return ERR_NONE;
}

/* A scene of holdout is opened for a survey alone; that it cannot be is no reason not to train. */
static Err survey_holdout(Dataset *d, LabelScan scan, uint32_t index)
{
    Scene *s = NULL;
    scan.blocks = NULL;
    Err err = scene_open(d->options, d->climate, index, scan.run != NULL ? scan.run->stop : NULL, &s);
    if (err == ERR_NONE) err = survey_scene(d->survey, s, index, d->climate, scan.run);
    if (err == ERR_NONE) err = census_vectors(scan.census, s);
    if (err == ERR_NONE) err = label_scan(&scan, s, index);
    if (err == ERR_NONE) err = find_shift(d, s, index, scan.run);
    scene_close(s);
    if (err != ERR_INPUT && err != ERR_CONFIG) return err;
    report_message(scan.run, 1, "scene '%s' of split holdout: %s", d->options->scenes[index].name, err_message());
    return ERR_NONE;
}

static void tell_progress(const Dataset *d, const MetasegRun *run, uint32_t done)
{
    if (d->survey == NULL || run == NULL || run->progress == NULL) return;
    run->progress(run->context, done, d->options->n_scenes, NULL);
}

/* Opens each scene once: what it is, what its labels hold, where validation looks. */
static Err visit_scenes(Dataset *d, DatasetReader *r, Census *census, const MetasegRun *run)
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
        if (i > 0) tell_progress(d, run, i);
        if (d->options->scenes[i].split == SCENE_HOLDOUT) {
            if (d->survey != NULL) TRY(survey_holdout(d, scan, i));
            continue;
        }
        TRY(scene_pool_get(r->pool, i, run != NULL ? run->stop : NULL, &s));
        TRY(check_bands(d, s, i));
        if (r->image == NULL) TRY(reader_allocate(r));
        TRY(census_scene(census, s, i));
        TRY(census_vectors(census, s));
        if (d->survey != NULL) TRY(survey_scene(d->survey, s, i, d->climate, run));
        d->scenes[i] = (SceneFacts){ .width = s->width, .height = s->height };
        add_zones(d, s, &d->scenes[i]);
        if (d->blocks != NULL) TRY(validation_blocks_add_scene(d->blocks, i, s->width, s->height));
        TRY(plan_validation(d, s, i, census));
        TRY(label_scan(&scan, s, i));
        TRY(find_shift(d, s, i, run));
        TRY(look_at_image(d, r, s, i, census, run));
    }
    tell_progress(d, run, d->options->n_scenes);
    vector_census_tell(&census->vectors, d->options, run);
    for (uint32_t b = 0; b < d->options->n_validation; b++)
        if (census->in_box[b] == 0) TRY(look_into_box(d, r, (int32_t)b, census));
    return ERR_NONE;
}

/* Whether a window holds a valid pixel with a label that counts. Leaves the image's normalisation alone. */
static Err look_into_window(const Dataset *d, DatasetReader *r, Window w, bool validation, bool *ret_found)
{
    Scene *s = NULL;
    TRY(scene_pool_get(r->pool, (uint32_t)w.scene, NULL, &s));
    TRY(image_source_read(s->image, w.x, w.y, d->side, r->image, r->valid));
    if (!any_valid(r)) return ERR_NONE;
    TRY(reader_read_labels(r, s, w));
    TRY(reader_keep_labels(r, s, w, validation));
    for (int64_t i = 0; i < d->side * d->side && !*ret_found; i++) *ret_found = r->labels[i] != CLASS_IGNORE;
    return ERR_NONE;
}

/* Refuses what training would draw where no window holds anything to learn. */
static Err check_drawn(const Dataset *d, DatasetReader *r, const MetasegRun *run)
{
    bool found = false;
    int64_t looks = 0;
    for (uint64_t i = 0; i < MOST_DRAWS && looks < LOOKS && !found; i++) {
        Window w;
        TRY(check_stop(run));
        TRY(reader_draw(r, 0, i, d->side, &w)); /* where nothing can be drawn it is said now */
        if (d->scenes[w.scene].invalid) continue;
        TRY(look_into_window(d, r, w, false, &found));
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
static Err check_validation(const Dataset *d, DatasetReader *r, const MetasegRun *run)
{
    char places[160];
    bool found = d->n_validation == 0;
    const int64_t looks = d->n_validation < LOOKS ? d->n_validation : LOOKS;
    for (int64_t i = 0; i < looks && !found; i++) {
        const Window w = d->validation[i * d->n_validation / looks];
        TRY(check_stop(run));
        if (!d->scenes[w.scene].invalid) TRY(look_into_window(d, r, w, true, &found));
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
        for (int32_t part = DATASET_TRAINING; part <= DATASET_VALIDATION; part++)
            census->areas[part][c] = validation_blocks_ground(d->blocks, c, part == DATASET_VALIDATION);
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

static Err open_dataset(Dataset *d, DatasetReader *r, Census *census, const MetasegRun *run)
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
    TRY(sampler_new((int32_t)options->n_classes, PLACES_PER_CLASS, (uint64_t)options->seed, options->balance,
                    &d->sampler));
    TRY(visit_scenes(d, r, census, run));
    if (d->blocks != NULL) TRY(choose_blocks(d, census, run));
    memcpy(d->areas, census->areas, sizeof d->areas);
    if (d->survey != NULL) {
        memcpy(d->survey->areas, d->areas, sizeof d->areas);
        memcpy(d->survey->zone_areas, d->zone_areas, sizeof d->zone_areas);
        d->survey->counted = true;
    }
    TRY(census_tell(census, run));
    TRY(sampler_finish(d->sampler));
    TRY(check_drawn(d, r, run));
    return check_validation(d, r, run);
}

static Err open_with(const DatasetOptions *options, const Climate *climate, const MetasegRun *run, Survey *survey,
                     Dataset **ret_dataset)
{
    Census census;
    DatasetReader *reader = NULL;
    Dataset *d = calloc(1, sizeof *d);
    if (d == NULL) return err_memory(sizeof *d, "the data set");
    *d = (Dataset){ .options = options, .climate = climate, .side = options->window, .survey = survey };
    Err err = census_init(options, &census);
    if (err == ERR_NONE) {
        err = dataset_reader_new(d, &reader);
        if (err == ERR_NONE) err = open_dataset(d, reader, &census, run);
        dataset_reader_free(reader);
        census_done(&census);
    }
    if (err != ERR_NONE) {
        dataset_close(d);
        return err;
    }
    *ret_dataset = d;
    return ERR_NONE;
}

Err dataset_open(const DatasetOptions *options, const Climate *climate, const MetasegRun *run, Dataset **ret_dataset)
{
    return open_with(options, climate, run, NULL, ret_dataset);
}

/* Which bands are far from what training would normalise with. */
static Err expect_bands(const Dataset *d, Survey *survey)
{
    DatasetReader *reader = NULL;
    const size_t bands = (size_t)d->bands;
    double *mean = calloc(2 * bands, sizeof *mean);
    ImageBand *expected = calloc(bands, sizeof *expected);
    Err err = mean != NULL && expected != NULL ? dataset_reader_new(d, &reader)
                                               : err_memory(bands * sizeof *expected, "the bands");
    if (err == ERR_NONE) err = dataset_statistics(reader, mean, mean + bands);
    for (int64_t b = 0; b < d->bands && err == ERR_NONE; b++)
        expected[b] = dataset_image_band(d->options, b, mean[b], mean[d->bands + b]);
    if (err == ERR_NONE) survey_expect(survey, expected, d->bands);
    dataset_reader_free(reader);
    free(mean);
    free(expected);
    return err;
}

Err dataset_survey(const DatasetOptions *options, const Climate *climate, const MetasegRun *run, Survey *survey)
{
    Dataset *d = NULL;
    Err err = open_with(options, climate, run, survey, &d);
    if (err == ERR_NONE) err = expect_bands(d, survey);
    dataset_close(d);
    return err;
}

void dataset_close(Dataset *d)
{
    if (d == NULL) return;
    for (int64_t b = 0; d->band_names != NULL && b < d->bands; b++) free(d->band_names[b]);
    free(d->band_names);
    band_sets_done(&d->sets);
    sampler_free(d->sampler);
    free(d->validation);
    free(d->scenes);
    validation_blocks_free(d->blocks);
    free(d->normalisation);
    free(d);
}

int64_t dataset_bands(const Dataset *d) { return d->bands; }

LabelArea dataset_class_area(const Dataset *d, DatasetPart part, int64_t class_index)
{
    return d->areas[part][class_index];
}

double dataset_zone_area(const Dataset *d, int32_t zone) { return d->zone_areas[zone]; }

const char *dataset_band_name(const Dataset *d, int64_t i) { return d->band_names[i]; }

int64_t dataset_band_sets(const Dataset *d) { return d->sets.n_sets; }

const char *dataset_band_set_name(const Dataset *d, int64_t i) { return d->sets.sets[i].name; }

int64_t dataset_validation_count(const Dataset *d) { return d->n_validation; }

void dataset_set_statistics(Dataset *d, const double *mean, const double *std)
{
    for (int64_t b = 0; b < d->bands; b++) d->normalisation[b] = dataset_image_band(d->options, b, mean[b], std[b]);
}
