/* SPDX-License-Identifier: Apache-2.0
 * The run folder's model files: last.safetensors holds everything a continued run needs, best.safetensors is what
 * people use. */
#include "train/trainer.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "model/safetensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Err trainer_path(const Trainer *t, const char *name, char **ret_path) { return path_join(t->folder, name, ret_path); }

/* What must agree between a checkpoint and the configuration that continues it. */
static Err fingerprint(const Trainer *t, char **ret_text)
{
    const RunConfig *c = t->config;
    return str_format(ret_text, "seed %lld, batch %lld, window %lld, upsample %g, classes %u, fusion %d, text %d",
                      (long long)c->data.seed, (long long)c->train.batch, (long long)c->data.window, c->data.upsample,
                      (unsigned)c->data.n_classes, (int)c->network.fusion, (int)c->train.text);
}

static Err state_text(const Trainer *t, char **ret_text)
{
    char *agreement = NULL;
    TRY(fingerprint(t, &agreement));
    JsonWriter w = { 0 };
    json_begin_object(&w, NULL);
    json_put_string(&w, "configuration", agreement);
    json_put_int(&w, "step", t->step);
    json_put_double(&w, "best_miou", t->best_miou); /* null while there is none */
    json_put_int(&w, "best_step", t->best_step);
    json_end(&w);
    free(agreement);
    return json_take(&w, ret_text);
}

static const char *const run_files[] = { "last.safetensors", "best.safetensors", "metrics.csv" };

Err trainer_check_folder(const Trainer *t)
{
    for (int64_t i = 0; i < ARRAY_LEN(run_files); i++) {
        char *path = NULL;
        TRY(trainer_path(t, run_files[i], &path));
        const bool found = file_exists(path);
        free(path);
        if (found)
            return err_set(ERR_OUTPUT,
                           "'%s': holds a training run (%s); --resume continues it, -f replaces it, or choose another "
                           "train.output",
                           t->folder, run_files[i]);
    }
    return ERR_NONE;
}

Err trainer_clear_folder(const Trainer *t)
{
    for (int64_t i = 0; i < ARRAY_LEN(run_files); i++) {
        char *path = NULL;
        TRY(trainer_path(t, run_files[i], &path));
        const Err err = file_remove(path);
        free(path);
        TRY(err);
    }
    return ERR_NONE;
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
        ModelExtra extras[3] = {
            { "train.first_moment", flat(optimizer_first_moment(t->optimizer), trainable) },
            { "train.second_moment", flat(optimizer_second_moment(t->optimizer), trainable) },
            { "train.average", flat(optimizer_average(t->optimizer), params_length(t->model->params)) },
        };
        const ModelNote note = { "metaseg.train.state", state };
        ModelSave save = model_save_defaults();
        save.weights = DTYPE_F32;
        save.auxiliary = true;
        save.overwrite = true;
        save.extras = extras;
        save.n_extras = optimizer_average(t->optimizer) != NULL ? 3 : 2;
        save.notes = &note;
        save.n_notes = 1;
        err = model_save(t->model, path, &save);
    }
    free(path);
    free(state);
    return err;
}

static Err read_state(Trainer *t, const Json *state)
{
    char *agreement = NULL;
    const char *saved = NULL;
    TRY(json_get_string(state, "configuration", &saved));
    TRY(fingerprint(t, &agreement));
    const bool same = strcmp(agreement, saved) == 0;
    Err err = ERR_NONE;
    if (!same)
        err = err_set(ERR_CONFIG,
                      "the checkpoint was made with another configuration (%s; now %s); choose another train.output",
                      saved, agreement);
    free(agreement);
    TRY(err);
    TRY(json_get_int(state, "step", 0, INT64_C(1) << 40, &t->step));
    TRY(json_get_int(state, "best_step", 0, INT64_C(1) << 40, &t->best_step));
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

Err trainer_load_checkpoint(Trainer *t)
{
    TensorFile *file = NULL;
    Json *state = NULL;
    TRY(open_checkpoint(t, &file));
    const char *text = tensor_file_metadata(file, "metaseg.train.state");
    Err err = text != NULL ? json_parse(text, strlen(text), 1 << 16, &state)
                           : err_set(ERR_MODEL, "'%s': no training state; it is a model, not a checkpoint",
                                     tensor_file_path(file));
    if (err == ERR_NONE) err = read_state(t, state);
    if (err == ERR_INPUT) err = err_prefix(ERR_MODEL, "'%s'", tensor_file_path(file));
    if (err == ERR_NONE) err = model_load_file(file, true, &t->model);
    json_free(state);
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
    json_put_int(&w, "batch", c->train.batch);
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
