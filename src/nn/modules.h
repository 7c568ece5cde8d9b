/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules: functions that add the nodes of a layer, with parameters named as PyTorch names them. `name` is the module's
 * name in the current scope: nn_linear(g, "fc1", ...) owns "fc1.weight" and "fc1.bias". Channels last throughout.
 *
 * In a training graph convolution, BatchNorm, activation and residual are separate nodes; in an inference graph they
 * are one folded convolution. Both own the same parameters, so one set serves both.
 */
#ifndef METASEG_NN_MODULES_H
#define METASEG_NN_MODULES_H

#include "ops/ops.h"

/* Padding of a convolution: a number of pixels on each side, or TensorFlow's "same" (smaller half at top and left). */
enum { NN_PADDING_SAME = -1 };

/* A square convolution. depthwise: one filter per channel, channels must be those of the input. */
typedef struct NnConv {
    int64_t channels; /* of the result */
    int32_t kernel, stride, padding;
    int32_t dilation; /* 0 is 1 */
    bool depthwise, bias;
} NnConv;

/* momentum as PyTorch's: running = (1 - momentum) running + momentum batch. */
typedef struct NnBatchnorm {
    float eps, momentum;
} NnBatchnorm;

/* PyTorch's defaults. */
#define NN_BATCHNORM ((NnBatchnorm){ .eps = 1e-5F, .momentum = 0.1F })

/* A convolution that keeps the size at stride 1: padding kernel / 2, without bias. */
NnConv nn_square(int64_t channels, int32_t kernel, int32_t stride);

/* Fully connected: x [..., Cin] -> [..., channels], with bias. Initial weights: normal with this std, 0: zeros. */
Var nn_linear(Graph *g, const char *name, Var x, int64_t channels, double std);

/* act(x W^T + b) + residual, x [..., Cin]. activation NONE, RELU or GELU; residual VAR_NONE: none. Initial weights:
 * normal with this std (0: zeros), bias 0. */
typedef struct NnLinear {
    int64_t channels; /* of the result */
    double std;
    bool bias;
} NnLinear;
Var nn_linear_act(Graph *g, const char *name, Var x, NnLinear linear, Activation activation, Var residual);

/* Stochastic depth (Huang et al., ECCV 2016): of what a residual branch gives, each sample is left out with probability p, else
 * divided by 1 - p. In training graphs; x itself in others and for p 0. */
Var nn_drop_path(Graph *g, Var x, float p);

/* Its rate in block `block` of `blocks`: grows linearly from 0 to `last` in the last block. */
float nn_drop_path_rate(float last, int32_t block, int32_t blocks);

/* residual + nn_drop_path(x W^T + b). */
Var nn_linear_branch(Graph *g, const char *name, Var x, NnLinear linear, float drop_path, Var residual);

/* LayerNorm over the last dimension. */
Var nn_layernorm(Graph *g, const char *name, Var x, float eps);

/* act(conv(x)) + residual; x [B, H, W, Cin]. residual VAR_NONE: none. Initial weights: kaiming-normal over the fan-in
 * with gain sqrt(2), bias 0. */
Var nn_conv(Graph *g, const char *name, Var x, NnConv conv, Activation activation, Var residual);

/* act(BatchNorm(x)), x [..., C]. activation NONE, RELU or RELU6. */
Var nn_batchnorm(Graph *g, const char *name, Var x, NnBatchnorm norm, Activation activation);

/* act(BatchNorm(conv(x))) + residual; conv_name and norm_name are the two modules' names ("0" and "1" in a PyTorch
 * Sequential). */
Var nn_conv_bn(Graph *g, const char *conv_name, const char *norm_name, Var x, NnConv conv, NnBatchnorm norm,
               Activation activation, Var residual);

/* nn_conv_bn with NN_BATCHNORM, the two modules "0" and "1" in a Sequential of this name. */
Var nn_sequential_conv_bn(Graph *g, const char *name, Var x, NnConv conv, Activation activation, Var residual);

/* act(BatchNorm(conv(x)) + residual), as in ResNet. */
Var nn_conv_bn_sum(Graph *g, const char *conv_name, const char *norm_name, Var x, NnConv conv, NnBatchnorm norm,
                   Var residual, Activation activation);

/* ReLU(BatchNorm(convolution 3x3, padding 1)) of n maps side by side, each brought (bilinear, align_corners false) to the size of
 * `like`; up to 5 maps. An inference graph multiplies smaller maps at their own size (op_conv2d_levels). */
Var nn_conv_bn_levels(Graph *g, const char *conv_name, const char *norm_name, int32_t n, const Var *levels, Var like,
                      int64_t channels, NnBatchnorm norm);

#endif
