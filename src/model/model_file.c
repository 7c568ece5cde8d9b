/* SPDX-License-Identifier: Apache-2.0
 * Models: making, loading, hashing; saving is model_save.c. */
#include "model/model_file.h"

#include "base/hash.h"
#include "base/str.h"
#include "model/published.h"
#include "model/published_encoder.h"
#include "network/segmenter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char auxiliary_prefix[] = "decoder.aux_head.";

bool model_is_auxiliary(const char *name) { return str_starts_with(name, auxiliary_prefix); }

/* Everything but the weights' memory. */
static Err declare_model(const ModelConfig *config, bool auxiliary, Model **ret_model)
{
    TRY(model_config_check(config));
    Model *model = calloc(1, sizeof *model);
    if (model == NULL) return err_memory(sizeof *model, "a model");
    Err err = model_config_copy(config, &model->config);
    if (err == ERR_NONE) err = params_new(&model->params);
    if (err == ERR_NONE) err = segmenter_declare(model->params, &config->network, auxiliary);
    if (err == ERR_NONE)
        *ret_model = model;
    else
        model_free(model);
    return err;
}

Err model_new(const ModelConfig *config, bool auxiliary, Model **ret_model)
{
    Model *model = NULL;
    TRY(declare_model(config, auxiliary, &model));
    const Err err = params_allocate(model->params);
    if (err == ERR_NONE)
        *ret_model = model;
    else
        model_free(model);
    return err;
}

void model_free(Model *model)
{
    if (model == NULL) return;
    prompt_table_done(&model->prompts);
    model_config_done(&model->config);
    params_free(model->params);
    free(model);
}

void model_initialize(Model *model, uint64_t seed) { params_initialize(model->params, seed); }

/* bias = -weight mean, weight [Cout, Cin] */
static void centre_linear(Model *model, const char *weight_name, const char *bias_name, const float *mean)
{
    const int32_t weight_index = params_find(model->params, weight_name);
    const int32_t bias_index = params_find(model->params, bias_name);
    ASSERT(weight_index >= 0 && bias_index >= 0);
    const Tensor weight = params_tensor(model->params, weight_index);
    const float *w = weight.data;
    float *bias = params_tensor(model->params, bias_index).data;
    const int64_t n = weight.shape.dim[1];
    for (int64_t o = 0; o < weight.shape.dim[0]; o++) {
        double sum = 0.0;
        for (int64_t i = 0; i < n; i++) sum += (double)w[o * n + i] * (double)mean[i];
        bias[o] = (float)-sum;
    }
}

void model_centre_text(Model *model, const float *mean)
{
    if (model->config.network.fusion == NETWORK_FUSION_NONE) return;
    const int32_t index = params_find(model->params, "text.null");
    ASSERT(index >= 0);
    const Tensor null = params_tensor(model->params, index);
    float *value = null.data;
    const int64_t width = null.shape.dim[1];
    for (int64_t i = 0; i < shape_count(&null.shape); i++) value[i] += mean[i % width];
    centre_linear(model, "fusion.s16.text_in.weight", "fusion.s16.text_in.bias", mean);
    centre_linear(model, "fusion.s32.text_in.weight", "fusion.s32.text_in.bias", mean);
}

static Err check_finite(const TensorFile *file, const char *name, const float *values, int64_t n)
{
    uint32_t carry = 0; /* bit 31: an exponent of all ones, plus one */
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        carry |= (bits & 0x7fffffffU) + 0x00800000U;
    }
    if ((carry & 0x80000000U) == 0) return ERR_NONE;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            return err_set(ERR_MODEL, "'%s': value %lld of tensor '%s' is no finite number; the file is damaged",
                           tensor_file_path(file), (long long)i, name);
        }
    }
    return ERR_NONE;
}

Err model_read_values(const TensorFile *file, const StoredTensor *tensor, float *ret_values)
{
    const Err err = stored_tensor_read_f32(tensor, ret_values);
    if (err != ERR_NONE) return err_prefix(err, "'%s'", tensor_file_path(file));
    return check_finite(file, tensor->name, ret_values, shape_count(&tensor->shape));
}

/* Names of our own files are ours; prompts, state of training and an auxiliary head that is not asked for are no parameters. */
static bool keep_all(const char *name, char ret_name[NETWORK_NAME_BYTES])
{
    return !model_prompts_has(name) && !str_starts_with(name, "train.") && network_rename_start(name, "", "", ret_name);
}

static bool keep_for_prediction(const char *name, char ret_name[NETWORK_NAME_BYTES])
{
    return !model_is_auxiliary(name) && keep_all(name, ret_name);
}

/* All names and shapes first: what a file only declares takes no memory. */
static Err read_params(const TensorFile *file, bool auxiliary, ParamSet *params)
{
    const PublishedRead read = { .file = file,
                                 .prefix = "",
                                 .rename = auxiliary ? keep_all : keep_for_prediction,
                                 .scope = "",
                                 .optional = auxiliary ? auxiliary_prefix : NULL,
                                 .what = "the network of its configuration",
                                 .all_types = true };
    TRY(published_check(&read, params));
    TRY(params_allocate(params));
    if (auxiliary) params_initialize(params, 0); /* for a head that the file does not have */
    return published_read(&read, params);
}

static Err fill_model(const TensorFile *file, bool auxiliary, Model *model)
{
    TRY(read_params(file, auxiliary, model->params));
    TRY(model_prompts_load(file, model->config.network.text_width, &model->prompts));
    const int32_t longest = prompt_table_longest(&model->prompts);
    if (longest <= model->config.network.prompt_tokens) return ERR_NONE;
    return err_set(ERR_MODEL, "'%s': has a prompt of %d tokens; its network reads at most %d", tensor_file_path(file),
                   (int)longest, (int)model->config.network.prompt_tokens);
}

Err model_load_file(const TensorFile *file, bool auxiliary, Model **ret_model)
{
    const char *json = tensor_file_metadata(file, "metaseg");
    if (json == NULL) {
        return err_set(ERR_MODEL,
                       "'%s': has no model configuration; it is no metaseg model (a %s file of %lld tensors)",
                       tensor_file_path(file), tensor_file_format(file), (long long)tensor_file_count(file));
    }
    ModelConfig config = { 0 };
    TRY(model_config_read(json, tensor_file_path(file), &config));
    Model *model = NULL;
    Err err = declare_model(&config, auxiliary, &model);
    model_config_done(&config);
    TRY(err);
    err = fill_model(file, auxiliary, model);
    if (err == ERR_NONE)
        *ret_model = model;
    else
        model_free(model);
    return err;
}

Err model_load(const char *path, bool auxiliary, Model **ret_model)
{
    TensorFile *file = NULL;
    TRY(tensor_file_open(path, &file));
    const Err err = model_load_file(file, auxiliary, ret_model);
    tensor_file_close(file);
    return err;
}

Err model_load_encoder(Model *model, const char *path)
{
    TensorFile *file = NULL;
    TRY(tensor_file_open(path, &file));
    const Err err = published_encoder_read(file, &model->config.network, model->params, NULL);
    tensor_file_close(file);
    return err;
}

static int compare_infos(const void *a, const void *b)
{
    const ParamInfo *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

Err model_hash(const Model *model, uint64_t *ret_hash)
{
    const int32_t n = params_count(model->params);
    const ParamInfo **infos = malloc(((size_t)n + 1) * sizeof *infos);
    if (infos == NULL) return err_memory((size_t)n * sizeof *infos, "parameter names");
    Hash *hash = NULL;
    const Err err = hash_new(&hash);
    if (err == ERR_NONE) {
        for (int32_t i = 0; i < n; i++) infos[i] = params_info(model->params, i);
        qsort(infos, (size_t)n, sizeof *infos, compare_infos);
        for (int32_t i = 0; i < n; i++) {
            const float *values = params_values(model->params) + infos[i]->offset;
            hash_update(hash, infos[i]->name, strlen(infos[i]->name) + 1);
            hash_update(hash, values, (size_t)shape_count(&infos[i]->shape) * sizeof *values);
        }
        *ret_hash = hash_value(hash);
        hash_free(hash);
    }
    free(infos);
    return err;
}
