/* SPDX-License-Identifier: Apache-2.0
 * Recognising and loading the whole networks of published_networks.def. */
#include "model/published_network.h"

#include "base/str.h"
#include "model/published.h"

#include <stdlib.h>
#include <string.h>

static const PublishedNetwork *const networks[] = {
#define PUBLISHED_NETWORK(name) &published_##name,
#include "model/published_networks.def"
#undef PUBLISHED_NETWORK
};

Err published_has(const TensorFile *file, const char *prefix, const char *name, bool *ret_has)
{
    char *full = NULL;
    TRY(str_format(&full, "%s%s", prefix, name));
    *ret_has = tensor_file_find(file, full) != NULL;
    free(full);
    return ERR_NONE;
}

/* The prefix under which all marks stand; NULL: it is no such file. */
static Err match(const TensorFile *file, const PublishedNetwork *network, char **ret_prefix)
{
    char *prefix = NULL;
    bool there = true;
    TRY(tensor_file_prefix(file, network->marks[0], &prefix));
    Err err = ERR_NONE;
    for (int32_t i = 1; i < PUBLISHED_MARKS && prefix != NULL && there && err == ERR_NONE; i++)
        if (network->marks[i] != NULL) err = published_has(file, prefix, network->marks[i], &there);
    if (err != ERR_NONE || !there) {
        free(prefix);
        prefix = NULL;
    }
    *ret_prefix = prefix;
    return err;
}

Err published_network_find(const TensorFile *file, const PublishedNetwork **ret_network, char **ret_prefix)
{
    const PublishedNetwork *found = NULL;
    char *found_prefix = NULL;
    Err err = ERR_NONE;
    for (int64_t i = 0; i < ARRAY_LEN(networks) && err == ERR_NONE; i++) {
        char *prefix = NULL;
        err = match(file, networks[i], &prefix);
        if (err == ERR_NONE && prefix != NULL && found != NULL)
            err =
                err_set(ERR_MODEL, "'%s': is both %s and %s", tensor_file_path(file), found->title, networks[i]->title);
        if (err != ERR_NONE || prefix == NULL || found != NULL) {
            free(prefix);
            continue;
        }
        found = networks[i];
        found_prefix = prefix;
    }
    if (err != ERR_NONE) {
        free(found_prefix);
        return err;
    }
    *ret_network = found;
    *ret_prefix = found_prefix;
    return ERR_NONE;
}

Err published_network_configure(const TensorFile *file, const PublishedNetwork *network, const char *prefix,
                                ModelConfig *ret_config)
{
    ModelConfig config = { 0 };
    TRY(model_config_init(&config));
    config.network.fusion = NETWORK_FUSION_NONE;
    Err err = model_config_set_text(&config.name, network->title);
    if (err == ERR_NONE) err = network->configure(file, prefix, &config);
    if (err == ERR_NONE)
        *ret_config = config;
    else
        model_config_done(&config);
    return err;
}

Err published_network_load(const TensorFile *file, const PublishedNetwork *network, const char *prefix,
                           const ModelConfig *config, bool *used, Model **ret_model)
{
    Model *model = NULL;
    TRY(model_new(config, false, &model));
    const PublishedRead read = { .file = file,
                                 .prefix = prefix,
                                 .rename = network->rename,
                                 .encoder = network->encoder,
                                 .encoder_rename = encoder_def(config->network.encoder)->rename,
                                 .scope = "",
                                 .what = network->title };
    const Err err = published_read(&read, model->params);
    if (err == ERR_NONE) published_mark(&read, model->params, used);
    if (err == ERR_NONE)
        *ret_model = model;
    else
        model_free(model);
    return err;
}

Err published_dimension(const TensorFile *file, const char *prefix, const char *name, int32_t rank, int32_t dimension,
                        int32_t *ret_size)
{
    enum { LARGEST = 65536 };
    char *full = NULL, text[96];
    const StoredTensor *tensor = NULL;
    TRY(str_format(&full, "%s%s", prefix, name));
    Err err = tensor_file_require(file, full, NULL, &tensor);
    if (err == ERR_NONE && (tensor->shape.rank != rank || tensor->shape.dim[dimension] > LARGEST))
        err = err_set(ERR_MODEL, "'%s': '%.200s' is %s; %d dimensions of at most %d were expected",
                      tensor_file_path(file), full, shape_text(&tensor->shape, text, sizeof text), (int)rank,
                      (int)LARGEST);
    if (err == ERR_NONE) *ret_size = (int32_t)tensor->shape.dim[dimension];
    free(full);
    return err;
}

Err published_name_bands(ModelConfig *config, const PublishedBand *bands)
{
    for (int32_t b = 0; b < config->network.n_bands && bands[b].name != NULL; b++) {
        TRY(model_config_set_text(&config->bands[b].name, bands[b].name));
        config->bands[b].mean = bands[b].mean;
        config->bands[b].std = bands[b].std;
    }
    return ERR_NONE;
}

Err published_ends(ModelConfig *config, int32_t n_classes, int32_t n_bands)
{
    static const char *const names[] = { "red", "green", "blue", "nir" };
    static const double mean[] = { 123.675, 116.28, 103.53 }, std[] = { 58.395, 57.12, 57.375 };
    if (n_classes < 1 || n_classes > MODEL_MAX_CLASSES || n_bands < 1 || n_bands > MODEL_MAX_BANDS)
        return err_set(ERR_MODEL, "%d classes and %d bands; at most %d and %d were expected", (int)n_classes,
                       (int)n_bands, (int)MODEL_MAX_CLASSES, (int)MODEL_MAX_BANDS);
    TRY(model_config_set_classes(config, n_classes));
    TRY(model_config_set_bands(config, n_bands));
    for (int32_t b = 0; b < n_bands; b++) {
        if (b < ARRAY_LEN(names)) TRY(model_config_set_text(&config->bands[b].name, names[b]));
        if (b >= ARRAY_LEN(mean)) continue;
        config->bands[b].mean = mean[b];
        config->bands[b].std = std[b];
    }
    config->gsd_unit = MODEL_PIXEL;
    config->gsd_minimum = config->gsd_maximum = 1.0;
    return ERR_NONE;
}
