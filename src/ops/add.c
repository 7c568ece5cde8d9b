/* SPDX-License-Identifier: Apache-2.0
 *
 * y = a + b. Both gradients are the one that arrives; that of a b which is added many times (positions to
 * each image, a bias to each token) is the sum over them.
 */
#include "ops/column_sum.h"
#include "ops/ops.h"

static Err forward(const Step *step)
{
    const int64_t n = shape_count(&step->in[1].shape), rows = shape_count(&step->in[0].shape) / n;
    const float *a = step->in[0].data, *b = step->in[1].data;
    float *y = step->out[0].data;
    if (rows == 1) {
#pragma omp parallel for simd schedule(static) num_threads(step->device.threads)
        for (int64_t i = 0; i < n; i++) y[i] = a[i] + b[i];
        return ERR_NONE;
    }
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < rows; row++) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) y[row * n + i] = a[row * n + i] + b[i];
    }
    return ERR_NONE;
}

/* dx [n] (+)= the sum over the rows of dy [rows, n]. */
static void pass(const Step *step, int32_t input, int64_t rows, int64_t n)
{
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[input].data;
#pragma omp parallel num_threads(step->device.threads)
    for (int64_t row = 0; row < rows; row++) {
        const float *from = dy + row * n;
        const bool add = step->accumulate[input] || row > 0;
#pragma omp for simd schedule(static) nowait /* each thread has the same elements in every row */
        for (int64_t i = 0; i < n; i++) dx[i] = add ? dx[i] + from[i] : from[i];
    }
}

static Err backward(const Step *step)
{
    enum { FEW = 16 }; /* images rather than tokens */
    const int64_t all = shape_count(&step->in[0].shape), n = shape_count(&step->in[1].shape), rows = all / n;
    if (step->d_in[1].data != NULL && rows <= FEW) pass(step, 1, rows, n);
    if (step->d_in[1].data != NULL && rows > FEW)
        column_sum(&step->device, step->d_out[0].data, rows, n, step->accumulate[1], step->d_in[1].data);
    if (step->d_in[0].data != NULL && step->d_in[0].data != step->d_out[0].data) pass(step, 0, 1, all);
    return ERR_NONE;
}

/* Whether b has the last dimensions of a, perhaps behind dimensions of 1. */
static bool fits(const Shape *a, const Shape *b)
{
    int32_t i = b->rank - 1, j = a->rank - 1;
    while (i >= 0 && j >= 0 && a->dim[j] == b->dim[i]) {
        i--;
        j--;
    }
    for (; i >= 0; i--)
        if (b->dim[i] != 1 || j-- < 0) return false;
    return true;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char a[96], b[96];
    (void)attr, (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[1].dtype != DTYPE_F32) return err_set(ERR_SHAPE, "add: inputs must be f32");
    if (!fits(&in[0].shape, &in[1].shape))
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
