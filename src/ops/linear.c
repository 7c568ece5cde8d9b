/* SPDX-License-Identifier: Apache-2.0
 *
 * y [rows, Cout] = act(x [rows, Cin] weight^T + bias) + residual; weight [Cout, Cin], bias [Cout] (optional); rows = all
 * leading dimensions. Without activation and residual (inference only): dx = dy weight,  dweight = dy^T x,  dbias = sum of
 * dy over rows. Here: shapes, the plain kernel, descriptor.
 */
#include "ops/linear_kernels.h"

#include "ops/column_sum.h"

#include <math.h>

LinearShape linear_shape(const Step *step)
{
    const LinearAttr *attr = step->attr;
    return (LinearShape){ .rows = rows_of(&step->in[0]),
                          .in_channels = channels_of(&step->in[0]),
                          .out_channels = channels_of(&step->out[0]),
                          .has_bias = attr->has_bias,
                          .residual = attr->has_residual ? 2 + (attr->has_bias ? 1 : 0) : -1,
                          .activation = attr->activation };
}

void linear_bias_gradient(const Step *step)
{
    const LinearShape s = linear_shape(step);
    if (!s.has_bias || step->d_in[2].data == NULL) return;
    column_sum(&step->device, step->d_out[0].data, s.rows, s.out_channels, step->accumulate[2], step->d_in[2].data);
}

static float dot(const float *a, const float *b, int64_t n)
{
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static float activate(float value, Activation activation)
{
    if (activation == ACTIVATION_RELU) return value > 0.0F ? value : 0.0F;
    if (activation == ACTIVATION_GELU) return 0.5F * value * erfcf(-0.707106781F * value);
    return value;
}

static Err forward(const Step *step)
{
    const LinearShape s = linear_shape(step);
    const float *x = step->in[0].data, *weight = step->in[1].data, *bias = s.has_bias ? step->in[2].data : NULL;
    const float *residual = s.residual >= 0 ? step->in[s.residual].data : NULL;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t r = 0; r < s.rows; r++)
        for (int64_t co = 0; co < s.out_channels; co++) {
            const float sum = dot(x + r * s.in_channels, weight + co * s.in_channels, s.in_channels);
            const int64_t at = r * s.out_channels + co;
            y[at] = activate(sum + (bias != NULL ? bias[co] : 0.0F), s.activation) +
                    (residual != NULL ? residual[at] : 0.0F);
        }
    return ERR_NONE;
}

static void backward_data(const Step *step, const LinearShape *s)
{
    const float *dy = step->d_out[0].data, *weight = step->in[1].data;
    float *dx = step->d_in[0].data;
    const bool add = step->accumulate[0];
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t r = 0; r < s->rows; r++) {
        float *row = dx + r * s->in_channels;
        for (int64_t ci = 0; ci < s->in_channels && !add; ci++) row[ci] = 0.0F;
        for (int64_t co = 0; co < s->out_channels; co++) {
            const float gradient = dy[r * s->out_channels + co];
            for (int64_t ci = 0; ci < s->in_channels; ci++) row[ci] += gradient * weight[co * s->in_channels + ci];
        }
    }
}

static void backward_weights(const Step *step, const LinearShape *s)
{
    const float *dy = step->d_out[0].data, *x = step->in[0].data;
    float *d_weight = step->d_in[1].data;
    const bool add = step->accumulate[1];
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t co = 0; co < s->out_channels; co++) {
        float *row = d_weight + co * s->in_channels;
        for (int64_t ci = 0; ci < s->in_channels && !add; ci++) row[ci] = 0.0F;
        for (int64_t r = 0; r < s->rows; r++) {
            const float gradient = dy[r * s->out_channels + co];
            for (int64_t ci = 0; ci < s->in_channels; ci++) row[ci] += gradient * x[r * s->in_channels + ci];
        }
    }
}

static Err backward(const Step *step)
{
    const LinearShape s = linear_shape(step);
    if (step->d_in[0].data != NULL) backward_data(step, &s);
    if (step->d_in[1].data != NULL) backward_weights(step, &s);
    linear_bias_gradient(step);
    return ERR_NONE;
}

static Err infer(const void *attribute, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const LinearAttr *attr = attribute;
    const Tensor *x = &in[0], *weight = &in[1];
    char text[3][96];
    const int64_t out_channels = weight->shape.dim[0];
    const Activation activation = attr->activation;
    bool fits = n_in == 2 + (attr->has_bias ? 1 : 0) + (attr->has_residual ? 1 : 0) && x->shape.rank >= 1 &&
                weight->shape.rank == 2 && weight->shape.dim[1] == channels_of(x);
    for (int32_t i = 0; i < n_in; i++) fits = fits && in[i].dtype == DTYPE_F32;
    fits = fits && (activation == ACTIVATION_NONE || activation == ACTIVATION_RELU || activation == ACTIVATION_GELU);
    if (attr->has_bias && n_in >= 3) fits = fits && in[2].shape.rank == 1 && in[2].shape.dim[0] == out_channels;
    if (!fits)
        return err_set(ERR_SHAPE, "linear: x %s, weight %s, bias %s; expected f32 [..., Cin], [Cout, Cin], [Cout]",
                       shape_text(&x->shape, text[0], sizeof text[0]),
                       shape_text(&weight->shape, text[1], sizeof text[1]),
                       attr->has_bias && n_in > 2 ? shape_text(&in[2].shape, text[2], sizeof text[2]) : "none");
    Tensor out = { .dtype = DTYPE_F32, .shape = x->shape };
    out.shape.dim[out.shape.rank - 1] = out_channels;
    if (attr->has_residual && !shape_equal(&in[n_in - 1].shape, &out.shape))
        return err_set(ERR_SHAPE, "linear: residual %s differs from the result %s",
                       shape_text(&in[n_in - 1].shape, text[0], sizeof text[0]),
                       shape_text(&out.shape, text[1], sizeof text[1]));
    ret_out[0] = out;
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { KERNEL_DNNL(linear_dnnl) & kernel_plain, NULL };

static int64_t multiply_adds(const Step *step) { return shape_count(&step->out[0].shape) * channels_of(&step->in[0]); }

const OpDef op_def_linear = {
    .name = "linear",
    .min_in = 2,
    .max_in = 4,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1),
    .attr_size = sizeof(LinearAttr),
    .infer = infer,
    .kernels = kernels,
    .multiply_adds = multiply_adds,
};

Var op_linear(Graph *g, Var x, Var weight, Var bias)
{
    const LinearAttr attr = { .has_bias = var_exists(bias) };
    return graph_node(g, &op_def_linear, &attr, attr.has_bias ? 3 : 2, (const Var[]){ x, weight, bias });
}

Var op_linear_folded(Graph *g, Var x, Var weight, Var bias, Activation activation, Var residual)
{
    const LinearAttr attr = { .has_bias = var_exists(bias),
                              .has_residual = var_exists(residual),
                              .activation = activation };
    if (graph_training(g)) {
        graph_fail(g, "linear: folded activation and residual are for inference graphs");
        return VAR_NONE;
    }
    Var in[4] = { x, weight };
    int32_t n = 2;
    if (attr.has_bias) in[n++] = bias;
    if (attr.has_residual) in[n++] = residual;
    return graph_node(g, &op_def_linear, &attr, n, in);
}
