/* SPDX-License-Identifier: Apache-2.0
 * Prompt tables of a model file. */
#include "model/model_prompts.h"

#include "base/json.h"
#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PROMPTS = 4096, MAX_JSON_BYTES = 4 << 20 };

const char *prompt_kind_name(PromptKind kind)
{
    static const char *const names[PROMPT_KIND_COUNT] = { "zone", "season", "sensor" };
    return names[kind];
}

Err prompt_table_init(PromptTable *table, int32_t count, int32_t rows)
{
    if (count < 0 || count > MAX_PROMPTS || rows < 1 || rows > MODEL_MAX_PROMPT_TOKENS) {
        return err_set(ERR_ARGUMENT,
                       "a prompt table of %d sentences with %d tokens each was wanted; at most %d and %d fit",
                       (int)count, (int)rows, MAX_PROMPTS, MODEL_MAX_PROMPT_TOKENS);
    }
    const size_t n = (size_t)count + 1, values = (size_t)count * (size_t)rows * MODEL_TEXT_WIDTH + 1;
    PromptTable made = { .count = count, .rows = rows };
    made.keys = calloc(n, sizeof *made.keys);
    made.sentences = calloc(n, sizeof *made.sentences);
    made.lengths = calloc(n, sizeof *made.lengths);
    made.features = calloc(values, sizeof *made.features);
    if (made.keys == NULL || made.sentences == NULL || made.lengths == NULL || made.features == NULL) {
        prompt_table_done(&made);
        return err_memory(values * sizeof *made.features, "prompt features");
    }
    *table = made;
    return ERR_NONE;
}

void prompt_table_done(PromptTable *table)
{
    for (int32_t i = 0; i < table->count; i++) {
        if (table->keys != NULL) free(table->keys[i]);
        if (table->sentences != NULL) free(table->sentences[i]);
    }
    free(table->keys);
    free(table->sentences);
    free(table->lengths);
    free(table->features);
    *table = (PromptTable){ 0 };
}

Err prompt_table_set(PromptTable *table, int32_t index, const char *key, const char *sentence, const float *features,
                     int32_t length)
{
    if (index < 0 || index >= table->count || length < 0 || length > table->rows) {
        return err_set(ERR_ARGUMENT,
                       "prompt '%.60s' has %d tokens; a table of %d sentences with %d tokens cannot hold it", key,
                       (int)length, (int)table->count, (int)table->rows);
    }
    TRY(model_config_set_text(&table->keys[index], key));
    TRY(model_config_set_text(&table->sentences[index], sentence));
    float *to = table->features + (int64_t)index * table->rows * MODEL_TEXT_WIDTH;
    memset(to, 0, (size_t)table->rows * MODEL_TEXT_WIDTH * sizeof *to);
    memcpy(to, features, (size_t)length * MODEL_TEXT_WIDTH * sizeof *to);
    table->lengths[index] = length;
    return ERR_NONE;
}

int32_t prompt_table_find(const PromptTable *table, const char *key)
{
    for (int32_t i = 0; i < table->count; i++) {
        if (table->keys[i] != NULL && strcmp(table->keys[i], key) == 0) return i;
    }
    return -1;
}

const float *prompt_table_features(const PromptTable *table, int32_t index)
{
    ASSERT(index >= 0 && index < table->count);
    return table->features + (int64_t)index * table->rows * MODEL_TEXT_WIDTH;
}

typedef struct Names {
    char tensor[40], lengths[40], metadata[40];
} Names;

static Names names_of(PromptKind kind)
{
    Names names;
    (void)snprintf(names.tensor, sizeof names.tensor, "prompts.%s", prompt_kind_name(kind));
    (void)snprintf(names.lengths, sizeof names.lengths, "prompts.%s.lengths", prompt_kind_name(kind));
    (void)snprintf(names.metadata, sizeof names.metadata, "metaseg.prompts.%s", prompt_kind_name(kind));
    return names;
}

Err prompt_table_store(const PromptTable *table, PromptKind kind, SafetensorsWriter *writer)
{
    if (table->count == 0) return ERR_NONE;
    const Names names = names_of(kind);
    const Tensor features = { .dtype = DTYPE_F32,
                              .shape = { 3, { table->count, table->rows, MODEL_TEXT_WIDTH } },
                              .data = table->features };
    const Tensor lengths = { .dtype = DTYPE_I32, .shape = { 1, { table->count } }, .data = table->lengths };
    TRY(safetensors_writer_add(writer, names.tensor, &features, DTYPE_F16));
    TRY(safetensors_writer_add(writer, names.lengths, &lengths, DTYPE_I32));
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
    const Err err = safetensors_writer_metadata(writer, names.metadata, text);
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

static Err check_features(const PromptTable *table, const char *name)
{
    for (int32_t i = 0; i < table->count; i++) {
        if (table->lengths[i] < 0 || table->lengths[i] > table->rows) {
            return err_set(ERR_MODEL, "%s: sentence %d has %d tokens; at most %d fit", name, (int)i,
                           (int)table->lengths[i], (int)table->rows);
        }
        float *rows = table->features + (int64_t)i * table->rows * MODEL_TEXT_WIDTH;
        for (int64_t j = 0; j < (int64_t)table->rows * MODEL_TEXT_WIDTH; j++) {
            if (j >= (int64_t)table->lengths[i] * MODEL_TEXT_WIDTH)
                rows[j] = 0.0F;
            else if (!isfinite(rows[j]))
                return err_set(ERR_MODEL, "%s: a feature of sentence %d is no number", name, (int)i);
        }
    }
    return ERR_NONE;
}

static Err fill_table(const TensorFile *file, const Names *names, const StoredTensor *features, PromptTable *table)
{
    const Shape lengths_shape = { 1, { table->count } };
    const StoredTensor *lengths = NULL;
    TRY(tensor_file_require(file, names->lengths, &lengths_shape, &lengths));
    if (lengths->dtype != DTYPE_I32) return err_set(ERR_MODEL, "%s is not i32", names->lengths);
    TRY(stored_tensor_copy(lengths, table->lengths));
    TRY(stored_tensor_read_f32(features, table->features));
    TRY(check_features(table, names->tensor));
    const char *json = tensor_file_metadata(file, names->metadata);
    if (json == NULL) return err_set(ERR_MODEL, "the metadata %s is missing", names->metadata);
    return err_prefix(read_texts(json, table), "%s", names->metadata);
}

Err prompt_table_load(const TensorFile *file, PromptKind kind, PromptTable *ret_table)
{
    const Names names = names_of(kind);
    const StoredTensor *features = tensor_file_find(file, names.tensor);
    PromptTable table = { 0 };
    if (features == NULL) {
        *ret_table = table;
        return ERR_NONE;
    }
    const Shape *shape = &features->shape;
    const bool fits = shape->rank == 3 && shape->dim[0] >= 1 && shape->dim[0] <= MAX_PROMPTS && shape->dim[1] >= 1 &&
                      shape->dim[1] <= MODEL_MAX_PROMPT_TOKENS && shape->dim[2] == MODEL_TEXT_WIDTH;
    Err err = fits ? prompt_table_init(&table, (int32_t)shape->dim[0], (int32_t)shape->dim[1])
                   : err_set(ERR_MODEL, "%s has an unsuitable shape", names.tensor);
    if (err == ERR_NONE) err = fill_table(file, &names, features, &table);
    if (err != ERR_NONE) {
        prompt_table_done(&table);
        return err_prefix(err == ERR_INPUT ? ERR_MODEL : err, "'%s'", tensor_file_path(file));
    }
    *ret_table = table;
    return ERR_NONE;
}
