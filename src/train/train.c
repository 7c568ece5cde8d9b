/* SPDX-License-Identifier: Apache-2.0
 * A training run from its configuration to its best model. */
#include "metaseg/train.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/report.h"
#include "base/str.h"
#include "data/label_values.h"
#include "network/encoder.h"
#include "network/segmenter.h"
#include "train/run_record.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_EVERY = 10 };

static void tell(const Trainer *t, int level, const char *text)
{
    if (t->run != NULL && t->run->message != NULL) t->run->message(t->run->context, level, text);
}

static Err choose_device(Trainer *t)
{
    t->device = device_default();
    if (t->run == NULL) return ERR_NONE;
    if (t->run->threads > 0) t->device.threads = t->run->threads;
    if (t->run->cpu != NULL) TRY(cpu_isa_parse(t->run->cpu, &t->device.isa));
    return ERR_NONE;
}

static Err open_data(Trainer *t)
{
    const RunConfig *config = t->config;
    if (run_config_reads_text(config) && config->train.text == TRAIN_TEXT_ZONES)
        TRY(climate_open(config->train.climate, &t->climate));
    TRY(dataset_open(&config->data, t->climate, t->run, &t->dataset));
    return dataset_reader_new(t->dataset, &t->reader);
}

static Err describe_bands(const Trainer *t, ModelConfig *m)
{
    const int64_t bands = dataset_bands(t->dataset);
    if (bands > MODEL_MAX_BANDS)
        return err_set(ERR_CONFIG, "%lld bands; a model reads at most %d", (long long)bands, (int)MODEL_MAX_BANDS);
    double mean[MODEL_MAX_BANDS];
    double std[MODEL_MAX_BANDS];
    TRY(dataset_statistics(t->reader, mean, std));
    TRY(model_config_set_bands(m, (int32_t)bands));
    for (int64_t b = 0; b < bands; b++) {
        TRY(model_config_set_text(&m->bands[b].name, dataset_band_name(t->dataset, b)));
        m->bands[b].scale = 1.0;
        m->bands[b].mean = mean[b];
        m->bands[b].std = std[b];
        if (t->config->data.n_surface_scale == 0) continue;
        m->bands[b].surface_scale = t->config->data.surface_scale[b];
        m->bands[b].surface_offset = t->config->data.surface_offset[b];
    }
    return ERR_NONE;
}

static Err describe_classes(const RunConfig *config, ModelConfig *m)
{
    TRY(model_config_set_classes(m, (int32_t)config->data.n_classes));
    for (int32_t c = 0; c < m->network.n_classes; c++) {
        const DatasetClass *from = &config->data.classes[c];
        m->classes[c].code = from->value;
        TRY(model_config_set_text(&m->classes[c].name, from->name));
        m->classes[c].color = (uint32_t)strtoul(from->color + 1, NULL, 16);
    }
    return ERR_NONE;
}

static Err fill_model_config(const Trainer *t, ModelConfig *m)
{
    const RunConfig *config = t->config;
    TRY(describe_bands(t, m));
    TRY(describe_classes(config, m));
    TRY(model_config_set_text(&m->name, config->name));
    const int32_t n_bands = m->network.n_bands, n_classes = m->network.n_classes;
    m->network = config->network;
    m->network.n_bands = n_bands;
    m->network.n_classes = n_classes;
    TRY(trainer_describe_text(t, m));
    m->transform = config->data.transform;
    m->gsd_minimum = config->data.gsd_min;
    m->gsd_maximum = config->data.gsd_max;
    m->gsd_unit = config->data.gsd_unit;
    m->byte_scale = config->data.byte_scale;
    m->reflectance = config->data.reflectance;
    /* what an encoder reads around a place stays what it was in training; without one it is some 20 pixels */
    if (encoder_def(config->network.encoder)->build != NULL) m->tile = (int32_t)config->data.window;
    return model_config_check(m);
}

static Err new_model(Trainer *t)
{
    ModelConfig m;
    TRY(model_config_init(&m));
    Err err = fill_model_config(t, &m);
    if (err == ERR_NONE) err = model_new(&m, true, &t->model);
    model_config_done(&m);
    TRY(err);
    model_initialize(t->model, (uint64_t)t->config->data.seed);
    const char *weights = t->config->train.encoder_weights;
    return weights == NULL ? ERR_NONE : model_load_encoder(t->model, weights);
}

static void use_model_statistics(Trainer *t)
{
    double mean[MODEL_MAX_BANDS];
    double std[MODEL_MAX_BANDS];
    const ModelConfig *m = &t->model->config;
    for (int32_t b = 0; b < m->network.n_bands; b++) {
        mean[b] = m->bands[b].mean;
        std[b] = m->bands[b].std;
    }
    dataset_set_statistics(t->dataset, mean, std);
}

static bool frozen_by_now(const Trainer *t, double fraction)
{
    return fraction < 1.0 && (double)t->step >= fraction * (double)t->config->train.steps;
}

static ProgramOptions program_options(const Trainer *t)
{
    ProgramOptions options = program_options_defaults();
    options.device = t->device;
    options.seed = (uint64_t)t->config->data.seed;
    return options;
}

/* The training program is what it is for the step t->step: its BatchNorm may be frozen on the way. */
static Err compile_training(Trainer *t)
{
    const TrainOptions *train = &t->config->train;
    const bool encoder = frozen_by_now(t, train->freeze_encoder), decoder = frozen_by_now(t, train->freeze_decoder);
    if (t->training != NULL && encoder == t->encoder_frozen && decoder == t->decoder_frozen) return ERR_NONE;
    program_free(t->training);
    t->training = NULL;
    t->encoder_frozen = encoder;
    t->decoder_frozen = decoder;
    const ProgramOptions options = program_options(t);
    SegmenterTraining training = segmenter_training_defaults();
    training.smoothing = (float)train->label_smoothing;
    training.dropout = (float)train->dropout;
    training.drop_path = (float)train->drop_path;
    training.dice_weight = (float)train->dice_weight;
    training.auxiliary_weight = (float)train->auxiliary_weight;
    training.probabilities = t->shape.label_classes > 0;
    training.ignore = CLASS_IGNORE;
    training.freeze_encoder = encoder;
    training.freeze_decoder = decoder;
    return segmenter_compile(t->model->params, &t->model->config.network, &t->shape, &training, &options, &t->training);
}

static Err compile_validation(Trainer *t)
{
    if (dataset_validation_count(t->dataset) == 0) return ERR_NONE;
    const NetworkShape shape = t->window.shape;
    const ProgramOptions options = program_options(t);
    return segmenter_compile(t->model->params, &t->model->config.network, &shape, NULL, &options, &t->validation);
}

static Err make_optimizer(Trainer *t, bool resume)
{
    const TrainOptions *c = &t->config->train;
    const OptimizerOptions options = {
        .learning_rate = c->learning_rate,
        .encoder_multiplier = c->encoder_multiplier,
        .encoder_start = (int64_t)ceil(c->encoder_start * (double)c->steps),
        .beta1 = 0.9,
        .beta2 = 0.999,
        .eps = 1e-8,
        .weight_decay = c->weight_decay,
        .clip_norm = c->clip_norm,
        .ema_decay = c->ema_decay,
        .steps = c->steps,
        .warmup_steps = run_config_warmup(c),
        .final_fraction = c->final_fraction,
        .epoch_steps = c->epoch_steps,
        .restart_steps = c->restart_steps,
        .lookahead_steps = c->lookahead_steps,
        .lookahead_alpha = c->lookahead_alpha,
        .threads = t->device.threads,
    };
    TRY(optimizer_new(t->model->params, &options, &t->optimizer));
    return resume ? trainer_restore_optimizer(t) : ERR_NONE;
}

static bool due(int64_t step, int64_t every, int64_t last) { return step == last || (every > 0 && step % every == 0); }

/* The latest step is to be validated and was not yet: a run that was stopped meanwhile does it when it goes on. */
static bool validation_due(const Trainer *t)
{
    const TrainOptions *train = &t->config->train;
    return t->validation != NULL && t->step > t->validated && due(t->step, train->validate_every, train->steps);
}

/* The text that a network with fusion reads; one that takes over a fusion has its origin already. */
static Err prepare_text(Trainer *t, bool resume)
{
    TRY(trainer_encode_prompts(t));
    trainer_close_text(t);
    const bool zones = run_config_reads_text(t->config) && t->model->prompts.count > 0;
    if (zones && !resume && !t->continues_fusion) {
        float *mean = malloc((size_t)t->model->prompts.width * sizeof *mean);
        if (mean == NULL) return err_memory((size_t)t->model->prompts.width * sizeof *mean, "the mean token");
        prompt_table_mean(&t->model->prompts, mean);
        model_centre_text(t->model, mean);
        free(mean);
    }
    t->model->config.network.prompt_tokens = zones ? prompt_table_longest(&t->model->prompts) : 1;
    return ERR_NONE;
}

/* Data, model, programs and optimizer, for the step where the run stands. */
static Err prepare_steps(Trainer *t, bool resume)
{
    TRY(open_data(t));
    TRY(trainer_open_text(t));
    TRY(resume ? trainer_load_model(t) : new_model(t));
    if (!resume) TRY(trainer_start_from(t));
    use_model_statistics(t);
    TRY(prepare_text(t, resume));
    t->shape = segmenter_shape(&t->model->config.network, t->config->train.batch, t->config->data.window);
    t->shape.label_classes = dataset_label_classes(&t->config->data);
    const NetworkShape window = segmenter_shape(&t->model->config.network, 1, t->config->data.window);
    TRY(network_inputs_init(&window, &t->window));
    TRY(compile_training(t));
    TRY(compile_validation(t));
    return make_optimizer(t, resume);
}

static Err prepare(Trainer *t, MetasegTrainStart start)
{
    const bool resume = start == METASEG_TRAIN_RESUME;
    TRY(choose_device(t));
    t->folder = t->config->train.output;
    if (start == METASEG_TRAIN_NEW) TRY(trainer_check_folder(t->folder));
    TRY(resume ? trainer_read_state(t) : run_record_make(t->config, &t->record));
    TRY(file_make_folders(t->folder));
    return prepare_steps(t, resume);
}

static Err start_loader(Trainer *t)
{
    const int64_t batches = t->config->train.accumulate; /* of a step; the loader counts batches */
    return loader_new(t->dataset, &t->model->prompts, &t->shape, t->step * batches, t->config->train.steps * batches,
                      t->device.threads, &t->loader);
}

/* A run can be continued from its first file on: the checkpoint of step 0 comes before anything else that makes a
 * folder hold a run. Of a run that is replaced the checkpoint goes first, when all that may fail is behind us. */
static Err open_folder(Trainer *t, MetasegTrainStart start, const char *config, const char *const *overrides,
                       int64_t n_overrides)
{
    if (start != METASEG_TRAIN_RESUME) TRY(trainer_save_checkpoint(t));
    if (start == METASEG_TRAIN_REPLACE) TRY(trainer_remove_best(t));
    TRY(trainer_save_config(t, config, overrides, n_overrides));
    TRY(trainer_log_open(t, validation_due(t) ? t->step - 1 : t->step));
    return start_loader(t);
}

static void done(Trainer *t)
{
    loader_free(t->loader); /* first: its thread uses the data set */
    trainer_close_text(t);
    optimizer_free(t->optimizer);
    program_free(t->training);
    program_free(t->validation);
    network_inputs_done(&t->window);
    validation_done(&t->latest);
    free(t->pictures);
    dataset_reader_free(t->reader);
    dataset_close(t->dataset);
    climate_close(t->climate);
    model_free(t->model);
    free(t->record);
    run_config_free(t->config);
}

static double scalar(const Program *program, const char *name)
{
    const Tensor tensor = program_tensor(program, name);
    return tensor.data != NULL ? (double)*(const float *)tensor.data : 0.0;
}

/* One of the batches of a step: its gradients are added to those before, its losses by their part. */
static Err train_batch(Trainer *t, int64_t k)
{
    const int64_t batches = t->config->train.accumulate;
    const NetworkInputs *batch = NULL;
    TRY(loader_next(t->loader, &batch));
    TRY(segmenter_write(t->training, batch));
    TRY(program_forward(t->training, (uint64_t)(t->step * batches + k)));
    TRY(program_backward(t->training, k > 0));
    const double part = 1.0 / (double)batches;
    t->loss += part * scalar(t->training, "loss");
    t->cross_entropy += part * scalar(t->training, "loss_cross_entropy");
    t->dice += part * scalar(t->training, "loss_dice");
    t->auxiliary += part * scalar(t->training, "loss_auxiliary");
    return ERR_NONE;
}

/* The sum of the batches' gradients becomes their mean. */
static void average_gradients(const Trainer *t)
{
    const float part = 1.0F / (float)t->config->train.accumulate;
    const int64_t n = params_trainable_length(t->model->params);
    float *g = params_gradients(t->model->params);
    for (int64_t i = 0; i < n && part < 1.0F; i++) g[i] *= part;
}

static Err train_step(Trainer *t)
{
    TRY(compile_training(t));
    t->loss = t->cross_entropy = t->dice = t->auxiliary = 0.0;
    for (int64_t k = 0; k < t->config->train.accumulate; k++) TRY(train_batch(t, k));
    average_gradients(t);
    if (!isfinite(t->loss))
        return err_set(ERR_CONFIG, "step %lld: the loss is not finite; lower train.learning_rate", (long long)t->step);
    TRY(optimizer_step(t->optimizer, t->step, &t->norm));
    t->step++;
    return ERR_NONE;
}

static void tell_validation(const Trainer *t, const Validation *v)
{
    Str text = { 0 };
    str_addf(&text, "step %lld: validation mIoU %.2f %%, OA %.2f %%", (long long)t->step, 100.0 * v->miou,
             100.0 * v->accuracy);
    for (int64_t i = 0; v->n > 1 && i < v->n; i++)
        str_addf(&text, "%s%s %.2f %%, %.2f %%", i > 0 ? "; " : " (means of ", trainer_shown_bands(t, i),
                 100.0 * v->shown[i].miou, 100.0 * v->shown[i].overall_accuracy);
    str_addf(&text, "%s (best %.2f %% at step %lld)", v->n > 1 ? ")" : "", 100.0 * t->best_miou,
             (long long)t->best_step);
    tell(t, 0, str_text(&text));
    str_done(&text);
}

/* What training made of a model that had these classes before. */
static void tell_change(const Trainer *t)
{
    if (!isfinite(t->start_miou) || t->step < t->config->train.steps) return;
    for (uint32_t c = 0; c < t->config->data.n_classes; c++)
        if (isfinite(t->start_iou[c]) && isfinite(t->best_iou[c]))
            report_message(t->run, 0, "class '%s': IoU %.1f %% before, %.1f %% now", t->config->data.classes[c].name,
                           100.0 * t->start_iou[c], 100.0 * t->best_iou[c]);
    report_message(t->run, 0, "validation mIoU %.2f %% before, %.2f %% now%s", 100.0 * t->start_miou,
                   100.0 * t->best_miou,
                   t->best_step == 0 ? ": the model was better before, best.safetensors is what it was" : "");
}

static Err take_validation(Trainer *t, const Validation *v)
{
    t->validated = t->step;
    for (uint32_t c = 0; c < t->config->data.n_classes; c++) {
        if (t->step == 0) t->start_iou[c] = v->shown[0].per_class[c].iou;
        if (!isfinite(t->best_miou) || v->miou > t->best_miou) t->best_iou[c] = v->shown[0].per_class[c].iou;
    }
    if (t->step == 0) t->start_miou = v->miou;
    if (!isfinite(t->best_miou) || v->miou > t->best_miou) {
        t->best_miou = v->miou;
        t->best_step = t->step;
        TRY(trainer_save_best(t));
    }
    TRY(trainer_log_validation(t, v));
    tell_validation(t, v);
    return ERR_NONE;
}

static Err validate(Trainer *t)
{
    Validation validation = { 0 };
    TRY(trainer_validate(t, &validation));
    Err err = take_validation(t, &validation);
    validation_done(&t->latest);
    t->latest = validation;
    if (err == ERR_NONE) err = trainer_draw_windows(t);
    return err == ERR_NONE ? trainer_write_report(t) : err;
}

static void report_progress(const Trainer *t)
{
    if (t->run == NULL || t->run->progress == NULL) return;
    char text[64];
    if (isfinite(t->best_miou))
        (void)snprintf(text, sizeof text, "loss %.4f, best mIoU %.2f %%", t->loss, 100.0 * t->best_miou);
    else
        (void)snprintf(text, sizeof text, "loss %.4f", t->loss);
    t->run->progress(t->run->context, t->step, t->config->train.steps, text);
}

bool trainer_asked_to_stop(const Trainer *t) { return t->run != NULL && t->run->stop != NULL && *t->run->stop != 0; }

/* The report of a run that ends between validations: with what was measured last. A part of a run that measured nothing leaves
 * the report of an earlier part alone. */
static Err write_last_report(Trainer *t)
{
    char *path = NULL;
    TRY(trainer_path(t, TRAINER_REPORT, &path));
    const bool keep = t->latest.shown == NULL && t->validation != NULL && file_exists(path);
    free(path);
    return keep ? ERR_NONE : trainer_write_report(t);
}

/* Saves, so that the run goes on from here. */
static Err stop_here(Trainer *t)
{
    TRY(trainer_save_checkpoint(t));
    TRY(write_last_report(t));
    return err_set(ERR_INTERRUPTED, "stopped after step %lld of %lld; continue with --resume", (long long)t->step,
                   (long long)t->config->train.steps);
}

static Err loop(Trainer *t)
{
    const TrainOptions *train = &t->config->train;
    while (t->step < train->steps || validation_due(t)) {
        const double mark = clock_seconds();
        if (!validation_due(t)) TRY(train_step(t));
        t->seconds += clock_seconds() - mark;
        if (validation_due(t)) {
            const Err err = validate(t);
            if (err == ERR_INTERRUPTED) return stop_here(t);
            TRY(err);
        } else if (t->step % LOG_EVERY == 0 || t->step == train->steps) {
            TRY(trainer_log_step(t));
        }
        if (due(t->step, train->checkpoint_every, train->steps)) TRY(trainer_save_checkpoint(t));
        report_progress(t);
        if (trainer_asked_to_stop(t) && t->step < train->steps) return stop_here(t);
    }
    return ERR_NONE;
}

/* A model that tells the same classes apart may be better than what becomes of it: it is the first candidate. */
static Err validate_start(Trainer *t)
{
    if (!t->continues_classes || t->step > 0 || t->validation == NULL || isfinite(t->best_miou)) return ERR_NONE;
    const Err err = validate(t);
    if (err == ERR_INTERRUPTED) return stop_here(t);
    TRY(err);
    return trainer_save_checkpoint(t);
}

static Err run_training(Trainer *t)
{
    TRY(validate_start(t));
    TRY(loop(t));
    tell_change(t);
    /* without a validation area the last weights are the best known */
    if (t->validation != NULL) return trainer_tell_classes(t);
    TRY(trainer_save_best(t));
    return trainer_write_report(t);
}

MetasegStatus metaseg_train(const char *config, const char *const *overrides, int64_t n_overrides,
                            MetasegTrainStart start, const MetasegRun *run, MetasegTrainReport *report)
{
    if (config == NULL || n_overrides < 0 || (overrides == NULL && n_overrides > 0))
        return err_set(ERR_ARGUMENT, "a configuration file is needed, and as many overrides as are announced");
    Trainer t = { .run = run, .best_miou = (double)NAN, .start_miou = (double)NAN };
    const double begin = clock_seconds();
    Err err = run_config_load(config, overrides, n_overrides, run != NULL ? run->data_folder : NULL, &t.config);
    if (err != ERR_NONE) return err;
    err = trainer_check_files(t.config, config, run != NULL ? run->stop : NULL);
    if (err == ERR_NONE) err = prepare(&t, start);
    if (err == ERR_NONE) err = open_folder(&t, start, config, overrides, n_overrides);
    if (err == ERR_NONE) err = run_training(&t);
    if (report != NULL && (err == ERR_NONE || err == ERR_INTERRUPTED))
        *report = (MetasegTrainReport){
            .steps = t.step, .best_miou = t.best_miou, .best_step = t.best_step, .seconds = clock_seconds() - begin
        };
    done(&t);
    return err;
}

/* Steps from the second on, which no longer meets memory for the first time, and one validation. */
static Err measure(Trainer *t, TrainerSpeed *ret_speed)
{
    enum { STEPS = 3 };
    TRY(choose_device(t));
    TRY(prepare_steps(t, false));
    TRY(start_loader(t));
    TRY(train_step(t));
    const double begin = clock_seconds();
    while (t->step < STEPS && t->step < t->config->train.steps) {
        TRY(train_step(t));
        if (trainer_asked_to_stop(t)) return err_set(ERR_INTERRUPTED, "stopped while the speed was measured");
    }
    const double end = clock_seconds();
    ret_speed->seconds_per_step = t->step > 1 ? (end - begin) / (double)(t->step - 1) : 0.0;
    ret_speed->seconds_per_validation = 0.0;
    if (t->validation == NULL) return ERR_NONE;
    Validation validation = { 0 };
    TRY(trainer_validate(t, &validation));
    validation_done(&validation);
    ret_speed->seconds_per_validation = clock_seconds() - end;
    return ERR_NONE;
}

Err trainer_speed(RunConfig *config, const MetasegRun *run, TrainerSpeed *ret_speed)
{
    MetasegRun quiet = run != NULL ? *run : (MetasegRun){ 0 };
    quiet.message = NULL; /* the run itself tells all that once more */
    quiet.progress = NULL;
    Trainer t = { .run = &quiet, .config = config, .best_miou = (double)NAN, .start_miou = (double)NAN };
    const Err err = measure(&t, ret_speed);
    done(&t);
    return err;
}
