/* SPDX-License-Identifier: Apache-2.0
 * PyTorch's files before version 1.6. */
#include "fuzz/fuzz_tensors.h"
#include "tensor_file/torch_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TensorFile *file = NULL;
    const Err err = torch_legacy_parse(data, size, "fuzz", &file);
    fuzz_result(err, FUZZ_INPUT | FUZZ_MODEL | FUZZ_MEMORY);
    if (err == ERR_NONE) fuzz_tensors(file);
    return 0;
}
