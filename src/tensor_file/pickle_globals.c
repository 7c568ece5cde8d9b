/* SPDX-License-Identifier: Apache-2.0
 * The only list of what is known. */
#include "tensor_file/pickle_globals.h"

#include <string.h>

static const struct {
    const char *module, *name;
    PickleKind kind;
    int64_t integer;
} globals[] = {
    { "collections", "OrderedDict", PICKLE_CALLABLE, PICKLE_CALL_ORDERED_DICT },
    { "torch._utils", "_rebuild_tensor", PICKLE_CALLABLE, PICKLE_CALL_TENSOR },
    { "torch._utils", "_rebuild_tensor_v2", PICKLE_CALLABLE, PICKLE_CALL_TENSOR },
    { "torch._utils", "_rebuild_parameter", PICKLE_CALLABLE, PICKLE_CALL_PARAMETER },
    { "torch._utils", "_rebuild_parameter_with_state", PICKLE_CALLABLE, PICKLE_CALL_PARAMETER },
    { "torch._tensor", "_rebuild_from_type_v2", PICKLE_CALLABLE, PICKLE_CALL_OF_TYPE },
    { "torch", "FloatStorage", PICKLE_STORAGE_TYPE, DTYPE_F32 },
    { "torch", "DoubleStorage", PICKLE_STORAGE_TYPE, DTYPE_F64 },
    { "torch", "HalfStorage", PICKLE_STORAGE_TYPE, DTYPE_F16 },
    { "torch", "BFloat16Storage", PICKLE_STORAGE_TYPE, DTYPE_BF16 },
    { "torch", "LongStorage", PICKLE_STORAGE_TYPE, DTYPE_I64 },
    { "torch", "IntStorage", PICKLE_STORAGE_TYPE, DTYPE_I32 },
    { "torch", "ByteStorage", PICKLE_STORAGE_TYPE, DTYPE_U8 },
    { "torch", "BoolStorage", PICKLE_STORAGE_TYPE, DTYPE_U8 },
    { "torch", "CharStorage", PICKLE_STORAGE_TYPE, -1 },
    { "torch", "ShortStorage", PICKLE_STORAGE_TYPE, -2 },
    { "torch", "ComplexFloatStorage", PICKLE_STORAGE_TYPE, -8 },
    { "torch", "ComplexDoubleStorage", PICKLE_STORAGE_TYPE, -16 },
    { "torch", "QInt8Storage", PICKLE_STORAGE_TYPE, -1 },
    { "torch", "QUInt8Storage", PICKLE_STORAGE_TYPE, -1 },
    { "torch", "QInt32Storage", PICKLE_STORAGE_TYPE, -4 },
    { "torch.storage", "UntypedStorage", PICKLE_STORAGE_TYPE, -1 },
};

/* What no checkpoint needs, but one that was made to do harm to whoever loads it in Python: such a file is not to be trusted in
 * anything. name NULL: all of the module and of those in it. */
static const struct {
    const char *module, *name;
} harmful[] = {
    { "os", NULL },
    { "posix", NULL },
    { "nt", NULL },
    { "sys", NULL },
    { "subprocess", NULL },
    { "pty", NULL },
    { "socket", NULL },
    { "shutil", NULL },
    { "runpy", NULL },
    { "importlib", NULL },
    { "ctypes", NULL },
    { "webbrowser", NULL },
    { "pickle", NULL },
    { "torch.hub", NULL },
    { "torch", "load" },
    { "builtins", "eval" },
    { "builtins", "exec" },
    { "builtins", "compile" },
    { "builtins", "open" },
    { "builtins", "__import__" },
    { "__builtin__", "eval" },
    { "__builtin__", "exec" },
    { "__builtin__", "compile" },
    { "__builtin__", "open" },
    { "__builtin__", "__import__" },
    { "__builtin__", "execfile" },
};

static bool same(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(text, word, n) == 0;
}

/* Whether it is the module, or one in it. */
static bool in_module(const char *module, size_t n_module, const char *word)
{
    const size_t n = strlen(word);
    return n_module >= n && memcmp(module, word, n) == 0 && (n_module == n || module[n] == '.');
}

static bool is_harmful(const char *module, size_t n_module, const char *name, size_t n_name)
{
    for (int64_t i = 0; i < ARRAY_LEN(harmful); i++) {
        if (harmful[i].name == NULL ? in_module(module, n_module, harmful[i].module)
                                    : same(module, n_module, harmful[i].module) && same(name, n_name, harmful[i].name))
            return true;
    }
    return false;
}

PickleGlobal pickle_global(const char *module, size_t n_module, const char *name, size_t n_name)
{
    for (int64_t i = 0; i < ARRAY_LEN(globals); i++) {
        if (same(module, n_module, globals[i].module) && same(name, n_name, globals[i].name))
            return (PickleGlobal){ .kind = globals[i].kind, .integer = globals[i].integer };
    }
    if (in_module(module, n_module, "__torch__")) /* classes of a TorchScript program: its modules */
        return (PickleGlobal){ .kind = PICKLE_CALLABLE, .integer = PICKLE_CALL_MODULE };
    return (PickleGlobal){ .kind = PICKLE_OPAQUE, .harmful = is_harmful(module, n_module, name, n_name) };
}
