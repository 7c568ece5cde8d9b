/* SPDX-License-Identifier: Apache-2.0
 * From images, labels and minutes to a configuration; each choice is told. */
#include "train/train_plan.h"

#include "base/file.h"
#include "base/report.h"
#include "base/str.h"
#include "geo/raster_files.h"
#include "tensor_file/tensor_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRIAL_STEPS = 100,
    LEAST_STEPS = 4,
    MOST_STEPS = 200000,
    ENOUGH_STEPS = 500,
    STEPS_PER_FEATURE = 6,
    MOST_VALIDATIONS = 12
};

static const double validation_part = 0.2;    /* of the time, at most, beyond the first two */
static const double large_pixel = 4.0;        /* metres */
static const double fraction_of_blocks = 0.2; /* of the labels, where validation is blocks */

MetasegTrainPlan metaseg_train_plan_defaults(void)
{
    return (MetasegTrainPlan){ .name = "own classes", .minutes = 10.0, .buffer = VECTOR_BUFFER, .seed = 1 };
}

static const volatile int *stop_of(const Plan *p) { return p->run != NULL ? p->run->stop : NULL; }

static Err absolute(const char *path, char **ret_path)
{
    char *found = realpath(path, NULL);
    if (found == NULL) return err_set(ERR_INPUT, "'%s': no such file", path);
    *ret_path = found;
    return ERR_NONE;
}

static Err read_from(Plan *p)
{
    TensorFile *file = NULL;
    if (p->given->from == NULL) return ERR_NONE;
    TRY(tensor_file_open(p->given->from, &file));
    const char *json = tensor_file_metadata(file, "metaseg");
    const Err err = json != NULL ? model_config_read(json, p->given->from, &p->from)
                                 : err_set(ERR_MODEL, "'%s': this is no model of metaseg", p->given->from);
    tensor_file_close(file);
    p->has_from = err == ERR_NONE;
    return err;
}

/* Names of the bands by which the next images choose theirs. */
static Err keep_band_names(Plan *p, const Raster *raster)
{
    const int64_t n = raster_chosen_count(raster);
    if (p->n_bands > 0) return ERR_NONE;
    if (n > MODEL_MAX_BANDS)
        return err_set(ERR_ARGUMENT, "'%s': it has %lld bands, a model reads at most %d; choose with -b",
                       raster_path(raster), (long long)n, (int)MODEL_MAX_BANDS);
    p->band_names = calloc((size_t)n, sizeof *p->band_names);
    if (p->band_names == NULL) return err_memory((size_t)n * sizeof *p->band_names, "the names of the bands");
    p->n_bands = n;
    for (int64_t b = 0; b < n; b++)
        TRY(str_copy(raster_band_common_name(raster, raster_chosen_band(raster, b)), &p->band_names[b]));
    return ERR_NONE;
}

/* Which bands an image gives: those named by hand; those that the model reads; those that the first image gave; all. An image
 * that lacks bands of the model gives all it has, of which some may be the model's. */
static Err open_image(const Plan *p, const char *path, ImageSource **ret_image)
{
    const char *names[MODEL_MAX_BANDS];
    ImageSourceOptions options = { .bands = p->given->bands, .crs = p->given->crs, .stop = stop_of(p) };
    const bool by_model = p->has_from && p->n_bands == 0;
    const int64_t n = by_model ? p->from.network.n_bands : p->n_bands;
    if (by_model && p->given->bands != NULL) return image_source_open(path, &options, ret_image);
    for (int64_t b = 0; b < n; b++) names[b] = by_model ? p->from.bands[b].name : p->band_names[b];
    options.wanted = n;
    options.names = n > 0 ? names : NULL;
    const Err err = image_source_open(path, &options, ret_image);
    if (err != ERR_INPUT || !by_model) return err;
    options.wanted = 0;
    options.names = NULL;
    return image_source_open(path, &options, ret_image);
}

static Err describe_image(Plan *p, int64_t index, ImageSource *image)
{
    PlanScene *s = &p->scenes[index];
    const RasterInfo *info = raster_info(image->raster);
    Str bands = { 0 };
    Str names = { 0 };
    TRY(keep_band_names(p, image->raster));
    for (int64_t b = 0; b < raster_chosen_count(image->raster); b++) {
        const int64_t band = raster_chosen_band(image->raster, b);
        str_addf(&bands, "%s%lld", b > 0 ? ", " : "", (long long)band);
        str_addf(&names, "%s%s", b > 0 ? ", " : "", raster_band_common_name(image->raster, band));
    }
    const PixelSides sides = georeference_pixel_sides(image->place, false);
    char size[64];
    s->width = info->width;
    s->height = info->height;
    s->placed = georeference_kind(image->place) != GEOREFERENCE_NONE;
    s->side = sides.known ? sides.side : p->given->gsd > 0.0 ? p->given->gsd : (double)NAN;
    p->n_unplaced += !s->placed;
    p->n_unsized += !sides.known;
    if (isfinite(s->side))
        (void)snprintf(size, sizeof size, "%.4g m", s->side);
    else
        (void)snprintf(size, sizeof size, "unknown size");
    const Err err = str_take(&bands, &s->bands);
    if (err == ERR_NONE)
        report_message(p->run, 0, "'%s': %lld x %lld pixels of %s%s, bands %s", s->image, (long long)s->width,
                       (long long)s->height, size, s->placed ? "" : ", no georeference", str_text(&names));
    str_done(&names);
    return err;
}

/* Level 2 is brought to level 1 where the model says how: what train.yaml says of it is what predict would find. */
static Err find_level(Plan *p, int64_t index, ImageSource *image)
{
    int32_t bands[MODEL_MAX_BANDS];
    ProcessingLevel given = PROCESSING_UNKNOWN;
    TRY(image_level_given(p->given->level, &given));
    if (!plan_reads_reflectance(p, bands) || !model_config_reads_level_1(&p->from)) {
        if (given != PROCESSING_UNKNOWN && index == 0)
            report_message(p->run, 1,
                           "--level %s is not used: only a model that is made for reflectance of level 1, named with "
                           "--from, reads the level of its images",
                           p->given->level);
        return ERR_NONE;
    }
    TRY(image_source_set_level(image, given, p->run));
    if (!image_source_has_bytes(image))
        p->scenes[index].level = image->surface ? PROCESSING_LEVEL_2 : PROCESSING_LEVEL_1;
    return ERR_NONE;
}

static Err read_scene(Plan *p, int64_t index)
{
    const MetasegTrainPlan *given = p->given;
    PlanScene *s = &p->scenes[index];
    ImageSource *image = NULL;
    TRY(absolute(given->images[index], &s->image));
    TRY(absolute(given->labels[given->n_labels == 1 ? 0 : index], &s->labels));
    TRY(open_image(p, s->image, &image));
    Err err = describe_image(p, index, image);
    if (err == ERR_NONE) err = find_level(p, index, image);
    if (err == ERR_NONE) err = plan_read_labels(p, (int32_t)index, image);
    image_source_close(image);
    return err;
}

bool plan_in_metres(const Plan *p)
{
    for (int64_t i = 0; i < p->n_scenes; i++)
        if (!isfinite(p->scenes[i].side)) return false;
    return true;
}

static Err check_gsd(const Plan *p)
{
    if (p->given->gsd > 0.0 && p->n_unsized == 0)
        return err_set(ERR_ARGUMENT,
                       "--gsd is the pixel size of images without a georeference; '%s' has pixels of %.4g m%s",
                       p->scenes[0].image, p->scenes[0].side, p->n_scenes > 1 ? ", the others are known, too" : "");
    if (!plan_in_metres(p))
        report_message(p->run, 0,
                       "pixels of unknown size: the model will be for pictures like %s, read pixel by pixel; with "
                       "--gsd METRES it would also resample others",
                       p->n_scenes > 1 ? "these" : "this one");
    return ERR_NONE;
}

static void tell_split(const Plan *p)
{
    int64_t inside = 0;
    for (int64_t i = 0; i < p->n_items; i++) inside += p->split.validation[i];
    if (p->split.n_boxes == 0) {
        report_message(
            p->run, 1,
            "no validation: no class has two features that can be kept apart; the last weights are kept, and "
            "nothing tells how good they are");
        return;
    }
    report_message(p->run, 0, "validation: %lld of %lld features in %u boxes, %.0f %% of the labels, are kept apart",
                   (long long)inside, (long long)p->n_items, (unsigned)p->split.n_boxes, 100.0 * p->split.fraction);
    if (p->split.missing > 0)
        report_message(p->run, 1, "validation: %d classes lie too close together to be in both parts",
                       (int)p->split.missing);
}

/* Boxes around whole features; blocks of pixels where a raster has none. */
static Err choose_validation(Plan *p)
{
    for (int64_t i = 0; i < p->n_scenes; i++)
        if (!p->scenes[i].vector) p->fraction = fraction_of_blocks;
    if (p->fraction > 0.0) return ERR_NONE;
    TRY(split_items(p->items, p->n_items, (int32_t)p->classes.n_classes, (uint64_t)p->given->seed, &p->split));
    tell_split(p);
    return ERR_NONE;
}

/* Where pixels are large and labels few, a pixel and its neighbours tell more than shapes do, and what an encoder learned of
 * photographs does harm (docs/results/few-labels.md). */
static bool sees_pixels(const Plan *p)
{
    if (p->has_from || p->feature_pixels == 0.0 || !plan_in_metres(p)) return false;
    for (int64_t i = 0; i < p->n_scenes; i++)
        if (p->scenes[i].side < large_pixel || !p->scenes[i].vector) return false;
    return true;
}

static void tell_network(const Plan *p)
{
    if (p->upsample > 1)
        report_message(p->run, 0, "features of middle size have %.0f pixels: the image is read enlarged %lld times",
                       p->feature_pixels, (long long)p->upsample);
    const MetasegTrainPlan *given = p->given;
    const bool note = !p->has_from && given->encoder_note != NULL;
    if (p->detail_alone) {
        report_message(p->run, 0,
                       "pixels of %g m or more: a small network sees each with some 20 pixels around it, in windows of "
                       "%lld pixels, %lld at a time; it starts from random weights",
                       large_pixel, (long long)p->window, (long long)p->batch);
        return;
    }
    report_message(p->run, 0, "the network reads windows of %lld pixels, %s, %lld at a time; it starts from %s%s%s",
                   (long long)p->window, p->reads_text ? "with the words of the climate zone" : "without text",
                   (long long)p->batch,
                   p->has_from                      ? given->from
                   : given->encoder_weights != NULL ? given->encoder_weights
                                                    : "random weights: give more minutes, or a model with --from",
                   note ? "; " : "", note ? given->encoder_note : "");
}

/* Small features need finer pixels than the network's scores have, which of the small network are twice as fine. */
static void choose_network(Plan *p)
{
    const double side = sqrt(p->feature_pixels);
    p->detail_alone = sees_pixels(p);
    p->upsample = p->feature_pixels == 0.0 || side >= 12.0 ? 1 : side >= 6.0 ? 2 : 4;
    if (p->detail_alone && p->upsample > 1) p->upsample /= 2;
    p->window = p->detail_alone ? 128 : 256;
    p->batch = p->detail_alone ? 2 : 4;
    p->reads_text = p->has_from && p->from.network.fusion != NETWORK_FUSION_NONE && p->given->climate != NULL &&
                    p->n_unplaced < p->n_scenes;
    tell_network(p);
}

/* After these a small network learns the features themselves by heart: of 40 and 80 features it was better after 500 steps than
 * after 1,500 (docs/results/few-labels.md). */
static int64_t enough_steps(const Plan *p)
{
    const int64_t by_features = STEPS_PER_FEATURE * p->n_items;
    if (!p->detail_alone) return MOST_STEPS;
    return by_features > ENOUGH_STEPS ? by_features : ENOUGH_STEPS;
}

static void choose_steps(Plan *p)
{
    const double seconds = 60.0 * p->given->minutes;
    const double each = p->speed.seconds_per_validation;
    const double fit = each > 0.0 ? validation_part * seconds / each : 0.0;
    p->validations = p->split.n_boxes == 0 && p->fraction == 0.0 ? 0
                     : fit < 2.0                                 ? 2
                     : fit > MOST_VALIDATIONS                    ? MOST_VALIDATIONS
                                                                 : (int64_t)fit;
    const double steps = (seconds - (double)p->validations * each) / fmax(p->speed.seconds_per_step, 1e-6);
    const int64_t enough = enough_steps(p);
    const bool spared = steps > (double)enough && p->detail_alone;
    p->steps = steps < LEAST_STEPS ? LEAST_STEPS : steps > (double)enough ? enough : (int64_t)steps;
    report_message(p->run, 0, "%g minutes: %lld steps of %.2f s%s%s", p->given->minutes, (long long)p->steps,
                   p->speed.seconds_per_step, spared ? ", which is less: more would learn these features by heart" : "",
                   p->validations > 0 ? ", validated on the way; the best weights are kept" : "");
    if (steps < LEAST_STEPS)
        report_message(p->run, 1, "%g minutes are too few here; at least %d steps are done", p->given->minutes,
                       (int)LEAST_STEPS);
}

/* Nothing that is read is written. */
static Err check_files(const Plan *p, const char *config)
{
    FileSet set = { .stop = stop_of(p) };
    Err err = file_set_output(&set, config, "the configuration");
    for (int64_t i = 0; i < p->n_scenes && err == ERR_NONE; i++) {
        err = raster_files_path(p->scenes[i].image, &set, "an image");
        if (err == ERR_NONE)
            err = p->scenes[i].vector ? vector_files_path(p->scenes[i].labels, &set, "a label file", true)
                                      : raster_files_path(p->scenes[i].labels, &set, "a label raster");
    }
    file_set_done(&set);
    return err;
}

/* A configuration is UTF-8, names of files and classes need not be. */
static Err check_utf8(const char *yaml)
{
    for (const char *line = yaml; *line != '\0';) {
        line += strspn(line, " \n");
        const size_t length = strcspn(line, "\n");
        if (!str_is_utf8(line, length))
            return err_set(ERR_INPUT, "%.*s: this is not UTF-8, so no configuration can hold it; rename what it names",
                           (int)length, line);
        line += length;
    }
    return ERR_NONE;
}

/* The configuration as training will read it from `path`. */
static Err read_config(const Plan *p, const char *path, RunConfig **ret_config)
{
    char *yaml = NULL;
    TRY(plan_write(p, &yaml));
    Err err = check_utf8(yaml);
    if (err == ERR_NONE)
        err = run_config_parse(path, yaml, p->given->overrides, p->given->n_overrides, NULL, ret_config);
    free(yaml);
    return err;
}

/* The run folder is where train.yaml and the maps lie. */
static Err check_output(const Plan *p, const char *path)
{
    for (int64_t i = 0; i < p->given->n_overrides; i++)
        if (strncmp(p->given->overrides[i], "train.output=", strlen("train.output=")) == 0)
            return err_set(ERR_ARGUMENT,
                           "'%s': '%s' names another run folder than that of the configuration; name it with -o", path,
                           p->given->overrides[i]);
    return ERR_NONE;
}

static Err try_steps(Plan *p, const char *path)
{
    RunConfig *config = NULL;
    TRY(read_config(p, path, &config));
    return trainer_speed(config, p->run, &p->speed);
}

/* Does a few steps. Whether blocks can be spared for validation is known when the data set is read: where not, without. */
static Err measure(Plan *p, const char *path)
{
    const Err err = try_steps(p, path);
    if (err != ERR_INPUT || p->fraction == 0.0) return err;
    report_message(p->run, 1, "no validation (%s); the last weights are kept, and nothing tells how good they are",
                   err_message());
    p->fraction = 0.0;
    return try_steps(p, path);
}

/* All but how many steps. */
static Err choose(Plan *p)
{
    const MetasegTrainPlan *given = p->given;
    p->scenes = calloc((size_t)given->n_images, sizeof *p->scenes);
    p->values = calloc(VECTOR_MOST_CLASSES, sizeof *p->values);
    if (p->scenes == NULL || p->values == NULL)
        return err_memory((size_t)given->n_images * sizeof *p->scenes, "the images");
    p->n_scenes = given->n_images;
    TRY(read_from(p));
    if (given->classes != NULL) TRY(class_table_load(given->classes, &p->classes));
    for (int64_t i = 0; i < p->n_scenes; i++) TRY(read_scene(p, i));
    plan_count_features(p);
    TRY(plan_classes(p));
    TRY(check_gsd(p));
    TRY(choose_validation(p));
    choose_network(p);
    p->steps = TRIAL_STEPS;
    return ERR_NONE;
}

/* A configuration that is there may have been edited. */
static Err check_older(const Plan *p, const char *config)
{
    if (p->given->overwrite) return ERR_NONE;
    TRY(trainer_check_folder(p->given->output));
    if (!file_exists(config)) return ERR_NONE;
    return err_set(ERR_OUTPUT,
                   "'%s': exists already, of a run that did not begin; -f makes it anew, and 'metaseg train' with this "
                   "file alone begins it",
                   config);
}

/* Nothing is written before the end. */
static Err make(Plan *p, const char *config)
{
    char *yaml = NULL;
    TRY(check_older(p, config));
    TRY(check_output(p, config));
    TRY(choose(p));
    TRY(check_files(p, config));
    TRY(file_make_folders(p->given->output));
    TRY(file_check_output(config, p->given->overwrite));
    TRY(measure(p, config));
    choose_steps(p);
    TRY(plan_write(p, &yaml));
    const Err err = file_write(config, yaml, strlen(yaml), p->given->overwrite);
    free(yaml);
    return err;
}

static void done(Plan *p)
{
    for (int64_t i = 0; p->scenes != NULL && i < p->n_scenes; i++) {
        free(p->scenes[i].image);
        free(p->scenes[i].labels);
        free(p->scenes[i].bands);
    }
    for (int32_t i = 0; p->values != NULL && i < p->n_values; i++) free(p->values[i].name);
    for (int64_t b = 0; p->band_names != NULL && b < p->n_bands; b++) free(p->band_names[b]);
    if (p->has_from) model_config_done(&p->from);
    class_table_done(&p->classes);
    vector_census_done(&p->vectors);
    split_done(&p->split);
    free(p->band_names);
    free(p->scenes);
    free(p->values);
    free(p->items);
}

static Err check_plan(const MetasegTrainPlan *plan)
{
    if (plan == NULL || plan->images == NULL || plan->labels == NULL || plan->n_images < 1)
        return err_set(ERR_ARGUMENT, "a plan needs images and labels");
    if (plan->n_labels != 1 && plan->n_labels != plan->n_images)
        return err_set(ERR_ARGUMENT, "%lld files of labels for %lld images; give one for all images, or one for each",
                       (long long)plan->n_labels, (long long)plan->n_images);
    if (plan->n_overrides < 0 || (plan->overrides == NULL && plan->n_overrides > 0))
        return err_set(ERR_ARGUMENT, "as many overrides are needed as are announced");
    return ERR_NONE;
}

Err train_plan_config(const MetasegTrainPlan *plan, const MetasegRun *run, RunConfig **ret_config)
{
    TRY(check_plan(plan));
    Plan p = { .given = plan, .run = run };
    Err err = choose(&p);
    if (err == ERR_NONE) err = read_config(&p, "train.yaml", ret_config);
    done(&p);
    return err;
}

MetasegStatus metaseg_train_plan(const MetasegTrainPlan *plan, const MetasegRun *run)
{
    TRY(check_plan(plan));
    if (plan->output == NULL) return err_set(ERR_ARGUMENT, "a plan needs an output folder");
    Plan p = { .given = plan, .run = run };
    char *config = NULL;
    TRY(path_join(plan->output, "train.yaml", &config));
    const Err err = make(&p, config);
    done(&p);
    free(config);
    return err;
}
