/* SPDX-License-Identifier: Apache-2.0
 * Reading of safetensors files. */
#include "tensor_file/safetensors.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

typedef struct Range {
    int64_t begin, end;
    int64_t tensor;
} Range;

static const struct {
    const char *name;
    Dtype dtype;
} dtypes[] = { { "F32", DTYPE_F32 }, { "F16", DTYPE_F16 }, { "BF16", DTYPE_BF16 }, { "F64", DTYPE_F64 },
               { "I64", DTYPE_I64 }, { "I32", DTYPE_I32 }, { "U8", DTYPE_U8 },     { "BOOL", DTYPE_U8 } };

/* The JSON reader speaks of inputs; here a bad one is a bad model. */
static Err bad(const TensorFile *file, Err err)
{
    return err_prefix(err == ERR_INPUT ? ERR_MODEL : err, "'%s': safetensors header", file->path);
}

static Err read_dtype(const TensorFile *file, const Json *node, const char *name, Dtype *ret_dtype)
{
    const char *text = NULL;
    const Err err = json_get_string(node, "dtype", &text);
    if (err != ERR_NONE) return bad(file, err);
    for (int64_t i = 0; i < ARRAY_LEN(dtypes); i++) {
        if (strcmp(text, dtypes[i].name) == 0) {
            *ret_dtype = dtypes[i].dtype;
            return ERR_NONE;
        }
    }
    return err_set(ERR_MODEL,
                   "'%s': tensor '%.200s' has element type '%.40s'; F64, F32, F16, BF16, I64, I32 or U8 was expected",
                   file->path, name, text);
}

static Err read_shape(const TensorFile *file, const Json *node, const char *name, Shape *ret_shape)
{
    const Json *array = NULL;
    Err err = json_get_array(node, "shape", &array);
    if (err != ERR_NONE) return bad(file, err);
    Shape shape = { 0 };
    for (const Json *item = json_first(array); item != NULL; item = json_next(item)) {
        if (shape.rank == SHAPE_MAX_RANK) {
            return err_set(ERR_MODEL, "'%s': tensor '%.200s' has more than %d dimensions; at most %d can be read",
                           file->path, name, SHAPE_MAX_RANK, SHAPE_MAX_RANK);
        }
        err = json_as_int(item, "shape", 0, INT64_C(1) << 53, &shape.dim[shape.rank]);
        if (err != ERR_NONE) return bad(file, err);
        shape.rank++;
    }
    *ret_shape = shape;
    return ERR_NONE;
}

static Err read_offsets(const TensorFile *file, const Json *node, const char *name, int64_t data_bytes,
                        Range *ret_range)
{
    const Json *array = NULL;
    Err err = json_get_array(node, "data_offsets", &array);
    if (err != ERR_NONE) return bad(file, err);
    if (json_count(array) != 2) {
        return err_set(ERR_MODEL, "'%s': tensor '%.200s' has %lld data offsets; two were expected", file->path, name,
                       (long long)json_count(array));
    }
    const Json *first = json_first(array);
    err = json_as_int(first, "data_offsets", 0, data_bytes, &ret_range->begin);
    if (err == ERR_NONE) {
        err = json_as_int(json_next(first), "data_offsets", ret_range->begin, data_bytes, &ret_range->end);
    }
    if (err == ERR_INPUT) {
        return err_set(ERR_MODEL,
                       "'%s': tensor '%.200s' lies outside the file's %lld data bytes; the file is truncated or "
                       "damaged",
                       file->path, name, (long long)data_bytes);
    }
    return err;
}

static Err read_tensor(TensorFile *file, const Json *node, int64_t data_start, int64_t data_bytes, Range *range)
{
    StoredTensor *tensor = &file->tensors[file->n_tensors];
    tensor->name = json_key(node);
    if (json_kind(node) != JSON_OBJECT) {
        return err_set(ERR_MODEL, "'%s': tensor '%.200s' is described by a %s; an object was expected", file->path,
                       tensor->name, json_kind_name(json_kind(node)));
    }
    if (json_count(node) != 3) {
        return err_set(ERR_MODEL,
                       "'%s': tensor '%.200s' has %lld header fields; dtype, shape and data_offsets were "
                       "expected",
                       file->path, tensor->name, (long long)json_count(node));
    }
    TRY(read_dtype(file, node, tensor->name, &tensor->dtype));
    TRY(read_shape(file, node, tensor->name, &tensor->shape));
    TRY(read_offsets(file, node, tensor->name, data_bytes, range));
    int64_t elements = 0;
    size_t bytes = 0;
    if (!stored_tensor_size(&tensor->shape, tensor->dtype, &elements, &bytes) ||
        (int64_t)bytes != range->end - range->begin) {
        char shape[96];
        return err_set(ERR_MODEL, "'%s': tensor '%.200s' of shape %s in %s does not fill its %lld bytes", file->path,
                       tensor->name, shape_text(&tensor->shape, shape, sizeof shape), dtype_name(tensor->dtype),
                       (long long)(range->end - range->begin));
    }
    tensor->bytes = tensor_file_bytes(file, data_start + range->begin);
    stored_tensor_set_contiguous(tensor);
    range->tensor = file->n_tensors++;
    return ERR_NONE;
}

static Err read_metadata(TensorFile *file, const Json *node)
{
    if (json_kind(node) != JSON_OBJECT) {
        return err_set(ERR_MODEL, "'%s': __metadata__ is a %s; an object was expected", file->path,
                       json_kind_name(json_kind(node)));
    }
    const int64_t n = json_count(node);
    if (n == 0) return ERR_NONE;
    file->metadata = calloc((size_t)n, sizeof *file->metadata);
    if (file->metadata == NULL) return err_memory((size_t)n * sizeof *file->metadata, "safetensors metadata");
    for (const Json *item = json_first(node); item != NULL; item = json_next(item)) {
        const char *value = NULL;
        const Err err = json_as_string(item, "__metadata__", &value);
        if (err != ERR_NONE) return bad(file, err);
        file->metadata[file->n_metadata++] = (TensorFileMetadata){ .key = json_key(item), .value = value };
    }
    return ERR_NONE;
}

static int compare_ranges(const void *a, const void *b)
{
    const Range *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* Sorted by place, each range must start where the last one ended, and the last one end with the data. */
static Err check_cover(const TensorFile *file, Range *ranges, int64_t data_bytes)
{
    qsort(ranges, (size_t)file->n_tensors, sizeof *ranges, compare_ranges);
    int64_t end = 0;
    for (int64_t i = 0; i < file->n_tensors; i++) {
        if (ranges[i].begin != end) {
            return err_set(ERR_MODEL,
                           "'%s': there is %s before tensor '%.200s' at data byte %lld; tensors must lie "
                           "without hole or overlap",
                           file->path, ranges[i].begin < end ? "an overlap" : "a hole",
                           file->tensors[ranges[i].tensor].name, (long long)ranges[i].begin);
        }
        end = ranges[i].end;
    }
    if (end != data_bytes) {
        return err_set(ERR_MODEL, "'%s': %lld bytes follow the last tensor; none were expected", file->path,
                       (long long)(data_bytes - end));
    }
    return ERR_NONE;
}

static Err read_tensors(TensorFile *file, const Json *root, size_t header_bytes)
{
    const int64_t data_start = 8 + (int64_t)header_bytes;
    const int64_t data_bytes = (int64_t)(file->n_bytes - 8 - header_bytes);
    const int64_t n = json_count(root);
    if (n > TENSOR_FILE_MAX_TENSORS + 1) {
        return err_set(ERR_MODEL, "'%s': names %lld tensors; at most %d can be read", file->path, (long long)n,
                       TENSOR_FILE_MAX_TENSORS);
    }
    Range *ranges = calloc((size_t)n + 1, sizeof *ranges);
    file->tensors = calloc((size_t)n + 1, sizeof *file->tensors);
    Err err = ranges == NULL || file->tensors == NULL
                  ? err_memory((size_t)n * sizeof *file->tensors, "the tensors of a safetensors file")
                  : ERR_NONE;
    for (const Json *node = json_first(root); node != NULL && err == ERR_NONE; node = json_next(node)) {
        if (strcmp(json_key(node), "__metadata__") == 0)
            err = read_metadata(file, node);
        else
            err = read_tensor(file, node, data_start, data_bytes, &ranges[file->n_tensors]);
    }
    if (err == ERR_NONE) err = check_cover(file, ranges, data_bytes);
    if (err == ERR_NONE) err = tensor_file_index(file);
    free(ranges);
    return err;
}

/* Length of the header without its padding; ERR_MODEL when the frame of the file is wrong. */
static Err read_frame(TensorFile *file, size_t *ret_header_bytes, size_t *ret_json_bytes)
{
    if (file->n_bytes < 10) {
        return err_set(ERR_MODEL, "'%s': has %zu bytes; a safetensors file has at least 10", file->path, file->n_bytes);
    }
    TRY(tensor_file_head(file, 9));
    uint64_t header = 0;
    for (int i = 7; i >= 0; i--) header = header << 8 | file->bytes[i];
    if (header > SAFETENSORS_MAX_HEADER) {
        return err_set(ERR_MODEL,
                       "'%s': declares a header of %llu bytes; at most %d are read: it is no safetensors file "
                       "or a hostile one",
                       file->path, (unsigned long long)header, SAFETENSORS_MAX_HEADER);
    }
    if (header > file->n_bytes - 8) {
        return err_set(ERR_MODEL,
                       "'%s': declares a header of %llu bytes but only %zu follow; it is truncated or no "
                       "safetensors file",
                       file->path, (unsigned long long)header, file->n_bytes - 8);
    }
    if (header < 2 || file->bytes[8] != '{') {
        return err_set(ERR_MODEL, "'%s': the header does not start with '{'; it is no safetensors file", file->path);
    }
    TRY(tensor_file_head(file, 8 + (size_t)header));
    size_t json = (size_t)header;
    while (json > 0 && file->bytes[8 + json - 1] == ' ') json--;
    if (json == 0 || file->bytes[8 + json - 1] != '}') {
        return err_set(ERR_MODEL, "'%s': the header does not end with '}' and spaces; it is damaged", file->path);
    }
    *ret_header_bytes = (size_t)header;
    *ret_json_bytes = json;
    return ERR_NONE;
}

/* The parsed tree takes some 100 bytes per element: a header of nothing but commas must not become gigabytes. */
static Err check_elements(const TensorFile *file, size_t json_bytes)
{
    enum { MAX_ELEMENTS = 2000000 };
    const unsigned char *at = file->bytes + 8, *end = at + json_bytes;
    for (int64_t n = 0; (at = memchr(at, ',', (size_t)(end - at))) != NULL; n++, at++) {
        if (n == MAX_ELEMENTS) {
            return err_set(ERR_MODEL, "'%s': the header has more than %d elements; it is no model or a hostile file",
                           file->path, MAX_ELEMENTS);
        }
    }
    return ERR_NONE;
}

static void release_json(void *owned) { json_free(owned); }

Err safetensors_read(TensorFile *file)
{
    file->format = "safetensors";
    size_t header_bytes = 0, json_bytes = 0;
    TRY(read_frame(file, &header_bytes, &json_bytes));
    TRY(check_elements(file, json_bytes));
    Json *root = NULL;
    const Err err = json_parse((const char *)file->bytes + 8, json_bytes, SAFETENSORS_MAX_HEADER, &root);
    tensor_file_drop_head(file);
    if (err != ERR_NONE) return bad(file, err);
    file->owned = root;
    file->release = release_json;
    return read_tensors(file, root, header_bytes);
}

Err safetensors_open(const char *path, TensorFile **ret_file)
{
    return tensor_file_load(path, safetensors_read, ret_file);
}

Err safetensors_parse(const void *bytes, size_t n_bytes, const char *name, TensorFile **ret_file)
{
    return tensor_file_parse(bytes, n_bytes, name, safetensors_read, ret_file);
}
