/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the data of a Python pickle, as far as a PyTorch state dictionary needs it, and runs nothing. Only the opcodes
 * and the globals listed in pickle.c are understood; a "call" of one only builds a value of the kinds below. Any other class or
 * function (argparse.Namespace, pathlib.PosixPath, one of the training code) gives a PICKLE_OPAQUE, of which no more is known than its
 * name, whatever is called, set or put into it; those that nobody needs but to do harm (os.system) are an error. The modules of a
 * TorchScript program (classes of __torch__) become one flat dictionary of tensors, as their state_dict() would be.
 *
 * Opcodes: Python's Lib/pickletools.py. Limits: 4,000,000 values, 16,000,000 opcodes, 64 MiB of text, so that a small
 * hostile file stays cheap.
 */
#ifndef METASEG_TENSOR_FILE_PICKLE_H
#define METASEG_TENSOR_FILE_PICKLE_H

#include "base/err.h"
#include "tensor/tensor.h"

typedef enum PickleKind {
    PICKLE_NONE = 0,
    PICKLE_BOOL,   /* integer 0 or 1 */
    PICKLE_INT,    /* integer */
    PICKLE_BIG,    /* an integer beyond 64 bits: text holds its two's complement, little-endian */
    PICKLE_FLOAT,  /* real */
    PICKLE_STRING, /* text, UTF-8, no NUL inside */
    PICKLE_TUPLE,  /* items */
    PICKLE_LIST,   /* items */
    PICKLE_DICT,   /* items: key, value, key, value, ...; also for collections.OrderedDict */
    PICKLE_STORAGE_TYPE, /* torch.FloatStorage and its like: integer is the Dtype, or -n: n bytes of a type that we do not have */
    PICKLE_PERSISTENT, /* a persistent id: items of its tuple */
    PICKLE_TENSOR,     /* torch._utils._rebuild_tensor_v2: items are its arguments, not checked */
    PICKLE_CALLABLE,   /* another known global; integer says which */
    PICKLE_OPAQUE, /* text: "argparse.Namespace", the class or function that it is or is made by; "str" and "bytes": text that
                            is none. items: as in a dictionary, what was put into it as into one (a subclass of dict) */
    PICKLE_KIND_COUNT
} PickleKind;

typedef struct PickleValue PickleValue;
struct PickleValue {
    PickleKind kind;
    int64_t integer;
    double real;
    const char *text; /* ends in NUL */
    int64_t n_text;   /* bytes without it */
    PickleValue **items;
    int64_t n_items, capacity;
};

typedef struct Pickle Pickle;

/* Reads one pickle from the start of the bytes, up to its STOP. ret_used: its length. `name` (a path) starts every
 * message. Values may contain each other in circles: walk them with a depth limit. ERR_MODEL, ERR_MEMORY. */
Err pickle_parse(const unsigned char *bytes, size_t n_bytes, const char *name, Pickle **ret_pickle, size_t *ret_used);
void pickle_free(Pickle *pickle);

/* The value the pickle stands for. */
const PickleValue *pickle_root(const Pickle *pickle);

/* Whether it holds pairs of keys and values: a dictionary, also one of a class of its own. */
bool pickle_is_dict(const PickleValue *value);

/* Value of a string key, NULL if there is none. Later entries win, as in Python. */
const PickleValue *pickle_find(const PickleValue *dict, const char *key);

/* The persistent ids of the pickle, in the order of the file. */
int64_t pickle_persistent_count(const Pickle *pickle);
const PickleValue *pickle_persistent(const Pickle *pickle, int64_t index);

const char *pickle_kind_name(PickleKind kind);

#endif
