/* SPDX-License-Identifier: Apache-2.0
 *
 * L2 normalisation over the last dimension: y = x / n, n = sqrt(max(sum of x^2, eps)).
 * Backward: dx = (dy - y sum(y dy)) / n, without the sum where eps is the larger.
 */
#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <math.h>

static float square_sum(const float *x, int64_t n)
{
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sum;
}

static Err forward(const Step *step)
{
    const L2NormaliseAttr *attr = step->attr;
    const int64_t channels = channels_of(&step->in[0]), rows = rows_of(&step->in[0]);
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < rows; row++) {
        const float *from = x + row * channels;
        float *to = y + row * channels;
        const float factor = 1.0F / sqrtf(fmaxf(square_sum(from, channels), attr->eps));
#pragma omp simd
        for (int64_t c = 0; c < channels; c++) to[c] = from[c] * factor;
    }
    return ERR_NONE;
}

static void backward_row(const float *x, const float *dy, float *dx, int64_t channels, float eps, bool add)
{
    const float sum = square_sum(x, channels), factor = 1.0F / sqrtf(fmaxf(sum, eps));
    float product = 0.0F;
#pragma omp simd reduction(+ : product)
    for (int64_t c = 0; c < channels; c++) product += x[c] * dy[c];
    product = sum > eps ? product * factor * factor : 0.0F;
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
        const float gradient = (dy[c] - x[c] * product) * factor;
        dx[c] = add ? dx[c] + gradient : gradient;
    }
}

static Err backward(const Step *step)
{
    const L2NormaliseAttr *attr = step->attr;
    const int64_t channels = channels_of(&step->in[0]), rows = rows_of(&step->in[0]);
    const float *x = step->in[0].data, *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < rows; row++)
        backward_row(x + row * channels, dy + row * channels, dx + row * channels, channels, attr->eps,
                     step->accumulate[0]);
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    (void)attr;
    (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[0].shape.rank < 1)
        return err_set(ERR_SHAPE, "l2_normalise: input is %s, not f32", dtype_name(in[0].dtype));
    ret_out[0] = in[0];
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_l2_normalise = {
    .name = "l2_normalise",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_IN(0),
    .flags = OP_INPLACE,
    .attr_size = sizeof(L2NormaliseAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_l2_normalise(Graph *g, Var x, float eps)
{
    const L2NormaliseAttr attr = { .eps = eps };
    return graph_node(g, &op_def_l2_normalise, &attr, 1, &x);
}
