/* SPDX-License-Identifier: Apache-2.0
 *
 * A compiled graph: a linear list of steps, one arena planned from lifetimes, kernels chosen and prepared. Running
 * allocates nothing and looks nothing up.
 *
 *     ProgramOptions options = program_options_defaults();
 *     options.device = device;
 *     TRY(program_compile(graph, params, &options, &program));
 *     fill(program_tensor(program, "image"));
 *     TRY(program_forward(program, 0));
 *     read(program_tensor(program, "logits"));
 */
#ifndef METASEG_GRAPH_PROGRAM_H
#define METASEG_GRAPH_PROGRAM_H

#include "graph/graph.h"

typedef struct Program Program;

typedef struct ProgramOptions {
    Device device;
    Var loss;        /* scalar to differentiate, VAR_NONE: inference */
    uint64_t seed;   /* for dropout */
    ReduceFn reduce; /* NULL: one rank */
    void *reduce_context;
    bool keep_all; /* tests: one buffer per value, no reuse */
    bool poison;   /* tests: the arena is filled with NaN before each run */
} ProgramOptions;
ProgramOptions program_options_defaults(void); /* device_default(), inference */

/* Compiles a finished graph (the graph may be freed afterwards, the parameter set must live on). With a loss:
 * params_want_gradients() is called and backward steps are scheduled for all trainable parameters it depends on.
 * Errors: the graph's own, ERR_UNSUPPORTED (names the op and the module path), ERR_MEMORY. */
Err program_compile(const Graph *graph, ParamSet *params, const ProgramOptions *options, Program **ret_program);
void program_free(Program *program);

/* Input or output by name; data is valid for the program's life (inputs keep what was written until overwritten,
 * outputs until the next run). data NULL and rank 0 for an unknown name. */
Tensor program_tensor(const Program *program, const char *name);

/* Runs all forward steps. run_step is the training step (dropout). */
Err program_forward(Program *program, uint64_t run_step);

/* After program_forward: writes d loss / d parameter into params_gradients(); accumulate adds to what is there
 * (gradient accumulation) instead of overwriting. Parameters the loss does not reach get zeros (or stay). */
Err program_backward(Program *program, bool accumulate);

/* Tells an inference program that parameter values changed: packed copies are made anew before the next run. */
void program_params_changed(Program *program);

/* Packs an inference program and frees what only packing read: the parameters of its convolutions and matrix products,
 * half of an inference process's weights. The parameter set then serves this program alone; it cannot be saved,
 * compiled or packed again. ERR_ARGUMENT: a training program; ERR_MEMORY. */
Err program_discard_packed(Program *program);

typedef struct ProgramStats {
    int64_t forward_steps, backward_steps;
    size_t arena_bytes, workspace_bytes, unplanned_bytes; /* unplanned: one buffer per value */
    int64_t multiply_adds;                                /* of a forward run: OpDef.multiply_adds of all steps */
} ProgramStats;
ProgramStats program_stats(const Program *program);

/* One row per step: path, op, kernel, output shape, multiply-adds, arena offset, workspace, and after profiling its time. The row
 * callback gets one line of text without newline. */
void program_profile(Program *program, bool on);
void program_print(const Program *program, void (*row)(void *context, const char *line), void *context);

#endif
