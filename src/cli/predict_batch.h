/* SPDX-License-Identifier: Apache-2.0
 *
 * Many inputs of metaseg predict: names of their outputs, checks before any work, and what becomes of those that fail or are
 * there already. */
#ifndef METASEG_CLI_PREDICT_BATCH_H
#define METASEG_CLI_PREDICT_BATCH_H

#include "cli/models.h"
#include "geo/input_list.h"

/* Outputs of one input: paths, or folders for those of many. NULL: not wanted. */
typedef struct PredictOutputs {
    const char *map, *confidence, *probabilities, *quicklook, *areas;
} PredictOutputs;

/* Maps one input and prints the map's path, with --log-format json an object with the figures. skip: outputs that are all
 * there are left as they are, with a note. Errors of cli_models_for and metaseg_predict_raster. */
Err predict_input(CliModels *models, const char *in, const PredictOutputs *outputs,
                  const MetasegPredictOptions *options, bool skip, bool *ret_skipped);

/* Each input to FOLDER/NAME_classes.tif, _confidence.tif, _probabilities.tif, _quicklook.png, _areas.csv. Before any work: no output is
 * an input, and no two have one name. One that fails is told and passed over; ERR_PARTIAL then. */
Err predict_batch(CliModels *models, const InputList *inputs, const PredictOutputs *folders,
                  const MetasegPredictOptions *options, bool skip);

/* The name of an input without suffix, for those of its outputs; of a product (a folder, a zip of it, an MTL file) its own.
 * free() it. ERR_MEMORY. */
Err predict_input_name(const char *in, char **ret_name);

#endif
