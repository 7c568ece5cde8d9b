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
 * all state), metrics.csv, metrics.jsonl, config.yaml (the configuration, overrides as comments before it). `overrides`
 * are "train.steps=50" texts. A folder with last.safetensors, best.safetensors or metrics.csv holds a run. Stopping by
 * run.stop, in a validation too, saves and returns METASEG_ERROR_INTERRUPTED; before the first step there is nothing to
 * save. A process that is killed at any moment leaves a folder that can be started anew or continued. report
 * may be NULL. */
MetasegStatus metaseg_train(const char *config, const char *const *overrides, int64_t n_overrides,
                            MetasegTrainStart start, const MetasegRun *run, MetasegTrainReport *report);

#ifdef __cplusplus
}
#endif
#endif
