/* SPDX-License-Identifier: Apache-2.0
 *
 * The prompts in a model file (docs/model-file.md): the tensors prompts.zone (f16, [count, rows, text width]) and
 * prompts.zone.lengths (i32), keys and sentences in the metadata metaseg.prompts.zone.
 */
#ifndef METASEG_MODEL_MODEL_PROMPTS_H
#define METASEG_MODEL_MODEL_PROMPTS_H

#include "model/model_config.h"
#include "tensor_file/safetensors.h"
#include "text/prompt_table.h"

/* Is this the name of one of the two tensors? */
bool model_prompts_has(const char *name);

/* Adds the first wording of each prompt to a file being written (borrowed until the write; nothing for an empty table).
 * ERR_MEMORY. */
Err model_prompts_store(const PromptTable *table, SafetensorsWriter *writer);

/* Reads the table of one wording, of features of this width; an absent one is empty. ERR_MODEL, ERR_MEMORY. */
Err model_prompts_load(const TensorFile *file, int32_t text_width, PromptTable *ret_table);

#endif
