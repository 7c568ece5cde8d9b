/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of conv2d share. */
#ifndef METASEG_OPS_CONV2D_KERNELS_H
#define METASEG_OPS_CONV2D_KERNELS_H

#include "ops/kernel_util.h"
#include "ops/ops.h"

extern const Kernel conv2d_dnnl, conv2d_winograd, conv2d_strided_avx2, conv2d_strided_avx512, conv2d_depthwise_avx2,
    conv2d_depthwise_avx512;

/* Sizes of a convolution and where its optional inputs stand (-1: absent). */
typedef struct Conv2dShape {
    int64_t batch, in_height, in_width, in_channels, out_height, out_width, out_channels;
    int64_t kernel_height, kernel_width, groups, stride, dilation, top, left, bottom, right;
    int32_t bias, batchnorm, residual; /* input indexes; batchnorm: weight, bias, mean, var from there */
    float eps;
    Activation activation;
    bool activate_sum; /* with the residual */
} Conv2dShape;

Conv2dShape conv2d_shape(const Step *step);

/* Our own vector kernel for a depthwise step on its device; NULL: none. */
const Kernel *conv2d_depthwise_kernel(const Step *step);

/* True where one of our own kernels for dense convolutions suits the step and is faster than oneDNN's. */
bool conv2d_own_wins(const Step *step);

static inline bool conv2d_is_depthwise(const Conv2dShape *s) { return s->groups > 1 && s->groups == s->in_channels; }

/* A matrix product per pixel: 1x1, stride 1, no padding. */
static inline bool conv2d_is_pointwise(const Conv2dShape *s)
{
    return s->kernel_height == 1 && s->kernel_width == 1 && s->stride == 1 && s->groups == 1 && s->top == 0 &&
           s->left == 0 && s->bottom == 0 && s->right == 0;
}

/* Elements of the weights. */
static inline int64_t conv2d_weight_count(const Conv2dShape *s)
{
    return s->out_channels * (s->in_channels / s->groups) * s->kernel_height * s->kernel_width;
}

/* True when weight, bias and batch normalisation change only between pack() calls. */
bool conv2d_is_constant(const Step *step, const Conv2dShape *shape);

/* True when a bias has to be added: the input is there or BatchNorm is folded. */
static inline bool conv2d_has_bias(const Conv2dShape *s) { return s->bias >= 0 || s->batchnorm >= 0; }

/* Weights and bias with the BatchNorm folded in, computed in double (Jacob et al. 2018, section 3.2):
 *   k = bn_weight / sqrt(bn_var + eps),  weights' = k weights,  bias' = k (bias - bn_mean) + bn_bias.
 * ret_weights in PyTorch order [Cout, Cin/groups, kh, kw], ret_bias [Cout]. */
void conv2d_fold(const Step *step, const Conv2dShape *shape, float *ret_weights, float *ret_bias);

/* State of our own dense kernels, of steps with constant weights alone: what pack writes. */
typedef struct Conv2dPacked {
    float *weights, *bias; /* bias [Cout] */
} Conv2dPacked;

/* Makes the state where the weights are constant, `bytes` (a multiple of BUFFER_ALIGNMENT) for them as the kernel orders them, and
 * tells that forward does not read them. ERR_MEMORY: nothing is left. */
Err conv2d_packed_new(Step *step, const Conv2dShape *shape, size_t bytes);
void conv2d_packed_release(Step *step);

/* d_bias [Cout] = (or +=) sum over all pixels of dy. No-op when that gradient is not wanted. */
void conv2d_bias_gradient(const Step *step, const Conv2dShape *shape);

#endif
