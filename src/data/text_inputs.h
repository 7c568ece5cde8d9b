/* SPDX-License-Identifier: Apache-2.0
 *
 * The text side of a program's inputs (docs/model.md section 1): which prompt features stand in which zone slot, and
 * how strongly each cell of the image reads each slot.
 */
#ifndef METASEG_DATA_TEXT_INPUTS_H
#define METASEG_DATA_TEXT_INPUTS_H

#include "tensor/network_inputs.h"

enum { TEXT_WIDTH = 384, TEXT_MAX_TOKENS = 64 };

/* Token features of prompts, encoded before: of every zone (1..zones) in some variants (paraphrases), at most
 * TEXT_MAX_TOKENS rows each. Plain data; features are owned. */
typedef struct TextTable {
    int32_t zones, variants;
    int32_t *lengths; /* [zones, variants], rows used */
    float *features;  /* [zones, variants, TEXT_MAX_TOKENS, TEXT_WIDTH], unused rows 0 */
} TextTable;

/* All lengths 0. ERR_MEMORY. */
Err text_table_init(TextTable *table, int32_t zones, int32_t variants);
void text_table_done(TextTable *table);

/* Row block of a prompt, [TEXT_MAX_TOKENS, TEXT_WIDTH]; zone counts from 1. */
float *text_table_features(const TextTable *table, int32_t zone, int32_t variant);

/* Mean of all rows of all prompts, [TEXT_WIDTH]; zeros for an empty table. */
void text_table_mean(const TextTable *table, float *ret_mean);

/* Appends `count` rows to a prompt. ERR_INPUT when it would hold more than TEXT_MAX_TOKENS. */
Err text_table_append(TextTable *table, int32_t zone, int32_t variant, const float *rows, int32_t count);

/* Fills the text of one image (a batch of one; sides multiples of 32; text_width TEXT_WIDTH; not one without text).
 * slot_zones [K]: zone of each slot, 0 for an empty one. variants [K]: which paraphrase. shares [H/16, W/16, K+1]: of
 * the slots and, last, of the null prompt; each cell sums to 1. shares NULL: the null prompt everywhere. Lengths over L
 * are an internal error (ASSERT): L comes from the table's longest prompt. */
void text_inputs_fill(const TextTable *table, const int32_t *slot_zones, const int32_t *variants, const float *shares,
                      const NetworkInputs *image);

#endif
