/* SPDX-License-Identifier: Apache-2.0
 * Buffers, values and calls for one case of an op. */
#include "harness/op_instance.h"

#include "base/rng.h"

#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { GUARD_BYTES = 64, GUARD_VALUE = 0xA5, POISON_VALUE = 0xFF };

void *test_allocate(size_t bytes)
{
    void *memory = calloc(1, bytes > 0 ? bytes : 1);
    if (memory == NULL) abort();
    return memory;
}

static Guarded guarded_new(size_t bytes)
{
    const size_t total = (bytes + 2 * (size_t)GUARD_BYTES + 63) / 64 * 64;
    uint8_t *base = aligned_alloc(64, total);
    if (base == NULL) abort();
    memset(base, GUARD_VALUE, total);
    memset(base + GUARD_BYTES, POISON_VALUE, bytes);
    return (Guarded){ base, base + GUARD_BYTES, bytes };
}

static bool guarded_intact(const Guarded *guarded)
{
    if (guarded->base == NULL) return true;
    for (size_t i = 0; i < GUARD_BYTES; i++)
        if (guarded->base[i] != GUARD_VALUE || guarded->data[guarded->bytes + i] != GUARD_VALUE) return false;
    return true;
}

static void guarded_poison(const Guarded *guarded)
{
    if (guarded->base != NULL) memset(guarded->data, POISON_VALUE, guarded->bytes);
}

static uint64_t text_hash(const char *text)
{
    uint64_t hash = 14695981039346656037U; /* FNV-1a */
    for (; *text != '\0'; text++) hash = (hash ^ (uint64_t)(unsigned char)*text) * 1099511628211U;
    return hash;
}

static double draw(const OpInput *input, uint64_t stream, uint64_t index)
{
    const double uniform = (double)rng_uniform(OP_CHECK_SEED, RNG_TEST, stream, index);
    switch (input->fill) {
    case FILL_RANGE:
        return input->low + (input->high - input->low) * uniform;
    case FILL_INTEGER:
        return floor(input->low + (input->high - input->low) * uniform);
    case FILL_AWAY_FROM_KINKS: {
        const double value = 12 * uniform - 3;
        if (fabs(value) < 0.05) return value < 0 ? -0.05 : 0.05;
        if (fabs(value - 6) < 0.05) return value < 6 ? 5.95 : 6.05;
        return value;
    }
    case FILL_LABELS:
        if (rng_below(OP_CHECK_SEED + 1, RNG_TEST, stream, index, 6) == 0) return 255;
        return floor(input->low + (input->high - input->low) * uniform);
    case FILL_MASK:
        return uniform < 0.4 ? -1e9 : 0;
    case FILL_NORMAL:
        break;
    }
    return (double)rng_normal(OP_CHECK_SEED, RNG_TEST, stream, index);
}

static void fill_input(CaseData *data, int32_t i)
{
    const OpInput *input = &data->op_case->in[i];
    const int64_t n = shape_count(&input->shape);
    const uint64_t stream =
        text_hash(data->test->op->name) + (uint64_t)data->case_index * STEP_MAX_IN * 2 + (uint64_t)i;
    data->in_shapes[i] = (Tensor){ input->dtype, input->shape, NULL };
    data->in[i] = test_allocate((size_t)n * dtype_bytes(input->dtype));
    data->in_double[i] = test_allocate((size_t)n * sizeof(double));
    for (int64_t k = 0; k < n; k++) {
        const double value = draw(input, stream, (uint64_t)k);
        switch (input->dtype) {
        case DTYPE_F32:
            ((float *)data->in[i])[k] = (float)value;
            data->in_double[i][k] = (double)(float)value;
            break;
        case DTYPE_U8:
            ((uint8_t *)data->in[i])[k] = (uint8_t)value;
            data->in_double[i][k] = value;
            break;
        case DTYPE_I32:
            ((int32_t *)data->in[i])[k] = (int32_t)value;
            data->in_double[i][k] = value;
            break;
        default:
            fail_msg("op_check cannot fill inputs of type %s", dtype_name(input->dtype));
        }
    }
}

CaseData *case_data_new(const OpTest *test, int64_t case_index, bool with_reference)
{
    CaseData *data = test_allocate(sizeof *data);
    const OpDef *op = test->op;
    data->test = test;
    data->op_case = &test->cases[case_index];
    data->case_index = case_index;
    while (data->n_in < STEP_MAX_IN && data->op_case->in[data->n_in].shape.rank > 0) fill_input(data, data->n_in++);
    if (data->n_in < op->min_in || data->n_in > op->max_in)
        fail_msg("%s case %d: has %d inputs, the op takes %d to %d", op->name, (int)case_index, data->n_in, op->min_in,
                 op->max_in);
    if (op->infer(data->op_case->attr, data->n_in, data->in_shapes, data->out_shapes) != ERR_NONE)
        fail_msg("%s case %d: %s", op->name, (int)case_index, err_message());
    for (int32_t i = 0; i < op->n_out; i++) {
        const int64_t n = shape_count(&data->out_shapes[i].shape);
        data->reference[i] = test_allocate((size_t)n * sizeof(double));
        data->weights[i] = test_allocate((size_t)n * sizeof(float));
        for (int64_t k = 0; k < n; k++)
            data->weights[i][k] = rng_normal(OP_CHECK_SEED, RNG_TEST, 7777 + (uint64_t)i, (uint64_t)k);
    }
    if (!with_reference) return data;
    const double *in[STEP_MAX_IN];
    for (int32_t i = 0; i < data->n_in; i++) in[i] = data->in_double[i];
    test->reference(data->op_case, in, data->in_shapes, data->reference, data->out_shapes);
    for (int32_t i = 0; i < data->n_in; i++) {
        if (((test->updates >> i) & 1U) == 0) continue;
        const size_t bytes = (size_t)shape_count(&data->in_shapes[i].shape) * sizeof(double);
        data->updated[i] = test_allocate(bytes);
        memcpy(data->updated[i], data->in_double[i], bytes);
    }
    if (test->update != NULL) test->update(data->op_case, in, data->in_shapes, data->updated);
    return data;
}

void case_data_free(CaseData *data)
{
    if (data == NULL) return;
    for (int32_t i = 0; i < STEP_MAX_IN; i++) {
        free(data->in[i]);
        free(data->in_double[i]);
        free(data->updated[i]);
    }
    for (int32_t i = 0; i < STEP_MAX_OUT; i++) {
        free(data->reference[i]);
        free(data->weights[i]);
    }
    free(data);
}

bool case_differentiable(const CaseData *data, int32_t input)
{
    return data->in_shapes[input].dtype == DTYPE_F32 && ((data->test->op->no_grad_in >> input) & 1U) == 0;
}

double case_tolerance(const CaseData *data) { return data->op_case->tolerance > 0 ? data->op_case->tolerance : 1e-5; }

double case_gradient_tolerance(const CaseData *data)
{
    return data->op_case->gradient_tolerance > 0 ? data->op_case->gradient_tolerance : case_tolerance(data);
}

static void check_guards(const OpInstance *instance, const char *when)
{
    const char *name = instance->data->test->op->name;
    const int index = (int)instance->data->case_index;
    for (int32_t i = 0; i < STEP_MAX_IN; i++) {
        if (!guarded_intact(&instance->in[i]) || !guarded_intact(&instance->d_in[i]))
            fail_msg("%s case %d, %s: %s wrote outside input %d or its gradient", name, index, instance->kernel->name,
                     when, i);
    }
    for (int32_t i = 0; i < STEP_MAX_OUT; i++) {
        if (!guarded_intact(&instance->out[i]) || !guarded_intact(&instance->d_out[i]))
            fail_msg("%s case %d, %s: %s wrote outside output %d or its gradient", name, index, instance->kernel->name,
                     when, i);
    }
    if (!guarded_intact(&instance->workspace))
        fail_msg("%s case %d, %s: %s wrote outside its workspace of %zu bytes", name, index, instance->kernel->name,
                 when, instance->workspace.bytes);
}

static void check_call(const OpInstance *instance, Err err, const char *call)
{
    if (err != ERR_NONE)
        fail_msg("%s case %d, %s: %s: %s", instance->data->test->op->name, (int)instance->data->case_index,
                 instance->kernel->name, call, err_message());
}

static void restore_inputs(OpInstance *instance)
{
    for (int32_t i = 0; i < instance->data->n_in; i++)
        memcpy(instance->in[i].data, instance->data->in[i], instance->in[i].bytes);
}

/* Memory of all tensors. In place: out[0] is in[0], d_in[0] is d_out[0]. */
static void attach_buffers(OpInstance *instance)
{
    const CaseData *data = instance->data;
    const OpDef *op = data->test->op;
    Step *step = &instance->step;
    for (int32_t i = 0; i < data->n_in; i++) {
        instance->in[i] = guarded_new(tensor_bytes(&step->in[i]));
        step->in[i].data = instance->in[i].data;
    }
    for (int32_t i = 0; i < op->n_out; i++) {
        if (i >= op->n_results && !instance->mode.saved) continue;
        const size_t bytes = tensor_bytes(&step->out[i]);
        if (i == 0 && instance->mode.forward_in_place) {
            step->out[0].data = step->in[0].data;
        } else {
            instance->out[i] = guarded_new(bytes);
            step->out[i].data = instance->out[i].data;
        }
        if (i < op->n_results && instance->mode.training) {
            instance->d_out[i] = guarded_new(bytes);
            step->d_out[i].data = instance->d_out[i].data;
        }
    }
    for (int32_t i = 0; i < data->n_in && instance->mode.training; i++) {
        if (!case_differentiable(data, i) || (i == 0 && instance->mode.backward_in_place)) continue;
        instance->d_in[i] = guarded_new(tensor_bytes(&step->in[i]));
    }
    instance->workspace = guarded_new(step->workspace_bytes);
    step->workspace = instance->workspace.data;
}

bool instance_init(OpInstance *instance, const CaseData *data, const Kernel *kernel, InstanceMode mode)
{
    const OpDef *op = data->test->op;
    *instance = (OpInstance){ .data = data, .kernel = kernel, .mode = mode };
    Step *step = &instance->step;
    *step = (Step){ .attr = op->attr_size > 0 ? data->op_case->attr : NULL,
                    .n_in = data->n_in,
                    .n_out = op->n_out,
                    .training = mode.training,
                    .device = { kernel->device, cpu_isa_detect(), mode.threads },
                    .seed = OP_CHECK_SEED,
                    .run_step = OP_CHECK_RUN_STEP,
                    .node = OP_CHECK_NODE };
    for (int32_t i = 0; i < data->n_in; i++) {
        step->in[i] = step->d_in[i] = data->in_shapes[i];
        step->constant[i] = mode.constant && i > 0;
    }
    for (int32_t i = 0; i < op->n_out; i++) step->out[i] = step->d_out[i] = data->out_shapes[i];
    if (kernel->suits != NULL && !kernel->suits(step)) return false;
    omp_set_num_threads(mode.threads);
    check_call(instance, step_prepare(kernel, step), "prepare");
    attach_buffers(instance);
    /* First with other values, to see that a second pack replaces the first. */
    for (int32_t i = 0; i < data->n_in; i++) memset(instance->in[i].data, 0, instance->in[i].bytes);
    check_call(instance, step_pack(kernel, step), "pack");
    restore_inputs(instance);
    check_call(instance, step_pack(kernel, step), "pack");
    return true;
}

void instance_done(OpInstance *instance)
{
    step_release(instance->kernel, &instance->step);
    for (int32_t i = 0; i < STEP_MAX_IN; i++) {
        free(instance->in[i].base);
        free(instance->d_in[i].base);
    }
    for (int32_t i = 0; i < STEP_MAX_OUT; i++) {
        free(instance->out[i].base);
        free(instance->d_out[i].base);
    }
    free(instance->workspace.base);
}

void instance_forward(OpInstance *instance)
{
    restore_inputs(instance);
    for (int32_t i = 0; i < STEP_MAX_OUT; i++) guarded_poison(&instance->out[i]);
    guarded_poison(&instance->workspace);
    omp_set_num_threads(instance->mode.threads);
    check_call(instance, step_forward(instance->data->test->op, instance->kernel, &instance->step), "forward");
    check_guards(instance, "forward");
}

void instance_backward(OpInstance *instance, uint32_t wanted, uint32_t accumulate)
{
    const CaseData *data = instance->data;
    const OpDef *op = data->test->op;
    Step *step = &instance->step;
    for (int32_t i = 0; i < data->n_in; i++)
        if ((op->bwd_reads & READS_IN(i)) == 0) guarded_poison(&instance->in[i]);
    for (int32_t i = 0; i < op->n_out; i++) {
        if ((op->bwd_reads & READS_OUT(i)) == 0) guarded_poison(&instance->out[i]);
        if (i < op->n_results) memcpy(instance->d_out[i].data, data->weights[i], instance->d_out[i].bytes);
    }
    for (int32_t i = 0; i < data->n_in; i++) {
        const bool in_place = i == 0 && instance->mode.backward_in_place;
        step->d_in[i].data = NULL;
        step->accumulate[i] = ((accumulate >> i) & 1U) != 0;
        if (!case_differentiable(data, i) || ((wanted >> i) & 1U) == 0) continue;
        if (!step->accumulate[i]) guarded_poison(&instance->d_in[i]);
        step->d_in[i].data = in_place ? step->d_out[0].data : instance->d_in[i].data;
    }
    guarded_poison(&instance->workspace);
    omp_set_num_threads(instance->mode.threads);
    check_call(instance, step_backward(op, instance->kernel, step), "backward");
    check_guards(instance, "backward");
}
