/* SPDX-License-Identifier: Apache-2.0
 * Running compiled programs. */
#include "graph/program_internal.h"

#include "base/room.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

double program_clock(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

Tensor program_tensor(const Program *program, const char *name)
{
    for (int32_t i = 0; i < program->names.count; i++)
        if (strcmp(program->names.item[i].name, name) == 0) return program->values[program->names.item[i].value].tensor;
    return (Tensor){ DTYPE_F32, { 0, { 0 } }, NULL };
}

static Err pack_all(Program *program)
{
    for (int32_t s = 0; s < program->n_steps; s++) {
        ProgramStep *step = &program->steps[s];
        const Err err = step_pack(step->kernel, &step->step);
        if (err != ERR_NONE) return err_prefix(err, "module '%s'", step->path);
    }
    program->packed = true;
    return ERR_NONE;
}

static Err run_forward(Program *program, uint64_t run_step, const Compute *compute)
{
    if (program->options.poison) memset(program->memory + program->input_bytes, 0xFF, program->arena_bytes);
    TRY(room_check("running the network"));
    if (!program->packed) TRY(pack_all(program));
    for (int32_t s = 0; s < program->n_steps; s++) {
        ProgramStep *step = &program->steps[s];
        step->step.run_step = run_step;
        step->step.workspace = program_buffer(program, step->forward_workspace);
        const double start = program->profiling ? program_clock() : 0;
        const Err err = step_forward(step->op, step->kernel, &step->step);
        if (err != ERR_NONE) return err_prefix(err, "module '%s'", step->path);
        if (program->profiling) step->forward_seconds += program_clock() - start;
        compute_signals(compute);
    }
    if (program->profiling) program->profiled_forward++;
    return ERR_NONE;
}

Err program_forward(Program *program, uint64_t run_step)
{
    Compute compute;
    compute_begin(program->options.device.threads, &compute);
    const Err err = run_forward(program, run_step, &compute);
    compute_end(&compute);
    return err;
}

Err program_backward(Program *program, bool accumulate)
{
    Compute compute;
    if (program->loss < 0) return err_set(ERR_ARGUMENT, "this program was compiled without a loss");
    compute_begin(program->options.device.threads, &compute);
    const Err err = program_run_backward(program, accumulate, &compute);
    compute_end(&compute);
    if (program->profiling) program->profiled_backward++;
    return err;
}

static Err pack_now(Program *program)
{
    Compute compute;
    compute_begin(program->options.device.threads, &compute);
    const Err err = pack_all(program);
    compute_end(&compute);
    return err;
}

/* Which parameters no forward step reads. */
static void find_packed(const Program *program, bool *ret_drop)
{
    for (int32_t v = 0; v < program->n_values; v++)
        if (program->values[v].param >= 0) ret_drop[program->values[v].param] = true;
    for (int32_t s = 0; s < program->n_steps; s++) {
        const ProgramStep *step = &program->steps[s];
        for (int32_t i = 0; i < step->step.n_in; i++) {
            const int32_t param = program->values[step->in[i]].param;
            if (param >= 0 && (step->step.packed_in & READS_IN(i)) == 0) ret_drop[param] = false;
        }
    }
}

Err program_discard_packed(Program *program)
{
    if (program->training) return err_set(ERR_ARGUMENT, "a training program needs its parameters");
    if (program->discarded) return ERR_NONE;
    if (!program->packed) TRY(pack_now(program));
    bool *drop = calloc((size_t)params_count(program->params) + 1, sizeof *drop);
    if (drop == NULL) return err_memory(sizeof *drop, "a list of parameters");
    find_packed(program, drop);
    const Err err = params_discard(program->params, drop);
    free(drop);
    TRY(err);
    program->discarded = true;
    program_set_pointers(program);
    return ERR_NONE;
}

void program_params_changed(Program *program)
{
    ASSERT(!program->discarded);
    program->packed = false;
}

ProgramStats program_stats(const Program *program)
{
    ProgramStats stats = { .forward_steps = program->n_steps,
                           .backward_steps = program->n_backward,
                           .arena_bytes = program->input_bytes + program->arena_bytes,
                           .unplanned_bytes = program->unplanned_bytes };
    for (int32_t s = 0; s < program->n_steps; s++) {
        const ProgramStep *step = &program->steps[s];
        if (step->step.workspace_bytes > stats.workspace_bytes) stats.workspace_bytes = step->step.workspace_bytes;
        stats.multiply_adds += step_multiply_adds(step->op, &step->step);
    }
    return stats;
}

void program_profile(Program *program, bool on)
{
    program->profiling = on;
    if (!on) return;
    program->profiled_forward = program->profiled_backward = 0;
    for (int32_t s = 0; s < program->n_steps; s++)
        program->steps[s].forward_seconds = program->steps[s].backward_seconds = 0;
}
