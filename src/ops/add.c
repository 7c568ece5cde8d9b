/* SPDX-License-Identifier: Apache-2.0
 * y = a + b. Both gradients are the one that arrives. */
#include "ops/ops.h"

static Err forward(const Step *step)
{
    const int64_t n = shape_count(&step->in[0].shape);
    const float *a = step->in[0].data, *b = step->in[1].data;
    float *y = step->out[0].data;
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < n; i++) y[i] = a[i] + b[i];
    return ERR_NONE;
}

static void pass(const float *dy, float *dx, int64_t n, bool add)
{
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < n; i++) dx[i] = add ? dx[i] + dy[i] : dy[i];
}

static Err backward(const Step *step)
{
    const int64_t n = shape_count(&step->in[0].shape);
    const float *dy = step->d_out[0].data;
    for (int32_t i = 1; i >= 0; i--) /* in[0] last: its gradient may replace dy */
        if (step->d_in[i].data != NULL && step->d_in[i].data != dy)
            pass(dy, step->d_in[i].data, n, step->accumulate[i]);
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char a[96], b[96];
    (void)attr, (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[1].dtype != DTYPE_F32) return err_set(ERR_SHAPE, "add: inputs must be f32");
    if (!shape_equal(&in[0].shape, &in[1].shape))
        return err_set(ERR_SHAPE, "add: shapes %s and %s differ", shape_text(&in[0].shape, a, sizeof a),
                       shape_text(&in[1].shape, b, sizeof b));
    ret_out[0] = in[0];
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_add = {
    .name = "add",
    .min_in = 2,
    .max_in = 2,
    .n_out = 1,
    .n_results = 1,
    .flags = OP_INPLACE,
    .infer = infer,
    .kernels = kernels,
};

Var op_add(Graph *g, Var a, Var b) { return graph_node(g, &op_def_add, NULL, 2, (const Var[]){ a, b }); }
