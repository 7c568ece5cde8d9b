/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the prompt bank (text/prompt_bank.h) from its YAML file. */
#ifndef METASEG_DATA_PROMPT_BANK_FILE_H
#define METASEG_DATA_PROMPT_BANK_FILE_H

#include "base/err.h"
#include "text/prompt_bank.h"

/* Reads and validates. ERR_CONFIG: something in it is wrong; ERR_INPUT: no such file; ERR_MEMORY. Free with
 * prompt_bank_file_free. */
Err prompt_bank_file_load(const char *path, PromptBank *ret_bank);

/* Frees what a bank holds and zeroes it. */
void prompt_bank_file_free(PromptBank *bank);

#endif
