/* SPDX-License-Identifier: Apache-2.0
 *
 * A file of named tensors, whatever its format: safetensors, PyTorch's zip format, PyTorch's legacy format. Opening
 * checks the whole structure as untrusted input and runs no code of the file; values are read on demand.
 *
 * The file stays open: its values are those of the file that was opened, whatever becomes of its path.
 *
 *     TensorFile *file = NULL;
 *     TRY(tensor_file_open("efficientnet-lite0.pth", &file));
 *     const StoredTensor *t = tensor_file_find(file, "_conv_stem.weight");
 *     Err err = stored_tensor_read_f32(t, values);
 *     tensor_file_close(file);
 */
#ifndef METASEG_TENSOR_FILE_TENSOR_FILE_H
#define METASEG_TENSOR_FILE_TENSOR_FILE_H

#include "base/err.h"
#include "tensor/tensor.h"

/* Limits of what is read; a file beyond them is refused with ERR_MODEL. */
enum { TENSOR_FILE_MAX_TENSORS = 65536 };

typedef struct TensorFile TensorFile;

/* Where bytes lie: in memory, or (memory NULL) in the open file from a byte on. They may be unaligned. */
typedef struct StoredBytes {
    const TensorFile *file;
    const unsigned char *memory;
    int64_t offset;
} StoredBytes;

/* One tensor of an open file; stride is in elements. Lives as long as the file is open. */
typedef struct StoredTensor {
    const char *name;
    Dtype dtype;
    Shape shape;
    int64_t stride[SHAPE_MAX_RANK];
    StoredBytes bytes; /* its first element; anything in an empty tensor */
} StoredTensor;

/* Opens a file of any of the three formats, told apart by content. ERR_INPUT: missing, unreadable or no plain file;
 * ERR_MODEL: not one of them, damaged, or hostile; ERR_MEMORY. */
Err tensor_file_open(const char *path, TensorFile **ret_file);
void tensor_file_close(TensorFile *file);

/* The same of one dictionary of a PyTorch checkpoint, "state_dict_ema", instead of the usual one; NULL: the usual one. ERR_MODEL also
 * where there is none of that name with tensors. */
Err tensor_file_open_member(const char *path, const char *member, TensorFile **ret_file);

/* Another dictionary of the checkpoint that was opened, with about as many tensors: a moving average perhaps. NULL: none. */
const char *tensor_file_beside(const TensorFile *file);

/* "safetensors", "PyTorch zip", "PyTorch legacy". */
const char *tensor_file_format(const TensorFile *file);
const char *tensor_file_path(const TensorFile *file);

/* Tensors in the order of the file. */
int64_t tensor_file_count(const TensorFile *file);
const StoredTensor *tensor_file_at(const TensorFile *file, int64_t index);
const StoredTensor *tensor_file_find(const TensorFile *file, const char *name); /* NULL: no such tensor */

/* Value of a metadata key (safetensors only), NULL if absent. Borrowed. */
const char *tensor_file_metadata(const TensorFile *file, const char *key);

/* The tensor of this name, with this shape (NULL: any). ERR_MODEL with the nearest name, or both shapes. */
Err tensor_file_require(const TensorFile *file, const char *name, const Shape *shape, const StoredTensor **ret_tensor);

/* What stands before `name` in the tensor whose name is `name` or ends with "." and `name`: "" or "module.", whatever
 * wrapped the network when it was saved. free() it; NULL: there is no such tensor. ERR_MODEL: there are several;
 * ERR_MEMORY. */
Err tensor_file_prefix(const TensorFile *file, const char *name, char **ret_prefix);

/* Copies all elements in row-major order, in the stored type. ERR_INPUT: the file cannot be read or was cut short since
 * it was opened; ERR_MEMORY. */
Err stored_tensor_copy(const StoredTensor *tensor, void *ret_elements);

/* All elements in row-major order as float, from f32, f16, bf16 or f64. ERR_MODEL for integer tensors; ERR_INPUT and
 * ERR_MEMORY as above. */
Err stored_tensor_read_f32(const StoredTensor *tensor, float *ret_values);

bool stored_tensor_contiguous(const StoredTensor *tensor);

/* -- for the formats' own readers ------------------------------------------------------------------------------- */

typedef struct TensorFileMetadata {
    const char *key, *value;
} TensorFileMetadata;

struct TensorFile {
    char *path;
    const char *format;
    int fd;                     /* -1: the caller's memory is parsed */
    size_t n_bytes;             /* of the whole file */
    const unsigned char *bytes; /* the caller's memory, or the part from the start that tensor_file_head has read */
    unsigned char *head;        /* that part, owned */
    size_t head_bytes;
    StoredTensor *tensors;
    int64_t n_tensors;
    const StoredTensor **by_name;
    TensorFileMetadata *metadata;
    int64_t n_metadata;
    const char *member; /* while it is read: the dictionary that is wanted, NULL: the usual one */
    const char *beside; /* tensor_file_beside() */
    void *owned;        /* what names and data point into */
    void (*release)(void *owned);
};

/* What a format does with a new file: fills format, tensors, metadata, owned. */
typedef Err (*TensorFileRead)(TensorFile *file);

/* Opens and reads a file of one format. ERR_INPUT, ERR_MODEL, ERR_MEMORY. */
Err tensor_file_load(const char *path, TensorFileRead read, TensorFile **ret_file);

/* The same for bytes in memory, which must outlive the result; name stands in messages. */
Err tensor_file_parse(const void *bytes, size_t n_bytes, const char *name, TensorFileRead read, TensorFile **ret_file);

/* Makes at least the first n bytes of the file stand in file->bytes; n <= n_bytes. ERR_INPUT, ERR_MEMORY. */
Err tensor_file_head(TensorFile *file, size_t n);

/* Gives that memory back; file->bytes is no more. */
void tensor_file_drop_head(TensorFile *file);

/* The bytes from `offset` of the file on. */
StoredBytes tensor_file_bytes(const TensorFile *file, int64_t offset);

/* Copies n bytes, `first` bytes behind the start. ERR_INPUT: they cannot be read, or the file has become shorter. */
Err stored_bytes_read(StoredBytes bytes, int64_t first, size_t n, void *ret_bytes);

/* Fills strides of a row-major tensor. */
void stored_tensor_set_contiguous(StoredTensor *tensor);

/* Elements of a shape; false when a dimension is negative, or when the bytes in `dtype` or any stride overflow, counting
 * dimensions of 0 as 1. */
bool stored_tensor_size(const Shape *shape, Dtype dtype, int64_t *ret_elements, size_t *ret_bytes);

/* Builds the name index after all tensors stand; ERR_MODEL for a name twice, ERR_MEMORY. */
Err tensor_file_index(TensorFile *file);

#endif
