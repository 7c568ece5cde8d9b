/* SPDX-License-Identifier: Apache-2.0
 * Writing of safetensors files. */
#include "tensor_file/safetensors.h"

#include "base/grow.h"
#include "base/json.h"
#include "base/output.h"
#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Entry {
    char *name;
    Tensor tensor;
    Dtype stored;
    size_t begin, end;
} Entry;

typedef struct Pair {
    char *key, *value;
} Pair;

struct SafetensorsWriter {
    Entry *entries;
    int64_t n_entries, entry_capacity;
    Pair *pairs;
    int64_t n_pairs, pair_capacity;
};

Err safetensors_writer_new(SafetensorsWriter **ret_writer)
{
    SafetensorsWriter *writer = calloc(1, sizeof *writer);
    if (writer == NULL) return err_memory(sizeof *writer, "a safetensors writer");
    *ret_writer = writer;
    return ERR_NONE;
}

void safetensors_writer_free(SafetensorsWriter *writer)
{
    if (writer == NULL) return;
    for (int64_t i = 0; i < writer->n_entries; i++) free(writer->entries[i].name);
    for (int64_t i = 0; i < writer->n_pairs; i++) {
        free(writer->pairs[i].key);
        free(writer->pairs[i].value);
    }
    free(writer->entries);
    free(writer->pairs);
    free(writer);
}

Err safetensors_writer_metadata(SafetensorsWriter *writer, const char *key, const char *value)
{
    TRY(grow_array(&writer->pairs, writer->n_pairs, &writer->pair_capacity, sizeof *writer->pairs,
                   "a safetensors writer"));
    Pair pair = { 0 };
    TRY(str_copy(key, &pair.key));
    const Err err = str_copy(value, &pair.value);
    if (err != ERR_NONE) {
        free(pair.key);
        return err;
    }
    writer->pairs[writer->n_pairs++] = pair;
    return ERR_NONE;
}

Err safetensors_writer_add(SafetensorsWriter *writer, const char *name, const Tensor *tensor, Dtype stored)
{
    const bool narrows = tensor->dtype == DTYPE_F32 && (stored == DTYPE_F16 || stored == DTYPE_BF16);
    if (stored != tensor->dtype && !narrows) {
        return err_set(ERR_UNSUPPORTED, "tensor '%s': %s cannot be stored as %s", name, dtype_name(tensor->dtype),
                       dtype_name(stored));
    }
    TRY(grow_array(&writer->entries, writer->n_entries, &writer->entry_capacity, sizeof *writer->entries,
                   "a safetensors writer"));
    Entry entry = { .tensor = *tensor, .stored = stored };
    TRY(str_copy(name, &entry.name));
    writer->entries[writer->n_entries++] = entry;
    return ERR_NONE;
}

static const char *stored_name(Dtype dtype)
{
    static const char *const names[DTYPE_COUNT] = {
        [DTYPE_F32] = "F32", [DTYPE_U8] = "U8",   [DTYPE_I32] = "I32", [DTYPE_BF16] = "BF16",
        [DTYPE_F16] = "F16", [DTYPE_F64] = "F64", [DTYPE_I64] = "I64",
    };
    return names[dtype];
}

/* Offsets: element sizes 8, 4, 2, 1 in turn, each group in the order of adding. */
static void place(SafetensorsWriter *writer)
{
    size_t offset = 0;
    for (size_t size = 8; size >= 1; size /= 2) {
        for (int64_t i = 0; i < writer->n_entries; i++) {
            Entry *entry = &writer->entries[i];
            if (dtype_bytes(entry->stored) != size) continue;
            entry->begin = offset;
            offset += (size_t)shape_count(&entry->tensor.shape) * size;
            entry->end = offset;
        }
    }
}

static int compare_entries(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    const size_t size_x = dtype_bytes(x->stored), size_y = dtype_bytes(y->stored);
    if (size_x != size_y) return size_x > size_y ? -1 : 1;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}

static Err header_text(const SafetensorsWriter *writer, char **ret_text)
{
    JsonWriter json = { 0 };
    json_begin_object(&json, NULL);
    if (writer->n_pairs > 0) {
        json_begin_object(&json, "__metadata__");
        for (int64_t i = 0; i < writer->n_pairs; i++)
            json_put_string(&json, writer->pairs[i].key, writer->pairs[i].value);
        json_end(&json);
    }
    for (int64_t i = 0; i < writer->n_entries; i++) {
        const Entry *entry = &writer->entries[i];
        json_begin_object(&json, entry->name);
        json_put_string(&json, "dtype", stored_name(entry->stored));
        json_begin_array(&json, "shape");
        for (int32_t d = 0; d < entry->tensor.shape.rank; d++) json_put_int(&json, NULL, entry->tensor.shape.dim[d]);
        json_end(&json);
        json_begin_array(&json, "data_offsets");
        json_put_int(&json, NULL, (int64_t)entry->begin);
        json_put_int(&json, NULL, (int64_t)entry->end);
        json_end(&json);
        json_end(&json);
    }
    json_end(&json);
    return json_take(&json, ret_text);
}

static Err write_narrowed(const Entry *entry, FILE *stream, const char *path)
{
    enum { BLOCK = 8192 };
    uint16_t block[BLOCK];
    const float *values = entry->tensor.data;
    const int64_t n = shape_count(&entry->tensor.shape);
    for (int64_t i = 0; i < n; i += BLOCK) {
        const int64_t count = n - i < BLOCK ? n - i : BLOCK;
        if (entry->stored == DTYPE_BF16) {
            convert_f32_to_bf16(values + i, block, count);
        } else {
            convert_f32_to_f16(values + i, block, count);
            for (int64_t j = 0; j < count; j++) {
                if ((block[j] & 0x7fffU) == 0x7c00U && isfinite(values[i + j])) {
                    return err_set(ERR_OUTPUT, "'%s': value %g of tensor '%s' does not fit half precision; store f32",
                                   path, (double)values[i + j], entry->name);
                }
            }
        }
        if (fwrite(block, sizeof *block, (size_t)count, stream) != (size_t)count) return output_error(path, errno);
    }
    return ERR_NONE;
}

static Err write_content(const SafetensorsWriter *writer, const char *header, FILE *stream, const char *path)
{
    const size_t length = strlen(header), padded = (length + 7) / 8 * 8;
    unsigned char frame[8];
    for (int i = 0; i < 8; i++) frame[i] = (unsigned char)((uint64_t)padded >> (8 * i) & 0xffU);
    if (fwrite(frame, 1, 8, stream) != 8 || fwrite(header, 1, length, stream) != length ||
        fwrite("       ", 1, padded - length, stream) != padded - length) {
        return output_error(path, errno);
    }
    for (int64_t i = 0; i < writer->n_entries; i++) {
        const Entry *entry = &writer->entries[i];
        const size_t bytes = entry->end - entry->begin;
        if (entry->stored != entry->tensor.dtype)
            TRY(write_narrowed(entry, stream, path));
        else if (bytes > 0 && fwrite(entry->tensor.data, 1, bytes, stream) != bytes)
            return output_error(path, errno);
    }
    if (fflush(stream) != 0) return output_error(path, errno);
    return ERR_NONE;
}

static int compare_pointers(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static Err check_names(const SafetensorsWriter *writer)
{
    const int64_t n = writer->n_entries;
    const char **names = malloc(((size_t)n + 1) * sizeof *names);
    if (names == NULL) return err_memory((size_t)n * sizeof *names, "tensor names");
    for (int64_t i = 0; i < n; i++) names[i] = writer->entries[i].name;
    qsort(names, (size_t)n, sizeof *names, compare_pointers);
    Err err = ERR_NONE;
    for (int64_t i = 1; i < n && err == ERR_NONE; i++) {
        if (strcmp(names[i - 1], names[i]) == 0) err = err_set(ERR_INTERNAL, "tensor '%s' was added twice", names[i]);
    }
    free(names);
    return err;
}

Err safetensors_writer_write(SafetensorsWriter *writer, const char *path, bool overwrite)
{
    TRY(check_names(writer));
    place(writer);
    if (writer->n_entries > 0) {
        qsort(writer->entries, (size_t)writer->n_entries, sizeof *writer->entries, compare_entries);
    }
    char *header = NULL;
    Output *output = NULL;
    Err err = header_text(writer, &header);
    if (err == ERR_NONE) err = output_open(path, overwrite, &output);
    if (err == ERR_NONE) {
        FILE *stream = NULL;
        err = output_create(output_partial(output), path, &stream);
        if (err == ERR_NONE) err = write_content(writer, header, stream, path);
        if (stream != NULL && fclose(stream) != 0 && err == ERR_NONE) err = output_error(path, errno);
        if (err == ERR_NONE) err = output_publish(output);
    }
    output_close(output);
    free(header);
    return err;
}
