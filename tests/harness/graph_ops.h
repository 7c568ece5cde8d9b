/* SPDX-License-Identifier: Apache-2.0
 *
 * Tiny ops for tests of the engine itself: each shows the engine one property (in-place, what backward reads, several
 * results, saved outputs, scratch, inputs without gradient, packing). All but `sum` map [n] to [n].
 *
 *     add       a + b            in-place, backward reads nothing
 *     multiply  a * b            in-place, backward reads both inputs
 *     sine      sin x            backward reads the input
 *     tanh      tanh x           in-place, backward reads the result
 *     split     x / 2, x^2       two results, one saved output (2x), scratch
 *     shift     x + s            no gradient for s
 *     scale     x * factor[0]    packs a constant factor
 *     sum       sum x / 10       scalar
 */
#ifndef METASEG_TESTS_GRAPH_OPS_H
#define METASEG_TESTS_GRAPH_OPS_H

#include "graph/graph.h"

#include <math.h>
#include <stdlib.h>

static inline const float *in_data(const Step *step, int32_t i) { return step->in[i].data; }
static inline float *out_data(const Step *step, int32_t i) { return step->out[i].data; }
static inline const float *d_out_data(const Step *step, int32_t i) { return step->d_out[i].data; }
static inline int64_t in_count(const Step *step) { return shape_count(&step->in[0].shape); }

/* Writes or adds element k of the gradient of input i. */
static inline void put_gradient(const Step *step, int32_t i, int64_t k, float value)
{
    float *gradient = step->d_in[i].data;
    if (gradient == NULL) return;
    gradient[k] = step->accumulate[i] ? gradient[k] + value : value;
}

static Err same_shape(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char a[96], b[96];
    (void)attr;
    for (int32_t i = 1; i < n_in; i++)
        if (!shape_equal(&in[0].shape, &in[i].shape))
            return err_set(ERR_SHAPE, "shapes %s and %s differ", shape_text(&in[0].shape, a, sizeof a),
                           shape_text(&in[i].shape, b, sizeof b));
    ret_out[0] = in[0];
    return ERR_NONE;
}

static Err add_forward(const Step *step)
{
    for (int64_t k = 0; k < in_count(step); k++) out_data(step, 0)[k] = in_data(step, 0)[k] + in_data(step, 1)[k];
    return ERR_NONE;
}
static Err add_backward(const Step *step)
{
    for (int64_t k = 0; k < in_count(step); k++) {
        const float dy = d_out_data(step, 0)[k];
        put_gradient(step, 0, k, dy);
        put_gradient(step, 1, k, dy);
    }
    return ERR_NONE;
}

static Err multiply_forward(const Step *step)
{
    for (int64_t k = 0; k < in_count(step); k++) out_data(step, 0)[k] = in_data(step, 0)[k] * in_data(step, 1)[k];
    return ERR_NONE;
}
static Err multiply_backward(const Step *step)
{
    for (int64_t k = 0; k < in_count(step); k++) {
        const float dy = d_out_data(step, 0)[k], a = in_data(step, 0)[k], b = in_data(step, 1)[k];
        put_gradient(step, 0, k, dy * b);
        put_gradient(step, 1, k, dy * a);
    }
    return ERR_NONE;
}

static Err sine_forward(const Step *step)
{
    for (int64_t k = 0; k < in_count(step); k++) out_data(step, 0)[k] = sinf(in_data(step, 0)[k]);
    return ERR_NONE;
}
static Err sine_backward(const Step *step)
{
    for (int64_t k = 0; k < in_count(step); k++)
        put_gradient(step, 0, k, d_out_data(step, 0)[k] * cosf(in_data(step, 0)[k]));
    return ERR_NONE;
}

static Err tanh_forward(const Step *step)
{
    for (int64_t k = 0; k < in_count(step); k++) out_data(step, 0)[k] = tanhf(in_data(step, 0)[k]);
    return ERR_NONE;
}
static Err tanh_backward(const Step *step)
{
    for (int64_t k = 0; k < in_count(step); k++) {
        const float y = out_data(step, 0)[k];
        put_gradient(step, 0, k, d_out_data(step, 0)[k] * (1.0F - y * y));
    }
    return ERR_NONE;
}

static Err split_infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    (void)attr, (void)n_in;
    for (int32_t i = 0; i < 3; i++) ret_out[i] = in[0];
    return ERR_NONE;
}
static Err split_prepare(Step *step)
{
    step->workspace_bytes = tensor_bytes(&step->in[0]);
    return ERR_NONE;
}
static Err split_forward(const Step *step)
{
    float *scratch = step->workspace;
    for (int64_t k = 0; k < in_count(step); k++) scratch[k] = in_data(step, 0)[k];
    for (int64_t k = 0; k < in_count(step); k++) {
        out_data(step, 0)[k] = scratch[k] * 0.5F;
        out_data(step, 1)[k] = scratch[k] * scratch[k];
        if (step->out[2].data != NULL) out_data(step, 2)[k] = 2.0F * scratch[k];
    }
    return ERR_NONE;
}
static Err split_backward(const Step *step)
{
    float *scratch = step->workspace;
    for (int64_t k = 0; k < in_count(step); k++) {
        scratch[k] = 0;
        if (step->d_out[0].data != NULL) scratch[k] += 0.5F * d_out_data(step, 0)[k];
        if (step->d_out[1].data != NULL) scratch[k] += out_data(step, 2)[k] * d_out_data(step, 1)[k];
    }
    for (int64_t k = 0; k < in_count(step); k++) put_gradient(step, 0, k, scratch[k]);
    return ERR_NONE;
}

static Err shift_backward(const Step *step)
{
    for (int64_t k = 0; k < in_count(step); k++) put_gradient(step, 0, k, d_out_data(step, 0)[k]);
    return ERR_NONE;
}

static Err scale_infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    (void)attr, (void)n_in;
    ret_out[0] = in[0];
    return ERR_NONE;
}
static Err scale_prepare(Step *step)
{
    step->state = calloc(1, sizeof(float));
    if (step->constant[1]) step->packed_in = READS_IN(1);
    return step->state != NULL ? ERR_NONE : err_memory(sizeof(float), "a factor");
}
static Err scale_pack(Step *step)
{
    if (step->constant[1]) *(float *)step->state = in_data(step, 1)[0];
    return ERR_NONE;
}
static Err scale_forward(const Step *step)
{
    const float factor = step->constant[1] ? *(const float *)step->state : in_data(step, 1)[0];
    for (int64_t k = 0; k < in_count(step); k++) out_data(step, 0)[k] = in_data(step, 0)[k] * factor;
    return ERR_NONE;
}
static void scale_release(Step *step) { free(step->state); }
static Err scale_backward(const Step *step)
{
    float sum = 0;
    for (int64_t k = 0; k < in_count(step); k++) {
        sum += d_out_data(step, 0)[k] * in_data(step, 0)[k];
        put_gradient(step, 0, k, d_out_data(step, 0)[k] * in_data(step, 1)[0]);
    }
    put_gradient(step, 1, 0, sum);
    return ERR_NONE;
}

static Err sum_infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    (void)attr, (void)n_in;
    ret_out[0] = (Tensor){ in[0].dtype, shape1(1), NULL };
    return ERR_NONE;
}
static Err sum_forward(const Step *step)
{
    double sum = 0;
    for (int64_t k = 0; k < in_count(step); k++) sum += (double)in_data(step, 0)[k];
    out_data(step, 0)[0] = (float)(sum * 0.1);
    return ERR_NONE;
}
static Err sum_backward(const Step *step)
{
    for (int64_t k = 0; k < in_count(step); k++) put_gradient(step, 0, k, 0.1F * d_out_data(step, 0)[0]);
    return ERR_NONE;
}

static const Kernel add_kernel = { .name = "plain", .forward = add_forward, .backward = add_backward };
static const Kernel multiply_kernel = { .name = "plain", .forward = multiply_forward, .backward = multiply_backward };
static const Kernel sine_kernel = { .name = "plain", .forward = sine_forward, .backward = sine_backward };
static const Kernel tanh_kernel = { .name = "plain", .forward = tanh_forward, .backward = tanh_backward };
static const Kernel split_kernel = {
    .name = "plain", .prepare = split_prepare, .forward = split_forward, .backward = split_backward
};
static const Kernel shift_kernel = { .name = "plain", .forward = add_forward, .backward = shift_backward };
static const Kernel scale_kernel = { .name = "plain",
                                     .prepare = scale_prepare,
                                     .pack = scale_pack,
                                     .forward = scale_forward,
                                     .backward = scale_backward,
                                     .release = scale_release };
static const Kernel sum_kernel = { .name = "plain", .forward = sum_forward, .backward = sum_backward };

static const Kernel *const add_kernels[] = { &add_kernel, NULL };
static const Kernel *const multiply_kernels[] = { &multiply_kernel, NULL };
static const Kernel *const sine_kernels[] = { &sine_kernel, NULL };
static const Kernel *const tanh_kernels[] = { &tanh_kernel, NULL };
static const Kernel *const split_kernels[] = { &split_kernel, NULL };
static const Kernel *const shift_kernels[] = { &shift_kernel, NULL };
static const Kernel *const scale_kernels[] = { &scale_kernel, NULL };
static const Kernel *const sum_kernels[] = { &sum_kernel, NULL };

static int64_t multiply_count(const Step *step) { return shape_count(&step->out[0].shape); }

static const OpDef op_add_ = { .name = "add",
                               .min_in = 2,
                               .max_in = 2,
                               .n_out = 1,
                               .n_results = 1,
                               .flags = OP_INPLACE,
                               .infer = same_shape,
                               .kernels = add_kernels };
static const OpDef op_multiply_ = { .name = "multiply",
                                    .min_in = 2,
                                    .max_in = 2,
                                    .n_out = 1,
                                    .n_results = 1,
                                    .bwd_reads = READS_IN(0) | READS_IN(1),
                                    .flags = OP_INPLACE,
                                    .infer = same_shape,
                                    .kernels = multiply_kernels,
                                    .multiply_adds = multiply_count };
static const OpDef op_sine_ = { .name = "sine",
                                .min_in = 1,
                                .max_in = 1,
                                .n_out = 1,
                                .n_results = 1,
                                .bwd_reads = READS_IN(0),
                                .infer = same_shape,
                                .kernels = sine_kernels };
static const OpDef op_tanh_ = { .name = "tanh",
                                .min_in = 1,
                                .max_in = 1,
                                .n_out = 1,
                                .n_results = 1,
                                .bwd_reads = READS_OUT(0),
                                .flags = OP_INPLACE,
                                .infer = same_shape,
                                .kernels = tanh_kernels };
static const OpDef op_split_ = { .name = "split",
                                 .min_in = 1,
                                 .max_in = 1,
                                 .n_out = 3,
                                 .n_results = 2,
                                 .bwd_reads = READS_OUT(2),
                                 .infer = split_infer,
                                 .kernels = split_kernels };
static const OpDef op_shift_ = { .name = "shift",
                                 .min_in = 2,
                                 .max_in = 2,
                                 .n_out = 1,
                                 .n_results = 1,
                                 .flags = OP_INPLACE,
                                 .no_grad_in = 1U << 1,
                                 .infer = same_shape,
                                 .kernels = shift_kernels };
static const OpDef op_scale_ = { .name = "scale",
                                 .min_in = 2,
                                 .max_in = 2,
                                 .n_out = 1,
                                 .n_results = 1,
                                 .bwd_reads = READS_IN(0) | READS_IN(1),
                                 .infer = scale_infer,
                                 .kernels = scale_kernels };
static const OpDef op_sum_ = {
    .name = "sum", .min_in = 1, .max_in = 1, .n_out = 1, .n_results = 1, .infer = sum_infer, .kernels = sum_kernels
};

static inline Var node1(Graph *g, const OpDef *op, Var a) { return graph_node(g, op, NULL, 1, &a); }
static inline Var node2(Graph *g, const OpDef *op, Var a, Var b)
{
    return graph_node(g, op, NULL, 2, (const Var[]){ a, b });
}

#endif
