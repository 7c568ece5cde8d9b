/* SPDX-License-Identifier: Apache-2.0
 *
 * A file of named tensors, whatever its format: safetensors, PyTorch's zip format, PyTorch's legacy format. Opening
 * checks the whole structure as untrusted input and runs no code of the file; values are read on demand.
 *
 *     TensorFile *file = NULL;
 *     TRY(tensor_file_open("efficientnet-lite0.pth", &file));
 *     const StoredTensor *t = tensor_file_find(file, "_conv_stem.weight");
 *     Err err = stored_tensor_read_f32(t, values);
 *     tensor_file_close(file);
 */
#ifndef METASEG_MODEL_TENSOR_FILE_H
#define METASEG_MODEL_TENSOR_FILE_H

#include "base/err.h"
#include "tensor/tensor.h"

/* Limits of what is read; a file beyond them is refused with ERR_MODEL. */
enum { TENSOR_FILE_MAX_TENSORS = 65536 };

/* One tensor of an open file. stride is in elements; data may be unaligned. Lives as long as the file is open. */
typedef struct StoredTensor {
    const char *name;
    Dtype dtype;
    Shape shape;
    int64_t stride[SHAPE_MAX_RANK];
    const unsigned char *data;
} StoredTensor;

typedef struct TensorFile TensorFile;

/* Opens a file of any of the three formats, told apart by content. ERR_INPUT: missing or unreadable; ERR_MODEL: not one
 * of them, damaged, or hostile; ERR_MEMORY. */
Err tensor_file_open(const char *path, TensorFile **ret_file);
void tensor_file_close(TensorFile *file);

/* "safetensors", "PyTorch zip", "PyTorch legacy". */
const char *tensor_file_format(const TensorFile *file);
const char *tensor_file_path(const TensorFile *file);

/* Tensors in the order of the file. */
int64_t tensor_file_count(const TensorFile *file);
const StoredTensor *tensor_file_at(const TensorFile *file, int64_t index);
const StoredTensor *tensor_file_find(const TensorFile *file, const char *name); /* NULL: no such tensor */

/* Value of a metadata key (safetensors only), NULL if absent. Borrowed. */
const char *tensor_file_metadata(const TensorFile *file, const char *key);

/* The tensor of this name, with this shape (NULL: any). ERR_MODEL with both shapes. */
Err tensor_file_require(const TensorFile *file, const char *name, const Shape *shape, const StoredTensor **ret_tensor);

/* Copies all elements in row-major order, in the stored type. */
void stored_tensor_copy(const StoredTensor *tensor, void *ret_elements);

/* All elements in row-major order as float, from f32, f16, bf16 or f64. ERR_MODEL for integer tensors. */
Err stored_tensor_read_f32(const StoredTensor *tensor, float *ret_values);

bool stored_tensor_contiguous(const StoredTensor *tensor);

/* -- for the formats' own readers ------------------------------------------------------------------------------- */

typedef struct TensorFileMetadata {
    const char *key, *value;
} TensorFileMetadata;

struct TensorFile {
    char *path;
    const char *format;
    const unsigned char *bytes; /* the mapped file, NULL when the caller's memory was parsed */
    size_t n_bytes;
    bool mapped;
    StoredTensor *tensors;
    int64_t n_tensors;
    const StoredTensor **by_name;
    TensorFileMetadata *metadata;
    int64_t n_metadata;
    void *owned; /* what names and data point into */
    void (*release)(void *owned);
};

/* Zeroed file that remembers `path`; maps it read-only when map is true. ERR_INPUT, ERR_MEMORY. */
Err tensor_file_new(const char *path, bool map, TensorFile **ret_file);

/* Fills strides of a row-major tensor. */
void stored_tensor_set_contiguous(StoredTensor *tensor);

/* Elements of a shape; false when a dimension is negative or the bytes in `dtype` overflow. */
bool stored_tensor_size(const Shape *shape, Dtype dtype, int64_t *ret_elements, size_t *ret_bytes);

/* Builds the name index after all tensors stand; ERR_MODEL for a name twice, ERR_MEMORY. */
Err tensor_file_index(TensorFile *file);

#endif
