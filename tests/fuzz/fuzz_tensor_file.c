/* SPDX-License-Identifier: Apache-2.0
 * Tensor files by their first bytes, PyTorch's zip archives among them. */
#include "fuzz/fuzz_tensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TensorFile *file = NULL;
    const char *path = fuzz_file(data, size, ".pth");
    const Err err = tensor_file_open(path, &file);
    fuzz_result(err, FUZZ_INPUT | FUZZ_MODEL | FUZZ_MEMORY);
    if (err == ERR_NONE) fuzz_tensors(file);
    (void)remove(path);
    return 0;
}
