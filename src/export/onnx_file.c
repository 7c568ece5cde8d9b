/* SPDX-License-Identifier: Apache-2.0
 * Messages of onnx.proto in blocks of memory that are freed together, packed into a stream. */
#include "export/onnx_file.h"

#include "base/grow.h"
#include "base/output.h"
#include "export/onnx.pb-c.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Of onnx.proto: TensorProto.DataType and AttributeProto.AttributeType. */
enum { TYPE_FLOAT = 1, TYPE_INT64 = 7 };
enum { ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT = 2, ATTRIBUTE_STRING = 3, ATTRIBUTE_INTS = 7 };

/* A list of messages. */
typedef struct List {
    void **item;
    int64_t count, capacity;
} List;

/* Memory that is freed with the file. */
typedef struct Block {
    struct Block *next;
    max_align_t room[];
} Block;

struct OnnxFile {
    Block *blocks;
    List nodes, constants, inputs, outputs, metadata;
    Onnx__Node *last;
    Err err;
    char message[ERR_MESSAGE_BYTES];
};

Err onnx_file_new(OnnxFile **ret_file)
{
    OnnxFile *file = calloc(1, sizeof *file);
    if (file == NULL) return err_memory(sizeof *file, "an ONNX model");
    *ret_file = file;
    return ERR_NONE;
}

void onnx_file_free(OnnxFile *file)
{
    if (file == NULL) return;
    while (file->blocks != NULL) {
        Block *block = file->blocks;
        file->blocks = block->next;
        free(block);
    }
    List *lists[] = { &file->nodes, &file->constants, &file->inputs, &file->outputs, &file->metadata };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) free(lists[i]->item);
    free(file);
}

static void keep_error(OnnxFile *file, Err err, const char *text)
{
    if (file->err != ERR_NONE) return;
    file->err = err;
    (void)snprintf(file->message, sizeof file->message, "%s", text);
}

void onnx_fail(OnnxFile *file, Err err, const char *format, ...)
{
    char text[ERR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    keep_error(file, err, text);
}

bool onnx_failed(const OnnxFile *file) { return file->err != ERR_NONE; }

static void append(OnnxFile *file, List *list, void *item)
{
    if (onnx_failed(file)) return;
    const Err err = grow_array(&list->item, list->count, &list->capacity, sizeof *list->item, "an ONNX model");
    if (err != ERR_NONE)
        keep_error(file, err, err_message());
    else
        list->item[list->count++] = item;
}

void *onnx_room(OnnxFile *file, int64_t count, size_t bytes)
{
    if (onnx_failed(file)) return NULL;
    Block *block = calloc(1, offsetof(Block, room) + (size_t)count * bytes);
    if (block == NULL) {
        (void)err_memory((size_t)count * bytes, "an ONNX model");
        keep_error(file, ERR_MEMORY, err_message());
        return NULL;
    }
    block->next = file->blocks;
    file->blocks = block;
    return block->room;
}

static char *copy(OnnxFile *file, const char *text)
{
    const size_t length = strlen(text) + 1;
    char *to = onnx_room(file, (int64_t)length, 1);
    if (to != NULL) memcpy(to, text, length);
    return to != NULL ? to : "";
}

const char *onnx_text(OnnxFile *file, const char *format, ...)
{
    char text[ERR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return copy(file, text);
}

/* ---- values ---- */

static void add_value(OnnxFile *file, List *list, const char *name, int32_t rank, const int64_t *dims, const char *note)
{
    Onnx__ValueInfo *info = onnx_room(file, 1, sizeof *info);
    Onnx__Type *type = onnx_room(file, 1, sizeof *type);
    Onnx__TensorType *tensor = onnx_room(file, 1, sizeof *tensor);
    Onnx__Shape *shape = onnx_room(file, 1, sizeof *shape);
    Onnx__Dimension *dim = onnx_room(file, rank, sizeof *dim), **list_of_dims = onnx_room(file, rank, sizeof dim);
    if (onnx_failed(file)) return;
    onnx__value_info__init(info);
    onnx__type__init(type);
    onnx__tensor_type__init(tensor);
    onnx__shape__init(shape);
    for (int32_t i = 0; i < rank; i++) {
        onnx__dimension__init(&dim[i]);
        dim[i].dim_value = dims[i];
        list_of_dims[i] = &dim[i];
    }
    shape->n_dim = (size_t)rank;
    shape->dim = list_of_dims;
    tensor->elem_type = TYPE_FLOAT;
    tensor->shape = shape;
    type->tensor_type = tensor;
    info->name = copy(file, name);
    info->type = type;
    if (note != NULL) info->doc_string = copy(file, note);
    append(file, list, info);
}

void onnx_input(OnnxFile *file, const char *name, int32_t rank, const int64_t *dims, const char *note)
{
    add_value(file, &file->inputs, name, rank, dims, note);
}

void onnx_output(OnnxFile *file, const char *name, int32_t rank, const int64_t *dims, const char *note)
{
    add_value(file, &file->outputs, name, rank, dims, note);
}

static const Onnx__Tensor *find_constant(const OnnxFile *file, const char *name)
{
    for (int64_t i = file->constants.count - 1; i >= 0; i--) {
        const Onnx__Tensor *tensor = file->constants.item[i];
        if (strcmp(tensor->name, name) == 0) return tensor;
    }
    return NULL;
}

bool onnx_has_constant(const OnnxFile *file, const char *name) { return find_constant(file, name) != NULL; }

/* The protobuf library has no const: what it packs it only reads. */
static uint8_t *unconst(const void *bytes)
{
    union {
        const void *from;
        uint8_t *to;
    } both = { .from = bytes };
    return both.to;
}

static const char *add_constant(OnnxFile *file, const char *name, int32_t type, int32_t rank, const int64_t *dims,
                                const void *values, size_t bytes)
{
    const Onnx__Tensor *known = find_constant(file, name);
    if (known != NULL) return known->name;
    Onnx__Tensor *tensor = onnx_room(file, 1, sizeof *tensor);
    int64_t *own_dims = onnx_room(file, rank, sizeof *own_dims);
    if (onnx_failed(file)) return "";
    onnx__tensor__init(tensor);
    for (int32_t i = 0; i < rank; i++) {
        own_dims[i] = dims[i];
        bytes *= (size_t)dims[i];
    }
    tensor->name = copy(file, name);
    tensor->n_dims = (size_t)rank;
    tensor->dims = own_dims;
    tensor->data_type = type;
    tensor->raw_data.len = bytes;
    tensor->raw_data.data = unconst(values);
    append(file, &file->constants, tensor);
    return tensor->name;
}

const char *onnx_floats(OnnxFile *file, const char *name, int32_t rank, const int64_t *dims, const float *values)
{
    return add_constant(file, name, TYPE_FLOAT, rank, dims, values, sizeof *values);
}

const char *onnx_float(OnnxFile *file, float value)
{
    float *own = onnx_room(file, 1, sizeof *own);
    if (own == NULL) return "";
    *own = value;
    return onnx_floats(file, onnx_text(file, "float_%.9g", (double)value), 0, NULL, own);
}

const char *onnx_ints(OnnxFile *file, int64_t n, const int64_t *values)
{
    enum { NAMED = 16 }; /* longer ones are numbered */
    int64_t *own = onnx_room(file, n, sizeof *own);
    char name[512];
    int length = snprintf(name, sizeof name, "ints");
    if (own == NULL) return "";
    for (int64_t i = 0; i < n; i++) {
        own[i] = values[i];
        if (n <= NAMED && length >= 0 && (size_t)length < sizeof name)
            length += snprintf(name + length, sizeof name - (size_t)length, "_%" PRId64, values[i]);
    }
    if (n > NAMED) (void)snprintf(name, sizeof name, "ints.%" PRId64, file->constants.count);
    return add_constant(file, name, TYPE_INT64, 1, &n, own, sizeof *own);
}

/* ---- nodes ---- */

const char *onnx_node(OnnxFile *file, const char *op, const char *result, int32_t n_in, const char *const *in)
{
    Onnx__Node *node = onnx_room(file, 1, sizeof *node);
    char **names = onnx_room(file, n_in, sizeof *names), **output = onnx_room(file, 1, sizeof *output);
    if (onnx_failed(file)) return "";
    ASSERT(n_in <= ONNX_MOST_IN);
    onnx__node__init(node);
    for (int32_t i = 0; i < n_in; i++) names[i] = copy(file, in[i]);
    *output = copy(file, result);
    node->n_input = (size_t)n_in;
    node->input = names;
    node->n_output = 1;
    node->output = output;
    node->name = *output;
    node->op_type = copy(file, op);
    append(file, &file->nodes, node);
    file->last = node;
    return *output;
}

/* Room for one more attribute of the last node; NULL after an error. */
static Onnx__Attribute *add_attribute(OnnxFile *file, const char *name, int32_t type)
{
    if (file->last == NULL) return NULL;
    const size_t n = file->last->n_attribute;
    Onnx__Attribute *attribute = onnx_room(file, 1, sizeof *attribute);
    Onnx__Attribute **all = onnx_room(file, (int64_t)n + 1, sizeof *all);
    if (onnx_failed(file)) return NULL;
    onnx__attribute__init(attribute);
    attribute->name = copy(file, name);
    attribute->type = type;
    for (size_t i = 0; i < n; i++) all[i] = file->last->attribute[i];
    all[n] = attribute;
    file->last->attribute = all;
    file->last->n_attribute = n + 1;
    return attribute;
}

void onnx_set_int(OnnxFile *file, const char *name, int64_t value)
{
    Onnx__Attribute *attribute = add_attribute(file, name, ATTRIBUTE_INT);
    if (attribute != NULL) attribute->i = value;
}

void onnx_set_float(OnnxFile *file, const char *name, float value)
{
    Onnx__Attribute *attribute = add_attribute(file, name, ATTRIBUTE_FLOAT);
    if (attribute != NULL) attribute->f = value;
}

void onnx_set_ints(OnnxFile *file, const char *name, int64_t n, const int64_t *values)
{
    Onnx__Attribute *attribute = add_attribute(file, name, ATTRIBUTE_INTS);
    int64_t *own = onnx_room(file, n, sizeof *own);
    if (attribute == NULL || own == NULL) return;
    for (int64_t i = 0; i < n; i++) own[i] = values[i];
    attribute->n_ints = (size_t)n;
    attribute->ints = own;
}

void onnx_set_string(OnnxFile *file, const char *name, const char *value)
{
    Onnx__Attribute *attribute = add_attribute(file, name, ATTRIBUTE_STRING);
    if (attribute == NULL) return;
    attribute->s.data = unconst(copy(file, value));
    attribute->s.len = strlen(value);
}

void onnx_metadata(OnnxFile *file, const char *key, const char *value)
{
    Onnx__Entry *entry = onnx_room(file, 1, sizeof *entry);
    if (onnx_failed(file)) return;
    onnx__entry__init(entry);
    entry->key = copy(file, key);
    entry->value = copy(file, value);
    append(file, &file->metadata, entry);
}

/* ---- the file ---- */

/* A buffer of protobuf-c that is a stream; the first failure's errno stays. */
typedef struct Stream {
    ProtobufCBuffer base;
    FILE *to;
    int failed;
} Stream;

static void write_bytes(ProtobufCBuffer *buffer, size_t length, const uint8_t *bytes)
{
    Stream *stream = (Stream *)(void *)buffer;
    if (stream->failed != 0 || length == 0) return;
    errno = 0;
    if (fwrite(bytes, 1, length, stream->to) != length) stream->failed = errno != 0 ? errno : EIO;
}

Err onnx_file_write(OnnxFile *file, FILE *stream, const char *path)
{
    static const size_t most = 0x7fffffff;
    Onnx__OperatorSet opset = ONNX__OPERATOR_SET__INIT, *opsets[] = { &opset };
    Onnx__Graph graph = ONNX__GRAPH__INIT;
    Onnx__Model model = ONNX__MODEL__INIT;
    Stream to = { .base = { .append = write_bytes }, .to = stream };
    if (onnx_failed(file)) return err_set(file->err, "%s", file->message);
    graph.name = "metaseg";
    graph.n_node = (size_t)file->nodes.count;
    graph.node = (Onnx__Node **)(void *)file->nodes.item;
    graph.n_initializer = (size_t)file->constants.count;
    graph.initializer = (Onnx__Tensor **)(void *)file->constants.item;
    graph.n_input = (size_t)file->inputs.count;
    graph.input = (Onnx__ValueInfo **)(void *)file->inputs.item;
    graph.n_output = (size_t)file->outputs.count;
    graph.output = (Onnx__ValueInfo **)(void *)file->outputs.item;
    opset.domain = "";
    opset.version = ONNX_OPSET;
    model.ir_version = ONNX_IR_VERSION;
    model.producer_name = "metaseg";
    model.producer_version = METASEG_VERSION;
    model.graph = &graph;
    model.n_opset_import = 1;
    model.opset_import = opsets;
    model.n_metadata_props = (size_t)file->metadata.count;
    model.metadata_props = (Onnx__Entry **)(void *)file->metadata.item;
    if (protobuf_c_message_get_packed_size(&model.base) > most)
        return err_set(ERR_UNSUPPORTED, "'%s': the model has more than 2 GB, which an ONNX file cannot hold", path);
    (void)protobuf_c_message_pack_to_buffer(&model.base, &to.base);
    return to.failed != 0 ? output_error(path, to.failed) : ERR_NONE;
}
