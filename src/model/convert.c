/* SPDX-License-Identifier: Apache-2.0
 * Conversion of published checkpoints. */
#include "model/convert.h"

#include "base/file.h"
#include "base/file_set.h"
#include "base/str.h"
#include "model/convert_dynamic_world.h"
#include "model/convert_tensors.h"
#include "model/model_file.h"
#include "model/published_encoder.h"
#include "model/published_network.h"
#include "model/published_vit.h"
#include "model/text_encoder.h"
#include "network/segmenter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USUAL_BANDS = 3 };

/* What a file was recognised as. */
typedef struct Found {
    ConvertKind kind;
    NetworkEncoder encoder;
    int32_t bands; /* of the encoder */
    const PublishedNetwork *network;
    const ForeignNetwork *foreign;
    char *prefix; /* of the network's tensors */
    char text_title[96];
} Found;

/* Everything of one conversion. */
typedef struct Conversion {
    const char *in, *out;
    const ConvertOptions *options;
    TensorFile *file;
    Found found;
    bool *used; /* by tensor of the file: it became a parameter */
    int64_t written;
} Conversion;

ConvertOptions convert_options_defaults(void) { return (ConvertOptions){ .weights = DTYPE_F32 }; }

/* Whether the file holds a tensor of this name, whatever wrapped the network. */
static Err has(const TensorFile *file, const char *name, bool *ret_has)
{
    char *prefix = NULL;
    TRY(tensor_file_prefix(file, name, &prefix));
    *ret_has = prefix != NULL;
    free(prefix);
    return ERR_NONE;
}

static Err recognise(const TensorFile *file, Found *found)
{
    bool text = false, dynamic_world = false;
    if (tensor_file_metadata(file, "metaseg") != NULL) {
        found->kind = CONVERT_MODEL;
        return ERR_NONE;
    }
    found->foreign = foreign_network(file);
    if (found->foreign != NULL) {
        found->kind = CONVERT_TENSORS;
        return ERR_NONE;
    }
    TRY(text_encoder_file_is(file, &text));
    TRY(has(file, DYNAMIC_WORLD_MARK, &dynamic_world));
    TRY(published_network_find(file, &found->network, &found->prefix));
    if ((found->network != NULL) + text + dynamic_world > 1)
        return err_set(ERR_MODEL, "'%s': its %lld tensors belong to several networks", tensor_file_path(file),
                       (long long)tensor_file_count(file));
    if (found->network == NULL && !text && !dynamic_world) {
        found->kind = CONVERT_ENCODER;
        return published_encoder_find(file, &found->encoder, &found->bands);
    }
    found->kind = text ? CONVERT_TEXT_ENCODER : dynamic_world ? CONVERT_DYNAMIC_WORLD : CONVERT_NETWORK;
    return ERR_NONE;
}

/* ---- writing ---- */

/* Adds the parameters whose names start with a prefix, apart from those that nobody publishes. */
static Err add(SafetensorsWriter *writer, const ParamSet *params, const char *prefix, Dtype weights, int64_t *written)
{
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        if (!str_starts_with(info->name, prefix) || published_vit_lacks(info->name + strlen(prefix))) continue;
        const Tensor tensor = params_tensor(params, i);
        TRY(safetensors_writer_add(writer, info->name, &tensor, info->shape.rank >= 2 ? weights : DTYPE_F32));
        (*written)++;
    }
    return ERR_NONE;
}

/* text_encoder: what the metadata says of one, NULL: it is none. */
static Err write_params(Conversion *c, const ParamSet *params, const char *prefix, const char *kind,
                        const char *text_encoder)
{
    SafetensorsWriter *writer = NULL;
    TRY(safetensors_writer_new(&writer));
    Err err = safetensors_writer_metadata(writer, "format", "pt");
    if (err == ERR_NONE) err = safetensors_writer_metadata(writer, "metaseg.kind", kind);
    if (err == ERR_NONE && text_encoder != NULL)
        err = safetensors_writer_metadata(writer, text_encoder_file_key, text_encoder);
    if (err == ERR_NONE) err = add(writer, params, prefix, c->options->weights, &c->written);
    if (err == ERR_NONE) err = safetensors_writer_write(writer, c->out, c->options->overwrite);
    safetensors_writer_free(writer);
    return err;
}

/* A model of the encoder alone. */
static Err encoder_config(NetworkEncoder encoder, int32_t bands, ModelConfig *ret_config)
{
    TRY(model_config_init(ret_config));
    ret_config->network.encoder = encoder;
    ret_config->network.decoder = NETWORK_DECODER_none;
    ret_config->network.output_stride = 0;
    ret_config->network.fusion = NETWORK_FUSION_NONE;
    network_config_resolve(&ret_config->network);
    Err err = model_config_set_bands(ret_config, bands);
    if (err == ERR_NONE) err = model_config_set_classes(ret_config, 1);
    if (err != ERR_NONE) model_config_done(ret_config);
    return err;
}

static Err convert_encoder(Conversion *c)
{
    ModelConfig config = { 0 };
    Model *model = NULL;
    TRY(encoder_config(c->found.encoder, c->found.bands, &config));
    Err err = model_new(&config, false, &model);
    if (err == ERR_NONE) err = published_encoder_read(c->file, &config.network, model->params, c->used);
    if (err == ERR_NONE)
        err = write_params(c, model->params, "encoder.", network_encoder_names[c->found.encoder], NULL);
    model_config_done(&config);
    model_free(model);
    return err;
}

static Err convert_text_encoder(Conversion *c)
{
    TextEncoder *encoder = NULL;
    TRY(text_encoder_new_file(c->file, device_default(), &encoder));
    const TextEncoderFile *file = text_encoder_file(encoder);
    char *metadata = NULL;
    (void)snprintf(c->found.text_title, sizeof c->found.text_title, "text encoder %s, %lld layers, %lld features",
                   network_text_encoder_titles[file->kind], (long long)file->sizes.layers,
                   (long long)file->sizes.width);
    Err err = text_encoder_file_metadata(file, &metadata);
    if (err == ERR_NONE)
        err = write_params(c, text_encoder_params(encoder), "", network_text_encoder_names[file->kind], metadata);
    free(metadata);
    text_encoder_free(encoder);
    return err;
}

/* What the caller knows of a published network in the place of what its family says. */
static Err apply_classes(const ConvertOptions *options, ModelConfig *config)
{
    if (options->classes == NULL) return ERR_NONE;
    if (options->n_classes != config->network.n_classes)
        return err_set(ERR_ARGUMENT, "%d classes were given; the network has %d", (int)options->n_classes,
                       (int)config->network.n_classes);
    return model_config_name_classes(config, options->classes, options->n_classes);
}

/* The normalisation that the family has for a band of this name. */
static void known_statistics(const PublishedBand *known, ModelBand *band)
{
    for (; known != NULL && known->name != NULL; known++) {
        if (strcmp(known->name, band->name) != 0) continue;
        band->mean = known->mean;
        band->std = known->std;
    }
}

static Err apply_bands(const ConvertOptions *options, const PublishedNetwork *network, ModelConfig *config)
{
    if (options->bands == NULL) return ERR_NONE;
    if (options->n_bands != config->network.n_bands)
        return err_set(ERR_ARGUMENT, "%d bands were given; the network reads %d", (int)options->n_bands,
                       (int)config->network.n_bands);
    for (int32_t i = 0; i < options->n_bands; i++) {
        TRY(model_config_set_text(&config->bands[i].name, options->bands[i]));
        known_statistics(network->bands, &config->bands[i]);
    }
    return ERR_NONE;
}

static Err apply_statistics(const ConvertOptions *options, ModelConfig *config)
{
    const int32_t n = config->network.n_bands;
    if ((options->means != NULL && options->n_means != n) || (options->stds != NULL && options->n_stds != n))
        return err_set(ERR_ARGUMENT, "%d means and %d standard deviations were given; the network reads %d bands",
                       (int)options->n_means, (int)options->n_stds, (int)n);
    for (int32_t i = 0; i < n; i++) {
        if (options->means != NULL) config->bands[i].mean = options->means[i];
        if (options->stds != NULL) config->bands[i].std = options->stds[i];
    }
    return ERR_NONE;
}

static Err apply_options(const ConvertOptions *options, const PublishedNetwork *network, ModelConfig *config)
{
    enum { FINER = 2, COARSER = 2 };
    if (options->name != NULL) TRY(model_config_set_text(&config->name, options->name));
    TRY(apply_classes(options, config));
    TRY(apply_bands(options, network, config));
    TRY(apply_statistics(options, config));
    if (options->gsd > 0.0) {
        config->gsd_unit = MODEL_METRE;
        config->gsd_minimum = options->gsd / FINER;
        config->gsd_maximum = options->gsd * COARSER;
    }
    return model_config_check(config);
}

static Err load_network(Conversion *c, Model **ret_model)
{
    ModelConfig config = { 0 };
    const Found *found = &c->found;
    TRY(published_network_configure(c->file, found->network, found->prefix, &config));
    Err err = apply_options(c->options, found->network, &config);
    if (err == ERR_NONE)
        err = published_network_load(c->file, found->network, found->prefix, &config, c->used, ret_model);
    model_config_done(&config);
    return err;
}

/* A whole model, ours or a published one. */
static Err convert_model(Conversion *c)
{
    Model *model = NULL;
    TRY(c->found.kind == CONVERT_MODEL     ? model_load_file(c->file, false, &model)
        : c->found.kind == CONVERT_NETWORK ? load_network(c, &model)
                                           : dynamic_world_model(c->file, &model));
    ModelSave save = model_save_defaults();
    save.weights = c->options->weights;
    save.overwrite = c->options->overwrite;
    const Err err = model_save(model, c->out, &save);
    c->written = params_count(model->params) + (model->prompts.count > 0 ? 2 : 0);
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

static Err check_options(const Conversion *c)
{
    const ConvertOptions *o = c->options;
    const bool given = o->name != NULL || o->classes != NULL || o->bands != NULL || o->means != NULL ||
                       o->stds != NULL || o->gsd > 0.0;
    if (c->found.kind != CONVERT_NETWORK && given)
        return err_set(ERR_ARGUMENT,
                       "'%s': name, classes, bands, their statistics and pixel size are for published whole networks "
                       "alone",
                       c->in);
    return ERR_NONE;
}

static void title_of(const Found *found, char ret_title[CONVERT_TITLE])
{
    switch (found->kind) {
    case CONVERT_ENCODER:
        (void)snprintf(ret_title, CONVERT_TITLE,
                       found->bands == USUAL_BANDS ? "image encoder %s" : "image encoder %s, %d bands",
                       network_encoder_titles[found->encoder], (int)found->bands);
        break;
    case CONVERT_NETWORK:
        (void)snprintf(ret_title, CONVERT_TITLE, "%s", found->network->title);
        break;
    case CONVERT_TEXT_ENCODER:
        (void)snprintf(ret_title, CONVERT_TITLE, "%s", found->text_title);
        break;
    case CONVERT_DYNAMIC_WORLD:
        (void)snprintf(ret_title, CONVERT_TITLE, "Dynamic World");
        break;
    case CONVERT_TENSORS:
        (void)snprintf(ret_title, CONVERT_TITLE, "%s", found->foreign->title);
        break;
    case CONVERT_MODEL:
        (void)snprintf(ret_title, CONVERT_TITLE, "metaseg model");
        break;
    }
}

Err convert_title(const TensorFile *file, char ret_title[CONVERT_TITLE])
{
    Found found = { 0 };
    const Err err = recognise(file, &found);
    if (err == ERR_NONE) title_of(&found, ret_title);
    if (err == ERR_MODEL) (void)snprintf(ret_title, CONVERT_TITLE, "not recognised");
    free(found.prefix);
    return err == ERR_MODEL ? ERR_NONE : err;
}

/* The tensors as they are. */
static Err copy_tensors(Conversion *c)
{
    TRY(convert_tensors(c->file, c->found.foreign, c->out, c->options->weights, c->options->overwrite));
    c->written = tensor_file_count(c->file);
    return ERR_NONE;
}

/* Who names a dictionary knows of the others. */
static const char *options_beside(const Conversion *c)
{
    return c->options->state_dict == NULL ? tensor_file_beside(c->file) : NULL;
}

static Err convert(Conversion *c, ConvertReport *ret_report)
{
    ConvertReport report = { .format = tensor_file_format(c->file), .read = tensor_file_count(c->file) };
    TRY(recognise(c->file, &c->found));
    TRY(check_options(c));
    TRY(c->found.kind == CONVERT_ENCODER        ? convert_encoder(c)
        : c->found.kind == CONVERT_TEXT_ENCODER ? convert_text_encoder(c)
        : c->found.kind == CONVERT_TENSORS      ? copy_tensors(c)
                                                : convert_model(c));
    report.kind = c->found.kind;
    report.written = c->written;
    const char *beside = options_beside(c);
    if (beside != NULL) (void)snprintf(report.beside, sizeof report.beside, "%s", beside);
    if (report.kind == CONVERT_ENCODER || report.kind == CONVERT_NETWORK)
        left_out_text(c->file, c->used, report.left_out);
    title_of(&c->found, report.title);
    *ret_report = report;
    return ERR_NONE;
}

Err convert_file(const char *in, const char *out, const ConvertOptions *options, ConvertReport *ret_report)
{
    Conversion c = { .in = in, .out = out, .options = options };
    if (options->weights != DTYPE_F32 && options->weights != DTYPE_F16)
        return err_set(ERR_ARGUMENT, "weights can be stored as f32 or f16, not as %s", dtype_name(options->weights));
    TRY(check_files(in, out));
    TRY(tensor_file_open_member(in, options->state_dict, &c.file));
    const size_t n = (size_t)tensor_file_count(c.file);
    c.used = calloc(n + 1, sizeof *c.used);
    const Err err = c.used != NULL ? convert(&c, ret_report) : err_memory(n, "which tensors are read");
    free(c.used);
    free(c.found.prefix);
    tensor_file_close(c.file);
    return err;
}
