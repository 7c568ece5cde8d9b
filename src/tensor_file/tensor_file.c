/* SPDX-License-Identifier: Apache-2.0
 * What all formats share: opening, name index, strided reading. */
#include "tensor_file/tensor_file.h"

#include "base/file.h"
#include "base/str.h"
#include "tensor_file/foreign_format.h"
#include "tensor_file/safetensors.h"
#include "tensor_file/torch_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- bytes ---- */

static Err read_at(const TensorFile *file, int64_t offset, size_t n, unsigned char *ret_bytes)
{
    size_t have = 0;
    while (have < n) {
        const ssize_t got = pread(file->fd, ret_bytes + have, n - have, (off_t)offset + (off_t)have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return err_set(ERR_INPUT, "'%s': reading failed: %s", file->path, strerror(errno));
        if (got == 0) return err_set(ERR_INPUT, "'%s': has been cut short since it was opened; restore it", file->path);
        have += (size_t)got;
    }
    return ERR_NONE;
}

Err stored_bytes_read(StoredBytes bytes, int64_t first, size_t n, void *ret_bytes)
{
    if (n == 0) return ERR_NONE;
    if (bytes.memory == NULL) return read_at(bytes.file, bytes.offset + first, n, ret_bytes);
    memcpy(ret_bytes, bytes.memory + first, n);
    return ERR_NONE;
}

StoredBytes tensor_file_bytes(const TensorFile *file, int64_t offset)
{
    return (StoredBytes){ .file = file, .memory = file->fd < 0 ? file->bytes + offset : NULL, .offset = offset };
}

Err tensor_file_head(TensorFile *file, size_t n)
{
    ASSERT(n <= file->n_bytes);
    if (file->fd < 0 || n <= file->head_bytes) return ERR_NONE;
    unsigned char *head = realloc(file->head, n);
    if (head == NULL) return err_memory(n, "the head of a tensor file");
    file->bytes = file->head = head;
    TRY(read_at(file, (int64_t)file->head_bytes, n - file->head_bytes, head + file->head_bytes));
    file->head_bytes = n;
    return ERR_NONE;
}

void tensor_file_drop_head(TensorFile *file)
{
    free(file->head);
    if (file->fd >= 0) file->bytes = NULL;
    file->head = NULL;
    file->head_bytes = 0;
}

/* ---- opening ---- */

static Err new_file(const char *path, TensorFile **ret_file)
{
    TensorFile *file = calloc(1, sizeof *file);
    if (file == NULL) return err_memory(sizeof *file, "a tensor file");
    file->fd = -1;
    const Err err = str_copy(path, &file->path);
    if (err != ERR_NONE)
        tensor_file_close(file);
    else
        *ret_file = file;
    return err;
}

static Err open_file(TensorFile *file)
{
    struct stat status;
    TRY(file_open(file->path, &file->fd));
    if (fstat(file->fd, &status) != 0 || status.st_size < 0)
        return err_set(ERR_INPUT, "'%s': its size is unknown: %s", file->path, strerror(errno));
    file->n_bytes = (size_t)status.st_size;
    return ERR_NONE;
}

static Err finish(TensorFile *file, Err err, TensorFile **ret_file)
{
    if (err == ERR_NONE)
        *ret_file = file;
    else
        tensor_file_close(file);
    return err;
}

static Err load(const char *path, const char *member, TensorFileRead read, TensorFile **ret_file)
{
    TensorFile *file = NULL;
    TRY(new_file(path, &file));
    file->member = member;
    Err err = open_file(file);
    if (err == ERR_NONE) err = read(file);
    file->member = NULL;
    return finish(file, err, ret_file);
}

Err tensor_file_load(const char *path, TensorFileRead read, TensorFile **ret_file)
{
    return load(path, NULL, read, ret_file);
}

Err tensor_file_parse(const void *bytes, size_t n_bytes, const char *name, TensorFileRead read, TensorFile **ret_file)
{
    TensorFile *file = NULL;
    TRY(new_file(name, &file));
    file->bytes = bytes;
    file->n_bytes = n_bytes;
    return finish(file, read(file), ret_file);
}

void tensor_file_close(TensorFile *file)
{
    if (file == NULL) return;
    if (file->release != NULL) file->release(file->owned);
    if (file->fd >= 0) (void)close(file->fd);
    free(file->head);
    free(file->tensors);
    free(file->by_name);
    free(file->metadata);
    free(file->path);
    free(file);
}

/* Eight bytes of a length below 4 GiB, then the header: nothing else begins so, though lengths may look like other formats (640 is
 * how a pickle begins). */
static bool is_safetensors(const unsigned char *start, size_t n)
{
    static const unsigned char zeros[4] = { 0 };
    return n > 8 && memcmp(start + 4, zeros, sizeof zeros) == 0 && start[8] == '{';
}

static Err read_any(TensorFile *file)
{
    enum { START = 64 };
    const size_t n = file->n_bytes < START ? file->n_bytes : START;
    if (n == 0) return err_set(ERR_MODEL, "'%s': is empty; download or copy it again", file->path);
    TRY(tensor_file_head(file, n));
    const unsigned char *start = file->bytes;
    if (is_safetensors(start, n) && file->member != NULL)
        return err_set(ERR_MODEL, "'%s': is a safetensors file, which has no dictionary '%s'", file->path,
                       file->member);
    if (is_safetensors(start, n)) return safetensors_read(file);
    const char *what = foreign_format(start, n);
    if (what != NULL) return err_set(ERR_MODEL, "'%s': is %s", file->path, what);
    if (n >= 4 && memcmp(start, "PK\003\004", 4) == 0) return torch_zip_read(file);
    if (n >= 2 && start[0] == 0x80 && start[1] == 2) return torch_legacy_read(file);
    if (str_ends_with(file->path, ".safetensors")) return safetensors_read(file);
    return err_set(ERR_MODEL,
                   "'%s': is of no format that is read, which are safetensors and PyTorch's two; save the weights as "
                   "safetensors, or download it again if it should be one",
                   file->path);
}

Err tensor_file_open(const char *path, TensorFile **ret_file) { return tensor_file_load(path, read_any, ret_file); }

Err tensor_file_open_member(const char *path, const char *member, TensorFile **ret_file)
{
    return load(path, member, read_any, ret_file);
}

const char *tensor_file_beside(const TensorFile *file) { return file->beside; }

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

Err tensor_file_prefix(const TensorFile *file, const char *name, char **ret_prefix)
{
    const StoredTensor *found = NULL;
    const size_t length = strlen(name);
    for (int64_t i = 0; i < file->n_tensors; i++) {
        const StoredTensor *tensor = &file->tensors[i];
        const size_t n = strlen(tensor->name);
        if (!str_ends_with(tensor->name, name) || (n > length && tensor->name[n - length - 1] != '.')) continue;
        if (found != NULL)
            return err_set(ERR_MODEL, "'%s': holds the same network twice ('%.100s' and '%.100s'); save one of them",
                           file->path, found->name, tensor->name);
        found = tensor;
    }
    if (found == NULL) {
        *ret_prefix = NULL;
        return ERR_NONE;
    }
    return str_format(ret_prefix, "%.*s", (int)(strlen(found->name) - length), found->name);
}

const char *tensor_file_metadata(const TensorFile *file, const char *key)
{
    for (int64_t i = 0; i < file->n_metadata; i++) {
        if (strcmp(file->metadata[i].key, key) == 0) return file->metadata[i].value;
    }
    return NULL;
}

/* The name in the file that is nearest to `name`, NULL: none is near, or there is no memory to look. */
static const char *nearest_name(const TensorFile *file, const char *name)
{
    const char **names = malloc((size_t)(file->n_tensors + 1) * sizeof *names);
    if (names == NULL) return NULL;
    for (int64_t i = 0; i < file->n_tensors; i++) names[i] = file->tensors[i].name;
    const char *nearest = str_nearest(name, names, file->n_tensors);
    free(names);
    return nearest;
}

Err tensor_file_require(const TensorFile *file, const char *name, const Shape *shape, const StoredTensor **ret_tensor)
{
    const StoredTensor *tensor = tensor_file_find(file, name);
    if (tensor == NULL) {
        const char *nearest = nearest_name(file, name);
        if (nearest != NULL)
            return err_set(ERR_MODEL,
                           "'%s': has no tensor '%s'; the nearest is '%.200s'; it is incomplete or of another network",
                           file->path, name, nearest);
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
    int64_t n = 1, step = 1; /* step: as if no dimension were 0, which bounds every stride */
    for (int32_t d = 0; d < shape->rank; d++) {
        const int64_t dim = shape->dim[d];
        if (dim < 0) return false;
        if (dim > 0 && step > INT64_MAX / element_bytes / dim) return false;
        if (dim > 0) step *= dim;
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

/* Elements from the first of a tensor to its last. */
static int64_t span_of(const StoredTensor *tensor)
{
    int64_t span = 1;
    for (int32_t d = 0; d < tensor->shape.rank; d++) span += (tensor->shape.dim[d] - 1) * tensor->stride[d];
    return span;
}

static void gather(const StoredTensor *tensor, const unsigned char *from, unsigned char *to)
{
    const size_t size = dtype_bytes(tensor->dtype);
    const int64_t n = shape_count(&tensor->shape);
    int64_t index[SHAPE_MAX_RANK] = { 0 };
    int64_t offset = 0;
    for (int64_t i = 0; i < n; i++) {
        memcpy(to + (size_t)i * size, from + (size_t)offset * size, size);
        for (int32_t d = tensor->shape.rank - 1; d >= 0; d--) {
            offset += tensor->stride[d];
            if (++index[d] < tensor->shape.dim[d]) break;
            offset -= index[d] * tensor->stride[d];
            index[d] = 0;
        }
    }
}

Err stored_tensor_copy(const StoredTensor *tensor, void *ret_elements)
{
    const size_t size = dtype_bytes(tensor->dtype);
    const int64_t n = shape_count(&tensor->shape);
    if (n == 0) return ERR_NONE;
    if (stored_tensor_contiguous(tensor)) return stored_bytes_read(tensor->bytes, 0, (size_t)n * size, ret_elements);
    if (tensor->bytes.memory != NULL) {
        gather(tensor, tensor->bytes.memory, ret_elements);
        return ERR_NONE;
    }
    const size_t bytes = (size_t)span_of(tensor) * size;
    unsigned char *span = malloc(bytes);
    if (span == NULL) return err_memory(bytes, "a tensor");
    const Err err = stored_bytes_read(tensor->bytes, 0, bytes, span);
    if (err == ERR_NONE) gather(tensor, span, ret_elements);
    free(span);
    return err;
}

static void widen_16(const uint16_t *from, Dtype dtype, float *to, int64_t n)
{
    if (dtype == DTYPE_F16)
        convert_f16_to_f32(from, to, n);
    else
        convert_bf16_to_f32(from, to, n);
}

/* Half or bfloat16 in row-major order, piece by piece. */
static Err read_16(const StoredTensor *tensor, float *to, int64_t n)
{
    enum { PIECE = 1 << 14 };
    uint16_t piece[PIECE];
    for (int64_t i = 0; i < n; i += PIECE) {
        const int64_t count = n - i < PIECE ? n - i : PIECE;
        TRY(stored_bytes_read(tensor->bytes, 2 * i, 2 * (size_t)count, piece));
        widen_16(piece, tensor->dtype, to + i, count);
    }
    return ERR_NONE;
}

/* Any order and 16 or 64 bits wide: through a copy. */
static Err read_copied(const StoredTensor *tensor, float *ret_values, int64_t n)
{
    const size_t bytes = (size_t)(n > 0 ? n : 1) * dtype_bytes(tensor->dtype);
    void *copy = calloc(1, bytes);
    if (copy == NULL) return err_memory(bytes, "a tensor");
    const Err err = stored_tensor_copy(tensor, copy);
    if (err == ERR_NONE && tensor->dtype == DTYPE_F64)
        for (int64_t i = 0; i < n; i++) ret_values[i] = (float)((const double *)copy)[i];
    else if (err == ERR_NONE)
        widen_16(copy, tensor->dtype, ret_values, n);
    free(copy);
    return err;
}

Err stored_tensor_read_f32(const StoredTensor *tensor, float *ret_values)
{
    const int64_t n = shape_count(&tensor->shape);
    switch (tensor->dtype) {
    case DTYPE_F32:
        return stored_tensor_copy(tensor, ret_values);
    case DTYPE_F64:
        return read_copied(tensor, ret_values, n);
    case DTYPE_F16:
    case DTYPE_BF16:
        return stored_tensor_contiguous(tensor) ? read_16(tensor, ret_values, n) : read_copied(tensor, ret_values, n);
    default:
        return err_set(ERR_MODEL, "tensor '%s' holds %s; floating point numbers were expected", tensor->name,
                       dtype_name(tensor->dtype));
    }
}
