/* SPDX-License-Identifier: Apache-2.0
 * The lines and the JSON of metaseg dataset. */
#include "train/dataset_tell.h"

#include "base/json.h"
#include "base/line_sink.h"
#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 20 };

static const char *const part_names[DATASET_PARTS] = { "training", "validation", "holdout" };
static const char *const split_names[SCENE_SPLIT_COUNT] = { "training", "validation", "holdout" };
static const char *const suspicion_names[BAND_SUSPICIONS] = { "invalid", "constant", "saturated", "equal",
                                                              "unexpected" };

static void square_text(double square_metres, char ret_text[48])
{
    const double hectares = square_metres / 1e4;
    if (hectares < 1e4)
        (void)snprintf(ret_text, 48, "%.*f ha", hectares < 10.0 ? 2 : hectares < 1000.0 ? 1 : 0, hectares);
    else
        (void)snprintf(ret_text, 48, "%.0f km2", hectares / 100.0);
}

void dataset_tell_area(LabelArea area, char ret_text[48])
{
    if (area.pixels == 0.0)
        (void)snprintf(ret_text, 48, "-");
    else if (isfinite(area.square_metres))
        square_text(area.square_metres, ret_text);
    else
        (void)snprintf(ret_text, 48, "%.0f pixels", area.pixels);
}

/* ---- for people ---- */

static void add_zones(const SceneSurvey *s, Str *text)
{
    int64_t shown = 0;
    for (int32_t z = 0; z <= CLIMATE_ZONES; z++)
        if (s->zones[z] >= 0.005)
            str_addf(text, "%s%s %.0f %%", shown++ > 0 ? ", " : "; climate zones ", climate_zone_name(z),
                     100.0 * s->zones[z]);
}

static Err tell_scene(const Survey *v, uint32_t index, LineSink to)
{
    const DatasetScene *scene = &v->options->scenes[index];
    const SceneSurvey *s = &v->scenes[index];
    Str text = { 0 };
    char area[48];
    str_addf(&text, "scene '%s', %s: ", scene->name, split_names[scene->split]);
    if (s->opened)
        str_addf(&text, "%lld x %lld pixels", (long long)s->width, (long long)s->height);
    else
        str_add(&text, "not opened");
    if (isfinite(s->metres) && s->opened) {
        square_text(s->square_metres, area);
        str_addf(&text, " of %.4g %s, %s", s->metres < 1000.0 ? s->metres : s->metres / 1000.0,
                 s->metres < 1000.0 ? "m" : "km", area);
    }
    if (s->opened && !s->placed) str_add(&text, ", without a place on the Earth");
    for (int32_t b = 0; b < s->n_bands; b++) str_addf(&text, "%s%s", b > 0 ? ", " : "; bands ", s->bands[b].name);
    if (s->n_bands > 0) str_addf(&text, " (%s)", s->bands[0].type);
    if (s->opened && s->valid < 0.995) str_addf(&text, "; %.0f %% valid", 100.0 * s->valid);
    add_zones(s, &text);
    if (s->opened && s->features >= 0) str_addf(&text, "; %lld features on it", (long long)s->features);
    return line_put_text(to, &text);
}

static LabelArea sum_of(const Survey *v, int32_t part)
{
    LabelArea sum = { 0.0, 0.0 };
    for (uint32_t c = 0; c < v->options->n_classes; c++) label_area_add(&sum, v->areas[part][c]);
    return sum;
}

double dataset_tell_share(LabelArea part, LabelArea all)
{
    if (all.pixels == 0.0) return (double)NAN;
    return isfinite(all.square_metres) && all.square_metres > 0.0 ? part.square_metres / all.square_metres
                                                                  : part.pixels / all.pixels;
}

static Err tell_class(const char *value, const char *name, const LabelArea areas[DATASET_PARTS],
                      const LabelArea all[DATASET_PARTS], LineSink to)
{
    Str text = { 0 };
    str_addf(&text, "%5s  %-32s", value, name);
    for (int32_t part = 0; part < DATASET_PARTS; part++) {
        char area[48];
        char share[16] = "";
        if (all[part].pixels == 0.0 && part != DATASET_TRAINING) continue;
        dataset_tell_area(areas[part], area);
        if (areas[part].pixels > 0.0)
            (void)snprintf(share, sizeof share, "%.1f %%", 100.0 * dataset_tell_share(areas[part], all[part]));
        str_addf(&text, " %16s %8s", area, share);
    }
    return line_put_text(to, &text);
}

static Err tell_classes(const Survey *v, LineSink to)
{
    LabelArea all[DATASET_PARTS];
    Str head = { 0 };
    if (!v->counted) return ERR_NONE;
    for (int32_t part = 0; part < DATASET_PARTS; part++) all[part] = sum_of(v, part);
    str_addf(&head, "%5s  %-32s", "class", "name");
    for (int32_t part = 0; part < DATASET_PARTS; part++)
        if (all[part].pixels > 0.0 || part == DATASET_TRAINING) str_addf(&head, " %16s %8s", part_names[part], "share");
    line_put(to, "%s", "");
    TRY(line_put_text(to, &head));
    for (uint32_t c = 0; c < v->options->n_classes; c++) {
        char value[16];
        LabelArea areas[DATASET_PARTS];
        for (int32_t part = 0; part < DATASET_PARTS; part++) areas[part] = v->areas[part][c];
        (void)snprintf(value, sizeof value, "%d", (int)v->options->classes[c].value);
        TRY(tell_class(value, v->options->classes[c].name, areas, all, to));
    }
    return tell_class("", "all", all, all, to);
}

static void tell_zones(const Survey *v, LineSink to)
{
    double all = 0.0;
    for (int32_t z = 0; z <= CLIMATE_ZONES; z++) all += v->zone_areas[z];
    if (!(all > 0.0)) return;
    line_put(to, "%s", "");
    line_put(to, "%5s  %-32s %16s %8s", "zone", "climate", "images", "share");
    for (int32_t z = 0; z <= CLIMATE_ZONES; z++) {
        char area[48];
        if (v->zone_areas[z] == 0.0) continue;
        square_text(v->zone_areas[z], area);
        line_put(to, "%5s  %-32s %16s %6.1f %%", climate_zone_name(z), climate_zone_description(z), area,
                 100.0 * v->zone_areas[z] / all);
    }
}

/* What one suspicion means for the first band that has it. */
static void describe(const SceneSurvey *s, const BandSurvey *b, int32_t suspicion, char ret_text[200])
{
    switch (1 << suspicion) {
    case BAND_INVALID:
        (void)snprintf(ret_text, 200, "no valid pixel (all are nodata or masked)");
        break;
    case BAND_CONSTANT:
        (void)snprintf(ret_text, 200, "%.6g everywhere", b->values.low);
        break;
    case BAND_SATURATED:
        (void)snprintf(ret_text, 200,
                       "%.1f %% of the pixels have the highest value, %.6g: saturated, or no measurement",
                       100.0 * b->values.at_high, b->values.high);
        break;
    case BAND_EQUAL:
        (void)snprintf(ret_text, 200, "the same numbers as band %d (%s)", (int)s->bands[b->equal].number,
                       s->bands[b->equal].name);
        break;
    default:
        (void)snprintf(
            ret_text, 200,
            "values of %.4g to %.4g, mean %.4g, far from the mean %.4g and standard deviation %.4g that they "
            "are normalised with",
            b->values.low, b->values.high, b->values.mean, b->wanted.mean, b->wanted.deviation);
    }
}

/* One line for a band and a suspicion: the first scene, and how many more. False where no scene has it. */
static bool tell_suspicion(const Survey *v, int32_t band, int32_t suspicion, LineSink to)
{
    char what[200] = "";
    char more[64] = "";
    int64_t scenes = 0;
    uint32_t first = 0;
    for (uint32_t i = 0; i < v->options->n_scenes; i++) {
        const SceneSurvey *s = &v->scenes[i];
        if (band >= s->n_bands || (s->bands[band].suspicions & (1U << suspicion)) == 0) continue;
        if (scenes++ > 0) continue;
        first = i;
        describe(s, &s->bands[band], suspicion, what);
    }
    if (scenes == 0) return false;
    const BandSurvey *b = &v->scenes[first].bands[band];
    if (scenes > 1)
        (void)snprintf(more, sizeof more, " (and %lld more %s)", (long long)(scenes - 1),
                       scenes > 2 ? "scenes" : "scene");
    line_put(to, "band %d (%s) of scene '%.200s'%s: %s", (int)b->number, b->name, v->options->scenes[first].name, more,
             what);
    return true;
}

static void tell_overlap(const Survey *v, const Overlap *o, LineSink to)
{
    if (o->boxes) {
        line_put(
            to,
            "validation box '%.200s' and holdout box '%.200s' overlap, %.1f %% of the smaller one: what lies in both "
            "is not validated",
            v->options->validation[o->first].name, v->options->holdout[o->second].name, 100.0 * o->share);
        return;
    }
    const DatasetScene *a = &v->options->scenes[o->first];
    const DatasetScene *b = &v->options->scenes[o->second];
    line_put(to, "scenes '%.200s' (%s) and '%.200s' (%s) cover the same ground, %.1f %% of the smaller one%s", a->name,
             split_names[a->split], b->name, split_names[b->split], 100.0 * o->share,
             !o->leaks              ? "; it is drawn once for each"
             : a->split == b->split ? ": what is validated of one can be learned with the other"
             : a->split == SCENE_TRAIN || b->split == SCENE_TRAIN
                 ? ": what is kept apart with one is learned with the other"
                 : ": what chooses the best weights is in the holdout, too");
}

/* False where no scene's labels lie off. */
static bool tell_shifts(const Survey *v, LineSink to)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < v->options->n_scenes; i++) {
        const LabelShift *shift = &v->scenes[i].shift;
        char text[LABEL_SHIFT_TEXT];
        if (!shift->told || n++ >= LISTED) continue;
        label_shift_text(shift, text);
        line_put(to,
                 "labels of scene '%.200s' seem to lie %s of where the image has them: shifted back, their boundaries "
                 "meet %.2f times the change of pixels",
                 v->options->scenes[i].name, text, shift->better);
    }
    if (n > LISTED) line_put(to, "labels of %lld more scenes seem to lie off", (long long)(n - LISTED));
    return n > 0;
}

/* Those that leak first. */
static void tell_overlaps(const Survey *v, LineSink to)
{
    int64_t shown = 0;
    for (int32_t pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < v->n_overlaps; i++)
            if (v->overlaps[i].leaks == (pass == 0) && shown < LISTED) {
                tell_overlap(v, &v->overlaps[i], to);
                shown++;
            }
    if (v->n_overlaps > shown)
        line_put(to, "%lld more pairs of scenes or boxes overlap", (long long)(v->n_overlaps - shown));
}

Err dataset_tell(const Survey *survey, void (*line)(void *context, const char *text), void *context)
{
    const LineSink to = { line, context };
    for (uint32_t i = 0; i < survey->options->n_scenes; i++)
        if (survey->scenes[i].opened || survey->counted) TRY(tell_scene(survey, i, to));
    TRY(tell_classes(survey, to));
    tell_zones(survey, to);
    bool any = survey->n_overlaps > 0;
    if (!survey->scenes[0].opened && !survey->counted) return ERR_NONE;
    line_put(to, "%s", "");
    for (int32_t band = 0; band < MODEL_MAX_BANDS; band++)
        for (int32_t k = 0; k < BAND_SUSPICIONS; k++) any = tell_suspicion(survey, band, k, to) || any;
    any = tell_shifts(survey, to) || any;
    tell_overlaps(survey, to);
    if (!any && survey->counted)
        line_put(to, "%s", "no band looks wrong, and no scenes or boxes cover the same ground");
    return ERR_NONE;
}

/* ---- JSON ---- */

static void put_band(JsonWriter *w, const SceneSurvey *s, const BandSurvey *b)
{
    const bool there = (b->suspicions & BAND_INVALID) == 0;
    json_begin_object(w, NULL);
    json_put_int(w, "band", b->number);
    json_put_string(w, "name", b->name);
    json_put_string(w, "type", b->type);
    json_put_double(w, "minimum", there ? b->values.low : (double)NAN);
    json_put_double(w, "maximum", there ? b->values.high : (double)NAN);
    json_put_double(w, "mean", there ? b->values.mean : (double)NAN);
    json_put_double(w, "normalisation_mean", b->expected ? b->wanted.mean : (double)NAN);
    json_put_double(w, "normalisation_std", b->expected ? b->wanted.deviation : (double)NAN);
    json_begin_array(w, "suspicions");
    for (int32_t k = 0; k < BAND_SUSPICIONS; k++)
        if ((b->suspicions & (1U << k)) != 0) json_put_string(w, NULL, suspicion_names[k]);
    json_end(w);
    if ((b->suspicions & BAND_EQUAL) != 0) json_put_int(w, "equal_to", s->bands[b->equal].number);
    json_end(w);
}

static void put_shift(JsonWriter *w, const LabelShift *shift)
{
    json_begin_object(w, "label_shift");
    json_put_int(w, "right", shift->x);
    json_put_int(w, "down", shift->y);
    json_put_double(w, "metres", shift->metres);
    json_put_string(w, "direction", shift->compass);
    json_put_double(w, "better", shift->better);
    json_end(w);
}

static void put_scene(JsonWriter *w, const Survey *v, uint32_t index)
{
    const DatasetScene *scene = &v->options->scenes[index];
    const SceneSurvey *s = &v->scenes[index];
    json_begin_object(w, NULL);
    json_put_string(w, "name", scene->name);
    json_put_string(w, "split", split_names[scene->split]);
    json_put_string(w, "image", scene->image);
    json_put_string(w, "labels", scene->labels);
    json_put_bool(w, "opened", s->opened);
    if (s->opened) {
        json_put_int(w, "width", s->width);
        json_put_int(w, "height", s->height);
        json_put_double(w, "pixel_metres", s->metres);
        json_put_double(w, "square_metres", s->square_metres);
        json_put_bool(w, "placed", s->placed);
        json_put_double(w, "valid", s->valid);
        if (s->features >= 0) json_put_int(w, "features", s->features);
        json_begin_array(w, "bands");
        for (int32_t b = 0; b < s->n_bands; b++) put_band(w, s, &s->bands[b]);
        json_end(w);
        json_begin_object(w, "zones");
        for (int32_t z = 0; z <= CLIMATE_ZONES; z++)
            if (s->zones[z] > 0.0) json_put_double(w, climate_zone_name(z), s->zones[z]);
        json_end(w);
        if (s->shift.told) put_shift(w, &s->shift);
    }
    json_end(w);
}

static void put_class(JsonWriter *w, const Survey *v, uint32_t index, const LabelArea all[DATASET_PARTS])
{
    json_begin_object(w, NULL);
    json_put_int(w, "value", v->options->classes[index].value);
    json_put_string(w, "name", v->options->classes[index].name);
    for (int32_t part = 0; part < DATASET_PARTS; part++) {
        const LabelArea area = v->areas[part][index];
        json_begin_object(w, part_names[part]);
        json_put_double(w, "pixels", area.pixels);
        json_put_double(w, "square_metres", area.square_metres);
        json_put_double(w, "share", dataset_tell_share(area, all[part]));
        json_end(w);
    }
    json_end(w);
}

static void put_overlap(JsonWriter *w, const Survey *v, const Overlap *o)
{
    const DatasetOptions *options = v->options;
    json_begin_object(w, NULL);
    json_put_string(w, "kind", o->boxes ? "boxes" : "scenes");
    json_put_string(w, "first", o->boxes ? options->validation[o->first].name : options->scenes[o->first].name);
    json_put_string(w, "second", o->boxes ? options->holdout[o->second].name : options->scenes[o->second].name);
    json_put_double(w, "share", o->share);
    json_put_bool(w, "leaks", o->leaks);
    json_end(w);
}

Err dataset_tell_json(const Survey *survey, char **ret_text)
{
    JsonWriter w = { 0 };
    LabelArea all[DATASET_PARTS];
    for (int32_t part = 0; part < DATASET_PARTS; part++) all[part] = sum_of(survey, part);
    json_begin_object(&w, NULL);
    json_begin_array(&w, "scenes");
    for (uint32_t i = 0; i < survey->options->n_scenes; i++) put_scene(&w, survey, i);
    json_end(&w);
    json_begin_array(&w, "classes");
    for (uint32_t c = 0; survey->counted && c < survey->options->n_classes; c++) put_class(&w, survey, c, all);
    json_end(&w);
    json_begin_object(&w, "zones");
    for (int32_t z = 0; z <= CLIMATE_ZONES; z++)
        if (survey->zone_areas[z] > 0.0) json_put_double(&w, climate_zone_name(z), survey->zone_areas[z]);
    json_end(&w);
    json_begin_array(&w, "overlaps");
    for (int64_t i = 0; i < survey->n_overlaps; i++) put_overlap(&w, survey, &survey->overlaps[i]);
    json_end(&w);
    json_end(&w);
    const Err err = json_take(&w, ret_text);
    json_writer_done(&w);
    return err;
}
