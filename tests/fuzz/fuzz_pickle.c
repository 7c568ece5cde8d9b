/* SPDX-License-Identifier: Apache-2.0
 * Pickles are read, never run. */
#include "fuzz/fuzz.h"
#include "tensor_file/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Pickle *pickle = NULL;
    size_t used = 0;
    const Err err = pickle_parse(data, size, "fuzz", &pickle, &used);
    fuzz_result(err, FUZZ_INPUT | FUZZ_MODEL | FUZZ_MEMORY);
    if (err != ERR_NONE) return 0;
    FUZZ_HOLDS(used <= size && pickle_root(pickle) != NULL);
    pickle_free(pickle);
    return 0;
}
