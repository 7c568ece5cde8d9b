/* SPDX-License-Identifier: Apache-2.0
 * The prompt bank, YAML. */
#include "data/prompt_bank_file.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PromptBank bank;
    const char *path = fuzz_file(data, size, ".yaml");
    const Err err = prompt_bank_file_load(path, &bank);
    fuzz_result(err, FUZZ_CONFIG | FUZZ_INPUT | FUZZ_MEMORY);
    if (err == ERR_NONE) prompt_bank_file_free(&bank);
    (void)remove(path);
    return 0;
}
