/* SPDX-License-Identifier: Apache-2.0
 * Text encoders: loading, programs by the number of tokens. */
#include "model/text_encoder.h"

#include "base/file.h"
#include "base/hash.h"
#include "graph/program.h"
#include "text/prompt_table.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEP = 16, /* programs are compiled for 16, 32, ... tokens, at most as many as there are positions */
    PROGRAMS = (PROMPT_TOKENS_MAX + STEP - 1) / STEP,
    HASH_PIECE = 4096,
};
static const float padding_mask = -1e9F;

struct TextEncoder {
    TextEncoderFile file;
    ParamSet *params;
    Program *programs[PROGRAMS];
    Device device;
    uint64_t hash;
};

static void build(Graph *g, const TextEncoderFile *file, int64_t tokens)
{
    const TextEncoderDef *def = text_encoder_def(file->kind);
    graph_output(g, "features", def->build(g, &file->sizes, def->activation, tokens));
}

/* Declares all parameters. */
static Err declare(ParamSet *params, const TextEncoderFile *file)
{
    Graph *g = NULL;
    TRY(graph_new(params, false, &g));
    build(g, file, 1);
    const Err err = graph_finish(g);
    graph_free(g);
    return err;
}

static Err hash_weights(const ParamSet *params, uint64_t *ret_hash)
{
    Hash *hash = NULL;
    TRY(hash_new(&hash));
    for (int32_t p = 0; p < params_count(params); p++) {
        const Tensor tensor = params_tensor(params, p);
        const int64_t n = shape_count(&tensor.shape);
        for (int64_t first = 0; first < n; first += HASH_PIECE) {
            uint16_t half[HASH_PIECE];
            const int64_t count = n - first < HASH_PIECE ? n - first : HASH_PIECE;
            convert_f32_to_f16((const float *)tensor.data + first, half, count);
            hash_update(hash, half, (size_t)count * sizeof *half);
        }
    }
    *ret_hash = hash_value(hash);
    hash_free(hash);
    return ERR_NONE;
}

static Err load(TextEncoder *encoder, const TensorFile *file)
{
    TRY(text_encoder_file_read(file, &encoder->file));
    TRY(params_new(&encoder->params));
    TRY(declare(encoder->params, &encoder->file));
    TRY(text_encoder_file_params(file, &encoder->file, encoder->params));
    return hash_weights(encoder->params, &encoder->hash);
}

Err text_encoder_new_file(const TensorFile *file, Device device, TextEncoder **ret_encoder)
{
    TextEncoder *encoder = calloc(1, sizeof *encoder);
    if (encoder == NULL) return err_memory(sizeof *encoder, "a text encoder");
    encoder->device = device;
    const Err err = load(encoder, file);
    if (err == ERR_NONE)
        *ret_encoder = encoder;
    else
        text_encoder_free(encoder);
    return err;
}

Err text_encoder_new(const char *weights, Device device, TextEncoder **ret_encoder)
{
    TensorFile *file = NULL;
    TRY(tensor_file_open(weights, &file));
    const Err err = text_encoder_new_file(file, device, ret_encoder);
    tensor_file_close(file);
    return err;
}

void text_encoder_free(TextEncoder *encoder)
{
    if (encoder == NULL) return;
    for (int i = 0; i < PROGRAMS; i++) program_free(encoder->programs[i]);
    params_free(encoder->params);
    text_encoder_file_done(&encoder->file);
    free(encoder);
}

/* ---- a folder ---- */

Err text_encoder_paths(const char *folder, char **ret_weights, char **ret_vocabulary)
{
    char *weights = NULL, *vocabulary = NULL;
    TRY(path_join(folder, "model.safetensors", &weights));
    const Err err = tokenizer_find(folder, TOKENIZER_KIND_COUNT, &vocabulary);
    if (err != ERR_NONE) {
        free(weights);
        return err;
    }
    *ret_weights = weights;
    *ret_vocabulary = vocabulary;
    return ERR_NONE;
}

/* The tokenizer that goes with the encoder. */
static Err open_tokenizer(const char *folder, const TextEncoder *encoder, Tokenizer **ret_tokenizer)
{
    const TokenizerKind kind = text_encoder_def(encoder->file.kind)->tokenizer;
    char *path = NULL;
    Tokenizer *tokenizer = NULL;
    TRY(tokenizer_find(folder, kind, &path));
    Err err = ERR_NONE;
    if (!file_exists(path))
        err = err_set(ERR_INPUT, "'%s': holds no vocabulary of %s; %s was expected there", folder,
                      network_text_encoder_titles[encoder->file.kind], tokenizer_file_names(kind));
    if (err == ERR_NONE) err = tokenizer_open(path, &tokenizer);
    if (err == ERR_NONE && tokenizer_count(tokenizer) > encoder->file.sizes.vocabulary)
        err = err_set(ERR_MODEL,
                      "'%s': has %lld tokens, the text encoder beside it knows %lld; expected the files of one "
                      "model",
                      path, (long long)tokenizer_count(tokenizer), (long long)encoder->file.sizes.vocabulary);
    free(path);
    if (err == ERR_NONE)
        *ret_tokenizer = tokenizer;
    else
        tokenizer_free(tokenizer);
    return err;
}

Err text_encoder_open(const char *folder, Device device, TextEncoder **ret_encoder, Tokenizer **ret_tokenizer)
{
    char *weights = NULL;
    TextEncoder *encoder = NULL;
    TRY(path_join(folder, "model.safetensors", &weights));
    Err err = text_encoder_new(weights, device, &encoder);
    free(weights);
    if (err == ERR_NONE) err = open_tokenizer(folder, encoder, ret_tokenizer);
    if (err == ERR_NONE)
        *ret_encoder = encoder;
    else
        text_encoder_free(encoder);
    return err;
}

/* ---- what it is ---- */

int64_t text_encoder_most_tokens(const TextEncoder *encoder)
{
    const int64_t most = text_encoder_def(encoder->file.kind)->most_tokens;
    return most < encoder->file.sizes.positions ? most : encoder->file.sizes.positions;
}

ModelTextEncoder text_encoder_identity(const TextEncoder *encoder)
{
    return (ModelTextEncoder){ .known = true,
                               .kind = encoder->file.kind,
                               .layers = (int32_t)encoder->file.sizes.layers,
                               .width = (int32_t)encoder->file.sizes.width,
                               .hash = encoder->hash };
}

Err text_encoder_check(const TextEncoder *encoder, const char *folder, const ModelConfig *config)
{
    const ModelTextEncoder here = text_encoder_identity(encoder), *wanted = &config->text_encoder;
    const char *title = network_text_encoder_titles[here.kind];
    if (!wanted->known && here.width == config->network.text_width) return ERR_NONE;
    if (!wanted->known)
        return err_set(ERR_MODEL, "'%s': %s of %d features is there; the model '%s' reads text of %d features", folder,
                       title, (int)here.width, config->name, (int)config->network.text_width);
    if (here.kind != wanted->kind || here.layers != wanted->layers || here.width != wanted->width)
        return err_set(
            ERR_MODEL,
            "'%s': %s of %d layers and %d features is there; the model '%s' was trained with %s of %d layers "
            "and %d features",
            folder, title, (int)here.layers, (int)here.width, config->name, network_text_encoder_titles[wanted->kind],
            (int)wanted->layers, (int)wanted->width);
    if (here.hash == wanted->hash) return ERR_NONE;
    return err_set(ERR_MODEL,
                   "'%s': the weights of %s there are not those that the model '%s' was trained with, only as large",
                   folder, title, config->name);
}

const TextEncoderFile *text_encoder_file(const TextEncoder *encoder) { return &encoder->file; }

const ParamSet *text_encoder_params(const TextEncoder *encoder) { return encoder->params; }

/* ---- encoding ---- */

/* The program for n tokens, compiled on first use; it reads *ret_tokens. */
static Err program_for(TextEncoder *encoder, int64_t n, int64_t *ret_tokens, Program **ret_program)
{
    const int64_t number = (n - 1) / STEP, most = text_encoder_most_tokens(encoder);
    const int64_t tokens = (number + 1) * STEP < most ? (number + 1) * STEP : most;
    Program **slot = &encoder->programs[number];
    if (*slot == NULL) {
        ProgramOptions options = program_options_defaults();
        options.device = encoder->device;
        Graph *g = NULL;
        TRY(graph_new(encoder->params, false, &g));
        build(g, &encoder->file, tokens);
        Err err = graph_finish(g);
        if (err == ERR_NONE) err = program_compile(g, encoder->params, &options, slot);
        graph_free(g);
        TRY(err);
    }
    *ret_tokens = tokens;
    *ret_program = *slot;
    return ERR_NONE;
}

static Err check_ids(const TextEncoder *encoder, const int32_t *ids, int64_t n)
{
    if (n < 1 || n > text_encoder_most_tokens(encoder))
        return err_set(ERR_ARGUMENT, "a text of %lld tokens was given; 1 to %lld can be encoded", (long long)n,
                       (long long)text_encoder_most_tokens(encoder));
    for (int64_t i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= encoder->file.sizes.vocabulary)
            return err_set(ERR_ARGUMENT, "token id %d is outside the text encoder's vocabulary of %lld", (int)ids[i],
                           (long long)encoder->file.sizes.vocabulary);
    return ERR_NONE;
}

Err text_encode(TextEncoder *encoder, const int32_t *ids, int64_t n, float *ret_features)
{
    Program *program = NULL;
    int64_t tokens = 0;
    TRY(check_ids(encoder, ids, n));
    TRY(program_for(encoder, n, &tokens, &program));
    int32_t *id = program_tensor(program, "ids").data, *position = program_tensor(program, "positions").data;
    for (int64_t i = 0; i < tokens; i++) {
        id[i] = i < n ? ids[i] : 0;
        position[i] = (int32_t)i;
    }
    if (encoder->file.sizes.types > 0) { /* else no token reads those behind it */
        int32_t *type = program_tensor(program, "types").data;
        float *mask = program_tensor(program, "mask").data;
        for (int64_t i = 0; i < tokens; i++) {
            type[i] = 0;
            mask[i] = i < n ? 0.0F : padding_mask;
        }
    }
    TRY(program_forward(program, 0));
    memcpy(ret_features, program_tensor(program, "features").data,
           (size_t)(n * encoder->file.sizes.width) * sizeof *ret_features);
    return ERR_NONE;
}
