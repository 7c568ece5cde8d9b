/* SPDX-License-Identifier: Apache-2.0
 * safetensors: every tensor that is announced can be read whole. */
#include "fuzz/fuzz_tensors.h"
#include "tensor_file/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TensorFile *file = NULL;
    const Err err = safetensors_parse(data, size, "fuzz", &file);
    fuzz_result(err, FUZZ_INPUT | FUZZ_MODEL | FUZZ_MEMORY);
    if (err == ERR_NONE) fuzz_tensors(file);
    return 0;
}
