/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program holds; for src/graph only. Times of the memory plan: step i runs forward at time i and backward at
 * step.backward_time >= n_steps.
 */
#ifndef METASEG_GRAPH_PROGRAM_INTERNAL_H
#define METASEG_GRAPH_PROGRAM_INTERNAL_H

#include "graph/graph_internal.h"
#include "graph/plan.h"
#include "graph/program.h"
#include "tensor/compute.h"

typedef struct ProgramValue {
    Tensor tensor;           /* data set when the arena is there; NULL: dropped saved output */
    int32_t step;            /* that makes it, -1: input or parameter */
    int32_t param;           /* index in the parameter set, else -1 */
    bool pinned;             /* input or output: its memory is not reused after it was written */
    bool gradient;           /* its gradient is computed */
    int32_t last;            /* last time it is read */
    int32_t buffer;          /* -1: none (inputs, parameters, dropped) */
    int32_t gradient_buffer; /* -1: none (or a parameter) */
} ProgramValue;

typedef struct ProgramStep {
    const OpDef *op;
    const Kernel *kernel;
    Step step;
    void *attr;
    char *path;              /* module path */
    int32_t in[STEP_MAX_IN]; /* values */
    int32_t first_out;
    bool in_backward;
    bool prepared;
    int32_t backward_time;
    /* Per input. A gradient is wanted where values[in].gradient and the op gives one. */
    bool wanted[STEP_MAX_IN];
    bool accumulate[STEP_MAX_IN]; /* an earlier backward step has written it */
    int32_t extra[STEP_MAX_IN];   /* buffer for the gradient of an input that comes twice in this step, else -1 */
    int32_t forward_workspace, backward_workspace; /* buffers, -1: none */
    double forward_seconds, backward_seconds;      /* sums while profiling */
} ProgramStep;

struct Program {
    ParamSet *params;
    ProgramOptions options;
    bool training;
    bool packed;    /* constant inputs are packed */
    bool discarded; /* and their parameters freed */
    int32_t loss;   /* value, -1: inference */
    ProgramValue *values;
    int32_t n_values;
    ProgramStep *steps;
    int32_t n_steps, n_backward;
    GraphNames names; /* inputs and outputs */
    PlanBuffer *buffers;
    int32_t n_buffers;
    int64_t buffers_capacity;
    uint8_t *memory; /* inputs, then the planned arena */
    size_t input_bytes, arena_bytes;
    size_t unplanned_bytes;
    bool *param_reached; /* by index in the parameter set: its gradient is written */
    bool *value_reached; /* while scheduling backward: a gradient arrives */
    bool profiling;
    int64_t profiled_forward, profiled_backward; /* runs */
};

/* backward.c: decides which steps run backward, in what order (times), which gradients they write and which they
 * add to. */
void program_schedule_backward(Program *program);

/* compile.c: points all steps to the values of parameters, inputs and the arena. */
void program_set_pointers(Program *program);

/* Runs the backward steps in that order. */
Err program_run_backward(Program *program, bool accumulate, const Compute *compute);

/* lifetimes.c: makes the list of buffers with their lifetimes, values sharing one where a step runs in place. */
Err program_make_buffers(Program *program);

/* Memory of a buffer, NULL for -1. */
void *program_buffer(const Program *program, int32_t buffer);

/* program.c: seconds on a steady clock. */
double program_clock(void);

#endif
