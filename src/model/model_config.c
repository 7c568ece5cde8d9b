/* SPDX-License-Identifier: Apache-2.0
 * Making and checking model configurations; their JSON is model_config_json.c. */
#include "model/model_config.h"

#include "base/str.h"
#include "text/prompt_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const model_unit_names[MODEL_UNIT_COUNT] = { "metre", "degree", "pixel" };
const char *const model_transform_names[MODEL_TRANSFORM_COUNT] = { "none", "log", "log_sigmoid" };

Err model_config_set_text(char **text, const char *value)
{
    char *copy = NULL;
    TRY(str_copy(value, &copy));
    free(*text);
    *text = copy;
    return ERR_NONE;
}

static void free_bands(ModelConfig *config)
{
    for (int32_t i = 0; i < config->network.n_bands; i++) free(config->bands[i].name);
    free(config->bands);
    config->bands = NULL;
    config->network.n_bands = 0;
}

static void free_classes(ModelConfig *config)
{
    for (int32_t i = 0; i < config->network.n_classes; i++) free(config->classes[i].name);
    free(config->classes);
    config->classes = NULL;
    config->network.n_classes = 0;
}

Err model_config_set_bands(ModelConfig *config, int32_t n)
{
    free_bands(config);
    config->bands = calloc((size_t)n + 1, sizeof *config->bands);
    if (config->bands == NULL) return err_memory((size_t)n * sizeof *config->bands, "bands");
    config->network.n_bands = n;
    for (int32_t i = 0; i < n; i++) {
        config->bands[i] = (ModelBand){ .scale = 1.0, .std = 1.0 };
        TRY(str_format(&config->bands[i].name, "band %d", (int)i + 1));
    }
    return ERR_NONE;
}

Err model_config_set_classes(ModelConfig *config, int32_t n)
{
    free_classes(config);
    config->classes = calloc((size_t)n + 1, sizeof *config->classes);
    if (config->classes == NULL) return err_memory((size_t)n * sizeof *config->classes, "classes");
    config->network.n_classes = n;
    for (int32_t i = 0; i < n; i++) {
        config->classes[i] = (ModelClass){ .code = i };
        TRY(str_format(&config->classes[i].name, "class %d", (int)i));
    }
    return ERR_NONE;
}

Err model_config_name_classes(ModelConfig *config, const ModelClass *classes, int32_t n)
{
    for (int32_t i = 0; i < n && i < config->network.n_classes; i++) {
        config->classes[i].code = classes[i].code;
        config->classes[i].color = classes[i].color;
        TRY(model_config_set_text(&config->classes[i].name, classes[i].name));
    }
    return ERR_NONE;
}

static Err fill_defaults(ModelConfig *config)
{
    static const char *const colors[] = { "red", "green", "blue" };
    static const double mean[] = { 123.675, 116.28, 103.53 }, std[] = { 58.395, 57.12, 57.375 };
    TRY(model_config_set_text(&config->name, "unnamed"));
    TRY(model_config_set_text(&config->prompts, ""));
    TRY(model_config_set_text(&config->provenance, "{}"));
    TRY(model_config_set_bands(config, 3));
    for (int i = 0; i < 3; i++) {
        TRY(model_config_set_text(&config->bands[i].name, colors[i]));
        config->bands[i].mean = mean[i];
        config->bands[i].std = std[i];
    }
    return ERR_NONE;
}

Err model_config_init(ModelConfig *config)
{
    *config = (ModelConfig){
        .network = network_config_defaults(),
        .gsd_minimum = 0.1,
        .gsd_maximum = 100.0,
        .tile = 512,
    };
    const Err err = fill_defaults(config);
    if (err != ERR_NONE) model_config_done(config);
    return err;
}

void model_config_done(ModelConfig *config)
{
    if (config == NULL) return;
    free_bands(config);
    free_classes(config);
    free(config->name);
    free(config->prompts);
    free(config->provenance);
    *config = (ModelConfig){ 0 };
}

static Err copy_parts(const ModelConfig *from, ModelConfig *to)
{
    TRY(model_config_set_text(&to->name, from->name));
    TRY(model_config_set_text(&to->prompts, from->prompts));
    TRY(model_config_set_text(&to->provenance, from->provenance));
    TRY(model_config_set_bands(to, from->network.n_bands));
    for (int32_t i = 0; i < from->network.n_bands; i++) {
        TRY(model_config_set_text(&to->bands[i].name, from->bands[i].name));
        char *name = to->bands[i].name;
        to->bands[i] = from->bands[i];
        to->bands[i].name = name;
    }
    TRY(model_config_set_classes(to, from->network.n_classes));
    for (int32_t i = 0; i < from->network.n_classes; i++) {
        TRY(model_config_set_text(&to->classes[i].name, from->classes[i].name));
        to->classes[i].code = from->classes[i].code;
        to->classes[i].color = from->classes[i].color;
    }
    return ERR_NONE;
}

Err model_config_copy(const ModelConfig *from, ModelConfig *ret_to)
{
    ModelConfig copy = *from;
    copy.name = copy.prompts = copy.provenance = NULL;
    copy.bands = NULL;
    copy.classes = NULL;
    copy.network.n_bands = copy.network.n_classes = 0;
    const Err err = copy_parts(from, &copy);
    if (err != ERR_NONE)
        model_config_done(&copy);
    else
        *ret_to = copy;
    return err;
}

static Err check_range(const char *what, int64_t value, int64_t minimum, int64_t maximum, int64_t multiple)
{
    if (value >= minimum && value <= maximum && value % multiple == 0) return ERR_NONE;
    return err_set(ERR_MODEL, "model configuration: %s is %lld; %lld to %lld in steps of %lld was expected", what,
                   (long long)value, (long long)minimum, (long long)maximum, (long long)multiple);
}

static Err check_bands(const ModelConfig *config)
{
    TRY(check_range("the number of bands", config->network.n_bands, 1, MODEL_MAX_BANDS, 1));
    for (int32_t i = 0; i < config->network.n_bands; i++) {
        const ModelBand *band = &config->bands[i];
        if (!(band->std > 0.0) || !isfinite(band->std) || !isfinite(band->mean) || !isfinite(band->scale) ||
            band->scale == 0.0) {
            return err_set(ERR_MODEL,
                           "model configuration: band '%.60s' has scale %g, mean %g, std %g; finite numbers and "
                           "a positive std were expected",
                           band->name, band->scale, band->mean, band->std);
        }
        const bool first = config->bands[0].surface_scale != 0.0, this = band->surface_scale != 0.0;
        if (!(band->surface_scale >= 0.0) || !isfinite(band->surface_scale) || !isfinite(band->surface_offset) ||
            first != this || (!this && band->surface_offset != 0.0))
            return err_set(ERR_MODEL,
                           "model configuration: band '%.60s' has surface_scale %g and surface_offset %g; a positive "
                           "scale and a finite offset for every band, or none, were expected",
                           band->name, band->surface_scale, band->surface_offset);
    }
    return ERR_NONE;
}

static Err check_classes(const ModelConfig *config)
{
    TRY(check_range("the number of classes", config->network.n_classes, 1, MODEL_MAX_CLASSES, 1));
    bool used[256] = { false };
    for (int32_t i = 0; i < config->network.n_classes; i++) {
        const ModelClass *class = &config->classes[i];
        TRY(check_range("a class code", class->code, 0, 254, 1)); /* 255 is no data */
        if (used[class->code]) {
            return err_set(ERR_MODEL, "model configuration: class '%.60s' has code %d, which another class has",
                           class->name, (int)class->code);
        }
        used[class->code] = true;
    }
    return ERR_NONE;
}

Err model_config_check(const ModelConfig *config)
{
    enum { TILE_MIN = 64, TILE_MAX = 4096 }; /* two pixels at stride 32, so that one can be reflected */
    TRY(err_prefix(network_config_check(&config->network), "model configuration"));
    const int64_t multiple = network_side_multiple(&config->network);
    TRY(check_range("the tile side", config->tile, TILE_MIN, TILE_MAX, multiple));
    if (config->text_encoder.known && config->text_encoder.width != config->network.text_width)
        return err_set(ERR_MODEL, "its text encoder is %d wide, its network reads text of %d features",
                       (int)config->text_encoder.width, (int)config->network.text_width);
    TRY(check_range("the number of prompt tokens", config->network.prompt_tokens, 1, PROMPT_TOKENS_MAX, 1));
    if (!(config->gsd_minimum > 0.0) || !(config->gsd_maximum >= config->gsd_minimum) ||
        !isfinite(config->gsd_maximum)) {
        return err_set(ERR_MODEL,
                       "model configuration: the range of ground sampling distances is %g to %g; two positive "
                       "numbers, the smaller first, were expected",
                       config->gsd_minimum, config->gsd_maximum);
    }
    if (!(config->byte_scale >= 0.0) || !isfinite(config->byte_scale))
        return err_set(ERR_MODEL, "model configuration: byte_scale is %g; a positive number was expected",
                       config->byte_scale);
    if (!(config->reflectance >= 0.0) || !isfinite(config->reflectance))
        return err_set(ERR_MODEL, "model configuration: reflectance is %g; a positive number was expected",
                       config->reflectance);
    TRY(check_bands(config));
    return check_classes(config);
}

bool model_config_reads_level_1(const ModelConfig *config)
{
    return config->network.n_bands > 0 && config->bands[0].surface_scale != 0.0;
}
