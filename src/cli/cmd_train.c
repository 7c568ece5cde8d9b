/* SPDX-License-Identifier: Apache-2.0
 * metaseg train: trains a model from a configuration, or from images and labels alone. */
#include "cli/cli.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/plan_options.h"
#include "cli/predict_batch.h"
#include "geo/raster_files.h"
#include "geo/vector_labels.h"
#include "metaseg/predict.h"
#include "metaseg/train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct TrainArgs {
    PlanArgs plan;
    const char *output;
    double minutes;
    bool resume, overwrite, no_map;
} TrainArgs;

static const Option train_options[] = {
    PLAN_OPTIONS(TrainArgs),
    { "output", 'o', OPTION_STRING, offsetof(TrainArgs, output), .value = "FOLDER",
      .help = "run folder; gets train.yaml, the configuration that was made" },
    { "minutes", 0, OPTION_DOUBLE, offsetof(TrainArgs, minutes), .value = "MINUTES", .default_value = "10",
      .minimum = 0.01, .maximum = 100000, .help = "time to train; the number of steps is measured on this machine" },
    { "no-map", 0, OPTION_FLAG, offsetof(TrainArgs, no_map),
      .help = "do not map the images with the model when it is trained" },
    { "resume", 'r', OPTION_FLAG, offsetof(TrainArgs, resume),
      .help = "continue the run in the output folder (train.output) after it was stopped" },
    { "overwrite", 'f', OPTION_FLAG, offsetof(TrainArgs, overwrite),
      .help = "replace a run that the output folder holds already" },
};

const OptionSpec cmd_train_spec = {
    .command = "train",
    .summary = "train a model from a configuration, or from an image and a few polygons",
    .usage = "CONFIG.yaml | --image IMAGE... --labels FILE... -o FOLDER [options]",
    .details =
        "With --image and --labels a few polygons of your own classes are enough: the command finds classes, colours "
        "(of the "
        "layer's style in QGIS), bands and pixel size, keeps whole polygons apart for validation, trains for the "
        "minutes "
        "given, and maps the images. Each choice is told and stands in FOLDER/train.yaml, a configuration to edit and "
        "to "
        "train again with.\n\n"
        "The configuration names images, labels, classes and how to train; docs/configuration.md tells all "
        "keys and has an example for your own data. The output folder gets best.safetensors (the model for "
        "'metaseg predict -m', the best on the validation area), last.safetensors (all that --resume needs), "
        "metrics.csv, metrics.jsonl, classes.csv (figures of each class), an event file for TensorBoard, and "
        "config.yaml. Ctrl-C saves and stops with exit code 8; --resume then ends "
        "with the same bytes as an unbroken run, also after a crash; it refuses another configuration but for the keys "
        "that docs/configuration.md calls free. A folder that holds a run already is refused without --resume or -f.",
    .examples = "metaseg train --image scene.tif --labels polygons.gpkg --field class -o mymodel/ --minutes 10\n"
                "metaseg train --image scene.tif --labels corrections.gpkg --from mymodel/best.safetensors -o better/\n"
                "metaseg train configs/globe.yaml\nmetaseg train configs/globe.yaml --set train.steps=50\n"
                "metaseg train configs/globe.yaml --resume",
    .own = { train_options, ARRAY_LEN(train_options) },
    .max_arguments = -1,
};

static Err print_map(const char *map)
{
    JsonWriter w = { 0 };
    char *text = NULL;
    json_begin_object(&w, NULL);
    json_put_string(&w, "map", map);
    json_end(&w);
    TRY(json_take(&w, &text));
    cli_json(text);
    free(text);
    return ERR_NONE;
}

static Err print_json(const MetasegTrainReport *report)
{
    JsonWriter w = { 0 };
    char *text = NULL;
    json_begin_object(&w, NULL);
    json_put_int(&w, "steps", report->steps);
    json_put_double(&w, "seconds", report->seconds);
    json_put_double(&w, "validation_miou", report->best_miou);
    json_put_int(&w, "best_step", report->best_step);
    json_end(&w);
    TRY(json_take(&w, &text));
    cli_json(text);
    free(text);
    return ERR_NONE;
}

static Err train(Cli *cli, const TrainArgs *args, const char *config, MetasegTrainStart start)
{
    MetasegTrainReport report;
    cli->doing = "training";
    cli->unit = "steps";
    const Err err = metaseg_train(config, args->plan.set.items, args->plan.set.count, start, &cli->run, &report);
    cli_progress_end(cli);
    TRY(err);
    if (cli_json_wanted(cli, false)) return print_json(&report);
    cli_line("steps %lld", (long long)report.steps);
    cli_line("seconds %.1f", report.seconds);
    if (isfinite(report.best_miou))
        cli_line("validation mIoU %.2f %% at step %lld", 100.0 * report.best_miou, (long long)report.best_step);
    return ERR_NONE;
}

/* ---- without a configuration ---- */

/* A model is called like the folder of its run, "." too, where that has a name. */
static Err name_model(const char *folder, char **ret_name)
{
    char *real = realpath(folder, NULL);
    char *copy = NULL;
    Err err = str_copy(real != NULL ? real : folder, &copy);
    for (size_t n = err == ERR_NONE ? strlen(copy) : 0; n > 1 && copy[n - 1] == '/'; n--) copy[n - 1] = '\0';
    if (err == ERR_NONE) err = str_copy(path_name(copy), ret_name);
    free(copy);
    free(real);
    return err;
}

static Err make_config(Cli *cli, const TrainArgs *args, CliPlan *plan)
{
    char *name = NULL;
    TRY(cli_plan_fill(cli, &args->plan, plan));
    TRY(name_model(args->output, &name));
    if (name[0] != '\0') plan->plan.name = name;
    plan->plan.output = args->output;
    plan->plan.minutes = args->minutes;
    plan->plan.overwrite = args->overwrite;
    const Err err = metaseg_train_plan(&plan->plan, &cli->run);
    free(name);
    return err;
}

static Err name_map(const TrainArgs *args, const char *stem, const char *name, char **ret_path)
{
    char *whole = NULL;
    if (stem == NULL) return path_join(args->output, name, ret_path);
    TRY(str_format(&whole, "%s_%s", stem, name));
    const Err err = path_join(args->output, whole, ret_path);
    free(whole);
    return err;
}

/* "FOLDER/map.tif", of several images "FOLDER/NAME_map.tif"; and its picture. free() both. */
static Err name_maps(const TrainArgs *args, const char *image, bool several, char **ret_map, char **ret_picture)
{
    char *stem = NULL;
    char *map = NULL;
    char *picture = NULL;
    TRY(predict_input_name(image, &stem));
    Err err = name_map(args, several ? stem : NULL, "map.tif", &map);
    if (err == ERR_NONE) err = name_map(args, several ? stem : NULL, "map.png", &picture);
    free(stem);
    if (err == ERR_NONE) {
        *ret_map = map;
        *ret_picture = picture;
    } else {
        free(map);
    }
    return err;
}

static Err add_labels(const PlanArgs *plan, FileSet *set)
{
    Err err = ERR_NONE;
    for (int64_t i = 0; i < plan->labels.count && err == ERR_NONE; i++) {
        const char *path = plan->labels.items[i];
        err = vector_labels_is_vector(path) ? vector_files_path(path, set, "a label file", true)
                                            : raster_files_path(path, set, "a label raster");
    }
    return err;
}

/* The map of one image: no file that is read, no other map, and nothing in the way that is not to be replaced. */
static Err check_map(const TrainArgs *args, const char *image, bool several, bool replace, FileSet *set)
{
    char *map = NULL;
    char *picture = NULL;
    char *role = NULL;
    TRY(name_maps(args, image, several, &map, &picture));
    Err err = str_format(&role, "the map of '%.100s'", image);
    if (err == ERR_NONE) err = raster_files_written(map, set, role);
    if (err == ERR_NONE) err = file_set_output(set, picture, role);
    if (err == ERR_NONE) err = raster_files_path(image, set, "an image");
    if (err == ERR_NONE && !replace && (file_exists(map) || file_exists(picture)))
        err = err_set(ERR_OUTPUT, "'%s': exists already; give -f to replace it, another folder, or --no-map",
                      file_exists(map) ? map : picture);
    free(map);
    free(picture);
    free(role);
    return err;
}

/* Before any work. A folder with a configuration is refused as such, or its run is continued or replaced. */
static Err check_maps(const Cli *cli, const TrainArgs *args, const CliPlan *plan, const char *config)
{
    const bool replace = args->overwrite || args->resume || file_exists(config);
    FileSet set = { .stop = cli->run.stop };
    Err err = add_labels(&args->plan, &set);
    if (err == ERR_NONE) err = file_set_input(&set, args->plan.from, "the model of --from");
    if (err == ERR_NONE) err = file_set_input(&set, args->plan.classes, "the class table");
    for (int64_t i = 0; i < plan->n_images && err == ERR_NONE; i++)
        err = check_map(args, plan->images[i], plan->n_images > 1, replace, &set);
    file_set_done(&set);
    return err;
}

static Err map_image(Cli *cli, const TrainArgs *args, MetasegModel *model, const char *image, bool several,
                     char **ret_picture)
{
    char *map = NULL;
    char *picture = NULL;
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    options.tta = METASEG_TTA_LR; /* few labels: the mean of four views is steadier than one */
    TRY(name_maps(args, image, several, &map, &picture));
    options.quicklook = picture;
    options.bands = args->plan.bands;
    options.level = args->plan.level;
    options.crs = args->plan.crs;
    options.gsd = args->plan.gsd;
    options.overwrite = args->overwrite || args->resume;
    Err err = metaseg_predict_raster(model, image, map, &options, NULL);
    cli_progress_end(cli);
    if (err == ERR_NONE && cli_json_wanted(cli, false)) err = print_map(map);
    if (err == ERR_NONE && !cli_json_wanted(cli, false)) cli_line("map %s", map);
    free(map);
    if (err == ERR_NONE)
        *ret_picture = picture;
    else
        free(picture);
    return err;
}

/* The maps of all images, and their pictures in the report. */
static Err map_images(Cli *cli, const TrainArgs *args, const char *const *images, int64_t n_images)
{
    char *path = NULL;
    MetasegModel *model = NULL;
    char **pictures = calloc((size_t)n_images, sizeof *pictures);
    if (pictures == NULL) return err_memory((size_t)n_images * sizeof *pictures, "the maps");
    cli->doing = "predicting";
    cli->unit = "tiles";
    Err err = path_join(args->output, "best.safetensors", &path);
    if (err == ERR_NONE) err = metaseg_model_load(path, &cli->run, &model);
    for (int64_t i = 0; i < n_images && err == ERR_NONE; i++)
        err = map_image(cli, args, model, images[i], n_images > 1, &pictures[i]);
    if (err == ERR_NONE) err = metaseg_train_report_maps(args->output, (const char *const *)pictures, n_images);
    metaseg_model_free(model);
    free(path);
    for (int64_t i = 0; i < n_images; i++) free(pictures[i]);
    free(pictures);
    return err;
}

/* A run that ended before its first checkpoint has not begun: the configuration that was made for it goes. Returns `err` with its
 * message. */
static Err forget_config(const TrainArgs *args, const char *config, Err err)
{
    char message[ERR_MESSAGE_BYTES];
    char *state = NULL;
    (void)snprintf(message, sizeof message, "%s", err_message());
    if (path_join(args->output, "last.safetensors", &state) == ERR_NONE && !file_exists(state))
        (void)file_remove(config);
    free(state);
    return err_adopt(err, message);
}

static Err train_labels(Cli *cli, const TrainArgs *args, const OptionResult *words, MetasegTrainStart start)
{
    CliPlan plan = { 0 };
    char *config = NULL;
    if (args->plan.images.count == 0 || args->plan.labels.count == 0 || args->output == NULL)
        return err_set(ERR_ARGUMENT, "without a configuration train needs --image, --labels and -o; see --help");
    Err err = cli_plan_images(&args->plan, words, &plan);
    if (err == ERR_NONE) err = path_join(args->output, "train.yaml", &config);
    if (err == ERR_NONE && !args->no_map) err = check_maps(cli, args, &plan, config);
    if (err == ERR_NONE && start != METASEG_TRAIN_RESUME) err = make_config(cli, args, &plan);
    if (err == ERR_NONE) {
        err = train(cli, args, config, start);
        if (err != ERR_NONE && start == METASEG_TRAIN_NEW) err = forget_config(args, config, err);
    }
    if (err == ERR_NONE && !args->no_map) err = map_images(cli, args, plan.images, plan.n_images);
    free(config);
    cli_plan_done(&plan);
    return err;
}

static Err run_train(Cli *cli, const void *target, const OptionResult *words)
{
    const TrainArgs *args = target;
    if (args->resume && args->overwrite)
        return err_set(ERR_ARGUMENT,
                       "--resume continues the run of the output folder, -f replaces it; give one of them");
    const MetasegTrainStart start = args->resume      ? METASEG_TRAIN_RESUME
                                    : args->overwrite ? METASEG_TRAIN_REPLACE
                                                      : METASEG_TRAIN_NEW;
    if (args->plan.images.count > 0 || args->plan.labels.count > 0) return train_labels(cli, args, words, start);
    if (words->n_arguments != 1)
        return err_set(ERR_ARGUMENT, "train needs one configuration, or --image, --labels and -o; see --help");
    return train(cli, args, words->arguments[0], start);
}

Err cmd_train(Cli *cli, int argc, char **argv)
{
    TrainArgs args = { 0 };
    return cli_run(cli, &cmd_train_spec, &args, argc, argv, run_train);
}
