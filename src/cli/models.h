/* SPDX-License-Identifier: Apache-2.0
 *
 * The model of a prediction: the file or the shipped model that was named, or for each scene the shipped model that fits it.
 * Models stay loaded until cli_models_done(). */
#ifndef METASEG_CLI_MODELS_H
#define METASEG_CLI_MODELS_H

#include "cli/cli.h"
#include "metaseg/predict.h"
#include "predict/model_choice.h"

/* Zero it to start. */
typedef struct CliModels {
    Cli *cli;
    ModelList list;        /* of the data folder */
    MetasegModel **loaded; /* of each entry of the list; NULL: not loaded */
    MetasegModel *named;   /* NULL: chosen for each scene */
} CliModels;

/* named: a file, or the name of a shipped model ("globe"), which is loaded at once; NULL: none. ERR_INPUT: no such file and
 * no model of that name, or nothing to choose from; ERR_MODEL, ERR_MEMORY. */
Err cli_models_init(Cli *cli, const char *named, CliModels *models);
void cli_models_done(CliModels *models);

/* The model of a scene; says which it is and why where it was chosen. Borrowed. Errors of model_list_choose and
 * metaseg_model_load. */
Err cli_models_for(CliModels *models, const char *scene, const MetasegPredictOptions *options,
                   MetasegModel **ret_model);

/* Path of a model by its file's path or by the name of a shipped one. free() it. ERR_INPUT: neither is there; ERR_MODEL,
 * ERR_MEMORY. */
Err cli_model_path(Cli *cli, const char *named, char **ret_path);

#endif
