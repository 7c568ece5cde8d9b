/* SPDX-License-Identifier: Apache-2.0
 * One input after the other. */
#include "cli/predict_batch.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "geo/raster_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 5, QUICKLOOK = 3 }; /* of outputs; rasters, with side-cars, come first */

/* ---- one input ---- */

/* Every kind of output, the map first; NULL: not wanted. */
static void list_paths(const PredictOutputs *o, const char *ret_paths[KINDS])
{
    const char *const paths[KINDS] = { o->map, o->confidence, o->probabilities, o->quicklook, o->areas };
    memcpy(ret_paths, paths, sizeof paths);
}

static bool all_there(const PredictOutputs *o)
{
    const char *paths[KINDS];
    list_paths(o, paths);
    for (int i = 0; i < KINDS; i++)
        if (paths[i] != NULL && !file_exists(paths[i])) return false;
    return true;
}

static Err print_json(const char *in, const PredictOutputs *o, const MetasegPredictReport *r)
{
    JsonWriter w = { 0 };
    char *text = NULL;
    json_begin_object(&w, NULL);
    json_put_string(&w, "input", in);
    json_put_string(&w, "map", o->map);
    json_put_string(&w, "confidence", o->confidence);
    json_put_string(&w, "probabilities", o->probabilities);
    json_put_string(&w, "quicklook", o->quicklook);
    json_put_string(&w, "areas", o->areas);
    json_put_bool(&w, "skipped", r == NULL);
    if (r != NULL) {
        json_put_int(&w, "width", r->width);
        json_put_int(&w, "height", r->height);
        json_put_int(&w, "valid_pixels", r->valid_pixels);
        json_put_int(&w, "tiles", r->tiles);
        json_put_double(&w, "resolution", r->resolution);
        json_put_double(&w, "seconds", r->seconds);
        json_put_int(&w, "peak_memory", r->peak_memory);
    }
    json_end(&w);
    TRY(json_take(&w, &text));
    cli_json(text);
    free(text);
    return ERR_NONE;
}

static Err print_result(Cli *cli, const char *in, const PredictOutputs *o, const MetasegPredictReport *r)
{
    if (cli_json_wanted(cli, false)) return print_json(in, o, r);
    cli_line("%s", o->map);
    return ERR_NONE;
}

Err predict_input(CliModels *models, const char *in, const PredictOutputs *outputs,
                  const MetasegPredictOptions *options, bool skip, bool *ret_skipped)
{
    Cli *cli = models->cli;
    MetasegPredictReport r;
    MetasegModel *model = NULL;
    MetasegPredictOptions o = *options;
    *ret_skipped = skip && all_there(outputs);
    if (*ret_skipped) {
        log_line(&cli->log, LOG_INFO, "'%s': is there already, left as it is", outputs->map);
        return print_result(cli, in, outputs, NULL);
    }
    o.confidence = outputs->confidence;
    o.probabilities = outputs->probabilities;
    o.quicklook = outputs->quicklook;
    o.areas = outputs->areas;
    TRY(cli_models_for(models, in, &o, &model));
    const Err err = metaseg_predict_raster(model, in, outputs->map, &o, &r);
    cli_progress_end(cli);
    TRY(err);
    log_line(&cli->log, LOG_INFO,
             "%lld x %lld pixels in %.1f s (%.2f megapixels per second), %lld tiles, at most %lld MiB of memory",
             (long long)r.width, (long long)r.height, r.seconds, (double)(r.width * r.height) / 1e6 / r.seconds,
             (long long)r.tiles, (long long)(r.peak_memory >> 20));
    return print_result(cli, in, outputs, &r);
}

/* ---- names ---- */

Err predict_input_name(const char *in, char **ret_name)
{
    char *copy = NULL;
    TRY(str_copy(in, &copy));
    for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--) copy[n - 1] = '\0';
    if (str_ends_with(copy, ".SAFE.zip")) copy[strlen(copy) - strlen(".zip")] = '\0';
    const Err err = path_stem(path_name(copy), ret_name);
    free(copy);
    if (err == ERR_NONE && str_ends_with(*ret_name, "_MTL")) (*ret_name)[strlen(*ret_name) - strlen("_MTL")] = '\0';
    return err;
}

/* Paths of one input's outputs, each in its folder. */
typedef struct Names {
    char *paths[KINDS];
} Names;

static void names_done(Names *names)
{
    for (int i = 0; i < KINDS; i++) free(names->paths[i]);
}

static PredictOutputs names_outputs(const Names *n)
{
    return (PredictOutputs){ n->paths[0], n->paths[1], n->paths[2], n->paths[3], n->paths[4] };
}

static Err names_init(const PredictOutputs *folders, const char *in, Names *names)
{
    static const char *const endings[KINDS] = { "classes.tif", "confidence.tif", "probabilities.tif", "quicklook.png",
                                                "areas.csv" };
    const char *in_folder[KINDS];
    char *name = NULL;
    list_paths(folders, in_folder);
    *names = (Names){ { NULL } };
    TRY(predict_input_name(in, &name));
    Err err = ERR_NONE;
    for (int i = 0; i < KINDS && err == ERR_NONE; i++) {
        char *file = NULL;
        if (in_folder[i] == NULL) continue;
        err = str_format(&file, "%s_%s", name, endings[i]);
        if (err == ERR_NONE) err = path_join(in_folder[i], file, &names->paths[i]);
        free(file);
    }
    free(name);
    if (err != ERR_NONE) names_done(names);
    return err;
}

/* ---- before any work ---- */

/* A folder that is to be made is not called like a file. */
static Err check_folder(const char *folder)
{
    static const char *const suffixes[] = { ".tif", ".tiff", ".png", ".jpg", ".vrt", ".csv", ".json" };
    if (folder == NULL || file_is_folder(folder)) return ERR_NONE;
    bool file = strcmp(folder, "-") == 0;
    for (int64_t i = 0; i < ARRAY_LEN(suffixes); i++) file = file || str_ends_with(folder, suffixes[i]);
    if (!file) return ERR_NONE;
    return err_set(ERR_ARGUMENT, "'%s': several inputs need a folder, to get OUT/NAME_classes.tif each; name one",
                   folder);
}

static Err add_written(const Names *names, const char *in, FileSet *set)
{
    static const char *const what[KINDS] = { "map", "confidence", "raster of probabilities", "quicklook",
                                             "table of areas" };
    Err err = ERR_NONE;
    for (int i = 0; i < KINDS && err == ERR_NONE; i++) {
        char *role = NULL;
        if (names->paths[i] == NULL) continue;
        err = str_format(&role, "the %s of '%.100s'", what[i], in);
        if (err == ERR_NONE)
            err = i < QUICKLOOK ? raster_files_written(names->paths[i], set, role)
                                : file_set_output(set, names->paths[i], role);
        free(role);
    }
    return err;
}

static Err add_input(const PredictOutputs *folders, const char *in, FileSet *set)
{
    Names names;
    char *role = NULL;
    TRY(names_init(folders, in, &names));
    Err err = add_written(&names, in, set);
    names_done(&names);
    if (err == ERR_NONE) err = str_format(&role, "the image '%.100s'", in);
    if (err == ERR_NONE) err = raster_files_path(in, set, role);
    free(role);
    return err;
}

static Err check_names(const Cli *cli, const InputList *inputs, const PredictOutputs *folders)
{
    FileSet set = { .stop = cli->run.stop };
    Err err = ERR_NONE;
    for (int64_t i = 0; i < inputs->count && err == ERR_NONE; i++)
        err = *cli->run.stop != 0 ? err_set(ERR_INTERRUPTED, "stopped before the first image; nothing was written")
                                  : add_input(folders, inputs->paths[i], &set);
    file_set_done(&set);
    return err;
}

static Err prepare(const Cli *cli, const InputList *inputs, const PredictOutputs *folders)
{
    const char *all[KINDS];
    list_paths(folders, all);
    for (int i = 0; i < KINDS; i++) TRY(check_folder(all[i]));
    TRY(check_names(cli, inputs, folders));
    for (int i = 0; i < KINDS; i++)
        if (all[i] != NULL) TRY(file_make_folders(all[i]));
    return ERR_NONE;
}

/* ---- the batch ---- */

/* Whether anything stands at a name of an input's outputs: one of them, or a side-car. */
static Err find_older(const PredictOutputs *o, bool *ret_found)
{
    static const char *const appended[] = { "", ".aux.xml", ".ovr", ".msk" };
    const char *paths[KINDS];
    list_paths(o, paths);
    char *name = NULL;
    *ret_found = false;
    for (int64_t i = 0; i < (int64_t)KINDS * ARRAY_LEN(appended); i++) {
        const char *path = paths[i / ARRAY_LEN(appended)];
        if (path == NULL) continue;
        TRY(str_format(&name, "%s%s", path, appended[i % ARRAY_LEN(appended)]));
        *ret_found = *ret_found || file_exists(name);
        free(name);
    }
    TRY(raster_style_path(o->map, &name));
    *ret_found = *ret_found || file_exists(name);
    free(name);
    return ERR_NONE;
}

/* What ends a batch: it would befall every further input. An output that is there befalls one. */
static bool ends_batch(Err err, const PredictOutputs *outputs, bool overwrite)
{
    char message[ERR_MESSAGE_BYTES];
    bool older = false;
    if (err == ERR_INTERRUPTED || err == ERR_MEMORY) return true;
    if (err != ERR_OUTPUT) return false;
    (void)snprintf(message, sizeof message, "%s", err_message());
    const bool ends = overwrite || find_older(outputs, &older) != ERR_NONE || !older;
    (void)err_adopt(err, message);
    return ends;
}

/* "predicting, image 3 of 12, 4 min left in all": as long as each so far took. */
static void say_where(int64_t i, int64_t n, int64_t made, double seconds, char *text, size_t text_bytes)
{
    size_t used = (size_t)snprintf(text, text_bytes, "predicting, image %lld of %lld", (long long)i + 1, (long long)n);
    if (made == 0 || used >= text_bytes) return;
    const double left = seconds / (double)made * (double)(n - i);
    (void)snprintf(text + used, text_bytes - used, ", %.0f %s left in all", left < 120.0 ? left : left / 60.0,
                   left < 120.0 ? "s" : "min");
}

static void tell_sum(const Cli *cli, int64_t n, int64_t skipped, int64_t failed, double seconds)
{
    log_line(&cli->log, LOG_INFO, "%lld of %lld maps made in %.1f s, %lld were there already, %lld failed",
             (long long)(n - skipped - failed), (long long)n, seconds, (long long)skipped, (long long)failed);
}

/* One more that cannot be mapped: why, and the line of the list that named it. */
static void tell_failure(const Cli *cli, const char *origin)
{
    log_line(&cli->log, LOG_ERROR, "%s%s%s", origin != NULL ? origin : "", origin != NULL ? ": " : "", err_message());
}

Err predict_batch(CliModels *models, const InputList *inputs, const PredictOutputs *folders,
                  const MetasegPredictOptions *options, bool skip)
{
    Cli *cli = models->cli;
    const double start = clock_seconds();
    const int64_t n = inputs->count;
    char doing[96];
    int64_t failed = 0, skipped = 0;
    TRY(prepare(cli, inputs, folders));
    for (int64_t i = 0; i < n; i++) {
        Names names;
        bool was_there = false;
        TRY(names_init(folders, inputs->paths[i], &names));
        const PredictOutputs outputs = names_outputs(&names);
        say_where(i, n, i - skipped - failed, clock_seconds() - start, doing, sizeof doing);
        cli->doing = doing;
        /* a map that is there is no reason to stop: a batch may be continued */
        Err err = !options->overwrite && !skip ? file_check_output(outputs.map, false) : ERR_NONE;
        if (err == ERR_NONE) err = predict_input(models, inputs->paths[i], &outputs, options, skip, &was_there);
        cli->doing = "predicting";
        const bool ends = ends_batch(err, &outputs, options->overwrite);
        names_done(&names);
        if (ends) return err;
        skipped += was_there ? 1 : 0;
        if (err == ERR_NONE) continue;
        failed++;
        tell_failure(cli, inputs->origins[i]);
    }
    tell_sum(cli, n, skipped, failed, clock_seconds() - start);
    if (failed == 0) return ERR_NONE;
    return err_set(ERR_PARTIAL, "%lld of %lld inputs failed", (long long)failed, (long long)n);
}
