/* SPDX-License-Identifier: Apache-2.0
 * A loaded model: weights, prompts as the network reads them, the program for the current tile size. */
#include "predict/predictor.h"

#include "base/file.h"
#include "base/str.h"
#include "network/segmenter.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_OVERLAP_PART = 4, TILE_LEAST = 64, TILE_LARGEST = 4096, OVERLAP_UNIT = 32 };

MetasegPredictOptions metaseg_predict_options_defaults(void)
{
    return (MetasegPredictOptions){ .longitude = (double)NAN, .latitude = (double)NAN, .overlap = -1 };
}

/* Unknown, or a place on the Earth, longitudes counted either way. */
static Err check_place(double longitude, double latitude)
{
    if (isnan(longitude) || isnan(latitude)) return ERR_NONE;
    if (fabs(longitude) <= 360.0 && fabs(latitude) <= 90.0) return ERR_NONE;
    return err_set(ERR_ARGUMENT, "longitude %g, latitude %g; expected -360 to 360 and -90 to 90, or NAN", longitude,
                   latitude);
}

Err predictor_check(const MetasegModel *model, const MetasegPredictOptions *options)
{
    const int64_t unit = predictor_tile_unit(model);
    ProcessingLevel level = PROCESSING_UNKNOWN;
    const bool outside = options->tile < TILE_LEAST || options->tile > TILE_LARGEST;
    if (options->tile != 0 && (outside || options->tile % unit != 0))
        return err_set(ERR_ARGUMENT, "a tile of %d pixels; a multiple of %d from %d to %d was expected, or 0",
                       (int)options->tile, (int)unit, (int)TILE_LEAST, (int)TILE_LARGEST);
    const bool cropped = options->crops >= TILE_LEAST && options->crops <= TILE_LARGEST;
    if (options->crops != 0 && (!cropped || options->crops % unit != 0))
        return err_set(ERR_ARGUMENT, "crops of %d pixels; a multiple of %d from %d to %d was expected, or 0: none",
                       (int)options->crops, (int)unit, (int)TILE_LEAST, (int)TILE_LARGEST);
    if (options->crops != 0 && (options->tile != 0 || options->overlap > 0))
        return err_set(ERR_ARGUMENT,
                       "crops are tiles of %d pixels that share nothing; expected no --tile and no "
                       "--overlap beside --crops",
                       (int)options->crops);
    if ((int)options->tta < METASEG_TTA_NONE || options->tta > METASEG_TTA_D4_MS)
        return err_set(ERR_ARGUMENT, "test-time augmentation of kind %d; expected one of MetasegTta",
                       (int)options->tta);
    if (options->overlap >= 0 && options->overlap % OVERLAP_UNIT != 0)
        return err_set(ERR_ARGUMENT, "an overlap of %d pixels; a multiple of %d was expected", (int)options->overlap,
                       (int)OVERLAP_UNIT);
    if ((int)options->prompts < METASEG_PROMPTS_GROUNDED || (int)options->prompts > METASEG_PROMPTS_SHUFFLED)
        return err_set(ERR_ARGUMENT, "prompts of kind %d; expected one of MetasegPrompts", (int)options->prompts);
    if (!(options->resolution >= 0.0 && options->resolution < (double)INFINITY))
        return err_set(ERR_ARGUMENT, "a resolution of %g; a pixel size was expected, or 0", options->resolution);
    TRY(image_level_given(options->level, &level));
    return check_place(options->longitude, options->latitude);
}

Err predictor_choose_tiles(const MetasegModel *model, const char *path, const MetasegPredictOptions *options,
                           const ImageBand *bands, float *ret_zero, SceneJob *job)
{
    const uint8_t valid = 1;
    job->tile = predictor_tile(model, options->tile, job->width, job->height);
    job->overlap = predictor_overlap(options, job->tile);
    job->crops = options->crops > 0;
    if (!job->crops) return ERR_NONE;
    if (job->width != job->out_width || job->height != job->out_height)
        return err_set(ERR_ARGUMENT,
                       "'%s': the model would read it at %lld x %lld pixels instead of its own %lld x %lld, and crops "
                       "are of its own; go without --crops",
                       path, (long long)job->width, (long long)job->height, (long long)job->out_width,
                       (long long)job->out_height);
    memset(ret_zero, 0, (size_t)job->bands * sizeof *ret_zero);
    image_normalise(bands, job->bands, 1, &valid, ret_zero);
    job->tile = options->crops;
    job->overlap = 0;
    job->zero = ret_zero;
    return ERR_NONE;
}

int32_t predictor_overlap(const MetasegPredictOptions *options, int32_t tile)
{
    const int32_t part = tile / DEFAULT_OVERLAP_PART;
    if (options->overlap >= 0) return options->overlap;
    return (part + OVERLAP_UNIT - 1) / OVERLAP_UNIT * OVERLAP_UNIT; /* of the smallest tiles more than the part */
}

void predictor_tell(const MetasegModel *model, int level, const char *format, ...)
{
    if (model->run.message == NULL) return;
    char text[ERR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    model->run.message(model->run.context, level, text);
}

/* A model with words has those of each zone. */
static Err check_prompts(const MetasegModel *m)
{
    const PromptTable *zones = &m->model->prompts;
    if (zones->count == 0) return ERR_NONE; /* trained with the null prompt alone */
    if (zones->count != CLIMATE_ZONES)
        return err_set(ERR_MODEL, "prompts of %d zones; %d were expected", (int)zones->count, (int)CLIMATE_ZONES);
    for (int32_t z = 1; z <= CLIMATE_ZONES; z++) {
        if (prompt_table_find(zones, climate_zone_name(z)) < 0)
            return err_set(ERR_MODEL, "no prompt of zone %s", climate_zone_name(z));
    }
    return ERR_NONE;
}

static Err choose_device(MetasegModel *m)
{
    m->device = device_default();
    if (m->run.threads > 0) m->device.threads = m->run.threads;
    return m->run.cpu != NULL ? cpu_isa_parse(m->run.cpu, &m->device.isa) : ERR_NONE;
}

static Err load(MetasegModel *m, const char *path)
{
    TRY(choose_device(m));
    TRY(tensor_file_open(path, &m->file));
    TRY(model_load_file(m->file, false, &m->model));
    TRY(model_hash(m->model, &m->hash));
    const Err err = check_prompts(m);
    return err == ERR_MODEL ? err_prefix(err, "'%s'", path) : err;
}

static Err new_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;
    int code = pthread_mutexattr_init(&attributes);
    if (code == 0) {
        (void)pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
        code = pthread_mutex_init(mutex, &attributes);
        (void)pthread_mutexattr_destroy(&attributes);
    }
    return code == 0 ? ERR_NONE : err_memory(sizeof *mutex, "a model");
}

Err predictor_enter(MetasegModel *model)
{
    if (pthread_mutex_lock(&model->mutex) == 0) return ERR_NONE;
    return err_set(ERR_ARGUMENT, "this thread is predicting with the model already; a callback cannot predict with it");
}

void predictor_leave(MetasegModel *model) { (void)pthread_mutex_unlock(&model->mutex); }

MetasegStatus metaseg_model_load(const char *path, const MetasegRun *run, MetasegModel **ret_model)
{
    if (path == NULL || ret_model == NULL) return err_set(ERR_ARGUMENT, "no model was named; give a path");
    MetasegModel *m = calloc(1, sizeof *m);
    if (m == NULL) return err_memory(sizeof *m, "a model");
    if (run != NULL) m->run = *run;
    Err err = new_mutex(&m->mutex);
    if (err != ERR_NONE) {
        free(m);
        return err;
    }
    err = load(m, path);
    if (err != ERR_NONE) {
        metaseg_model_free(m);
        return err;
    }
    *ret_model = m;
    return METASEG_OK;
}

void metaseg_model_free(MetasegModel *model)
{
    if (model == NULL) return;
    for (int32_t k = 0; k < TTA_SCALES; k++) program_free(model->programs[k]);
    climate_close(model->climate);
    model_free(model->model);
    tensor_file_close(model->file);
    (void)pthread_mutex_destroy(&model->mutex);
    free(model);
}

int32_t metaseg_model_classes(const MetasegModel *model)
{
    return model != NULL ? model->model->config.network.n_classes : 0;
}

int32_t metaseg_model_bands(const MetasegModel *model)
{
    return model != NULL ? model->model->config.network.n_bands : 0;
}

bool metaseg_model_reads_text(const MetasegModel *model) { return model->model->prompts.count > 0; }

bool metaseg_model_missing_bands(const MetasegModel *model)
{
    return model != NULL && model->model->config.network.missing_bands;
}

const char *metaseg_model_band(const MetasegModel *model, int32_t i)
{
    return i >= 0 && i < metaseg_model_bands(model) ? model->model->config.bands[i].name : NULL;
}

double metaseg_model_byte_scale(const MetasegModel *model)
{
    return model != NULL ? model->model->config.byte_scale : 0.0;
}

const char *metaseg_model_class(const MetasegModel *model, int32_t index, int32_t *ret_code, uint32_t *ret_color)
{
    if (index < 0 || index >= metaseg_model_classes(model)) return NULL;
    const ModelClass *c = &model->model->config.classes[index];
    if (ret_code != NULL) *ret_code = c->code;
    if (ret_color != NULL) *ret_color = c->color;
    return c->name;
}

Err predictor_climate(MetasegModel *model, const Climate **ret_climate)
{
    const bool reads_text = metaseg_model_reads_text(model);
    if (!reads_text || model->run.data_folder == NULL) {
        if (reads_text && !model->told_no_zones)
            predictor_tell(model, 1,
                           "no data folder was named, so no climate zone is known and the null prompt is used");
        model->told_no_zones = true;
        *ret_climate = NULL;
        return ERR_NONE;
    }
    if (model->climate == NULL) {
        char *path = NULL;
        TRY(path_join(model->run.data_folder, "koppen_geiger.bin", &path));
        const Err err = climate_open(path, &model->climate);
        free(path);
        TRY(err);
    }
    *ret_climate = model->climate;
    return ERR_NONE;
}

/* The weights once more: those of the last program are packed and freed. */
static Err reload(MetasegModel *m)
{
    Model *again = NULL;
    uint64_t hash = 0;
    TRY(model_load_file(m->file, false, &again));
    Err err = model_hash(again, &hash);
    if (err == ERR_NONE && hash != m->hash)
        err = err_set(ERR_MODEL, "'%s': has been overwritten since it was loaded; load it again",
                      tensor_file_path(m->file));
    if (err == ERR_NONE) {
        ParamSet *packed = m->model->params; /* the configuration stays: callers hold names out of it */
        m->model->params = again->params;
        again->params = packed;
    }
    model_free(again);
    return err;
}

/* The program for tiles of one side. */
static Err compile(MetasegModel *model, int32_t side, Program **ret_program)
{
    const NetworkConfig *network = &model->model->config.network;
    const NetworkShape shape = segmenter_shape(network, 1, side);
    ProgramOptions options = program_options_defaults();
    options.device = model->device;
    return segmenter_compile(model->model->params, network, &shape, NULL, &options, ret_program);
}

static void free_programs(MetasegModel *model)
{
    for (int32_t k = 0; k < TTA_SCALES; k++) {
        program_free(model->programs[k]);
        model->programs[k] = NULL;
    }
    model->tile = 0;
}

/* Several programs keep the parameters that they share; one alone packs them and lets them go. */
static Err compile_all(MetasegModel *model, int32_t tile, int32_t scales)
{
    enum { QUARTERS = 4 };
    const int64_t multiple = network_side_multiple(&model->model->config.network);
    if (scales > 1 && (tile % QUARTERS != 0 || tile / QUARTERS % multiple != 0))
        return err_set(ERR_ARGUMENT, "tiles of %d pixels at several scales; a multiple of %lld was expected", (int)tile,
                       (long long)(QUARTERS * multiple));
    for (int32_t k = 0; k < scales; k++) TRY(compile(model, tta_side(tile, k), &model->programs[k]));
    model->stale = scales == 1;
    return scales > 1 ? ERR_NONE : program_discard_packed(model->programs[0]);
}

Err predictor_compile(MetasegModel *model, int32_t tile, int32_t scales)
{
    if (model->tile == tile && model->programs[scales - 1] != NULL) return ERR_NONE;
    free_programs(model);
    if (model->stale) TRY(reload(model));
    model->stale = false;
    const Err err = compile_all(model, tile, scales);
    if (err == ERR_NONE)
        model->tile = tile;
    else
        free_programs(model);
    return err;
}
