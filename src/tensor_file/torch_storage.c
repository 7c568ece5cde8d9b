/* SPDX-License-Identifier: Apache-2.0
 * Storages and tensors of a pickled state dictionary. */
#include "tensor_file/torch_storage.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_STORAGES = 4 * TENSOR_FILE_MAX_TENSORS, MAX_DEPTH = 4 }; /* an optimizer keeps two or three per weight */

/* A tensor of PyTorch that is not one of plain numbers: quantised, sparse, of a type newer than this reader. */
static bool is_other_tensor(const PickleValue *value)
{
    return value->kind == PICKLE_OPAQUE && str_starts_with(value->text, "torch.") &&
           strstr(value->text, "._rebuild_") != NULL;
}

static bool has_tensors(const PickleValue *dict)
{
    for (int64_t i = 1; i < dict->n_items; i += 2)
        if (dict->items[i]->kind == PICKLE_TENSOR || is_other_tensor(dict->items[i])) return true;
    return false;
}

/* The well-known member that holds tensors, else the dictionary itself if it does; NULL: neither. A pickle may contain
 * itself, so the depth is limited. */
static const PickleValue *search_dictionary(const PickleValue *dict, int depth)
{
    static const char *const members[] = { "state_dict", "model_state_dict", "model" };
    for (int64_t i = 0; i < ARRAY_LEN(members) && depth < MAX_DEPTH; i++) {
        const PickleValue *member = pickle_find(dict, members[i]);
        if (member == NULL || !pickle_is_dict(member)) continue;
        const PickleValue *found = search_dictionary(member, depth + 1);
        if (found != NULL) return found;
    }
    return has_tensors(dict) ? dict : NULL;
}

/* Members of a dictionary that hold tensors: the first two, and how many there are. */
static int64_t find_members(const PickleValue *dict, const PickleValue *ret_keys[2], const PickleValue **ret_member)
{
    int64_t n = 0;
    for (int64_t i = 0; i + 1 < dict->n_items; i += 2) {
        const PickleValue *key = dict->items[i], *value = dict->items[i + 1];
        if (key->kind != PICKLE_STRING || !pickle_is_dict(value) || !has_tensors(value)) continue;
        if (n == 0) *ret_member = value;
        if (n < 2) ret_keys[n] = key;
        n++;
    }
    return n;
}

/* No tensors where they are looked for: perhaps one other member has them. */
static Err other_dictionary(const char *path, const PickleValue *root, const PickleValue **ret_dict)
{
    const PickleValue *keys[2] = { NULL, NULL };
    const int64_t n = find_members(root, keys, ret_dict);
    if (n == 1) return ERR_NONE;
    if (n > 1)
        return err_set(ERR_MODEL,
                       "'%s': %lld dictionaries of it hold tensors, '%.60s' and '%.60s' for example; say which is "
                       "wanted (--state-dict)",
                       path, (long long)n, keys[0]->text, keys[1]->text);
    for (int64_t i = 1; i < root->n_items; i += 2)
        if (root->items[i]->kind == PICKLE_OPAQUE && str_starts_with(root->items[i]->text, "numpy."))
            return err_set(ERR_MODEL,
                           "'%s': its dictionary holds arrays of NumPy; tensors (a state_dict) were expected", path);
    if (pickle_find(root, "param_groups") != NULL)
        return err_set(ERR_MODEL, "'%s': is the state of an optimizer; the network's state_dict was expected", path);
    return err_set(ERR_MODEL, "'%s': its dictionary holds no tensors; a state_dict was expected", path);
}

/* The dictionary of a name. */
static Err named_dictionary(const char *path, const char *name, const PickleValue *root, const PickleValue **ret_dict)
{
    const PickleValue *keys[2] = { NULL, NULL }, *first = NULL, *found = pickle_find(root, name);
    if (found != NULL && pickle_is_dict(found)) *ret_dict = search_dictionary(found, 0);
    if (*ret_dict != NULL) return ERR_NONE;
    const int64_t n = find_members(root, keys, &first);
    return err_set(ERR_MODEL, "'%s': has no dictionary of tensors '%.60s'%s%.60s%s%.60s%s", path, name,
                   n > 0 ? "; it has '" : "", n > 0 ? keys[0]->text : "", n > 1 ? "' and '" : "",
                   n > 1 ? keys[1]->text : "", n > 0 ? "'" : "");
}

static int64_t count_tensors(const PickleValue *dict)
{
    int64_t n = 0;
    for (int64_t i = 1; i < dict->n_items; i += 2) n += dict->items[i]->kind == PICKLE_TENSOR;
    return n;
}

/* Another member with at least half as many tensors. */
static const char *find_beside(const PickleValue *root, const PickleValue *dict)
{
    const int64_t n = count_tensors(dict);
    for (int64_t i = 0; i + 1 < root->n_items && root != dict; i += 2) {
        const PickleValue *key = root->items[i], *value = root->items[i + 1];
        if (key->kind == PICKLE_STRING && value != dict && pickle_is_dict(value) && 2 * count_tensors(value) >= n)
            return key->text;
    }
    return NULL;
}

static Err find_dictionary(const TensorFile *file, const PickleValue *root, const PickleValue **ret_dict)
{
    const char *path = file->path;
    *ret_dict = NULL;
    if (root->kind == PICKLE_OPAQUE && !pickle_is_dict(root))
        return err_set(ERR_MODEL,
                       "'%s': holds an object of '%s', which only its program can read; save its state_dict with "
                       "torch.save",
                       path, root->text);
    if (!pickle_is_dict(root)) {
        return err_set(ERR_MODEL, "'%s': holds a %s; a dictionary of tensors (a state_dict) was expected", path,
                       pickle_kind_name(root->kind));
    }
    if (file->member != NULL) return named_dictionary(path, file->member, root, ret_dict);
    *ret_dict = search_dictionary(root, 0);
    return *ret_dict != NULL ? ERR_NONE : other_dictionary(path, root, ret_dict);
}

/* ('storage', type, key, location, elements[, view]) */
static Err read_storage(const char *path, const PickleValue *id, TorchStorage *ret_storage)
{
    const bool fits = id->kind == PICKLE_PERSISTENT && (id->n_items == 5 || id->n_items == 6) &&
                      id->items[0]->kind == PICKLE_STRING && strcmp(id->items[0]->text, "storage") == 0 &&
                      id->items[1]->kind == PICKLE_STORAGE_TYPE && id->items[2]->kind == PICKLE_STRING &&
                      id->items[4]->kind == PICKLE_INT && (id->n_items == 5 || id->items[5]->kind == PICKLE_NONE);
    if (id->kind == PICKLE_PERSISTENT && id->n_items > 1 && id->items[1]->kind == PICKLE_OPAQUE)
        return err_set(ERR_MODEL, "'%s': has tensors of '%s', which is not known", path, id->items[1]->text);
    if (!fits) return err_set(ERR_MODEL, "'%s': a storage is not described as PyTorch does", path);
    const int64_t type = id->items[1]->integer, n = id->items[4]->integer;
    const Dtype dtype = type >= 0 ? (Dtype)type : DTYPE_COUNT;
    const size_t element_bytes = type >= 0 ? dtype_bytes(dtype) : (size_t)-type;
    if (n < 0 || n > INT64_MAX / (int64_t)element_bytes) {
        return err_set(ERR_MODEL, "'%s': storage '%.100s' has %lld elements", path, id->items[2]->text, (long long)n);
    }
    *ret_storage =
        (TorchStorage){ .key = id->items[2]->text, .dtype = dtype, .element_bytes = element_bytes, .n_elements = n };
    return ERR_NONE;
}

static int compare_storages(const void *a, const void *b)
{
    const TorchStorage *x = a, *y = b;
    return strcmp(x->key, y->key);
}

/* Sorted, each key once; the same key must be described alike everywhere. */
static Err unite(const char *path, TorchObject *object)
{
    if (object->n_storages == 0) return ERR_NONE;
    qsort(object->storages, (size_t)object->n_storages, sizeof *object->storages, compare_storages);
    int64_t kept = 1;
    for (int64_t i = 1; i < object->n_storages; i++) {
        const TorchStorage *last = &object->storages[kept - 1], *next = &object->storages[i];
        if (strcmp(last->key, next->key) != 0) {
            object->storages[kept++] = *next;
        } else if (last->dtype != next->dtype || last->element_bytes != next->element_bytes ||
                   last->n_elements != next->n_elements) {
            return err_set(ERR_MODEL, "'%s': storage '%.100s' is described in two different ways", path, next->key);
        }
    }
    object->n_storages = kept;
    return ERR_NONE;
}

static Err list_storages(const char *path, TorchObject *object)
{
    const int64_t n = pickle_persistent_count(object->pickle);
    if (n > MAX_STORAGES)
        return err_set(ERR_MODEL, "'%s': names %lld storages; at most %d can be read", path, (long long)n,
                       (int)MAX_STORAGES);
    object->storages = calloc((size_t)n + 1, sizeof *object->storages);
    if (object->storages == NULL) return err_memory((size_t)n * sizeof *object->storages, "storages");
    for (int64_t i = 0; i < n; i++) {
        TRY(read_storage(path, pickle_persistent(object->pickle, i), &object->storages[i]));
        object->n_storages++;
    }
    return unite(path, object);
}

static Err refuse_type(const char *path, const PickleValue *key)
{
    return err_set(ERR_MODEL,
                   "'%s': tensor '%.200s' is quantised, sparse, complex, without values or of another type that is not "
                   "read; save the network with floating point weights",
                   path, key->kind == PICKLE_STRING ? key->text : "");
}

/* Checks an entry of the state dictionary and marks its storage. */
static Err mark_entry(const char *path, TorchObject *object, const PickleValue *key, const PickleValue *value)
{
    if (is_other_tensor(value)) return refuse_type(path, key);
    if (value->kind != PICKLE_TENSOR) return ERR_NONE;
    if (key->kind != PICKLE_STRING)
        return err_set(ERR_MODEL, "'%s': the name of a tensor is of type %s; text was expected", path,
                       pickle_kind_name(key->kind));
    if (value->n_items < 4) return err_set(ERR_MODEL, "'%s': tensor '%.200s' lacks arguments", path, key->text);
    if (value->items[0]->kind != PICKLE_PERSISTENT)
        return err_set(ERR_MODEL, "'%s': the storage of tensor '%.200s' is not described as PyTorch does", path,
                       key->text);
    TorchStorage *storage = torch_object_storage(object, value->items[0]->items[2]->text);
    ASSERT(storage != NULL);
    if (storage->dtype == DTYPE_COUNT) return refuse_type(path, key);
    storage->wanted = true;
    return ERR_NONE;
}

static Err mark_wanted(const char *path, TorchObject *object)
{
    const PickleValue *dict = object->dict;
    if (dict->n_items / 2 > TENSOR_FILE_MAX_TENSORS) {
        return err_set(ERR_MODEL, "'%s': has %lld entries; at most %d can be read", path, (long long)dict->n_items / 2,
                       TENSOR_FILE_MAX_TENSORS);
    }
    for (int64_t i = 0; i + 1 < dict->n_items; i += 2)
        TRY(mark_entry(path, object, dict->items[i], dict->items[i + 1]));
    return ERR_NONE;
}

Err torch_object_new(TensorFile *file, Pickle *pickle, TorchObject **ret_object)
{
    TorchObject *object = calloc(1, sizeof *object);
    if (object == NULL) {
        pickle_free(pickle);
        return err_memory(sizeof *object, "a state dictionary");
    }
    object->pickle = pickle;
    Err err = list_storages(file->path, object);
    if (err == ERR_NONE) err = find_dictionary(file, pickle_root(pickle), &object->dict);
    if (err == ERR_NONE) err = mark_wanted(file->path, object);
    if (err == ERR_NONE) file->beside = find_beside(pickle_root(pickle), object->dict);
    if (err == ERR_NONE)
        *ret_object = object;
    else
        torch_object_free(object);
    return err;
}

void torch_object_free(void *owned)
{
    TorchObject *object = owned;
    if (object == NULL) return;
    for (int64_t i = 0; i < object->n_storages; i++) free(object->storages[i].owned);
    free(object->storages);
    pickle_free(object->pickle);
    free(object);
}

TorchStorage *torch_object_storage(TorchObject *object, const char *key)
{
    const TorchStorage wanted = { .key = key };
    if (object->n_storages == 0) return NULL;
    return bsearch(&wanted, object->storages, (size_t)object->n_storages, sizeof *object->storages, compare_storages);
}

size_t torch_storage_bytes(const TorchStorage *storage) { return (size_t)storage->n_elements * storage->element_bytes; }

static Err refuse_view(const char *path, const char *name)
{
    return err_set(ERR_MODEL, "'%s': tensor '%.200s' does not lie inside its storage; the file is damaged or hostile",
                   path, name);
}

/* Size and stride of a view; every element must lie inside the storage and none may be there twice by a stride of 0. */
static Err read_view(const char *path, const char *name, const PickleValue *arguments, const TorchStorage *storage,
                     StoredTensor *tensor)
{
    const PickleValue *offset = arguments->items[1], *size = arguments->items[2], *stride = arguments->items[3];
    if (offset->kind != PICKLE_INT || size->kind != PICKLE_TUPLE || stride->kind != PICKLE_TUPLE ||
        size->n_items != stride->n_items) {
        return err_set(ERR_MODEL, "'%s': tensor '%.200s' has no proper size and stride", path, name);
    }
    if (size->n_items > SHAPE_MAX_RANK) {
        return err_set(ERR_MODEL, "'%s': tensor '%.200s' has %lld dimensions; at most %d can be read", path, name,
                       (long long)size->n_items, SHAPE_MAX_RANK);
    }
    tensor->shape.rank = (int32_t)size->n_items;
    int64_t last = offset->integer, elements = 0;
    size_t bytes = 0;
    if (last < 0 || last > storage->n_elements) return refuse_view(path, name);
    for (int32_t d = 0; d < tensor->shape.rank; d++) {
        if (size->items[d]->kind != PICKLE_INT || stride->items[d]->kind != PICKLE_INT) return refuse_view(path, name);
        tensor->shape.dim[d] = size->items[d]->integer;
        tensor->stride[d] = stride->items[d]->integer;
    }
    if (!stored_tensor_size(&tensor->shape, storage->dtype, &elements, &bytes)) return refuse_view(path, name);
    if (elements == 0) return ERR_NONE;
    for (int32_t d = 0; d < tensor->shape.rank; d++) {
        const int64_t steps = tensor->shape.dim[d] - 1, step = tensor->stride[d];
        if (steps == 0) continue;
        if (step == 0)
            return err_set(ERR_MODEL, "'%s': tensor '%.200s' is expanded, with a stride of 0; save its contiguous()",
                           path, name);
        if (step < 1 || step > storage->n_elements / steps) return refuse_view(path, name);
        last += steps * step;
        if (last >= storage->n_elements) return refuse_view(path, name);
    }
    if (last >= storage->n_elements || elements > storage->n_elements) return refuse_view(path, name);
    const int64_t first = offset->integer * (int64_t)dtype_bytes(storage->dtype);
    tensor->bytes = storage->bytes;
    tensor->bytes.offset += first;
    if (tensor->bytes.memory != NULL) tensor->bytes.memory += first;
    return ERR_NONE;
}

Err torch_object_tensors(TorchObject *object, TensorFile *file)
{
    file->owned = object;
    file->release = torch_object_free;
    const PickleValue *dict = object->dict;
    file->tensors = calloc((size_t)dict->n_items / 2 + 1, sizeof *file->tensors);
    if (file->tensors == NULL) return err_memory((size_t)dict->n_items / 2 * sizeof *file->tensors, "tensors");
    for (int64_t i = 0; i + 1 < dict->n_items; i += 2) {
        const PickleValue *value = dict->items[i + 1];
        if (value->kind != PICKLE_TENSOR) continue;
        const TorchStorage *storage = torch_object_storage(object, value->items[0]->items[2]->text);
        StoredTensor *tensor = &file->tensors[file->n_tensors];
        tensor->name = dict->items[i]->text;
        tensor->dtype = storage->dtype;
        TRY(read_view(file->path, tensor->name, value, storage, tensor));
        file->n_tensors++;
    }
    return tensor_file_index(file);
}
