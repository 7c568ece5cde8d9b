/* SPDX-License-Identifier: Apache-2.0
 * A graph of one node. */
#include "graph/run_op.h"

#include "graph/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_input(int32_t i, char name[16]) { (void)snprintf(name, 16, "in%d", (int)i); }

static Err build(Graph *graph, const OpDef *op, const void *attr, int32_t n_in, const Tensor *in)
{
    Var vars[STEP_MAX_IN];
    char name[16];
    for (int32_t i = 0; i < n_in; i++) {
        name_input(i, name);
        vars[i] = graph_input(graph, name, in[i].dtype, in[i].shape);
    }
    graph_output(graph, "out", graph_node(graph, op, attr, n_in, vars));
    return graph_finish(graph);
}

static Err run(Program *program, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char name[16];
    for (int32_t i = 0; i < n_in; i++) {
        name_input(i, name);
        memcpy(program_tensor(program, name).data, in[i].data, tensor_bytes(&in[i]));
    }
    TRY(program_forward(program, 0));
    Tensor out = program_tensor(program, "out");
    const void *from = out.data;
    out.data = malloc(tensor_bytes(&out) + 1);
    if (out.data == NULL) return err_memory(tensor_bytes(&out), "the result of an op");
    memcpy(out.data, from, tensor_bytes(&out));
    *ret_out = out;
    return ERR_NONE;
}

Err run_op(const OpDef *op, const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    ParamSet *params = NULL;
    Graph *graph = NULL;
    Program *program = NULL;
    const ProgramOptions options = program_options_defaults();
    Err err = params_new(&params);
    if (err == ERR_NONE) err = graph_new(params, false, &graph);
    if (err == ERR_NONE) err = build(graph, op, attr, n_in, in);
    if (err == ERR_NONE) err = params_allocate(params);
    if (err == ERR_NONE) err = program_compile(graph, params, &options, &program);
    if (err == ERR_NONE) err = run(program, n_in, in, ret_out);
    program_free(program);
    graph_free(graph);
    params_free(params);
    return err;
}
