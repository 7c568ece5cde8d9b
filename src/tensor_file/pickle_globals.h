/* SPDX-License-Identifier: Apache-2.0
 * Which classes and functions of a pickle mean something. Private to pickle.c. */
#ifndef METASEG_TENSOR_FILE_PICKLE_GLOBALS_H
#define METASEG_TENSOR_FILE_PICKLE_GLOBALS_H

#include "tensor_file/pickle.h"

/* What a call makes, the integer of a PICKLE_CALLABLE. */
typedef enum PickleCall {
    PICKLE_CALL_ORDERED_DICT = 1,
    PICKLE_CALL_TENSOR,
    PICKLE_CALL_PARAMETER,
    PICKLE_CALL_OF_TYPE, /* a tensor of a class of its own */
    PICKLE_CALL_MODULE   /* a module of a TorchScript program */
} PickleCall;

typedef struct PickleGlobal {
    PickleKind kind; /* PICKLE_CALLABLE, PICKLE_STORAGE_TYPE, or PICKLE_OPAQUE: any other */
    int64_t integer; /* of the value */
    bool harmful;    /* opaque, and nothing that a checkpoint needs */
} PickleGlobal;

/* Of two names that need not end in NUL. */
PickleGlobal pickle_global(const char *module, size_t n_module, const char *name, size_t n_name);

#endif
