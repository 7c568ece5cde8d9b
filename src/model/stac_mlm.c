/* SPDX-License-Identifier: Apache-2.0
 * The fields of the Item, in the order of the specifications. */
#include "model/stac_mlm.h"

#include "base/file.h"
#include "base/file_set.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/str.h"
#include "network/encoder.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PROVENANCE_BYTES = 1 << 16, NAME_BYTES = 128 };

static const double metres_per_degree = 111319.49; /* WGS 84, along the equator */

/* "^[a-zA-Z][a-zA-Z0-9_.\-\s]+[a-zA-Z0-9]$" of mlm:name, at least three characters. */
static void make_name(const char *from, char ret_name[NAME_BYTES])
{
    size_t n = 0;
    ret_name[0] = '\0';
    if (strlen(from) < 3 || !isalpha((unsigned char)from[0]) || (unsigned char)from[0] >= 0x80)
        n = (size_t)snprintf(ret_name, NAME_BYTES, "model ");
    for (; *from != '\0' && n + 1 < NAME_BYTES; from++) {
        const unsigned char c = (unsigned char)*from;
        ret_name[n++] = (char)(c < 0x80 && (isalnum(c) || strchr("_.- ", c) != NULL) ? c : '-');
    }
    while (n > 0 && !isalnum((unsigned char)ret_name[n - 1])) n--;
    ret_name[n] = '\0';
    if (n < 3) (void)snprintf(ret_name, NAME_BYTES, "model");
}

/* A path as a reference: what is no letter, digit or one of "-._~/" as %XX. */
static void add_reference(Str *text, const char *path)
{
    for (const char *c = path; *c != '\0'; c++) {
        const unsigned char byte = (unsigned char)*c;
        if (byte < 0x80 && (isalnum(byte) || strchr("-._~/", byte) != NULL))
            str_add_char(text, *c);
        else
            str_addf(text, "%%%02X", (unsigned)byte);
    }
}

/* "./NAME" where the Item lies beside the model, else its absolute path. */
static Err make_reference(const char *model_path, const char *path, char **ret_reference)
{
    char *folders[2] = { NULL, NULL }, *absolute = realpath(model_path, NULL);
    struct stat at[2];
    Str text = { 0 };
    Err err = path_folder(model_path, &folders[0]);
    if (err == ERR_NONE) err = path_folder(path, &folders[1]);
    if (err == ERR_NONE && absolute == NULL) err = err_set(ERR_INPUT, "'%s': no such file", model_path);
    if (err == ERR_NONE) {
        const bool beside = stat(folders[0], &at[0]) == 0 && stat(folders[1], &at[1]) == 0 &&
                            at[0].st_dev == at[1].st_dev && at[0].st_ino == at[1].st_ino;
        if (beside) str_add(&text, "./");
        add_reference(&text, beside ? path_name(model_path) : absolute);
        err = str_take(&text, ret_reference);
    }
    free(folders[0]);
    free(folders[1]);
    free(absolute);
    return err;
}

static void put_strings(JsonWriter *w, const char *key, const char *const *texts, int64_t n)
{
    json_begin_array(w, key);
    for (int64_t i = 0; i < n; i++) json_put_string(w, NULL, texts[i]);
    json_end(w);
}

/* shape and dim_order, the batch first and of any size; values are float32. */
static void put_structure(JsonWriter *w, const char *key, const int64_t *sizes, const char *const *dimensions,
                          int64_t n)
{
    json_begin_object(w, key);
    json_begin_array(w, "shape");
    json_put_int(w, NULL, -1);
    for (int64_t i = 0; i < n; i++) json_put_int(w, NULL, sizes[i]);
    json_end(w);
    json_begin_array(w, "dim_order");
    json_put_string(w, NULL, "batch");
    for (int64_t i = 0; i < n; i++) json_put_string(w, NULL, dimensions[i]);
    json_end(w);
    json_put_string(w, "data_type", "float32");
    json_end(w);
}

/* What becomes of a band's pixels, called A in a formula (data/image_source.h). */
static void put_scaling(JsonWriter *w, const ModelBand *band, ModelTransform transform)
{
    char formula[256];
    json_begin_object(w, NULL);
    if (transform == MODEL_TRANSFORM_NONE) {
        json_put_string(w, "type", "z-score");
        json_put_double(w, "mean", band->mean / band->scale);
        json_put_double(w, "stddev", band->std / band->scale);
    } else {
        (void)snprintf(formula, sizeof formula, "(log1p(0.005*maximum(%.9g*A,0))-%.9g)/%.9g", band->scale, band->mean,
                       band->std);
        char whole[300];
        (void)snprintf(whole, sizeof whole, transform == MODEL_TRANSFORM_LOG_SIGMOID ? "1/(1+exp(1-5*%s))" : "%s",
                       formula);
        json_put_string(w, "type", "processing");
        json_put_string(w, "format", "gdal-calc");
        json_put_string(w, "expression", whole);
    }
    json_end(w);
}

static void put_input(JsonWriter *w, const ModelConfig *c)
{
    static const char *const dimensions[] = { "height", "width", "bands" };
    const int64_t sizes[] = { c->tile, c->tile, c->network.n_bands };
    json_begin_object(w, NULL);
    json_put_string(w, "name", "image");
    json_begin_array(w, "bands");
    for (int32_t b = 0; b < c->network.n_bands; b++) json_put_string(w, NULL, c->bands[b].name);
    json_end(w);
    put_structure(w, "input", sizes, dimensions, ARRAY_LEN(sizes));
    json_begin_array(w, "value_scaling");
    for (int32_t b = 0; b < c->network.n_bands; b++) put_scaling(w, &c->bands[b], c->transform);
    json_end(w);
    json_end(w);
    if (c->network.fusion == NETWORK_FUSION_NONE) return;
    static const char *const of_text[] = { "zone", "token", "embedding" };
    const int64_t tokens[] = { c->network.zone_slots, c->network.prompt_tokens, c->network.text_width };
    json_begin_object(w, NULL);
    json_put_string(w, "name", "prompts");
    json_begin_array(w, "bands");
    json_end(w);
    put_structure(w, "input", tokens, of_text, ARRAY_LEN(tokens));
    json_put_string(w, "description",
                    "token features of the sentences of up to four climate zones, which the model file holds");
    json_end(w);
}

static void put_output(JsonWriter *w, const ModelConfig *c, const char *const *tasks, int64_t n_tasks)
{
    static const char *const dimensions[] = { "height", "width", "class" };
    const int64_t side = c->tile / c->network.output_stride;
    const int64_t sizes[] = { side, side, c->network.n_classes };
    json_begin_object(w, NULL);
    json_put_string(w, "name", "logits");
    put_strings(w, "tasks", tasks, n_tasks);
    put_structure(w, "result", sizes, dimensions, ARRAY_LEN(sizes));
    json_put_string(w, "description",
                    "scores before softmax in the order of the classes; values are those of maps, which hold 255 where "
                    "there is no data");
    json_begin_array(w, "classification:classes");
    for (int32_t i = 0; i < c->network.n_classes; i++) {
        char color[8];
        (void)snprintf(color, sizeof color, "%06" PRIX32, c->classes[i].color & 0xffffffU);
        json_begin_object(w, NULL);
        json_put_int(w, "value", c->classes[i].code);
        json_put_string(w, "name", c->classes[i].name);
        json_put_string(w, "description", c->classes[i].name);
        json_put_string(w, "color_hint", color);
        json_end(w);
    }
    json_end(w);
    json_end(w);
}

/* What trained the model; its version where the provenance has it as "metaseg 0.1.0". */
static Err put_framework(JsonWriter *w, const ModelConfig *c)
{
    static const char ours[] = "metaseg ";
    Json *root = NULL;
    const bool whole = encoder_def(c->network.encoder)->whole != NULL; /* a published network */
    json_put_string(w, "mlm:framework", whole ? "TensorFlow" : "metaseg");
    if (whole || c->provenance == NULL) return ERR_NONE;
    TRY(json_parse(c->provenance, strlen(c->provenance), PROVENANCE_BYTES, &root));
    const Json *software = json_find(root, "software");
    const char *text = NULL;
    if (software != NULL && json_as_string(software, "software", &text) == ERR_NONE && str_starts_with(text, ours))
        json_put_string(w, "mlm:framework_version", text + sizeof ours - 1);
    json_free(root);
    return ERR_NONE;
}

/* Pixel sizes, and what no extension has a field for. */
static void put_own(JsonWriter *w, const ModelConfig *c)
{
    const double unit = c->gsd_unit == MODEL_DEGREE ? metres_per_degree : 1.0;
    if (c->gsd_unit != MODEL_PIXEL) json_put_double(w, "gsd", c->gsd_minimum * unit);
    json_begin_object(w, "metaseg:pixel_sizes");
    json_put_double(w, "minimum", c->gsd_minimum);
    json_put_double(w, "maximum", c->gsd_maximum);
    json_put_string(w, "unit", model_unit_names[c->gsd_unit]);
    json_end(w);
    json_put_bool(w, "metaseg:missing_bands", c->network.missing_bands);
    if (c->byte_scale != 0.0) json_put_double(w, "metaseg:byte_scale", c->byte_scale);
    if (c->reflectance != 0.0) json_put_double(w, "metaseg:reflectance", c->reflectance);
    if (!model_config_reads_level_1(c)) return;
    json_begin_array(w, "metaseg:surface_scale");
    for (int32_t b = 0; b < c->network.n_bands; b++) json_put_double(w, NULL, c->bands[b].surface_scale);
    json_end(w);
    json_begin_array(w, "metaseg:surface_offset");
    for (int32_t b = 0; b < c->network.n_bands; b++) json_put_double(w, NULL, c->bands[b].surface_offset);
    json_end(w);
}

/* STAC's own list. The extension wants it in the properties, STAC allows it there only where an asset has one, too. */
static void put_bands(JsonWriter *w, const ModelConfig *c)
{
    json_begin_array(w, "bands");
    for (int32_t b = 0; b < c->network.n_bands; b++) {
        json_begin_object(w, NULL);
        json_put_string(w, "name", c->bands[b].name);
        json_end(w);
    }
    json_end(w);
}

/* "UNetFormer, EfficientNet-Lite0", or the one of both that there is. */
static void put_architecture(JsonWriter *w, const NetworkConfig *network)
{
    char text[128];
    const bool encoder = encoder_def(network->encoder)->build != NULL;
    if (encoder)
        (void)snprintf(text, sizeof text, "%s, %s", network_decoder_titles[network->decoder],
                       network_encoder_titles[network->encoder]);
    json_put_string(w, "mlm:architecture",
                    encoder                                      ? text
                    : network->decoder == NETWORK_DECODER_detail ? "detail branch of metaseg"
                                                                 : network_encoder_titles[network->encoder]);
}

static Err put_properties(JsonWriter *w, const Model *model)
{
    static const char *const tasks[] = { "semantic-segmentation" };
    const ModelConfig *c = &model->config;
    char name[NAME_BYTES];
    const int64_t parameters = params_numbers(model->params);
    make_name(c->name, name);
    json_begin_object(w, "properties");
    json_put_string(w, "title", c->name);
    json_put_null(w, "datetime"); /* a model is of no time: any, as the extension's own examples say it */
    json_put_string(w, "start_datetime", "1900-01-01T00:00:00Z");
    json_put_string(w, "end_datetime", "9999-12-31T23:59:59Z");
    put_own(w, c);
    put_bands(w, c);
    json_put_string(w, "mlm:name", name);
    put_architecture(w, &c->network);
    put_strings(w, "mlm:tasks", tasks, ARRAY_LEN(tasks));
    TRY(put_framework(w, c));
    json_put_int(w, "mlm:total_parameters", parameters);
    json_put_string(w, "mlm:accelerator", "amd64");
    json_put_bool(w, "mlm:accelerator_constrained", false);
    json_begin_array(w, "mlm:input");
    put_input(w, c);
    json_end(w);
    json_begin_array(w, "mlm:output");
    put_output(w, c, tasks, ARRAY_LEN(tasks));
    json_end(w);
    json_end(w);
    return ERR_NONE;
}

/* The file itself. Its checksum is a multihash: code 0xb3e2 (xxh-64) as a varint, length 8, then the XXH64 of all bytes. */
static Err put_asset(JsonWriter *w, const ModelConfig *config, const char *model_path, const char *path)
{
    static const char *const roles[] = { "mlm:model", "mlm:weights" };
    char checksum[64];
    char *reference = NULL;
    uint64_t hash = 0;
    struct stat file;
    TRY(hash_file(model_path, &hash));
    if (stat(model_path, &file) != 0) return err_set(ERR_INPUT, "'%s': no such file", model_path);
    TRY(make_reference(model_path, path, &reference));
    (void)snprintf(checksum, sizeof checksum, "e2e70208%016" PRIx64, hash);
    json_begin_object(w, "assets");
    json_begin_object(w, "model");
    json_put_string(w, "href", reference);
    json_put_string(w, "title", "weights and configuration, for metaseg predict -m");
    json_put_string(w, "type", "application/octet-stream");
    put_strings(w, "roles", roles, ARRAY_LEN(roles));
    json_put_string(w, "mlm:artifact_type", "safetensors.torch.save_file");
    put_bands(w, config);
    json_put_int(w, "file:size", (int64_t)file.st_size);
    json_put_string(w, "file:checksum", checksum);
    json_end(w);
    json_end(w);
    free(reference);
    return ERR_NONE;
}

static Err make_item(const Model *model, const char *model_path, const char *path, char **ret_text)
{
    static const char *const extensions[] = { "https://stac-extensions.github.io/mlm/v1.5.2/schema.json",
                                              "https://stac-extensions.github.io/classification/v1.1.0/schema.json",
                                              "https://stac-extensions.github.io/file/v2.1.0/schema.json" };
    char *id = NULL;
    JsonWriter w = { .pretty = true };
    TRY(path_stem(path_name(model_path), &id));
    json_begin_object(&w, NULL);
    json_put_string(&w, "type", "Feature");
    json_put_string(&w, "stac_version", "1.1.0");
    put_strings(&w, "stac_extensions", extensions, ARRAY_LEN(extensions));
    json_put_string(&w, "id", id);
    json_put_null(&w, "geometry");
    free(id);
    Err err = put_properties(&w, model);
    json_begin_array(&w, "links");
    json_end(&w);
    if (err == ERR_NONE) err = put_asset(&w, &model->config, model_path, path);
    json_end(&w);
    if (err == ERR_NONE) return json_take(&w, ret_text);
    json_writer_done(&w);
    return err;
}

Err stac_mlm_write(const Model *model, const char *model_path, const char *path, bool overwrite)
{
    FileSet set = { 0 };
    char *text = NULL;
    TRY(file_check_kind(path, "the STAC Item", "JSON file", "json"));
    Err err = file_set_input(&set, model_path, "the model");
    if (err == ERR_NONE) err = file_set_output(&set, path, "the STAC Item");
    file_set_done(&set);
    if (err == ERR_NONE) err = file_check_output(path, overwrite);
    if (err == ERR_NONE) err = make_item(model, model_path, path, &text);
    if (err == ERR_NONE) err = file_write(path, text, strlen(text), overwrite);
    free(text);
    return err;
}
