/* SPDX-License-Identifier: Apache-2.0
 * Building static graphs. */
#include "graph/graph_internal.h"

#include "base/grow.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Err graph_new(ParamSet *params, bool training, Graph **ret_graph)
{
    Graph *graph = calloc(1, sizeof *graph);
    if (graph == NULL) return err_memory(sizeof *graph, "a graph");
    graph->params = params;
    graph->training = training;
    *ret_graph = graph;
    return ERR_NONE;
}

static void names_done(GraphNames *names)
{
    for (int32_t i = 0; i < names->count; i++) free(names->item[i].name);
    free(names->item);
}

void graph_free(Graph *graph)
{
    if (graph == NULL) return;
    for (int32_t i = 0; i < graph->n_nodes; i++) {
        free(graph->nodes[i].attr);
        free(graph->nodes[i].path);
    }
    free(graph->nodes);
    free(graph->values);
    names_done(&graph->inputs);
    names_done(&graph->outputs);
    str_done(&graph->scope);
    free(graph->scope_lengths);
    free(graph);
}

bool graph_training(const Graph *graph) { return graph->training; }

void graph_freeze_statistics(Graph *graph, bool frozen) { graph->statistics_frozen = frozen; }

bool graph_statistics_frozen(const Graph *graph) { return graph->statistics_frozen; }

/* Keeps the first error; `text` is the sentence without the module path. */
static void keep_error(Graph *graph, Err err, const char *text)
{
    if (graph->err != ERR_NONE) return;
    graph->err = err;
    const char *path = str_text(&graph->scope);
    if (path[0] != '\0')
        (void)snprintf(graph->message, sizeof graph->message, "module '%s': %s", path, text);
    else
        (void)snprintf(graph->message, sizeof graph->message, "%s", text);
}

/* For calls that have set the error message of the thread. True when there was an error. */
static bool keep_failed(Graph *graph, Err err)
{
    if (err != ERR_NONE) keep_error(graph, err, err_message());
    return err != ERR_NONE;
}

void graph_fail(Graph *graph, const char *format, ...)
{
    char text[ERR_MESSAGE_BYTES / 2]; /* leaves room for the path */
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    keep_error(graph, ERR_SHAPE, text);
}

void graph_push(Graph *graph, const char *name)
{
    if (graph->err != ERR_NONE) return;
    if (keep_failed(graph, grow_array(&graph->scope_lengths, graph->n_scopes, &graph->scopes_capacity,
                                      sizeof *graph->scope_lengths, "a graph")))
        return;
    graph->scope_lengths[graph->n_scopes++] = graph->scope.length;
    if (name[0] == '\0') return;
    if (graph->scope.length > 0) str_add_char(&graph->scope, '.');
    str_add(&graph->scope, name);
    if (graph->scope.failed) keep_error(graph, ERR_MEMORY, "not enough memory for a module path");
}

void graph_pop(Graph *graph)
{
    if (graph->err != ERR_NONE) return;
    if (graph->n_scopes == 0) {
        graph_fail(graph, "graph_pop without graph_push");
        return;
    }
    graph->scope.length = graph->scope_lengths[--graph->n_scopes];
    if (graph->scope.text != NULL) graph->scope.text[graph->scope.length] = '\0';
}

static Var add_value(Graph *graph, const Tensor *tensor, int32_t node, int32_t param)
{
    if (keep_failed(graph, grow_array(&graph->values, graph->n_values, &graph->values_capacity, sizeof *graph->values,
                                      "a graph")))
        return VAR_NONE;
    graph->values[graph->n_values] = (GraphValue){ *tensor, node, param };
    graph->values[graph->n_values].tensor.data = NULL;
    return (Var){ graph->n_values++ };
}

static bool name_known(const GraphNames *names, const char *name)
{
    for (int32_t i = 0; i < names->count; i++)
        if (strcmp(names->item[i].name, name) == 0) return true;
    return false;
}

static void add_name(Graph *graph, GraphNames *names, const char *name, Var var)
{
    if (name_known(&graph->inputs, name) || name_known(&graph->outputs, name)) {
        graph_fail(graph, "'%s': two inputs or outputs have this name", name);
        return;
    }
    if (keep_failed(graph, grow_array(&names->item, names->count, &names->capacity, sizeof *names->item, "a graph")))
        return;
    char *copy = NULL;
    if (keep_failed(graph, str_copy(name, &copy))) return;
    names->item[names->count++] = (GraphName){ copy, var.id };
}

static bool shape_positive(const Shape *shape)
{
    if (shape->rank < 0 || shape->rank > SHAPE_MAX_RANK) return false;
    for (int32_t i = 0; i < shape->rank; i++)
        if (shape->dim[i] < 1) return false;
    return true;
}

/* Reports a shape with an empty dimension. */
static bool check_shape(Graph *graph, const char *name, const Shape *shape)
{
    char text[96];
    if (shape_positive(shape)) return true;
    graph_fail(graph, "'%s': shape %s has an empty dimension", name, shape_text(shape, text, sizeof text));
    return false;
}

Var graph_input(Graph *graph, const char *name, Dtype dtype, Shape shape)
{
    if (graph->err != ERR_NONE || !check_shape(graph, name, &shape)) return VAR_NONE;
    const Var var = add_value(graph, &(Tensor){ dtype, shape, NULL }, -1, -1);
    if (var_exists(var)) add_name(graph, &graph->inputs, name, var);
    return graph->err == ERR_NONE ? var : VAR_NONE;
}

static Var add_param(Graph *graph, const char *name, const Shape *shape, ParamInit init, bool trainable, bool decay)
{
    if (graph->err != ERR_NONE || !check_shape(graph, name, shape)) return VAR_NONE;
    char *full_name = NULL;
    const char *scope = str_text(&graph->scope);
    if (keep_failed(graph, str_format(&full_name, "%s%s%s", scope, scope[0] != '\0' ? "." : "", name))) return VAR_NONE;
    int32_t index = -1;
    const Err err = params_declare(graph->params, full_name, shape, init, trainable, decay, &index);
    free(full_name);
    if (keep_failed(graph, err)) return VAR_NONE;
    for (int32_t i = 0; i < graph->n_values; i++)
        if (graph->values[i].param == index) return (Var){ i };
    return add_value(graph, &(Tensor){ DTYPE_F32, *shape, NULL }, -1, index);
}

Var graph_param(Graph *graph, const char *name, Shape shape, ParamInit init)
{
    return add_param(graph, name, &shape, init, true, shape.rank >= 2);
}

Var graph_param_nodecay(Graph *graph, const char *name, Shape shape, ParamInit init)
{
    return add_param(graph, name, &shape, init, true, false);
}

Var graph_state(Graph *graph, const char *name, Shape shape, ParamInit init)
{
    return add_param(graph, name, &shape, init, false, false);
}

/* Gathers the inputs' tensors. */
static bool collect_inputs(Graph *graph, const OpDef *op, int32_t n_in, const Var *in, Tensor *ret_tensors)
{
    if (n_in < op->min_in || n_in > op->max_in) {
        graph_fail(graph, "%s: has %d inputs, takes %d to %d", op->name, n_in, op->min_in, op->max_in);
        return false;
    }
    for (int32_t i = 0; i < n_in; i++) {
        if (in[i].id < 0 || in[i].id >= graph->n_values) {
            graph_fail(graph, "%s: input %d is missing", op->name, i);
            return false;
        }
        ret_tensors[i] = graph->values[in[i].id].tensor;
    }
    return true;
}

/* Appends the node without its outputs; its index or -1. */
static int32_t add_node(Graph *graph, const OpDef *op, const void *attr, int32_t n_in, const Var *in)
{
    GraphNode node = { .op = op, .n_in = n_in, .first_out = graph->n_values };
    if (keep_failed(graph,
                    grow_array(&graph->nodes, graph->n_nodes, &graph->nodes_capacity, sizeof *graph->nodes, "a graph")))
        return -1;
    for (int32_t i = 0; i < n_in; i++) node.in[i] = in[i].id;
    if (keep_failed(graph, str_copy(str_text(&graph->scope), &node.path))) return -1;
    if (op->attr_size > 0) {
        node.attr = malloc(op->attr_size);
        if (node.attr == NULL) {
            free(node.path);
            keep_error(graph, ERR_MEMORY, "not enough memory for a node");
            return -1;
        }
        memcpy(node.attr, attr, op->attr_size);
    }
    graph->nodes[graph->n_nodes] = node;
    return graph->n_nodes++;
}

Var graph_node(Graph *graph, const OpDef *op, const void *attr, int32_t n_in, const Var *in)
{
    Tensor inputs[STEP_MAX_IN], outputs[STEP_MAX_OUT];
    if (graph->err != ERR_NONE || !collect_inputs(graph, op, n_in, in, inputs)) return VAR_NONE;
    memset(outputs, 0, sizeof outputs);
    if (keep_failed(graph, op->infer(attr, n_in, inputs, outputs))) return VAR_NONE;
    for (int32_t i = 0; i < op->n_out; i++)
        if (!check_shape(graph, op->name, &outputs[i].shape)) return VAR_NONE;
    const int32_t node = add_node(graph, op, attr, n_in, in);
    if (node < 0) return VAR_NONE;
    Var first = VAR_NONE;
    for (int32_t i = 0; i < op->n_out; i++) {
        const Var var = add_value(graph, &outputs[i], node, -1);
        if (!var_exists(var)) return VAR_NONE;
        if (i == 0) first = var;
    }
    return first;
}

Var graph_result(const Graph *graph, Var first, int32_t index)
{
    if (graph->err != ERR_NONE || !var_exists(first)) return VAR_NONE;
    const int32_t node = graph->values[first.id].node;
    ASSERT(node >= 0 && graph->nodes[node].first_out == first.id);
    ASSERT(index >= 0 && index < graph->nodes[node].op->n_results);
    return (Var){ first.id + index };
}

void graph_output(Graph *graph, const char *name, Var var)
{
    if (graph->err != ERR_NONE) return;
    if (var.id < 0 || var.id >= graph->n_values) {
        graph_fail(graph, "output '%s': there is no such value", name);
        return;
    }
    add_name(graph, &graph->outputs, name, var);
}

Err graph_finish(const Graph *graph)
{
    if (graph->err != ERR_NONE) return err_set(graph->err, "%s", graph->message);
    if (graph->n_scopes > 0)
        return err_set(ERR_SHAPE, "module '%s': graph_push without graph_pop", str_text(&graph->scope));
    return ERR_NONE;
}

Tensor graph_value(const Graph *graph, Var var)
{
    if (var.id < 0 || var.id >= graph->n_values) return (Tensor){ DTYPE_F32, { 0, { 0 } }, NULL };
    return graph->values[var.id].tensor;
}

int32_t graph_node_count(const Graph *graph) { return graph->n_nodes; }

GraphNodeView graph_node_view(const Graph *graph, int32_t index)
{
    ASSERT(index >= 0 && index < graph->n_nodes);
    const GraphNode *node = &graph->nodes[index];
    GraphNodeView view = {
        .op = node->op, .attr = node->attr, .path = node->path, .n_in = node->n_in, .out = { node->first_out }
    };
    for (int32_t i = 0; i < node->n_in; i++) view.in[i] = (Var){ node->in[i] };
    return view;
}

int32_t graph_value_param(const Graph *graph, Var var)
{
    return var.id < 0 || var.id >= graph->n_values ? -1 : graph->values[var.id].param;
}

static Var find_name(const GraphNames *names, const char *name)
{
    for (int32_t i = 0; i < names->count; i++)
        if (strcmp(names->item[i].name, name) == 0) return (Var){ names->item[i].value };
    return VAR_NONE;
}

Var graph_find_input(const Graph *graph, const char *name) { return find_name(&graph->inputs, name); }

Var graph_find_output(const Graph *graph, const char *name) { return find_name(&graph->outputs, name); }
