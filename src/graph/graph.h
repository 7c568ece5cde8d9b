/* SPDX-License-Identifier: Apache-2.0
 *
 * Static graph. Module functions (src/nn, src/network) add nodes; shapes are inferred at once. The first error sticks to
 * the graph with the module path; later calls do nothing, graph_finish() returns it. So model code has no error checks.
 *
 *     Graph *g = NULL;
 *     TRY(graph_new(params, training, &g));
 *     Var x = graph_input(g, "image", DTYPE_F32, shape4(1, 512, 512, 3));
 *     graph_push(g, "encoder");
 *     x = op_relu6(g, op_conv2d(g, x, graph_param(g, "_conv_stem.weight", ...), ...));
 *     graph_pop(g);
 *     graph_output(g, "features", x);
 *     Err err = graph_finish(g);
 */
#ifndef METASEG_GRAPH_GRAPH_H
#define METASEG_GRAPH_GRAPH_H

#include "graph/op.h"
#include "graph/params.h"

typedef struct Graph Graph;

/* Handle of a value. VAR_NONE means "absent" (optional inputs). */
typedef struct Var {
    int32_t id;
} Var;
#define VAR_NONE ((Var){ -1 })
static inline bool var_exists(Var var) { return var.id >= 0; }

/* A graph over a parameter set (borrowed; must outlive the graph). training selects what modules build: separate
 * convolution, BatchNorm and dropout for training; folded convolutions for inference. */
Err graph_new(ParamSet *params, bool training, Graph **ret_graph);
void graph_free(Graph *graph);
bool graph_training(const Graph *graph);

/* Whether normalisations added from now on use their stored statistics in training too, and leave them as they are
 * (frozen BatchNorm). Off in a new graph. */
void graph_freeze_statistics(Graph *graph, bool frozen);
bool graph_statistics_frozen(const Graph *graph);

/* Scopes make names: graph_push(g, "decoder"); graph_push(g, "b4"); graph_param(g, "norm1.weight") names
 * "decoder.b4.norm1.weight". An empty name pushes nothing visible. */
void graph_push(Graph *graph, const char *name);
void graph_pop(Graph *graph);

/* An input the caller fills before each run; unique name. */
Var graph_input(Graph *graph, const char *name, Dtype dtype, Shape shape);

/* A parameter under the current scope. decay is true for rank >= 2 trainable parameters unless nodecay is asked. */
Var graph_param(Graph *graph, const char *name, Shape shape, ParamInit init);
Var graph_param_nodecay(Graph *graph, const char *name, Shape shape, ParamInit init);
/* State: never has a gradient (BatchNorm running statistics, frozen weights). */
Var graph_state(Graph *graph, const char *name, Shape shape, ParamInit init);

/* Adds a node; attr is copied. Inputs with VAR_NONE are not allowed here: builders leave optional ones out.
 * Returns the first result; further results by graph_result(). After an error returns VAR_NONE. */
Var graph_node(Graph *graph, const OpDef *op, const void *attr, int32_t n_in, const Var *in);
/* Result i of the node that made `first`. */
Var graph_result(const Graph *graph, Var first, int32_t index);

/* Names a value that the caller reads after a run (kept alive to the end). */
void graph_output(Graph *graph, const char *name, Var var);

/* Records an error at the current module path, once. For builders that check attributes. */
void graph_fail(Graph *graph, const char *format, ...) PRINTF_LIKE(2, 3);

/* ERR_NONE or the first error, with the module path in its message. */
Err graph_finish(const Graph *graph);

/* Dtype and shape of a value; rank 0 for VAR_NONE. */
Tensor graph_value(const Graph *graph, Var var);

/* Walking a graph, for those that write it in another form. Nodes 0 .. graph_node_count() - 1 in an order in which they can
 * run; of a node its op, attributes (the op's own struct, borrowed), module path, inputs and first result. */
typedef struct GraphNodeView {
    const OpDef *op;
    const void *attr;
    const char *path;
    int32_t n_in;
    Var in[STEP_MAX_IN];
    Var out;
} GraphNodeView;
int32_t graph_node_count(const Graph *graph);
GraphNodeView graph_node_view(const Graph *graph, int32_t index);
/* Index of a value in the parameter set; -1: it is no parameter. */
int32_t graph_value_param(const Graph *graph, Var var);
/* A named input or output, VAR_NONE where there is none of that name. */
Var graph_find_input(const Graph *graph, const char *name);
Var graph_find_output(const Graph *graph, const char *name);

static inline Shape shape1(int64_t a) { return (Shape){ 1, { a } }; }
static inline Shape shape2(int64_t a, int64_t b) { return (Shape){ 2, { a, b } }; }
static inline Shape shape3(int64_t a, int64_t b, int64_t c) { return (Shape){ 3, { a, b, c } }; }
static inline Shape shape4(int64_t a, int64_t b, int64_t c, int64_t d) { return (Shape){ 4, { a, b, c, d } }; }

#endif
