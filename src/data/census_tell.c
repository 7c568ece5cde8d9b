/* SPDX-License-Identifier: Apache-2.0
 * What the counts mean for a person. */
#include "base/report.h"
#include "data/census.h"

#include <stdio.h>

enum { LISTED = 8 };

/* "scene 'a'", "scene 'a' and 3 more". */
static void name_scenes(const Census *c, const Finding *f, char ret_text[160])
{
    const char *name = c->options->scenes[f->first].name;
    if (f->scenes > 1)
        (void)snprintf(ret_text, 160, "scene '%.100s' and %lld more", name, (long long)(f->scenes - 1));
    else
        (void)snprintf(ret_text, 160, "scene '%.100s'", name);
}

static void tell_scenes(const Census *c, const MetasegRun *run, const Finding *f, const char *what)
{
    char scenes[160];
    if (f->scenes == 0) return;
    name_scenes(c, f, scenes);
    report_message(run, 1, "%s: %s", scenes, what);
}

static void tell_values(const Census *c, const MetasegRun *run)
{
    Str unnamed = { 0 };
    Str impossible = { 0 };
    Str colors = { 0 };
    char looked[64] = "";
    if (c->step > 1)
        (void)snprintf(looked, sizeof looked, " (of every %lldth pixel along both axes)", (long long)c->step);
    if (label_counts_unnamed(&c->values, &c->table, &unnamed) > 0)
        report_message(
            run, 1, "labels: no class has the value %s%s; such pixels are not learned, data.remap gives them a class",
            str_text(&unnamed), looked);
    if (label_counts_impossible(&c->values, &impossible) > 0)
        report_message(run, 1, "labels: values that no class can have: %s%s; such pixels are not learned",
                       str_text(&impossible), looked);
    if (color_counts_text(&c->colors, &colors) > 0)
        report_message(
            run, 1, "labels: no class has the colour %s%s; such pixels are not learned%s", str_text(&colors), looked,
            c->colors.others > 0 ? "; so many colours come of a mask that was saved as JPEG or resampled" : "");
    str_done(&unnamed);
    str_done(&impossible);
    str_done(&colors);
}

/* Why a class has no training pixel; each class belongs to the first that holds. */
typedef enum Missing {
    MISSING_NOTHING,
    MISSING_IGNORED,
    MISSING_REMAPPED,
    MISSING_NODATA,
    MISSING_APART,
    MISSING_ABSENT,
    MISSING_COUNT,
} Missing;

static bool has_a_value(const Census *c, uint32_t class_index)
{
    for (int64_t v = 0; v < LABEL_VALUES; v++)
        if (c->table.class_of[v] == class_index) return true;
    return false;
}

static Missing missing(const Census *c, uint32_t i)
{
    if (c->training[i] > 0) return MISSING_NOTHING;
    if (!has_a_value(c, i))
        return c->options->classes[i].value == c->options->ignore ? MISSING_IGNORED : MISSING_REMAPPED;
    if (c->validation[i] + c->holdout[i] > 0) return MISSING_APART;
    return c->nodata[i].scenes > 0 ? MISSING_NODATA : MISSING_ABSENT;
}

/* "'Water' (0), 'Forest' (1) and 3 more" of the classes for which `wanted` holds. */
static int64_t list_classes(const Census *c, const bool *wanted, Str *text)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < c->options->n_classes; i++) {
        if (!wanted[i]) continue;
        if (n++ < LISTED)
            str_addf(text, "%s'%s' (%d)", n > 1 ? ", " : "", c->options->classes[i].name,
                     (int)c->options->classes[i].value);
    }
    if (n > LISTED) str_addf(text, " and %lld more", (long long)(n - LISTED));
    return n;
}

static void tell_training_classes(const Census *c, const MetasegRun *run)
{
    static const char *const why[MISSING_COUNT] = {
        [MISSING_IGNORED] = "their value is data.ignore",
        [MISSING_REMAPPED] = "data.remap makes another class of their value",
        [MISSING_NODATA] = "their value is the nodata value of the labels",
        [MISSING_APART] = "all their pixels are kept apart for validation or holdout",
        [MISSING_ABSENT] = "no label inside an image has their value",
    };
    for (int32_t reason = MISSING_IGNORED; reason < MISSING_COUNT; reason++) {
        bool wanted[LABEL_VALUES] = { false };
        Str text = { 0 };
        for (uint32_t i = 0; i < c->options->n_classes; i++) wanted[i] = (int32_t)missing(c, i) == reason;
        const int64_t n = list_classes(c, wanted, &text);
        if (n > 0)
            report_message(run, 1, "%s %s: no training pixel, %s", n > 1 ? "classes" : "class", str_text(&text),
                           why[reason]);
        str_done(&text);
    }
    for (uint32_t i = 0; i < c->options->n_classes; i++) {
        char scenes[160];
        if (c->nodata[i].scenes == 0 || missing(c, i) == MISSING_NODATA) continue;
        name_scenes(c, &c->nodata[i], scenes);
        report_message(run, 1,
                       "class '%s' (%d): its value is the nodata value of the labels of %s; it is not learned there",
                       c->options->classes[i].name, (int)c->options->classes[i].value, scenes);
    }
}

static void tell_validation_classes(const Census *c, const MetasegRun *run)
{
    bool wanted[LABEL_VALUES] = { false };
    Str text = { 0 };
    for (uint32_t i = 0; i < c->options->n_classes; i++) wanted[i] = c->validation[i] == 0 && c->training[i] > 0;
    if (list_classes(c, wanted, &text) > 0)
        report_message(run, 1,
                       "no validation pixel of %s: the validation figures do not tell how well they are learned",
                       str_text(&text));
    str_done(&text);
}

/* Boxes without a labelled pixel; refused when none has one. */
static Err tell_boxes(const Census *c, const MetasegRun *run)
{
    const DatasetOptions *o = c->options;
    uint32_t empty = 0;
    uint32_t met = 0;
    for (uint32_t b = 0; b < o->n_validation; b++) {
        empty += c->in_box[b] == 0;
        met += c->met[b];
    }
    if (o->n_validation > 0 && met == 0)
        return err_set(
            ERR_CONFIG,
            "data.validation: no box meets a scene ('%s' is the first); correct the boxes, or leave them out "
            "to keep the last weights",
            o->validation[0].name);
    if (o->n_validation > 0 && empty == o->n_validation)
        return err_set(ERR_INPUT,
                       "data.validation: no box holds a labelled pixel ('%s' is the first); nothing could be validated",
                       o->validation[0].name);
    for (uint32_t b = 0; b < o->n_validation; b++)
        if (c->in_box[b] == 0)
            report_message(run, 1, "validation box '%s': %s", o->validation[b].name,
                           c->met[b] ? "it holds no labelled pixel" : "it lies outside all scenes");
    return ERR_NONE;
}

static int64_t sum(const Census *c, const int64_t *of_class)
{
    int64_t total = 0;
    for (uint32_t i = 0; i < c->options->n_classes; i++) total += of_class[i];
    return total;
}

static Err tell_validation(const Census *c, const MetasegRun *run)
{
    const DatasetOptions *o = c->options;
    const ValidationPlaces places = dataset_validation_places(o);
    uint32_t first = 0;
    while (first + 1 < o->n_scenes && o->scenes[first].split != SCENE_VALIDATION) first++;
    TRY(tell_boxes(c, run));
    if (places == VALIDATION_SCENES && sum(c, c->validation) == 0)
        return err_set(ERR_INPUT,
                       "no scene of split validation has a labelled pixel ('%s' is the first); nothing could be "
                       "validated",
                       o->scenes[first].name);
    if (places != VALIDATION_NONE) tell_validation_classes(c, run);
    return ERR_NONE;
}

static int64_t training_scenes(const Census *c)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < c->options->n_scenes; i++) n += c->options->scenes[i].split == SCENE_TRAIN;
    return n;
}

static const char *const unlabelled_why[UNLABELLED_COUNT] = {
    [UNLABELLED_VALUES] = "no label inside the image has the value of a class",
    [UNLABELLED_VALID] = "no label inside the image is valid, all are nodata",
    [UNLABELLED_APART] = "no centre of a label pixel lies inside the image: they do not overlap",
};

/* Refusal where no pixel can be learned. */
static Err check_training(const Census *c)
{
    if (c->invalid_training == training_scenes(c))
        return err_set(
            ERR_INPUT,
            "no image to learn from has a valid pixel (scene '%s' is the first): all are nodata or masked, so nothing "
            "could be learned; correct the nodata value or the mask (gdal_edit.py -unsetnodata)",
            c->options->scenes[c->invalid.first].name);
    if (sum(c, c->training) > 0) return ERR_NONE;
    const int64_t held = sum(c, c->holdout);
    const int64_t validated = sum(c, c->validation);
    if (held + validated > 0)
        return err_set(
            ERR_CONFIG,
            "all labelled pixels are kept apart: %lld in the boxes of data.holdout, %lld for validation; nothing is "
            "left to learn from",
            (long long)held, (long long)validated);
    for (int32_t why = UNLABELLED_COUNT - 1; why >= 0; why--) {
        char scenes[160];
        if (c->unlabelled[why].scenes == 0) continue;
        name_scenes(c, &c->unlabelled[why], scenes);
        return err_set(ERR_INPUT, "there is no labelled pixel to learn from; %s: %s", scenes, unlabelled_why[why]);
    }
    return ERR_NONE;
}

static void tell_sampling(const Census *c, const MetasegRun *run)
{
    const DatasetOptions *o = c->options;
    const char *const units[MODEL_UNIT_COUNT] = { "metres", "degrees", "pixels of the image" };
    for (int32_t side = 0; side < 2; side++) {
        const Finding *f = side == 0 ? &c->too_fine : &c->too_coarse;
        char scenes[160];
        if (f->scenes == 0) continue;
        name_scenes(c, f, scenes);
        report_message(
            run, 1,
            "%s: pixels of the network of %.6g %s, outside model.gsd_min..gsd_max (%.6g to %.6g); prediction "
            "would resample such an image to another pixel size than is learned",
            scenes, side == 0 ? c->finest : c->coarsest, units[o->gsd_unit], o->gsd_min, o->gsd_max);
    }
}

/* What it means that scenes have no place. */
static void tell_unplaced(const Census *c, const MetasegRun *run, const Finding *f, const char *zone)
{
    const DatasetOptions *o = c->options;
    char scenes[160];
    if (f->scenes == 0) return;
    name_scenes(c, f, scenes);
    report_message(run, 0,
                   "%s: neither image nor labels say where they lie, so they match pixel by pixel and read the %s%s",
                   scenes, zone,
                   o->gsd > 0.0 || o->gsd_unit == MODEL_PIXEL
                       ? ""
                       : "; their pixels are taken to fit model.gsd_min..gsd_max, data.gsd tells their size");
    if (o->n_holdout + o->n_validation > 0)
        report_message(run, 1, "%s: without a place, so no box of data.%s reaches them", scenes,
                       o->n_holdout > 0 && o->n_validation > 0 ? "holdout and data.validation"
                       : o->n_holdout > 0                      ? "holdout"
                                                               : "validation");
}

static void tell_images(const Census *c, const MetasegRun *run)
{
    char scenes[160];
    tell_scenes(c, run, &c->bands, "its label raster has more than one band; band 1 is read");
    tell_scenes(c, run, &c->invalid,
                "its image has no valid pixel (all are nodata or masked); nothing of it is learned");
    tell_scenes(c, run, &c->rarely_valid,
                "no window of a grid over its image holds a valid pixel; most of it is nodata or masked");
    tell_scenes(
        c, run, &c->mask_elsewhere,
        "its cloud mask has no value anywhere on the image where it was looked at; are both of the same place?");
    tell_scenes(c, run, &c->palette, "its image has a palette: what is read are indexes of colours, not measurements");
    if (c->other_type.scenes > 0) {
        name_scenes(c, &c->other_type, scenes);
        report_message(run, 1, "%s: bands of type %s, those of the first scene are %s; values must mean the same",
                       scenes, c->type, c->first_type);
    }
    if (c->other_tags.scenes > 0) {
        name_scenes(c, &c->other_tags, scenes);
        report_message(run, 1,
                       "%s: %s, in the first scene '%s' %s; offsets are taken off, scales are not applied, so stored "
                       "numbers must have one unit",
                       scenes, c->tags[0], c->options->scenes[c->first].name, c->tags[1]);
    }
    if (c->far_offset.scenes > 0) {
        name_scenes(c, &c->far_offset, scenes);
        report_message(run, 1,
                       "%s: %s moves the numbers further than the type of the band reaches; correct the tag if it is "
                       "wrong (gdal_edit.py -offset)",
                       scenes, c->offset);
    }
    if (c->other_band.scenes > 0) {
        name_scenes(c, &c->other_band, scenes);
        report_message(run, 1, "%s: the chosen bands are %s, those of the first scene %s", scenes, c->band,
                       c->first_band);
    }
}

static void tell_same_images(Census *c, const MetasegRun *run)
{
    uint32_t pair[2];
    const int64_t n = census_same_images(c, pair);
    const DatasetScene *scenes = c->options->scenes;
    if (n > 0 && scenes[pair[0]].split != scenes[pair[1]].split)
        report_message(run, 1,
                       "scenes '%s' and '%s' have one image%s, though their split differs: what is kept apart with one "
                       "is there with the other",
                       scenes[pair[0]].name, scenes[pair[1]].name, n > 1 ? " (and there are more such scenes)" : "");
    else if (n > 0)
        report_message(run, 1, "scenes '%s' and '%s' have one image%s: its places are drawn once for each",
                       c->options->scenes[pair[0]].name, c->options->scenes[pair[1]].name,
                       n > 1 ? " (and there are more such scenes)" : "");
}

Err census_tell(Census *c, const MetasegRun *run)
{
    tell_same_images(c, run);
    tell_images(c, run);
    tell_unplaced(c, run, &c->unplaced, "null prompt");
    tell_unplaced(c, run, &c->pointed, "zone of their lonlat");
    tell_sampling(c, run);
    tell_values(c, run);
    TRY(check_training(c));
    for (int32_t why = 0; why < UNLABELLED_COUNT; why++) tell_scenes(c, run, &c->unlabelled[why], unlabelled_why[why]);
    tell_training_classes(c, run);
    return tell_validation(c, run);
}
