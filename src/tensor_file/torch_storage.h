/* SPDX-License-Identifier: Apache-2.0
 *
 * What PyTorch's two formats share: the storages that a pickled state dictionary names, and its tensors as views of
 * them. Private to torch_file.c and torch_zip.c.
 */
#ifndef METASEG_TENSOR_FILE_TORCH_STORAGE_H
#define METASEG_TENSOR_FILE_TORCH_STORAGE_H

#include "tensor_file/pickle.h"
#include "tensor_file/tensor_file.h"

#include <stdbool.h>

typedef struct TorchStorage {
    const char *key; /* of the pickle */
    Dtype dtype;     /* DTYPE_COUNT: one that we do not have */
    size_t element_bytes;
    int64_t n_elements;
    bool wanted;          /* a tensor of the state dictionary lies in it */
    StoredBytes bytes;    /* filled in by the format */
    unsigned char *owned; /* freed with the list; NULL: the bytes lie elsewhere */
} TorchStorage;

typedef struct TorchObject {
    Pickle *pickle;
    const PickleValue *dict; /* of it: the state dictionary */
    TorchStorage *storages;  /* sorted by key, each key once */
    int64_t n_storages;
} TorchObject;

/* Lists the storages that the pickle names, those of tensors outside the state dictionary included; takes the pickle
 * over, also on failure. Of the file it reads path and member, and sets beside. ERR_MODEL, ERR_MEMORY. */
Err torch_object_new(TensorFile *file, Pickle *pickle, TorchObject **ret_object);
void torch_object_free(void *owned); /* a TorchObject */

TorchStorage *torch_object_storage(TorchObject *object, const char *key); /* NULL: unknown */

/* Bytes of a storage. */
size_t torch_storage_bytes(const TorchStorage *storage);

/* Makes the tensors of the file from the object once all storages have data; the file owns the object from now on, also
 * on failure. ERR_MODEL: a view leaves its storage; ERR_MEMORY. */
Err torch_object_tensors(TorchObject *object, TensorFile *file);

#endif
