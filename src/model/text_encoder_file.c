/* SPDX-License-Identifier: Apache-2.0
 * Published text encoders: names, sizes, values. */
#include "model/text_encoder_file.h"

#include "base/json.h"
#include "base/str.h"
#include "model/model_file.h"
#include "model/text_encoder_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char text_encoder_file_key[] = "metaseg.text_encoder";

enum { MAX_VOCABULARY = 1 << 20, MAX_WIDTH = 4096, MAX_LAYERS = 64, MAX_POSITIONS = 8192, USUAL_HEAD = 64 };

/* ---- the names of OpenAI and open_clip ---- */

static const TextEncoderNames openai_names = { .words = "token_embedding.weight",
                                               .positions = "positional_embedding",
                                               .layer = "transformer.resblocks.",
                                               .hidden = ".mlp.c_fc.weight" };
/* Stands once in a file, with the whole network too. */
static const char openai_mark[] = "ln_final.weight";

/* Beginning and end of our names and theirs; q, k and v are thirds of one tensor there. */
typedef struct OpenaiName {
    const char *ours, *theirs;
    int part; /* third, -1: the whole */
} OpenaiName;
static const OpenaiName openai_layer[] = {
    { ".layer_norm1.", ".ln_1.", -1 },
    { ".layer_norm2.", ".ln_2.", -1 },
    { ".mlp.fc1.", ".mlp.c_fc.", -1 },
    { ".mlp.fc2.", ".mlp.c_proj.", -1 },
    { ".self_attn.out_proj.", ".attn.out_proj.", -1 },
    { ".self_attn.q_proj.", ".attn.in_proj_", 0 },
    { ".self_attn.k_proj.", ".attn.in_proj_", 1 },
    { ".self_attn.v_proj.", ".attn.in_proj_", 2 },
};
static const OpenaiName openai_rest[] = {
    { "embeddings.token_embedding.", "token_embedding.", -1 },
    { "embeddings.position_embedding.weight", "positional_embedding", -1 },
    { "final_layer_norm.", "ln_final.", -1 },
};

/* Where a parameter of ours stands in the file. */
static Err openai_source(const char *prefix, const char *ours, char **ret_name, int *ret_part)
{
    static const char layer[] = "encoder.layers.";
    if (str_starts_with(ours, layer)) {
        const char *number = ours + sizeof layer - 1;
        const int digits = (int)strcspn(number, ".");
        for (int64_t i = 0; i < ARRAY_LEN(openai_layer); i++)
            if (str_starts_with(number + digits, openai_layer[i].ours)) {
                *ret_part = openai_layer[i].part;
                return str_format(ret_name, "%s%s%.*s%s%s", prefix, openai_names.layer, digits, number,
                                  openai_layer[i].theirs, number + digits + strlen(openai_layer[i].ours));
            }
    }
    for (int64_t i = 0; i < ARRAY_LEN(openai_rest); i++)
        if (str_starts_with(ours, openai_rest[i].ours)) {
            *ret_part = -1;
            return str_format(ret_name, "%s%s%s", prefix, openai_rest[i].theirs, ours + strlen(openai_rest[i].ours));
        }
    return err_set(ERR_INTERNAL, "the parameter '%s' has no name in OpenAI's files", ours);
}

static Err source(const TextEncoderFile *encoder, const char *ours, char **ret_name, int *ret_part)
{
    if (encoder->openai) return openai_source(encoder->prefix, ours, ret_name, ret_part);
    *ret_part = -1;
    return str_format(ret_name, "%s%s", encoder->prefix, ours);
}

/* ---- recognition ---- */

/* The first kind of the list whose word table is there; kinds of one family are told apart later. */
static Err find_kind(const TensorFile *file, bool *ret_found, TextEncoderFile *encoder)
{
    *ret_found = false;
    for (int kind = 0; kind < NETWORK_TEXT_ENCODER_COUNT; kind++) {
        encoder->kind = (NetworkTextEncoder)kind;
        TRY(tensor_file_prefix(file, text_encoder_def(encoder->kind)->names.words, &encoder->prefix));
        *ret_found = encoder->prefix != NULL;
        if (*ret_found) return ERR_NONE;
    }
    encoder->kind = NETWORK_TEXT_ENCODER_clip;
    encoder->openai = true;
    TRY(tensor_file_prefix(file, openai_mark, &encoder->prefix));
    *ret_found = encoder->prefix != NULL;
    return ERR_NONE;
}

Err text_encoder_file_is(const TensorFile *file, bool *ret_is)
{
    TextEncoderFile encoder = { .prefix = NULL };
    TRY(find_kind(file, ret_is, &encoder));
    text_encoder_file_done(&encoder);
    return ERR_NONE;
}

static const TextEncoderNames *names_of(const TextEncoderFile *encoder)
{
    return encoder->openai ? &openai_names : &text_encoder_def(encoder->kind)->names;
}

/* Rows of a matrix; its columns must be `width` (0: any, told). 0 rows: it is not there. */
static Err matrix(const TensorFile *file, const TextEncoderFile *encoder, const char *name, int64_t *width,
                  int64_t *ret_rows)
{
    char *full = NULL, text[96];
    TRY(str_format(&full, "%s%s", encoder->prefix, name));
    const StoredTensor *tensor = tensor_file_find(file, full);
    free(full);
    *ret_rows = 0;
    if (tensor == NULL) return ERR_NONE;
    const Shape *shape = &tensor->shape;
    if (shape->rank != 2 || shape->dim[0] < 1 || shape->dim[1] < 1 || (*width != 0 && shape->dim[1] != *width))
        return err_set(ERR_MODEL, "'%s': tensor '%.200s' is %s; expected [rows, %s]", tensor_file_path(file),
                       tensor->name, shape_text(shape, text, sizeof text), "width of the text encoder");
    *width = shape->dim[1];
    *ret_rows = shape->dim[0];
    return ERR_NONE;
}

static Err measure(const TensorFile *file, TextEncoderFile *encoder)
{
    const TextEncoderNames *names = names_of(encoder);
    TextEncoderSizes *n = &encoder->sizes;
    TRY(matrix(file, encoder, names->words, &n->width, &n->vocabulary));
    TRY(matrix(file, encoder, names->positions, &n->width, &n->positions));
    if (names->types != NULL) TRY(matrix(file, encoder, names->types, &n->width, &n->types));
    for (bool more = true; more && n->layers <= MAX_LAYERS; n->layers += more) {
        char name[128];
        int64_t hidden = 0;
        (void)snprintf(name, sizeof name, "%s%lld%s", names->layer, (long long)n->layers, names->hidden);
        TRY(matrix(file, encoder, name, &n->width, &hidden));
        more = hidden > 0;
        if (more) n->hidden = hidden;
    }
    const bool fits = n->vocabulary > 0 && n->vocabulary <= MAX_VOCABULARY && n->width <= MAX_WIDTH &&
                      n->width % 8 == 0 && n->positions > 1 && n->positions <= MAX_POSITIONS && n->layers > 0 &&
                      n->layers <= MAX_LAYERS && (names->types == NULL || n->types > 1);
    if (fits) return ERR_NONE;
    return err_set(
        ERR_MODEL,
        "'%s': has %lld words, %lld positions, %lld kinds of tokens and %lld layers of %lld features; BERT and "
        "CLIP's text encoder are read",
        tensor_file_path(file), (long long)n->vocabulary, (long long)n->positions, (long long)n->types,
        (long long)n->layers, (long long)n->width);
}

/* ---- what names and shapes do not tell ---- */

/* {"name": "clip", "heads": 8, "eps": 1e-05}: of a converted file. */
static Err read_metadata(const TensorFile *file, const char *text, TextEncoderFile *encoder)
{
    Json *root = NULL;
    const char *name = NULL;
    double eps = 0.0;
    Err err = json_parse(text, strlen(text), 1 << 16, &root);
    if (err == ERR_NONE) err = json_get_string(root, "name", &name);
    if (err == ERR_NONE) err = json_get_int(root, "heads", 1, MAX_WIDTH, &encoder->sizes.heads);
    if (err == ERR_NONE) err = json_get_double(root, "eps", &eps);
    encoder->sizes.eps = (float)eps;
    int kind = NETWORK_TEXT_ENCODER_COUNT;
    while (err == ERR_NONE && kind > 0 && strcmp(network_text_encoder_names[kind - 1], name) != 0) kind--;
    if (err == ERR_NONE && (kind == 0 || text_encoder_def((NetworkTextEncoder)(kind - 1))->names.words !=
                                             text_encoder_def(encoder->kind)->names.words))
        err = err_set(ERR_INPUT, "'%.40s' is not the text encoder that its tensors are", name);
    if (err == ERR_NONE) encoder->kind = (NetworkTextEncoder)(kind - 1);
    json_free(root);
    return err == ERR_INPUT ? err_prefix(ERR_MODEL, "'%s': %s", tensor_file_path(file), text_encoder_file_key) : err;
}

/* OpenAI's own files hold these numbers beside the weights. */
static Err is_of_openai(const TensorFile *file, const TextEncoderFile *encoder, bool *ret_is)
{
    char *name = NULL;
    TRY(str_format(&name, "%sinput_resolution", encoder->prefix));
    *ret_is = encoder->openai && tensor_file_find(file, name) != NULL;
    free(name);
    return ERR_NONE;
}

static Err apply_config(const TensorFile *file, const TextEncoderConfig *config, TextEncoderFile *encoder)
{
    TextEncoderSizes *n = &encoder->sizes;
    const bool clip = encoder->kind != NETWORK_TEXT_ENCODER_bert;
    Activation activation = config->activation;
    if ((config->layers > 0 && config->layers != n->layers) || (config->width > 0 && config->width != n->width))
        return err_set(ERR_MODEL,
                       "'%s': has %lld layers of %lld features, the configuration beside it says %lld of %lld",
                       tensor_file_path(file), (long long)n->layers, (long long)n->width, (long long)config->layers,
                       (long long)config->width);
    if (config->eps > 0.0) n->eps = (float)config->eps;
    /* every published one has heads of 64 but MiniLM and those that began with it */
    n->heads = config->heads > 0 ? config->heads : !clip && n->width == 384 ? 12 : n->width / USUAL_HEAD;
    bool of_openai = false;
    if (clip && activation == ACTIVATION_NONE) TRY(is_of_openai(file, encoder, &of_openai));
    if (of_openai) activation = ACTIVATION_QUICK_GELU;
    if (clip && activation == ACTIVATION_NONE)
        return err_set(
            ERR_MODEL,
            "'%s': nothing tells whether this CLIP was trained with QuickGELU (OpenAI) or GELU (LAION); put the "
            "config.json or open_clip_config.json of the model beside it",
            tensor_file_path(file));
    if (!clip && activation == ACTIVATION_QUICK_GELU)
        return err_set(ERR_MODEL, "'%s': the configuration beside it says quick_gelu; BERT has gelu",
                       tensor_file_path(file));
    if (clip)
        encoder->kind =
            activation == ACTIVATION_QUICK_GELU ? NETWORK_TEXT_ENCODER_clip_quickgelu : NETWORK_TEXT_ENCODER_clip;
    return ERR_NONE;
}

static Err complete(const TensorFile *file, TextEncoderFile *encoder)
{
    const char *metadata = tensor_file_metadata(file, text_encoder_file_key);
    TextEncoderSizes *n = &encoder->sizes;
    n->eps = text_encoder_def(encoder->kind)->eps;
    if (metadata != NULL) {
        TRY(read_metadata(file, metadata, encoder));
    } else {
        TextEncoderConfig config;
        TRY(text_encoder_config_read(tensor_file_path(file), encoder->kind != NETWORK_TEXT_ENCODER_bert, &config));
        TRY(apply_config(file, &config, encoder));
    }
    if (n->heads >= 1 && n->width % n->heads == 0 && n->eps > 0.0F && n->eps < 1.0F) return ERR_NONE;
    return err_set(ERR_MODEL, "'%s': %lld heads do not divide a width of %lld; put the model's config.json beside it",
                   tensor_file_path(file), (long long)n->heads, (long long)n->width);
}

Err text_encoder_file_read(const TensorFile *file, TextEncoderFile *ret_file)
{
    TextEncoderFile encoder = { .prefix = NULL };
    bool found = false;
    TRY(find_kind(file, &found, &encoder));
    if (!found)
        return err_set(ERR_MODEL, "'%s': its %lld tensors hold no text encoder; BERT and CLIP's are read",
                       tensor_file_path(file), (long long)tensor_file_count(file));
    Err err = measure(file, &encoder);
    if (err == ERR_NONE) err = complete(file, &encoder);
    if (err == ERR_NONE)
        *ret_file = encoder;
    else
        text_encoder_file_done(&encoder);
    return err;
}

void text_encoder_file_done(TextEncoderFile *file)
{
    free(file->prefix);
    file->prefix = NULL;
}

/* ---- values ---- */

/* The tensor of a parameter, with its shape checked; part as in openai_source. */
static Err find_source(const TensorFile *file, const TextEncoderFile *encoder, const ParamInfo *info,
                       const StoredTensor **ret_tensor, int *ret_part)
{
    char *name = NULL;
    Shape shape = info->shape;
    TRY(source(encoder, info->name, &name, ret_part));
    if (*ret_part >= 0) shape.dim[0] *= 3;
    const Err err = tensor_file_require(file, name, &shape, ret_tensor);
    free(name);
    return err;
}

static Err read_param(const TensorFile *file, const TextEncoderFile *encoder, const ParamInfo *info, float *values)
{
    const StoredTensor *tensor = NULL;
    int part = -1;
    TRY(find_source(file, encoder, info, &tensor, &part));
    if (part < 0) return model_read_values(file, tensor, values);
    const int64_t n = shape_count(&info->shape);
    float *all = malloc(3 * (size_t)n * sizeof *all);
    if (all == NULL) return err_memory(3 * (size_t)n * sizeof *all, "the weights of an attention");
    const Err err = model_read_values(file, tensor, all);
    if (err == ERR_NONE) memcpy(values, all + part * n, (size_t)n * sizeof *values);
    free(all);
    return err;
}

/* Whether a tensor of the file is one of the parameters'. */
static Err is_known(const TensorFile *file, const TextEncoderFile *encoder, const ParamSet *params, const char *name,
                    bool *ret_known)
{
    *ret_known = false;
    for (int32_t i = 0; i < params_count(params) && !*ret_known; i++) {
        const StoredTensor *tensor = NULL;
        int part = -1;
        TRY(find_source(file, encoder, params_info(params, i), &tensor, &part));
        *ret_known = strcmp(tensor->name, name) == 0;
    }
    return ERR_NONE;
}

/* Nothing of the layers may be left over: an adapter, a layer behind a gap. */
static Err check_left_over(const TensorFile *file, const TextEncoderFile *encoder, const ParamSet *params)
{
    char *layers = NULL;
    TRY(str_format(&layers, "%s%s", encoder->prefix, names_of(encoder)->layer));
    Err err = ERR_NONE;
    for (int64_t i = 0; i < tensor_file_count(file) && err == ERR_NONE; i++) {
        const char *name = tensor_file_at(file, i)->name;
        bool known = true;
        if (str_starts_with(name, layers)) err = is_known(file, encoder, params, name, &known);
        if (err == ERR_NONE && !known)
            err = err_set(ERR_MODEL, "'%s': has a tensor '%.200s', which %s of %lld layers does not have",
                          tensor_file_path(file), name, network_text_encoder_titles[encoder->kind],
                          (long long)encoder->sizes.layers);
    }
    free(layers);
    return err;
}

Err text_encoder_file_params(const TensorFile *file, const TextEncoderFile *encoder, ParamSet *params)
{
    for (int32_t i = 0; i < params_count(params); i++) {
        const StoredTensor *tensor = NULL;
        int part = -1;
        TRY(find_source(file, encoder, params_info(params, i), &tensor, &part));
    }
    TRY(check_left_over(file, encoder, params));
    TRY(params_allocate(params));
    for (int32_t i = 0; i < params_count(params); i++) {
        const ParamInfo *info = params_info(params, i);
        TRY(read_param(file, encoder, info, params_values(params) + info->offset));
    }
    return ERR_NONE;
}

Err text_encoder_file_metadata(const TextEncoderFile *encoder, char **ret_json)
{
    JsonWriter w = { 0 };
    json_begin_object(&w, NULL);
    json_put_string(&w, "name", network_text_encoder_names[encoder->kind]);
    json_put_int(&w, "heads", encoder->sizes.heads);
    json_put_double(&w, "eps", (double)encoder->sizes.eps);
    json_end(&w);
    return json_take(&w, ret_json);
}
