/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of a training run; include/metaseg/train.h is what callers use. Private to src/train.
 */
#ifndef METASEG_TRAIN_TRAINER_H
#define METASEG_TRAIN_TRAINER_H

#include "base/log.h"
#include "data/dataset.h"
#include "eval/bootstrap.h"
#include "eval/confusion.h"
#include "graph/program.h"
#include "metaseg/train.h"
#include "model/model_file.h"
#include "model/text_encoder.h"
#include "train/loader.h"
#include "train/optimizer.h"
#include "train/run_config.h"

/* Figures of one validation: with all bands, then with each set of train.band_sets. */
typedef struct Validation {
    double miou, accuracy; /* means over `shown`; the mIoU chooses the best model */
    Metrics *shown;        /* [n], n = 1 + dataset_band_sets() */
    int64_t n;
    Confusion confusion; /* with all bands */
    ClassCounts *window; /* [windows of the validation area][classes], with all bands */
    int64_t windows;
} Validation;

typedef struct Trainer {
    RunConfig *config;
    const MetasegRun *run;
    Device device;
    Climate *climate;
    Dataset *dataset;
    DatasetReader *reader; /* of this thread; the loader has its own */
    Model *model;          /* its prompts in all wordings */
    Program *training, *validation;
    bool encoder_frozen, decoder_frozen; /* BatchNorm of `training`: running statistics instead of the batch's */
    TextEncoder *text_encoder;           /* until the prompts are encoded; NULL: none */
    Tokenizer *tokenizer;
    Optimizer *optimizer;
    Loader *loader;
    NetworkShape shape;     /* of a training batch */
    NetworkInputs window;   /* one validation window */
    Validation latest;      /* of this call; shown NULL: none yet */
    char *pictures;         /* its windows as they stand in the report; NULL: none yet */
    const char *folder;     /* of the run: train.output */
    char *record;           /* what the run is: run_record.h */
    bool continues_classes; /* train.from's model has the same classes in the same order */
    bool continues_fusion;  /* it has a fusion, too */
    int64_t step;           /* steps done */
    int64_t validated;      /* step of the latest validation, 0: none yet */
    double best_miou;       /* NAN: none yet */
    double start_miou; /* before the first step, by continues_classes; NAN: not validated then, or in an earlier call */
    double start_iou[MODEL_MAX_CLASSES], best_iou[MODEL_MAX_CLASSES]; /* of each class, NAN: not there */
    int64_t best_step;
    double loss, cross_entropy, dice, auxiliary, norm; /* of the latest step */
    double seconds; /* of this call's steps; not part of a checkpoint, whose bytes depend on the steps alone */
} Trainer;

/* train_from.c: takes over what train.from's model has for a new one: weights, heads of classes and filters of bands of the
 * same names, normalisation, prompts where no text encoder is named. Nothing to do without train.from. ERR_CONFIG when the
 * networks do not fit, ERR_INPUT, ERR_MODEL, ERR_MEMORY. */
Err trainer_start_from(Trainer *trainer);

/* train_features.c: opens the text encoder of the configuration, if it reads one. Errors of text_encoder_open. */
Err trainer_open_text(Trainer *trainer);
void trainer_close_text(Trainer *trainer);

/* train_features.c: which text a new model reads: that of the text encoder, else that of train.from's model. Errors of model_load. */
Err trainer_describe_text(const Trainer *trainer, ModelConfig *config);

/* train_features.c: encodes the prompt bank, all wordings, into model->prompts. Nothing to do for a network without text.
 * ERR_CONFIG, ERR_INPUT, ERR_MODEL,
 * ERR_MEMORY. */
Err trainer_encode_prompts(Trainer *trainer);

/* train_files.c: before any work, nothing that the run folder gets is a file that is read: the configuration at `path`,
 * what it names, sources of virtual rasters and side-cars included. ERR_ARGUMENT, ERR_INTERRUPTED, ERR_MEMORY. */
Err trainer_check_files(const RunConfig *config, const char *path, const volatile int *stop);

/* train_checkpoint.c. last.safetensors: weights, optimizer, moving average, step, best figure, and what the run is
 * (run_record.h); written atomically. */
Err trainer_save_checkpoint(Trainer *trainer);
/* ERR_OUTPUT when a run folder holds a run (best.safetensors, last.safetensors or metrics.csv). */
Err trainer_check_folder(const char *folder);
/* Removes best model and report of a run that is replaced, once last.safetensors is the new run's. ERR_OUTPUT. */
Err trainer_remove_best(const Trainer *trainer);
/* Reads state and record of last.safetensors, before any data is opened. ERR_INPUT when there is none; ERR_MODEL when
 * it is damaged; ERR_CONFIG when it belongs to another configuration: every key that differs is named with both values.
 */
Err trainer_read_state(Trainer *trainer);
/* Loads the model of last.safetensors, once the data set stands. ERR_CONFIG when bands, classes or network are not
 * those of data set and configuration. The optimizer's part is read by trainer_restore_optimizer, once the optimizer
 * stands. */
Err trainer_load_model(Trainer *trainer);
Err trainer_restore_optimizer(Trainer *trainer);
/* best.safetensors: the averaged weights in half precision with provenance, without training state. */
Err trainer_save_best(Trainer *trainer);
/* Path inside the run folder; free() it. */
Err trainer_path(const Trainer *trainer, const char *name, char **ret_path);

/* train_log.c. config.yaml: the configuration file as it was, the overrides as comments before it. ERR_INPUT,
 * ERR_OUTPUT. */
Err trainer_save_config(const Trainer *trainer, const char *config, const char *const *overrides, int64_t n_overrides);

/* train.c: run->stop was set. */
bool trainer_asked_to_stop(const Trainer *trainer);

/* How fast this machine trains. */
typedef struct TrainerSpeed {
    double seconds_per_step, seconds_per_validation; /* the latter 0 without a validation area */
} TrainerSpeed;

/* train.c: does a few steps of a configuration, which it frees, and one validation, without writing or telling anything.
 * Errors of metaseg_train. */
Err trainer_speed(RunConfig *config, const MetasegRun *run, TrainerSpeed *ret_speed);

/* One row of metrics.csv and metrics.jsonl and a record of the event file; of a validation also the rows of
 * classes.csv. trainer_log_open keeps those of the steps up to `last`: an interrupted run may have left later ones.
 * ERR_OUTPUT. */
#define TRAINER_EVENTS "events.out.tfevents.metaseg"
Err trainer_log_open(const Trainer *trainer, int64_t last);
Err trainer_log_step(const Trainer *trainer);
Err trainer_log_validation(const Trainer *trainer, const Validation *validation);
/* Tells the figures of each class at the best validation, which an earlier part of the run may have made; nothing
 * where they were not kept. ERR_INPUT. */
Err trainer_tell_classes(const Trainer *trainer);

/* train_validate.c: figures of the current (averaged) weights on the validation windows. validation_done() them.
 * ERR_INTERRUPTED when it was asked to stop, ERR_MEMORY. */
Err trainer_validate(Trainer *trainer, Validation *ret_validation);
void validation_done(Validation *validation);

/* Between the two the validation program has the averaged weights; the first packs them anew. */
void trainer_use_average(Trainer *trainer);
void trainer_use_latest(Trainer *trainer);

/* One validation window with all bands, between the two above: it stands in trainer->window afterwards, its classes in
 * ret_classes [side][side]. Errors as trainer_validate. */
Err trainer_classify_window(Trainer *trainer, int64_t index, uint8_t *ret_classes);

/* report_windows.c: pictures of windows of trainer->latest, which must be of the current weights. Errors as trainer_validate. */
Err trainer_draw_windows(Trainer *trainer);

/* train_report.c: report.html in the run folder, from metrics.csv and the latest validation, if there was one. ERR_OUTPUT, ERR_MEMORY. */
#define TRAINER_REPORT "report.html"
Err trainer_write_report(Trainer *trainer);
/* What metrics i of a validation are of: "all", "red+green+blue". */
const char *trainer_shown_bands(const Trainer *trainer, int64_t i);

#endif
