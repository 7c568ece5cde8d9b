/* SPDX-License-Identifier: Apache-2.0
 *
 * The text side of the network's inputs (docs/model.md section 1): which prompt stands in which slot, and how strongly
 * each cell of the image reads each slot.
 */
#ifndef METASEG_DATA_TEXT_INPUTS_H
#define METASEG_DATA_TEXT_INPUTS_H

#include "tensor/network_inputs.h"
#include "text/prompt_table.h"

/* Entries of the table for the zones of n slots: zone 1..CLIMATE_ZONES, whose prompt must be there (ASSERT), or 0 for an
 * empty slot, which gets -1. */
void text_inputs_entries(const PromptTable *table, int32_t n, const int32_t *zones, int32_t *ret_entries);

/* Fills the text of one image (a batch of one with text, ASSERT). entries [K]: of the prompt in each slot, -1 for an
 * empty one. wordings [K]: which one of it. shares [H/16, W/16, K + 1]: of the slots and, last, of the null prompt; each
 * cell sums to 1. shares NULL: the null prompt everywhere. The table's width is the shape's text_width, its longest
 * prompt at most L (ASSERT). */
void text_inputs_fill(const PromptTable *table, const int32_t *entries, const int32_t *wordings, const float *shares,
                      const NetworkInputs *image);

#endif
