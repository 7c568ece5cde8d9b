/* SPDX-License-Identifier: Apache-2.0
 * Cases of conv2d: dense, 1x1, depthwise, asymmetric padding, folded inference forms. */
#include "harness/op_check.h"

#include <math.h>

static double activate(double value, Activation activation)
{
    if (activation == ACTIVATION_RELU || activation == ACTIVATION_RELU6) value = fmax(value, 0);
    if (activation == ACTIVATION_RELU6) value = fmin(value, 6);
    return activation == ACTIVATION_SIGMOID ? 1 / (1 + exp(-value)) : value;
}

/* Convolution at one output element. */
static double product(const Conv2dAttr *attr, const double *x, const int64_t *xd, const double *weight,
                      const int64_t *wd, const int64_t at[4])
{
    const int64_t first = attr->groups == 1 ? 0 : at[3]; /* input channel of the group */
    double sum = 0;
    for (int64_t ky = 0; ky < wd[2]; ky++) {
        for (int64_t kx = 0; kx < wd[3]; kx++) {
            const int64_t dilation = attr->dilation > 0 ? attr->dilation : 1;
            const int64_t iy = at[1] * attr->stride + ky * dilation - attr->top;
            const int64_t ix = at[2] * attr->stride + kx * dilation - attr->left;
            if (iy < 0 || iy >= xd[1] || ix < 0 || ix >= xd[2]) continue;
            for (int64_t ci = 0; ci < wd[1]; ci++)
                sum += x[((at[0] * xd[1] + iy) * xd[2] + ix) * xd[3] + first + ci] *
                       weight[((at[3] * wd[1] + ci) * wd[2] + ky) * wd[3] + kx];
        }
    }
    return sum;
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const Conv2dAttr *attr = op_case->attr;
    const int64_t *yd = out_shapes[0].shape.dim;
    const double *bias = attr->has_bias ? in[2] : NULL;
    const double *const *norm = in + (attr->has_bias ? 3 : 2);
    const double *residual = attr->has_residual ? norm[attr->has_batchnorm ? 4 : 0] : NULL;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        const int64_t at[4] = { i / (yd[1] * yd[2] * yd[3]), i / (yd[2] * yd[3]) % yd[1], i / yd[3] % yd[2],
                                i % yd[3] };
        const int64_t c = at[3];
        double y = product(attr, in[0], in_shapes[0].shape.dim, in[1], in_shapes[1].shape.dim, at);
        if (bias != NULL) y += bias[c];
        if (attr->has_batchnorm)
            y = (y - norm[2][c]) / sqrt(norm[3][c] + (double)attr->batchnorm_eps) * norm[0][c] + norm[1][c];
        const double added = residual != NULL ? residual[i] : 0;
        out[0][i] = attr->activate_sum ? activate(y + added, attr->activation) : activate(y, attr->activation) + added;
    }
}

static const Conv2dAttr plain_1x1 = { .stride = 1, .groups = 1 };
static const Conv2dAttr bias_1x1 = { .stride = 1, .groups = 1, .has_bias = true };
static const Conv2dAttr same_3x3 = { .stride = 1, .groups = 1, .top = 1, .left = 1, .bottom = 1, .right = 1 };
static const Conv2dAttr stem = { .stride = 2, .groups = 1, .bottom = 1, .right = 1 };
static const Conv2dAttr stem_odd = {
    .stride = 2, .groups = 1, .top = 1, .left = 1, .bottom = 1, .right = 1, .has_bias = true
};
static const Conv2dAttr valid_3x2 = { .stride = 3, .groups = 1, .left = 1 };
static const Conv2dAttr valid_3x3 = { .stride = 1, .groups = 1, .has_bias = true };
static const Conv2dAttr wide_3x3 = { .stride = 1, .groups = 1, .top = 2, .left = 0, .bottom = 1, .right = 3 };
static const Conv2dAttr stem_7x7 = { .stride = 2, .groups = 1, .top = 3, .left = 3, .bottom = 3, .right = 3 };
static const Conv2dAttr resnet_s2 = { .stride = 2,
                                      .groups = 1,
                                      .top = 1,
                                      .left = 1,
                                      .bottom = 1,
                                      .right = 1,
                                      .has_batchnorm = true,
                                      .has_residual = true,
                                      .activate_sum = true,
                                      .batchnorm_eps = 1e-5F,
                                      .activation = ACTIVATION_RELU };
static const Conv2dAttr stride_1x1 = { .stride = 2, .groups = 1 };
#define DEPTHWISE(groups_, stride_, first, last, bias_)                                                                \
    {                                                                                                                  \
        .stride = (stride_), .groups = (groups_), .top = (first), .left = (first), .bottom = (last), .right = (last),  \
        .has_bias = (bias_)                                                                                            \
    }
static const Conv2dAttr depthwise3 = DEPTHWISE(33, 1, 1, 1, false), depthwise3_bias = DEPTHWISE(64, 1, 1, 1, true);
static const Conv2dAttr depthwise3_s2 = DEPTHWISE(32, 2, 0, 1, false), depthwise5 = DEPTHWISE(40, 1, 2, 2, false);
static const Conv2dAttr depthwise5_s2 = DEPTHWISE(24, 2, 1, 2, false), depthwise8 = DEPTHWISE(64, 1, 3, 3, false);
static const Conv2dAttr depthwise7 = DEPTHWISE(40, 1, 3, 3, true), perf_depthwise7 = DEPTHWISE(96, 1, 3, 3, true);
static const Conv2dAttr perf_depthwise7_384 = DEPTHWISE(384, 1, 3, 3, true);
static const Conv2dAttr depthwise8_narrow = DEPTHWISE(7, 1, 3, 3, false);
static const Conv2dAttr depthwise4_s3 = DEPTHWISE(19, 3, 2, 1, true);
static const Conv2dAttr depthwise5_tiny = DEPTHWISE(17, 1, 2, 2, false);
static const Conv2dAttr depthwise9 = DEPTHWISE(5, 1, 4, 4, true); /* too many taps for the vector kernels */
static const Conv2dAttr dilated_3x3 = {
    .stride = 1, .groups = 1, .dilation = 2, .top = 2, .left = 1, .bottom = 2, .right = 3, .has_bias = true
};
static const Conv2dAttr dilated_s2 = { .stride = 2, .groups = 1, .dilation = 3, .left = 2 };
static const Conv2dAttr dilated_depthwise = {
    .stride = 1, .groups = 24, .dilation = 6, .top = 6, .left = 6, .bottom = 6, .right = 6
};
static const Conv2dAttr folded_1x1 = {
    .stride = 1, .groups = 1, .has_batchnorm = true, .has_residual = true, .batchnorm_eps = 1e-3F
};
static const Conv2dAttr resnet_3x3 = { .stride = 1,
                                       .groups = 1,
                                       .top = 1,
                                       .left = 1,
                                       .bottom = 1,
                                       .right = 1,
                                       .has_batchnorm = true,
                                       .has_residual = true,
                                       .activate_sum = true,
                                       .batchnorm_eps = 1e-5F,
                                       .activation = ACTIVATION_RELU };
static const Conv2dAttr resnet_depthwise = { .stride = 1,
                                             .groups = 24,
                                             .top = 1,
                                             .left = 1,
                                             .bottom = 1,
                                             .right = 1,
                                             .has_batchnorm = true,
                                             .has_residual = true,
                                             .activate_sum = true,
                                             .batchnorm_eps = 1e-5F,
                                             .activation = ACTIVATION_RELU };
static const Conv2dAttr folded_3x3 = { .stride = 1,
                                       .groups = 1,
                                       .top = 1,
                                       .left = 1,
                                       .bottom = 1,
                                       .right = 1,
                                       .has_bias = true,
                                       .has_batchnorm = true,
                                       .has_residual = true,
                                       .batchnorm_eps = 1e-5F,
                                       .activation = ACTIVATION_RELU6 };
static const Conv2dAttr sigmoid_1x1 = { .stride = 1, .groups = 1, .activation = ACTIVATION_SIGMOID };
static const Conv2dAttr relu_residual = {
    .stride = 1, .groups = 1, .has_bias = true, .has_residual = true, .activation = ACTIVATION_RELU
};
static const Conv2dAttr odd_3x3_residual = {
    .stride = 1, .groups = 1, .top = 1, .left = 1, .bottom = 1, .right = 1, .has_bias = true, .has_residual = true
};
static const Conv2dAttr folded_depthwise = { .stride = 2,
                                             .groups = 40,
                                             .top = 1,
                                             .left = 1,
                                             .bottom = 2,
                                             .right = 2,
                                             .has_batchnorm = true,
                                             .batchnorm_eps = 1e-3F,
                                             .activation = ACTIVATION_RELU6 };
static const Conv2dAttr sigmoid_depthwise = { .stride = 1,
                                              .groups = 35,
                                              .top = 1,
                                              .left = 1,
                                              .bottom = 1,
                                              .right = 1,
                                              .has_bias = true,
                                              .has_residual = true,
                                              .activation = ACTIVATION_SIGMOID };
static const Conv2dAttr perf_depthwise = DEPTHWISE(96, 1, 1, 1, false);

#define NORM(channels) OP_F32(1, channels), OP_F32(1, channels), OP_F32(1, channels), OP_RANGE(0.5, 2.0, 1, channels)

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 1, 1), OP_F32(4, 1, 1, 1, 1) }, .attr = &plain_1x1 },
    { .in = { OP_F32(4, 2, 5, 7, 19), OP_F32(4, 33, 19, 1, 1) }, .attr = &plain_1x1 },
    { .in = { OP_F32(4, 1, 16, 12, 64), OP_F32(4, 16, 64, 1, 1), OP_F32(1, 16) }, .attr = &bias_1x1 },
    { .in = { OP_F32(4, 2, 1, 1, 64), OP_F32(4, 4, 64, 1, 1) }, .attr = &plain_1x1 },
    { .in = { OP_F32(4, 2, 9, 11, 5), OP_F32(4, 7, 5, 3, 3) }, .attr = &same_3x3 },
    { .in = { OP_F32(4, 1, 12, 17, 32), OP_F32(4, 48, 32, 3, 3) }, .attr = &same_3x3 },
    /* Winograd: sizes around its tiles of 4x4, one channel, more channels than a product takes, more tiles than a block */
    { .in = { OP_F32(4, 1, 1, 1, 1), OP_F32(4, 1, 1, 3, 3) }, .attr = &same_3x3 },
    { .in = { OP_F32(4, 3, 2, 3, 1), OP_F32(4, 2, 1, 3, 3) }, .attr = &same_3x3 },
    { .in = { OP_F32(4, 1, 4, 4, 9), OP_F32(4, 1, 9, 3, 3) }, .attr = &same_3x3 },
    { .in = { OP_F32(4, 1, 3, 3, 5), OP_F32(4, 6, 5, 3, 3), OP_F32(1, 6) }, .attr = &valid_3x3 },
    { .in = { OP_F32(4, 1, 5, 8, 17), OP_F32(4, 18, 17, 3, 3), OP_F32(1, 18) }, .attr = &valid_3x3 },
    { .in = { OP_F32(4, 2, 5, 6, 20), OP_F32(4, 24, 20, 3, 3) }, .attr = &wide_3x3 },
    { .in = { OP_F32(4, 1, 6, 5, 270), OP_F32(4, 150, 270, 3, 3) }, .attr = &same_3x3 },
    { .in = { OP_F32(4, 2, 27, 37, 16), OP_F32(4, 20, 16, 3, 3) }, .attr = &same_3x3 },
    { .in = { OP_F32(4, 2, 12, 14, 3), OP_F32(4, 32, 3, 3, 3) }, .attr = &stem },
    { .in = { OP_F32(4, 1, 13, 15, 3), OP_F32(4, 8, 3, 3, 3), OP_F32(1, 8) }, .attr = &stem_odd },
    { .in = { OP_F32(4, 1, 11, 9, 4), OP_F32(4, 6, 4, 3, 2) }, .attr = &valid_3x2 },
    { .in = { OP_F32(4, 1, 6, 7, 6), OP_F32(4, 5, 6, 1, 1) }, .attr = &stride_1x1 },
    { .in = { OP_F32(4, 2, 9, 7, 19), OP_F32(4, 21, 19, 3, 3), OP_F32(1, 21) }, .attr = &stem_odd },
    { .in = { OP_F32(4, 1, 1, 1, 2), OP_F32(4, 3, 2, 3, 3), OP_F32(1, 3) }, .attr = &stem_odd },
    { .in = { OP_F32(4, 1, 8, 6, 18), OP_F32(4, 20, 18, 2, 2) }, .attr = &stride_1x1 },
    { .in = { OP_F32(4, 1, 21, 19, 3), OP_F32(4, 10, 3, 7, 7) }, .attr = &stem_7x7 },
    { .in = { OP_F32(4, 1, 2, 3, 90), OP_F32(4, 5, 90, 7, 7) }, .attr = &stem_7x7 },
    { .in = { OP_F32(4, 2, 9, 13, 20), OP_F32(4, 34, 20, 3, 3), NORM(34), OP_F32(4, 2, 5, 7, 34) },
      .attr = &resnet_s2,
      .inference_only = true },
    { .in = { OP_F32(4, 2, 7, 21, 33), OP_F32(4, 33, 1, 3, 3) }, .attr = &depthwise3 },
    { .in = { OP_F32(4, 1, 20, 34, 64), OP_F32(4, 64, 1, 3, 3), OP_F32(1, 64) }, .attr = &depthwise3_bias },
    { .in = { OP_F32(4, 2, 12, 38, 32), OP_F32(4, 32, 1, 3, 3) }, .attr = &depthwise3_s2 },
    { .in = { OP_F32(4, 2, 11, 23, 40), OP_F32(4, 40, 1, 5, 5) }, .attr = &depthwise5 },
    { .in = { OP_F32(4, 1, 14, 42, 24), OP_F32(4, 24, 1, 5, 5) }, .attr = &depthwise5_s2 },
    { .in = { OP_F32(4, 1, 17, 29, 64), OP_F32(4, 64, 1, 8, 8) }, .attr = &depthwise8 },
    { .in = { OP_F32(4, 1, 13, 27, 40), OP_F32(4, 40, 1, 7, 7), OP_F32(1, 40) }, .attr = &depthwise7 },
    { .in = { OP_F32(4, 1, 3, 2, 7), OP_F32(4, 7, 1, 8, 8) }, .attr = &depthwise8_narrow },
    { .in = { OP_F32(4, 2, 10, 13, 19), OP_F32(4, 19, 1, 4, 4), OP_F32(1, 19) }, .attr = &depthwise4_s3 },
    { .in = { OP_F32(4, 1, 1, 1, 17), OP_F32(4, 17, 1, 5, 5) }, .attr = &depthwise5_tiny },
    { .in = { OP_F32(4, 1, 10, 12, 5), OP_F32(4, 5, 1, 9, 9), OP_F32(1, 5) }, .attr = &depthwise9 },
    { .in = { OP_F32(4, 1, 9, 10, 5), OP_F32(4, 7, 5, 3, 3), OP_F32(1, 7) }, .attr = &dilated_3x3 },
    { .in = { OP_F32(4, 2, 13, 10, 4), OP_F32(4, 6, 4, 3, 2) }, .attr = &dilated_s2 },
    { .in = { OP_F32(4, 1, 15, 9, 24), OP_F32(4, 24, 1, 3, 3) }, .attr = &dilated_depthwise },
    { .in = { OP_F32(4, 1, 9, 10, 24), OP_F32(4, 20, 24, 1, 1), NORM(20), OP_F32(4, 1, 9, 10, 20) },
      .attr = &folded_1x1,
      .inference_only = true },
    { .in = { OP_F32(4, 2, 7, 9, 24), OP_F32(4, 40, 24, 3, 3), NORM(40), OP_F32(4, 2, 7, 9, 40) },
      .attr = &resnet_3x3,
      .inference_only = true },
    { .in = { OP_F32(4, 1, 7, 9, 24), OP_F32(4, 24, 1, 3, 3), NORM(24), OP_F32(4, 1, 7, 9, 24) },
      .attr = &resnet_depthwise,
      .inference_only = true },
    { .in = { OP_F32(4, 2, 8, 9, 16), OP_F32(4, 24, 16, 3, 3), OP_F32(1, 24), NORM(24), OP_F32(4, 2, 8, 9, 24) },
      .attr = &folded_3x3,
      .inference_only = true },
    { .in = { OP_F32(4, 2, 1, 1, 4), OP_F32(4, 64, 4, 1, 1) }, .attr = &sigmoid_1x1, .inference_only = true },
    { .in = { OP_F32(4, 1, 4, 4, 8), OP_F32(4, 16, 8, 1, 1), OP_F32(1, 16), OP_F32(4, 1, 4, 4, 16) },
      .attr = &relu_residual,
      .inference_only = true },
    { .in = { OP_F32(4, 1, 6, 5, 17), OP_F32(4, 13, 17, 3, 3), OP_F32(1, 13), OP_F32(4, 1, 6, 5, 13) },
      .attr = &odd_3x3_residual,
      .inference_only = true },
    { .in = { OP_F32(4, 2, 3, 5, 9), OP_F32(4, 7, 9, 1, 1), OP_F32(1, 7), OP_F32(4, 2, 3, 5, 7) },
      .attr = &relu_residual,
      .inference_only = true },
    { .in = { OP_F32(4, 1, 22, 24, 40), OP_F32(4, 40, 1, 5, 5), NORM(40) },
      .attr = &folded_depthwise,
      .inference_only = true },
    { .in = { OP_F32(4, 1, 9, 20, 35), OP_F32(4, 35, 1, 3, 3), OP_F32(1, 35), OP_F32(4, 1, 9, 20, 35) },
      .attr = &sigmoid_depthwise,
      .inference_only = true },
    { .in = { OP_F32(4, 1, 5, 9, 10), OP_F32(4, 9, 10, 3, 3), NORM(9), OP_F32(4, 1, 5, 9, 9) },
      .attr = &resnet_3x3,
      .inference_only = true },
    { .in = { OP_F32(4, 2, 3, 6, 7), OP_F32(4, 35, 7, 3, 3), OP_F32(1, 35), NORM(35), OP_F32(4, 2, 3, 6, 35) },
      .attr = &folded_3x3,
      .inference_only = true },
    { .in = { OP_F32(4, 1, 128, 128, 64), OP_F32(4, 64, 64, 3, 3) }, .attr = &same_3x3, .perf_only = true },
    { .in = { OP_F32(4, 2, 128, 128, 96), OP_F32(4, 96, 1, 3, 3) }, .attr = &perf_depthwise, .perf_only = true },
    { .in = { OP_F32(4, 1, 128, 128, 96), OP_F32(4, 96, 1, 7, 7), OP_F32(1, 96) },
      .attr = &perf_depthwise7,
      .perf_only = true },
    { .in = { OP_F32(4, 1, 32, 32, 384), OP_F32(4, 384, 1, 7, 7), OP_F32(1, 384) },
      .attr = &perf_depthwise7_384,
      .perf_only = true },
};

const OpTest op_test_conv2d = {
    .op = &op_def_conv2d, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
