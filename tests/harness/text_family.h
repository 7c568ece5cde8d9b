/* SPDX-License-Identifier: Apache-2.0
 *
 * Small text encoders with the parameters of tools/golden/text_families.py, as files in the layouts that others publish. */
#ifndef METASEG_TESTS_TEXT_FAMILY_H
#define METASEG_TESTS_TEXT_FAMILY_H

#include "base/file.h"
#include "graph/program.h"
#include "network/text_encoder_def.h"
#include "tensor_file/safetensors.h"

#include "harness/golden_published.h"

/* The sizes of the script. */
static inline TextEncoderSizes text_family_sizes(NetworkTextEncoder kind, int64_t vocabulary)
{
    const bool bert = kind == NETWORK_TEXT_ENCODER_bert;
    return (TextEncoderSizes){ .vocabulary = vocabulary,
                               .width = 128,
                               .layers = 2,
                               .heads = 2,
                               .hidden = bert ? 320 : 512,
                               .positions = bert ? 80 : 77,
                               .types = bert ? 2 : 0,
                               .eps = text_encoder_def(kind)->eps };
}

static inline ParamSet *text_family_params(NetworkTextEncoder kind, int64_t vocabulary)
{
    const TextEncoderDef *def = text_encoder_def(kind);
    const TextEncoderSizes sizes = text_family_sizes(kind, vocabulary);
    ParamSet *params = NULL;
    Graph *g = NULL;
    ASSERT_OK(params_new(&params));
    ASSERT_OK(graph_new(params, false, &g));
    (void)def->build(g, &sizes, def->activation, 1);
    ASSERT_OK(graph_finish(g));
    graph_free(g);
    ASSERT_OK(params_allocate(params));
    golden_published_fill(params, NULL);
    return params;
}

static inline void text_family_add(SafetensorsWriter *writer, const char *prefix, const char *name,
                                   const Tensor *tensor)
{
    char full[256];
    (void)snprintf(full, sizeof full, "%s%s", prefix, name);
    ASSERT_OK(safetensors_writer_add(writer, full, tensor, DTYPE_F32));
}

/* Other tensors of a whole file, which are passed over. */
static const float text_family_zeros[8];

/* Names of transformers behind a prefix, with `others`, of shape [2, 4], beside them; n_left_out: parameters at the end that are not
 * written. */
static inline void text_family_write(const ParamSet *params, const char *path, const char *prefix,
                                     const char *const *others, int64_t n_others, int32_t n_left_out)
{
    SafetensorsWriter *writer = NULL;
    const Tensor zeros = { .dtype = DTYPE_F32, .shape = shape2(2, 4), .data = (void *)text_family_zeros };
    ASSERT_OK(safetensors_writer_new(&writer));
    for (int32_t i = 0; i < params_count(params) - n_left_out; i++) {
        const Tensor tensor = params_tensor(params, i);
        text_family_add(writer, prefix, params_info(params, i)->name, &tensor);
    }
    for (int64_t i = 0; i < n_others; i++) text_family_add(writer, "", others[i], &zeros);
    ASSERT_OK(safetensors_writer_write(writer, path, true));
    safetensors_writer_free(writer);
}

/* q, k and v of a layer as OpenAI has them: one below the other. */
static inline float *text_family_joined(const ParamSet *params, int layer, const char *kind, Shape *ret_shape)
{
    float *joined = NULL;
    for (int part = 0; part < 3; part++) {
        char name[128];
        (void)snprintf(name, sizeof name, "encoder.layers.%d.self_attn.%c_proj.%s", layer, "qkv"[part], kind);
        const int32_t index = params_find(params, name);
        assert_true(index >= 0);
        const Tensor tensor = params_tensor(params, index);
        const size_t n = (size_t)shape_count(&tensor.shape);
        if (joined == NULL) joined = malloc(3 * n * sizeof *joined);
        assert_non_null(joined);
        memcpy(joined + (size_t)part * n, tensor.data, n * sizeof *joined);
        *ret_shape = tensor.shape;
    }
    ret_shape->dim[0] *= 3;
    return joined;
}

/* Names of OpenAI and open_clip behind a prefix; marked: with the numbers that OpenAI's own files hold. */
static inline void text_family_write_openai(const ParamSet *params, const char *path, const char *prefix, bool marked)
{
    static const char *const names[][2] = {
        { "embeddings.token_embedding.weight", "token_embedding.weight" },
        { "embeddings.position_embedding.weight", "positional_embedding" },
        { "final_layer_norm.weight", "ln_final.weight" },
        { "final_layer_norm.bias", "ln_final.bias" },
    };
    static const char *const parts[][2] = { { "layer_norm1", "ln_1" },
                                            { "layer_norm2", "ln_2" },
                                            { "mlp.fc1", "mlp.c_fc" },
                                            { "mlp.fc2", "mlp.c_proj" },
                                            { "self_attn.out_proj", "attn.out_proj" } };
    static const char *const kinds[] = { "weight", "bias" };
    const Tensor zeros = { .dtype = DTYPE_F32, .shape = shape2(2, 4), .data = (void *)text_family_zeros };
    SafetensorsWriter *writer = NULL;
    float *joined[4];
    int n_joined = 0;
    ASSERT_OK(safetensors_writer_new(&writer));
    for (int64_t i = 0; i < ARRAY_LEN(names); i++) {
        const Tensor tensor = params_tensor(params, params_find(params, names[i][0]));
        text_family_add(writer, prefix, names[i][1], &tensor);
    }
    for (int layer = 0; layer < 2; layer++)
        for (int k = 0; k < 2; k++) {
            char ours[128], theirs[128];
            for (int64_t i = 0; i < ARRAY_LEN(parts); i++) {
                (void)snprintf(ours, sizeof ours, "encoder.layers.%d.%s.%s", layer, parts[i][0], kinds[k]);
                (void)snprintf(theirs, sizeof theirs, "transformer.resblocks.%d.%s.%s", layer, parts[i][1], kinds[k]);
                const Tensor tensor = params_tensor(params, params_find(params, ours));
                text_family_add(writer, prefix, theirs, &tensor);
            }
            Tensor all = { .dtype = DTYPE_F32 };
            all.data = joined[n_joined++] = text_family_joined(params, layer, kinds[k], &all.shape);
            (void)snprintf(theirs, sizeof theirs, "transformer.resblocks.%d.attn.in_proj_%s", layer, kinds[k]);
            text_family_add(writer, prefix, theirs, &all);
        }
    text_family_add(writer, prefix, "text_projection", &zeros);
    text_family_add(writer, prefix, "visual.transformer.resblocks.0.ln_1.weight", &zeros);
    if (marked) text_family_add(writer, prefix, "input_resolution", &zeros);
    ASSERT_OK(safetensors_writer_write(writer, path, true));
    safetensors_writer_free(writer);
    for (int i = 0; i < n_joined; i++) free(joined[i]);
}

#endif
