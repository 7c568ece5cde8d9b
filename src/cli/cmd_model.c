/* SPDX-License-Identifier: Apache-2.0
 * metaseg model: the models that came with the program, and what one of them is. */
#include "cli/cli.h"
#include "cli/info.h"
#include "cli/models.h"

#include "base/file.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

typedef struct ModelArgs {
    bool json;
} ModelArgs;

static const Option model_options[] = {
    { "json", 0, OPTION_FLAG, offsetof(ModelArgs, json), .help = "write JSON, one line per model" },
};

const OptionSpec cmd_model_spec = {
    .command = "model",
    .summary = "list the models that came with metaseg, describe one",
    .usage = "list | show MODEL [options]",
    .details = "list: name, pixel sizes, bands and classes of each model in the data folder; the name is what -m, "
               "--from and export "
               "take. show: what 'metaseg info' says of a model, by that name or a file.",
    .examples = "metaseg model list\n"
                "metaseg model show globe",
    .own = { model_options, ARRAY_LEN(model_options) },
    .min_arguments = 1,
    .max_arguments = 2,
};

static Err list_json(const ModelEntry *entry)
{
    const ModelConfig *c = &entry->config;
    JsonWriter w = { 0 };
    char *text = NULL;
    json_begin_object(&w, NULL);
    json_put_string(&w, "name", entry->name);
    json_put_string(&w, "path", entry->path);
    json_put_double(&w, "gsd_minimum", c->gsd_minimum);
    json_put_double(&w, "gsd_maximum", c->gsd_maximum);
    json_put_string(&w, "gsd_unit", model_unit_names[c->gsd_unit]);
    json_begin_array(&w, "bands");
    for (int32_t i = 0; i < c->network.n_bands; i++) json_put_string(&w, NULL, c->bands[i].name);
    json_end(&w);
    json_put_int(&w, "classes", c->network.n_classes);
    json_put_bool(&w, "text", c->network.fusion != NETWORK_FUSION_NONE);
    json_end(&w);
    TRY(json_take(&w, &text));
    cli_json(text);
    free(text);
    return ERR_NONE;
}

static void list_line(const ModelEntry *entry)
{
    const ModelConfig *c = &entry->config;
    cli_line("%-16s%.4g to %.4g %s, %d bands, %d classes, %s", entry->name, c->gsd_minimum, c->gsd_maximum,
             model_unit_names[c->gsd_unit], (int)c->network.n_bands, (int)c->network.n_classes,
             c->network.fusion != NETWORK_FUSION_NONE ? "reads text" : "without text");
}

static Err list(const Cli *cli, bool json)
{
    char *folder = NULL;
    ModelList models = { 0 };
    if (cli->data_folder == NULL)
        return err_set(ERR_INPUT,
                       "no data folder was found; 'make install' makes one, --data-folder or METASEG_DATA names one");
    TRY(path_join(cli->data_folder, "models", &folder));
    Err err = model_list_read(folder, &models);
    for (int64_t i = 0; i < models.count && err == ERR_NONE; i++) {
        if (json)
            err = list_json(&models.entries[i]);
        else
            list_line(&models.entries[i]);
    }
    model_list_done(&models);
    free(folder);
    return err;
}

static Err show(Cli *cli, const char *named, bool json)
{
    char *path = NULL;
    TRY(cli_model_path(cli, named, &path));
    const Err err = cli_info(cli, path, json);
    free(path);
    return err;
}

static Err run_model(Cli *cli, const void *target, const OptionResult *words)
{
    const bool json = cli_json_wanted(cli, ((const ModelArgs *)target)->json);
    const char *what = words->arguments[0];
    if (strcmp(what, "list") == 0 && words->n_arguments == 1) return list(cli, json);
    if (strcmp(what, "show") == 0 && words->n_arguments == 2) return show(cli, words->arguments[1], json);
    return err_set(ERR_ARGUMENT, "'%s': 'list', or 'show' and one model, was expected", what);
}

Err cmd_model(Cli *cli, int argc, char **argv)
{
    ModelArgs args = { 0 };
    return cli_run(cli, &cmd_model_spec, &args, argc, argv, run_model);
}
