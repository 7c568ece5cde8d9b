/* SPDX-License-Identifier: Apache-2.0
 *
 * metaseg info: what a raster, a map of ours, a model or a checkpoint is. The same calls write text or JSON. */
#include "cli/cli.h"
#include "cli/info.h"

#include "base/file.h"
#include "base/json.h"
#include "data/label_values.h"
#include "geo/metadata.h"
#include "model/model_file.h"
#include "model/stac_mlm.h"
#include "network/decoder.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIXELS_AT_ONCE = 1 << 20, STATE_BYTES = 1 << 16 };

typedef struct InfoArgs {
    const char *crs, *stac_mlm;
    bool json, shares, overwrite;
} InfoArgs;

static const Option info_options[] = {
    { "shares", 0, OPTION_FLAG, offsetof(InfoArgs, shares), .help = "also count the pixels of each class of a map" },
    { "crs", 0, OPTION_STRING, offsetof(InfoArgs, crs), .value = "CRS",
      .help = "coordinate reference system of rasters, where a file tells none or a wrong one: EPSG:32633" },
    { "stac-mlm", 0, OPTION_STRING, offsetof(InfoArgs, stac_mlm), .value = "FILE",
      .help = "also write what a model is as a STAC Item with the Machine Learning Model extension (JSON), for "
              "catalogues" },
    { "overwrite", 'f', OPTION_FLAG, offsetof(InfoArgs, overwrite), .help = "replace an existing FILE" },
    { "json", 0, OPTION_FLAG, offsetof(InfoArgs, json), .help = "write JSON, one line per file" },
};

const OptionSpec cmd_info_spec = {
    .command = "info",
    .summary = "describe rasters, maps, models and checkpoints",
    .usage = "FILE... [options]",
    .details = "Of a raster: size, bands, coordinate reference system and the facts that prediction would use, each "
               "with its source; of a map that metaseg wrote also the model and the classes. Of a model: architecture, "
               "bands with their statistics, classes, range of ground sampling distances, prompts, provenance, hash; "
               "of a checkpoint also the state of the training run.",
    .examples = "metaseg info scene.tif\nmetaseg info --shares map.tif\nmetaseg info --json model.safetensors\n"
                "metaseg info model.safetensors --stac-mlm model.json",
    .own = { info_options, ARRAY_LEN(info_options) },
    .min_arguments = 1,
    .max_arguments = -1,
};

/* ---- one sheet, as text or as JSON ---- */

typedef struct Sheet {
    bool json;
    const char *path;
    const volatile int *stop;
    JsonWriter writer;
} Sheet;

enum { KEY_BYTES = 64 };

/* "ground sampling distances" -> "ground_sampling_distances". */
static const char *json_name(const char *key, char name[KEY_BYTES])
{
    (void)snprintf(name, KEY_BYTES, "%s", key);
    for (char *c = name; *c != '\0'; c++)
        if (*c == ' ') *c = '_';
    return name;
}

/* Begins a file that can be described. */
static void begin_sheet(Sheet *sheet, const char *kind)
{
    if (sheet->json) {
        json_begin_object(&sheet->writer, NULL);
        json_put_string(&sheet->writer, "file", sheet->path);
        json_put_string(&sheet->writer, "kind", kind);
    } else {
        cli_line("%s", sheet->path);
        cli_line("  %-26s%s", "kind", kind);
    }
}

static void put(Sheet *sheet, const char *key, const char *format, ...) PRINTF_LIKE(3, 4);
static void put(Sheet *sheet, const char *key, const char *format, ...)
{
    char text[1024], name[KEY_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (sheet->json)
        json_put_string(&sheet->writer, json_name(key, name), text);
    else
        cli_line("  %-26s%s", key, text);
}

static void put_number(Sheet *sheet, const char *key, double value)
{
    char name[KEY_BYTES];
    if (sheet->json)
        json_put_double(&sheet->writer, json_name(key, name), value);
    else if (isfinite(value))
        cli_line("  %-26s%.10g", key, value);
}

static void put_numbers(Sheet *sheet, const char *key, const double *values, int64_t n)
{
    char name[KEY_BYTES], text[512] = "";
    if (sheet->json) {
        json_begin_array(&sheet->writer, json_name(key, name));
        for (int64_t i = 0; i < n; i++) json_put_double(&sheet->writer, NULL, values[i]);
        json_end(&sheet->writer);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used, "%s%.15g", i > 0 ? ", " : "", values[i]);
    }
    cli_line("  %-26s%s", key, text);
}

/* Begins a list; its rows follow as put_row, then end_list. */
static void begin_list(Sheet *sheet, const char *key)
{
    if (sheet->json)
        json_begin_array(&sheet->writer, key);
    else
        cli_line("  %s", key);
}
static void end_list(Sheet *sheet)
{
    if (sheet->json) json_end(&sheet->writer);
}

/* ---- rasters ---- */

/* What tells which pixels of a band are valid. */
static const char *mask_text(RasterMaskKind kind)
{
    static const char *const texts[] = {
        "", "mask of the file", "mask of the band", "NODATA_VALUES of all bands", "nodata value", "alpha band"
    };
    return texts[kind];
}

static void put_band(Sheet *sheet, const Raster *raster, int64_t band)
{
    char nodata[32];
    double scale = 1.0, offset = 0.0;
    const char *name = raster_band_name(raster, band), *type = raster_band_type(raster, band);
    const char *common = raster_band_common_name(raster, band), *mask = mask_text(raster_band_mask(raster, band));
    raster_band_nodata(raster, band, nodata);
    raster_band_scaling(raster, band, &scale, &offset);
    if (sheet->json) {
        json_begin_object(&sheet->writer, NULL);
        json_put_string(&sheet->writer, "name", name);
        json_put_string(&sheet->writer, "type", type);
        json_put_string(&sheet->writer, "common_name", strcmp(common, name) != 0 ? common : "");
        json_put_string(&sheet->writer, "nodata", nodata);
        json_put_string(&sheet->writer, "mask", mask);
        json_put_double(&sheet->writer, "scale", scale);
        json_put_double(&sheet->writer, "offset", offset);
        json_end(&sheet->writer);
        return;
    }
    char text[400];
    size_t used = (size_t)snprintf(text, sizeof text, "%s, %s", name, type);
    if (!str_equal_nocase(common, name))
        used += (size_t)snprintf(text + used, sizeof text - used, ", read as %s", common);
    if (nodata[0] != '\0') used += (size_t)snprintf(text + used, sizeof text - used, ", nodata %s", nodata);
    if (mask[0] != '\0' && raster_band_mask(raster, band) != RASTER_MASK_NODATA)
        used += (size_t)snprintf(text + used, sizeof text - used, ", valid by the %s", mask);
    if (scale != 1.0 || offset != 0.0)
        (void)snprintf(text + used, sizeof text - used, ", scale %.10g, offset %.10g", scale, offset);
    cli_line("    %-24lld%s", (long long)band, text);
}

static void put_bands(Sheet *sheet, const Raster *raster)
{
    begin_list(sheet, "bands");
    for (int64_t band = 1; band <= raster_info(raster)->bands; band++) put_band(sheet, raster, band);
    end_list(sheet);
}

static void put_facts(Sheet *sheet, const Metadata *metadata)
{
    begin_list(sheet, "facts");
    for (int64_t i = 0; i < metadata->n_facts; i++) {
        const Fact *fact = &metadata->facts[i];
        if (sheet->json) {
            json_begin_object(&sheet->writer, NULL);
            json_put_string(&sheet->writer, "name", fact->name);
            json_put_string(&sheet->writer, "value", fact->value);
            json_put_string(&sheet->writer, "source", fact->source);
            json_end(&sheet->writer);
        } else {
            cli_line("    %-24s %s (%s)", fact->name, fact->value, fact->source);
        }
    }
    end_list(sheet);
}

/* Whole rows of blocks, or of a wide raster a part of one: few pixels in memory, and no block decoded twice. */
static RasterWindow counting_window(const RasterInfo *info)
{
    RasterWindow w = { .rows = info->block_height < PIXELS_AT_ONCE ? info->block_height : PIXELS_AT_ONCE };
    const int64_t together = PIXELS_AT_ONCE / info->width / w.rows;
    if (together > 1) w.rows *= together;
    w.columns = PIXELS_AT_ONCE / w.rows < info->width ? PIXELS_AT_ONCE / w.rows : info->width;
    return w;
}

static Err count_windows(const Sheet *sheet, Raster *raster, float *values, uint8_t *valid, LabelCounts *ret_counts)
{
    const RasterInfo *info = raster_info(raster);
    const RasterWindow most = counting_window(info);
    for (int64_t y = 0; y < info->height; y += most.rows) {
        for (int64_t x = 0; x < info->width; x += most.columns) {
            const RasterWindow w = { .x = x,
                                     .y = y,
                                     .columns = info->width - x < most.columns ? info->width - x : most.columns,
                                     .rows = info->height - y < most.rows ? info->height - y : most.rows };
            if (sheet->stop != NULL && *sheet->stop != 0)
                return err_set(ERR_INTERRUPTED, "'%s': stopped while its pixels were counted", sheet->path);
            TRY(raster_read(raster, w, values, valid));
            for (int64_t i = 0; i < w.rows * w.columns; i++)
                if (valid[i] != 0) label_count(ret_counts, values[i]);
        }
    }
    return ERR_NONE;
}

/* Pixels of each value of band 1; a nodata pixel counts under no value. */
static Err count_values(const Sheet *sheet, Raster *raster, LabelCounts *ret_counts)
{
    float *values = malloc(PIXELS_AT_ONCE * sizeof *values);
    uint8_t *valid = malloc(PIXELS_AT_ONCE);
    Err err = values != NULL && valid != NULL ? raster_choose_bands(raster, "1", 1, NULL)
                                              : err_memory(PIXELS_AT_ONCE * (sizeof *values + 1), "pixels of the map");
    if (err == ERR_NONE) err = count_windows(sheet, raster, values, valid, ret_counts);
    free(values);
    free(valid);
    return err;
}

/* Counts the pixels and tells how many; those of values that no class can have are told apart. *ret_total: all valid
 * ones. */
static Err put_counts(Sheet *sheet, Raster *raster, LabelCounts *ret_counts, int64_t *ret_total)
{
    Str text = { 0 };
    TRY(count_values(sheet, raster, ret_counts));
    const int64_t others = label_counts_impossible(ret_counts, &text);
    *ret_total = others;
    for (int i = 0; i < LABEL_VALUES; i++) *ret_total += ret_counts->pixels[i];
    put_number(sheet, "valid pixels", (double)*ret_total);
    if (others > 0) put_number(sheet, "pixels of no class", (double)others);
    if (others > 0) put(sheet, "values of no class", "%s", str_text(&text));
    str_done(&text);
    return ERR_NONE;
}

/* Class names of a map; with shares also their parts of the valid pixels. */
static Err put_map_classes(Sheet *sheet, Raster *raster, bool shares)
{
    LabelCounts counts = { .negative = 0 };
    int64_t total = 0;
    if (shares) TRY(put_counts(sheet, raster, &counts, &total));
    begin_list(sheet, "classes");
    for (int i = 0; i < LABEL_VALUES; i++) {
        const char *name = raster_class_name(raster, i);
        if (name[0] == '\0' && counts.pixels[i] == 0) continue;
        const double share = total > 0 ? (double)counts.pixels[i] / (double)total : 0.0;
        if (sheet->json) {
            json_begin_object(&sheet->writer, NULL);
            json_put_int(&sheet->writer, "code", i);
            json_put_string(&sheet->writer, "name", name);
            if (shares) json_put_double(&sheet->writer, "share", share);
            json_end(&sheet->writer);
        } else if (shares) {
            cli_line("    %-24d%s, %.2f %%", i, name, 100.0 * share);
        } else {
            cli_line("    %-24d%s", i, name);
        }
    }
    end_list(sheet);
    return ERR_NONE;
}

/* How a person reads what a map says of itself. */
static const char *const item_words[][2] = {
    { "METASEG_KIND", "holds" },
    { "METASEG_VERSION", "made by metaseg" },
    { "METASEG_MODEL", "model" },
    { "METASEG_MODEL_HASH", "hash of the model" },
    { "METASEG_COMMAND", "command" },
    { "METASEG_PROMPTS", "prompts" },
    { "METASEG_PROMPT", "own words" },
    { "METASEG_ZONES", "climate zones" },
    { "METASEG_BANDS", "bands that were read" },
    { "METASEG_MASK", "cloud mask" },
};

/* What the words of METASEG_PROMPTS mean. */
static const char *prompts_meaning(const char *value)
{
    static const char *const meanings[][2] = {
        { "grounded", "the words of each place's climate zone" },
        { "null", "the null prompt everywhere" },
        { "tile-mixed", "one mix of the zones' words in each tile" },
        { "shuffled", "the words of other zones, for a comparison" },
        { "own words", "own words everywhere" },
    };
    for (int64_t i = 0; i < ARRAY_LEN(meanings); i++)
        if (strcmp(meanings[i][0], value) == 0) return meanings[i][1];
    return value;
}

static const char *item_label(const char *key)
{
    for (int64_t i = 0; i < ARRAY_LEN(item_words); i++)
        if (strcmp(item_words[i][0], key) == 0) return item_words[i][1];
    return key;
}

/* METASEG_* items: ours. JSON has them as the file does. */
static void put_items(Sheet *sheet, const Raster *raster)
{
    const char *item = NULL;
    for (int64_t i = 0; (item = raster_metadata_item(raster, NULL, i)) != NULL; i++) {
        const char *equals = strchr(item, '=');
        if (!str_starts_with(item, "METASEG_") || equals == NULL) continue;
        if (str_starts_with(item, "METASEG_CLASS_")) continue; /* shown as classes */
        char key[64];
        (void)snprintf(key, sizeof key, "%.*s", (int)(equals - item), item);
        if (sheet->json)
            json_put_string(&sheet->writer, key, equals + 1);
        else
            cli_line("  %-26s%s", item_label(key),
                     strcmp(key, "METASEG_PROMPTS") == 0 ? prompts_meaning(equals + 1) : equals + 1);
    }
}

static void put_grid(Sheet *sheet, const RasterInfo *info)
{
    put(sheet, "format", "%s", info->driver);
    put_number(sheet, "width", (double)info->width);
    put_number(sheet, "height", (double)info->height);
    put(sheet, "crs", "%s", info->crs_name[0] != '\0' ? info->crs_name : "none");
    if (info->has_geotransform) put_numbers(sheet, "geotransform", info->geotransform, 6);
    if (info->gcps > 0) put_number(sheet, "ground control points", (double)info->gcps);
    if (info->has_rpc) put(sheet, "rational polynomials", "yes");
    if (info->has_nodata && isfinite(info->nodata)) put_number(sheet, "nodata", info->nodata);
    if (info->has_nodata && !isfinite(info->nodata)) put(sheet, "nodata", "%g", info->nodata);
}

static Err put_raster(Sheet *sheet, Raster *raster, const InfoArgs *args)
{
    Georeference *georeference = NULL;
    Metadata metadata;
    const bool ours = raster_metadata(raster, NULL, "METASEG_VERSION") != NULL;
    const bool map = ours && raster_info(raster)->has_palette;
    TRY(georeference_open(raster, args->crs, &georeference));
    const Err err = metadata_read(raster, georeference, NULL, &metadata);
    georeference_free(georeference);
    TRY(err);
    begin_sheet(sheet, map ? "class map of metaseg" : ours ? "output of metaseg" : "raster");
    put_grid(sheet, raster_info(raster));
    const char *layout = raster_metadata(raster, "IMAGE_STRUCTURE", "LAYOUT");
    if (layout != NULL) put(sheet, "layout", "%s", layout);
    if (raster_product_note(raster)[0] != '\0') put(sheet, "note", "%s", raster_product_note(raster));
    put_bands(sheet, raster);
    put_facts(sheet, &metadata);
    if (sheet->json && metadata.has_footprint) {
        const Footprint *f = &metadata.footprint;
        put_numbers(sheet, "bbox", (const double[]){ f->west, f->south, f->east, f->north }, 4);
    }
    if (sheet->json) put_number(sheet, "gsd_metres", metadata.sampling.metres);
    put_items(sheet, raster);
    return map || args->shares ? put_map_classes(sheet, raster, args->shares) : ERR_NONE;
}

static Err describe_raster(Sheet *sheet, const char *path, const InfoArgs *args)
{
    Raster *raster = NULL;
    TRY(raster_open(path, sheet->stop, &raster));
    const Err err = put_raster(sheet, raster, args);
    raster_close(raster);
    return err;
}

/* ---- models ---- */

/* The formula of a band's pixels x (data/image_source.h). */
static void put_normalisation(const ModelBand *band, ModelTransform transform)
{
    const double s = band->scale, m = band->mean, d = band->std;
    switch (transform) {
    case MODEL_TRANSFORM_LOG:
        cli_line("    %-24s(ln(1 + 0.005 * %.6g x) - %.6g) / %.6g", band->name, s, m, d);
        break;
    case MODEL_TRANSFORM_LOG_SIGMOID:
        cli_line("    %-24ssigmoid(5 (ln(1 + 0.005 * %.6g x) - %.6g) / %.6g - 1)", band->name, s, m, d);
        break;
    default:
        cli_line("    %-24s(%.6g x - %.6g) / %.6g", band->name, s, m, d);
    }
}

static void put_model_bands(Sheet *sheet, const ModelConfig *config)
{
    begin_list(sheet, "bands");
    for (int32_t i = 0; i < config->network.n_bands; i++) {
        const ModelBand *band = &config->bands[i];
        if (sheet->json) {
            json_begin_object(&sheet->writer, NULL);
            json_put_string(&sheet->writer, "name", band->name);
            json_put_double(&sheet->writer, "scale", band->scale);
            json_put_double(&sheet->writer, "mean", band->mean);
            json_put_double(&sheet->writer, "std", band->std);
            json_end(&sheet->writer);
        } else {
            put_normalisation(band, config->transform);
        }
    }
    end_list(sheet);
}

static void put_model_classes(Sheet *sheet, const ModelConfig *config)
{
    begin_list(sheet, "classes");
    for (int32_t i = 0; i < config->network.n_classes; i++) {
        const ModelClass *c = &config->classes[i];
        if (sheet->json) {
            char color[16];
            (void)snprintf(color, sizeof color, "#%06" PRIx32, c->color & 0xffffffU);
            json_begin_object(&sheet->writer, NULL);
            json_put_int(&sheet->writer, "code", c->code);
            json_put_string(&sheet->writer, "name", c->name);
            json_put_string(&sheet->writer, "color", color);
            json_end(&sheet->writer);
        } else {
            cli_line("    %-24d%s, #%06" PRIx32, (int)c->code, c->name, c->color & 0xffffffU);
        }
    }
    end_list(sheet);
}

static void put_prompts(Sheet *sheet, const Model *model)
{
    const ModelTextEncoder *text = &model->config.text_encoder;
    if (text->known)
        put(sheet, "text encoder", "%s, %d layers, %d features", network_text_encoder_titles[text->kind],
            (int)text->layers, (int)text->width);
    put(sheet, "prompts", "%s", model->config.prompts);
    if (model->prompts.count > 0) put_number(sheet, "zone sentences", (double)model->prompts.count);
}

/* The members of a JSON object as lines, or as they are. */
static Err put_object(Sheet *sheet, const char *key, const char *json)
{
    Json *root = NULL;
    char *text = NULL;
    TRY(json_parse(json, strlen(json), STATE_BYTES, &root));
    Err err = ERR_NONE;
    if (sheet->json) json_put_node(&sheet->writer, key, root);
    if (!sheet->json) cli_line("  %s", key);
    for (const Json *member = json_first(root); !sheet->json && member != NULL && err == ERR_NONE;
         member = json_next(member)) {
        err = json_print(member, false, &text);
        if (err != ERR_NONE) break;
        cli_line("    %-24s%s", json_key(member) != NULL ? json_key(member) : "", text);
        free(text);
    }
    json_free(root);
    return err;
}

static Err put_model(Sheet *sheet, const TensorFile *file, const Model *model)
{
    const ModelConfig *c = &model->config;
    const char *state = tensor_file_metadata(file, "metaseg.train.state");
    uint64_t hash = 0;
    TRY(model_hash(model, &hash));
    begin_sheet(sheet, state != NULL ? "checkpoint" : "model");
    put(sheet, "name", "%s", c->name);
    put(sheet, "encoder", "%s", network_encoder_names[c->network.encoder]);
    put(sheet, "fusion", "%s", network_fusion_names[c->network.fusion]);
    const DecoderDef *decoder = decoder_def(c->network.decoder);
    if (decoder->has_heads)
        put(sheet, "decoder", "%s, %d wide, %d heads", network_decoder_names[c->network.decoder],
            (int)c->network.decoder_width, (int)c->network.decoder_heads);
    else if (decoder->has_width)
        put(sheet, "decoder", "%s, %d wide", network_decoder_names[c->network.decoder], (int)c->network.decoder_width);
    else
        put(sheet, "decoder", "%s", network_decoder_names[c->network.decoder]);
    put_number(sheet, "output stride", (double)c->network.output_stride);
    if (c->network.detail_width != 0) put_number(sheet, "detail width", (double)c->network.detail_width);
    put(sheet, "missing bands", "%s", c->network.missing_bands ? "allowed" : "not allowed");
    if (c->reflectance != 0.0) put_number(sheet, "reflectance of 1", c->reflectance);
    if (model_config_reads_level_1(c))
        put(sheet, "processing level", "1 (top of atmosphere); level 2 is brought to it, band by band");
    if (c->byte_scale != 0.0) put_number(sheet, "byte scale", c->byte_scale);
    put(sheet, "transform", "%s", model_transform_names[c->transform]);
    put_number(sheet, "parameters", (double)params_numbers(model->params));
    put(sheet, "hash", "xxh64:%016" PRIx64, hash);
    put_numbers(sheet, "ground sampling distances", (const double[]){ c->gsd_minimum, c->gsd_maximum }, 2);
    put(sheet, "unit of distances", "%s", model_unit_names[c->gsd_unit]);
    put_number(sheet, "tile", (double)c->tile);
    put_model_bands(sheet, c);
    put_model_classes(sheet, c);
    put_prompts(sheet, model);
    TRY(put_object(sheet, "provenance", c->provenance));
    return state != NULL ? put_object(sheet, "training", state) : ERR_NONE;
}

static Err describe_model(Sheet *sheet, const char *path, const InfoArgs *args)
{
    TensorFile *file = NULL;
    Model *model = NULL;
    TRY(tensor_file_open(path, &file));
    Err err = model_load_file(file, false, &model);
    if (err == ERR_NONE && args->stac_mlm != NULL) err = stac_mlm_write(model, path, args->stac_mlm, args->overwrite);
    if (err == ERR_NONE) err = put_model(sheet, file, model);
    model_free(model);
    tensor_file_close(file);
    return err == ERR_INPUT ? err_prefix(ERR_MODEL, "'%s'", path) : err;
}

/* ---- files ---- */

/* Whether a file begins like one of tensors: a safetensors header, a zip archive, or a pickle. No raster that we read
 * does but the zip of a product. */
static bool holds_tensors(const char *path)
{
    unsigned char head[9] = { 0 };
    int fd = -1;
    if (raster_is_product(path)) return false;
    if (file_open(path, &fd) != ERR_NONE) return str_ends_with(path, ".safetensors") || str_ends_with(path, ".pth");
    const ssize_t n = read(fd, head, sizeof head);
    (void)close(fd);
    if (n >= 4 && (memcmp(head, "PK\3\4", 4) == 0 || memcmp(head, "\x80\x02", 2) == 0)) return true;
    return (n == (ssize_t)sizeof head && head[8] == '{' && memcmp(head, "II", 2) != 0 && memcmp(head, "MM", 2) != 0) ||
           str_ends_with(path, ".safetensors");
}

static Err describe(const Cli *cli, const InfoArgs *args, const char *path)
{
    Sheet sheet = { .json = cli_json_wanted(cli, args->json), .path = path, .stop = cli->run.stop };
    char *text = NULL;
    const bool model = holds_tensors(path);
    if (args->stac_mlm != NULL && !model)
        return err_set(ERR_ARGUMENT, "'%s': --stac-mlm describes models; this is none", path);
    Err err = model ? describe_model(&sheet, path, args) : describe_raster(&sheet, path, args);
    if (sheet.json && err == ERR_NONE) {
        json_end(&sheet.writer);
        err = json_take(&sheet.writer, &text);
        if (err == ERR_NONE) cli_json(text);
        free(text);
    }
    json_writer_done(&sheet.writer);
    return err;
}

Err cli_info(const Cli *cli, const char *path, bool json) { return describe(cli, &(InfoArgs){ .json = json }, path); }

static Err run_info(Cli *cli, const void *target, const OptionResult *words)
{
    const InfoArgs *args = target;
    int64_t failed = 0;
    if (args->overwrite && args->stac_mlm == NULL)
        return err_set(ERR_ARGUMENT, "-f replaces the file of --stac-mlm, and none was named");
    if (args->stac_mlm != NULL && words->n_arguments > 1)
        return err_set(ERR_ARGUMENT, "--stac-mlm describes one model; %lld files are given",
                       (long long)words->n_arguments);
    if (words->n_arguments == 1) return describe(cli, args, words->arguments[0]);
    for (int64_t i = 0; i < words->n_arguments; i++) {
        if (describe(cli, args, words->arguments[i]) == ERR_NONE) continue;
        failed++;
        log_line(&cli->log, LOG_ERROR, "%s", err_message());
    }
    if (failed == 0) return ERR_NONE;
    return err_set(ERR_PARTIAL, "%lld of %lld files failed", (long long)failed, (long long)words->n_arguments);
}

Err cmd_info(Cli *cli, int argc, char **argv)
{
    InfoArgs args = { 0 };
    return cli_run(cli, &cmd_info_spec, &args, argc, argv, run_info);
}
