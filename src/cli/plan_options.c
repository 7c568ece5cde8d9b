/* SPDX-License-Identifier: Apache-2.0
 * From options to a plan. */
#include "cli/plan_options.h"

#include "base/file.h"
#include "base/str.h"
#include "cli/models.h"

#include <stdlib.h>

Err cli_plan_images(const PlanArgs *args, const OptionResult *words, CliPlan *plan)
{
    const int64_t n = args->images.count + words->n_arguments;
    plan->images = malloc(((size_t)n + 1) * sizeof *plan->images);
    if (plan->images == NULL) return err_memory((size_t)n * sizeof *plan->images, "the images");
    for (int64_t i = 0; i < args->images.count; i++) plan->images[i] = args->images.items[i];
    for (int64_t i = 0; i < words->n_arguments; i++) plan->images[args->images.count + i] = words->arguments[i];
    plan->n_images = n;
    return ERR_NONE;
}

/* The ImageNet weights where set-up brought them, else the encoder of the globe model and what brings them; made->encoder NULL:
 * neither is there. */
static Err find_encoder(const Cli *cli, CliPlan *made)
{
    char *folder = NULL;
    TRY(cli_data_folder(cli, &folder));
    Err err = path_join(folder, "efficientnet-lite0.pth", &made->encoder);
    free(folder);
    if (err != ERR_NONE || file_exists(made->encoder)) return err;
    err = str_format(&made->encoder_note, "'%s' (ImageNet weights): missing; %s", made->encoder, cli_mend(cli));
    free(made->encoder);
    made->encoder = NULL;
    if (err != ERR_NONE || cli->data_folder == NULL) return err;
    TRY(path_join(cli->data_folder, "models/globe.safetensors", &made->encoder));
    if (file_exists(made->encoder)) return ERR_NONE;
    free(made->encoder);
    made->encoder = NULL;
    return ERR_NONE;
}

Err cli_plan_fill(Cli *cli, const PlanArgs *args, CliPlan *made)
{
    MetasegTrainPlan plan = metaseg_train_plan_defaults();
    TRY(args->from != NULL ? cli_model_path(cli, args->from, &made->from) : find_encoder(cli, made));
    if (made->from != NULL && cli->data_folder != NULL)
        TRY(path_join(cli->data_folder, "koppen_geiger.bin", &made->climate));
    plan.images = made->images;
    plan.n_images = made->n_images;
    plan.labels = args->labels.items;
    plan.n_labels = args->labels.count;
    plan.layer = args->layer;
    plan.field = args->field;
    plan.crs = args->crs;
    plan.labels_crs = args->labels_crs;
    plan.buffer = args->buffer;
    plan.gsd = args->gsd;
    plan.bands = args->bands;
    plan.level = args->level;
    plan.classes = args->classes;
    plan.from = made->from;
    plan.encoder_weights = made->encoder;
    plan.encoder_note = made->encoder_note;
    plan.climate = made->climate != NULL && file_exists(made->climate) ? made->climate : NULL;
    plan.seed = args->seed;
    plan.overrides = args->set.items;
    plan.n_overrides = args->set.count;
    made->plan = plan;
    return ERR_NONE;
}

void cli_plan_done(CliPlan *plan)
{
    free(plan->images);
    free(plan->encoder);
    free(plan->encoder_note);
    free(plan->climate);
    free(plan->from);
    *plan = (CliPlan){ 0 };
}
