/* SPDX-License-Identifier: Apache-2.0
 * metaseg predict: land-cover maps from rasters. */
#include "cli/cli.h"
#include "cli/models.h"

#include "base/file.h"
#include "base/str.h"
#include "geo/georeference.h"
#include "geo/raster.h"
#include "geo/raster_files.h"
#include "metaseg/predict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct PredictArgs {
    const char *out, *model, *bands, *confidence, *probabilities, *quicklook, *mask, *mask_values, *crs, *lonlat,
        *prompt;
    double resolution;
    int64_t prompts, tile, overlap;
    bool stored, overwrite;
} PredictArgs;

static const Option predict_options[] = {
    { "output", 'o', OPTION_STRING, offsetof(PredictArgs, out), .value = "OUT", .required = true,
      .help = "map to write (GeoTIFF); a folder for several inputs, then OUT/NAME_classes.tif" },
    { "model", 'm', OPTION_STRING, offsetof(PredictArgs, model), .value = "MODEL",
      .help =
          "model file, or the name of a model that came with the program; without it the one of these that fits the "
          "pixel size and the bands of the image" },
    { "bands", 'b', OPTION_STRING, offsetof(PredictArgs, bands), .value = "BAND,...",
      .help = "bands to read, by number from 1 or by name; without it by the names that the model states" },
    { "confidence", 0, OPTION_STRING, offsetof(PredictArgs, confidence), .value = "FILE",
      .help = "also write how sure the map is: the probability of the chosen class, 0..254 for 0..1" },
    { "probabilities", 0, OPTION_STRING, offsetof(PredictArgs, probabilities), .value = "FILE",
      .help = "also write the probability of every class, a band each, 0..254 for 0..1" },
    { "quicklook", 0, OPTION_STRING, offsetof(PredictArgs, quicklook), .value = "FILE",
      .help = "also write a small picture (PNG) with legend" },
    { "mask", 0, OPTION_STRING, offsetof(PredictArgs, mask), .value = "FILE",
      .help = "cloud mask: its pixels become 255. A raster on any grid, not 0 where masked, or a scene classification "
              "(SCL) or "
              "QA_PIXEL; scl and qa_pixel: the one that a Sentinel-2 L2A or a Landsat product brings" },
    { "mask-values", 0, OPTION_STRING, offsetof(PredictArgs, mask_values), .value = "N,...",
      .help = "values of the cloud mask that are masked, instead of those that its kind has" },
    { "crs", 0, OPTION_STRING, offsetof(PredictArgs, crs), .value = "CRS",
      .help = "coordinate reference system of the image, where its file tells none or a wrong one: EPSG:32633; the map "
              "gets it too" },
    { "lonlat", 0, OPTION_STRING, offsetof(PredictArgs, lonlat), .value = "LON,LAT",
      .help = "where an image without georeference lies, in degrees" },
    { "prompts", 0, OPTION_ENUM, offsetof(PredictArgs, prompts), .value = "MODE", .default_value = "grounded",
      .choices = { "grounded", "null", "tile-mixed", "shuffled" },
      .help = "what the network reads beside the image: for each place the words of its climate zone, nothing, one mix "
              "of words per tile, or the words of other zones (for experiments)" },
    { "prompt", 0, OPTION_STRING, offsetof(PredictArgs, prompt), .value = "TEXT",
      .help = "your own words, read everywhere instead; needs the text encoder that 'make data' brings" },
    { "resolution", 0, OPTION_DOUBLE, offsetof(PredictArgs, resolution), .value = "GSD", .default_value = "0",
      .minimum = 0, .maximum = 1e6,
      .help = "pixel size to predict at, in the unit of the model (see metaseg info MODEL); 0: the image's own, or the "
              "nearest that the model was made for" },
    { "tile", 0, OPTION_INT, offsetof(PredictArgs, tile), .value = "PIXELS", .default_value = "0", .minimum = 0,
      .maximum = 4096, .help = "side of a tile, a multiple of 256; 0: the model's" },
    { "overlap", 0, OPTION_INT, offsetof(PredictArgs, overlap), .value = "PIXELS", .default_value = "-1", .minimum = -1,
      .maximum = 2048,
      .help = "what neighbouring tiles share, a multiple of 32, at most half a tile; -1: a quarter of the tile" },
    { "stored", 0, OPTION_FLAG, offsetof(PredictArgs, stored),
      .help = "read the stored numbers as they are; without it less the offset that the file states for a band" },
    { "overwrite", 'f', OPTION_FLAG, offsetof(PredictArgs, overwrite), .help = "replace existing outputs" },
};

const OptionSpec cmd_predict_spec = {
    .command = "predict",
    .summary = "map the land cover of rasters",
    .usage = "IN... -o OUT [options]",
    .details =
        "Reads GeoTIFF, COG, JPEG, PNG, JPEG 2000 and local VRT files of any size, tile by tile, and products of "
        "several "
        "files as they are delivered: a Sentinel-2 .SAFE folder or its zip, a Landsat MTL file or its folder, band "
        "files "
        "(a folder of them, all of them with an OUT that is a file, or B04=FILE,B03=FILE,B02=FILE). The map lies on "
        "the image's own grid (size, geotransform, CRS): one Byte per pixel with the value of the class, palette "
        "and class names, 255 where the image has no data. Where the image lies tells the climate zone, and a "
        "sentence about the zone is read by the network together with the pixels; 'metaseg prompt' shows it.",
    .examples = "metaseg predict scene.tif -o map.tif\n"
                "metaseg predict scene.tif -o map.tif -b 1,2,3 --confidence conf.tif --quicklook map.png\n"
                "metaseg predict S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230820T124817.SAFE.zip -o map.tif\n"
                "metaseg predict a.tif b.tif c.tif -o maps/",
    .own = { predict_options, ARRAY_LEN(predict_options) },
    .min_arguments = 1,
    .max_arguments = -1,
};

static Err fill_options(const PredictArgs *args, const char *text_encoder, MetasegPredictOptions *o)
{
    *o = metaseg_predict_options_defaults();
    if (args->tile % 256 != 0)
        return err_set(ERR_ARGUMENT, "--tile %lld is not a multiple of 256", (long long)args->tile);
    if (args->overlap > 0 && args->overlap % 32 != 0)
        return err_set(ERR_ARGUMENT, "--overlap %lld is not a multiple of 32", (long long)args->overlap);
    o->bands = args->bands;
    o->crs = args->crs;
    o->prompt = args->prompt;
    o->text_encoder = text_encoder;
    if (args->lonlat != NULL) TRY(geo_parse_lonlat(args->lonlat, &o->longitude, &o->latitude));
    o->confidence = args->confidence;
    o->probabilities = args->probabilities;
    o->quicklook = args->quicklook;
    o->mask = args->mask;
    o->mask_values = args->mask_values;
    if (args->mask_values != NULL && args->mask == NULL)
        return err_set(ERR_ARGUMENT, "--mask-values says which values of --mask FILE are masked; no mask was given");
    o->prompts = (MetasegPrompts)args->prompts;
    o->resolution = args->resolution;
    o->tile = (int32_t)args->tile;
    o->overlap = (int32_t)args->overlap;
    o->stored_values = args->stored;
    o->overwrite = args->overwrite;
    return ERR_NONE;
}

static Err predict_one(Cli *cli, CliModels *models, const char *in, const char *out,
                       const MetasegPredictOptions *options)
{
    MetasegPredictReport r;
    MetasegModel *model = NULL;
    TRY(cli_models_for(models, in, options, &model));
    const Err err = metaseg_predict_raster(model, in, out, options, &r);
    cli_progress_end(cli);
    TRY(err);
    cli_line("%s", out);
    log_line(&cli->log, LOG_INFO,
             "%lld x %lld pixels in %.1f s (%.2f megapixels per second), %lld tiles, at most %lld MiB of memory",
             (long long)r.width, (long long)r.height, r.seconds, (double)(r.width * r.height) / 1e6 / r.seconds,
             (long long)r.tiles, (long long)(r.peak_memory >> 20));
    return ERR_NONE;
}

/* folder/STEM_classes.tif; of a product (a folder, a zip of it, an MTL file) its own name. */
static Err output_name(const char *folder, const char *in, char **ret_path)
{
    char *stem = NULL, *name = NULL, *copy = NULL;
    TRY(str_copy(in, &copy));
    for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--) copy[n - 1] = '\0';
    if (str_ends_with(copy, ".SAFE.zip")) copy[strlen(copy) - strlen(".zip")] = '\0';
    Err err = path_stem(path_name(copy), &stem);
    if (err == ERR_NONE && str_ends_with(stem, "_MTL")) stem[strlen(stem) - strlen("_MTL")] = '\0';
    free(copy);
    if (err == ERR_NONE) err = str_format(&name, "%s_classes.tif", stem);
    if (err == ERR_NONE) err = path_join(folder, name, ret_path);
    free(stem);
    free(name);
    return err;
}

/* A folder that is to be made is not called like a file. */
static Err check_folder_name(const char *folder)
{
    static const char *const suffixes[] = { ".tif", ".tiff", ".png", ".jpg", ".vrt" };
    bool file = strcmp(folder, "-") == 0;
    for (int64_t i = 0; i < ARRAY_LEN(suffixes); i++) file = file || str_ends_with(folder, suffixes[i]);
    if (!file) return ERR_NONE;
    return err_set(ERR_ARGUMENT, "'%s': several inputs need a folder, to get OUT/NAME_classes.tif each; name one",
                   folder);
}

/* Before any work: no map of any input is an input, and no two have one name. */
static Err add_files(const char *folder, const OptionResult *words, FileSet *set)
{
    for (int64_t i = 0; i < words->n_arguments; i++) {
        char *out = NULL, *role = NULL;
        TRY(output_name(folder, words->arguments[i], &out));
        Err err = str_format(&role, "the map of '%.100s'", words->arguments[i]);
        if (err == ERR_NONE) err = raster_files_written(out, set, role);
        free(role);
        role = NULL;
        if (err == ERR_NONE) err = str_format(&role, "the image '%.100s'", words->arguments[i]);
        if (err == ERR_NONE) err = raster_files_path(words->arguments[i], set, role);
        free(role);
        free(out);
        TRY(err);
    }
    return ERR_NONE;
}

static Err check_names(const Cli *cli, const char *folder, const OptionResult *words)
{
    FileSet set = { .stop = cli->run.stop };
    const Err err = add_files(folder, words, &set);
    file_set_done(&set);
    return err;
}

/* Each input gets its own map; a bad one is told and passed over. */
static Err predict_many(Cli *cli, CliModels *models, const OptionResult *words, const PredictArgs *args,
                        const MetasegPredictOptions *options)
{
    if (args->confidence != NULL || args->probabilities != NULL || args->quicklook != NULL)
        return err_set(ERR_ARGUMENT, "--confidence, --probabilities and --quicklook take one input");
    if (!file_is_folder(args->out)) TRY(check_folder_name(args->out));
    TRY(check_names(cli, args->out, words));
    TRY(file_make_folders(args->out));
    int64_t failed = 0;
    for (int64_t i = 0; i < words->n_arguments; i++) {
        char *out = NULL;
        TRY(output_name(args->out, words->arguments[i], &out));
        /* a map that is there is no reason to stop: a batch may be continued */
        const bool there = !options->overwrite && file_exists(out);
        const Err err =
            there ? file_check_output(out, false) : predict_one(cli, models, words->arguments[i], out, options);
        free(out);
        if (there && err == ERR_NONE) continue; /* gone meanwhile */
        if (there) {
            failed++;
            log_line(&cli->log, LOG_ERROR, "%s", err_message());
            continue;
        }
        if (err == ERR_INTERRUPTED || err == ERR_MEMORY || err == ERR_OUTPUT) return err;
        if (err == ERR_NONE) continue;
        failed++;
        log_line(&cli->log, LOG_ERROR, "%s", err_message());
    }
    if (failed == 0) return ERR_NONE;
    return err_set(ERR_PARTIAL, "%lld of %lld inputs failed", (long long)failed, (long long)words->n_arguments);
}

/* What is mapped into the one file OUT: the only input, or the scene whose bands lie in the inputs' files. NULL: OUT is a
 * folder for several inputs. free() it. */
static Err find_scene(const PredictArgs *args, const OptionResult *words, char **ret_scene)
{
    const bool folder = file_is_folder(args->out),
               map = str_ends_with(args->out, ".tif") || str_ends_with(args->out, ".tiff");
    if (folder || (words->n_arguments > 1 && !map)) return ERR_NONE;
    if (words->n_arguments == 1) return str_copy(words->arguments[0], ret_scene);
    const Err err = raster_join_band_files(words->n_arguments, (const char *const *)words->arguments, ret_scene);
    if (err != ERR_INPUT) return err;
    return err_prefix(
        ERR_ARGUMENT,
        "'%s': several inputs need a folder, to get OUT/NAME_classes.tif each, unless they are the band files "
        "of one scene",
        args->out);
}

static Err load_and_predict(Cli *cli, const PredictArgs *args, const OptionResult *words,
                            const MetasegPredictOptions *options)
{
    CliModels models = { 0 };
    char *scene = NULL;
    TRY(find_scene(args, words, &scene));
    Err err = cli_models_init(cli, args->model, &models);
    if (err == ERR_NONE)
        err = scene == NULL ? predict_many(cli, &models, words, args, options)
                            : predict_one(cli, &models, scene, args->out, options);
    cli_models_done(&models);
    free(scene);
    return err;
}

static Err run_predict(Cli *cli, const void *target, const OptionResult *words)
{
    const PredictArgs *args = target;
    char *data = NULL, *text_encoder = NULL;
    MetasegPredictOptions options;
    cli->doing = "predicting";
    cli->unit = "tiles";
    Err err = cli_data_folder(cli, &data);
    if (err == ERR_NONE) err = path_join(data, "minilm", &text_encoder);
    if (err == ERR_NONE) err = fill_options(args, text_encoder, &options);
    if (err == ERR_NONE && cli->data_folder == NULL && options.prompts != METASEG_PROMPTS_NULL && args->prompt == NULL)
        err =
            err_set(ERR_INPUT, "the climate map: no data folder was found; 'make install' makes one, --data-folder or "
                               "METASEG_DATA names one, --prompts null does without");
    if (err == ERR_NONE) err = load_and_predict(cli, args, words, &options);
    free(data);
    free(text_encoder);
    return err;
}

Err cmd_predict(Cli *cli, int argc, char **argv)
{
    PredictArgs args = { 0 };
    return cli_run(cli, &cmd_predict_spec, &args, argc, argv, run_predict);
}
