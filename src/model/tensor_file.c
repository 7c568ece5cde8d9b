/* SPDX-License-Identifier: Apache-2.0
 * What all formats share: mapping, name index, strided reading. */
#include "model/tensor_file.h"

#include "base/str.h"
#include "model/safetensors.h"
#include "model/torch_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static Err map_file(TensorFile *file)
{
    const int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_set(ERR_INPUT, "'%s': cannot be opened: %s; check the path and its permissions", file->path,
                       strerror(errno));
    }
    struct stat status;
    Err err = ERR_NONE;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        err = err_set(ERR_INPUT, "'%s': is not a plain file; a file of tensors was expected", file->path);
    } else if (status.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED) {
            err = err_set(ERR_INPUT, "'%s': cannot be mapped into memory: %s", file->path, strerror(errno));
        } else {
            file->bytes = bytes;
            file->n_bytes = (size_t)status.st_size;
            file->mapped = true;
        }
    }
    (void)close(fd);
    return err;
}

Err tensor_file_new(const char *path, bool map, TensorFile **ret_file)
{
    TensorFile *file = calloc(1, sizeof *file);
    if (file == NULL) return err_memory(sizeof *file, "a tensor file");
    Err err = str_copy(path, &file->path);
    if (err == ERR_NONE && map) err = map_file(file);
    if (err != ERR_NONE) {
        tensor_file_close(file);
        return err;
    }
    *ret_file = file;
    return ERR_NONE;
}

void tensor_file_close(TensorFile *file)
{
    if (file == NULL) return;
    if (file->release != NULL) file->release(file->owned);
    if (file->mapped) (void)munmap((void *)file->bytes, file->n_bytes);
    free(file->tensors);
    free(file->by_name);
    free(file->metadata);
    free(file->path);
    free(file);
}

Err tensor_file_open(const char *path, TensorFile **ret_file)
{
    unsigned char start[4] = { 0 };
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_set(ERR_INPUT, "'%s': cannot be opened: %s; check the path and its permissions", path,
                       strerror(errno));
    }
    const ssize_t n = read(fd, start, sizeof start);
    (void)close(fd);
    if (n == 4 && memcmp(start, "PK\003\004", 4) == 0) return torch_zip_open(path, ret_file);
    if (n >= 2 && start[0] == 0x80 && start[1] == 2) return torch_legacy_open(path, ret_file);
    return safetensors_open(path, ret_file);
}

const char *tensor_file_format(const TensorFile *file) { return file->format; }
const char *tensor_file_path(const TensorFile *file) { return file->path; }
int64_t tensor_file_count(const TensorFile *file) { return file->n_tensors; }

const StoredTensor *tensor_file_at(const TensorFile *file, int64_t index)
{
    ASSERT(index >= 0 && index < file->n_tensors);
    return &file->tensors[index];
}

static int compare_names(const void *a, const void *b)
{
    const StoredTensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

Err tensor_file_index(TensorFile *file)
{
    if (file->n_tensors == 0) return ERR_NONE;
    const size_t bytes = (size_t)file->n_tensors * sizeof *file->by_name;
    file->by_name = malloc(bytes);
    if (file->by_name == NULL) return err_memory(bytes, "the index of a tensor file");
    for (int64_t i = 0; i < file->n_tensors; i++) file->by_name[i] = &file->tensors[i];
    qsort(file->by_name, (size_t)file->n_tensors, sizeof *file->by_name, compare_names);
    for (int64_t i = 1; i < file->n_tensors; i++) {
        if (strcmp(file->by_name[i - 1]->name, file->by_name[i]->name) == 0) {
            return err_set(ERR_MODEL, "'%s': tensor '%.200s' stands in it twice; the file is damaged or hostile",
                           file->path, file->by_name[i]->name);
        }
    }
    return ERR_NONE;
}

const StoredTensor *tensor_file_find(const TensorFile *file, const char *name)
{
    int64_t low = 0, high = file->n_tensors;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const int order = strcmp(name, file->by_name[middle]->name);
        if (order == 0) return file->by_name[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *tensor_file_metadata(const TensorFile *file, const char *key)
{
    for (int64_t i = 0; i < file->n_metadata; i++) {
        if (strcmp(file->metadata[i].key, key) == 0) return file->metadata[i].value;
    }
    return NULL;
}

Err tensor_file_require(const TensorFile *file, const char *name, const Shape *shape, const StoredTensor **ret_tensor)
{
    const StoredTensor *tensor = tensor_file_find(file, name);
    if (tensor == NULL) {
        return err_set(ERR_MODEL, "'%s': has no tensor '%s'; it is incomplete or of another network", file->path, name);
    }
    if (shape != NULL && !shape_equal(&tensor->shape, shape)) {
        char found[96], expected[96];
        return err_set(ERR_MODEL, "'%s': tensor '%s' has shape %s; %s was expected", file->path, name,
                       shape_text(&tensor->shape, found, sizeof found), shape_text(shape, expected, sizeof expected));
    }
    *ret_tensor = tensor;
    return ERR_NONE;
}

void stored_tensor_set_contiguous(StoredTensor *tensor)
{
    int64_t step = 1;
    for (int32_t d = tensor->shape.rank - 1; d >= 0; d--) {
        tensor->stride[d] = step;
        step *= tensor->shape.dim[d] > 0 ? tensor->shape.dim[d] : 1;
    }
}

bool stored_tensor_size(const Shape *shape, Dtype dtype, int64_t *ret_elements, size_t *ret_bytes)
{
    const int64_t element_bytes = (int64_t)dtype_bytes(dtype);
    int64_t n = 1;
    for (int32_t d = 0; d < shape->rank; d++) {
        const int64_t dim = shape->dim[d];
        if (dim < 0) return false;
        if (dim > 0 && n > INT64_MAX / element_bytes / dim) return false;
        n *= dim;
    }
    *ret_elements = n;
    *ret_bytes = (size_t)(n * element_bytes);
    return true;
}

bool stored_tensor_contiguous(const StoredTensor *tensor)
{
    int64_t step = 1;
    for (int32_t d = tensor->shape.rank - 1; d >= 0; d--) {
        if (tensor->shape.dim[d] != 1 && tensor->stride[d] != step) return false;
        step *= tensor->shape.dim[d];
    }
    return true;
}

void stored_tensor_copy(const StoredTensor *tensor, void *ret_elements)
{
    const size_t size = dtype_bytes(tensor->dtype);
    const int64_t n = shape_count(&tensor->shape);
    unsigned char *to = ret_elements;
    if (n == 0) return;
    if (stored_tensor_contiguous(tensor)) {
        memcpy(to, tensor->data, (size_t)n * size);
        return;
    }
    int64_t index[SHAPE_MAX_RANK] = { 0 };
    int64_t offset = 0;
    for (int64_t i = 0; i < n; i++) {
        memcpy(to + (size_t)i * size, tensor->data + (size_t)offset * size, size);
        for (int32_t d = tensor->shape.rank - 1; d >= 0; d--) {
            offset += tensor->stride[d];
            if (++index[d] < tensor->shape.dim[d]) break;
            offset -= index[d] * tensor->stride[d];
            index[d] = 0;
        }
    }
}

/* Half or bfloat16 at any address to float. */
static void widen_16(const unsigned char *from, Dtype dtype, float *to, int64_t n)
{
    enum { BLOCK = 1024 };
    uint16_t block[BLOCK];
    for (int64_t i = 0; i < n; i += BLOCK) {
        const int64_t count = n - i < BLOCK ? n - i : BLOCK;
        memcpy(block, from + 2 * i, (size_t)count * sizeof *block);
        if (dtype == DTYPE_F16)
            convert_f16_to_f32(block, to + i, count);
        else
            convert_bf16_to_f32(block, to + i, count);
    }
}

static Err read_f64(const StoredTensor *tensor, float *ret_values, int64_t n)
{
    double *wide = calloc((size_t)(n > 0 ? n : 1), sizeof *wide);
    if (wide == NULL) return err_memory((unsigned long long)n * sizeof *wide, "a tensor of doubles");
    stored_tensor_copy(tensor, wide);
    for (int64_t i = 0; i < n; i++) ret_values[i] = (float)wide[i];
    free(wide);
    return ERR_NONE;
}

Err stored_tensor_read_f32(const StoredTensor *tensor, float *ret_values)
{
    const int64_t n = shape_count(&tensor->shape);
    switch (tensor->dtype) {
    case DTYPE_F32:
        stored_tensor_copy(tensor, ret_values);
        return ERR_NONE;
    case DTYPE_F64:
        return read_f64(tensor, ret_values, n);
    case DTYPE_F16:
    case DTYPE_BF16:
        break;
    default:
        return err_set(ERR_MODEL, "tensor '%s' holds %s; floating point numbers were expected", tensor->name,
                       dtype_name(tensor->dtype));
    }
    if (stored_tensor_contiguous(tensor)) {
        widen_16(tensor->data, tensor->dtype, ret_values, n);
        return ERR_NONE;
    }
    unsigned char *packed = malloc((size_t)(n > 0 ? n : 1) * 2);
    if (packed == NULL) return err_memory((unsigned long long)n * 2, "a tensor");
    stored_tensor_copy(tensor, packed);
    widen_16(packed, tensor->dtype, ret_values, n);
    free(packed);
    return ERR_NONE;
}
