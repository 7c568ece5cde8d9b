/* SPDX-License-Identifier: Apache-2.0
 * What every opened tensor file must bear. */
#ifndef METASEG_TESTS_FUZZ_TENSORS_H
#define METASEG_TESTS_FUZZ_TENSORS_H

#include "fuzz/fuzz.h"
#include "tensor_file/tensor_file.h"

/* Finds and reads each tensor, then closes the file. */
static inline void fuzz_tensors(TensorFile *file)
{
    enum { MOST = 1 << 16 };
    static float values[MOST];
    for (int64_t i = 0; i < tensor_file_count(file); i++) {
        const StoredTensor *t = tensor_file_at(file, i);
        FUZZ_HOLDS(t->name != NULL && tensor_file_find(file, t->name) != NULL);
        const int64_t elements = shape_count(&t->shape);
        FUZZ_HOLDS(elements >= 0);
        if (elements <= MOST)
            fuzz_result(stored_tensor_read_f32(t, values), FUZZ_MODEL | FUZZ_INPUT | FUZZ_UNSUPPORTED);
    }
    (void)tensor_file_metadata(file, "metaseg.model");
    tensor_file_close(file);
}

#endif
