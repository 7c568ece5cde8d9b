/* SPDX-License-Identifier: Apache-2.0
 *
 * Training from a configuration file (docs/configuration.md).
 */
#ifndef METASEG_TRAIN_H
#define METASEG_TRAIN_H

#include "metaseg/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What becomes of a run that the folder holds already. */
typedef enum MetasegTrainStart {
    METASEG_TRAIN_NEW = 0, /* METASEG_ERROR_OUTPUT if there is one */
    METASEG_TRAIN_RESUME,  /* it is continued from last.safetensors, with the same losses as an unbroken run;
                              METASEG_ERROR_CONFIG under a configuration that is not the run's */
    METASEG_TRAIN_REPLACE, /* its files are removed */
} MetasegTrainStart;

typedef struct MetasegTrainReport {
    int64_t steps;    /* done in all, earlier parts of a continued run included */
    double best_miou; /* on the validation area, NAN without one */
    int64_t best_step;
    double seconds; /* of this call */
} MetasegTrainReport;

/* Trains; writes into the configured run folder: best.safetensors (by validation mIoU), last.safetensors (weights with
 * all state), metrics.csv, metrics.jsonl, classes.csv, events.out.tfevents.metaseg, config.yaml (the configuration, overrides as comments before it). `overrides`
 * are "train.steps=50" texts. A folder with last.safetensors, best.safetensors or metrics.csv holds a run. Stopping by
 * run.stop, in a validation too, saves and returns METASEG_ERROR_INTERRUPTED; before the first step there is nothing to
 * save. A process that is killed at any moment leaves a folder that can be started anew or continued. report
 * may be NULL. */
MetasegStatus metaseg_train(const char *config, const char *const *overrides, int64_t n_overrides,
                            MetasegTrainStart start, const MetasegRun *run, MetasegTrainReport *report);

/* A model of own classes from images and labels: what a person says, the rest is chosen. Strings may be NULL where it says
 * so. Begin with metaseg_train_plan_defaults(). */
typedef struct MetasegTrainPlan {
    const char *name;          /* of the model */
    const char *const *images; /* rasters or products */
    int64_t n_images;
    const char *const *labels; /* vector files or rasters of class values: one for all images, or one for each */
    int64_t n_labels;
    const char *layer, *field;    /* of vector files, as labels_layer and labels_field (docs/configuration.md); NULL */
    const char *crs, *labels_crs; /* instead of the files'; NULL */
    double buffer;                /* of lines and points, pixels */
    double gsd;                   /* metres, size of the pixels of images without a georeference; 0: nobody knows it */
    const char *bands;            /* "4,3,2"; NULL: those that `from` reads, else all but alpha */
    const char *level;   /* of the images' reflectance, as in MetasegPredictOptions, for a `from` of level 1; NULL */
    const char *classes; /* class table; NULL: the classes of `from` where it has all, else those of the labels */
    const char *from;    /* model whose weights training starts from; NULL: none */
    const char *encoder_weights; /* where there is no `from`; NULL: random */
    const char *encoder_note;    /* told with them: better weights that were looked for, and what brings them; NULL */
    const char *climate;         /* climate map, for a `from` that reads text; NULL: it reads none */
    const char *output;          /* run folder */
    double minutes;              /* of training on this machine */
    int64_t seed;
    const char *const *overrides; /* what metaseg_train will be given with it: read, checked and measured with */
    int64_t n_overrides;
    bool overwrite; /* a configuration that is there already */
} MetasegTrainPlan;
MetasegTrainPlan metaseg_train_plan_defaults(void);

/* Writes OUTPUT/train.yaml for metaseg_train and tells every choice: classes and their colours, validation boxes around whole
 * features with every class on both sides, pixel size, how the network starts, and as many steps as this machine does in
 * the given time (it does some to know). For a `from` of level 1 the processing level of each image is told and written down. Of label rasters blocks of pixels are kept apart.
 * Where an image has no georeference its labels are a raster of the same pixels, and without gsd the model is one for pictures whose pixel size is unknown. METASEG_ERROR_ARGUMENT, _INPUT, _MODEL, _CONFIG, _OUTPUT, _MEMORY, _INTERRUPTED:
 * then there is no train.yaml, or the older one. */
MetasegStatus metaseg_train_plan(const MetasegTrainPlan *plan, const MetasegRun *run);

/* Shows pictures (PNG) of maps that were made with a run's model in the report of the run, in place of those that stand there. Nothing
 * where the folder has no report. METASEG_ERROR_INPUT: a picture cannot be read; METASEG_ERROR_OUTPUT, _MEMORY. */
MetasegStatus metaseg_train_report_maps(const char *folder, const char *const *pictures, int64_t n_pictures);

/* Tells what a configuration would learn from, before any training: each scene with its place and its numbers, how much of each
 * class is for training, validation and holdout, climate zones (with a run->data_folder or model.climate), bands that look wrong,
 * scenes and boxes over the same ground. The table goes line by line to `line`, with json_line all of it as one line of JSON. A data set that training would
 * refuse is told as far as it was read, and refused as metaseg_train would. */
MetasegStatus metaseg_dataset(const char *config, const char *const *overrides, int64_t n_overrides, bool json_line,
                              const MetasegRun *run, void (*line)(void *context, const char *text));

/* The same of what metaseg_train_plan would make of images and labels; plan->output and plan->minutes say nothing here, and
 * nothing is written. */
MetasegStatus metaseg_dataset_plan(const MetasegTrainPlan *plan, bool json_line, const MetasegRun *run,
                                   void (*line)(void *context, const char *text));

/* Reads every file of a published data set in its folder and tells what is missing or wrong, a line for each file, and how often each class
 * occurs; with json_line all of it as one line of JSON. preset: "loveda" and others that metaseg_dataset_list tells; split NULL: the official
 * one. run->data_folder must have the class tables. METASEG_ERROR_INPUT when something is missing or wrong (all is told before), or the
 * folder is none of this data set; METASEG_ERROR_ARGUMENT: no such preset or split; _INTERRUPTED, _MEMORY. */
MetasegStatus metaseg_dataset_check(const char *preset, const char *folder, const char *split, bool json_line,
                                    const MetasegRun *run, void (*line)(void *context, const char *text));

/* Tells the published data sets that configurations and metaseg_dataset_check know: names, splits, classes, sources. */
MetasegStatus metaseg_dataset_list(bool json_line, const MetasegRun *run,
                                   void (*line)(void *context, const char *text));

#ifdef __cplusplus
}
#endif
#endif
