/* SPDX-License-Identifier: Apache-2.0
 * Elementwise activations. Backward reads only the result y: ReLU' = [y > 0], ReLU6' = [0 < y < 6],
 * sigmoid' = y (1 - y). */
#include "ops/activation_kernels.h"

#include "ops/ops.h"

#include <math.h>

static void forward_relu(const float *x, float *y, int64_t n, float high)
{
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < n; i++) {
        const float positive = x[i] < 0.0F ? 0.0F : x[i]; /* not a number stays so */
        y[i] = positive > high ? high : positive;
    }
}

static void forward_sigmoid(const float *x, float *y, int64_t n)
{
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < n; i++) y[i] = 1.0F / (1.0F + expf(-x[i]));
}

static Err forward(const Step *step)
{
    const Activation *activation = step->attr;
    const int64_t n = shape_count(&step->in[0].shape);
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
    if (*activation == ACTIVATION_SIGMOID)
        forward_sigmoid(x, y, n);
    else
        forward_relu(x, y, n, *activation == ACTIVATION_RELU6 ? 6.0F : 3.4e38F);
    return ERR_NONE;
}

static void backward_relu(const float *y, const float *dy, float *dx, int64_t n, float high, bool add)
{
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < n; i++) {
        const float gradient = (y[i] > 0.0F) & (y[i] < high) ? dy[i] : 0.0F;
        dx[i] = add ? dx[i] + gradient : gradient;
    }
}

static void backward_sigmoid(const float *y, const float *dy, float *dx, int64_t n, bool add)
{
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < n; i++) {
        const float gradient = dy[i] * y[i] * (1.0F - y[i]);
        dx[i] = add ? dx[i] + gradient : gradient;
    }
}

static Err backward(const Step *step)
{
    const Activation *activation = step->attr;
    const int64_t n = shape_count(&step->in[0].shape);
    const float *y = step->out[0].data, *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
    if (*activation == ACTIVATION_SIGMOID)
        backward_sigmoid(y, dy, dx, n, step->accumulate[0]);
    else
        backward_relu(y, dy, dx, n, *activation == ACTIVATION_RELU6 ? 6.0F : 3.4e38F, step->accumulate[0]);
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const Activation *activation = attr;
    (void)n_in;
    if (in[0].dtype != DTYPE_F32)
        return err_set(ERR_SHAPE, "activation: input is %s, not f32", dtype_name(in[0].dtype));
    if (*activation != ACTIVATION_RELU && *activation != ACTIVATION_RELU6 && *activation != ACTIVATION_SIGMOID)
        return err_set(ERR_SHAPE, "activation: function %d is not ReLU, ReLU6 or sigmoid", (int)*activation);
    ret_out[0] = in[0];
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { KERNEL_AVX512(activation_avx512) KERNEL_AVX2(activation_avx2) & kernel_plain,
                                         NULL };

const OpDef op_def_activation = {
    .name = "activation",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_OUT(0),
    .flags = OP_INPLACE,
    .attr_size = sizeof(Activation),
    .infer = infer,
    .kernels = kernels,
};

Var op_activation(Graph *g, Var x, Activation activation)
{
    if (activation == ACTIVATION_NONE) return x;
    if (activation == ACTIVATION_GELU) return op_gelu(g, x);
    if (activation == ACTIVATION_MISH) return op_mish(g, x);
    if (activation == ACTIVATION_QUICK_GELU) return op_quick_gelu(g, x);
    return graph_node(g, &op_def_activation, &activation, 1, &x);
}
