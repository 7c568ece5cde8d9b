/* SPDX-License-Identifier: Apache-2.0
 * metaseg eval: compares a map with a reference. */
#include "cli/eval_maps.h"
#include "cli/eval_truth.h"
#include "cli/reading_options.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/str.h"
#include "data/class_mapping.h"
#include "geo/georeference.h"
#include "train/run_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_LIMIT = 16 << 20, MOST_BOXES = 64, MOST_EXCLUDED = 254, LEAST_CLASS = -16777216, MOST_CLASS = 16777216 };

typedef struct EvalArgs {
    ReadingArgs reading;
    OptionList set;
    const char *model, *split, *maps;
    int64_t part;
    bool skip_missing;
    OptionList boxes, exclude, not_in_means, ignore_colors;
    double minimum_share;
    int64_t ignore, protocol;
    const char *crs, *truth_crs, *band, *truth_band, *truth_classes, *mapping, *preset, *json, *csv, *html, *list;
    bool by_pixel, by_zone, overwrite;
} EvalArgs;

static const Option eval_options[] = {
    { "bbox", 0, OPTION_LIST, offsetof(EvalArgs, boxes), .value = "W,S,E,N", .whole = true,
      .help = "only pixels inside this box of degrees" },
    { "exclude", 0, OPTION_LIST, offsetof(EvalArgs, exclude), .value = "CLASS,...",
      .help = "classes of the reference that do not count, neither in OA nor in the means: 0 where 0 is water" },
    { "not-in-means", 0, OPTION_LIST, offsetof(EvalArgs, not_in_means), .value = "CLASS,...",
      .help = "classes that count in OA, kappa and as wrong predictions, but not in mIoU and mF1: clutter" },
    { "protocol", 0, OPTION_ENUM, offsetof(EvalArgs, protocol), .value = "NAME", .default_value = "metaseg",
      .choices = { "metaseg", "geoseg", "torchmetrics" },
      .help = "whose rule the means follow where a class is missing in the map or the reference; the figures by the "
              "others are told too" },
    { "preset", 0, OPTION_STRING, offsetof(EvalArgs, preset), .value = "NAME",
      .help =
          "the reference is of this published data set (metaseg dataset check): 0 is no label, and the classes that "
          "its papers leave out are not in the means" },
    { "model", 'm', OPTION_STRING, offsetof(EvalArgs, model), .value = "MODEL",
      .help = "with --preset: IN is the data set's folder, whose images this model maps first; with a configuration "
              "instead "
              "of the best of its run" },
    { "split", 0, OPTION_STRING, offsetof(EvalArgs, split), .value = "SPLIT",
      .help = "the data set's split, one of those that 'metaseg dataset list' tells; without it the official one" },
    { "part", 0, OPTION_ENUM, offsetof(EvalArgs, part), .value = "PART", .default_value = "auto",
      .choices = { "auto", "train", "validation", "test" },
      .help = "the part of the split to map; auto: test where its labels are there, else validation" },
    { "maps", 0, OPTION_STRING, offsetof(EvalArgs, maps), .value = "FOLDER",
      .help = "keep the maps there, as NAME_classes.tif; without it they go when all is told" },
    { "skip-missing", 0, OPTION_FLAG, offsetof(EvalArgs, skip_missing),
      .help = "go on where files of the part are missing, which changes the figures" },
    { "set", 0, OPTION_LIST, offsetof(EvalArgs, set), .value = "KEY=VALUE", .whole = true,
      .help = "another value for a key of the configuration, as data.folder=/data/LoveDA" },
    READING_OPTIONS(EvalArgs),
    { "minimum-share", 0, OPTION_DOUBLE, offsetof(EvalArgs, minimum_share), .value = "SHARE", .default_value = "0",
      .minimum = 0, .maximum = 1,
      .help = "classes rarer than this in the reference do not enter the means, 0.001: a thousandth" },
    { "ignore", 0, OPTION_INT, offsetof(EvalArgs, ignore), .value = "VALUE", .default_value = "255",
      .minimum = LEAST_CLASS, .maximum = MOST_CLASS,
      .help = "value of the reference that is no label; one that does not occur ignores none" },
    { "crs", 0, OPTION_STRING, offsetof(EvalArgs, crs), .value = "CRS",
      .help = "coordinate reference system of the map, where its file tells none or a wrong one" },
    { "truth-crs", 0, OPTION_STRING, offsetof(EvalArgs, truth_crs), .value = "CRS",
      .help = "coordinate reference system of the reference, where its file tells none or a wrong one: EPSG:4326" },
    { "band", 0, OPTION_STRING, offsetof(EvalArgs, band), .value = "BAND",
      .help = "band of the map with the class values, by number or name, where it has several" },
    { "truth-band", 0, OPTION_STRING, offsetof(EvalArgs, truth_band), .value = "BAND",
      .help = "band of the reference with the class values" },
    { "truth-classes", 0, OPTION_STRING, offsetof(EvalArgs, truth_classes), .value = "TABLE",
      .help =
          "a reference of three colours is read by those of this class table: the name of one in share/classes (isprs, "
          "deepglobe), or a file; a colour that no class has ends the comparison with its place" },
    { "ignore-colors", 0, OPTION_LIST, offsetof(EvalArgs, ignore_colors), .value = "COLOR,...",
      .help = "colours of it that are no label, #000000: the black boundaries of eroded labels" },
    { "mapping", 0, OPTION_STRING, offsetof(EvalArgs, mapping), .value = "NAME",
      .help = "what the map's classes are in the reference: openearthmap_to_loveda, openearthmap_to_isprs, or a file "
              "of the same form" },
    { "by-pixel", 0, OPTION_FLAG, offsetof(EvalArgs, by_pixel),
      .help = "pixels of the same column and row are the same place, whatever the files say of it" },
    { "by-zone", 0, OPTION_FLAG, offsetof(EvalArgs, by_zone), .help = "also the figures of every climate zone" },
    { "list", 0, OPTION_STRING, offsetof(EvalArgs, list), .value = "FILE",
      .help =
          "file with a pair on each line, MAP and REFERENCE with a comma or a tab between; relative paths start at its "
          "folder" },
    { "json", 0, OPTION_STRING, offsetof(EvalArgs, json), .value = "FILE", .help = "write all figures as JSON" },
    { "csv", 0, OPTION_STRING, offsetof(EvalArgs, csv), .value = "FILE", .help = "write the confusion matrix as CSV" },
    { "html", 0, OPTION_STRING, offsetof(EvalArgs, html), .value = "FILE",
      .help =
          "write a page to look at: figures of each class with intervals, confusion matrix, map beside reference, the "
          "worst and the best windows" },
    { "overwrite", 'f', OPTION_FLAG, offsetof(EvalArgs, overwrite), .help = "replace existing outputs" },
};

const OptionSpec cmd_eval_spec = {
    .command = "eval",
    .summary = "compare a map with a reference raster",
    .usage = "MAP REFERENCE [MAP REFERENCE]... | --preset NAME FOLDER -m MODEL | CONFIG.yaml [options]",
    .details =
        "Both rasters hold class values (whole numbers) and may have any grid and CRS: at the centre of every labelled "
        "pixel of the reference the value of the map is looked up; labelled pixels for which the map has none are "
        "counted and told. Without a CRS on both sides coordinates are compared as they are, without any "
        "georeference pixels; where only one is known, name the other. Printed are, for each class, IoU (intersection "
        "over union), "
        "F1, precision (user's accuracy) and recall (producer's accuracy), and over all classes mIoU and mF1 "
        "(macro: the mean over classes, each counts alike), OA (overall accuracy) and Cohen's kappa. Several pairs "
        "give the "
        "figures of all their pixels together, and a line for each pair. With a preset, its folder and a model "
        "(or a configuration that trained on one) the images of a part are mapped first, as --crops, --tta and the "
        "others say, and compared pixel by pixel with the published labels: the figure of a paper in one command.",
    .examples = "metaseg eval map.tif truth.tif\n"
                "metaseg eval --preset vaihingen /data/Vaihingen -m mine.safetensors --crops 1024 --tta d4-ms "
                "--protocol geoseg\n"
                "metaseg eval configs/loveda.yaml --tta ms\n"
                "metaseg eval map.tif truth.tif --html figures.html\n"
                "metaseg eval earth.tif igbp.tif --truth-crs EPSG:4326 --exclude 0 --minimum-share 0.001 \\\n"
                "    --bbox -82,-56,-34,12 --bbox 110,-45,155,-10 --by-zone --json figures.json",
    .own = { eval_options, ARRAY_LEN(eval_options) },
    .min_arguments = 0,
    .max_arguments = -1,
};

/* ---- pairs ---- */

/* Pairs of the command line, then those of the list. */
typedef struct Pairs {
    MetasegEvalPair *pairs;
    int64_t n, capacity;
    char **owned; /* paths out of the list */
    int64_t n_owned, owned_capacity;
} Pairs;

static void pairs_done(Pairs *p)
{
    for (int64_t i = 0; i < p->n_owned; i++) free(p->owned[i]);
    free(p->owned);
    free(p->pairs);
}

static Err pairs_add(Pairs *p, const char *map, const char *reference)
{
    TRY(grow_array(&p->pairs, p->n, &p->capacity, sizeof *p->pairs, "the pairs"));
    p->pairs[p->n++] = (MetasegEvalPair){ .prediction = map, .truth = reference };
    return ERR_NONE;
}

/* A path of the list, seen from its folder. */
static Err own_path(Pairs *p, const char *folder, char *text, const char **ret_path)
{
    text += strspn(text, " ");
    for (size_t n = strlen(text); n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\r'); n--) text[n - 1] = '\0';
    TRY(grow_array((void *)&p->owned, p->n_owned, &p->owned_capacity, sizeof *p->owned, "the pairs"));
    TRY(path_join(folder, text, &p->owned[p->n_owned]));
    *ret_path = p->owned[p->n_owned++];
    return ERR_NONE;
}

static Err read_line(Pairs *p, const char *list, const char *folder, int64_t number, char *line)
{
    const char *map = NULL, *reference = NULL;
    if (line[strspn(line, " \t\r")] == '\0' || line[0] == '#') return ERR_NONE;
    char *between = strchr(line, '\t');
    if (between == NULL) between = strchr(line, ',');
    if (between == NULL || between[1 + strspn(between + 1, " \t\r")] == '\0' || strpbrk(between + 1, "\t,") != NULL)
        return err_set(ERR_INPUT,
                       "'%s': line %lld is no pair; expected MAP and REFERENCE with a comma or a tab between", list,
                       (long long)number);
    *between = '\0';
    TRY(own_path(p, folder, line, &map));
    TRY(own_path(p, folder, between + 1, &reference));
    return pairs_add(p, map, reference);
}

static Err read_list(Pairs *p, const char *list)
{
    char *text = NULL, *folder = NULL;
    size_t length = 0;
    TRY(file_read(list, LIST_LIMIT, &text, &length));
    Err err = strlen(text) == length
                  ? path_folder(list, &folder)
                  : err_set(ERR_INPUT, "'%s': holds a zero byte, so it is no text; save it as text in UTF-8", list);
    int64_t number = 1;
    /* spreadsheets begin UTF-8 with a byte order mark */
    for (char *line = text + (str_starts_with(text, "\xEF\xBB\xBF") ? 3 : 0), *end = NULL;
         err == ERR_NONE && line != NULL; line = end, number++) {
        end = strchr(line, '\n');
        if (end != NULL) *end++ = '\0';
        err = read_line(p, list, folder, number, line);
    }
    free(text);
    free(folder);
    return err;
}

static Err read_pairs(const EvalArgs *args, const OptionResult *words, Pairs *p)
{
    if (words->n_arguments % 2 != 0)
        return err_set(ERR_ARGUMENT,
                       "%lld files were given; each map needs its reference behind it: MAP REFERENCE MAP REFERENCE",
                       (long long)words->n_arguments);
    for (int64_t i = 0; i < words->n_arguments; i += 2) TRY(pairs_add(p, words->arguments[i], words->arguments[i + 1]));
    if (args->list != NULL) TRY(read_list(p, args->list));
    if (p->n > 0) return ERR_NONE;
    return err_set(ERR_ARGUMENT, "no map and no reference were given; name them, or name a list of pairs with --list");
}

/* A name is that of a file in the data folder. */
static Err read_mapping(const Cli *cli, const char *word, ClassMapping *ret_mapping)
{
    char *path = NULL;
    const bool file = strchr(word, '/') != NULL || str_ends_with(word, ".yaml");
    if (!file && cli->data_folder == NULL)
        return err_set(ERR_INPUT,
                       "--mapping %s: mappings are in the data folder, which was not found; name it with "
                       "--data-folder",
                       word);
    TRY(file ? str_copy(word, &path) : str_format(&path, "%s/mappings/%s.yaml", cli->data_folder, word));
    const Err err = class_mapping_load(path, ret_mapping);
    free(path);
    return err_prefix(err, "--mapping %s", word);
}

static Err read_classes(const OptionList *words, const char *option, int32_t *ret_values)
{
    for (int64_t i = 0; i < words->count; i++) {
        int64_t value = 0;
        TRY(str_parse_int(words->items[i], option, LEAST_CLASS, MOST_CLASS, &value));
        ret_values[i] = (int32_t)value;
    }
    return ERR_NONE;
}

/* What the options point into. */
typedef struct EvalCall {
    MetasegEvalOptions options;
    MetasegBox boxes[MOST_BOXES];
    int32_t exclude[MOST_EXCLUDED], not_in_means[MOST_EXCLUDED];
    ClassMapping mapping;
    MetasegClassPair classes[MOST_EXCLUDED + 2];
    EvalTruth truth;
    Pairs pairs;
    EvalMaps maps;
    RunConfig *config; /* of a configuration */
} EvalCall;

static void call_done(EvalCall *call)
{
    pairs_done(&call->pairs);
    eval_maps_done(&call->maps);
    run_config_free(call->config);
    class_mapping_done(&call->mapping);
    eval_truth_done(&call->truth);
}

static Err fill_lists(const EvalArgs *args, EvalCall *call)
{
    MetasegEvalOptions *o = &call->options;
    if (args->boxes.count > MOST_BOXES || args->exclude.count > MOST_EXCLUDED ||
        args->not_in_means.count > MOST_EXCLUDED)
        return err_set(ERR_ARGUMENT, "too many boxes or classes");
    for (int64_t i = 0; i < args->boxes.count; i++) {
        double b[4];
        TRY(geo_parse_bbox(args->boxes.items[i], b));
        call->boxes[i] = (MetasegBox){ b[0], b[1], b[2], b[3] };
    }
    TRY(read_classes(&args->exclude, "--exclude", call->exclude));
    TRY(read_classes(&args->not_in_means, "--not-in-means", call->not_in_means));
    o->boxes = call->boxes;
    o->n_boxes = args->boxes.count;
    o->exclude = call->exclude;
    o->n_exclude = args->exclude.count;
    o->not_in_means = call->not_in_means;
    o->n_not_in_means = args->not_in_means.count;
    return ERR_NONE;
}

static Err fill_options(Cli *cli, const EvalArgs *args, const char *preset, EvalCall *call)
{
    MetasegEvalOptions *o = &call->options;
    *o = metaseg_eval_options_defaults();
    TRY(fill_lists(args, call));
    o->minimum_share = args->minimum_share;
    o->ignore = (int32_t)args->ignore;
    o->protocol = (MetasegProtocol)args->protocol;
    o->crs = args->crs;
    o->truth_crs = args->truth_crs;
    o->band = args->band;
    o->truth_band = args->truth_band;
    o->by_pixel = args->by_pixel;
    o->by_zone = args->by_zone;
    o->json = args->json;
    o->csv = args->csv;
    o->html = args->html;
    o->overwrite = args->overwrite;
    o->json_line = cli_json_wanted(cli, false);
    TRY(eval_truth_load(cli, preset, args->truth_classes, &args->ignore_colors, &call->truth, o));
    if (args->mapping != NULL) TRY(read_mapping(cli, args->mapping, &call->mapping));
    for (uint32_t i = 0; i < call->mapping.n_classes; i++)
        call->classes[i] = (MetasegClassPair){ call->mapping.classes[i].from, call->mapping.classes[i].to };
    o->mapping = call->classes;
    o->n_mapping = call->mapping.n_classes;
    return ERR_NONE;
}

/* ---- data sets ---- */

static bool is_config(const OptionResult *words)
{
    return words->n_arguments == 1 &&
           (str_ends_with(words->arguments[0], ".yaml") || str_ends_with(words->arguments[0], ".yml"));
}

/* Options that only say how to map. */
static Err refuse_reading(const EvalArgs *args)
{
    const ReadingArgs *r = &args->reading;
    const char *given = NULL;
    if (args->split != NULL) given = "--split";
    if (args->maps != NULL) given = "--maps";
    if (args->part != 0) given = "--part";
    if (args->skip_missing) given = "--skip-missing";
    if (args->set.count > 0) given = "--set";
    if (r->bands != NULL) given = "--bands";
    if (r->prompts != 0) given = "--prompts";
    if (r->tile != 0) given = "--tile";
    if (r->overlap >= 0) given = "--overlap";
    if (r->crops != 0) given = "--crops";
    if (r->tta != 0) given = "--tta";
    if (given == NULL) return ERR_NONE;
    return err_set(ERR_ARGUMENT,
                   "%s is of images that are mapped first: a data set with --preset and -m, or a configuration; here "
                   "are maps",
                   given);
}

/* The data set of a configuration, and the model that its training left. */
static Err read_config(const Cli *cli, const EvalArgs *args, const char *path, EvalCall *call, char **ret_model)
{
    TRY(run_config_load(path, args->set.items, args->set.count, cli->data_folder, &call->config));
    const RunConfig *c = call->config;
    if (c->preset.preset == 0 || c->preset.folder == NULL)
        return err_set(ERR_CONFIG,
                       "'%s': its data are no published data set's (data.preset, data.folder); map its images with "
                       "'metaseg predict' and compare the maps",
                       path);
    const PresetDef *def = preset_at(c->preset.preset - 1);
    const char *table = c->class_table != NULL ? path_name(c->class_table) : "";
    if (!str_starts_with(table, def->classes) || strcmp(table + strlen(def->classes), ".yaml") != 0)
        return err_set(ERR_CONFIG,
                       "'%s': its classes are not those of preset %s (%s.yaml), which its labels are read by; map the "
                       "images with 'metaseg predict' and compare the maps",
                       path, def->name, def->classes);
    return args->model != NULL ? str_copy(args->model, ret_model)
                               : path_join(c->train.output, "best.safetensors", ret_model);
}

static Err map_data_set(Cli *cli, const EvalArgs *args, const OptionResult *words, const char *model, EvalCall *call)
{
    const RunConfig *c = call->config;
    EvalMapsRequest r = { .def = call->truth.def,
                          .folder = c != NULL ? c->preset.folder : words->arguments[0],
                          .split = args->split != NULL || c == NULL ? args->split : c->preset.split,
                          .part = args->part,
                          .skip_missing = args->skip_missing || (c != NULL && c->preset.missing != 0),
                          .other_classes = args->mapping != NULL,
                          .model = model,
                          .out = args->maps,
                          .reading = metaseg_predict_options_defaults() };
    Str bands = { 0 };
    TRY(cli_reading_fill(&args->reading, &r.reading));
    for (uint32_t i = 0; c != NULL && r.reading.bands == NULL && i < c->preset.n_bands; i++)
        str_addf(&bands, "%s%d", i > 0 ? "," : "", (int)c->preset.bands[i]);
    if (bands.length > 0) r.reading.bands = str_text(&bands);
    r.reading.overwrite = args->overwrite;
    const Err err = eval_maps_make(cli, &r, &call->maps);
    str_done(&bands);
    TRY(err);
    call->options.by_pixel = true;
    call->options.data_set = call->maps.title;
    return ERR_NONE;
}

/* ---- the command ---- */

static Err compare(Cli *cli, const MetasegEvalPair *pairs, int64_t n, const MetasegEvalOptions *o)
{
    cli->doing = "comparing";
    cli->unit = "rows";
    const Err err = metaseg_eval_pairs(pairs, n, o, &cli->run, o->json_line ? cli_take_json : cli_take_line, NULL);
    cli_progress_end(cli);
    return err;
}

static Err run_data_set(Cli *cli, const EvalArgs *args, const OptionResult *words, EvalCall *call)
{
    const bool config = is_config(words);
    char *model = NULL;
    if (args->list != NULL || words->n_arguments != 1)
        return err_set(ERR_ARGUMENT,
                       "-m maps one folder of a data set, and %lld arguments were given; maps are compared "
                       "without -m",
                       (long long)words->n_arguments);
    if (!config && args->preset == NULL)
        return err_set(ERR_ARGUMENT, "-m maps the images of a published data set; name it with --preset");
    if (config && args->preset != NULL)
        return err_set(ERR_ARGUMENT, "--preset %s and a configuration, which names its own; give one of both",
                       args->preset);
    if (!config && args->set.count > 0) return err_set(ERR_ARGUMENT, "--set is of a configuration, and none was given");
    Err err = config ? read_config(cli, args, words->arguments[0], call, &model) : str_copy(args->model, &model);
    if (err == ERR_NONE)
        err = fill_options(cli, args, config ? preset_at(call->config->preset.preset - 1)->name : args->preset, call);
    if (err == ERR_NONE) err = map_data_set(cli, args, words, model, call);
    if (err == ERR_NONE) err = compare(cli, call->maps.pairs, call->maps.n, &call->options);
    free(model);
    return err;
}

static Err run_maps(Cli *cli, const EvalArgs *args, const OptionResult *words, EvalCall *call)
{
    TRY(refuse_reading(args));
    TRY(fill_options(cli, args, args->preset, call));
    TRY(read_pairs(args, words, &call->pairs));
    return compare(cli, call->pairs.pairs, call->pairs.n, &call->options);
}

static Err run_eval(Cli *cli, const void *target, const OptionResult *words)
{
    const EvalArgs *args = target;
    EvalCall *call = calloc(1, sizeof *call);
    if (call == NULL) return err_memory(sizeof *call, "the comparison");
    const Err err = args->model != NULL || is_config(words) ? run_data_set(cli, args, words, call)
                                                            : run_maps(cli, args, words, call);
    call_done(call);
    free(call);
    return err;
}

Err cmd_eval(Cli *cli, int argc, char **argv)
{
    EvalArgs args = { 0 };
    return cli_run(cli, &cmd_eval_spec, &args, argc, argv, run_eval);
}
