/* SPDX-License-Identifier: Apache-2.0
 * Reading a model and running its nodes in their order. */
#include "export/onnx_eval.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Field numbers of the standard. */
enum { MODEL_IR = 1, MODEL_GRAPH = 7, MODEL_OPSET = 8, OPSET_VERSION = 2 };
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5, GRAPH_OUTPUT = 12, VALUE_NAME = 1 };
enum { NODE_IN = 1, NODE_OUT = 2, NODE_OP = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_F = 2, ATTRIBUTE_I = 3, ATTRIBUTE_S = 4, ATTRIBUTE_INTS = 8 };
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9, TYPE_FLOAT = 1, TYPE_INT64 = 7 };

static void text_of(const ProtobufField *field, char *ret_text, size_t bytes)
{
    assert_true(field->content.length < bytes);
    memcpy(ret_text, field->content.at, field->content.length);
    ret_text[field->content.length] = '\0';
}

void eval_allocate(EvalTensor *tensor)
{
    tensor->count = 1;
    for (int64_t i = tensor->rank - 1; i >= 0; i--) {
        tensor->stride[i] = tensor->count;
        tensor->count *= tensor->dim[i];
    }
    tensor->v = calloc((size_t)tensor->count + 1, sizeof *tensor->v);
    assert_non_null(tensor->v);
}

static EvalTensor *new_value(EvalModel *model, const char *name)
{
    EvalTensor *tensor = calloc(1, sizeof *tensor);
    assert_non_null(tensor);
    assert_true(model->n_values < EVAL_VALUES);
    (void)snprintf(tensor->name, sizeof tensor->name, "%s", name);
    model->values[model->n_values++] = tensor;
    return tensor;
}

const EvalTensor *eval_find(const EvalModel *model, const char *name)
{
    for (int64_t i = 0; i < model->n_values; i++)
        if (strcmp(model->values[i]->name, name) == 0) return model->values[i];
    fail_msg("no value '%s'", name);
    return NULL;
}

static void read_initializer(ProtobufBytes message, EvalModel *model)
{
    EvalTensor *tensor = new_value(model, "");
    ProtobufBytes raw = { NULL, 0 };
    uint64_t type = 0;
    for (ProtobufField field; protobuf_next(&message, &field);) {
        if (field.number == TENSOR_DIMS) protobuf_append(&field, EVAL_RANK, tensor->dim, &tensor->rank);
        if (field.number == TENSOR_TYPE) type = field.value;
        if (field.number == TENSOR_NAME) text_of(&field, tensor->name, sizeof tensor->name);
        if (field.number == TENSOR_RAW) raw = field.content;
    }
    assert_true(type == TYPE_FLOAT || type == TYPE_INT64);
    eval_allocate(tensor);
    const size_t size = type == TYPE_FLOAT ? 4 : 8;
    assert_int_equal(raw.length, (size_t)tensor->count * size);
    for (int64_t i = 0; i < tensor->count && raw.at != NULL; i++) {
        float number = 0.0F;
        int64_t integer = 0;
        if (type == TYPE_FLOAT)
            memcpy(&number, raw.at + (size_t)i * size, size);
        else
            memcpy(&integer, raw.at + (size_t)i * size, size);
        tensor->v[i] = type == TYPE_FLOAT ? (double)number : (double)integer;
    }
}

static void read_attribute(ProtobufBytes message, EvalAttribute *attribute)
{
    for (ProtobufField field; protobuf_next(&message, &field);) {
        if (field.number == ATTRIBUTE_NAME) text_of(&field, attribute->name, sizeof attribute->name);
        if (field.number == ATTRIBUTE_F) memcpy(&attribute->f, field.content.at, sizeof attribute->f);
        if (field.number == ATTRIBUTE_I) attribute->i = (int64_t)field.value;
        if (field.number == ATTRIBUTE_S) text_of(&field, attribute->text, sizeof attribute->text);
        if (field.number == ATTRIBUTE_INTS) protobuf_append(&field, EVAL_INTS, attribute->ints, &attribute->n_ints);
    }
}

static void run_node(ProtobufBytes message, EvalModel *model)
{
    EvalNode node = { .n_in = 0 };
    char name[256];
    for (ProtobufField field; protobuf_next(&message, &field);) {
        if (field.number == NODE_IN) {
            text_of(&field, name, sizeof name);
            assert_true(node.n_in < EVAL_IN);
            node.in[node.n_in++] = name[0] != '\0' ? eval_find(model, name) : NULL;
        }
        if (field.number == NODE_OUT) text_of(&field, node.out, sizeof node.out);
        if (field.number == NODE_OP) text_of(&field, node.op, sizeof node.op);
        if (field.number != NODE_ATTRIBUTE) continue;
        assert_true(node.n_attributes < EVAL_ATTRIBUTES);
        read_attribute(field.content, &node.attributes[node.n_attributes++]);
    }
    eval_node(&node, new_value(model, node.out));
    model->n_nodes++;
}

/* Constants first, then the nodes, which stand in an order in which they can run. */
static void run_graph(ProtobufBytes graph, EvalModel *model)
{
    ProtobufBytes again = graph;
    for (ProtobufField field; protobuf_next(&graph, &field);) {
        if (field.number == GRAPH_INITIALIZER) read_initializer(field.content, model);
        if (field.number != GRAPH_OUTPUT || model->output[0] != '\0') continue;
        for (ProtobufField part; protobuf_next(&field.content, &part);)
            if (part.number == VALUE_NAME) text_of(&part, model->output, sizeof model->output);
    }
    for (ProtobufField field; protobuf_next(&again, &field);)
        if (field.number == GRAPH_NODE) run_node(field.content, model);
}

void eval_run(const void *bytes, size_t length, int64_t n_in, const EvalTensor *in, EvalModel *ret_model)
{
    ProtobufBytes message = { bytes, length }, graph = { NULL, 0 };
    memset(ret_model, 0, sizeof *ret_model);
    for (int64_t i = 0; i < n_in; i++) {
        EvalTensor *value = new_value(ret_model, in[i].name);
        *value = in[i];
        eval_allocate(value);
        for (int64_t k = 0; k < value->count; k++) value->v[k] = in[i].v[k];
    }
    for (ProtobufField field; protobuf_next(&message, &field);) {
        if (field.number == MODEL_IR) ret_model->ir_version = (int64_t)field.value;
        if (field.number == MODEL_GRAPH) graph = field.content;
        if (field.number != MODEL_OPSET) continue;
        for (ProtobufField part; protobuf_next(&field.content, &part);)
            if (part.number == OPSET_VERSION) ret_model->opset = (int64_t)part.value;
    }
    run_graph(graph, ret_model);
}

void eval_done(EvalModel *model)
{
    for (int64_t i = 0; i < model->n_values; i++) {
        free(model->values[i]->v);
        free(model->values[i]);
    }
}

/* ---- what the tests share ---- */

double eval_difference(const double *a, const double *b, int64_t n)
{
    double most = 0, largest = 1e-30;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(a[i])) return INFINITY;
        most = fmax(most, fabs(a[i] - b[i]));
        largest = fmax(largest, fabs(b[i]));
    }
    return most / largest;
}

void eval_write_numbers(const char *folder, const char *stem, const char *name, const double *v, int64_t n)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.%s.f64", folder, stem, name);
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(v, sizeof *v, (size_t)n, stream), n);
    assert_int_equal(fclose(stream), 0);
}

void eval_fill(const ParamInfo *info, uint64_t key, float *values)
{
    const int64_t n = shape_count(&info->shape), fan_in = n / info->shape.dim[0];
    const bool variance = strstr(info->name, "running_var") != NULL || strstr(info->name, "moving_variance") != NULL;
    for (int64_t i = 0; i < n; i++) {
        const double x = (double)rng_normal(7, RNG_WEIGHTS, key, (uint64_t)i);
        double value = 0.1 * x;
        if (info->shape.rank > 1)
            value = x / sqrt((double)(fan_in > 0 ? fan_in : 1));
        else if (variance)
            value = 1.0 + 0.2 * fabs(x);
        else if (info->init.kind == INIT_ONE)
            value = 1.0 + 0.1 * x;
        values[info->offset + i] = (float)value;
    }
}
