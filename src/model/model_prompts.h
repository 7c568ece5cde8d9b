/* SPDX-License-Identifier: Apache-2.0
 *
 * Token features of prompts that a model carries, so that prediction needs no text encoder: one table for the climate
 * zones, one for season and hemisphere, one for sampling distance and sensor.
 */
#ifndef METASEG_MODEL_MODEL_PROMPTS_H
#define METASEG_MODEL_MODEL_PROMPTS_H

#include "base/err.h"
#include "model/model_config.h"
#include "model/safetensors.h"

typedef enum PromptKind { PROMPT_ZONE = 0, PROMPT_SEASON, PROMPT_SENSOR, PROMPT_KIND_COUNT } PromptKind;

/* One table. Open struct; owns everything (prompt_table_done). count 0: the model has none. */
typedef struct PromptTable {
    int32_t count, rows; /* sentences; rows kept for each, at most MODEL_MAX_PROMPT_TOKENS */
    char **keys;         /* "Cfb", "northern-summer", ... distinct */
    char **sentences;    /* the text that was encoded */
    int32_t *lengths;    /* rows used */
    float *features;     /* [count, rows, MODEL_TEXT_WIDTH], unused rows 0 */
} PromptTable;

/* An empty table of this size. ERR_MEMORY, ERR_ARGUMENT (sizes out of range). */
Err prompt_table_init(PromptTable *table, int32_t count, int32_t rows);
void prompt_table_done(PromptTable *table);

/* Fills entry `index`; features [length, MODEL_TEXT_WIDTH], length <= rows. Everything is copied. ERR_MEMORY,
 * ERR_ARGUMENT. */
Err prompt_table_set(PromptTable *table, int32_t index, const char *key, const char *sentence, const float *features,
                     int32_t length);

int32_t prompt_table_find(const PromptTable *table, const char *key); /* -1: unknown */
const float *prompt_table_features(const PromptTable *table, int32_t index);

/* "zone", "season", "sensor": the tensors are prompts.KIND (f16) and prompts.KIND.lengths (i32), keys and sentences
 * stand in the metadata under metaseg.prompts.KIND. */
const char *prompt_kind_name(PromptKind kind);

/* Adds a table to a file being written (borrowed until the write; nothing for an empty table). ERR_MEMORY. */
Err prompt_table_store(const PromptTable *table, PromptKind kind, SafetensorsWriter *writer);

/* Reads a table; an absent one is empty. ERR_MODEL, ERR_MEMORY. */
Err prompt_table_load(const TensorFile *file, PromptKind kind, PromptTable *ret_table);

#endif
