/* SPDX-License-Identifier: Apache-2.0
 *
 * What a configuration leaves to its preset: scenes, classes and how labels are read, each where its key is not given.
 */
#ifndef METASEG_TRAIN_RUN_PRESET_H
#define METASEG_TRAIN_RUN_PRESET_H

#include "train/run_config.h"

/* Goes through the folder and fills in. share: as in run_config_load. No effect without a preset. ERR_CONFIG, ERR_ARGUMENT
 * (of the keys, by an override); ERR_INPUT: the folder lacks something, and data.missing does not allow that. */
Err run_preset_complete(const YamlFile *file, const char *share, RunConfig *config);

#endif
