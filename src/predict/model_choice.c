/* SPDX-License-Identifier: Apache-2.0
 * Judging each shipped model by a scene's bands and pixel size. */
#include "predict/model_choice.h"

#include "base/file.h"
#include "base/str.h"
#include "geo/georeference.h"
#include "geo/raster.h"
#include "predict/predictor.h"
#include "tensor_file/tensor_file.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MODELS = 64, LISTED_MODELS = 4, WHY_BYTES = 300 };

/* ---- the list ---- */

/* Of a safetensors file the header alone. */
static Err read_entry(const char *path, ModelEntry *entry)
{
    TensorFile *file = NULL;
    TRY(tensor_file_open(path, &file));
    const char *json = tensor_file_metadata(file, "metaseg");
    Err err = json != NULL
                  ? model_config_read(json, path, &entry->config)
                  : err_set(ERR_MODEL, "'%s': this is no model of metaseg; remove it from the folder of models", path);
    tensor_file_close(file);
    if (err != ERR_NONE) return err;
    err = str_copy(path, &entry->path);
    if (err == ERR_NONE) err = path_stem(path_name(path), &entry->name);
    if (err == ERR_NONE) return ERR_NONE;
    model_config_done(&entry->config);
    free(entry->path);
    return err;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const ModelEntry *)a)->name, ((const ModelEntry *)b)->name);
}

static Err add_file(const char *folder, const char *name, ModelList *list)
{
    char *path = NULL;
    if (!str_ends_with(name, ".safetensors") || name[0] == '.') return ERR_NONE;
    if (list->count == MOST_MODELS)
        return err_set(ERR_INPUT, "'%s': more than %d models; name one with -m", folder, (int)MOST_MODELS);
    TRY(path_join(folder, name, &path));
    const Err err = read_entry(path, &list->entries[list->count]);
    free(path);
    if (err == ERR_NONE) list->count++;
    return err;
}

Err model_list_read(const char *folder, ModelList *list)
{
    DIR *listing = opendir(folder);
    Err err = ERR_NONE;
    if (listing == NULL) return ERR_NONE;
    list->entries = calloc(MOST_MODELS, sizeof *list->entries);
    if (list->entries == NULL) err = err_memory(MOST_MODELS * sizeof *list->entries, "the list of models");
    for (const struct dirent *e = NULL; err == ERR_NONE && (e = readdir(listing)) != NULL;)
        err = add_file(folder, e->d_name, list);
    (void)closedir(listing);
    if (err == ERR_NONE) qsort(list->entries, (size_t)list->count, sizeof *list->entries, by_name);
    return err;
}

void model_list_done(ModelList *list)
{
    for (int64_t i = 0; i < list->count; i++) {
        model_config_done(&list->entries[i].config);
        free(list->entries[i].name);
        free(list->entries[i].path);
    }
    free(list->entries);
    *list = (ModelList){ .count = 0 };
}

const ModelEntry *model_list_find(const ModelList *list, const char *name)
{
    for (int64_t i = 0; i < list->count; i++)
        if (strcmp(list->entries[i].name, name) == 0) return &list->entries[i];
    return NULL;
}

const char *model_list_names(const ModelList *list, char *text, size_t text_bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (int64_t i = 0; i < list->count && used < text_bytes; i++)
        used += (size_t)snprintf(text + used, text_bytes - used, "%s%s", i > 0 ? ", " : "", list->entries[i].name);
    return text;
}

/* ---- one model and a scene ---- */

typedef struct Fit {
    bool bands, known, size; /* its bands are there; the scene's pixel size is known, and near enough */
    double factor;           /* between that and what the model was made for, at least 1 */
    double sampling;         /* of the scene, in the model's unit */
    int32_t read;            /* how many of its bands are there */
    char why[WHY_BYTES];     /* why its bands are not there */
} Fit;

/* The sentence behind the name of the file, which the message tells once. */
static void keep_reason(Fit *fit)
{
    const char *text = err_message(), *colon = text[0] == '\'' ? strstr(text, "': ") : NULL;
    (void)snprintf(fit->why, sizeof fit->why, "%.*s", WHY_BYTES - 1, colon != NULL ? colon + 3 : text);
    char *end = strpbrk(fit->why, ";"); /* what to do about it differs here */
    if (end != NULL) *end = '\0';
}

static Err judge_size(const SceneQuery *query, Raster *raster, const ModelConfig *config, Fit *fit)
{
    Georeference *place = NULL;
    TRY(georeference_open(raster, query->crs, &place));
    const bool in_pixels = config->gsd_unit == MODEL_PIXEL; /* no image of a known size is known to fit */
    const PixelSides sides =
        in_pixels ? georeference_pixel_sides(place, false) : predictor_sides(config, place, query->gsd);
    georeference_free(place);
    const bool told = query->resolution > 0.0 && !in_pixels;
    fit->sampling = told ? query->resolution : sides.side;
    fit->known = told || sides.known;
    if (!fit->known || in_pixels) return ERR_NONE;
    fit->factor = predictor_range_factor(config, fit->sampling);
    fit->size = fit->factor <= PREDICTOR_RESAMPLE_MOST;
    return ERR_NONE;
}

/* A picture of 8 bits, whose numbers are no reflectance, for a model that does not say what bytes are worth. */
static bool is_picture(const Raster *raster, const ModelConfig *config)
{
    if (config->reflectance == 0.0 || config->byte_scale != 0.0) return false;
    for (int64_t i = 0; i < raster_chosen_count(raster); i++)
        if (strcmp(raster_band_type(raster, raster_chosen_band(raster, i)), "Byte") != 0) return false;
    return true;
}

static Err judge(const SceneQuery *query, Raster *raster, const ModelConfig *config, Fit *ret_fit)
{
    const char *names[MODEL_MAX_BANDS];
    Fit fit = { .factor = (double)INFINITY };
    for (int32_t b = 0; b < config->network.n_bands; b++) names[b] = config->bands[b].name;
    int32_t source[MODEL_MAX_BANDS];
    const Err err = raster_choose_named(raster, query->bands, config->network.n_bands, names,
                                        config->network.missing_bands, source);
    if (err == ERR_NONE) fit.read = (int32_t)raster_chosen_count(raster);
    if (err != ERR_NONE && err != ERR_INPUT) return err;
    fit.bands = err == ERR_NONE;
    if (!fit.bands) keep_reason(&fit);
    if (fit.bands && is_picture(raster, config)) {
        fit.bands = false;
        (void)snprintf(fit.why, sizeof fit.why, "it reads reflectance, and these are bytes");
    }
    TRY(judge_size(query, raster, config, &fit));
    *ret_fit = fit;
    return ERR_NONE;
}

/* ---- all of them ---- */

static void add_entry(Str *text, const ModelEntry *entry, const Fit *fit)
{
    char range[160], own[64];
    predictor_describe_range(&entry->config, range);
    predictor_describe_sampling(fit->sampling, entry->config.gsd_unit, own);
    str_addf(text, "; '%s' is for pixels of %s and bands ", entry->name, range);
    for (int32_t b = 0; b < entry->config.network.n_bands; b++)
        str_addf(text, "%s%.20s", b > 0 ? ", " : "", entry->config.bands[b].name);
    if (fit->known && !fit->size) str_addf(text, ", these are of %s", own);
    if (!fit->bands) str_addf(text, ", %s", fit->why);
}

static Err refuse(const ModelList *list, const SceneQuery *query, const Fit *fits)
{
    Str text = { 0 };
    char *whole = NULL;
    for (int64_t i = 0; i < list->count && i < LISTED_MODELS; i++) add_entry(&text, &list->entries[i], &fits[i]);
    TRY(str_take(&text, &whole));
    const Err err =
        err_set(ERR_INPUT,
                "'%s': none of the models that came with metaseg fits this scene%.700s; name a model with -m "
                "all the same, or train one: docs/configuration.md",
                query->path, whole);
    free(whole);
    return err;
}

/* Is a better than b? Pixel sizes within a hundredth are one. */
static bool is_better(const Fit *a, const ModelConfig *of_a, const Fit *b, const ModelConfig *of_b)
{
    if (a->factor < 0.99 * b->factor || b->factor < 0.99 * a->factor) return a->factor < b->factor;
    return a->read != b->read ? a->read > b->read : of_a->network.n_bands < of_b->network.n_bands;
}

static Err pick(const ModelList *list, const SceneQuery *query, const Fit *fits, const ModelEntry **ret_entry,
                char *ret_reason)
{
    char names[200], range[160], own[64];
    int64_t best = -1, blind = 0; /* blind: models that would fit but for the pixel size, which is unknown */
    for (int64_t i = 0; i < list->count; i++) {
        const bool unknown = fits[i].bands && !fits[i].known;
        blind += unknown ? 1 : 0;
        if (!unknown && !(fits[i].bands && fits[i].size)) continue;
        if (best < 0 || is_better(&fits[i], &list->entries[i].config, &fits[best], &list->entries[best].config))
            best = i;
    }
    if (best < 0) return refuse(list, query, fits);
    if (blind > 1)
        return err_set(ERR_INPUT,
                       "'%s': the size of its pixels is unknown, so it is not known which model fits; give it with "
                       "--gsd METRES, or "
                       "name one with -m: %s",
                       query->path, model_list_names(list, names, sizeof names));
    const ModelEntry *entry = &list->entries[best];
    predictor_describe_range(&entry->config, range);
    predictor_describe_sampling(fits[best].sampling, entry->config.gsd_unit, own);
    char there[40] = "";
    if (fits[best].read < entry->config.network.n_bands)
        (void)snprintf(there, sizeof there, ", %d of which are there", (int)fits[best].read);
    (void)snprintf(ret_reason, MODEL_REASON_BYTES, "model '%s', made for pixels of %s (the image's: %s) and %d bands%s",
                   entry->name, range, fits[best].known ? own : "unknown", (int)entry->config.network.n_bands, there);
    *ret_entry = entry;
    return ERR_NONE;
}

Err model_list_choose(const ModelList *list, const SceneQuery *query, const ModelEntry **ret_entry,
                      char ret_reason[MODEL_REASON_BYTES])
{
    Raster *raster = NULL;
    Fit *fits = calloc((size_t)list->count + 1, sizeof *fits);
    if (fits == NULL) return err_memory(((size_t)list->count + 1) * sizeof *fits, "the choice of a model");
    Err err = raster_open(query->path, query->stop, &raster);
    for (int64_t i = 0; i < list->count && err == ERR_NONE; i++)
        err = judge(query, raster, &list->entries[i].config, &fits[i]);
    raster_close(raster);
    if (err == ERR_NONE) err = pick(list, query, fits, ret_entry, ret_reason);
    free(fits);
    return err;
}
