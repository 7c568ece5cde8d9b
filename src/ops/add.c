/* SPDX-License-Identifier: Apache-2.0
 *
 * y = a + b. Both gradients are the one that arrives; that of a b which is added to each image is the sum over the
 * images, in their order.
 */
#include "ops/ops.h"

static Err forward(const Step *step)
{
    const int64_t n = shape_count(&step->in[1].shape), images = shape_count(&step->in[0].shape) / n;
    const float *a = step->in[0].data, *b = step->in[1].data;
    float *y = step->out[0].data;
#pragma omp parallel num_threads(step->device.threads)
    for (int64_t image = 0; image < images; image++) {
        const float *from = a + image * n;
        float *to = y + image * n;
#pragma omp for simd schedule(static) nowait
        for (int64_t i = 0; i < n; i++) to[i] = from[i] + b[i];
    }
    return ERR_NONE;
}

/* dx [n] (+)= the sum of dy [images, n] over the images. */
static void pass(const Step *step, int32_t input, int64_t images, int64_t n)
{
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[input].data;
#pragma omp parallel num_threads(step->device.threads)
    for (int64_t image = 0; image < images; image++) {
        const float *from = dy + image * n;
        const bool add = step->accumulate[input] || image > 0;
#pragma omp for simd schedule(static) nowait
        for (int64_t i = 0; i < n; i++) dx[i] = add ? dx[i] + from[i] : from[i];
    }
}

static Err backward(const Step *step)
{
    const int64_t all = shape_count(&step->in[0].shape), n = shape_count(&step->in[1].shape);
    if (step->d_in[1].data != NULL) pass(step, 1, all / n, n);
    if (step->d_in[0].data != NULL && step->d_in[0].data != step->d_out[0].data) pass(step, 0, 1, all);
    return ERR_NONE;
}

/* Whether b has the shape of a, or that of one image of it. */
static bool fits(const Shape *a, const Shape *b)
{
    if (shape_equal(a, b)) return true;
    if (b->rank != a->rank || a->rank < 1 || b->dim[0] != 1) return false;
    for (int32_t i = 1; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
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
