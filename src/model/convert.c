/* SPDX-License-Identifier: Apache-2.0
 * Conversion of published checkpoints. */
#include "model/convert.h"

#include "base/file.h"
#include "base/file_set.h"
#include "base/str.h"
#include "model/convert_dynamic_world.h"
#include "model/model_file.h"
#include "model/text_encoder.h"

#include <stdlib.h>
#include <string.h>

const char *convert_kind_name(ConvertKind kind)
{
    static const char *const names[CONVERT_KIND_COUNT] = { "image encoder (EfficientNet-Lite0)",
                                                           "text encoder (all-MiniLM-L6-v2)", "Dynamic World",
                                                           "metaseg model" };
    return names[kind];
}

/* Whether the file holds a tensor of this name, whatever wrapped the network. */
static Err has(const TensorFile *file, const char *name, bool *ret_has)
{
    char *prefix = NULL;
    TRY(tensor_file_prefix(file, name, &prefix));
    *ret_has = prefix != NULL;
    free(prefix);
    return ERR_NONE;
}

/* A tensor that the network of a kind alone has. */
typedef struct Mark {
    ConvertKind kind;
    const char *tensor;
} Mark;
static const Mark marks[] = {
    { CONVERT_ENCODER, "_conv_stem.weight" },
    { CONVERT_TEXT_ENCODER, "embeddings.word_embeddings.weight" },
    { CONVERT_DYNAMIC_WORLD, DYNAMIC_WORLD_MARK },
};

static Err recognise(const TensorFile *file, ConvertKind *ret_kind)
{
    int64_t found = 0;
    if (tensor_file_metadata(file, "metaseg") != NULL) {
        *ret_kind = CONVERT_MODEL;
        return ERR_NONE;
    }
    for (int64_t i = 0; i < ARRAY_LEN(marks); i++) {
        bool there = false;
        TRY(has(file, marks[i].tensor, &there));
        if (there) *ret_kind = marks[i].kind;
        found += there;
    }
    if (found == 1) return ERR_NONE;
    return err_set(ERR_MODEL,
                   "'%s': its %lld tensors belong to %s that can be converted (EfficientNet-Lite0, "
                   "all-MiniLM-L6-v2, Dynamic World, metaseg models)",
                   tensor_file_path(file), (long long)tensor_file_count(file),
                   found > 1 ? "several networks" : "no network");
}

/* Adds the parameters whose names start with a prefix. */
static Err add(SafetensorsWriter *writer, const ParamSet *params, const char *prefix, Dtype weights, int64_t *written)
{
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        if (!str_starts_with(info->name, prefix)) continue;
        const Tensor tensor = params_tensor(params, i);
        TRY(safetensors_writer_add(writer, info->name, &tensor, info->shape.rank >= 2 ? weights : DTYPE_F32));
        (*written)++;
    }
    return ERR_NONE;
}

static Err write_params(const ParamSet *params, const char *prefix, const char *kind, const char *out, Dtype weights,
                        bool overwrite, int64_t *written)
{
    SafetensorsWriter *writer = NULL;
    TRY(safetensors_writer_new(&writer));
    Err err = safetensors_writer_metadata(writer, "format", "pt");
    if (err == ERR_NONE) err = safetensors_writer_metadata(writer, "metaseg.kind", kind);
    if (err == ERR_NONE) err = add(writer, params, prefix, weights, written);
    if (err == ERR_NONE) err = safetensors_writer_write(writer, out, overwrite);
    safetensors_writer_free(writer);
    return err;
}

static Err convert_encoder(const char *in, const char *out, Dtype weights, bool overwrite, int64_t *written)
{
    ModelConfig config = { 0 };
    Model *model = NULL;
    TRY(model_config_init(&config));
    Err err = model_config_set_classes(&config, 1);
    if (err == ERR_NONE) err = model_new(&config, false, &model);
    model_config_done(&config);
    if (err == ERR_NONE) err = model_load_encoder(model, in);
    if (err == ERR_NONE) {
        err = write_params(model->params, "encoder.", network_encoder_names[NETWORK_ENCODER_efficientnet_lite0], out,
                           weights, overwrite, written);
    }
    model_free(model);
    return err;
}

static Err convert_text_encoder(const char *in, const char *out, Dtype weights, bool overwrite, int64_t *written)
{
    TextEncoder *encoder = NULL;
    TRY(text_encoder_new(in, device_default(), &encoder));
    const Err err = write_params(text_encoder_params(encoder), "", "minilm_l6", out, weights, overwrite, written);
    text_encoder_free(encoder);
    return err;
}

/* A whole model, ours or a published one. */
static Err convert_model(const TensorFile *file, ConvertKind kind, const char *out, Dtype weights, bool overwrite,
                         int64_t *written)
{
    Model *model = NULL;
    TRY(kind == CONVERT_MODEL ? model_load_file(file, false, &model) : dynamic_world_model(file, &model));
    ModelSave save = model_save_defaults();
    save.weights = weights;
    save.overwrite = overwrite;
    const Err err = model_save(model, out, &save);
    *written = params_count(model->params) + (model->prompts.count > 0 ? 2 : 0);
    model_free(model);
    return err;
}

static Err check_files(const char *in, const char *out)
{
    FileSet set = { 0 };
    TRY(file_check_kind(out, "the converted model", "safetensors file", "safetensors"));
    Err err = file_set_input(&set, in, "the file to convert");
    if (err == ERR_NONE) err = file_set_output(&set, out, "the converted file");
    file_set_done(&set);
    return err;
}

Err convert_file(const char *in, const char *out, Dtype weights, bool overwrite, ConvertReport *ret_report)
{
    if (weights != DTYPE_F32 && weights != DTYPE_F16) {
        return err_set(ERR_ARGUMENT, "weights can be stored as f32 or f16, not as %s", dtype_name(weights));
    }
    TRY(check_files(in, out));
    TensorFile *file = NULL;
    TRY(tensor_file_open(in, &file));
    ConvertReport report = { .format = tensor_file_format(file), .read = tensor_file_count(file) };
    Err err = recognise(file, &report.kind);
    if (err == ERR_NONE && (report.kind == CONVERT_MODEL || report.kind == CONVERT_DYNAMIC_WORLD))
        err = convert_model(file, report.kind, out, weights, overwrite, &report.written);
    tensor_file_close(file);
    if (err == ERR_NONE && report.kind == CONVERT_ENCODER) {
        err = convert_encoder(in, out, weights, overwrite, &report.written);
    } else if (err == ERR_NONE && report.kind == CONVERT_TEXT_ENCODER) {
        err = convert_text_encoder(in, out, weights, overwrite, &report.written);
    }
    if (err == ERR_NONE) *ret_report = report;
    return err;
}
