/* SPDX-License-Identifier: Apache-2.0
 * The run folder's model files: last.safetensors holds everything a continued run needs, best.safetensors is what
 * people use. */
#include "train/trainer.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "tensor_file/safetensors.h"
#include "train/run_record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Longer ones are also told whole, as a message. */
enum { DIFFERENCES_IN_ERROR = 600 };

Err trainer_path(const Trainer *t, const char *name, char **ret_path) { return path_join(t->folder, name, ret_path); }

static Err state_text(const Trainer *t, char **ret_text)
{
    JsonWriter w = { 0 };
    json_begin_object(&w, NULL);
    json_put_int(&w, "step", t->step);
    json_put_int(&w, "validated", t->validated);
    json_put_double(&w, "best_miou", t->best_miou); /* null while there is none */
    json_put_int(&w, "best_step", t->best_step);
    json_put_bool(&w, "continues_classes", t->continues_classes);
    json_put_double(&w, "loss", t->loss); /* of the step, for the row of a validation that is still to come */
    json_put_double(&w, "cross_entropy", t->cross_entropy);
    json_put_double(&w, "dice", t->dice);
    json_put_double(&w, "auxiliary", t->auxiliary);
    json_put_double(&w, "gradient_norm", t->norm);
    json_end(&w);
    return json_take(&w, ret_text);
}

static const char *const run_files[] = { "last.safetensors", "best.safetensors", "metrics.csv" };

Err trainer_check_folder(const char *folder)
{
    for (int64_t i = 0; i < ARRAY_LEN(run_files); i++) {
        char *path = NULL;
        TRY(path_join(folder, run_files[i], &path));
        const bool found = file_exists(path);
        free(path);
        if (found)
            return err_set(ERR_OUTPUT,
                           "'%s': holds a training run (%s); --resume continues it, -f replaces it, or choose another "
                           "folder",
                           folder, run_files[i]);
    }
    return ERR_NONE;
}

Err trainer_remove_best(const Trainer *t)
{
    static const char *const names[] = { "best.safetensors", TRAINER_REPORT };
    Err err = ERR_NONE;
    for (int64_t i = 0; i < ARRAY_LEN(names) && err == ERR_NONE; i++) {
        char *path = NULL;
        err = trainer_path(t, names[i], &path);
        if (err == ERR_NONE) err = file_remove(path);
        free(path);
    }
    return err;
}

static Tensor flat(float *values, int64_t n)
{
    return (Tensor){ .dtype = DTYPE_F32, .shape = { 1, { n } }, .data = values };
}

Err trainer_save_checkpoint(Trainer *t)
{
    char *path = NULL;
    char *state = NULL;
    Err err = trainer_path(t, "last.safetensors", &path);
    if (err == ERR_NONE) err = state_text(t, &state);
    if (err == ERR_NONE) {
        const int64_t trainable = params_trainable_length(t->model->params);
        float *average = optimizer_average(t->optimizer), *slow = optimizer_slow_weights(t->optimizer);
        int32_t n = 2;
        ModelExtra extras[4] = {
            { "train.first_moment", flat(optimizer_first_moment(t->optimizer), trainable) },
            { "train.second_moment", flat(optimizer_second_moment(t->optimizer), trainable) },
        };
        if (average != NULL)
            extras[n++] = (ModelExtra){ "train.average", flat(average, params_length(t->model->params)) };
        if (slow != NULL) extras[n++] = (ModelExtra){ "train.slow_weights", flat(slow, trainable) };
        const ModelNote notes[] = { { "metaseg.train.state", state }, { "metaseg.train.record", t->record } };
        ModelSave save = model_save_defaults();
        save.weights = DTYPE_F32;
        save.auxiliary = true;
        save.overwrite = true;
        save.extras = extras;
        save.n_extras = n;
        save.notes = notes;
        save.n_notes = ARRAY_LEN(notes);
        err = model_save(t->model, path, &save);
    }
    free(path);
    free(state);
    return err;
}

static Err read_state(const Json *state, Trainer *t)
{
    TRY(json_get_int(state, "step", 0, INT64_C(1) << 40, &t->step));
    TRY(json_get_int(state, "validated", 0, INT64_C(1) << 40, &t->validated));
    TRY(json_get_int(state, "best_step", 0, INT64_C(1) << 40, &t->best_step));
    TRY(json_get_double(state, "loss", &t->loss));
    TRY(json_get_double(state, "cross_entropy", &t->cross_entropy));
    TRY(json_get_double(state, "dice", &t->dice));
    TRY(json_get_double(state, "auxiliary", &t->auxiliary));
    TRY(json_get_double(state, "gradient_norm", &t->norm));
    if (json_find(state, "continues_classes") != NULL)
        TRY(json_get_bool(state, "continues_classes", &t->continues_classes));
    t->best_miou = (double)NAN;
    const Json *best = json_find(state, "best_miou");
    if (best != NULL && json_kind(best) == JSON_NUMBER) TRY(json_as_double(best, "best_miou", &t->best_miou));
    return ERR_NONE;
}

static Err open_checkpoint(const Trainer *t, TensorFile **ret_file)
{
    char *path = NULL;
    TRY(trainer_path(t, "last.safetensors", &path));
    const Err err =
        file_exists(path)
            ? safetensors_open(path, ret_file)
            : err_set(ERR_INPUT, "'%s': no such file, so there is no run to continue; train without --resume", path);
    free(path);
    return err;
}

/* The record must be that of the configuration, and there must be a way to go. */
static Err check_record(Trainer *t, const TensorFile *file)
{
    const char *path = tensor_file_path(file), *record = tensor_file_metadata(file, "metaseg.train.record");
    if (record == NULL)
        return err_set(ERR_CONFIG,
                       "'%s': holds no configuration of its run (an older metaseg made it), so it cannot be told "
                       "whether this one continues it; continue with that program, or start again with -f",
                       path);
    TRY(str_copy(record, &t->record));
    Str differences = { 0 };
    const Err err = run_record_check(record, path, t->config, &differences);
    if (err == ERR_CONFIG && differences.length > DIFFERENCES_IN_ERROR && t->run != NULL && t->run->message != NULL)
        t->run->message(t->run->context, 1, str_text(&differences));
    str_done(&differences);
    TRY(err);
    if (t->step > t->config->train.steps)
        return err_set(ERR_CONFIG, "'%s': stands at step %lld, but train.steps is %lld; raise it", path,
                       (long long)t->step, (long long)t->config->train.steps);
    return ERR_NONE;
}

Err trainer_read_state(Trainer *t)
{
    TensorFile *file = NULL;
    Json *state = NULL;
    TRY(open_checkpoint(t, &file));
    const char *text = tensor_file_metadata(file, "metaseg.train.state");
    Err err = text != NULL ? json_parse(text, strlen(text), 1 << 16, &state)
                           : err_set(ERR_MODEL, "no training state; it is a model, not a checkpoint");
    if (err == ERR_NONE && tensor_file_metadata(file, "metaseg.train.record") != NULL) err = read_state(state, t);
    if (err == ERR_INPUT || err == ERR_MODEL) err = err_prefix(ERR_MODEL, "'%s'", tensor_file_path(file));
    if (err == ERR_NONE) err = check_record(t, file);
    json_free(state);
    tensor_file_close(file);
    return err;
}

static Err check_bands(const char *path, const ModelConfig *m, const Dataset *d)
{
    const int64_t bands = dataset_bands(d);
    if (bands != m->network.n_bands)
        return err_set(ERR_CONFIG, "'%s': its model reads %d bands, the data set has %lld", path,
                       (int)m->network.n_bands, (long long)bands);
    for (int64_t b = 0; b < bands; b++)
        if (strcmp(m->bands[b].name, dataset_band_name(d, b)) != 0)
            return err_set(ERR_CONFIG, "'%s': band %lld of its model is '%s', that of the data set '%s'", path,
                           (long long)b + 1, m->bands[b].name, dataset_band_name(d, b));
    return ERR_NONE;
}

static Err check_classes(const char *path, const ModelConfig *m, const DatasetOptions *data)
{
    if ((uint32_t)m->network.n_classes != data->n_classes)
        return err_set(ERR_CONFIG, "'%s': its model has %d classes, the configuration %u", path,
                       (int)m->network.n_classes, (unsigned)data->n_classes);
    for (int32_t c = 0; c < m->network.n_classes; c++)
        if (m->classes[c].code != data->classes[c].value || strcmp(m->classes[c].name, data->classes[c].name) != 0)
            return err_set(ERR_CONFIG, "'%s': class %d of its model is %d '%s', that of the configuration %d '%s'",
                           path, (int)c + 1, (int)m->classes[c].code, m->classes[c].name, (int)data->classes[c].value,
                           data->classes[c].name);
    return ERR_NONE;
}

/* Whatever the record says: what the data set gives must be what the model reads and tells apart. */
static Err check_model(const Trainer *t, const char *path)
{
    const ModelConfig *m = &t->model->config;
    const NetworkConfig *network = &t->config->network;
    TRY(check_bands(path, m, t->dataset));
    TRY(check_classes(path, m, &t->config->data));
    if (m->network.encoder != network->encoder || m->network.fusion != network->fusion ||
        m->network.decoder != network->decoder || m->network.decoder_width != network->decoder_width ||
        m->network.decoder_heads != network->decoder_heads || m->network.output_stride != network->output_stride ||
        m->network.detail_width != network->detail_width || m->network.missing_bands != network->missing_bands)
        return err_set(ERR_CONFIG, "'%s': its network is not the configuration's", path);
    if (m->transform != t->config->data.transform)
        return err_set(ERR_CONFIG, "'%s': the transform of its pixels is %s, that of the configuration %s", path,
                       model_transform_names[m->transform], model_transform_names[t->config->data.transform]);
    return ERR_NONE;
}

Err trainer_load_model(Trainer *t)
{
    TensorFile *file = NULL;
    TRY(open_checkpoint(t, &file));
    Err err = model_load_file(file, true, &t->model);
    if (err == ERR_NONE) err = check_model(t, tensor_file_path(file));
    tensor_file_close(file);
    return err;
}

static Err read_flat(const TensorFile *file, const char *name, float *to, int64_t n)
{
    const StoredTensor *stored = NULL;
    const Shape shape = { 1, { n } };
    TRY(tensor_file_require(file, name, &shape, &stored));
    return stored_tensor_read_f32(stored, to);
}

Err trainer_restore_optimizer(Trainer *t)
{
    TensorFile *file = NULL;
    TRY(open_checkpoint(t, &file));
    const int64_t trainable = params_trainable_length(t->model->params);
    Err err = read_flat(file, "train.first_moment", optimizer_first_moment(t->optimizer), trainable);
    if (err == ERR_NONE) err = read_flat(file, "train.second_moment", optimizer_second_moment(t->optimizer), trainable);
    if (err == ERR_NONE && optimizer_average(t->optimizer) != NULL)
        err = read_flat(file, "train.average", optimizer_average(t->optimizer), params_length(t->model->params));
    if (err == ERR_NONE && optimizer_slow_weights(t->optimizer) != NULL)
        err = read_flat(file, "train.slow_weights", optimizer_slow_weights(t->optimizer), trainable);
    tensor_file_close(file);
    return err;
}

static Err provenance(const Trainer *t, char **ret_text)
{
    const RunConfig *c = t->config;
    JsonWriter w = { 0 };
    json_begin_object(&w, NULL);
    json_put_string(&w, "software", "metaseg " METASEG_VERSION);
    json_put_string(&w, "configuration", c->name);
    json_put_int(&w, "seed", c->data.seed);
    json_put_int(&w, "step", t->step);
    json_put_int(&w, "steps", c->train.steps);
    json_put_int(&w, "batch", c->train.batch * c->train.accumulate);
    json_put_double(&w, "validation_miou", t->best_miou);
    json_put_string(&w, "text",
                    c->network.fusion == NETWORK_FUSION_NONE ? "none"
                    : c->train.text == TRAIN_TEXT_NULL       ? "null"
                                                             : "zones");
    json_end(&w);
    return json_take(&w, ret_text);
}

Err trainer_save_best(Trainer *t)
{
    char *path = NULL;
    char *text = NULL;
    Err err = trainer_path(t, "best.safetensors", &path);
    if (err == ERR_NONE) err = provenance(t, &text);
    if (err == ERR_NONE) err = model_config_set_text(&t->model->config.provenance, text);
    if (err == ERR_NONE) {
        ModelSave save = model_save_defaults();
        save.overwrite = true;
        save.values = optimizer_average(t->optimizer);
        err = model_save(t->model, path, &save);
    }
    free(path);
    free(text);
    return err;
}
