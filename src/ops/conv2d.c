/* SPDX-License-Identifier: Apache-2.0
 *
 * 2-D convolution, channels last:
 *   y[b, oy, ox, co] = sum over ky, kx, ci of
 *     weight[co, ci, ky, kx] x[b, oy stride + ky dilation - top, ox stride + kx dilation - left, group(co) Cin/groups + ci]
 * zero outside x, then bias, folded BatchNorm, activation and residual (see ops.h).
 * Here: shapes, the plain kernel, descriptor.
 *
 * The plain kernel works with weights in the order [kh, kw, Cin/groups, Cout] ("taps"), so that inner loops run over
 * neighbouring output channels. Depthwise is the case Cin/groups = 1, where channel co reads channel co.
 */
#include "ops/conv2d_kernels.h"

#include "ops/column_sum.h"
#include "ops/conv2d_winograd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Conv2dShape conv2d_shape(const Step *step)
{
    const Conv2dAttr *attr = step->attr;
    const int64_t *x = step->in[0].shape.dim, *weight = step->in[1].shape.dim, *y = step->out[0].shape.dim;
    Conv2dShape s = { .batch = x[0], .in_height = x[1], .in_width = x[2], .in_channels = x[3] };
    s.out_height = y[1], s.out_width = y[2], s.out_channels = y[3];
    s.kernel_height = weight[2], s.kernel_width = weight[3];
    s.groups = attr->groups, s.stride = attr->stride;
    s.dilation = attr->dilation > 0 ? attr->dilation : 1;
    s.top = attr->top, s.left = attr->left, s.bottom = attr->bottom, s.right = attr->right;
    int32_t next = 2;
    s.bias = attr->has_bias ? next++ : -1;
    s.batchnorm = attr->has_batchnorm ? next : -1;
    next += attr->has_batchnorm ? 4 : 0;
    s.residual = attr->has_residual ? next : -1;
    s.eps = attr->batchnorm_eps;
    s.activation = attr->activation;
    s.activate_sum = attr->activate_sum;
    return s;
}

bool conv2d_is_constant(const Step *step, const Conv2dShape *shape)
{
    bool constant = step->constant[1];
    if (shape->bias >= 0) constant = constant && step->constant[shape->bias];
    for (int32_t i = 0; i < 4 && shape->batchnorm >= 0; i++)
        constant = constant && step->constant[shape->batchnorm + i];
    return constant;
}

static const float *input(const Step *step, int32_t index) { return step->in[index].data; }

void conv2d_fold(const Step *step, const Conv2dShape *shape, float *ret_weights, float *ret_bias)
{
    const float *weights = input(step, 1);
    const int64_t per_channel = conv2d_weight_count(shape) / shape->out_channels;
    const int32_t norm = shape->batchnorm;
    for (int64_t co = 0; co < shape->out_channels; co++) {
        double scale = 1.0, bias = shape->bias >= 0 ? (double)input(step, shape->bias)[co] : 0.0;
        if (norm >= 0) {
            const double variance = (double)input(step, norm + 3)[co];
            scale = (double)input(step, norm)[co] / sqrt(variance + (double)shape->eps);
            bias = scale * (bias - (double)input(step, norm + 2)[co]) + (double)input(step, norm + 1)[co];
        }
        ret_bias[co] = (float)bias;
        for (int64_t i = co * per_channel; i < (co + 1) * per_channel; i++)
            ret_weights[i] = (float)(scale * (double)weights[i]);
    }
}

void conv2d_packed_release(Step *step)
{
    Conv2dPacked *state = step->state;
    if (state == NULL) return;
    free(state->weights);
    free(state->bias);
    free(state);
    step->state = NULL;
}

Err conv2d_packed_new(Step *step, const Conv2dShape *shape, size_t bytes)
{
    if (!conv2d_is_constant(step, shape)) return ERR_NONE;
    Conv2dPacked *state = calloc(1, sizeof *state);
    if (state == NULL) return err_memory(sizeof *state, "a convolution");
    step->state = state;
    state->weights = aligned_alloc(BUFFER_ALIGNMENT, bytes);
    state->bias = aligned_alloc(BUFFER_ALIGNMENT, aligned_bytes((size_t)shape->out_channels * sizeof(float)));
    if (state->weights == NULL || state->bias == NULL) {
        conv2d_packed_release(step);
        return err_memory(bytes, "packed convolution weights");
    }
    for (int32_t i = 1; i < step->n_in; i++)
        if (i != shape->residual) step->packed_in |= READS_IN(i);
    return ERR_NONE;
}

void conv2d_bias_gradient(const Step *step, const Conv2dShape *shape)
{
    if (shape->bias < 0 || step->d_in[shape->bias].data == NULL) return;
    const int64_t pixels = shape->batch * shape->out_height * shape->out_width;
    column_sum(&step->device, step->d_out[0].data, pixels, shape->out_channels, step->accumulate[shape->bias],
               step->d_in[shape->bias].data);
}

/* ---- plain kernel ---- */

/* Workspace: folded weights [Cout, Cin/groups, kh, kw], the same as taps, bias [Cout]; backward: taps, gradient of the
 * taps in double. */
static Err plain_prepare(Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    const size_t count = (size_t)round_up(conv2d_weight_count(&s), 16);
    step->workspace_bytes = 3 * count * sizeof(float) + (size_t)s.out_channels * sizeof(float);
    return ERR_NONE;
}

/* weights [Cout, n, taps] -> [taps, n, Cout]. */
static void to_taps(const Conv2dShape *s, const float *weights, float *ret_taps)
{
    const int64_t taps = s->kernel_height * s->kernel_width, n = s->in_channels / s->groups, C = s->out_channels;
    for (int64_t co = 0; co < C; co++)
        for (int64_t ci = 0; ci < n; ci++)
            for (int64_t t = 0; t < taps; t++) ret_taps[(t * n + ci) * C + co] = weights[(co * n + ci) * taps + t];
}

static float activate(float value, Activation activation)
{
    switch (activation) {
    case ACTIVATION_RELU:
        return value > 0.0F ? value : 0.0F;
    case ACTIVATION_RELU6:
        return value > 0.0F ? (value < 6.0F ? value : 6.0F) : 0.0F;
    case ACTIVATION_SIGMOID:
        return 1.0F / (1.0F + expf(-value));
    case ACTIVATION_NONE:
    case ACTIVATION_GELU: /* infer refuses them */
    case ACTIVATION_MISH:
    case ACTIVATION_QUICK_GELU:
        break;
    }
    return value;
}

/* What follows a value of the convolution. */
static float tail(const Conv2dShape *s, float value, float residual)
{
    return s->activate_sum ? activate(value + residual, s->activation) : activate(value, s->activation) + residual;
}

/* y[0..Cout) += x[0..Cin) through one tap. */
static void add_tap(const Conv2dShape *s, const float *x, const float *tap, float *y)
{
    const int64_t C = s->out_channels;
    if (conv2d_is_depthwise(s)) {
        for (int64_t c = 0; c < C; c++) y[c] += x[c] * tap[c];
        return;
    }
    for (int64_t ci = 0; ci < s->in_channels; ci++)
        for (int64_t co = 0; co < C; co++) y[co] += x[ci] * tap[ci * C + co];
}

static bool inside(const Conv2dShape *s, int64_t iy, int64_t ix)
{
    return iy >= 0 && iy < s->in_height && ix >= 0 && ix < s->in_width;
}

static int64_t tap_length(const Conv2dShape *s) { return s->in_channels / s->groups * s->out_channels; }

static void forward_pixel(const Conv2dShape *s, const float *x, const float *taps, int64_t oy, int64_t ox, float *y)
{
    for (int64_t ky = 0; ky < s->kernel_height; ky++) {
        for (int64_t kx = 0; kx < s->kernel_width; kx++) {
            const int64_t iy = oy * s->stride + ky * s->dilation - s->top;
            const int64_t ix = ox * s->stride + kx * s->dilation - s->left;
            if (!inside(s, iy, ix)) continue;
            add_tap(s, x + (iy * s->in_width + ix) * s->in_channels, taps + (ky * s->kernel_width + kx) * tap_length(s),
                    y);
        }
    }
}

static Err plain_forward(const Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    const int64_t C = s.out_channels, count = round_up(conv2d_weight_count(&s), 16);
    float *folded = step->workspace, *taps = folded + count, *bias = taps + count, *y = step->out[0].data;
    const float *x = input(step, 0), *residual = s.residual >= 0 ? input(step, s.residual) : NULL;
    conv2d_fold(step, &s, folded, bias);
    to_taps(&s, folded, taps);
#pragma omp parallel for collapse(2) schedule(static) num_threads(step->device.threads)
    for (int64_t b = 0; b < s.batch; b++) {
        for (int64_t oy = 0; oy < s.out_height; oy++) {
            for (int64_t ox = 0; ox < s.out_width; ox++) {
                const int64_t at = ((b * s.out_height + oy) * s.out_width + ox) * C;
                for (int64_t c = 0; c < C; c++) y[at + c] = bias[c];
                forward_pixel(&s, x + b * s.in_height * s.in_width * s.in_channels, taps, oy, ox, y + at);
                for (int64_t c = 0; c < C; c++)
                    y[at + c] = tail(&s, y[at + c], residual != NULL ? residual[at + c] : 0.0F);
            }
        }
    }
    return ERR_NONE;
}

/* dx[0..Cin) += dy[0..Cout) through one tap, transposed. */
static void add_tap_transposed(const Conv2dShape *s, const float *dy, const float *tap, float *dx)
{
    const int64_t C = s->out_channels;
    if (conv2d_is_depthwise(s)) {
        for (int64_t c = 0; c < C; c++) dx[c] += dy[c] * tap[c];
        return;
    }
    for (int64_t ci = 0; ci < s->in_channels; ci++) {
        float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
        for (int64_t co = 0; co < C; co++) sum += dy[co] * tap[ci * C + co];
        dx[ci] += sum;
    }
}

/* All outputs that read input (iy, ix): oy stride + ky dilation - top = iy. */
static void backward_pixel(const Conv2dShape *s, const float *dy, const float *taps, int64_t iy, int64_t ix, float *dx)
{
    for (int64_t ky = 0; ky < s->kernel_height; ky++) {
        for (int64_t kx = 0; kx < s->kernel_width; kx++) {
            const int64_t y = iy + s->top - ky * s->dilation, x = ix + s->left - kx * s->dilation;
            if (y < 0 || x < 0 || y % s->stride != 0 || x % s->stride != 0) continue;
            const int64_t oy = y / s->stride, ox = x / s->stride;
            if (oy >= s->out_height || ox >= s->out_width) continue;
            add_tap_transposed(s, dy + (oy * s->out_width + ox) * s->out_channels,
                               taps + (ky * s->kernel_width + kx) * tap_length(s), dx);
        }
    }
}

static void backward_data(const Step *step, const Conv2dShape *s, const float *taps)
{
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    const bool add = step->accumulate[0];
#pragma omp parallel for collapse(2) schedule(static) num_threads(step->device.threads)
    for (int64_t b = 0; b < s->batch; b++) {
        for (int64_t iy = 0; iy < s->in_height; iy++) {
            for (int64_t ix = 0; ix < s->in_width; ix++) {
                float *pixel = dx + ((b * s->in_height + iy) * s->in_width + ix) * s->in_channels;
                if (!add) memset(pixel, 0, (size_t)s->in_channels * sizeof *pixel);
                backward_pixel(s, dy + b * s->out_height * s->out_width * s->out_channels, taps, iy, ix, pixel);
            }
        }
    }
}

/* Gradient of row `ci` of tap (ky, kx): sum[0..Cout) of x[ci] dy[co] over all pixels; depthwise: ci is 0, x[co]. */
static void backward_tap(const Conv2dShape *s, const float *x, const float *dy, int64_t ky, int64_t kx, int64_t ci,
                         double *ret_sum)
{
    const bool depthwise = conv2d_is_depthwise(s);
    const int64_t C = s->out_channels;
    for (int64_t c = 0; c < C; c++) ret_sum[c] = 0.0;
    for (int64_t p = 0; p < s->batch * s->out_height * s->out_width; p++) {
        const int64_t ox = p % s->out_width, oy = p / s->out_width % s->out_height,
                      b = p / s->out_width / s->out_height;
        const int64_t iy = oy * s->stride + ky * s->dilation - s->top;
        const int64_t ix = ox * s->stride + kx * s->dilation - s->left;
        if (!inside(s, iy, ix)) continue;
        const float *from = x + ((b * s->in_height + iy) * s->in_width + ix) * s->in_channels + ci;
        if (depthwise)
            for (int64_t c = 0; c < C; c++) ret_sum[c] += (double)(from[c] * dy[p * C + c]);
        else
            for (int64_t c = 0; c < C; c++) ret_sum[c] += (double)(*from * dy[p * C + c]);
    }
}

static void backward_weights(const Step *step, const Conv2dShape *s, double *sums)
{
    const int64_t taps = s->kernel_height * s->kernel_width, n = s->in_channels / s->groups, C = s->out_channels;
    float *d_weight = step->d_in[1].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < taps * n; row++) {
        const int64_t t = row / n, ci = row % n;
        double *sum = sums + row * C;
        backward_tap(s, input(step, 0), step->d_out[0].data, t / s->kernel_width, t % s->kernel_width, ci, sum);
        for (int64_t co = 0; co < C; co++) {
            float *element = &d_weight[(co * n + ci) * taps + t];
            *element = (float)(sum[co] + (step->accumulate[1] ? (double)*element : 0.0));
        }
    }
}

static Err plain_backward(const Step *step)
{
    const Conv2dShape s = conv2d_shape(step);
    float *taps = step->workspace;
    if (step->d_in[0].data != NULL) {
        to_taps(&s, input(step, 1), taps);
        backward_data(step, &s, taps);
    }
    double *sums = (double *)(void *)(taps + round_up(conv2d_weight_count(&s), 16));
    if (step->d_in[1].data != NULL) backward_weights(step, &s, sums);
    conv2d_bias_gradient(step, &s);
    return ERR_NONE;
}

/* ---- descriptor ---- */

static bool is_vector(const Tensor *tensor, int64_t n)
{
    return tensor->dtype == DTYPE_F32 && shape_count(&tensor->shape) == n;
}

static Err infer(const void *attribute, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const Conv2dAttr *attr = attribute;
    const Tensor *x = &in[0], *weight = &in[1];
    char text[2][96];
    const int32_t expected =
        2 + (attr->has_bias ? 1 : 0) + (attr->has_batchnorm ? 4 : 0) + (attr->has_residual ? 1 : 0);
    if (n_in != expected) return err_set(ERR_SHAPE, "conv2d: %d inputs; expected %d", n_in, expected);
    const int64_t *xd = x->shape.dim, *wd = weight->shape.dim;
    const int64_t groups = attr->groups, dilation = attr->dilation > 0 ? attr->dilation : 1;
    bool fits = x->dtype == DTYPE_F32 && weight->dtype == DTYPE_F32 && x->shape.rank == 4 && weight->shape.rank == 4 &&
                attr->stride > 0 && attr->dilation >= 0 && groups > 0 &&
                (groups == 1 || (groups == xd[3] && wd[0] == groups)) && wd[1] * groups == xd[3] &&
                !activation_stands_apart(attr->activation);
    const int64_t height = xd[1] + attr->top + attr->bottom - (wd[2] - 1) * dilation - 1;
    const int64_t width = xd[2] + attr->left + attr->right - (wd[3] - 1) * dilation - 1;
    fits = fits && height >= 0 && width >= 0;
    if (!fits)
        return err_set(ERR_SHAPE,
                       "conv2d: x %s with weight %s, %d groups, stride %d; expected f32 x [B, H, W, Cin] and "
                       "weight [Cout, Cin / groups, kh, kw], groups 1 or depthwise, x not smaller than the kernel",
                       shape_text(&x->shape, text[0], sizeof text[0]),
                       shape_text(&weight->shape, text[1], sizeof text[1]), attr->groups, attr->stride);
    const Shape out = { 4, { xd[0], height / attr->stride + 1, width / attr->stride + 1, wd[0] } };
    const int32_t vectors = (attr->has_bias ? 1 : 0) + (attr->has_batchnorm ? 4 : 0);
    for (int32_t i = 2; i < 2 + vectors; i++)
        if (!is_vector(&in[i], wd[0]))
            return err_set(ERR_SHAPE, "conv2d: input %d is %s; expected f32 [%d], one value per output channel", i,
                           shape_text(&in[i].shape, text[0], sizeof text[0]), (int)wd[0]);
    if (attr->has_residual && !shape_equal(&in[n_in - 1].shape, &out))
        return err_set(ERR_SHAPE, "conv2d: residual %s differs from the result %s",
                       shape_text(&in[n_in - 1].shape, text[0], sizeof text[0]),
                       shape_text(&out, text[1], sizeof text[1]));
    ret_out[0] = (Tensor){ .dtype = DTYPE_F32, .shape = out };
    return ERR_NONE;
}

static const Kernel kernel_plain = {
    .name = "plain", .prepare = plain_prepare, .forward = plain_forward, .backward = plain_backward
};
static const Kernel *const kernels[] = { KERNEL_DNNL(conv2d_dnnl) KERNEL_AVX2(conv2d_winograd)
                                                 KERNEL_AVX512(conv2d_strided_avx512) KERNEL_AVX2(conv2d_strided_avx2)
                                                     KERNEL_AVX512(conv2d_depthwise_avx512)
                                                         KERNEL_AVX2(conv2d_depthwise_avx2) &
                                             kernel_plain,
                                         NULL };

/* The first of a list that runs on the step's device and suits it; NULL: none. */
static const Kernel *choose_own(const Kernel *const *own, const Step *step)
{
    for (int64_t i = 0; own[i] != NULL; i++)
        if (own[i]->isa <= step->device.isa && own[i]->suits(step)) return own[i];
    return NULL;
}

const Kernel *conv2d_depthwise_kernel(const Step *step)
{
    static const Kernel *const own[] = { KERNEL_AVX512(conv2d_depthwise_avx512) KERNEL_AVX2(conv2d_depthwise_avx2)
                                             NULL };
    return choose_own(own, step);
}

bool conv2d_own_wins(const Step *step)
{
    static const Kernel *const winograd[] = { KERNEL_AVX2(conv2d_winograd) NULL };
    static const Kernel *const strided[] = { KERNEL_AVX512(conv2d_strided_avx512) KERNEL_AVX2(conv2d_strided_avx2)
                                                 NULL };
    const Conv2dShape s = conv2d_shape(step);
    if (choose_own(winograd, step) != NULL)
        return winograd_wins(s.batch, s.out_height, s.out_width, s.in_channels, s.out_channels);
    /* Measured on an AMD EPYC with AVX2: oneDNN is as fast with one tap, and forward with few channels (7x7 of an image). */
    return choose_own(strided, step) != NULL && s.kernel_height * s.kernel_width > 1 &&
           (step->training || s.in_channels >= 16);
}

static int64_t multiply_adds(const Step *step)
{
    const int64_t *weight = step->in[1].shape.dim;
    return shape_count(&step->out[0].shape) * weight[1] * weight[2] * weight[3];
}

const OpDef op_def_conv2d = {
    .name = "conv2d",
    .min_in = 2,
    .max_in = 8,
    .n_out = 1,
    .n_results = 1,
    .bwd_reads = READS_IN(0) | READS_IN(1),
    .attr_size = sizeof(Conv2dAttr),
    .infer = infer,
    .kernels = kernels,
    .multiply_adds = multiply_adds,
};

Var op_conv2d(Graph *g, Var x, Var weight, Var bias, Conv2dFold fold, Conv2dAttr attr)
{
    Var in[8] = { x, weight };
    int32_t n = 2;
    attr.has_bias = var_exists(bias);
    attr.has_batchnorm = var_exists(fold.batchnorm_weight);
    attr.has_residual = var_exists(fold.residual);
    if (graph_training(g) && (attr.has_batchnorm || attr.has_residual || attr.activation != ACTIVATION_NONE)) {
        graph_fail(g, "conv2d: folded normalisation, activation and residual are for inference graphs");
        return VAR_NONE;
    }
    if (attr.has_bias) in[n++] = bias;
    if (attr.has_batchnorm) {
        in[n++] = fold.batchnorm_weight;
        in[n++] = fold.batchnorm_bias;
        in[n++] = fold.batchnorm_mean;
        in[n++] = fold.batchnorm_var;
    }
    if (attr.has_residual) in[n++] = fold.residual;
    return graph_node(g, &op_def_conv2d, &attr, n, in);
}
