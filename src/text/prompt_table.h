/* SPDX-License-Identifier: Apache-2.0
 *
 * Encoded prompts: for each key the token features of one or more wordings of its sentence. Training fills one with all
 * wordings, a model file carries the first of each (model/model_prompts.h), so that prediction needs no text encoder.
 *
 * Keys are those of the model file (docs/model-file.md): of climate zones the Koeppen-Geiger code, "Cfb".
 */
#ifndef METASEG_TEXT_PROMPT_TABLE_H
#define METASEG_TEXT_PROMPT_TABLE_H

#include "base/err.h"

#include <stdint.h>

enum { PROMPT_TOKENS_MAX = 77 }; /* of any text encoder: zone + season + observation, each with its start and end */

/* Open struct; owns everything (prompt_table_done). Reading is safe from several threads. count 0: no prompts. */
typedef struct PromptTable {
    int32_t count;    /* keys */
    int32_t wordings; /* of each key; the first is the one that prediction reads */
    int32_t rows;     /* kept for each wording, at most PROMPT_TOKENS_MAX */
    int32_t width;    /* features of a row */
    char **keys;      /* [count], distinct */
    char **sentences; /* [wordings, count], the text that was encoded */
    int32_t *lengths; /* [wordings, count], rows used */
    float *features;  /* [wordings, count, rows, width], unused rows 0 */
} PromptTable;

/* A table of this size without keys, all lengths 0. ERR_ARGUMENT: a size out of range; ERR_MEMORY. */
Err prompt_table_init(PromptTable *table, int32_t count, int32_t wordings, int32_t rows, int32_t width);
void prompt_table_done(PromptTable *table);

/* Fills one wording of entry `index`, whose key it gives; features [length, width], length <= rows. Everything is
 * copied. ERR_ARGUMENT: it does not fit; ERR_MEMORY. */
Err prompt_table_set(PromptTable *table, int32_t index, int32_t wording, const char *key, const char *sentence,
                     const float *features, int32_t length);

/* Entry of a key; -1: there is none. */
int32_t prompt_table_find(const PromptTable *table, const char *key);

/* One wording of an entry: its rows, [rows, width], and how many of them are used. Both in range (ASSERT). */
const float *prompt_table_features(const PromptTable *table, int32_t index, int32_t wording);
int32_t prompt_table_length(const PromptTable *table, int32_t index, int32_t wording);

/* Most rows that a wording uses; 0 for an empty table. */
int32_t prompt_table_longest(const PromptTable *table);

/* Mean of all used rows of all wordings, [width]; zeros where there are none. */
void prompt_table_mean(const PromptTable *table, float *ret_mean);

#endif
