/* SPDX-License-Identifier: Apache-2.0
 *
 * A model in memory and its file: one safetensors file with the weights under the published names, the prompts' token
 * features, and the configuration in the metadata. A checkpoint is the same file with further tensors "train.NAME" and
 * metadata "metaseg.train.NAME", which a plain load passes over.
 *
 *     Model *model = NULL;
 *     TRY(model_load("globe.safetensors", false, &model));
 *     TRY(segmenter_compile(model->params, &model->config.network, &shape, NULL, &options, &program));
 *     ...
 *     model_free(model);
 */
#ifndef METASEG_MODEL_MODEL_FILE_H
#define METASEG_MODEL_MODEL_FILE_H

#include "graph/params.h"
#include "model/model_config.h"
#include "model/model_prompts.h"

typedef struct Model {
    ModelConfig config;
    ParamSet *params;
    PromptTable prompts; /* of climate zones, keyed by their codes; count 0: it reads no words */
} Model;

/* A model with all its parameters, all values 0; the configuration is copied. auxiliary: also the auxiliary head, which
 * only training needs. ERR_MODEL (configuration), ERR_MEMORY. */
Err model_new(const ModelConfig *config, bool auxiliary, Model **ret_model);
void model_free(Model *model);

/* Random initial values (docs/model.md section 6), the encoder's too. */
void model_initialize(Model *model, uint64_t seed);

/* Moves the origin of a new model's text input to `mean`, [384], the mean token of its prompts: "text.null" becomes
 * mean + its random part, the bias of both "text_in" becomes -weight mean. What tells prompts apart is a small part of
 * a token; without this the LayerNorms of the fusion would mostly see what all prompts share. Nothing to do without
 * fusion. */
void model_centre_text(Model *model, const float *mean);

/* Fills the encoder from the published checkpoint (.pth in both formats) or from our safetensors (names with or without
 * "encoder."). Models with other than 3 bands get the filters of the published red, green and blue in turn, scaled by 3
 * / bands; what reads the presence of bands starts at 0. ERR_INPUT, ERR_MODEL, ERR_MEMORY. */
Err model_load_encoder(Model *model, const char *path);

/* Reads a model or a checkpoint as untrusted input. auxiliary as in model_new; a file without that head leaves its
 * random initial values. ERR_INPUT: missing; ERR_MODEL: damaged, no model of ours, unknown architecture, missing or
 * unexpected tensors, values that are no numbers; ERR_MEMORY. */
Err model_load(const char *path, bool auxiliary, Model **ret_model);

/* The same from an open file, which stays the caller's: further tensors are read with tensor_file_find(file,
 * "train.NAME"). */
Err model_load_file(const TensorFile *file, bool auxiliary, Model **ret_model);

/* The finite values of a tensor. ERR_MODEL with the place; ERR_INPUT, ERR_MEMORY. */
Err model_read_values(const TensorFile *file, const StoredTensor *tensor, float *ret_values);

/* A further tensor or metadata entry of a checkpoint; names start with "train." and "metaseg.train.". */
typedef struct ModelExtra {
    const char *name;
    Tensor tensor;
} ModelExtra;
typedef struct ModelNote {
    const char *key, *value;
} ModelNote;

typedef struct ModelSave {
    Dtype weights;  /* f32, or f16: then rank 2 and higher only; vectors (norms, biases) stay f32 */
    bool auxiliary; /* also the auxiliary head, where the model has it */
    bool overwrite;
    const float *values; /* instead of the set's values, the same layout (moving averages); NULL */
    const ModelExtra *extras;
    int64_t n_extras;
    const ModelNote *notes;
    int64_t n_notes;
} ModelSave;
ModelSave model_save_defaults(void); /* f16, without auxiliary head, no overwriting */

/* Writes atomically. ERR_OUTPUT, ERR_MEMORY, ERR_ARGUMENT (an extra's name). */
Err model_save(const Model *model, const char *path, const ModelSave *save);

/* XXH64 over names and values of all parameters, in the order of their names; for manifests. ERR_MEMORY. */
Err model_hash(const Model *model, uint64_t *ret_hash);

/* Is this the name of an auxiliary-head parameter? */
bool model_is_auxiliary(const char *name);

#endif
