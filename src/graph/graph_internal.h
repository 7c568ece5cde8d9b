/* SPDX-License-Identifier: Apache-2.0
 *
 * What a graph holds; for src/graph only. Values are numbered in the order they appear, so a node's inputs have smaller
 * numbers than its outputs and the node order is a valid run order.
 */
#ifndef METASEG_GRAPH_GRAPH_INTERNAL_H
#define METASEG_GRAPH_GRAPH_INTERNAL_H

#include "base/str.h"
#include "graph/graph.h"

typedef struct GraphValue {
    Tensor tensor; /* data NULL */
    int32_t node;  /* that makes it; -1: an input or a parameter */
    int32_t param; /* index in the parameter set, else -1 */
} GraphValue;

typedef struct GraphNode {
    const OpDef *op;
    void *attr; /* own copy, NULL when the op has none */
    char *path; /* module path, "" at the top */
    int32_t n_in;
    int32_t in[STEP_MAX_IN];
    int32_t first_out; /* values first_out .. first_out + op->n_out - 1 */
} GraphNode;

/* A named input or output. */
typedef struct GraphName {
    char *name;
    int32_t value;
} GraphName;

typedef struct GraphNames {
    GraphName *item;
    int32_t count;
    int64_t capacity;
} GraphNames;

struct Graph {
    ParamSet *params;
    bool training;
    bool statistics_frozen;
    GraphValue *values;
    int32_t n_values;
    int64_t values_capacity;
    GraphNode *nodes;
    int32_t n_nodes;
    int64_t nodes_capacity;
    GraphNames inputs, outputs;
    Str scope;             /* "decoder.b4" */
    size_t *scope_lengths; /* of the enclosing scopes */
    int32_t n_scopes;
    int64_t scopes_capacity;
    Err err; /* the first error */
    char message[ERR_MESSAGE_BYTES];
};

#endif
