/* SPDX-License-Identifier: Apache-2.0
 * The pickle machine: a stack, a memo, an arena of values; nothing is executed. */
#include "tensor_file/pickle.h"
#include "tensor_file/pickle_globals.h"

#include "base/grow.h"
#include "base/str.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_VALUES = 4000000,
    MAX_STEPS = 16000000, /* opcodes, and items put into containers */
    MAX_TEXT = 64 << 20,
    CHUNK_BYTES = 1 << 18,
};

typedef struct Chunk Chunk;
struct Chunk {
    Chunk *next;
    size_t used, size;
    max_align_t data[];
};

struct Pickle {
    Chunk *chunks;
    int64_t n_values, n_items;
    size_t text_bytes;
    PickleValue **persistent;
    int64_t n_persistent, persistent_capacity;
    PickleValue *root;
};

typedef struct Machine {
    Pickle *pickle;
    const char *name;
    const unsigned char *bytes;
    size_t n_bytes, at;
    PickleValue **stack;
    int64_t n_stack, stack_capacity;
    int64_t *marks; /* heights of the stack where a MARK stands */
    int64_t n_marks, mark_capacity;
    PickleValue **memo;
    int64_t n_memo, memo_capacity;
    bool stopped;
} Machine;

static Err refuse(const Machine *m, const char *why)
{
    return err_set(ERR_MODEL, "'%s': pickle, byte %zu: %s; only state dictionaries of tensors are read", m->name, m->at,
                   why);
}

static Err allocate(Pickle *pickle, size_t bytes, void **ret_memory)
{
    bytes = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    Chunk *chunk = pickle->chunks;
    if (chunk == NULL || chunk->size - chunk->used < bytes) {
        const size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
        chunk = malloc(sizeof *chunk + size);
        if (chunk == NULL) return err_memory(size, "a pickle");
        *chunk = (Chunk){ .next = pickle->chunks, .size = size };
        pickle->chunks = chunk;
    }
    *ret_memory = (unsigned char *)chunk->data + chunk->used;
    chunk->used += bytes;
    return ERR_NONE;
}

static Err new_value(Machine *m, PickleKind kind, PickleValue **ret_value)
{
    if (m->pickle->n_values++ >= MAX_VALUES) return refuse(m, "it has more than 4,000,000 values");
    void *memory = NULL;
    TRY(allocate(m->pickle, sizeof(PickleValue), &memory));
    *ret_value = memory;
    **ret_value = (PickleValue){ .kind = kind };
    return ERR_NONE;
}

static Err push(Machine *m, PickleValue *value)
{
    TRY(grow_array(&m->stack, m->n_stack, &m->stack_capacity, sizeof *m->stack, "a pickle"));
    m->stack[m->n_stack++] = value;
    return ERR_NONE;
}

static int64_t floor_of(const Machine *m) { return m->n_marks > 0 ? m->marks[m->n_marks - 1] : 0; }

static Err pop(Machine *m, PickleValue **ret_value)
{
    if (m->stack == NULL || m->n_stack <= floor_of(m)) return refuse(m, "its stack is empty");
    *ret_value = m->stack[--m->n_stack];
    return ERR_NONE;
}

static Err top(const Machine *m, PickleValue **ret_value)
{
    if (m->stack == NULL || m->n_stack <= floor_of(m)) return refuse(m, "its stack is empty");
    *ret_value = m->stack[m->n_stack - 1];
    return ERR_NONE;
}

/* Takes away the last MARK; the values above it are stack[*ret_first .. n_stack). */
static Err pop_mark(Machine *m, int64_t *ret_first)
{
    if (m->n_marks == 0) return refuse(m, "a MARK is missing");
    *ret_first = m->marks[--m->n_marks];
    return ERR_NONE;
}

static Err take(Machine *m, size_t n, const unsigned char **ret_bytes)
{
    if (m->n_bytes - m->at < n) return refuse(m, "it ends in the middle of a value");
    *ret_bytes = m->bytes + m->at;
    m->at += n;
    return ERR_NONE;
}

static uint64_t little_endian(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = n; i > 0; i--) value = value << 8 | bytes[i - 1];
    return value;
}

/* An unsigned number of n bytes that stands in the code. */
static Err take_number(Machine *m, size_t n, uint64_t *ret_number)
{
    const unsigned char *bytes = NULL;
    TRY(take(m, n, &bytes));
    *ret_number = little_endian(bytes, n);
    return ERR_NONE;
}

static Err push_integer(Machine *m, PickleKind kind, int64_t integer)
{
    PickleValue *value = NULL;
    TRY(new_value(m, kind, &value));
    value->integer = integer;
    return push(m, value);
}

static Err set_text(Machine *m, PickleValue *value, const unsigned char *bytes, size_t n)
{
    m->pickle->text_bytes += n;
    if (m->pickle->text_bytes > MAX_TEXT) return refuse(m, "it has more than 64 MiB of text");
    void *memory = NULL;
    TRY(allocate(m->pickle, n + 1, &memory));
    char *text = memory;
    memcpy(text, bytes, n);
    text[n] = '\0';
    value->text = text;
    value->n_text = (int64_t)n;
    return ERR_NONE;
}

static Err push_opaque(Machine *m, const char *name)
{
    PickleValue *value = NULL;
    TRY(new_value(m, PICKLE_OPAQUE, &value));
    TRY(set_text(m, value, (const unsigned char *)name, strlen(name)));
    return push(m, value);
}

static Err take_sized(Machine *m, size_t length_bytes, const unsigned char **ret_bytes, size_t *ret_length)
{
    uint64_t n = 0;
    TRY(take_number(m, length_bytes, &n));
    TRY(take(m, (size_t)n, ret_bytes));
    *ret_length = (size_t)n;
    return ERR_NONE;
}

/* bytes: Python 2's strings, which may be anything. */
static Err push_text(Machine *m, size_t length_bytes, bool bytes_too)
{
    size_t n = 0;
    const unsigned char *bytes = NULL;
    TRY(take_sized(m, length_bytes, &bytes, &n));
    const bool is_text = str_is_utf8((const char *)bytes, n);
    if (!is_text && !bytes_too) return refuse(m, "a string is not UTF-8");
    if (!is_text || memchr(bytes, 0, n) != NULL) return push_opaque(m, "str");
    PickleValue *value = NULL;
    TRY(new_value(m, PICKLE_STRING, &value));
    TRY(set_text(m, value, bytes, n));
    return push(m, value);
}

static Err push_bytes(Machine *m, size_t length_bytes)
{
    size_t n = 0;
    const unsigned char *bytes = NULL;
    TRY(take_sized(m, length_bytes, &bytes, &n));
    return push_opaque(m, "bytes");
}

/* LONG1: an integer of up to 255 bytes, two's complement. */
static Err push_long(Machine *m)
{
    size_t n = 0;
    const unsigned char *bytes = NULL;
    TRY(take_sized(m, 1, &bytes, &n));
    if (n <= 8) {
        uint64_t bits = little_endian(bytes, n);
        if (n > 0 && n < 8 && bytes[n - 1] >= 0x80) bits |= ~UINT64_C(0) << (8 * n);
        int64_t integer = 0;
        memcpy(&integer, &bits, sizeof integer);
        return push_integer(m, PICKLE_INT, integer);
    }
    PickleValue *value = NULL;
    TRY(new_value(m, PICKLE_BIG, &value));
    TRY(set_text(m, value, bytes, n));
    return push(m, value);
}

static Err push_number(Machine *m, unsigned char opcode)
{
    uint64_t bits = 0;
    if (opcode == 'K' || opcode == 'M') {
        TRY(take_number(m, opcode == 'K' ? 1 : 2, &bits));
        return push_integer(m, PICKLE_INT, (int64_t)bits);
    }
    if (opcode == 'J') {
        TRY(take_number(m, 4, &bits));
        return push_integer(m, PICKLE_INT,
                            bits >= UINT64_C(1) << 31 ? (int64_t)bits - (INT64_C(1) << 32) : (int64_t)bits);
    }
    const unsigned char *bytes = NULL; /* BINFLOAT: big-endian */
    TRY(take(m, 8, &bytes));
    for (int i = 0; i < 8; i++) bits = bits << 8 | bytes[i];
    PickleValue *value = NULL;
    TRY(new_value(m, PICKLE_FLOAT, &value));
    memcpy(&value->real, &bits, sizeof bits);
    return push(m, value);
}

/* -- containers ------------------------------------------------------------------------------------------------- */

static Err add_item(Machine *m, PickleValue *container, PickleValue *item)
{
    if (m->pickle->n_items++ >= MAX_STEPS) return refuse(m, "it has more than 16,000,000 items");
    if (container->n_items == container->capacity) {
        const int64_t capacity = container->capacity > 0 ? 2 * container->capacity : 4;
        void *memory = NULL;
        TRY(allocate(m->pickle, (size_t)capacity * sizeof *container->items, &memory));
        if (container->n_items > 0) {
            memcpy(memory, container->items, (size_t)container->n_items * sizeof *container->items);
        }
        container->items = memory;
        container->capacity = capacity;
    }
    container->items[container->n_items++] = item;
    return ERR_NONE;
}

/* A new container of the values stack[first .. n_stack). */
static Err push_container(Machine *m, PickleKind kind, int64_t first)
{
    PickleValue *value = NULL;
    TRY(new_value(m, kind, &value));
    for (int64_t i = first; i < m->n_stack; i++) TRY(add_item(m, value, m->stack[i]));
    m->n_stack = first;
    return push(m, value);
}

static Err push_small_tuple(Machine *m, int64_t n)
{
    if (m->n_stack - floor_of(m) < n) return refuse(m, "its stack is empty");
    return push_container(m, PICKLE_TUPLE, m->n_stack - n);
}

/* Moves stack[first .. n_stack) into the list or dictionary below. Of an opaque value keys are kept, items of lists and sets not. */
static Err extend(Machine *m, PickleKind kind, int64_t first)
{
    if (first <= floor_of(m)) return refuse(m, "its stack is empty");
    PickleValue *container = m->stack[first - 1];
    if (container->kind != kind && container->kind != PICKLE_OPAQUE)
        return refuse(m, "it adds to a value that is no list or dictionary");
    if (container->kind == PICKLE_OPAQUE && kind == PICKLE_LIST) {
        m->n_stack = first;
        return ERR_NONE;
    }
    if (kind == PICKLE_DICT && (m->n_stack - first) % 2 != 0) return refuse(m, "a key has no value");
    for (int64_t i = first; i < m->n_stack; i++) TRY(add_item(m, container, m->stack[i]));
    m->n_stack = first;
    return ERR_NONE;
}

static Err mark(Machine *m)
{
    TRY(grow_array(&m->marks, m->n_marks, &m->mark_capacity, sizeof *m->marks, "a pickle"));
    m->marks[m->n_marks++] = m->n_stack;
    return ERR_NONE;
}

static Err run_container(Machine *m, unsigned char opcode)
{
    int64_t first = 0;
    switch (opcode) {
    case '(':
        return mark(m);
    case ')':
        return push_container(m, PICKLE_TUPLE, m->n_stack);
    case ']':
        return push_container(m, PICKLE_LIST, m->n_stack);
    case '}':
        return push_container(m, PICKLE_DICT, m->n_stack);
    case 0x85:
        return push_small_tuple(m, 1);
    case 0x86:
        return push_small_tuple(m, 2);
    case 0x87:
        return push_small_tuple(m, 3);
    case 't':
        TRY(pop_mark(m, &first));
        return push_container(m, PICKLE_TUPLE, first);
    case 'e':
    case 0x90: /* ADDITEMS */
        TRY(pop_mark(m, &first));
        return extend(m, PICKLE_LIST, first);
    case 0x8f: /* EMPTY_SET */
        return push_opaque(m, "set");
    case 0x91: /* FROZENSET */
        TRY(pop_mark(m, &first));
        m->n_stack = first;
        return push_opaque(m, "frozenset");
    case 'u':
        TRY(pop_mark(m, &first));
        return extend(m, PICKLE_DICT, first);
    case 'a':
        return m->n_stack < 2 ? refuse(m, "its stack is empty") : extend(m, PICKLE_LIST, m->n_stack - 1);
    default:
        return m->n_stack < 3 ? refuse(m, "its stack is empty") : extend(m, PICKLE_DICT, m->n_stack - 2);
    }
}

/* -- memo ------------------------------------------------------------------------------------------------------- */

static Err memo_put(Machine *m, uint64_t index)
{
    PickleValue *value = NULL;
    TRY(top(m, &value));
    if (index >= MAX_VALUES) return refuse(m, "its memo is too long");
    const int64_t old = m->memo_capacity;
    TRY(grow_array(&m->memo, (int64_t)index, &m->memo_capacity, sizeof *m->memo, "a pickle"));
    for (int64_t i = old; i < m->memo_capacity; i++) m->memo[i] = NULL;
    if (m->memo[index] == NULL) m->n_memo++;
    m->memo[index] = value;
    return ERR_NONE;
}

static Err memo_get(Machine *m, uint64_t index)
{
    if (index >= (uint64_t)m->memo_capacity || m->memo[index] == NULL) {
        return refuse(m, "it refers to a value that was never stored");
    }
    return push(m, m->memo[index]);
}

static Err run_memo(Machine *m, unsigned char opcode)
{
    uint64_t index = 0;
    switch (opcode) {
    case 'q':
        TRY(take_number(m, 1, &index));
        return memo_put(m, index);
    case 'r':
        TRY(take_number(m, 4, &index));
        return memo_put(m, index);
    case 'h':
        TRY(take_number(m, 1, &index));
        return memo_get(m, index);
    case 'j':
        TRY(take_number(m, 4, &index));
        return memo_get(m, index);
    default:
        return memo_put(m, (uint64_t)m->n_memo); /* MEMOIZE: index is the number of entries */
    }
}

/* -- globals and calls ------------------------------------------------------------------------------------------ */

static Err push_global(Machine *m, const char *module, size_t n_module, const char *name, size_t n_name)
{
    char shown[128], text[192];
    const PickleGlobal global = pickle_global(module, n_module, name, n_name);
    if (global.kind != PICKLE_OPAQUE) return push_integer(m, global.kind, global.integer);
    const int shown_module = n_module < 60 ? (int)n_module : 60, shown_name = n_name < 60 ? (int)n_name : 60;
    (void)snprintf(shown, sizeof shown, "%.*s.%.*s", shown_module, module, shown_name, name);
    if (!global.harmful) return push_opaque(m, shown);
    (void)snprintf(text, sizeof text, "it asks for '%s', which is not allowed", shown);
    return refuse(m, text);
}

static Err take_line(Machine *m, const char **ret_line, size_t *ret_length)
{
    const unsigned char *start = m->bytes + m->at;
    const unsigned char *end = memchr(start, '\n', m->n_bytes - m->at);
    if (end == NULL) return refuse(m, "it ends in the middle of a name");
    if (!str_is_utf8((const char *)start, (size_t)(end - start))) return refuse(m, "a name is not UTF-8");
    *ret_line = (const char *)start;
    *ret_length = (size_t)(end - start);
    m->at += *ret_length + 1;
    return ERR_NONE;
}

static Err run_global(Machine *m, unsigned char opcode)
{
    if (opcode == 'c') {
        const char *module = NULL, *name = NULL;
        size_t n_module = 0, n_name = 0;
        TRY(take_line(m, &module, &n_module));
        TRY(take_line(m, &name, &n_name));
        return push_global(m, module, n_module, name, n_name);
    }
    PickleValue *module = NULL, *name = NULL;
    TRY(pop(m, &name));
    TRY(pop(m, &module));
    if (module->kind != PICKLE_STRING || name->kind != PICKLE_STRING) return refuse(m, "a global has no name");
    return push_global(m, module->text, (size_t)module->n_text, name->text, (size_t)name->n_text);
}

/* OrderedDict() or OrderedDict([[key, value], ...]). */
static Err call_ordered_dict(Machine *m, const PickleValue *arguments)
{
    PickleValue *dict = NULL;
    TRY(new_value(m, PICKLE_DICT, &dict));
    if (arguments->n_items > 1) return refuse(m, "OrderedDict has too many arguments");
    if (arguments->n_items == 1) {
        const PickleValue *list = arguments->items[0];
        if (list->kind != PICKLE_LIST) return refuse(m, "OrderedDict's argument is no list");
        for (int64_t i = 0; i < list->n_items; i++) {
            const PickleValue *pair = list->items[i];
            if ((pair->kind != PICKLE_LIST && pair->kind != PICKLE_TUPLE) || pair->n_items != 2) {
                return refuse(m, "OrderedDict's argument is no list of pairs");
            }
            TRY(add_item(m, dict, pair->items[0]));
            TRY(add_item(m, dict, pair->items[1]));
        }
    }
    return push(m, dict);
}

/* _rebuild_from_type_v2(function, type, arguments, state): a tensor of a class of its own. */
static Err call_of_type(Machine *m, const PickleValue *arguments)
{
    PickleValue *tensor = NULL;
    if (arguments->n_items < 3 || arguments->items[0]->kind != PICKLE_CALLABLE ||
        arguments->items[0]->integer != PICKLE_CALL_TENSOR || arguments->items[2]->kind != PICKLE_TUPLE)
        return push_opaque(m, "torch._tensor._rebuild_from_type_v2");
    TRY(new_value(m, PICKLE_TENSOR, &tensor));
    tensor->items = arguments->items[2]->items;
    tensor->n_items = arguments->items[2]->n_items;
    return push(m, tensor);
}

static Err reduce(Machine *m)
{
    PickleValue *arguments = NULL, *callable = NULL, *tensor = NULL;
    TRY(pop(m, &arguments));
    TRY(pop(m, &callable));
    if (arguments->kind != PICKLE_TUPLE) return refuse(m, "a call is not allowed");
    if (callable->kind == PICKLE_OPAQUE) return push_opaque(m, callable->text);
    if (callable->kind != PICKLE_CALLABLE) return refuse(m, "a call is not allowed");
    switch ((PickleCall)callable->integer) {
    case PICKLE_CALL_ORDERED_DICT:
        return call_ordered_dict(m, arguments);
    case PICKLE_CALL_TENSOR:
        TRY(new_value(m, PICKLE_TENSOR, &tensor));
        tensor->items = arguments->items;
        tensor->n_items = arguments->n_items;
        return push(m, tensor);
    case PICKLE_CALL_PARAMETER:
        if (arguments->n_items < 1 ||
            (arguments->items[0]->kind != PICKLE_TENSOR && arguments->items[0]->kind != PICKLE_OPAQUE)) {
            return refuse(m, "a parameter without a tensor");
        }
        return push(m, arguments->items[0]);
    case PICKLE_CALL_OF_TYPE:
        return call_of_type(m, arguments);
    case PICKLE_CALL_MODULE:
        break;
    }
    return refuse(m, "a call is not allowed");
}

static Err persistent(Machine *m)
{
    PickleValue *id = NULL, *value = NULL;
    TRY(pop(m, &id));
    if (id->kind != PICKLE_TUPLE) return refuse(m, "a storage is not named by a tuple");
    /* ("module", class, file, source): the class of a whole network */
    if (id->n_items > 1 && id->items[0]->kind == PICKLE_STRING && strcmp(id->items[0]->text, "module") == 0 &&
        id->items[1]->kind == PICKLE_OPAQUE)
        return push(m, id->items[1]);
    TRY(new_value(m, PICKLE_PERSISTENT, &value));
    value->items = id->items;
    value->n_items = id->n_items;
    Pickle *p = m->pickle;
    TRY(grow_array(&p->persistent, p->n_persistent, &p->persistent_capacity, sizeof *p->persistent, "a pickle"));
    p->persistent[p->n_persistent++] = value;
    return push(m, value);
}

/* A module of a TorchScript program becomes what its state_dict() would be: a dictionary of the tensors of it and, with its name and a
 * dot before theirs, of the modules in it, which stand before it in the file. IS_MODULE marks one. */
enum { IS_MODULE = 1 };

/* keywords: NEWOBJ_EX, which has named arguments too. */
static Err new_object(Machine *m, bool keywords)
{
    PickleValue *arguments = NULL, *callable = NULL, *module = NULL;
    if (keywords) TRY(pop(m, &arguments));
    TRY(pop(m, &arguments));
    TRY(pop(m, &callable));
    if (callable->kind == PICKLE_OPAQUE) return push_opaque(m, callable->text);
    if (callable->kind != PICKLE_CALLABLE || callable->integer != PICKLE_CALL_MODULE ||
        arguments->kind != PICKLE_TUPLE || arguments->n_items != 0)
        return refuse(m, "an object is not allowed");
    TRY(new_value(m, PICKLE_DICT, &module));
    module->integer = IS_MODULE;
    return push(m, module);
}

static Err add_below(Machine *m, PickleValue *module, const PickleValue *name, const PickleValue *inner)
{
    for (int64_t i = 0; i + 1 < inner->n_items; i += 2) {
        PickleValue *key = NULL;
        char *text = NULL;
        TRY(new_value(m, PICKLE_STRING, &key));
        TRY(str_format(&text, "%s.%s", name->text, inner->items[i]->text));
        const Err err = set_text(m, key, (const unsigned char *)text, strlen(text));
        free(text);
        TRY(err);
        TRY(add_item(m, module, key));
        TRY(add_item(m, module, inner->items[i + 1]));
    }
    return ERR_NONE;
}

static Err fill_module(Machine *m, PickleValue *module, const PickleValue *state)
{
    if (state->kind != PICKLE_DICT || module->n_items > 0) return refuse(m, "a module has no attributes");
    for (int64_t i = 0; i + 1 < state->n_items; i += 2) {
        PickleValue *name = state->items[i], *value = state->items[i + 1];
        if (name->kind != PICKLE_STRING) return refuse(m, "an attribute of a module has no name");
        if (value->kind == PICKLE_TENSOR) {
            TRY(add_item(m, module, name));
            TRY(add_item(m, module, value));
        } else if (value->kind == PICKLE_DICT && value->integer == IS_MODULE && value != module) {
            TRY(add_below(m, module, name, value));
        }
    }
    return ERR_NONE;
}

/* BUILD sets attributes; those of a module are what it is, those of dictionaries (PyTorch's _metadata), tensors and what is opaque are
 * dropped, others refused. */
static Err build(Machine *m)
{
    PickleValue *state = NULL, *object = NULL;
    TRY(pop(m, &state));
    TRY(top(m, &object));
    if (object->kind == PICKLE_OPAQUE || object->kind == PICKLE_TENSOR) return ERR_NONE;
    if (object->kind != PICKLE_DICT) return refuse(m, "it sets attributes of an object");
    return object->integer == IS_MODULE ? fill_module(m, object, state) : ERR_NONE;
}

static Err stop(Machine *m)
{
    if (m->n_stack != 1 || m->n_marks != 0) return refuse(m, "it ends with more or less than one value");
    m->pickle->root = m->stack[0];
    m->stopped = true;
    return ERR_NONE;
}

static Err refuse_opcode(const Machine *m, unsigned char opcode)
{
    char text[64];
    (void)snprintf(text, sizeof text, "its opcode 0x%02x is not allowed", opcode);
    return refuse(m, text);
}

/* POP; between a MARK and a value more than one of them, as after a tuple that holds itself. */
static Err drop(Machine *m)
{
    PickleValue *value = NULL;
    int64_t first = 0;
    if (m->n_marks > 0 && m->n_stack == floor_of(m)) return pop_mark(m, &first);
    return pop(m, &value);
}

/* Opcodes that push one number, text or constant. */
static Err run_scalar(Machine *m, unsigned char opcode)
{
    switch (opcode) {
    case 'N':
        return push_integer(m, PICKLE_NONE, 0);
    case 0x88:
        return push_integer(m, PICKLE_BOOL, 1);
    case 0x89:
        return push_integer(m, PICKLE_BOOL, 0);
    case 0x8a:
        return push_long(m);
    case 'X':
    case 'T':
        return push_text(m, 4, opcode == 'T');
    case 'U':
    case 0x8c:
        return push_text(m, 1, opcode == 'U');
    case 0x8d: /* BINUNICODE8 */
        return push_text(m, 8, false);
    case 'C':
        return push_bytes(m, 1);
    case 'B':
        return push_bytes(m, 4);
    case 0x8e: /* BINBYTES8 */
    case 0x96: /* BYTEARRAY8 */
        return push_bytes(m, 8);
    default: /* K M J G */
        return push_number(m, opcode);
    }
}

static bool is_one_of(unsigned char opcode, const char *opcodes)
{
    return opcode != 0 && strchr(opcodes, (char)opcode) != NULL;
}

static Err run_opcode(Machine *m, unsigned char opcode)
{
    uint64_t number = 0;
    int64_t first = 0;
    if (is_one_of(opcode, "NKMJG\x88\x89\x8aXTU\x8c\x8d"
                          "CB\x8e\x96"))
        return run_scalar(m, opcode);
    if (is_one_of(opcode, "()]}teuas\x85\x86\x87\x8f\x90\x91")) return run_container(m, opcode);
    if (is_one_of(opcode, "qrhj\x94")) return run_memo(m, opcode);
    switch (opcode) {
    case 0x80:
        TRY(take_number(m, 1, &number));
        return number > 5 ? refuse(m, "its protocol is newer than 5") : ERR_NONE;
    case 0x95: /* FRAME */
        TRY(take_number(m, 8, &number));
        return number > m->n_bytes - m->at ? refuse(m, "a frame is longer than the file") : ERR_NONE;
    case 'c':
    case 0x93:
        return run_global(m, opcode);
    case 'R':
        return reduce(m);
    case 0x81: /* NEWOBJ */
    case 0x92: /* NEWOBJ_EX */
        return new_object(m, opcode == 0x92);
    case '0':
        return drop(m);
    case '1': /* POP_MARK */
        TRY(pop_mark(m, &first));
        m->n_stack = first;
        return ERR_NONE;
    case 'Q':
        return persistent(m);
    case 'b':
        return build(m);
    case '.':
        return stop(m);
    default:
        return refuse_opcode(m, opcode);
    }
}

Err pickle_parse(const unsigned char *bytes, size_t n_bytes, const char *name, Pickle **ret_pickle, size_t *ret_used)
{
    Pickle *pickle = calloc(1, sizeof *pickle);
    if (pickle == NULL) return err_memory(sizeof *pickle, "a pickle");
    Machine m = { .pickle = pickle, .name = name, .bytes = bytes, .n_bytes = n_bytes };
    Err err = ERR_NONE;
    for (int64_t step = 0; !m.stopped && err == ERR_NONE; step++) {
        const unsigned char *opcode = NULL;
        err = step < MAX_STEPS ? take(&m, 1, &opcode) : refuse(&m, "it has more than 16,000,000 opcodes");
        if (err == ERR_NONE) err = run_opcode(&m, *opcode);
    }
    free(m.stack);
    free(m.marks);
    free(m.memo);
    if (err != ERR_NONE) {
        pickle_free(pickle);
        return err;
    }
    *ret_pickle = pickle;
    *ret_used = m.at;
    return ERR_NONE;
}

void pickle_free(Pickle *pickle)
{
    if (pickle == NULL) return;
    for (Chunk *chunk = pickle->chunks; chunk != NULL;) {
        Chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(pickle->persistent);
    free(pickle);
}

const PickleValue *pickle_root(const Pickle *pickle) { return pickle->root; }
int64_t pickle_persistent_count(const Pickle *pickle) { return pickle->n_persistent; }
const PickleValue *pickle_persistent(const Pickle *pickle, int64_t index) { return pickle->persistent[index]; }

bool pickle_is_dict(const PickleValue *value)
{
    return value->kind == PICKLE_DICT || (value->kind == PICKLE_OPAQUE && value->n_items > 0);
}

const PickleValue *pickle_find(const PickleValue *dict, const char *key)
{
    if (!pickle_is_dict(dict)) return NULL;
    for (int64_t i = dict->n_items - 2; i >= 0; i -= 2) {
        if (dict->items[i]->kind == PICKLE_STRING && strcmp(dict->items[i]->text, key) == 0) return dict->items[i + 1];
    }
    return NULL;
}

const char *pickle_kind_name(PickleKind kind)
{
    static const char *const names[PICKLE_KIND_COUNT] = { "None",       "bool",   "int",    "int",   "float",
                                                          "str",        "tuple",  "list",   "dict",  "storage type",
                                                          "storage id", "tensor", "global", "object" };
    return names[kind];
}
