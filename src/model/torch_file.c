/* SPDX-License-Identifier: Apache-2.0
 * PyTorch's legacy format. */
#include "model/torch_file.h"

#include "model/torch_storage.h"

#include <string.h>

typedef struct Reader {
    TensorFile *file;
    size_t at;
} Reader;

static Err next_pickle(Reader *r, Pickle **ret_pickle)
{
    size_t used = 0;
    TRY(pickle_parse(r->file->bytes + r->at, r->file->n_bytes - r->at, r->file->path, ret_pickle, &used));
    r->at += used;
    return ERR_NONE;
}

static bool is_magic(const PickleValue *value)
{
    static const unsigned char magic[10] = { 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19 };
    return value->kind == PICKLE_BIG && value->n_text == 10 && memcmp(value->text, magic, sizeof magic) == 0;
}

static bool is_version(const PickleValue *value) { return value->kind == PICKLE_INT && value->integer == 1001; }

static bool is_little_endian(const PickleValue *value)
{
    const PickleValue *order = pickle_find(value, "little_endian");
    return order != NULL && order->kind == PICKLE_BOOL && order->integer == 1;
}

/* The three pickles in front of the object. */
static Err read_preamble(Reader *r)
{
    static bool (*const checks[])(const PickleValue *) = { is_magic, is_version, is_little_endian };
    static const char *const reasons[] = { "does not start with PyTorch's magic number",
                                           "is not of format version 1001",
                                           "was not written on a little-endian machine" };
    for (int i = 0; i < 3; i++) {
        Pickle *pickle = NULL;
        TRY(next_pickle(r, &pickle));
        const bool fits = checks[i](pickle_root(pickle));
        pickle_free(pickle);
        if (!fits) return err_set(ERR_MODEL, "'%s': %s; it cannot be read", r->file->path, reasons[i]);
    }
    return ERR_NONE;
}

static Err place_storage(Reader *r, TorchStorage *storage, const char *key)
{
    const char *path = r->file->path;
    if (r->file->n_bytes - r->at < 8)
        return err_set(ERR_MODEL, "'%s': is truncated before storage '%.100s'", path, key);
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--) n = n << 8 | r->file->bytes[r->at + (size_t)i];
    r->at += 8;
    if (storage == NULL) return err_set(ERR_MODEL, "'%s': storage '%.100s' belongs to no tensor", path, key);
    if (storage->data != NULL) return err_set(ERR_MODEL, "'%s': storage '%.100s' stands in it twice", path, key);
    if (n != (uint64_t)storage->n_elements) {
        return err_set(ERR_MODEL, "'%s': storage '%.100s' has %llu elements; %lld were announced", path, key,
                       (unsigned long long)n, (long long)storage->n_elements);
    }
    if (torch_storage_bytes(storage) > r->file->n_bytes - r->at) {
        return err_set(ERR_MODEL, "'%s': is truncated inside storage '%.100s'", path, key);
    }
    storage->data = r->file->bytes + r->at;
    r->at += torch_storage_bytes(storage);
    return ERR_NONE;
}

static Err place_storages(Reader *r, TorchObject *object, const PickleValue *keys)
{
    if (keys->kind != PICKLE_LIST) return err_set(ERR_MODEL, "'%s': the list of storages is missing", r->file->path);
    for (int64_t i = 0; i < keys->n_items; i++) {
        if (keys->items[i]->kind != PICKLE_STRING) {
            return err_set(ERR_MODEL, "'%s': a storage has no key", r->file->path);
        }
        TRY(place_storage(r, torch_object_storage(object, keys->items[i]->text), keys->items[i]->text));
    }
    for (int64_t i = 0; i < object->n_storages; i++) {
        if (object->storages[i].data == NULL) {
            return err_set(ERR_MODEL, "'%s': storage '%.100s' is missing", r->file->path, object->storages[i].key);
        }
    }
    if (r->at != r->file->n_bytes) {
        return err_set(ERR_MODEL, "'%s': %zu bytes follow the last storage; none were expected", r->file->path,
                       r->file->n_bytes - r->at);
    }
    return ERR_NONE;
}

static Err read_all(TensorFile *file)
{
    file->format = "PyTorch legacy";
    Reader r = { .file = file };
    TRY(read_preamble(&r));
    Pickle *pickle = NULL;
    TRY(next_pickle(&r, &pickle));
    TorchObject *object = NULL;
    TRY(torch_object_new(file->path, pickle, &object));
    file->owned = object;
    file->release = torch_object_free;
    Pickle *keys = NULL;
    TRY(next_pickle(&r, &keys));
    const Err err = place_storages(&r, object, pickle_root(keys));
    pickle_free(keys);
    TRY(err);
    return torch_object_tensors(object, file);
}

Err torch_legacy_open(const char *path, TensorFile **ret_file)
{
    TensorFile *file = NULL;
    TRY(tensor_file_new(path, true, &file));
    const Err err = read_all(file);
    if (err == ERR_NONE)
        *ret_file = file;
    else
        tensor_file_close(file);
    return err;
}

Err torch_legacy_parse(const void *bytes, size_t n_bytes, const char *name, TensorFile **ret_file)
{
    TensorFile *file = NULL;
    TRY(tensor_file_new(name, false, &file));
    file->bytes = bytes;
    file->n_bytes = n_bytes;
    const Err err = read_all(file);
    if (err == ERR_NONE)
        *ret_file = file;
    else
        tensor_file_close(file);
    return err;
}
