/* SPDX-License-Identifier: Apache-2.0
 * The description of a network in a model file: what is read is written and read as the same. */
#include "fuzz/fuzz.h"
#include "model/model_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *first = NULL, *second = NULL;
    ModelConfig config, again;
    const Err err = model_config_read(text, "fuzz", &config);
    fuzz_result(err, FUZZ_MODEL | FUZZ_MEMORY);
    if (err == ERR_NONE) {
        FUZZ_HOLDS(model_config_check(&config) == ERR_NONE);
        FUZZ_HOLDS(model_config_write(&config, &first) == ERR_NONE);
        FUZZ_HOLDS(model_config_read(first, "again", &again) == ERR_NONE);
        FUZZ_HOLDS(model_config_write(&again, &second) == ERR_NONE && strcmp(first, second) == 0);
        model_config_done(&config);
        model_config_done(&again);
    }
    free(first);
    free(second);
    free(text);
    return 0;
}
