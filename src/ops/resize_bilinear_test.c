/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

/* As PyTorch computes the source position: max(0, (o + 0.5) * (1 / scale) - 0.5), the right neighbour clamped. */
static double sample(const double *image, int64_t H, int64_t W, int64_t C, int64_t c, double y, double x)
{
    const double sy = fmax(y, 0), sx = fmax(x, 0);
    const int64_t y0 = (int64_t)sy, x0 = (int64_t)sx;
    const int64_t y1 = y0 + (y0 < H - 1 ? 1 : 0), x1 = x0 + (x0 < W - 1 ? 1 : 0);
    const double wy = sy - (double)y0, wx = sx - (double)x0;
    return (1 - wy) * ((1 - wx) * image[(y0 * W + x0) * C + c] + wx * image[(y0 * W + x1) * C + c]) +
           wy * ((1 - wx) * image[(y1 * W + x0) * C + c] + wx * image[(y1 * W + x1) * C + c]);
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const ResizeBilinearAttr *attr = op_case->attr;
    const int64_t *dim = in_shapes[0].shape.dim;
    const int64_t B = dim[0], H = dim[1], W = dim[2], C = dim[3], s = attr->scale;
    (void)out_shapes;
    for (int64_t b = 0; b < B; b++)
        for (int64_t y = 0; y < H * s; y++)
            for (int64_t x = 0; x < W * s; x++)
                for (int64_t c = 0; c < C; c++)
                    out[0][((b * H * s + y) * W * s + x) * C + c] =
                        sample(in[0] + b * H * W * C, H, W, C, c, ((double)y + 0.5) / (double)s - 0.5,
                               ((double)x + 0.5) / (double)s - 0.5);
}

static const ResizeBilinearAttr x2 = { 2 }, x4 = { 4 }, x8 = { 8 };

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 1, 3) }, .attr = &x2 },
    { .in = { OP_F32(4, 2, 1, 3, 17) }, .attr = &x4 },
    { .in = { OP_F32(4, 1, 3, 1, 16) }, .attr = &x8 },
    { .in = { OP_F32(4, 2, 2, 2, 1) }, .attr = &x8 },
    { .in = { OP_F32(4, 1, 3, 5, 23) }, .attr = &x2 },
    { .in = { OP_F32(4, 2, 5, 4, 7) }, .attr = &x4 },
    { .in = { OP_F32(4, 1, 6, 7, 64) }, .attr = &x2 },
    { .in = { OP_F32(4, 1, 23, 31, 17) }, .attr = &x4 },
    { .in = { OP_F32(4, 1, 16, 16, 64) }, .attr = &x2, .perf_only = true },
    { .in = { OP_F32(4, 1, 64, 64, 64) }, .attr = &x2, .perf_only = true },
    { .in = { OP_F32(4, 1, 128, 128, 17) }, .attr = &x4, .perf_only = true },
    { .in = { OP_F32(4, 1, 64, 64, 17) }, .attr = &x8, .perf_only = true },
};

const OpTest op_test_resize_bilinear = {
    .op = &op_def_resize_bilinear, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
