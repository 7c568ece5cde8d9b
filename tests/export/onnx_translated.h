/* SPDX-License-Identifier: Apache-2.0
 * The ops that the export of ONNX has a translation of. */
#ifndef METASEG_TESTS_ONNX_TRANSLATED_H
#define METASEG_TESTS_ONNX_TRANSLATED_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool onnx_is_translated(const char *name)
{
    static const char *const translated[] = {
#define ONNX_OP_TRANSLATED(op) #op,
#define ONNX_OP_FOLDED(op) #op,
#include "export/onnx_ops.def"
#undef ONNX_OP_TRANSLATED
#undef ONNX_OP_FOLDED
    };
    for (size_t i = 0; i < sizeof translated / sizeof *translated; i++)
        if (strcmp(translated[i], name) == 0) return true;
    return false;
}

#endif
