/* SPDX-License-Identifier: Apache-2.0
 * Pixels in memory in, classes in memory out. */
#include "predict/predictor.h"

#include "data/image_source.h"
#include "geo/band_name.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODATA = 255, LONGEST_SIDE = 1 << 20 };

typedef struct Task {
    MetasegModel *model;
    const float *pixels;  /* [height][width][bands] */
    const uint8_t *valid; /* may be NULL */
    int64_t width, height, bands;
    int32_t source[MODEL_MAX_BANDS]; /* which of the bands each of the model's is, -1 missing */
    ImageBand normalisation[MODEL_MAX_BANDS];
    Georeference *place;
    ZoneSampler *zones; /* NULL: no text, or place unknown */
    PromptTable own_prompt;
    uint8_t *classes, *confidence, *probabilities;
} Task;

static bool is_valid(const Task *t, int64_t pixel)
{
    if (t->valid != NULL && t->valid[pixel] == 0) return false;
    for (int64_t b = 0; b < t->bands; b++) {
        if (!isfinite(t->pixels[pixel * t->bands + b])) return false;
    }
    return true;
}

static Err read_pixels(void *context, int64_t x, int64_t y, int64_t side, float *ret_values, uint8_t *ret_valid)
{
    const Task *t = context;
    for (int64_t r = 0; r < side; r++) {
        const int64_t row = raster_mirror(y + r, t->height) * t->width;
        for (int64_t c = 0; c < side; c++) {
            const int64_t from = row + raster_mirror(x + c, t->width), to = r * side + c;
            ret_valid[to] = is_valid(t, from);
            for (int64_t b = 0; b < t->bands; b++)
                ret_values[to * t->bands + b] = ret_valid[to] != 0 ? t->pixels[from * t->bands + b] : 0.0F;
        }
    }
    image_normalise(t->normalisation, t->bands, side * side, ret_valid, ret_values);
    return ERR_NONE;
}

static Err read_shares(void *context, int64_t x, int64_t y, int64_t side, bool *ret_known, int32_t *ret_zones,
                       float *ret_shares)
{
    const Task *t = context;
    *ret_known = t->zones != NULL;
    if (t->zones == NULL) return ERR_NONE;
    return zone_window_shares(t->zones, x, y, side, t->width, t->height, ret_shares, ret_zones);
}

static Err write_block(void *context, const SceneBlock *b)
{
    const Task *t = context;
    const ModelConfig *c = &t->model->model->config;
    for (int64_t i = 0; i < b->at.rows * b->at.columns; i++) {
        const int64_t y = i / b->at.columns, x = i % b->at.columns, from = y * b->stride + x;
        const int64_t to = (b->at.y + y) * t->width + b->at.x + x;
        const bool valid = is_valid(t, to);
        t->classes[to] = valid ? (uint8_t)c->classes[b->classes[from]].code : NODATA;
        if (t->confidence != NULL) t->confidence[to] = valid ? b->confidence[from] : NODATA;
        for (int32_t k = 0; t->probabilities != NULL && k < c->network.n_classes; k++)
            t->probabilities[to * c->network.n_classes + k] =
                valid ? b->probabilities[(size_t)k * b->plane_bytes + (size_t)from] : NODATA;
    }
    return ERR_NONE;
}

static Err open_zones(Task *t, const MetasegPredictOptions *options)
{
    const Climate *climate = NULL;
    if (options->prompts == METASEG_PROMPTS_NULL || options->prompt != NULL) return ERR_NONE;
    TRY(predictor_climate(t->model, &climate));
    if (climate == NULL) return ERR_NONE;
    if (!isfinite(options->longitude) || !isfinite(options->latitude)) {
        predictor_tell(t->model, 1,
                       "the place of the pixels is unknown, so the null prompt is used; give longitude "
                       "and latitude");
        return ERR_NONE;
    }
    TRY(georeference_from_point(options->longitude, options->latitude, &t->place));
    return zone_sampler_new(climate, t->place, t->width, t->height, zone_share_defaults(), &t->zones);
}

/* One name of a list between commas, and what follows it. */
static const char *take_name(const char *list, char ret_name[64])
{
    list += strspn(list, " ");
    const size_t length = strcspn(list, ",");
    (void)snprintf(ret_name, 64, "%.*s", (int)(length < 63 ? length : 63), list);
    for (size_t n = strlen(ret_name); n > 0 && ret_name[n - 1] == ' '; n--) ret_name[n - 1] = '\0';
    return list[length] == ',' ? list + length + 1 : NULL;
}

/* Of a model that can do without some of its bands: which ones the pixels have, by name, in this order. */
static Err choose_bands(Task *t, const char *list)
{
    const ModelConfig *c = &t->model->model->config;
    const char *names[MODEL_MAX_BANDS];
    char name[64];
    t->bands = 0;
    for (int32_t b = 0; b < c->network.n_bands; b++) {
        names[b] = c->bands[b].name;
        t->source[b] = -1;
    }
    while (list != NULL) {
        list = take_name(list, name);
        const int64_t b = band_name_find(name, c->network.n_bands, names);
        if (b < 0 || t->source[b] >= 0)
            return err_set(ERR_ARGUMENT, "bands: '%s' is %s of the model", name,
                           b < 0 ? "no band, or more than one," : "twice in the list of bands");
        t->source[b] = (int32_t)t->bands++;
    }
    for (int32_t b = 0; b < c->network.n_bands; b++)
        if (t->source[b] < 0 && band_name_is_colour(names[b]))
            return err_set(ERR_ARGUMENT, "the model can do without some of its bands, but not without %s", names[b]);
    return ERR_NONE;
}

static Err run(Task *t, const MetasegPredictOptions *options)
{
    for (int32_t b = 0; b < t->bands; b++) t->source[b] = b;
    if (t->model->model->config.network.missing_bands && options->bands != NULL) TRY(choose_bands(t, options->bands));
    image_bands_of_model(&t->model->model->config, t->source, t->normalisation);
    const bool surface = processing_level_read(options->level) != PROCESSING_LEVEL_1;
    for (int64_t b = 0; b < t->bands; b++)
        t->normalisation[b] =
            image_band_in_units(&t->normalisation[b], image_units(&t->normalisation[b], false, 1.0, surface));
    if (t->width < 1 || t->height < 1 || t->width > LONGEST_SIDE || t->height > LONGEST_SIDE)
        return err_set(ERR_ARGUMENT, "%lld x %lld pixels; 1 to %d of each were expected", (long long)t->width,
                       (long long)t->height, (int)LONGEST_SIDE);
    TRY(predictor_check(t->model, options));
    TRY(open_zones(t, options));
    if (options->prompt != NULL) TRY(predictor_free_prompt(t->model, options, &t->own_prompt));
    SceneJob job = {
        .width = t->width,
        .height = t->height,
        .out_width = t->width,
        .out_height = t->height,
        .tta = options->tta,
        .prompts = options->prompts,
        .own_prompt = options->prompt != NULL ? &t->own_prompt : NULL,
        .bands = t->bands,
        .band_source = t->model->model->config.network.missing_bands ? t->source : NULL,
        .source = { .context = t, .read = read_pixels, .shares = read_shares },
        .sink = { .context = t,
                  .block = write_block,
                  .confidence = t->confidence != NULL,
                  .probabilities = t->probabilities != NULL },
    };
    float zero[MODEL_MAX_BANDS];
    TRY(predictor_choose_tiles(t->model, "the pixels", options, t->normalisation, zero, &job));
    TRY(predictor_choose_strips(t->model, &job));
    return predictor_run(t->model, &job, NULL);
}

MetasegStatus metaseg_predict_pixels(MetasegModel *model, const float *pixels, const uint8_t *valid, int64_t width,
                                     int64_t height, const MetasegPredictOptions *options, uint8_t *classes,
                                     uint8_t *confidence, uint8_t *probabilities)
{
    if (model == NULL || pixels == NULL || options == NULL || classes == NULL)
        return err_set(ERR_ARGUMENT, "model, pixels, options and classes are needed");
    Task t = { .model = model,
               .pixels = pixels,
               .valid = valid,
               .width = width,
               .height = height,
               .bands = model->model->config.network.n_bands,
               .classes = classes,
               .confidence = confidence,
               .probabilities = probabilities };
    TRY(predictor_enter(model));
    const Err err = run(&t, options);
    predictor_leave(model);
    zone_sampler_free(t.zones);
    georeference_free(t.place);
    prompt_table_done(&t.own_prompt);
    return err;
}
