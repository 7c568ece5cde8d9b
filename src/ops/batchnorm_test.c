/* SPDX-License-Identifier: Apache-2.0
 * Cases of batchnorm: batch statistics in training, running ones in inference. */
#include "harness/op_check.h"

#include <math.h>

/* Mean and biased variance of channel c over n rows. */
static void statistics(const double *x, int64_t n, int64_t channels, int64_t c, double *ret_mean, double *ret_var)
{
    double sum = 0, squares = 0;
    for (int64_t r = 0; r < n; r++) sum += x[r * channels + c];
    for (int64_t r = 0; r < n; r++)
        squares += (x[r * channels + c] - sum / (double)n) * (x[r * channels + c] - sum / (double)n);
    *ret_mean = sum / (double)n;
    *ret_var = squares / (double)n;
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const BatchnormAttr *attr = op_case->attr;
    const int64_t channels = in_shapes[1].shape.dim[0], n = shape_count(&out_shapes[0].shape) / channels;
    for (int64_t c = 0; c < channels; c++) {
        double mean = in[3][c], var = in[4][c];
        if (op_case->training && !attr->frozen) statistics(in[0], n, channels, c, &mean, &var);
        for (int64_t r = 0; r < n; r++) {
            double y = (in[0][r * channels + c] - mean) / sqrt(var + (double)attr->eps) * in[1][c] + in[2][c];
            if (attr->activation == ACTIVATION_RELU6) y = fmin(fmax(y, 0), 6);
            if (attr->activation == ACTIVATION_RELU) y = fmax(y, 0);
            out[0][r * channels + c] = y;
        }
    }
}

static void update(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *updated)
{
    const BatchnormAttr *attr = op_case->attr;
    const int64_t channels = in_shapes[1].shape.dim[0], n = shape_count(&in_shapes[0].shape) / channels;
    const double momentum = (double)attr->momentum;
    for (int64_t c = 0; c < channels && !attr->frozen; c++) {
        double mean, var;
        statistics(in[0], n, channels, c, &mean, &var);
        updated[3][c] += momentum * (mean - updated[3][c]);
        updated[4][c] += momentum * (var * (double)n / fmax((double)n - 1, 1) - updated[4][c]);
    }
}

static const BatchnormAttr encoder = { .eps = 1e-3F, .momentum = 0.01F };
static const BatchnormAttr encoder_relu6 = { .eps = 1e-3F, .momentum = 0.01F, .activation = ACTIVATION_RELU6 };
static const BatchnormAttr frozen = { .eps = 1e-3F, .momentum = 0.01F, .frozen = true };
static const BatchnormAttr frozen_relu6 = {
    .eps = 1e-5F, .momentum = 0.1F, .activation = ACTIVATION_RELU6, .frozen = true
};
static const BatchnormAttr decoder_relu6 = { .eps = 1e-5F, .momentum = 0.1F, .activation = ACTIVATION_RELU6 };
static const BatchnormAttr relu = { .eps = 1e-5F, .momentum = 0.1F, .activation = ACTIVATION_RELU };
static const BatchnormAttr frozen_relu = {
    .eps = 1e-5F, .momentum = 0.1F, .activation = ACTIVATION_RELU, .frozen = true
};

#define PARAMETERS(channels)                                                                                           \
    OP_F32(1, channels), OP_F32(1, channels), OP_F32(1, channels), OP_RANGE(0.5, 2.0, 1, channels)
/* Bias about 3 and a small weight: all values between the kinks of ReLU6 at 0 and 6. */
#define INSIDE(channels)                                                                                               \
    OP_RANGE(0.1, 0.3, 1, channels), OP_RANGE(2.9, 3.1, 1, channels), OP_F32(1, channels),                             \
        OP_RANGE(0.5, 2.0, 1, channels)

/* About a third of the values is cut off; none is near a kink (of the step 1e-4 of the differences). */
#define CUT(channels)                                                                                                  \
    OP_RANGE(2.0, 4.0, 1, channels), OP_RANGE(2.9, 3.1, 1, channels), OP_F32(1, channels),                             \
        OP_RANGE(0.5, 2.0, 1, channels)

static const OpCase cases[] = {
    { .in = { OP_F32(2, 5, 1), PARAMETERS(1) }, .attr = &encoder, .training = true },
    { .in = { OP_F32(4, 2, 3, 5, 7), PARAMETERS(7) }, .attr = &encoder, .training = true },
    { .in = { OP_F32(4, 2, 9, 11, 33), PARAMETERS(33) }, .attr = &encoder, .training = true },
    { .in = { OP_F32(4, 2, 3, 3, 24), INSIDE(24) }, .attr = &encoder_relu6, .training = true },
    { .in = { OP_RANGE(999.0, 1001.0, 4, 2, 17, 21, 20), PARAMETERS(20) },
      .attr = &encoder,
      .training = true,
      .tolerance = 4e-5, /* the mean is rounded to 3e-5, 5e-5 of the standard deviation */
      .gradient_tolerance = 2e-4 },
    { .in = { OP_F32(4, 2, 4, 5, 40), CUT(40) }, .attr = &decoder_relu6, .training = true },
    { .in = { OP_F32(4, 2, 4, 5, 40), CUT(40) }, .attr = &relu, .training = true },
    { .in = { OP_F32(4, 2, 9, 11, 33), PARAMETERS(33) }, .attr = &frozen },
    { .in = { OP_F32(4, 2, 3, 3, 24), INSIDE(24) }, .attr = &frozen_relu },
    { .in = { OP_F32(4, 2, 3, 3, 24), INSIDE(24) }, .attr = &frozen_relu6 },
    { .in = { OP_F32(4, 1, 5, 6, 19), PARAMETERS(19) }, .attr = &encoder, .inference_only = true },
    { .in = { OP_KINKS(4, 2, 5, 6, 48), PARAMETERS(48) }, .attr = &decoder_relu6, .inference_only = true },
    { .in = { OP_F32(4, 2, 128, 128, 96), PARAMETERS(96) },
      .attr = &encoder_relu6,
      .training = true,
      .perf_only = true },
};

const OpTest op_test_batchnorm = { .op = &op_def_batchnorm,
                                   .reference = reference,
                                   .cases = cases,
                                   .n_cases = ARRAY_LEN(cases),
                                   .update = update,
                                   .updates = 1U << 3 | 1U << 4 };
