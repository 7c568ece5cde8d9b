/* SPDX-License-Identifier: Apache-2.0
 * metaseg predict: land-cover maps from rasters. */
#include "cli/cli.h"
#include "cli/mosaic_input.h"
#include "cli/predict_batch.h"
#include "cli/reading_options.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "geo/geo_process.h"
#include "geo/georeference.h"
#include "geo/raster.h"
#include "geo/raster_extent.h"
#include "geo/raster_format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct PredictArgs {
    ReadingArgs reading;
    const char *out, *model, *confidence, *probabilities, *quicklook, *areas, *mask, *mask_values, *crs, *lonlat,
        *level, *prompt, *text_encoder, *preset, *ram;
    const char *te_srs, *projwin_srs, *cutline, *cutline_layer, *cutline_srs;
    OptionList creation;
    int64_t format;
    double gsd, resolution, te[4], projwin[4];
    bool stored, network, mosaic, skip_existing, overwrite;
} PredictArgs;

static const Option predict_options[] = {
    { "output", 'o', OPTION_STRING, offsetof(PredictArgs, out), .value = "OUT", .required = true,
      .help = "map to write (GeoTIFF); a folder for several inputs, then OUT/NAME_classes.tif; with --preset a zip "
              "archive" },
    { "model", 'm', OPTION_STRING, offsetof(PredictArgs, model), .value = "MODEL",
      .help =
          "model file, or the name of a model that came with the program; without it the one of these that fits the "
          "pixel size and the bands of the image" },
    { "preset", 0, OPTION_STRING, offsetof(PredictArgs, preset), .value = "NAME",
      .help =
          "IN is the folder of this published data set (metaseg dataset list): maps its images whose labels are hidden "
          "and writes the archive that its evaluation server takes, or nothing if one of them cannot be mapped" },
    READING_OPTIONS(PredictArgs),
    { "confidence", 0, OPTION_STRING, offsetof(PredictArgs, confidence), .value = "FILE",
      .help =
          "also write how sure the map is: the probability of the chosen class, 0..254 for 0..1; a folder for several "
          "inputs, then FILE/NAME_confidence.tif" },
    { "probabilities", 0, OPTION_STRING, offsetof(PredictArgs, probabilities), .value = "FILE",
      .help = "also write the probability of every class, a band each, 0..254 for 0..1; a folder for several inputs" },
    { "quicklook", 0, OPTION_STRING, offsetof(PredictArgs, quicklook), .value = "FILE",
      .help = "also write a small picture (PNG) with legend; a folder for several inputs" },
    { "areas", 0, OPTION_STRING, offsetof(PredictArgs, areas), .value = "FILE",
      .help = "also write a table of the classes with their pixels, area in m2 on the ellipsoid and share (CSV; JSON "
              "where FILE ends in "
              ".json); a folder for several inputs, then FILE/NAME_areas.csv" },
    { "of", 0, OPTION_ENUM, offsetof(PredictArgs, format), .value = "FORMAT", .default_value = "GTiff",
      .choices = { "GTiff", "COG" },
      .help = "what maps, confidence and probabilities are written as; COG: Cloud Optimized GeoTIFF, with overviews by "
              "mode of "
              "classes and by average of the others" },
    { "co", 0, OPTION_LIST, offsetof(PredictArgs, creation), .value = "NAME=VALUE,...",
      .help = "creation options of GDAL's driver: COMPRESS=ZSTD; those that would change values, grid or colours are "
              "refused" },
    { "mask", 0, OPTION_STRING, offsetof(PredictArgs, mask), .value = "FILE",
      .help = "cloud mask: its pixels become 255. A raster on any grid, not 0 where masked, or a scene classification "
              "(SCL) or "
              "QA_PIXEL; scl and qa_pixel: the one that a Sentinel-2 L2A or a Landsat product brings" },
    { "mask-values", 0, OPTION_STRING, offsetof(PredictArgs, mask_values), .value = "N,...",
      .help = "values of the cloud mask that are masked, instead of those that its kind has" },
    { "te", 0, OPTION_NUMBERS, offsetof(PredictArgs, te), .value = "XMIN YMIN XMAX YMAX", .gdal = true, .words = 4,
      .help = "map this part of the image alone, in coordinates of its own CRS or of -te_srs; grows to whole pixels of "
              "the image" },
    { "te_srs", 0, OPTION_STRING, offsetof(PredictArgs, te_srs), .value = "CRS", .gdal = true,
      .help = "CRS of -te: EPSG:4326 is longitude, latitude" },
    { "projwin", 0, OPTION_NUMBERS, offsetof(PredictArgs, projwin), .value = "ULX ULY LRX LRY", .gdal = true,
      .words = 4, .help = "the same as -te by its upper left and lower right corner" },
    { "projwin_srs", 0, OPTION_STRING, offsetof(PredictArgs, projwin_srs), .value = "CRS", .gdal = true,
      .help = "CRS of -projwin" },
    { "cutline", 0, OPTION_STRING, offsetof(PredictArgs, cutline), .value = "FILE", .gdal = true,
      .help = "polygons (GeoPackage, GeoJSON, Shapefile, ... in any CRS) outside of which all outputs are 255; the map "
              "inside is the one that it is without" },
    { "cl", 0, OPTION_STRING, offsetof(PredictArgs, cutline_layer), .value = "LAYER", .gdal = true,
      .help = "layer of the cutline, where it has several" },
    { "cutline_srs", 0, OPTION_STRING, offsetof(PredictArgs, cutline_srs), .value = "CRS", .gdal = true,
      .help = "CRS of the cutline, where its file tells none or a wrong one" },
    { "crs", 0, OPTION_STRING, offsetof(PredictArgs, crs), .value = "CRS",
      .help = "coordinate reference system of the image, where its file tells none or a wrong one: EPSG:32633; the map "
              "gets it too" },
    { "lonlat", 0, OPTION_STRING, offsetof(PredictArgs, lonlat), .value = "LON,LAT",
      .help = "where an image without georeference lies, in degrees" },
    { "prompt", 0, OPTION_STRING, offsetof(PredictArgs, prompt), .value = "TEXT",
      .help = "your own words, read everywhere instead; needs the text encoder that the model was trained with" },
    { "text-encoder", 0, OPTION_STRING, offsetof(PredictArgs, text_encoder), .value = "FOLDER",
      .help = "folder of that text encoder, for --prompt; without it the one that 'make data' brings" },
    { "gsd", 0, OPTION_DOUBLE, offsetof(PredictArgs, gsd), .value = "METRES", .default_value = "0", .minimum = 0,
      .maximum = 1e6, .help = "pixel size of an image without georeference; 0: unknown" },
    { "resolution", 0, OPTION_DOUBLE, offsetof(PredictArgs, resolution), .value = "GSD", .default_value = "0",
      .minimum = 0, .maximum = 1e6,
      .help = "pixel size to predict at, in the unit of the model (see metaseg info MODEL); 0: the image's own, or the "
              "nearest that the model was made for" },
    { "level", 0, OPTION_STRING, offsetof(PredictArgs, level), .value = "LEVEL",
      .help =
          "L1C (reflectance at the top of the atmosphere) or L2A (of the surface), for a model that reads the one from "
          "the other; without it as the metadata say" },
    { "stored", 0, OPTION_FLAG, offsetof(PredictArgs, stored),
      .help = "read the stored numbers as they are; without it less the offset that the file states for a band" },
    { "ram", 0, OPTION_STRING, offsetof(PredictArgs, ram), .value = "SIZE",
      .help =
          "memory to take at most, like 512M or 2G: a wide image is mapped in strips that fit; without it a quarter of "
          "what there is, at most 2G" },
    { "mosaic", 0, OPTION_FLAG, offsetof(PredictArgs, mosaic),
      .help = "the inputs are files of one place, mapped as one image into the file OUT: later ones lie on top" },
    { "allow-network", 0, OPTION_FLAG, offsetof(PredictArgs, network),
      .help = "read images by http and https URLs, and assets of STAC items; without it nothing but local files" },
    { "skip-existing", 0, OPTION_FLAG, offsetof(PredictArgs, skip_existing),
      .help = "leave outputs that are there: a batch that was stopped goes on" },
    { "overwrite", 'f', OPTION_FLAG, offsetof(PredictArgs, overwrite), .help = "replace existing outputs" },
};

const OptionSpec cmd_predict_spec = {
    .command = "predict",
    .summary = "map the land cover of rasters",
    .usage = "IN... -o OUT [options]",
    .details =
        "Reads GeoTIFF, COG, JPEG, PNG, JPEG 2000 and local VRT files of any size, tile by tile, and products of "
        "several "
        "files as they are delivered: a Sentinel-2 .SAFE folder or its zip, a Landsat MTL file, its folder or its tar, "
        "a STAC item (JSON), "
        "band "
        "files "
        "(a folder of them, all of them with an OUT that is a file, or B04=FILE,B03=FILE,B02=FILE). Many images may be "
        "named by their folder, by a pattern in quotes ('tiles/*.tif'), or by @FILE, a list with one of these or a "
        "file per line. The map lies on "
        "the image's own grid (size, geotransform, CRS): one Byte per pixel with the value of the class, palette "
        "and class names, 255 where the image has no data. Where the image lies tells the climate zone, and a "
        "sentence about the zone is read by the network together with the pixels; 'metaseg prompt' shows it.",
    .examples = "metaseg predict scene.tif -o map.tif\n"
                "metaseg predict scene.tif -o map.tif -b 1,2,3 --confidence conf.tif --quicklook map.png\n"
                "metaseg predict S2B_MSIL2A_20230820T094549_N0509_R079_T33TWL_20230820T124817.SAFE.zip -o map.tif\n"
                "metaseg predict scene.tif -o map.tif --of COG --co COMPRESS=ZSTD,LEVEL=15\n"
                "metaseg predict a.tif b.tif c.tif -o maps/ --quicklook pictures/ --skip-existing\n"
                "metaseg predict scene.tif -o map.tif -te 13.0 52.3 13.2 52.5 -te_srs EPSG:4326\n"
                "metaseg predict tiles/ @more.txt -o maps/ --skip-existing\n"
                "metaseg predict --preset loveda /data/LoveDA -m mine.safetensors --tta ms -o submission.zip",
    .own = { predict_options, ARRAY_LEN(predict_options) },
    .min_arguments = 1,
    .max_arguments = -1,
};

/* The creation options, NULL at the end; free() it. */
static Err fill_creation(const PredictArgs *args, const char ***ret_options, MetasegPredictOptions *o)
{
    const size_t n = (size_t)args->creation.count;
    o->format = args->format == 1 ? METASEG_FORMAT_COG : METASEG_FORMAT_GTIFF;
    if (n == 0) return ERR_NONE;
    const char **list = calloc(n + 1, sizeof *list);
    if (list == NULL) return err_memory((n + 1) * sizeof *list, "creation options");
    for (size_t i = 0; i < n; i++) list[i] = args->creation.items[i];
    o->creation_options = *ret_options = list;
    return err_prefix(raster_format_check(o->format == METASEG_FORMAT_COG ? RASTER_COG : RASTER_GTIFF, list), "--co");
}

static Err fill_extent(const PredictArgs *args, const OptionResult *words, MetasegPredictOptions *o)
{
    const bool te = options_given(&cmd_predict_spec, words, "te"),
               projwin = options_given(&cmd_predict_spec, words, "projwin");
    const double *p = args->projwin;
    RasterExtent extent = { args->te[0], args->te[1], args->te[2], args->te[3], NULL };
    if (te && projwin)
        return err_set(ERR_ARGUMENT, "-te and -projwin both name the part that is mapped; give one of both");
    if (args->te_srs != NULL && !te) return err_set(ERR_ARGUMENT, "-te_srs is the CRS of -te, and no -te was given");
    if (args->projwin_srs != NULL && !projwin)
        return err_set(ERR_ARGUMENT, "-projwin_srs is the CRS of -projwin, and no -projwin was given");
    if (!te && !projwin) return ERR_NONE;
    if (projwin) extent = (RasterExtent){ p[0], p[3], p[2], p[1], NULL };
    TRY(raster_extent_check(&extent, te ? "-te" : "-projwin"));
    o->extent[0] = extent.xmin;
    o->extent[1] = extent.ymin;
    o->extent[2] = extent.xmax;
    o->extent[3] = extent.ymax;
    o->extent_crs = te ? args->te_srs : args->projwin_srs;
    return ERR_NONE;
}

static Err fill_options(const PredictArgs *args, const OptionResult *words, const char *text_encoder,
                        MetasegPredictOptions *o)
{
    *o = metaseg_predict_options_defaults();
    TRY(cli_reading_fill(&args->reading, o));
    TRY(fill_extent(args, words, o));
    o->cutline = args->cutline;
    o->cutline_layer = args->cutline_layer;
    o->cutline_crs = args->cutline_srs;
    if (args->cutline == NULL && (args->cutline_layer != NULL || args->cutline_srs != NULL))
        return err_set(ERR_ARGUMENT, "%s belongs to -cutline, and no cutline was given",
                       args->cutline_layer != NULL ? "-cl" : "-cutline_srs");
    o->crs = args->crs;
    o->prompt = args->prompt;
    o->text_encoder = text_encoder;
    if (args->text_encoder != NULL && args->prompt == NULL)
        return err_set(ERR_ARGUMENT, "--text-encoder reads the words of --prompt; no prompt was given");
    if (args->lonlat != NULL) TRY(geo_parse_lonlat(args->lonlat, &o->longitude, &o->latitude));
    o->mask = args->mask;
    o->mask_values = args->mask_values;
    if (args->mask_values != NULL && args->mask == NULL)
        return err_set(ERR_ARGUMENT, "--mask-values says which values of --mask FILE are masked; no mask was given");
    o->gsd = args->gsd;
    o->resolution = args->resolution;
    o->level = args->level;
    o->stored_values = args->stored;
    o->overwrite = args->overwrite;
    if (args->preset == NULL) return ERR_NONE; /* several inputs may have several of these */
    o->confidence = args->confidence;
    o->probabilities = args->probabilities;
    o->quicklook = args->quicklook;
    o->areas = args->areas;
    return ERR_NONE;
}

/* What is mapped into the one file OUT: the only input, or the scene whose bands lie in the inputs' files. NULL: OUT is a
 * folder for several inputs. free() it. */
static Err find_scene(const PredictArgs *args, const InputList *inputs, char **ret_scene)
{
    if (args->mosaic && file_is_folder(args->out))
        return err_set(ERR_ARGUMENT, "'%s': --mosaic makes one map; name a file, not a folder", args->out);
    if (args->mosaic) return mosaic_input_make(inputs, ret_scene);
    const bool folder = file_is_folder(args->out),
               map = str_ends_with(args->out, ".tif") || str_ends_with(args->out, ".tiff");
    if (folder || ((inputs->count > 1 || inputs->many) && !map)) return ERR_NONE;
    if (inputs->count == 1) return str_copy(inputs->paths[0], ret_scene);
    const Err err = raster_join_band_files(inputs->count, (const char *const *)inputs->paths, ret_scene);
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
    InputList inputs = { 0 };
    char *scene = NULL;
    bool skipped = false;
    const PredictOutputs outputs = { args->out, args->confidence, args->probabilities, args->quicklook, args->areas };
    if (args->skip_existing && args->overwrite)
        return err_set(ERR_ARGUMENT, "--skip-existing leaves maps that are there, -f replaces them; give one of both");
    Err err = ERR_NONE;
    for (int64_t i = 0; i < words->n_arguments && err == ERR_NONE; i++)
        err = input_list_add(&inputs, words->arguments[i], &cli->log, cli->run.stop);
    if (err == ERR_NONE) err = find_scene(args, &inputs, &scene);
    if (err == ERR_NONE) err = cli_models_init(cli, args->model, &models);
    if (err == ERR_NONE)
        err = scene != NULL ? predict_input(&models, scene, &outputs, options, args->skip_existing, &skipped)
                            : predict_batch(&models, &inputs, &outputs, options, args->skip_existing);
    cli_models_done(&models);
    input_list_done(&inputs);
    if (args->mosaic)
        mosaic_input_remove(scene);
    else
        free(scene);
    return err;
}

static Err print_submission(Cli *cli, const PredictArgs *args, const MetasegSubmissionReport *r)
{
    JsonWriter w = { 0 };
    char *text = NULL;
    log_line(&cli->log, LOG_INFO, "%lld maps of %.1f megapixels in %.1f s, for %s", (long long)r->images,
             (double)r->pixels / 1e6, r->seconds, r->server);
    if (!cli_json_wanted(cli, false)) {
        cli_line("%s", args->out);
        return ERR_NONE;
    }
    json_begin_object(&w, NULL);
    json_put_string(&w, "submission", args->out);
    json_put_string(&w, "preset", args->preset);
    json_put_string(&w, "server", r->server);
    json_put_int(&w, "images", r->images);
    json_put_int(&w, "pixels", r->pixels);
    json_put_double(&w, "seconds", r->seconds);
    json_put_int(&w, "peak_memory", r->peak_memory);
    json_end(&w);
    TRY(json_take(&w, &text));
    cli_json(text);
    free(text);
    return ERR_NONE;
}

/* A whole data set into one archive. */
static Err write_submission(Cli *cli, const PredictArgs *args, const OptionResult *words,
                            const MetasegPredictOptions *options)
{
    CliModels models = { 0 };
    MetasegSubmissionReport report;
    if (words->n_arguments != 1)
        return err_set(ERR_ARGUMENT, "--preset %s needs one folder, that of the data set, and %lld inputs were given",
                       args->preset, (long long)words->n_arguments);
    if (args->model == NULL)
        return err_set(ERR_ARGUMENT, "--preset %s needs the model that is to be judged; name it with -m", args->preset);
    if (args->mosaic)
        return err_set(ERR_ARGUMENT,
                       "--mosaic makes one image of the inputs; --preset %s maps the images of a data set",
                       args->preset);
    if (args->skip_existing)
        return err_set(ERR_ARGUMENT, "--skip-existing leaves maps that are there; an archive is written whole or not");
    Err err = cli_models_init(cli, args->model, &models);
    cli->unit = "images";
    if (err == ERR_NONE)
        err = metaseg_predict_submission(models.named, args->preset, words->arguments[0], args->out, options, &report);
    cli_progress_end(cli);
    if (err == ERR_NONE) err = print_submission(cli, args, &report);
    cli_models_done(&models);
    return err;
}

static Err run_predict(Cli *cli, const void *target, const OptionResult *words)
{
    const PredictArgs *args = target;
    char *data = NULL, *text_encoder = NULL;
    const char **creation = NULL;
    MetasegPredictOptions options;
    if (args->network) gdal_allow_network();
    cli->doing = "predicting";
    cli->unit = "tiles";
    Err err = args->ram != NULL ? str_parse_bytes(args->ram, "--ram", &cli->run.ram) : ERR_NONE;
    if (err == ERR_NONE) err = cli_data_folder(cli, &data);
    if (err == ERR_NONE) err = path_join(data, "minilm", &text_encoder);
    if (err == ERR_NONE)
        err = fill_options(args, words, args->text_encoder != NULL ? args->text_encoder : text_encoder, &options);
    if (err == ERR_NONE) err = fill_creation(args, &creation, &options);
    if (err == ERR_NONE && args->preset != NULL)
        err = write_submission(cli, args, words, &options);
    else if (err == ERR_NONE)
        err = load_and_predict(cli, args, words, &options);
    free(creation);
    free(data);
    free(text_encoder);
    return err;
}

Err cmd_predict(Cli *cli, int argc, char **argv)
{
    PredictArgs args = { 0 };
    return cli_run(cli, &cmd_predict_spec, &args, argc, argv, run_predict);
}
