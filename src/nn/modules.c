/* SPDX-License-Identifier: Apache-2.0
 * Linear, norms, convolutions. */
#include "nn/modules.h"

#include <math.h>

static int64_t channels_of(const Graph *g, Var x)
{
    const Tensor value = graph_value(g, x);
    return value.shape.rank > 0 ? value.shape.dim[value.shape.rank - 1] : 0;
}

Var nn_linear_act(Graph *g, const char *name, Var x, NnLinear linear, Activation activation, Var residual)
{
    const ParamInit init = linear.std > 0.0 ? (ParamInit){ INIT_NORMAL, linear.std } : (ParamInit){ INIT_ZERO, 0.0 };
    Var bias = VAR_NONE;
    graph_push(g, name);
    const Var weight = graph_param(g, "weight", shape2(linear.channels, channels_of(g, x)), init);
    if (linear.bias) bias = graph_param(g, "bias", shape1(linear.channels), (ParamInit){ INIT_ZERO, 0.0 });
    const bool fold = !graph_training(g) && (activation != ACTIVATION_NONE || var_exists(residual));
    Var y = fold ? op_linear_folded(g, x, weight, bias, activation, residual) : op_linear(g, x, weight, bias);
    graph_pop(g);
    if (fold) return y;
    if (activation != ACTIVATION_NONE) y = op_activation(g, y, activation);
    return var_exists(residual) ? op_add(g, y, residual) : y;
}

NnConv nn_square(int64_t channels, int32_t kernel, int32_t stride)
{
    return (NnConv){ .channels = channels, .kernel = kernel, .stride = stride, .padding = kernel / 2 };
}

Var nn_linear(Graph *g, const char *name, Var x, int64_t channels, double std)
{
    const NnLinear linear = { .channels = channels, .std = std, .bias = true };
    return nn_linear_act(g, name, x, linear, ACTIVATION_NONE, VAR_NONE);
}

Var nn_drop_path(Graph *g, Var x, float p)
{
    const DropoutAttr attr = { .p = p, .per_sample = true };
    return graph_training(g) && p > 0.0F ? op_dropout(g, x, &attr) : x;
}

float nn_drop_path_rate(float last, int32_t block, int32_t blocks)
{
    return blocks > 1 ? last * (float)block / (float)(blocks - 1) : 0.0F;
}

Var nn_linear_branch(Graph *g, const char *name, Var x, NnLinear linear, float drop_path, Var residual)
{
    if (!graph_training(g) || drop_path <= 0.0F) return nn_linear_act(g, name, x, linear, ACTIVATION_NONE, residual);
    const Var y = nn_linear_act(g, name, x, linear, ACTIVATION_NONE, VAR_NONE);
    return op_add(g, nn_drop_path(g, y, drop_path), residual);
}

Var nn_layernorm(Graph *g, const char *name, Var x, float eps)
{
    const int64_t channels = channels_of(g, x);
    graph_push(g, name);
    const Var weight = graph_param(g, "weight", shape1(channels), (ParamInit){ INIT_ONE, 0.0 });
    const Var bias = graph_param(g, "bias", shape1(channels), (ParamInit){ INIT_ZERO, 0.0 });
    const Var y = op_layernorm(g, x, weight, bias, eps);
    graph_pop(g);
    return y;
}

/* Attributes of a convolution of x; "same" padding depends on its size: total = max((ceil(n/s) - 1) s + k - n, 0). */
static Conv2dAttr conv_attributes(const Graph *g, Var x, NnConv conv)
{
    Conv2dAttr attr = { .stride = conv.stride,
                        .groups = conv.depthwise ? (int32_t)conv.channels : 1,
                        .dilation = conv.dilation };
    if (conv.padding != NN_PADDING_SAME) {
        attr.top = attr.left = attr.bottom = attr.right = conv.padding;
        return attr;
    }
    const Shape shape = graph_value(g, x).shape;
    int32_t total[2] = { 0, 0 };
    for (int i = 0; i < 2 && shape.rank == 4; i++) {
        const int64_t n = shape.dim[1 + i], s = conv.stride;
        const int64_t wanted = ((n + s - 1) / s - 1) * s + conv.kernel - n;
        total[i] = wanted > 0 ? (int32_t)wanted : 0;
    }
    attr.top = total[0] / 2;
    attr.left = total[1] / 2;
    attr.bottom = total[0] - attr.top;
    attr.right = total[1] - attr.left;
    return attr;
}

static Var conv_weight(Graph *g, int64_t channels, NnConv conv)
{
    const int64_t fan_channels = conv.depthwise ? 1 : channels;
    const double fan_in = (double)(fan_channels * conv.kernel * conv.kernel);
    return graph_param(g, "weight", shape4(conv.channels, fan_channels, conv.kernel, conv.kernel),
                       (ParamInit){ INIT_NORMAL, sqrt(2.0 / (fan_in > 0.0 ? fan_in : 1.0)) });
}

static Var conv_bias(Graph *g, NnConv conv)
{
    if (!conv.bias) return VAR_NONE;
    return graph_param(g, "bias", shape1(conv.channels), (ParamInit){ INIT_ZERO, 0.0 });
}

/* activation(y) + residual as ops of their own. */
static Var tail(Graph *g, Var y, Activation activation, Var residual)
{
    if (activation != ACTIVATION_NONE) y = op_activation(g, y, activation);
    return var_exists(residual) ? op_add(g, y, residual) : y;
}

/* What an inference graph computes inside the convolution. */
static bool folds(const Graph *g, Activation activation)
{
    return !graph_training(g) && !activation_stands_apart(activation);
}

Var nn_conv(Graph *g, const char *name, Var x, NnConv conv, Activation activation, Var residual)
{
    const bool fold = folds(g, activation);
    Conv2dAttr attr = conv_attributes(g, x, conv);
    Conv2dFold folded = CONV2D_FOLD_NONE;
    graph_push(g, name);
    const Var weight = conv_weight(g, channels_of(g, x), conv);
    const Var bias = conv_bias(g, conv);
    if (fold) {
        attr.activation = activation;
        folded.residual = residual;
    }
    Var y = op_conv2d(g, x, weight, bias, folded, attr);
    graph_pop(g);
    return fold ? y : tail(g, y, activation, residual);
}

typedef struct NormVars {
    Var weight, bias, mean, var;
} NormVars;

static NormVars norm_vars(Graph *g, const char *name, int64_t channels)
{
    const Shape shape = shape1(channels);
    graph_push(g, name);
    NormVars vars;
    vars.weight = graph_param(g, "weight", shape, (ParamInit){ INIT_ONE, 0.0 });
    vars.bias = graph_param(g, "bias", shape, (ParamInit){ INIT_ZERO, 0.0 });
    vars.mean = graph_state(g, "running_mean", shape, (ParamInit){ INIT_ZERO, 0.0 });
    vars.var = graph_state(g, "running_var", shape, (ParamInit){ INIT_ONE, 0.0 });
    graph_pop(g);
    return vars;
}

Var nn_batchnorm(Graph *g, const char *name, Var x, NnBatchnorm norm, Activation activation)
{
    const NormVars vars = norm_vars(g, name, channels_of(g, x));
    const bool apart = activation > ACTIVATION_RELU6; /* what the op cannot fuse */
    const BatchnormAttr attr = { .eps = norm.eps,
                                 .momentum = norm.momentum,
                                 .activation = apart ? ACTIVATION_NONE : activation,
                                 .frozen = graph_statistics_frozen(g) };
    const Tensor value = graph_value(g, x);
    if (graph_training(g) && !attr.frozen && shape_count(&value.shape) == channels_of(g, x))
        graph_fail(g, "BatchNorm of one value in each channel has no statistics; a batch of 2 or more was expected");
    const Var y = op_batchnorm(g, x, vars.weight, vars.bias, vars.mean, vars.var, &attr);
    return apart ? op_activation(g, y, activation) : y;
}

/* activate_sum: the activation of what the residual was added to. */
static Var conv_bn_folded(Graph *g, const char *conv_name, const char *norm_name, Var x, NnConv conv, NnBatchnorm norm,
                          Activation activation, Var residual, bool activate_sum)
{
    Conv2dAttr attr = conv_attributes(g, x, conv);
    attr.activation = activation;
    attr.activate_sum = activate_sum;
    attr.batchnorm_eps = norm.eps;
    graph_push(g, conv_name);
    const Var weight = conv_weight(g, channels_of(g, x), conv);
    const Var bias = conv_bias(g, conv);
    graph_pop(g);
    const NormVars vars = norm_vars(g, norm_name, conv.channels);
    const Conv2dFold fold = { .batchnorm_weight = vars.weight,
                              .batchnorm_bias = vars.bias,
                              .batchnorm_mean = vars.mean,
                              .batchnorm_var = vars.var,
                              .residual = residual };
    return op_conv2d(g, x, weight, bias, fold, attr);
}

Var nn_conv_bn(Graph *g, const char *conv_name, const char *norm_name, Var x, NnConv conv, NnBatchnorm norm,
               Activation activation, Var residual)
{
    if (folds(g, activation))
        return conv_bn_folded(g, conv_name, norm_name, x, conv, norm, activation, residual, false);
    if (!graph_training(g))
        return tail(g, conv_bn_folded(g, conv_name, norm_name, x, conv, norm, ACTIVATION_NONE, VAR_NONE, false),
                    activation, residual);
    Var y = nn_conv(g, conv_name, x, conv, ACTIVATION_NONE, VAR_NONE);
    y = nn_batchnorm(g, norm_name, y, norm, activation);
    return var_exists(residual) ? op_add(g, y, residual) : y;
}

Var nn_sequential_conv_bn(Graph *g, const char *name, Var x, NnConv conv, Activation activation, Var residual)
{
    graph_push(g, name);
    const Var y = nn_conv_bn(g, "0", "1", x, conv, NN_BATCHNORM, activation, residual);
    graph_pop(g);
    return y;
}

Var nn_conv_bn_sum(Graph *g, const char *conv_name, const char *norm_name, Var x, NnConv conv, NnBatchnorm norm,
                   Var residual, Activation activation)
{
    if (folds(g, activation)) return conv_bn_folded(g, conv_name, norm_name, x, conv, norm, activation, residual, true);
    Var y = nn_conv_bn(g, conv_name, norm_name, x, conv, norm, ACTIVATION_NONE, residual);
    return op_activation(g, y, activation);
}

Var nn_conv_bn_levels(Graph *g, const char *conv_name, const char *norm_name, int32_t n, const Var *levels, Var like,
                      int64_t channels, NnBatchnorm norm)
{
    const NnConv conv = { .channels = channels, .kernel = 3, .stride = 1, .padding = 1 };
    const Shape shape = graph_value(g, like).shape;
    const ResizeBilinearAttr size = { .height = (int32_t)shape.dim[1], .width = (int32_t)shape.dim[2] };
    Var resized[STEP_MAX_IN];
    int64_t joined = 0;
    ASSERT(n <= STEP_MAX_IN);
    for (int32_t i = 0; i < n; i++) joined += channels_of(g, levels[i]);
    if (graph_training(g)) {
        for (int32_t i = 0; i < n; i++) resized[i] = op_resize_bilinear_to(g, levels[i], &size);
        return nn_conv_bn(g, conv_name, norm_name, op_concat_channels(g, n, resized), conv, norm, ACTIVATION_RELU,
                          VAR_NONE);
    }
    const Conv2dLevelsAttr attr = { .height = size.height, .width = size.width, .batchnorm_eps = norm.eps };
    graph_push(g, conv_name);
    const Var weight = conv_weight(g, joined, conv);
    graph_pop(g);
    const NormVars vars = norm_vars(g, norm_name, channels);
    const Conv2dFold fold = { .batchnorm_weight = vars.weight,
                              .batchnorm_bias = vars.bias,
                              .batchnorm_mean = vars.mean,
                              .batchnorm_var = vars.var,
                              .residual = VAR_NONE };
    return op_conv2d_levels(g, n, levels, weight, fold, &attr);
}
