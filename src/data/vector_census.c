/* SPDX-License-Identifier: Apache-2.0
 * The features of vector files, counted over images. */
#include "data/vector_census.h"

#include "base/grow.h"
#include "base/report.h"
#include "base/str.h"
#include "data/label_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 8, IMAGES_BYTES = 48 };

/* ---- adding ---- */

static bool is_layer(const VectorCensusLayer *l, const VectorLabels *v)
{
    return strcmp(l->path, vector_labels_path(v)) == 0 && strcmp(l->layer, vector_labels_layer(v)) == 0 &&
           strcmp(l->field, vector_labels_field(v)) == 0;
}

static Err find_layer(VectorCensus *c, const VectorLabels *v, VectorCensusLayer **ret_layer)
{
    for (int64_t i = 0; i < c->n_layers; i++) {
        if (!is_layer(&c->layers[i], v)) continue;
        *ret_layer = &c->layers[i];
        return ERR_NONE;
    }
    TRY(grow_array(&c->layers, c->n_layers, &c->capacity, sizeof *c->layers, "the vector files"));
    VectorCensusLayer *l = &c->layers[c->n_layers++];
    *l = (VectorCensusLayer){ .is_text = vector_labels_is_text(v) };
    TRY(str_copy(vector_labels_path(v), &l->path));
    TRY(str_copy(vector_labels_layer(v), &l->layer));
    TRY(str_copy(vector_labels_field(v), &l->field));
    *ret_layer = l;
    return ERR_NONE;
}

/* Room for n features; those that are new have no state yet. A file that is edited meanwhile may get more. */
static Err want_features(VectorCensusLayer *l, int64_t n, const int64_t *ids)
{
    if (n <= l->n_features) return ERR_NONE;
    uint8_t *states = realloc(l->states, (size_t)n * sizeof *states);
    if (states == NULL) return err_memory((size_t)n * sizeof *states, "the features of a vector file");
    l->states = states;
    int64_t *larger = realloc(l->ids, (size_t)n * sizeof *larger);
    if (larger == NULL) return err_memory((size_t)n * sizeof *larger, "the features of a vector file");
    l->ids = larger;
    for (int64_t i = l->n_features; i < n; i++) {
        l->states[i] = l->images > 0 ? 0 : VECTOR_FAR;
        l->ids[i] = ids[i];
    }
    l->n_features = n;
    return ERR_NONE;
}

static Err find_class(VectorCensusLayer *l, const VectorClass *class, int64_t *ret_index)
{
    for (int64_t i = 0; i < l->n_classes; i++) {
        const VectorCensusClass *known = &l->classes[i];
        if (l->is_text ? strcmp(known->name, class->name) != 0 : known->value != class->value) continue;
        *ret_index = i;
        return ERR_NONE;
    }
    TRY(grow_array(&l->classes, l->n_classes, &l->capacity, sizeof *l->classes, "the classes of a vector file"));
    VectorCensusClass *added = &l->classes[l->n_classes];
    *added = (VectorCensusClass){ .value = class->value };
    TRY(str_copy(class->name, &added->name));
    *ret_index = l->n_classes++;
    return ERR_NONE;
}

static bool has_pixels(uint8_t state) { return (state & VECTOR_ON_IMAGE) != 0 && (state & VECTOR_SMALL) == 0; }

/* Counts for the classes what has pixels here, of features those that had none before. */
static Err add_classes(VectorCensusLayer *l, const VectorLabels *v)
{
    int64_t index[VECTOR_MOST_CLASSES];
    for (int32_t c = 0; c < vector_labels_class_count(v); c++) {
        TRY(find_class(l, vector_labels_class(v, c), &index[c]));
        l->classes[index[c]].pixels += vector_labels_class(v, c)->pixels;
    }
    for (int64_t i = 0; i < vector_labels_feature_count(v); i++) {
        const VectorFeature *f = vector_labels_feature(v, i);
        l->classes[index[f->class_index]].features += f->pixels > 0 && !has_pixels(l->states[f->layer_index]);
    }
    return ERR_NONE;
}

/* States on two images together. */
static uint8_t merged(uint8_t a, uint8_t b)
{
    enum { ALWAYS = VECTOR_NO_CLASS | VECTOR_NO_GEOMETRY | VECTOR_REPAIRED | VECTOR_WIDENED };
    enum { PLACE = VECTOR_ON_IMAGE | VECTOR_CUT | VECTOR_SMALL };
    const int either = (a | b) & ALWAYS;
    const bool first = (a & VECTOR_ON_IMAGE) != 0, second = (b & VECTOR_ON_IMAGE) != 0;
    if (first && second) return (uint8_t)(either | (a & b & PLACE));
    if (first || second) return (uint8_t)(either | ((first ? a : b) & PLACE));
    return (uint8_t)(either | (a & b & VECTOR_FAR));
}

Err vector_census_add(VectorCensus *census, const VectorLabels *labels)
{
    VectorCensusLayer *l = NULL;
    const int64_t n = vector_labels_findings(labels)->features;
    const uint8_t *states = vector_labels_states(labels);
    const VectorOverlaps overlaps = vector_labels_overlaps(labels);
    TRY(find_layer(census, labels, &l));
    TRY(want_features(l, n, vector_labels_ids(labels)));
    TRY(add_classes(l, labels));
    for (int64_t i = 0; i < n; i++) l->states[i] = merged(l->states[i], states[i]);
    l->overlaps.overlapped += overlaps.overlapped;
    l->overlaps.contradicting += overlaps.contradicting;
    l->images++;
    return ERR_NONE;
}

void vector_census_done(VectorCensus *census)
{
    for (int64_t i = 0; i < census->n_layers; i++) {
        VectorCensusLayer *l = &census->layers[i];
        for (int64_t c = 0; c < l->n_classes; c++) free(l->classes[c].name);
        free(l->path);
        free(l->layer);
        free(l->field);
        free(l->states);
        free(l->ids);
        free(l->classes);
    }
    free(census->layers);
    *census = (VectorCensus){ 0 };
}

/* ---- telling ---- */

/* "12 features without a geometry: not learned (FID 3 is the first)". */
static void tell_features(const MetasegRun *run, const char *path, int64_t count, int64_t first, const char *what)
{
    if (count == 0) return;
    report_message(run, 1, "'%s': %lld feature%s %s (FID %lld%s)", path, (long long)count, count > 1 ? "s" : "", what,
                   (long long)first, count > 1 ? " is the first" : "");
}

static void tell_names(const VectorCensusLayer *l, const DatasetOptions *options, const MetasegRun *run)
{
    for (int64_t i = 0; i < l->n_classes && l->is_text; i++) {
        const VectorCensusClass *c = &l->classes[i];
        if (label_value_of_name(options, c->name) < 0.0F)
            report_message(run, 1, "'%s': no class is called '%s'; its %lld features (%lld pixels) are not learned",
                           l->path, c->name, (long long)c->features, (long long)c->pixels);
        for (int64_t k = 0; k < i; k++)
            if (str_equal_nocase(c->name, l->classes[k].name) &&
                label_value_of_name(options, c->name) == label_value_of_name(options, l->classes[k].name))
                report_message(run, 1, "'%s': '%s' and '%s' differ in case alone; both are one class", l->path,
                               l->classes[k].name, c->name);
    }
}

/* How many scenes the file labels beside those that were added. */
static int64_t not_opened(const VectorCensus *census, const VectorCensusLayer *l, const DatasetOptions *options)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < options->n_scenes; i++) n += strcmp(options->scenes[i].labels, l->path) == 0;
    for (int64_t i = 0; i < census->n_layers; i++)
        if (strcmp(census->layers[i].path, l->path) == 0) n -= census->layers[i].images;
    return n;
}

static bool is_beside(const VectorCensusLayer *l, int64_t i)
{
    return vector_findings(&l->states[i], &l->ids[i], 1).beside > 0;
}

/* " (FID 3, 7 and 5 more)" of the features on no image. */
static void list_beside(const VectorCensusLayer *l, int64_t beside, Str *text)
{
    int64_t n = 0;
    for (int64_t i = 0; i < l->n_features && n < LISTED; i++)
        if (is_beside(l, i)) str_addf(text, "%s%lld", n++ == 0 ? " (FID " : ", ", (long long)l->ids[i]);
    if (beside > n) str_addf(text, " and %lld more", (long long)(beside - n));
    str_add(text, ")");
}

static void tell_beside(const VectorCensusLayer *l, const VectorFindings *f, int64_t unopened, const MetasegRun *run)
{
    Str text = { 0 };
    if (f->beside == 0) return;
    if (l->images > 1)
        str_addf(&text, "on none of the %lld images: not learned", (long long)l->images);
    else
        str_add(&text, "beside the image: not learned");
    if (l->images > 1) list_beside(l, f->beside, &text);
    if (unopened > 0)
        str_addf(&text, "; %lld image%s of split holdout %s not looked at", (long long)unopened,
                 unopened > 1 ? "s" : "", unopened > 1 ? "are" : "is");
    report_message(run, unopened > 0 ? 0 : 1, "'%s': %lld of %lld features lie %s", l->path, (long long)f->beside,
                   (long long)f->features, str_text(&text));
    str_done(&text);
}

static void tell_overlaps(const VectorCensusLayer *l, const MetasegRun *run)
{
    const VectorOverlaps *o = &l->overlaps;
    if (o->overlapped > 0)
        report_message(run, o->contradicting > 0 ? 1 : 0,
                       "'%s': %lld pixels have more than one feature, %lld of them with different classes; the last "
                       "feature of the layer has them",
                       l->path, (long long)o->overlapped, (long long)o->contradicting);
}

static void tell_layer(const VectorCensusLayer *l, int64_t unopened, const DatasetOptions *options,
                       const MetasegRun *run)
{
    const VectorFindings f = vector_findings(l->states, l->ids, l->n_features);
    const bool several = l->images > 1;
    char images[IMAGES_BYTES] = "the image";
    if (several) (void)snprintf(images, sizeof images, "the %lld images", (long long)l->images);
    report_message(run, 0, "'%s': %lld of %lld features of layer '%s' lie on %s, their class is in field '%s'", l->path,
                   (long long)f.on_image, (long long)f.features, l->layer, images, l->field);
    tell_names(l, options, run);
    tell_features(run, l->path, f.null_fields, f.first_null, "without a class (the field is empty): not learned");
    tell_features(run, l->path, f.empty, f.first_empty, "without a geometry: not learned");
    tell_features(run, l->path, f.far, f.first_far,
                  several ? "beyond the domain of the images' projections: not learned"
                          : "beyond the domain of the image's projection: not learned");
    tell_beside(l, &f, unopened, run);
    if (f.partly > 0)
        report_message(run, 0, "'%s': %lld features lie partly beside %s; what lies on it is learned", l->path,
                       (long long)f.partly, several ? "each image that they meet" : "the image");
    tell_features(run, l->path, f.small, f.first_small,
                  several ? "on the images without the centre of any pixel: not learned"
                          : "on the image without the centre of any pixel: not learned");
    tell_features(run, l->path, f.repaired, f.first_repaired, "crossed itself and was made valid");
    tell_overlaps(l, run);
    if (f.widened > 0)
        report_message(run, 0, "'%s': %lld lines and points were widened by the buffer", l->path, (long long)f.widened);
}

void vector_census_tell(const VectorCensus *census, const DatasetOptions *options, const MetasegRun *run)
{
    for (int64_t i = 0; i < census->n_layers; i++)
        tell_layer(&census->layers[i], not_opened(census, &census->layers[i], options), options, run);
}
