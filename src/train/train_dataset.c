/* SPDX-License-Identifier: Apache-2.0
 * metaseg_dataset: opens what training would open, and tells what it is. */
#include "metaseg/train.h"

#include "base/file.h"
#include "train/dataset_tell.h"
#include "train/train_plan.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>

/* Zones are told wherever there is a map of them, whether the network reads text or not. */
static Err open_climate(const RunConfig *config, const MetasegRun *run, Climate **ret_climate)
{
    char *path = NULL;
    if (run_config_reads_text(config) && config->train.text == TRAIN_TEXT_ZONES)
        return climate_open(config->train.climate, ret_climate);
    if (run == NULL || run->data_folder == NULL) return ERR_NONE;
    TRY(path_join(run->data_folder, "koppen_geiger.bin", &path));
    const Err err = file_exists(path) ? climate_open(path, ret_climate) : ERR_NONE;
    free(path);
    return err;
}

static Err tell(const Survey *survey, const MetasegRun *run, bool json_line,
                void (*line)(void *context, const char *text))
{
    char *json = NULL;
    void *context = run != NULL ? run->context : NULL;
    if (!json_line) return dataset_tell(survey, line, context);
    TRY(dataset_tell_json(survey, &json));
    if (line != NULL) line(context, json);
    free(json);
    return ERR_NONE;
}

/* A data set that training would refuse is told as far as it was seen, then refused. */
static Err survey_config(const RunConfig *config, const MetasegRun *run, bool json_line,
                         void (*line)(void *context, const char *text))
{
    Survey survey = { 0 };
    Climate *climate = NULL;
    char why[ERR_MESSAGE_BYTES] = "";
    Err err = open_climate(config, run, &climate);
    if (err == ERR_NONE) err = survey_init(&config->data, &survey);
    const bool ready = err == ERR_NONE;
    if (ready) err = dataset_survey(&config->data, climate, run, &survey);
    if (ready && (err == ERR_NONE || err == ERR_INPUT || err == ERR_CONFIG)) {
        (void)snprintf(why, sizeof why, "%s", err_message());
        Err told = survey_overlaps(&survey);
        if (told == ERR_NONE) told = tell(&survey, run, json_line, line);
        err = told != ERR_NONE ? told : err == ERR_NONE ? err : err_adopt(err, why);
    }
    survey_done(&survey);
    climate_close(climate);
    return err;
}

MetasegStatus metaseg_dataset(const char *config, const char *const *overrides, int64_t n_overrides, bool json_line,
                              const MetasegRun *run, void (*line)(void *context, const char *text))
{
    RunConfig *read = NULL;
    if (config == NULL || n_overrides < 0 || (overrides == NULL && n_overrides > 0))
        return err_set(ERR_ARGUMENT, "a configuration file is needed, and as many overrides as are announced");
    TRY(run_config_load(config, overrides, n_overrides, run != NULL ? run->data_folder : NULL, &read));
    const Err err = survey_config(read, run, json_line, line);
    run_config_free(read);
    return err;
}

MetasegStatus metaseg_dataset_plan(const MetasegTrainPlan *plan, bool json_line, const MetasegRun *run,
                                   void (*line)(void *context, const char *text))
{
    RunConfig *made = NULL;
    TRY(train_plan_config(plan, run, &made));
    const Err err = survey_config(made, run, json_line, line);
    run_config_free(made);
    return err;
}
