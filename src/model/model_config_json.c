/* SPDX-License-Identifier: Apache-2.0
 * Model configurations as JSON, schema 1. */
#include "model/model_config.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/str.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA = 1, MAX_JSON_BYTES = 4 << 20 };

/* Sizes of what fusion reads: keys that schema 1 got later. */
typedef struct Size {
    const char *key;
    size_t offset;
} Size;
static const Size text_sizes[] = {
    { "text_width", offsetof(NetworkConfig, text_width) },
    { "null_tokens", offsetof(NetworkConfig, null_tokens) },
    { "fusion_width", offsetof(NetworkConfig, fusion_width) },
    { "fusion_heads", offsetof(NetworkConfig, fusion_heads) },
};

static int32_t *size_at(NetworkConfig *network, const Size *size)
{
    return (int32_t *)(void *)((char *)network + size->offset);
}

static void put_bands(JsonWriter *w, const ModelConfig *config)
{
    json_begin_array(w, "bands");
    for (int32_t i = 0; i < config->network.n_bands; i++) {
        json_begin_object(w, NULL);
        json_put_string(w, "name", config->bands[i].name);
        json_put_double(w, "scale", config->bands[i].scale);
        json_put_double(w, "mean", config->bands[i].mean);
        json_put_double(w, "std", config->bands[i].std);
        if (config->bands[i].surface_scale != 0.0) {
            json_put_double(w, "surface_scale", config->bands[i].surface_scale);
            json_put_double(w, "surface_offset", config->bands[i].surface_offset);
        }
        json_end(w);
    }
    json_end(w);
}

static void put_classes(JsonWriter *w, const ModelConfig *config)
{
    json_begin_array(w, "classes");
    for (int32_t i = 0; i < config->network.n_classes; i++) {
        char color[16];
        (void)snprintf(color, sizeof color, "#%06x", (unsigned)(config->classes[i].color & 0xffffffU));
        json_begin_object(w, NULL);
        json_put_int(w, "code", config->classes[i].code);
        json_put_string(w, "name", config->classes[i].name);
        json_put_string(w, "color", color);
        json_end(w);
    }
    json_end(w);
}

static void put_text_encoder(JsonWriter *w, const ModelTextEncoder *text_encoder)
{
    char hash[17];
    hash_hex(text_encoder->hash, hash);
    json_begin_object(w, "text_encoder");
    json_put_string(w, "name", network_text_encoder_names[text_encoder->kind]);
    json_put_int(w, "layers", text_encoder->layers);
    json_put_int(w, "width", text_encoder->width);
    json_put_string(w, "hash", hash);
    json_end(w);
}

/* Keys that schema 1 got later. A file without one means what it meant before, so they are written where they say
 * something else: other files stay readable by earlier programs. */
static void put_later_keys(JsonWriter *w, const ModelConfig *config)
{
    const NetworkConfig usual = network_config_defaults();
    if (config->network.output_stride != usual.output_stride)
        json_put_int(w, "output_stride", config->network.output_stride);
    if (config->network.detail_width != 0) json_put_int(w, "detail_width", config->network.detail_width);
    for (int64_t i = 0; i < ARRAY_LEN(text_sizes); i++) {
        const int32_t value = *size_at((NetworkConfig *)&config->network, &text_sizes[i]);
        if (value != *size_at((NetworkConfig *)&usual, &text_sizes[i])) json_put_int(w, text_sizes[i].key, value);
    }
    if (config->network.missing_bands) json_put_bool(w, "missing_bands", true);
    if (config->byte_scale != 0.0) json_put_double(w, "byte_scale", config->byte_scale);
    if (config->reflectance != 0.0) json_put_double(w, "reflectance", config->reflectance);
    if (config->text_encoder.known) put_text_encoder(w, &config->text_encoder);
    if (config->transform != MODEL_TRANSFORM_NONE)
        json_put_string(w, "transform", model_transform_names[config->transform]);
}

Err model_config_write(const ModelConfig *config, char **ret_json)
{
    JsonWriter w = { 0 };
    Json *provenance = NULL;
    TRY(json_parse(config->provenance, strlen(config->provenance), MAX_JSON_BYTES, &provenance));
    json_begin_object(&w, NULL);
    json_put_int(&w, "schema", SCHEMA);
    json_put_string(&w, "name", config->name);
    json_put_string(&w, "encoder", network_encoder_names[config->network.encoder]);
    json_put_string(&w, "fusion", network_fusion_names[config->network.fusion]);
    json_put_string(&w, "decoder", network_decoder_names[config->network.decoder]);
    json_put_int(&w, "decoder_width", config->network.decoder_width);
    json_put_int(&w, "decoder_heads", config->network.decoder_heads);
    put_later_keys(&w, config);
    put_bands(&w, config);
    put_classes(&w, config);
    json_begin_object(&w, "gsd");
    json_put_double(&w, "minimum", config->gsd_minimum);
    json_put_double(&w, "maximum", config->gsd_maximum);
    json_put_string(&w, "unit", model_unit_names[config->gsd_unit]);
    json_end(&w);
    json_put_int(&w, "tile", config->tile);
    json_put_int(&w, "prompt_tokens", config->network.prompt_tokens);
    json_put_string(&w, "prompts", config->prompts);
    json_put_node(&w, "provenance", provenance);
    json_end(&w);
    json_free(provenance);
    return json_take(&w, ret_json);
}

/* Refuses members that are not in `known` (ends with NULL). */
static Err check_keys(const Json *object, const char *const *known)
{
    for (const Json *member = json_first(object); member != NULL; member = json_next(member)) {
        int i = 0;
        while (known[i] != NULL && strcmp(known[i], json_key(member)) != 0) i++;
        if (known[i] == NULL) return err_set(ERR_INPUT, "the key '%.60s' is unknown", json_key(member));
    }
    return ERR_NONE;
}

static Err get_text(const Json *object, const char *key, char **text)
{
    const char *value = NULL;
    TRY(json_get_string(object, key, &value));
    return model_config_set_text(text, value);
}

static Err get_int32(const Json *object, const char *key, int32_t *ret_value)
{
    int64_t value = 0;
    TRY(json_get_int(object, key, INT32_MIN, INT32_MAX, &value));
    *ret_value = (int32_t)value;
    return ERR_NONE;
}

/* A key of older files for what cannot be chosen: if it is there, it must say what holds. */
static Err check_fixed(const Json *object, const char *key, int64_t value)
{
    int64_t found = value;
    if (json_find(object, key) != NULL) TRY(json_get_int(object, key, INT32_MIN, INT32_MAX, &found));
    if (found == value) return ERR_NONE;
    return err_set(ERR_INPUT, "'%s' is %lld; this program has %lld", key, (long long)found, (long long)value);
}

/* One of n words, by its index; `what` is unknown otherwise. */
static Err get_choice(const Json *object, const char *key, const char *what, const char *const *words, int n,
                      int *ret_choice)
{
    const char *text = NULL;
    TRY(json_get_string(object, key, &text));
    for (int i = 0; i < n; i++) {
        if (strcmp(text, words[i]) != 0) continue;
        *ret_choice = i;
        return ERR_NONE;
    }
    Str known = { 0 };
    for (int i = 0; i < n; i++) str_addf(&known, "%s%s", i > 0 ? ", " : "", words[i]);
    const Err err = err_set(ERR_INPUT, "the %s '%.60s' is unknown; this program has %s", what, text, str_text(&known));
    str_done(&known);
    return err;
}

static Err read_bands(const Json *root, ModelConfig *config)
{
    static const char *const keys[] = { "name", "scale", "mean", "std", "surface_scale", "surface_offset", NULL };
    const Json *array = NULL;
    TRY(json_get_array(root, "bands", &array));
    const int64_t n = json_count(array);
    if (n > MODEL_MAX_BANDS)
        return err_set(ERR_INPUT, "it has %lld bands; at most %d are read", (long long)n, MODEL_MAX_BANDS);
    TRY(model_config_set_bands(config, (int32_t)n));
    ModelBand *band = config->bands;
    for (const Json *node = json_first(array); node != NULL; node = json_next(node), band++) {
        TRY(check_keys(node, keys));
        TRY(get_text(node, "name", &band->name));
        TRY(json_get_double(node, "scale", &band->scale));
        TRY(json_get_double(node, "mean", &band->mean));
        TRY(json_get_double(node, "std", &band->std));
        if (json_find(node, "surface_scale") == NULL) continue; /* a later key */
        TRY(json_get_double(node, "surface_scale", &band->surface_scale));
        TRY(json_get_double(node, "surface_offset", &band->surface_offset));
    }
    return ERR_NONE;
}

static Err read_color(const Json *node, uint32_t *ret_color)
{
    const char *text = NULL;
    TRY(json_get_string(node, "color", &text));
    if (text[0] != '#' || strlen(text) != 7 || strspn(text + 1, "0123456789abcdefABCDEF") != 6) {
        return err_set(ERR_INPUT, "the colour '%.20s' is not written as #rrggbb", text);
    }
    *ret_color = (uint32_t)strtoul(text + 1, NULL, 16);
    return ERR_NONE;
}

static Err read_classes(const Json *root, ModelConfig *config)
{
    static const char *const keys[] = { "code", "name", "color", NULL };
    const Json *array = NULL;
    TRY(json_get_array(root, "classes", &array));
    const int64_t n = json_count(array);
    if (n > MODEL_MAX_CLASSES) {
        return err_set(ERR_INPUT, "it has %lld classes; at most %d are read", (long long)n, MODEL_MAX_CLASSES);
    }
    TRY(model_config_set_classes(config, (int32_t)n));
    ModelClass *class = config->classes;
    for (const Json *node = json_first(array); node != NULL; node = json_next(node), class ++) {
        TRY(check_keys(node, keys));
        TRY(get_int32(node, "code", &class->code));
        TRY(get_text(node, "name", &class->name));
        TRY(read_color(node, &class->color));
    }
    return ERR_NONE;
}

static Err read_gsd(const Json *root, ModelConfig *config)
{
    static const char *const keys[] = { "minimum", "maximum", "unit", NULL };
    const Json *gsd = NULL;
    int unit = 0;
    TRY(json_get_object(root, "gsd", &gsd));
    TRY(check_keys(gsd, keys));
    TRY(json_get_double(gsd, "minimum", &config->gsd_minimum));
    TRY(json_get_double(gsd, "maximum", &config->gsd_maximum));
    TRY(get_choice(gsd, "unit", "unit of distances", model_unit_names, MODEL_UNIT_COUNT, &unit));
    config->gsd_unit = (ModelUnit)unit;
    return ERR_NONE;
}

static Err read_provenance(const Json *root, ModelConfig *config)
{
    const Json *node = NULL;
    char *text = NULL;
    TRY(json_get_object(root, "provenance", &node));
    TRY(json_print(node, false, &text));
    free(config->provenance);
    config->provenance = text;
    return ERR_NONE;
}

static Err read_text_encoder(const Json *root, ModelConfig *config)
{
    static const char *const keys[] = { "name", "layers", "width", "hash", NULL };
    ModelTextEncoder text_encoder = { .known = true };
    const Json *node = NULL;
    const char *hash = NULL;
    char *end = NULL, again[17];
    int kind = 0;
    TRY(json_get_object(root, "text_encoder", &node));
    TRY(check_keys(node, keys));
    TRY(get_choice(node, "name", "text encoder", network_text_encoder_names, NETWORK_TEXT_ENCODER_COUNT, &kind));
    TRY(get_int32(node, "layers", &text_encoder.layers));
    TRY(get_int32(node, "width", &text_encoder.width));
    TRY(json_get_string(node, "hash", &hash));
    text_encoder.kind = (NetworkTextEncoder)kind;
    text_encoder.hash = strtoull(hash, &end, 16);
    hash_hex(text_encoder.hash, again);
    if (strcmp(again, hash) != 0)
        return err_set(ERR_INPUT, "the hash '%.40s' of its text encoder is not 16 hexadecimal digits", hash);
    config->text_encoder = text_encoder;
    return ERR_NONE;
}

/* Keys of put_later_keys; config holds what their absence means. */
static Err read_later_keys(const Json *root, ModelConfig *config)
{
    if (json_find(root, "output_stride") != NULL) TRY(get_int32(root, "output_stride", &config->network.output_stride));
    if (json_find(root, "detail_width") != NULL) TRY(get_int32(root, "detail_width", &config->network.detail_width));
    for (int64_t i = 0; i < ARRAY_LEN(text_sizes); i++)
        if (json_find(root, text_sizes[i].key) != NULL)
            TRY(get_int32(root, text_sizes[i].key, size_at(&config->network, &text_sizes[i])));
    if (json_find(root, "missing_bands") != NULL)
        TRY(json_get_bool(root, "missing_bands", &config->network.missing_bands));
    if (json_find(root, "byte_scale") != NULL) TRY(json_get_double(root, "byte_scale", &config->byte_scale));
    if (json_find(root, "reflectance") != NULL) TRY(json_get_double(root, "reflectance", &config->reflectance));
    if (json_find(root, "text_encoder") != NULL) TRY(read_text_encoder(root, config));
    int transform = MODEL_TRANSFORM_NONE;
    if (json_find(root, "transform") != NULL)
        TRY(get_choice(root, "transform", "transform of pixels", model_transform_names, MODEL_TRANSFORM_COUNT,
                       &transform));
    config->transform = (ModelTransform)transform;
    return ERR_NONE;
}

static Err read_members(const Json *root, ModelConfig *config)
{
    static const char *const keys[] = { "schema",        "name",          "encoder",       "fusion",
                                        "decoder",       "decoder_width", "decoder_heads", "bands",
                                        "classes",       "nodata",        "gsd",           "tile",
                                        "zone_slots",    "prompt_tokens", "prompts",       "provenance",
                                        "output_stride", "missing_bands", "byte_scale",    "transform",
                                        "reflectance",   "detail_width",  "text_width",    "null_tokens",
                                        "fusion_width",  "fusion_heads",  "text_encoder",  NULL };
    int64_t schema = 0;
    int encoder = 0, fusion = 0, decoder = 0;
    TRY(json_get_int(root, "schema", 1, INT32_MAX, &schema));
    if (schema != SCHEMA) {
        return err_set(ERR_INPUT, "it has schema %lld; this program reads %d: use a newer metaseg", (long long)schema,
                       SCHEMA);
    }
    TRY(check_keys(root, keys));
    TRY(get_text(root, "name", &config->name));
    TRY(get_choice(root, "encoder", "image encoder", network_encoder_names, NETWORK_ENCODER_COUNT, &encoder));
    TRY(get_choice(root, "fusion", "fusion", network_fusion_names, NETWORK_FUSION_COUNT, &fusion));
    config->network.encoder = (NetworkEncoder)encoder;
    config->network.fusion = (NetworkFusion)fusion;
    TRY(get_choice(root, "decoder", "decoder", network_decoder_names, NETWORK_DECODER_COUNT, &decoder));
    config->network.decoder = (NetworkDecoder)decoder;
    TRY(get_int32(root, "decoder_width", &config->network.decoder_width));
    TRY(get_int32(root, "decoder_heads", &config->network.decoder_heads));
    TRY(read_later_keys(root, config));
    TRY(read_bands(root, config));
    TRY(read_classes(root, config));
    TRY(read_gsd(root, config));
    TRY(get_int32(root, "tile", &config->tile));
    TRY(check_fixed(root, "nodata", 255));
    TRY(check_fixed(root, "zone_slots", config->network.zone_slots));
    TRY(get_int32(root, "prompt_tokens", &config->network.prompt_tokens));
    TRY(get_text(root, "prompts", &config->prompts));
    TRY(read_provenance(root, config));
    return model_config_check(config);
}

Err model_config_read(const char *json, const char *name, ModelConfig *ret_config)
{
    Json *root = NULL;
    ModelConfig config = { 0 };
    Err err = model_config_init(&config);
    if (err == ERR_NONE) err = json_parse(json, strlen(json), MAX_JSON_BYTES, &root);
    if (err == ERR_NONE) err = read_members(root, &config);
    json_free(root);
    if (err == ERR_NONE) {
        *ret_config = config;
        return ERR_NONE;
    }
    model_config_done(&config);
    return err_prefix(err == ERR_INPUT ? ERR_MODEL : err, "'%s': model configuration", name);
}
