/* SPDX-License-Identifier: Apache-2.0
 * metaseg train: trains a model from a configuration, or from images and labels alone. */
#include "cli/cli.h"

#include "base/file.h"
#include "base/json.h"
#include "cli/models.h"
#include "metaseg/train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct TrainArgs {
    OptionList set, images, labels;
    const char *output, *layer, *field, *crs, *labels_crs, *bands, *classes, *from;
    double minutes, buffer, gsd;
    int64_t seed;
    bool resume, overwrite, no_map;
} TrainArgs;

static const Option train_options[] = {
    { "image", 'i', OPTION_LIST, offsetof(TrainArgs, images), .value = "IMAGE", .whole = true,
      .help =
          "image to learn from, without a configuration; may be repeated, and further images may follow as arguments" },
    { "labels", 'l', OPTION_LIST, offsetof(TrainArgs, labels), .value = "FILE", .whole = true,
      .help =
          "its labels: a vector file (GeoPackage, GeoJSON, Shapefile ...) or a raster of class values; once for all "
          "images, or once for each" },
    { "output", 'o', OPTION_STRING, offsetof(TrainArgs, output), .value = "FOLDER",
      .help = "run folder; gets train.yaml, the configuration that was made" },
    { "minutes", 0, OPTION_DOUBLE, offsetof(TrainArgs, minutes), .value = "MINUTES", .default_value = "10",
      .minimum = 0.01, .maximum = 100000, .help = "time to train; the number of steps is measured on this machine" },
    { "field", 0, OPTION_STRING, offsetof(TrainArgs, field), .value = "NAME",
      .help = "field of a vector file with the class, a whole number or a text; without it 'class', or the only one" },
    { "layer", 0, OPTION_STRING, offsetof(TrainArgs, layer), .value = "NAME",
      .help = "layer of a vector file, where it has several" },
    { "buffer", 0, OPTION_DOUBLE, offsetof(TrainArgs, buffer), .value = "PIXELS", .default_value = "1", .minimum = 0,
      .maximum = 1000, .help = "pixels by which lines and points are widened" },
    { "crs", 0, OPTION_STRING, offsetof(TrainArgs, crs), .value = "CRS",
      .help = "coordinate reference system of the images, where their files tell none or a wrong one" },
    { "labels-crs", 0, OPTION_STRING, offsetof(TrainArgs, labels_crs), .value = "CRS",
      .help = "coordinate reference system of the labels, where their file tells none or a wrong one: EPSG:4326" },
    { "gsd", 0, OPTION_DOUBLE, offsetof(TrainArgs, gsd), .value = "METRES", .default_value = "0", .minimum = 0,
      .maximum = 1e6,
      .help = "pixel size of images without georeference; 0: unknown, then the model is for pictures like these" },
    { "bands", 'b', OPTION_STRING, offsetof(TrainArgs, bands), .value = "BANDS",
      .help = "bands to read, by number from 1 or by name; without it those that the model of --from reads, else all" },
    { "classes", 0, OPTION_STRING, offsetof(TrainArgs, classes), .value = "TABLE",
      .help = "class table (YAML) with values, names and colours; without it the labels tell them. Labels that are a "
              "picture are "
              "read by its colours" },
    { "from", 0, OPTION_STRING, offsetof(TrainArgs, from), .value = "MODEL",
      .help =
          "start from this model, a file or the name of one that came with the program; classes and bands of the same "
          "names keep what it learned" },
    { "seed", 0, OPTION_INT, offsetof(TrainArgs, seed), .value = "NUMBER", .default_value = "1", .minimum = 0,
      .maximum = 1e15, .help = "of all that is drawn at random, the choice of the validation labels too" },
    { "no-map", 0, OPTION_FLAG, offsetof(TrainArgs, no_map),
      .help = "do not map the images with the model when it is trained" },
    { "set", 0, OPTION_LIST, offsetof(TrainArgs, set), .value = "KEY=VALUE", .whole = true,
      .help = "another value for a key of the configuration, as train.steps=50" },
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
    const Err err = metaseg_train(config, args->set.items, args->set.count, start, &cli->run, &report);
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

/* The ImageNet weights where set-up brought them, else the encoder of the globe model; *ret_path NULL: neither is there. */
static Err find_encoder(const Cli *cli, char **ret_path)
{
    char *folder = NULL;
    TRY(cli_data_folder(cli, &folder));
    Err err = path_join(folder, "efficientnet-lite0.pth", ret_path);
    free(folder);
    if (err != ERR_NONE || file_exists(*ret_path)) return err;
    free(*ret_path);
    *ret_path = NULL;
    if (cli->data_folder == NULL) return ERR_NONE;
    TRY(path_join(cli->data_folder, "models/globe.safetensors", ret_path));
    if (file_exists(*ret_path)) return ERR_NONE;
    free(*ret_path);
    *ret_path = NULL;
    return ERR_NONE;
}

/* images and arguments */
static Err list_images(const TrainArgs *args, const OptionResult *words, const char ***ret_images, int64_t *ret_count)
{
    const int64_t n = args->images.count + words->n_arguments;
    const char **images = malloc(((size_t)n + 1) * sizeof *images);
    if (images == NULL) return err_memory((size_t)n * sizeof *images, "the images");
    for (int64_t i = 0; i < args->images.count; i++) images[i] = args->images.items[i];
    for (int64_t i = 0; i < words->n_arguments; i++) images[args->images.count + i] = words->arguments[i];
    *ret_images = images;
    *ret_count = n;
    return ERR_NONE;
}

static Err make_config(Cli *cli, const TrainArgs *args, const char *const *images, int64_t n_images)
{
    char *encoder = NULL;
    char *climate = NULL;
    char *from = NULL;
    char name[128];
    MetasegTrainPlan plan = metaseg_train_plan_defaults();
    Err err = args->from != NULL ? cli_model_path(cli, args->from, &from) : find_encoder(cli, &encoder);
    if (err == ERR_NONE && from != NULL && cli->data_folder != NULL)
        err = path_join(cli->data_folder, "koppen_geiger.bin", &climate);
    size_t length = strlen(args->output);
    while (length > 1 && args->output[length - 1] == '/') length--;
    (void)snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), args->output);
    plan.name = path_name(name);
    plan.images = images;
    plan.n_images = n_images;
    plan.labels = args->labels.items;
    plan.n_labels = args->labels.count;
    plan.layer = args->layer;
    plan.field = args->field;
    plan.crs = args->crs;
    plan.labels_crs = args->labels_crs;
    plan.buffer = args->buffer;
    plan.gsd = args->gsd;
    plan.bands = args->bands;
    plan.classes = args->classes;
    plan.from = from;
    plan.encoder_weights = encoder;
    plan.climate = climate != NULL && file_exists(climate) ? climate : NULL;
    plan.output = args->output;
    plan.minutes = args->minutes;
    plan.seed = args->seed;
    plan.overwrite = args->overwrite;
    if (err == ERR_NONE) err = metaseg_train_plan(&plan, &cli->run);
    free(encoder);
    free(climate);
    free(from);
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

/* "FOLDER/map.tif", of several images "FOLDER/NAME_map.tif". */
static Err map_image(Cli *cli, const TrainArgs *args, MetasegModel *model, const char *image, bool several)
{
    char *stem = NULL;
    char *map = NULL;
    char *picture = NULL;
    MetasegPredictOptions options = metaseg_predict_options_defaults();
    TRY(path_stem(path_name(image), &stem));
    Err err = name_map(args, several ? stem : NULL, "map.tif", &map);
    if (err == ERR_NONE) err = name_map(args, several ? stem : NULL, "map.png", &picture);
    options.quicklook = picture;
    options.bands = args->bands;
    options.crs = args->crs;
    options.gsd = args->gsd;
    options.overwrite = args->overwrite || args->resume;
    if (err == ERR_NONE) err = metaseg_predict_raster(model, image, map, &options, NULL);
    cli_progress_end(cli);
    if (err == ERR_NONE && cli_json_wanted(cli, false)) err = print_map(map);
    if (err == ERR_NONE && !cli_json_wanted(cli, false)) cli_line("map %s", map);
    free(stem);
    free(map);
    free(picture);
    return err;
}

static Err map_images(Cli *cli, const TrainArgs *args, const char *const *images, int64_t n_images)
{
    char *path = NULL;
    MetasegModel *model = NULL;
    cli->doing = "predicting";
    cli->unit = "tiles";
    TRY(path_join(args->output, "best.safetensors", &path));
    Err err = metaseg_model_load(path, &cli->run, &model);
    for (int64_t i = 0; i < n_images && err == ERR_NONE; i++)
        err = map_image(cli, args, model, images[i], n_images > 1);
    metaseg_model_free(model);
    free(path);
    return err;
}

static Err train_labels(Cli *cli, const TrainArgs *args, const OptionResult *words, MetasegTrainStart start)
{
    const char **images = NULL;
    int64_t n_images = 0;
    char *config = NULL;
    if (args->images.count == 0 || args->labels.count == 0 || args->output == NULL)
        return err_set(ERR_ARGUMENT, "without a configuration train needs --image, --labels and -o; see --help");
    TRY(list_images(args, words, &images, &n_images));
    Err err = start == METASEG_TRAIN_RESUME ? ERR_NONE : make_config(cli, args, images, n_images);
    if (err == ERR_NONE) err = path_join(args->output, "train.yaml", &config);
    if (err == ERR_NONE) err = train(cli, args, config, start);
    if (err == ERR_NONE && !args->no_map) err = map_images(cli, args, images, n_images);
    free(config);
    free(images);
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
    if (args->images.count > 0 || args->labels.count > 0) return train_labels(cli, args, words, start);
    if (words->n_arguments != 1)
        return err_set(ERR_ARGUMENT, "train needs one configuration, or --image, --labels and -o; see --help");
    return train(cli, args, words->arguments[0], start);
}

Err cmd_train(Cli *cli, int argc, char **argv)
{
    TrainArgs args = { 0 };
    return cli_run(cli, &cmd_train_spec, &args, argc, argv, run_train);
}
