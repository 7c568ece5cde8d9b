/* SPDX-License-Identifier: Apache-2.0
 * The walk over a graph, and what its translators share. */
#include "export/onnx_translate.h"

#include "graph/run_op.h"

#include <stdlib.h>
#include <string.h>

/* Names of a value in both forms, NULL while it does not exist in one; values of a constant, else NULL. */
typedef struct OnnxValue {
    const char *rows, *map;
    bool made_as_map;
    const float *constant;
} OnnxValue;

struct OnnxGraph {
    OnnxFile *file;
    const Graph *graph;
    ParamSet *params;
    OnnxValue *values;
    int32_t n_values;
    int32_t names; /* given so far */
    const char *path;
};

static const struct {
    const char *name;
    void (*translate)(OnnxGraph *g, const GraphNodeView *node);
} translators[] = {
#define ONNX_OP_TRANSLATED(op) { #op, onnx_translate_##op },
#define ONNX_OP_FOLDED(op)
#include "export/onnx_ops.def"
#undef ONNX_OP_TRANSLATED
#undef ONNX_OP_FOLDED
};

enum { TRANSLATORS = sizeof translators / sizeof *translators };

static int32_t count_values(const Graph *graph)
{
    int32_t n = 0;
    for (int32_t i = 0; i < graph_node_count(graph); i++) {
        const GraphNodeView node = graph_node_view(graph, i);
        if (node.out.id + node.op->n_out > n) n = node.out.id + node.op->n_out;
    }
    return n;
}

Err onnx_graph_new(const Graph *graph, ParamSet *params, OnnxFile *file, OnnxGraph **ret_onnx)
{
    OnnxGraph *g = calloc(1, sizeof *g);
    const int32_t n = count_values(graph);
    if (g == NULL) return err_memory(sizeof *g, "an ONNX graph");
    *g = (OnnxGraph){ .file = file, .graph = graph, .params = params, .n_values = n, .path = "" };
    g->values = calloc((size_t)n + 1, sizeof *g->values);
    if (g->values == NULL) {
        free(g);
        return err_memory((size_t)n * sizeof *g->values, "an ONNX graph");
    }
    for (int32_t i = 0; i < n; i++) {
        const int32_t param = graph_value_param(graph, (Var){ i });
        if (param >= 0) g->values[i].constant = params_tensor(params, param).data;
    }
    *ret_onnx = g;
    return ERR_NONE;
}

void onnx_graph_free(OnnxGraph *onnx)
{
    if (onnx != NULL) free(onnx->values);
    free(onnx);
}

OnnxFile *onnx_file_of(const OnnxGraph *g) { return g->file; }

/* ---- values ---- */

Shape onnx_shape(const OnnxGraph *g, Var var) { return graph_value(g->graph, var).shape; }

void onnx_graph_name(OnnxGraph *onnx, Var input, const char *name, bool channels_first)
{
    if (var_exists(input) && input.id < onnx->n_values) onnx_put(onnx, input, channels_first, name);
}

void onnx_put(OnnxGraph *g, Var var, bool map, const char *name)
{
    OnnxValue *value = &g->values[var.id];
    if (map)
        value->map = name;
    else
        value->rows = name;
    value->made_as_map = map;
}

/* Constants are named when the first node reads them. */
static const char *constant_name(OnnxGraph *g, Var var)
{
    const Shape shape = onnx_shape(g, var);
    const int32_t param = graph_value_param(g->graph, var);
    const float *values = g->values[var.id].constant;
    if (param < 0) return onnx_constant(g, "constant", shape.rank, shape.dim, values);
    return onnx_floats(g->file, params_info(g->params, param)->name, shape.rank, shape.dim, values);
}

const char *onnx_get(OnnxGraph *g, Var var, bool map)
{
    if (onnx_failed(g->file)) return "";
    OnnxValue *value = &g->values[var.id];
    if (value->rows == NULL && value->map == NULL && value->constant != NULL) value->rows = constant_name(g, var);
    if (value->rows == NULL && value->map == NULL) {
        onnx_fail(g->file, ERR_INTERNAL, "module '%s': a value of the graph has no name", g->path);
        return "";
    }
    if (map && value->map == NULL) {
        ASSERT(onnx_shape(g, var).rank == 4);
        value->map = ONNX_TRANSPOSE(g, value->rows, 0, 3, 1, 2);
    }
    if (!map && value->rows == NULL) value->rows = ONNX_TRANSPOSE(g, value->map, 0, 2, 3, 1);
    return map ? value->map : value->rows;
}

const char *onnx_graph_value(OnnxGraph *onnx, Var var, bool channels_first)
{
    return onnx_get(onnx, var, channels_first);
}

bool onnx_computes_as_map(const OnnxGraph *g, int32_t n, const Var *in)
{
    int32_t as_map = 0, as_rows = 0;
    for (int32_t i = 0; i < n; i++) {
        if (onnx_shape(g, in[i]).rank != 4) return false;
        const OnnxValue *value = &g->values[in[i].id];
        as_map += value->map != NULL || value->rows == NULL;
        as_rows += value->rows != NULL;
    }
    return as_map > as_rows || (as_map == as_rows && g->values[in[0].id].made_as_map);
}

int64_t onnx_axis(const OnnxGraph *g, Var var, bool map, int32_t axis)
{
    static const int64_t axes[4] = { 0, 2, 3, 1 };
    return map && onnx_shape(g, var).rank == 4 ? axes[axis] : axis;
}

const float *onnx_values(const OnnxGraph *g, Var var) { return g->values[var.id].constant; }

Tensor onnx_weights(const OnnxGraph *g, Var var)
{
    union {
        const float *from;
        void *to;
    } both = { .from = onnx_values(g, var) }; /* only read */
    Tensor tensor = graph_value(g->graph, var);
    tensor.data = both.to;
    return tensor;
}

const float *onnx_needs_values(OnnxGraph *g, Var var)
{
    const float *values = onnx_values(g, var);
    if (values == NULL) onnx_fail(g->file, ERR_UNSUPPORTED, "module '%s': weights that are computed", g->path);
    return values;
}

void onnx_put_values(OnnxGraph *g, const GraphNodeView *node, int32_t result, const float *values)
{
    g->values[graph_result(g->graph, node->out, result).id].constant = values;
}

const char *onnx_per_channel(OnnxGraph *g, Var constant, bool map)
{
    if (!map) return onnx_get(g, constant, false);
    const Shape shape = onnx_shape(g, constant);
    const float *values = onnx_needs_values(g, constant);
    return onnx_constant(g, "channels", 3, ONNX_DIMS(shape_count(&shape), 1, 1), values);
}

/* ---- nodes ---- */

const char *onnx_name(OnnxGraph *g, const char *what)
{
    return onnx_text(g->file, "%s%s%s_%d", g->path, g->path[0] != '\0' ? "." : "", what, (int)g->names++);
}

const char *onnx_add(OnnxGraph *g, const char *op, int32_t n_in, const char *const *in)
{
    return onnx_node(g->file, op, onnx_name(g, op), n_in, in);
}

const char *onnx_constant(OnnxGraph *g, const char *what, int32_t rank, const int64_t *dims, const float *values)
{
    return values != NULL ? onnx_floats(g->file, onnx_name(g, what), rank, dims, values) : "";
}

const char *onnx_reshape(OnnxGraph *g, const char *x, const Shape *shape)
{
    return ONNX_OP(g, "Reshape", x, onnx_ints(g->file, shape->rank, shape->dim));
}

const char *onnx_transpose(OnnxGraph *g, const char *x, int32_t rank, const int64_t *order)
{
    const char *y = ONNX_OP(g, "Transpose", x);
    onnx_set_ints(g->file, "perm", rank, order);
    return y;
}

const char *onnx_slice(OnnxGraph *g, const char *x, int64_t axis, int64_t first, int64_t end)
{
    return ONNX_OP(g, "Slice", x, ONNX_INTS(g, first), ONNX_INTS(g, end), ONNX_INTS(g, axis));
}

const char *onnx_gather(OnnxGraph *g, const char *x, int64_t axis, int64_t n, const int64_t *positions)
{
    const char *y = ONNX_OP(g, "Gather", x, onnx_ints(g->file, n, positions));
    onnx_set_int(g->file, "axis", axis);
    return y;
}

const char *onnx_reduce(OnnxGraph *g, const char *op, const char *x, int64_t n, const int64_t *axes)
{
    const char *y = ONNX_OP(g, op, x);
    onnx_set_ints(g->file, "axes", n, axes);
    onnx_set_int(g->file, "keepdims", 1);
    return y;
}

/* ---- constants ---- */

const float *onnx_run(OnnxGraph *g, const OpDef *op, const void *attr, int32_t n_in, const Tensor *in, Shape *ret_shape)
{
    Tensor out = { .data = NULL };
    if (onnx_failed(g->file)) return NULL;
    const Err err = run_op(op, attr, n_in, in, &out);
    if (err != ERR_NONE) {
        onnx_fail(g->file, err, "%s", err_message());
        return NULL;
    }
    float *values = onnx_room(g->file, shape_count(&out.shape), sizeof *values);
    if (values != NULL) memcpy(values, out.data, tensor_bytes(&out));
    free(out.data);
    *ret_shape = out.shape;
    return values;
}

/* A node that reads constants alone becomes one. */
static bool fold(OnnxGraph *g, const GraphNodeView *node)
{
    Tensor in[STEP_MAX_IN];
    Shape shape;
    if (node->op->n_results != 1) return false;
    for (int32_t i = 0; i < node->n_in; i++) {
        if (onnx_values(g, node->in[i]) == NULL) return false;
        in[i] = onnx_weights(g, node->in[i]);
    }
    g->values[node->out.id].constant = onnx_run(g, node->op, node->attr, node->n_in, in, &shape);
    return true;
}

static void translate(OnnxGraph *g, const GraphNodeView *node)
{
    for (size_t i = 0; i < TRANSLATORS; i++) {
        if (strcmp(translators[i].name, node->op->name) != 0) continue;
        translators[i].translate(g, node);
        return;
    }
    onnx_fail(g->file, ERR_UNSUPPORTED, "module '%s': the op '%s' has no translation to ONNX", node->path,
              node->op->name);
}

void onnx_graph_translate(OnnxGraph *onnx)
{
    for (int32_t i = 0; i < graph_node_count(onnx->graph) && !onnx_failed(onnx->file); i++) {
        const GraphNodeView node = graph_node_view(onnx->graph, i);
        onnx->path = node.path;
        if (!fold(onnx, &node)) translate(onnx, &node);
    }
    onnx->path = "";
}
