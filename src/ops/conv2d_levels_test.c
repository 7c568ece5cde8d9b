/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

enum { FIRST = 5 };

/* A map at (y, x) of the result's grid, 0 outside. */
static double resized(const double *image, const int64_t *dim, const int64_t *out, int64_t y, int64_t x, int64_t c)
{
    if (y < 0 || y >= out[1] || x < 0 || x >= out[2]) return 0.0;
    const double sy = fmax(0.0, ((double)y + 0.5) * (double)dim[1] / (double)out[1] - 0.5);
    const double sx = fmax(0.0, ((double)x + 0.5) * (double)dim[2] / (double)out[2] - 0.5);
    const int64_t y0 = (int64_t)sy, x0 = (int64_t)sx;
    const int64_t y1 = y0 + (y0 < dim[1] - 1 ? 1 : 0), x1 = x0 + (x0 < dim[2] - 1 ? 1 : 0);
    const double wy = sy - (double)y0, wx = sx - (double)x0;
#define AT(y_, x_) image[((y_)*dim[2] + (x_)) * dim[3] + c]
    return (1 - wy) * ((1 - wx) * AT(y0, x0) + wx * AT(y0, x1)) + wy * ((1 - wx) * AT(y1, x0) + wx * AT(y1, x1));
#undef AT
}

static double convolution(const OpCase *op_case, const double *const *in, const int64_t *out, int64_t b, int64_t y,
                          int64_t x, int64_t co)
{
    const int64_t joined = op_case->in[0].shape.dim[1];
    double sum = 0;
    int64_t channel = 0;
    for (int32_t i = FIRST; i < STEP_MAX_IN && op_case->in[i].shape.rank > 0; i++) {
        const int64_t *dim = op_case->in[i].shape.dim;
        const double *image = in[i] + b * dim[1] * dim[2] * dim[3];
        for (int64_t c = 0; c < dim[3]; c++, channel++)
            for (int64_t t = 0; t < 9; t++)
                sum +=
                    in[0][(co * joined + channel) * 9 + t] * resized(image, dim, out, y + t / 3 - 1, x + t % 3 - 1, c);
    }
    return sum;
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const Conv2dLevelsAttr *attr = op_case->attr;
    const int64_t *dim = out_shapes[0].shape.dim;
    (void)in_shapes;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        const int64_t co = i % dim[3], x = i / dim[3] % dim[2], y = i / dim[3] / dim[2] % dim[1];
        const double sum = convolution(op_case, in, dim, i / dim[3] / dim[2] / dim[1], y, x, co);
        const double normal = (sum - in[3][co]) / sqrt(in[4][co] + (double)attr->batchnorm_eps);
        out[0][i] = fmax(0.0, normal * in[1][co] + in[2][co]);
    }
}

#define NORM(channels) OP_F32(1, channels), OP_F32(1, channels), OP_F32(1, channels), OP_RANGE(0.5, 2.0, 1, channels)
#define TO(height_, width_)                                                                                            \
    &(const Conv2dLevelsAttr) { .height = (height_), .width = (width_), .batchnorm_eps = 1e-5F }

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 3, 3), NORM(1), OP_F32(4, 1, 1, 1, 1) }, .attr = TO(1, 1), .inference_only = true },
    { .in = { OP_F32(4, 5, 3, 3, 3), NORM(5), OP_F32(4, 2, 2, 3, 3) }, .attr = TO(4, 6), .inference_only = true },
    { .in = { OP_F32(4, 8, 7, 3, 3), NORM(8), OP_F32(4, 1, 6, 5, 4), OP_F32(4, 1, 2, 3, 3) },
      .attr = TO(6, 5),
      .inference_only = true },
    { .in = { OP_F32(4, 19, 25, 3, 3), NORM(19), OP_F32(4, 2, 1, 2, 8), OP_F32(4, 2, 3, 4, 8), OP_F32(4, 2, 6, 8, 8),
              OP_F32(4, 2, 12, 16, 1) },
      .attr = TO(12, 16),
      .inference_only = true },
    { .in = { OP_F32(4, 16, 40, 3, 3), NORM(16), OP_F32(4, 1, 2, 2, 8), OP_F32(4, 1, 4, 4, 8), OP_F32(4, 1, 8, 8, 8),
              OP_F32(4, 1, 16, 16, 8), OP_F32(4, 1, 16, 16, 8) },
      .attr = TO(16, 16),
      .inference_only = true },
    { .in = { OP_F32(4, 64, 1280, 3, 3), NORM(64), OP_F32(4, 1, 16, 16, 256), OP_F32(4, 1, 32, 32, 256),
              OP_F32(4, 1, 64, 64, 256), OP_F32(4, 1, 128, 128, 256), OP_F32(4, 1, 128, 128, 256) },
      .attr = TO(128, 128),
      .perf_only = true },
};

const OpTest op_test_conv2d_levels = {
    .op = &op_def_conv2d_levels, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
