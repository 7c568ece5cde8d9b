/* SPDX-License-Identifier: Apache-2.0
 * What a preset knows of its images, as options of a prediction. */
#include "predict/preset_maps.h"

#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAMES_TOLD = 5 };

static const DatasetClass *class_of(const ClassTable *classes, int32_t value)
{
    for (uint32_t i = 0; i < classes->n_classes; i++)
        if (classes->classes[i].value == value) return &classes->classes[i];
    return NULL;
}

static Err check_values(const MetasegModel *model, const PresetDef *def, const ClassTable *classes)
{
    const ModelConfig *c = &model->model->config;
    for (int32_t i = 0; i < c->network.n_classes; i++) {
        const ModelClass *own = &c->classes[i];
        if (class_of(classes, own->code) == NULL)
            return err_set(ERR_MODEL,
                           "the model has a class %d (%s), and %s has none of this value (%s.yaml); expected a model "
                           "of its classes, trained with data.preset %s or converted with --classes %s",
                           (int)own->code, own->name, def->title, def->classes, def->name, def->classes);
    }
    return ERR_NONE;
}

/* Other names under the same values: most likely a model of another data set. */
static void tell_names(const MetasegModel *model, const PresetDef *def, const ClassTable *classes)
{
    const ModelConfig *c = &model->model->config;
    int64_t differ = 0;
    for (int32_t i = 0; i < c->network.n_classes; i++) {
        const ModelClass *own = &c->classes[i];
        const char *known = class_of(classes, own->code)->name;
        if (strcmp(known, own->name) == 0 || ++differ > NAMES_TOLD) continue;
        predictor_tell(model, 1, "class %d is '%s' in the model and '%s' in %s", (int)own->code, own->name, known,
                       def->title);
    }
    if (differ > NAMES_TOLD)
        predictor_tell(model, 1, "%lld classes in all are called otherwise in the model", (long long)differ);
}

static Err check_options(const PresetDef *def, const MetasegPredictOptions *o)
{
    const char *given = NULL;
    RasterExtent extent;
    if (o->confidence != NULL) given = "a raster of confidence";
    if (o->probabilities != NULL) given = "a raster of probabilities";
    if (o->quicklook != NULL) given = "a quicklook";
    if (o->areas != NULL) given = "a table of areas";
    if (given != NULL)
        return err_set(ERR_ARGUMENT, "%s is of one image; the images of %s are mapped without", given, def->title);
    if (o->format != METASEG_FORMAT_GTIFF || (o->creation_options != NULL && o->creation_options[0] != NULL))
        return err_set(ERR_ARGUMENT,
                       "a raster format or creation options are given; the maps of %s have no choice of them",
                       def->title);
    if (o->mask != NULL || o->mask_values != NULL) given = "a cloud mask";
    if (o->crs != NULL) given = "a coordinate reference system";
    if (isfinite(o->longitude) || isfinite(o->latitude)) given = "a place";
    if (o->gsd > 0.0) given = "a pixel size";
    if (raster_extent_of(o->extent, NULL, &extent)) given = "an extent";
    if (o->cutline != NULL) given = "a cutline";
    if (given == NULL) return ERR_NONE;
    return err_set(ERR_ARGUMENT, "%s is of one image; of those of %s the preset tells it", given, def->title);
}

Err preset_maps_begin(MetasegModel *model, const Preset *preset, const ClassTable *classes,
                      const MetasegPredictOptions *options, PresetMaps *ret_maps)
{
    const PresetDef *def = preset->def;
    PresetMaps maps = { .model = model, .preset = preset, .options = options, .progress = model->run.progress };
    size_t used = 0;
    int32_t n = 0;
    TRY(check_options(def, options));
    if (classes != NULL) TRY(check_values(model, def, classes));
    if (classes != NULL) tell_names(model, def, classes);
    while (n < ARRAY_LEN(def->bands) && def->bands[n] > 0) n++;
    for (int32_t i = 0; i < n && n == model->model->config.network.n_bands; i++)
        used +=
            (size_t)snprintf(maps.bands + used, sizeof maps.bands - used, "%s%d", i > 0 ? "," : "", (int)def->bands[i]);
    model->run.progress = NULL;
    *ret_maps = maps;
    return ERR_NONE;
}

void preset_maps_end(PresetMaps *maps) { maps->model->run.progress = maps->progress; }

void preset_maps_progress(const PresetMaps *maps, int64_t done, int64_t total)
{
    if (maps->progress != NULL) maps->progress(maps->model->run.context, done, total, NULL);
}

Err preset_maps_item(const PresetMaps *maps, const PresetItem *item, const char *out, uint8_t **ret_codes,
                     MetasegPredictReport *ret_report)
{
    const PresetDef *def = maps->preset->def;
    MetasegPredictOptions o = *maps->options;
    const PredictorFiles files = { .in = item->image, .out = out, .ret_codes = ret_codes, .known = true };
    if (o.bands == NULL && maps->bands[0] != '\0') o.bands = maps->bands;
    if (item->placed) {
        o.longitude = item->lonlat[0];
        o.latitude = item->lonlat[1];
    }
    o.crs = def->crs;
    o.gsd = def->gsd;
    return predictor_raster(maps->model, &files, &o, ret_report);
}
