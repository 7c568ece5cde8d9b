/* SPDX-License-Identifier: Apache-2.0
 * PyTorch's legacy format. */
#include "tensor_file/torch_file.h"

#include "tensor_file/torch_storage.h"

#include <string.h>

enum { MAX_PICKLE_BYTES = 64 << 20 }; /* all pickles of a file together */

typedef struct Reader {
    TensorFile *file;
    size_t at, head; /* head: bytes of the file that are at hand for pickles */
} Reader;

static Err next_pickle(Reader *r, Pickle **ret_pickle)
{
    size_t used = 0;
    TRY(pickle_parse(r->file->bytes + r->at, r->head - r->at, r->file->path, ret_pickle, &used));
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
    unsigned char count[8];
    uint64_t n = 0;
    TRY(stored_bytes_read(tensor_file_bytes(r->file, (int64_t)r->at), 0, sizeof count, count));
    for (int i = 7; i >= 0; i--) n = n << 8 | count[i];
    r->at += 8;
    if (storage == NULL) return err_set(ERR_MODEL, "'%s': storage '%.100s' belongs to no tensor", path, key);
    if (storage->bytes.file != NULL) return err_set(ERR_MODEL, "'%s': storage '%.100s' stands in it twice", path, key);
    if (n != (uint64_t)storage->n_elements) {
        return err_set(ERR_MODEL, "'%s': storage '%.100s' has %llu elements; %lld were announced", path, key,
                       (unsigned long long)n, (long long)storage->n_elements);
    }
    if (torch_storage_bytes(storage) > r->file->n_bytes - r->at) {
        return err_set(ERR_MODEL, "'%s': is truncated inside storage '%.100s'", path, key);
    }
    storage->bytes = tensor_file_bytes(r->file, (int64_t)r->at);
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
        if (object->storages[i].bytes.file == NULL) {
            return err_set(ERR_MODEL, "'%s': storage '%.100s' is missing", r->file->path, object->storages[i].key);
        }
    }
    if (r->at != r->file->n_bytes) {
        return err_set(ERR_MODEL, "'%s': %zu bytes follow the last storage; none were expected", r->file->path,
                       r->file->n_bytes - r->at);
    }
    return ERR_NONE;
}

Err torch_legacy_read(TensorFile *file)
{
    file->format = "PyTorch legacy";
    Reader r = { .file = file, .head = file->n_bytes < MAX_PICKLE_BYTES ? file->n_bytes : MAX_PICKLE_BYTES };
    TRY(tensor_file_head(file, r.head));
    TRY(read_preamble(&r));
    Pickle *pickle = NULL;
    TRY(next_pickle(&r, &pickle));
    TorchObject *object = NULL;
    TRY(torch_object_new(file, pickle, &object));
    file->owned = object;
    file->release = torch_object_free;
    Pickle *keys = NULL;
    TRY(next_pickle(&r, &keys));
    tensor_file_drop_head(file);
    const Err err = place_storages(&r, object, pickle_root(keys));
    pickle_free(keys);
    TRY(err);
    return torch_object_tensors(object, file);
}

Err torch_legacy_parse(const void *bytes, size_t n_bytes, const char *name, TensorFile **ret_file)
{
    return tensor_file_parse(bytes, n_bytes, name, torch_legacy_read, ret_file);
}
