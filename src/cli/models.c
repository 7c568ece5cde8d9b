/* SPDX-License-Identifier: Apache-2.0
 * Loading named and chosen models. */
#include "cli/models.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

static Err read_list(CliModels *models)
{
    char *folder = NULL;
    if (models->cli->data_folder == NULL) return ERR_NONE;
    TRY(path_join(models->cli->data_folder, "models", &folder));
    Err err = model_list_read(folder, &models->list);
    free(folder);
    TRY(err);
    models->loaded = calloc((size_t)models->list.count + 1, sizeof *models->loaded);
    return models->loaded != NULL ? ERR_NONE : err_memory(sizeof *models->loaded, "the models");
}

/* A file of that name goes before a shipped model. Where there is neither and nothing to choose from it is the name itself,
 * whose opening tells why not. */
static Err find_named(CliModels *models, const char *named, const char **ret_path)
{
    char names[300];
    const bool is_path = strchr(named, '/') != NULL || strchr(named, '.') != NULL;
    *ret_path = named;
    if (file_exists(named)) return ERR_NONE;
    if (!is_path) TRY(read_list(models));
    const ModelEntry *entry = model_list_find(&models->list, named);
    if (entry != NULL) *ret_path = entry->path;
    if (entry != NULL || models->list.count == 0) return ERR_NONE;
    return err_set(ERR_INPUT, "'%s': no such file, and no model that came with metaseg is called so (%s)", named,
                   model_list_names(&models->list, names, sizeof names));
}

static Err load_named(CliModels *models, const char *named)
{
    const char *path = NULL;
    TRY(find_named(models, named, &path));
    return metaseg_model_load(path, &models->cli->run, &models->named);
}

Err cli_model_path(Cli *cli, const char *named, char **ret_path)
{
    const char *path = NULL;
    CliModels models = { .cli = cli };
    Err err = find_named(&models, named, &path);
    if (err == ERR_NONE) err = str_copy(path, ret_path);
    cli_models_done(&models);
    return err;
}

Err cli_models_init(Cli *cli, const char *named, CliModels *models)
{
    models->cli = cli;
    if (named != NULL) return load_named(models, named);
    TRY(read_list(models));
    if (models->list.count > 0) return ERR_NONE;
    if (cli->data_folder == NULL)
        return err_set(
            ERR_INPUT,
            "no model was named with -m, and no data folder was found to choose one from; 'make install' makes "
            "one, --data-folder or METASEG_DATA names one");
    return err_set(
        ERR_INPUT,
        "'%s/models': no model is there to choose from; name one with -m, or train one (docs/configuration.md)",
        cli->data_folder);
}

void cli_models_done(CliModels *models)
{
    for (int64_t i = 0; models->loaded != NULL && i < models->list.count; i++) metaseg_model_free(models->loaded[i]);
    free(models->loaded);
    metaseg_model_free(models->named);
    model_list_done(&models->list);
}

/* A model that was chosen has a data folder: its own. */
static Err check_climate(const CliModels *models, const MetasegPredictOptions *options)
{
    if (models->cli->data_folder != NULL || !metaseg_model_reads_text(models->named)) return ERR_NONE;
    if (options->prompts == METASEG_PROMPTS_NULL || options->prompt != NULL) return ERR_NONE;
    return err_set(ERR_INPUT, "the climate map: no data folder was found; 'make install' makes one, --data-folder or "
                              "METASEG_DATA names one, --prompts null does without");
}

Err cli_models_for(CliModels *models, const char *scene, const MetasegPredictOptions *options, MetasegModel **ret_model)
{
    const SceneQuery query = { .path = scene,
                               .bands = options->bands,
                               .crs = options->crs,
                               .gsd = options->gsd,
                               .resolution = options->resolution,
                               .stop = models->cli->run.stop };
    const ModelEntry *entry = NULL;
    char reason[MODEL_REASON_BYTES];
    *ret_model = models->named;
    if (models->named != NULL) return check_climate(models, options);
    TRY(model_list_choose(&models->list, &query, &entry, reason));
    log_line(&models->cli->log, LOG_INFO, "'%s': %s", scene, reason);
    MetasegModel **loaded = &models->loaded[entry - models->list.entries];
    if (*loaded == NULL) TRY(metaseg_model_load(entry->path, &models->cli->run, loaded));
    *ret_model = *loaded;
    return ERR_NONE;
}
