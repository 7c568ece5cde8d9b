/* SPDX-License-Identifier: Apache-2.0
 *
 * Reverse-mode differentiation of a linear program: steps in reverse order; the first step that writes the gradient of
 * a value overwrites, later ones add. So no gradient buffer is ever cleared.
 */
#include "graph/program_internal.h"

#include "base/room.h"

#include <string.h>

static bool op_differentiates(const OpDef *op, int32_t input)
{
    return (op->flags & OP_NO_GRAD) == 0 && ((op->no_grad_in >> input) & 1U) == 0;
}

/* True when input i of the step may carry a gradient to a parameter. */
static bool may_carry(const Program *program, const ProgramStep *step, int32_t input)
{
    const ProgramValue *value = &program->values[step->in[input]];
    return value->gradient && value->tensor.dtype == DTYPE_F32 && op_differentiates(step->op, input);
}

/* Forward sweep: .gradient of every value that depends on a trainable parameter. */
static void mark_dependent(Program *program)
{
    for (int32_t v = 0; v < program->n_values; v++) {
        const int32_t param = program->values[v].param;
        program->values[v].gradient = param >= 0 && params_info(program->params, param)->trainable;
    }
    for (int32_t s = 0; s < program->n_steps; s++) {
        const ProgramStep *step = &program->steps[s];
        bool dependent = false;
        for (int32_t i = 0; i < step->step.n_in; i++) dependent = dependent || may_carry(program, step, i);
        for (int32_t r = 0; r < step->op->n_results && dependent; r++) {
            ProgramValue *value = &program->values[step->first_out + r];
            value->gradient = value->tensor.dtype == DTYPE_F32;
        }
    }
}

/* One step of the reverse sweep; reached[v] says that a gradient arrives at v. */
static void schedule_step(Program *program, int32_t s, bool *reached)
{
    ProgramStep *step = &program->steps[s];
    for (int32_t r = 0; r < step->op->n_results; r++) {
        const int32_t v = step->first_out + r;
        if (reached[v] && program->values[v].gradient) step->in_backward = true;
    }
    if (!step->in_backward) return;
    step->backward_time = program->n_steps + program->n_backward++;
    for (int32_t i = 0; i < step->step.n_in; i++) {
        if (!may_carry(program, step, i)) continue;
        const int32_t v = step->in[i];
        step->wanted[i] = true;
        step->accumulate[i] = reached[v];
        for (int32_t earlier = 0; earlier < i; earlier++) {
            if (!step->wanted[earlier] || step->in[earlier] != v) continue;
            step->extra[i] = 0; /* the buffer comes later; the kernel writes it, the engine adds it */
            step->accumulate[i] = false;
        }
    }
    for (int32_t i = 0; i < step->step.n_in; i++) {
        if (!step->wanted[i]) continue;
        const ProgramValue *value = &program->values[step->in[i]];
        reached[step->in[i]] = true;
        if (value->param >= 0) program->param_reached[value->param] = true;
    }
}

/* Values that no gradient reaches do not need one. */
void program_schedule_backward(Program *program)
{
    mark_dependent(program);
    bool *reached = program->value_reached;
    reached[program->loss] = true;
    for (int32_t s = program->n_steps - 1; s >= 0; s--) schedule_step(program, s, reached);
    for (int32_t v = 0; v < program->n_values; v++)
        program->values[v].gradient = program->values[v].gradient && reached[v];
}

static void add_into(float *sum, const float *extra, int64_t n)
{
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < n; i++) sum[i] += extra[i];
}

/* Gradients of an input that comes several times in one step were written apart. */
static void add_extras(const Program *program, const ProgramStep *step)
{
    for (int32_t i = 0; i < step->step.n_in; i++) {
        if (step->extra[i] < 0) continue;
        int32_t first = 0;
        while (!step->wanted[first] || step->in[first] != step->in[i]) first++;
        const Tensor *tensor = &program->values[step->in[i]].tensor;
        add_into(step->step.d_in[first].data, step->step.d_in[i].data, shape_count(&tensor->shape));
    }
}

static void clear_unreached(const Program *program)
{
    float *gradients = params_gradients(program->params);
    for (int32_t p = 0; p < params_count(program->params); p++) {
        const ParamInfo *info = params_info(program->params, p);
        if (!info->trainable || program->param_reached[p]) continue;
        memset(gradients + info->offset, 0, (size_t)shape_count(&info->shape) * sizeof(float));
    }
}

Err program_run_backward(Program *program, bool accumulate, const Compute *compute)
{
    TRY(room_check("running the network"));
    if (!accumulate) clear_unreached(program);
    const ProgramValue *loss = &program->values[program->loss];
    float *seed = program_buffer(program, loss->gradient_buffer);
    if (seed != NULL) *seed = 1.0F;
    for (int32_t s = program->n_steps - 1; s >= 0; s--) {
        ProgramStep *step = &program->steps[s];
        if (!step->in_backward) continue;
        for (int32_t i = 0; i < step->step.n_in; i++) {
            const bool is_param = program->values[step->in[i]].param >= 0;
            step->step.accumulate[i] = step->accumulate[i] || (accumulate && is_param && step->extra[i] < 0);
        }
        step->step.workspace = program_buffer(program, step->backward_workspace);
        const double start = program->profiling ? program_clock() : 0;
        const Err err = step_backward(step->op, step->kernel, &step->step);
        if (err != ERR_NONE) return err_prefix(err, "module '%s', backward", step->path);
        add_extras(program, step);
        if (program->profiling) step->backward_seconds += program_clock() - start;
        compute_signals(compute);
    }
    return ERR_NONE;
}
