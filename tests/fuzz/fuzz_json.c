/* SPDX-License-Identifier: Apache-2.0
 * JSON: what parses is written, and what was written parses to the same text. */
#include "base/json.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Json *root = NULL, *again = NULL;
    char *first = NULL, *second = NULL;
    const Err err = json_parse((const char *)data, size, 1 << 20, &root);
    fuzz_result(err, FUZZ_INPUT | FUZZ_MEMORY);
    if (err != ERR_NONE) return 0;
    FUZZ_HOLDS(json_print(root, false, &first) == ERR_NONE);
    FUZZ_HOLDS(json_parse(first, strlen(first), 8 << 20, &again) == ERR_NONE);
    FUZZ_HOLDS(json_print(again, false, &second) == ERR_NONE && strcmp(first, second) == 0);
    free(first);
    free(second);
    json_free(root);
    json_free(again);
    return 0;
}
