/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/op_check.h"

#include <math.h>

/* As PyTorch computes the source position: max(0, (o + 0.5) * in / out - 0.5), with align_corners
 * o * (in - 1) / (out - 1); the right neighbour clamped. */
static double source(int64_t o, int64_t in, int64_t out, bool align_corners)
{
    if (align_corners) return out == 1 ? 0.0 : (double)o * (double)(in - 1) / (double)(out - 1);
    return fmax(0.0, ((double)o + 0.5) * (double)in / (double)out - 0.5);
}

static double sample(const double *image, int64_t H, int64_t W, int64_t C, int64_t c, double y, double x)
{
    const int64_t y0 = (int64_t)y, x0 = (int64_t)x;
    const int64_t y1 = y0 + (y0 < H - 1 ? 1 : 0), x1 = x0 + (x0 < W - 1 ? 1 : 0);
    const double wy = y - (double)y0, wx = x - (double)x0;
    return (1 - wy) * ((1 - wx) * image[(y0 * W + x0) * C + c] + wx * image[(y0 * W + x1) * C + c]) +
           wy * ((1 - wx) * image[(y1 * W + x0) * C + c] + wx * image[(y1 * W + x1) * C + c]);
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const ResizeBilinearAttr *attr = op_case->attr;
    const int64_t *dim = in_shapes[0].shape.dim, h = out_shapes[0].shape.dim[1], w = out_shapes[0].shape.dim[2];
    const int64_t B = dim[0], H = dim[1], W = dim[2], C = dim[3];
    const bool align = attr->align_corners;
    for (int64_t b = 0; b < B; b++)
        for (int64_t y = 0; y < h; y++)
            for (int64_t x = 0; x < w; x++)
                for (int64_t c = 0; c < C; c++)
                    out[0][((b * h + y) * w + x) * C + c] =
                        sample(in[0] + b * H * W * C, H, W, C, c, source(y, H, h, align), source(x, W, w, align));
}

#define TO(height_, width_)                                                                                            \
    &(const ResizeBilinearAttr) { .height = (height_), .width = (width_) }
#define ALIGNED(height_, width_)                                                                                       \
    &(const ResizeBilinearAttr) { .height = (height_), .width = (width_), .align_corners = true }

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 1, 3) }, .attr = TO(2, 2) },
    { .in = { OP_F32(4, 2, 1, 3, 17) }, .attr = TO(4, 12) },
    { .in = { OP_F32(4, 1, 3, 1, 16) }, .attr = TO(24, 8) },
    { .in = { OP_F32(4, 2, 2, 2, 1) }, .attr = TO(16, 16) },
    { .in = { OP_F32(4, 1, 3, 5, 23) }, .attr = TO(6, 10) },
    { .in = { OP_F32(4, 2, 5, 4, 7) }, .attr = TO(20, 16) },
    { .in = { OP_F32(4, 1, 6, 7, 64) }, .attr = TO(12, 14) },
    { .in = { OP_F32(4, 1, 23, 31, 17) }, .attr = TO(92, 124) },
    /* one to many, many to one, smaller, a multiple in one direction alone, larger than 8 times */
    { .in = { OP_F32(4, 2, 1, 1, 19) }, .attr = TO(7, 5) },
    { .in = { OP_F32(4, 2, 6, 5, 9) }, .attr = TO(1, 1) },
    { .in = { OP_F32(4, 1, 9, 11, 33) }, .attr = TO(4, 3) },
    { .in = { OP_F32(4, 1, 3, 5, 24) }, .attr = TO(6, 7) },
    { .in = { OP_F32(4, 1, 2, 3, 5) }, .attr = TO(31, 40) },
    { .in = { OP_F32(4, 1, 15, 17, 16) }, .attr = TO(31, 34) },
    { .in = { OP_F32(4, 1, 4, 4, 8) }, .attr = TO(4, 4) },
    { .in = { OP_F32(4, 2, 3, 5, 19) }, .attr = ALIGNED(12, 20) },
    { .in = { OP_F32(4, 1, 1, 4, 7) }, .attr = ALIGNED(5, 1) },
    { .in = { OP_F32(4, 1, 7, 6, 16) }, .attr = ALIGNED(3, 4) },
    { .in = { OP_F32(4, 1, 11, 9, 17) }, .attr = ALIGNED(44, 36) },
    { .in = { OP_F32(4, 1, 16, 16, 64) }, .attr = TO(32, 32), .perf_only = true },
    { .in = { OP_F32(4, 1, 64, 64, 64) }, .attr = TO(128, 128), .perf_only = true },
    { .in = { OP_F32(4, 1, 128, 128, 17) }, .attr = TO(512, 512), .perf_only = true },
    { .in = { OP_F32(4, 1, 64, 64, 17) }, .attr = TO(512, 512), .perf_only = true },
    { .in = { OP_F32(4, 1, 128, 128, 19) }, .attr = ALIGNED(512, 512), .perf_only = true },
};

const OpTest op_test_resize_bilinear = {
    .op = &op_def_resize_bilinear, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
