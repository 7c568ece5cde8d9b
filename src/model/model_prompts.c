/* SPDX-License-Identifier: Apache-2.0
 * The prompts of a model file. */
#include "model/model_prompts.h"

#include "base/json.h"
#include "base/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PROMPTS = 4096, MAX_JSON_BYTES = 4 << 20 };

static const char features_name[] = "prompts.zone";
static const char lengths_name[] = "prompts.zone.lengths";
static const char texts_name[] = "metaseg.prompts.zone";

bool model_prompts_has(const char *name) { return strcmp(name, features_name) == 0 || strcmp(name, lengths_name) == 0; }

Err model_prompts_store(const PromptTable *table, SafetensorsWriter *writer)
{
    if (table->count == 0) return ERR_NONE; /* the first wordings stand first */
    const Tensor features = { .dtype = DTYPE_F32,
                              .shape = { 3, { table->count, table->rows, table->width } },
                              .data = table->features };
    const Tensor lengths = { .dtype = DTYPE_I32, .shape = { 1, { table->count } }, .data = table->lengths };
    TRY(safetensors_writer_add(writer, features_name, &features, DTYPE_F16));
    TRY(safetensors_writer_add(writer, lengths_name, &lengths, DTYPE_I32));
    JsonWriter json = { 0 };
    char *text = NULL;
    json_begin_array(&json, NULL);
    for (int32_t i = 0; i < table->count; i++) {
        json_begin_object(&json, NULL);
        json_put_string(&json, "key", table->keys[i] != NULL ? table->keys[i] : "");
        json_put_string(&json, "text", table->sentences[i] != NULL ? table->sentences[i] : "");
        json_end(&json);
    }
    json_end(&json);
    TRY(json_take(&json, &text));
    const Err err = safetensors_writer_metadata(writer, texts_name, text);
    free(text);
    return err;
}

static Err read_texts(const char *json, PromptTable *table)
{
    Json *root = NULL;
    TRY(json_parse(json, strlen(json), MAX_JSON_BYTES, &root));
    Err err = json_kind(root) == JSON_ARRAY && json_count(root) == table->count
                  ? ERR_NONE
                  : err_set(ERR_MODEL, "%d sentences were expected", (int)table->count);
    int32_t i = 0;
    for (const Json *node = json_first(root); node != NULL && err == ERR_NONE; node = json_next(node), i++) {
        const char *key = NULL, *sentence = NULL;
        err = json_get_string(node, "key", &key);
        if (err == ERR_NONE) err = json_get_string(node, "text", &sentence);
        if (err == ERR_NONE && prompt_table_find(table, key) >= 0)
            err = err_set(ERR_MODEL, "'%.60s' is there twice", key);
        if (err == ERR_NONE) err = model_config_set_text(&table->keys[i], key);
        if (err == ERR_NONE) err = model_config_set_text(&table->sentences[i], sentence);
    }
    json_free(root);
    return err;
}

static Err check_features(const PromptTable *table)
{
    for (int32_t i = 0; i < table->count; i++) {
        if (table->lengths[i] < 0 || table->lengths[i] > table->rows) {
            return err_set(ERR_MODEL, "%s: sentence %d has %d tokens; at most %d fit", features_name, (int)i,
                           (int)table->lengths[i], (int)table->rows);
        }
        float *rows = table->features + (int64_t)i * table->rows * table->width;
        for (int64_t j = 0; j < (int64_t)table->rows * table->width; j++) {
            if (j >= (int64_t)table->lengths[i] * table->width)
                rows[j] = 0.0F;
            else if (!isfinite(rows[j]))
                return err_set(ERR_MODEL, "%s: a feature of sentence %d is no number", features_name, (int)i);
        }
    }
    return ERR_NONE;
}

static Err fill_table(const TensorFile *file, const StoredTensor *features, PromptTable *table)
{
    const Shape lengths_shape = { 1, { table->count } };
    const StoredTensor *lengths = NULL;
    TRY(tensor_file_require(file, lengths_name, &lengths_shape, &lengths));
    if (lengths->dtype != DTYPE_I32) return err_set(ERR_MODEL, "%s is not i32", lengths_name);
    TRY(stored_tensor_copy(lengths, table->lengths));
    TRY(stored_tensor_read_f32(features, table->features));
    TRY(check_features(table));
    const char *json = tensor_file_metadata(file, texts_name);
    if (json == NULL) return err_set(ERR_MODEL, "the metadata %s is missing", texts_name);
    return err_prefix(read_texts(json, table), "%s", texts_name);
}

Err model_prompts_load(const TensorFile *file, int32_t text_width, PromptTable *ret_table)
{
    const StoredTensor *features = tensor_file_find(file, features_name);
    PromptTable table = { 0 };
    if (features == NULL) {
        *ret_table = table;
        return ERR_NONE;
    }
    const Shape *shape = &features->shape;
    const bool fits = shape->rank == 3 && shape->dim[0] >= 1 && shape->dim[0] <= MAX_PROMPTS && shape->dim[1] >= 1 &&
                      shape->dim[1] <= PROMPT_TOKENS_MAX && shape->dim[2] == text_width;
    Err err = fits ? prompt_table_init(&table, (int32_t)shape->dim[0], 1, (int32_t)shape->dim[1], text_width)
                   : err_set(ERR_MODEL, "%s has an unsuitable shape", features_name);
    if (err == ERR_NONE) err = fill_table(file, features, &table);
    if (err != ERR_NONE) {
        prompt_table_done(&table);
        return err_prefix(err == ERR_INPUT ? ERR_MODEL : err, "'%s'", tensor_file_path(file));
    }
    *ret_table = table;
    return ERR_NONE;
}
