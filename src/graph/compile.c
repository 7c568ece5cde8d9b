/* SPDX-License-Identifier: Apache-2.0
 *
 * From graph to program: copy the nodes as steps, schedule backward, choose and prepare kernels, plan the arena, set
 * all pointers.
 */
#include "graph/program_internal.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

static Err check_loss(const Graph *graph, Var loss)
{
    char text[96];
    if (!var_exists(loss)) return ERR_NONE;
    if (!graph->training) return err_set(ERR_ARGUMENT, "a program with a loss needs a graph built for training");
    if (loss.id >= graph->n_values || graph->values[loss.id].node < 0)
        return err_set(ERR_ARGUMENT, "the loss is not the result of an op");
    const Tensor *tensor = &graph->values[loss.id].tensor;
    if (tensor->dtype != DTYPE_F32 || shape_count(&tensor->shape) != 1)
        return err_set(ERR_SHAPE, "the loss is %s %s; it must be one f32 number", dtype_name(tensor->dtype),
                       shape_text(&tensor->shape, text, sizeof text));
    return ERR_NONE;
}

static Err copy_names(Program *program, const GraphNames *names)
{
    for (int32_t i = 0; i < names->count; i++) {
        GraphName *item = &program->names.item[program->names.count];
        TRY(str_copy(names->item[i].name, &item->name));
        item->value = names->item[i].value;
        program->names.count++;
        program->values[item->value].pinned = true;
    }
    return ERR_NONE;
}

static Err allocate_tables(Program *program, const Graph *graph)
{
    const size_t n_names = (size_t)(graph->inputs.count + graph->outputs.count);
    const size_t n_params = (size_t)params_count(program->params);
    program->values = calloc((size_t)graph->n_values + 1, sizeof *program->values);
    program->steps = calloc((size_t)graph->n_nodes + 1, sizeof *program->steps);
    program->names.item = calloc(n_names + 1, sizeof *program->names.item);
    program->param_reached = calloc(n_params + 1, sizeof(bool));
    program->value_reached = calloc((size_t)graph->n_values + 1, sizeof(bool));
    if (program->values == NULL || program->steps == NULL || program->names.item == NULL ||
        program->param_reached == NULL || program->value_reached == NULL)
        return err_memory((size_t)graph->n_nodes * sizeof *program->steps, "a program");
    return ERR_NONE;
}

static void copy_values(Program *program, const Graph *graph)
{
    for (int32_t v = 0; v < graph->n_values; v++) {
        const GraphValue *from = &graph->values[v];
        program->values[v] = (ProgramValue){ .tensor = from->tensor,
                                             .step = from->node,
                                             .param = from->param,
                                             .last = -1,
                                             .buffer = -1,
                                             .gradient_buffer = -1 };
        program->n_values++;
    }
}

static Err copy_step(Program *program, const GraphNode *node)
{
    const int32_t index = program->n_steps;
    ProgramStep *to = &program->steps[index];
    const ProgramOptions *options = &program->options;
    *to = (ProgramStep){ .op = node->op, .first_out = node->first_out, .backward_time = -1 };
    to->forward_workspace = to->backward_workspace = -1;
    program->n_steps++; /* from here program_free knows the step */
    TRY(str_copy(node->path, &to->path));
    if (node->attr != NULL) {
        to->attr = malloc(node->op->attr_size);
        if (to->attr == NULL) return err_memory(node->op->attr_size, "a program");
        memcpy(to->attr, node->attr, node->op->attr_size);
    }
    Step *step = &to->step;
    *step = (Step){ .attr = to->attr,
                    .n_in = node->n_in,
                    .n_out = node->op->n_out,
                    .training = program->training,
                    .device = options->device,
                    .seed = options->seed,
                    .node = index,
                    .reduce = options->reduce,
                    .reduce_context = options->reduce_context };
    for (int32_t i = 0; i < node->n_in; i++) {
        const ProgramValue *value = &program->values[node->in[i]];
        to->in[i] = node->in[i];
        to->extra[i] = -1;
        step->in[i] = step->d_in[i] = value->tensor;
        step->constant[i] = !program->training && value->param >= 0;
    }
    for (int32_t o = 0; o < step->n_out; o++)
        step->out[o] = step->d_out[o] = program->values[node->first_out + o].tensor;
    return ERR_NONE;
}

static Err choose_and_prepare(ProgramStep *step)
{
    Err err = step_choose(step->op, &step->step, &step->kernel);
    if (err == ERR_NONE) {
        step->prepared = true; /* also a half prepared step is released */
        err = step_prepare(step->kernel, &step->step);
    }
    return err_prefix(err, "module '%s'", step->path);
}

/* Inputs lie before the planned arena, so that the arena may be poisoned as a whole. */
static Err allocate_memory(Program *program)
{
    size_t input_bytes = 0;
    for (int32_t v = 0; v < program->n_values; v++) {
        const ProgramValue *value = &program->values[v];
        if (value->step < 0 && value->param < 0)
            input_bytes += (tensor_bytes(&value->tensor) + PLAN_ALIGN - 1) / PLAN_ALIGN * PLAN_ALIGN;
    }
    program->input_bytes = input_bytes;
    if (program->options.keep_all)
        program->arena_bytes = plan_without_reuse(program->buffers, program->n_buffers);
    else
        TRY(plan_buffers(program->buffers, program->n_buffers, &program->arena_bytes));
    program->unplanned_bytes += input_bytes;
    const size_t bytes = input_bytes + program->arena_bytes + PLAN_ALIGN;
    program->memory = aligned_alloc(PLAN_ALIGN, bytes);
    if (program->memory == NULL) return err_memory(bytes, "the network's values");
    memset(program->memory, 0, input_bytes);
    return ERR_NONE;
}

void *program_buffer(const Program *program, int32_t buffer)
{
    return buffer >= 0 ? program->memory + program->input_bytes + program->buffers[buffer].offset : NULL;
}

static void set_value_pointers(Program *program)
{
    size_t input_offset = 0;
    for (int32_t v = 0; v < program->n_values; v++) {
        ProgramValue *value = &program->values[v];
        if (value->param >= 0) {
            const bool discarded = params_info(program->params, value->param)->offset < 0;
            value->tensor.data = discarded ? NULL : params_tensor(program->params, value->param).data;
        } else if (value->step < 0) {
            value->tensor.data = program->memory + input_offset;
            input_offset += (tensor_bytes(&value->tensor) + PLAN_ALIGN - 1) / PLAN_ALIGN * PLAN_ALIGN;
        } else {
            value->tensor.data = program_buffer(program, value->buffer);
        }
    }
}

/* Where the gradient of input i of a step is written; NULL: not wanted. */
static void *gradient_pointer(const Program *program, const ProgramStep *step, int32_t input)
{
    const ProgramValue *value = &program->values[step->in[input]];
    if (!step->wanted[input]) return NULL;
    if (step->extra[input] >= 0) return program_buffer(program, step->extra[input]);
    if (value->param >= 0)
        return params_gradients(program->params) + params_info(program->params, value->param)->offset;
    return program_buffer(program, value->gradient_buffer);
}

static void set_step_pointers(Program *program, ProgramStep *step)
{
    for (int32_t i = 0; i < step->step.n_in; i++) {
        step->step.in[i].data = program->values[step->in[i]].tensor.data;
        step->step.d_in[i].data = gradient_pointer(program, step, i);
    }
    for (int32_t o = 0; o < step->step.n_out; o++) {
        const ProgramValue *value = &program->values[step->first_out + o];
        step->step.out[o].data = value->tensor.data;
        step->step.d_out[o].data = program_buffer(program, value->gradient_buffer);
    }
}

void program_set_pointers(Program *program)
{
    set_value_pointers(program);
    for (int32_t s = 0; s < program->n_steps; s++) set_step_pointers(program, &program->steps[s]);
}

static Err build(Program *program, const Graph *graph)
{
    TRY(allocate_tables(program, graph));
    copy_values(program, graph);
    TRY(copy_names(program, &graph->inputs));
    TRY(copy_names(program, &graph->outputs));
    for (int32_t n = 0; n < graph->n_nodes; n++) TRY(copy_step(program, &graph->nodes[n]));
    if (program->loss >= 0) {
        program->values[program->loss].pinned = true;
        program_schedule_backward(program);
    }
    for (int32_t s = 0; s < program->n_steps; s++) TRY(choose_and_prepare(&program->steps[s]));
    TRY(program_make_buffers(program));
    TRY(allocate_memory(program));
    program_set_pointers(program);
    free(program->value_reached);
    program->value_reached = NULL;
    return ERR_NONE;
}

ProgramOptions program_options_defaults(void)
{
    return (ProgramOptions){ .device = device_default(), .loss = VAR_NONE };
}

Err program_compile(const Graph *graph, ParamSet *params, const ProgramOptions *options, Program **ret_program)
{
    TRY(graph_finish(graph));
    TRY(check_loss(graph, options->loss));
    ASSERT(params == graph->params);
    TRY(params_allocate(params));
    if (var_exists(options->loss)) TRY(params_want_gradients(params));
    Program *program = calloc(1, sizeof *program);
    if (program == NULL) return err_memory(sizeof *program, "a program");
    program->params = params;
    program->options = *options;
    /* oneDNN shares out its work before it opens a team: what threads that OpenMP refuses would do stays undone */
    if (program->options.device.threads > omp_get_thread_limit())
        program->options.device.threads = omp_get_thread_limit();
    program->training = graph->training;
    program->loss = options->loss.id;
    Err err = compute_check_team(program->options.device.threads);
    if (err == ERR_NONE) {
        Compute compute;
        compute_begin(program->options.device.threads, &compute);
        err = build(program, graph);
        compute_end(&compute);
    }
    if (err != ERR_NONE) {
        program_free(program);
        return err;
    }
    *ret_program = program;
    return ERR_NONE;
}

void program_free(Program *program)
{
    if (program == NULL) return;
    for (int32_t s = 0; s < program->n_steps; s++) {
        ProgramStep *step = &program->steps[s];
        if (step->prepared) step_release(step->kernel, &step->step);
        free(step->attr);
        free(step->path);
    }
    for (int32_t i = 0; i < program->names.count; i++) free(program->names.item[i].name);
    free(program->names.item);
    free(program->steps);
    free(program->values);
    free(program->buffers);
    free(program->param_reached);
    free(program->value_reached);
    free(program->memory);
    free(program);
}
