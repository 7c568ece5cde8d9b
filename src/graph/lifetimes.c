/* SPDX-License-Identifier: Apache-2.0
 *
 * Buffers of a program and when they are alive. A value lives from the step that makes it to its last reader, which is
 * a backward step only where the op says that backward reads it (OpDef.bwd_reads). A gradient lives from its first
 * writer to the backward step of the step that made the value.
 */
#include "graph/program_internal.h"

#include "base/grow.h"

#include <stdlib.h>

static Err add_buffer(Program *program, size_t bytes, int32_t first, int32_t last, int32_t *ret_index)
{
    TRY(grow_array(&program->buffers, program->n_buffers, &program->buffers_capacity, sizeof *program->buffers,
                   "the memory plan"));
    program->unplanned_bytes += (bytes + PLAN_ALIGN - 1) / PLAN_ALIGN * PLAN_ALIGN;
    program->buffers[program->n_buffers] = (PlanBuffer){ .bytes = bytes, .first = first, .last = last };
    *ret_index = program->n_buffers++;
    return ERR_NONE;
}

static void read_at(ProgramValue *value, int32_t time)
{
    if (value->last < time) value->last = time;
}

/* Last readers of all values. */
static void find_last_uses(Program *program)
{
    const int32_t end = program->n_steps + program->n_backward;
    for (int32_t s = 0; s < program->n_steps; s++) {
        const ProgramStep *step = &program->steps[s];
        for (int32_t i = 0; i < step->step.n_in; i++) {
            ProgramValue *value = &program->values[step->in[i]];
            read_at(value, s);
            if (step->in_backward && (step->op->bwd_reads & READS_IN(i)) != 0) read_at(value, step->backward_time);
        }
        for (int32_t o = 0; o < step->op->n_out; o++) {
            ProgramValue *value = &program->values[step->first_out + o];
            read_at(value, s);
            if (step->in_backward && (step->op->bwd_reads & READS_OUT(o)) != 0) read_at(value, step->backward_time);
        }
    }
    for (int32_t v = 0; v < program->n_values; v++)
        if (program->values[v].pinned) read_at(&program->values[v], end);
}

/* out[0] may take over the memory of in[0] when this step is the last to read it and reads it only once. */
static bool forward_in_place(const Program *program, int32_t s)
{
    const ProgramStep *step = &program->steps[s];
    const ProgramValue *in = &program->values[step->in[0]], *out = &program->values[step->first_out];
    if (program->options.keep_all || (step->op->flags & OP_INPLACE) == 0) return false;
    if (in->buffer < 0 || in->last != s) return false; /* pinned ones are read after all steps */
    for (int32_t i = 1; i < step->step.n_in; i++)
        if (step->in[i] == step->in[0]) return false;
    return tensor_bytes(&in->tensor) == tensor_bytes(&out->tensor);
}

static Err make_forward_buffers(Program *program, int32_t s)
{
    ProgramStep *step = &program->steps[s];
    for (int32_t o = 0; o < step->op->n_out; o++) {
        ProgramValue *value = &program->values[step->first_out + o];
        if (o >= step->op->n_results && !program->training) continue; /* saved for a backward that never comes */
        if (o == 0 && forward_in_place(program, s)) {
            value->buffer = program->values[step->in[0]].buffer;
            PlanBuffer *buffer = &program->buffers[value->buffer];
            if (buffer->last < value->last) buffer->last = value->last;
            program->unplanned_bytes += (buffer->bytes + PLAN_ALIGN - 1) / PLAN_ALIGN * PLAN_ALIGN;
            continue;
        }
        TRY(add_buffer(program, tensor_bytes(&value->tensor), s, value->last, &value->buffer));
    }
    if (step->step.workspace_bytes > 0)
        TRY(add_buffer(program, step->step.workspace_bytes, s, s, &step->forward_workspace));
    return ERR_NONE;
}

/* For a wanted d_in[0] that no other step wrote before: it may take over the memory of d_out[0] when its value comes
 * only once. */
static bool backward_in_place(const Program *program, const ProgramStep *step)
{
    const ProgramValue *in = &program->values[step->in[0]], *out = &program->values[step->first_out];
    if (program->options.keep_all || (step->op->flags & OP_INPLACE) == 0) return false;
    if (out->gradient_buffer < 0) return false;
    for (int32_t i = 1; i < step->step.n_in; i++)
        if (step->in[i] == step->in[0]) return false;
    return tensor_bytes(&in->tensor) == tensor_bytes(&out->tensor);
}

/* Time of the backward step that reads the gradient of v, at least `time`. */
static int32_t gradient_last(const Program *program, const ProgramValue *value, int32_t time)
{
    const ProgramStep *maker = &program->steps[value->step];
    return maker->in_backward && maker->backward_time > time ? maker->backward_time : time;
}

static Err make_backward_buffers(Program *program, ProgramStep *step)
{
    const int32_t time = step->backward_time;
    for (int32_t i = 0; i < step->step.n_in; i++) {
        ProgramValue *value = &program->values[step->in[i]];
        if (!step->wanted[i]) continue;
        if (step->extra[i] >= 0) {
            TRY(add_buffer(program, tensor_bytes(&value->tensor), time, time, &step->extra[i]));
            continue;
        }
        if (value->param >= 0 || value->gradient_buffer >= 0) continue;
        const int32_t last = gradient_last(program, value, time);
        if (i == 0 && backward_in_place(program, step)) {
            value->gradient_buffer = program->values[step->first_out].gradient_buffer;
            PlanBuffer *buffer = &program->buffers[value->gradient_buffer];
            if (buffer->last < last) buffer->last = last;
            program->unplanned_bytes += (buffer->bytes + PLAN_ALIGN - 1) / PLAN_ALIGN * PLAN_ALIGN;
            continue;
        }
        TRY(add_buffer(program, tensor_bytes(&value->tensor), time, last, &value->gradient_buffer));
    }
    if (step->step.workspace_bytes > 0)
        TRY(add_buffer(program, step->step.workspace_bytes, time, time, &step->backward_workspace));
    return ERR_NONE;
}

Err program_make_buffers(Program *program)
{
    find_last_uses(program);
    for (int32_t s = 0; s < program->n_steps; s++) TRY(make_forward_buffers(program, s));
    if (program->loss < 0) return ERR_NONE;
    ProgramValue *loss = &program->values[program->loss];
    if (loss->gradient && loss->step >= 0)
        TRY(add_buffer(program, tensor_bytes(&loss->tensor), program->n_steps,
                       gradient_last(program, loss, program->n_steps), &loss->gradient_buffer));
    for (int32_t s = program->n_steps - 1; s >= 0; s--)
        if (program->steps[s].in_backward) TRY(make_backward_buffers(program, &program->steps[s]));
    return ERR_NONE;
}
