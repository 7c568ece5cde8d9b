/* SPDX-License-Identifier: Apache-2.0
 * A reader of tar files (POSIX ustar) and of the protobuf messages of ONNX. */
#include "foreign/onnx_case.h"

#include "harness/protobuf.h"

enum { TAR_BLOCK = 512, TAR_SIZE_AT = 124, TAR_NAME = 100, TAR_PREFIX_AT = 345, TAR_PREFIX = 155 };

/* Fields of onnx.proto. */
enum { MODEL_GRAPH = 7, GRAPH_NODE = 1, GRAPH_INITIALIZER = 5, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_FLOAT = 2, ATTRIBUTE_INTS = 8 };
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_FLOATS = 4, TENSOR_RAW = 9, TYPE_FLOAT = 1, TYPE_INT64 = 7 };

/* ---- tar ---- */

static ProtobufBytes tar_find(const char *tar, size_t length, const char *path)
{
    for (size_t at = 0; at + TAR_BLOCK <= length && tar[at] != '\0';) {
        char name[TAR_PREFIX + TAR_NAME + 3];
        const char *header = tar + at;
        const size_t size = strtoul(header + TAR_SIZE_AT, NULL, 8);
        (void)snprintf(name, sizeof name, "%.*s%s%.*s", TAR_PREFIX, header + TAR_PREFIX_AT,
                       header[TAR_PREFIX_AT] != '\0' ? "/" : "", TAR_NAME, header);
        at += TAR_BLOCK;
        assert_true(size <= length - at);
        if (strcmp(name, path) == 0) return (ProtobufBytes){ (const unsigned char *)tar + at, size };
        at += (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
    }
    return (ProtobufBytes){ NULL, 0 };
}

static void read_tensor(ProtobufBytes message, OnnxTensor *ret_tensor)
{
    OnnxTensor tensor = { .count = 1 };
    ProtobufBytes raw = { NULL, 0 };
    uint64_t type = 0;
    for (ProtobufField field; protobuf_next(&message, &field);) {
        if (field.number == TENSOR_DIMS) protobuf_append(&field, ONNX_RANK, tensor.dim, &tensor.rank);
        if (field.number == TENSOR_TYPE) type = field.value;
        if (field.number == TENSOR_RAW || field.number == TENSOR_FLOATS) raw = field.content;
    }
    for (int64_t i = 0; i < tensor.rank; i++) tensor.count *= tensor.dim[i];
    assert_true(type == TYPE_FLOAT || type == TYPE_INT64);
    const size_t size = type == TYPE_FLOAT ? sizeof(float) : sizeof(int64_t);
    assert_int_equal(raw.length, (size_t)tensor.count * size);
    tensor.values = calloc((size_t)tensor.count + 1, sizeof *tensor.values);
    assert_non_null(tensor.values);
    assert_true(raw.at != NULL || tensor.count == 0);
    for (int64_t i = 0; i < tensor.count && raw.at != NULL; i++) {
        int64_t integer = 0;
        const unsigned char *from = raw.at + (size_t)i * size;
        if (type == TYPE_FLOAT) {
            memcpy(tensor.values + i, from, size);
        } else {
            memcpy(&integer, from, size);
            tensor.values[i] = (float)integer;
        }
    }
    *ret_tensor = tensor;
}

static void read_attribute(ProtobufBytes message, OnnxAttribute *attribute)
{
    for (ProtobufField field; protobuf_next(&message, &field);) {
        if (field.number == ATTRIBUTE_NAME)
            (void)snprintf(attribute->name, sizeof attribute->name, "%.*s", (int)field.content.length,
                           (const char *)field.content.at);
        if (field.number == ATTRIBUTE_FLOAT && field.content.at != NULL)
            memcpy(&attribute->number, field.content.at, sizeof attribute->number);
        if (field.number == ATTRIBUTE_INTS) protobuf_append(&field, ONNX_INTS, attribute->ints, &attribute->n_ints);
    }
}

static void read_node(ProtobufBytes message, OnnxCase *onnx_case)
{
    for (ProtobufField field; protobuf_next(&message, &field);) {
        if (field.number != NODE_ATTRIBUTE) continue;
        assert_true(onnx_case->n_attributes < ONNX_ATTRIBUTES);
        read_attribute(field.content, &onnx_case->attributes[onnx_case->n_attributes++]);
    }
}

static void read_graph(ProtobufBytes message, OnnxCase *onnx_case)
{
    for (ProtobufField field; protobuf_next(&message, &field);) {
        if (field.number == GRAPH_NODE) read_node(field.content, onnx_case);
        if (field.number != GRAPH_INITIALIZER) continue;
        assert_true(onnx_case->n_in < ONNX_TENSORS);
        read_tensor(field.content, &onnx_case->in[onnx_case->n_in++]);
    }
}

/* ---- one folder ---- */

static ProtobufBytes member(const char *tar, size_t length, const char *folder, const char *name, int64_t i)
{
    char path[256], file[64];
    (void)snprintf(file, sizeof file, name, (int)i);
    (void)snprintf(path, sizeof path, "onnx/backend/test/data/%s/%s", folder, file);
    return tar_find(tar, length, path);
}

static int64_t read_tensors(const char *tar, size_t length, const char *folder, const char *name, OnnxTensor *tensors)
{
    int64_t n = 0;
    for (ProtobufBytes file; (file = member(tar, length, folder, name, n)).at != NULL; n++) {
        assert_true(n < ONNX_TENSORS);
        read_tensor(file, &tensors[n]);
    }
    return n;
}

void onnx_case_read(const char *tar, size_t length, const char *folder, OnnxCase *ret_case)
{
    *ret_case = (OnnxCase){ .n_in = 0 };
    ret_case->n_in = read_tensors(tar, length, folder, "test_data_set_0/input_%d.pb", ret_case->in);
    ret_case->n_out = read_tensors(tar, length, folder, "test_data_set_0/output_%d.pb", ret_case->out);
    ProtobufBytes model = member(tar, length, folder, "model.onnx", 0);
    if (model.at == NULL || ret_case->n_out == 0) fail_msg("'%s' is not in the file", folder);
    for (ProtobufField field; protobuf_next(&model, &field);)
        if (field.number == MODEL_GRAPH) read_graph(field.content, ret_case);
}

void onnx_case_done(OnnxCase *onnx_case)
{
    for (int64_t i = 0; i < onnx_case->n_in; i++) free(onnx_case->in[i].values);
    for (int64_t i = 0; i < onnx_case->n_out; i++) free(onnx_case->out[i].values);
}

const OnnxAttribute *onnx_attribute(const OnnxCase *onnx_case, const char *name)
{
    for (int64_t i = 0; i < onnx_case->n_attributes; i++)
        if (strcmp(onnx_case->attributes[i].name, name) == 0) return &onnx_case->attributes[i];
    fail_msg("no attribute '%s'", name);
    return NULL;
}
