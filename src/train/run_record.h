/* SPDX-License-Identifier: Apache-2.0
 *
 * What a training run is: its resolved configuration (yaml_record.h) and the content of the files that it reads beside
 * its images. Stored in a checkpoint, so that a run is continued only as what it was.
 */
#ifndef METASEG_TRAIN_RUN_RECORD_H
#define METASEG_TRAIN_RUN_RECORD_H

#include "base/json.h"
#include "train/run_config.h"

/* The record of a run that starts, JSON text; free() it. ERR_INPUT: a file cannot be read; ERR_MEMORY. */
Err run_record_make(const RunConfig *config, char **ret_record);

/* Checks that `config` continues the run of a record, read from the checkpoint `name`. The initial weights of the
 * encoder need not be there any more. On a difference ERR_CONFIG, and ret_differences (appended) names every key with
 * both values. ERR_INPUT, ERR_MEMORY. */
Err run_record_check(const char *record, const char *name, const RunConfig *config, Str *ret_differences);

#endif
