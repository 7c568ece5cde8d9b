/* SPDX-License-Identifier: Apache-2.0
 * MiniLM-L6: a post-norm transformer encoder (Devlin et al., BERT, 2019; Wang et al., MiniLM, 2020). */
#include "model/text_encoder.h"

#include "base/str.h"
#include "graph/program.h"
#include "model/model_file.h"
#include "ops/ops.h"
#include "tensor_file/tensor_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = TEXT_ENCODER_WIDTH,
    HEADS = 12,
    LAYERS = 6,
    HIDDEN = 1536,
    POSITIONS = 512,
    TYPES = 2,
    STEP = 16, /* programs are compiled for 16, 32, 48 and 64 tokens */
    PROGRAMS = TEXT_ENCODER_MAX_TOKENS / STEP,
    MAX_VOCABULARY = 1 << 20,
};
static const float layernorm_eps = 1e-12F;
static const float padding_mask = -1e9F;

struct TextEncoder {
    ParamSet *params;
    Program *programs[PROGRAMS];
    Device device;
    int64_t vocabulary;
};

static const ParamInit no_init = { INIT_ZERO, 0.0 };

/* Frozen modules: their weights are state, never parameters to be trained. */
static Var dense(Graph *g, const char *name, Var x, int64_t in, int64_t out)
{
    graph_push(g, name);
    const Var weight = graph_state(g, "weight", shape2(out, in), no_init);
    const Var bias = graph_state(g, "bias", shape1(out), no_init);
    graph_pop(g);
    return op_linear(g, x, weight, bias);
}

static Var norm(Graph *g, const char *name, Var x)
{
    graph_push(g, name);
    const Var weight = graph_state(g, "weight", shape1(WIDTH), no_init);
    const Var bias = graph_state(g, "bias", shape1(WIDTH), no_init);
    graph_pop(g);
    return op_layernorm(g, x, weight, bias, layernorm_eps);
}

static Var embed(Graph *g, const char *table, const char *ids, int64_t rows, int64_t tokens)
{
    const Var in = graph_input(g, ids, DTYPE_I32, shape2(1, tokens));
    return op_embedding(g, in, graph_state(g, table, shape2(rows, WIDTH), no_init));
}

/* One layer: x = LN(x + attention), x = LN(x + MLP). x [1, T, 384], mask [1, T] additive. */
static Var layer(Graph *g, Var x, Var mask)
{
    const AttentionAttr attr = { .heads = HEADS, .slots = ATTENTION_PLAIN, .has_mask = true };
    const Var q = dense(g, "attention.self.query", x, WIDTH, WIDTH);
    const Var k = dense(g, "attention.self.key", x, WIDTH, WIDTH);
    const Var v = dense(g, "attention.self.value", x, WIDTH, WIDTH);
    Var a = op_attention(g, q, k, v, VAR_NONE, mask, &attr);
    a = dense(g, "attention.output.dense", a, WIDTH, WIDTH);
    x = norm(g, "attention.output.LayerNorm", op_add(g, x, a));
    Var h = op_gelu(g, dense(g, "intermediate.dense", x, WIDTH, HIDDEN));
    h = dense(g, "output.dense", h, HIDDEN, WIDTH);
    return norm(g, "output.LayerNorm", op_add(g, x, h));
}

static void build(Graph *g, int64_t vocabulary, int64_t tokens)
{
    graph_push(g, "embeddings");
    const Var words = embed(g, "word_embeddings.weight", "ids", vocabulary, tokens);
    const Var positions = embed(g, "position_embeddings.weight", "positions", POSITIONS, tokens);
    const Var types = embed(g, "token_type_embeddings.weight", "types", TYPES, tokens);
    Var x = norm(g, "LayerNorm", op_add(g, op_add(g, words, types), positions));
    graph_pop(g);
    const Var mask = graph_input(g, "mask", DTYPE_F32, shape2(1, tokens));
    for (int i = 0; i < LAYERS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "encoder.layer.%d", i);
        graph_push(g, name);
        x = layer(g, x, mask);
        graph_pop(g);
    }
    graph_output(g, "features", x);
}

static bool is_vocabulary(const StoredTensor *words)
{
    return words != NULL && words->shape.rank == 2 && words->shape.dim[0] >= 1 &&
           words->shape.dim[0] <= MAX_VOCABULARY && words->shape.dim[1] == WIDTH;
}

static Err find_vocabulary(const TensorFile *file, char **ret_prefix, int64_t *ret_vocabulary)
{
    static const char embeddings[] = "embeddings.word_embeddings.weight";
    char *prefix = NULL, *name = NULL;
    const StoredTensor *words = NULL;
    TRY(tensor_file_prefix(file, embeddings, &prefix));
    Err err = prefix != NULL ? str_format(&name, "%s%s", prefix, embeddings) : ERR_NONE;
    if (name != NULL) words = tensor_file_find(file, name);
    free(name);
    if (err == ERR_NONE && is_vocabulary(words)) {
        *ret_prefix = prefix;
        *ret_vocabulary = words->shape.dim[0];
        return ERR_NONE;
    }
    free(prefix);
    TRY(err);
    return err_set(ERR_MODEL,
                   "'%s': has no word embeddings [vocabulary, %d]; the weights of all-MiniLM-L6-v2 were expected",
                   tensor_file_path(file), WIDTH);
}

/* Declares all parameters. */
static Err declare(ParamSet *params, int64_t vocabulary)
{
    Graph *g = NULL;
    TRY(graph_new(params, false, &g));
    build(g, vocabulary, STEP);
    const Err err = graph_finish(g);
    graph_free(g);
    return err;
}

static Err load(TextEncoder *encoder, const TensorFile *file)
{
    char *prefix = NULL;
    TRY(find_vocabulary(file, &prefix, &encoder->vocabulary));
    Err err = params_new(&encoder->params);
    if (err == ERR_NONE) err = declare(encoder->params, encoder->vocabulary);
    if (err == ERR_NONE) err = model_read_params(file, prefix, NULL, encoder->params);
    free(prefix);
    return err;
}

Err text_encoder_new(const char *weights, Device device, TextEncoder **ret_encoder)
{
    TextEncoder *encoder = calloc(1, sizeof *encoder);
    if (encoder == NULL) return err_memory(sizeof *encoder, "a text encoder");
    encoder->device = device;
    TensorFile *file = NULL;
    Err err = tensor_file_open(weights, &file);
    if (err == ERR_NONE) err = load(encoder, file);
    tensor_file_close(file);
    if (err == ERR_NONE)
        *ret_encoder = encoder;
    else
        text_encoder_free(encoder);
    return err;
}

void text_encoder_free(TextEncoder *encoder)
{
    if (encoder == NULL) return;
    for (int i = 0; i < PROGRAMS; i++) program_free(encoder->programs[i]);
    params_free(encoder->params);
    free(encoder);
}

const ParamSet *text_encoder_params(const TextEncoder *encoder) { return encoder->params; }

/* The program for up to `tokens` tokens (a multiple of STEP), compiled on first use. */
static Err program_for(TextEncoder *encoder, int64_t tokens, Program **ret_program)
{
    Program **slot = &encoder->programs[tokens / STEP - 1];
    if (*slot == NULL) {
        ProgramOptions options = program_options_defaults();
        options.device = encoder->device;
        Graph *g = NULL;
        TRY(graph_new(encoder->params, false, &g));
        build(g, encoder->vocabulary, tokens);
        Err err = graph_finish(g);
        if (err == ERR_NONE) err = program_compile(g, encoder->params, &options, slot);
        graph_free(g);
        TRY(err);
    }
    *ret_program = *slot;
    return ERR_NONE;
}

Err text_encode(TextEncoder *encoder, const int32_t *ids, int64_t n, float *ret_features)
{
    if (n < 1 || n > TEXT_ENCODER_MAX_TOKENS) {
        return err_set(ERR_ARGUMENT, "a text of %lld tokens was given; 1 to %d can be encoded", (long long)n,
                       TEXT_ENCODER_MAX_TOKENS);
    }
    for (int64_t i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= encoder->vocabulary) {
            return err_set(ERR_ARGUMENT, "token id %d is outside the text encoder's vocabulary of %lld", (int)ids[i],
                           (long long)encoder->vocabulary);
        }
    }
    const int64_t tokens = (n + STEP - 1) / STEP * STEP;
    Program *program = NULL;
    TRY(program_for(encoder, tokens, &program));
    int32_t *id = program_tensor(program, "ids").data, *position = program_tensor(program, "positions").data;
    int32_t *type = program_tensor(program, "types").data;
    float *mask = program_tensor(program, "mask").data;
    for (int64_t i = 0; i < tokens; i++) {
        id[i] = i < n ? ids[i] : 0;
        position[i] = (int32_t)i;
        type[i] = 0;
        mask[i] = i < n ? 0.0F : padding_mask;
    }
    TRY(program_forward(program, 0));
    memcpy(ret_features, program_tensor(program, "features").data, (size_t)n * WIDTH * sizeof *ret_features);
    return ERR_NONE;
}
