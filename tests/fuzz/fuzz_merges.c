/* SPDX-License-Identifier: Apache-2.0
 * A list of merges of a byte-level BPE, plain or compressed, then its own text as what is to be divided. */
#include "fuzz/fuzz.h"
#include "text/bpe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST = 64 };
    Tokenizer *tokenizer = NULL;
    int32_t ids[MOST];
    int64_t count = 0, full = 0;
    const char *path = fuzz_file(data, size, ".txt");
    Err err = bpe_new(path, &tokenizer);
    fuzz_result(err, FUZZ_INPUT | FUZZ_MODEL | FUZZ_MEMORY);
    (void)remove(path);
    if (err != ERR_NONE) return 0;
    err = tokenizer_encode(tokenizer, (const char *)data, size, MOST, ids, &count, &full);
    fuzz_result(err, FUZZ_ARGUMENT | FUZZ_INPUT | FUZZ_MEMORY);
    if (err == ERR_NONE) {
        FUZZ_HOLDS(count >= 0 && count <= MOST && count <= full);
        for (int64_t i = 0; i < count; i++) FUZZ_HOLDS(tokenizer_token(tokenizer, ids[i]) != NULL);
    }
    tokenizer_free(tokenizer);
    return 0;
}
