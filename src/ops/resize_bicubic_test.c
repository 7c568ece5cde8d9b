/* SPDX-License-Identifier: Apache-2.0
 * Against the definition; PyTorch itself stands in tests/golden/ops. */
#include "harness/op_check.h"

#include <math.h>

static double keys(double x, double a)
{
    const double d = fabs(x);
    if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
    return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0;
}

/* The weight with which output o reads position i. */
static double weight_of(const ResizeBicubicAttr *attr, int64_t o, int64_t i, int64_t from, int64_t to)
{
    const double scale = (double)from / ((double)to + (double)attr->offset), source = scale * ((double)o + 0.5) - 0.5;
    double sum = 0, own = 0;
    if (attr->antialias) {
        const double wide = fmax(scale, 1);
        for (int64_t k = 0; k < from; k++) sum += keys(((double)k - source) / wide, -0.5);
        return keys(((double)i - source) / wide, -0.5) / sum;
    }
    for (int64_t k = -3; k < from + 3; k++) {
        const int64_t inside = k < 0 ? 0 : k >= from ? from - 1 : k;
        if (inside == i) own += keys((double)k - source, -0.75);
    }
    return own;
}

static void reference(const OpCase *op_case, const double *const *in, const Tensor *in_shapes, double *const *out,
                      const Tensor *out_shapes)
{
    const ResizeBicubicAttr *attr = op_case->attr;
    const int64_t H = in_shapes[0].shape.dim[1], W = in_shapes[0].shape.dim[2], C = in_shapes[0].shape.dim[3];
    const int64_t h = attr->height, w = attr->width;
    for (int64_t i = 0; i < shape_count(&out_shapes[0].shape); i++) {
        const int64_t c = i % C, x = i / C % w, y = i / C / w % h, b = i / C / w / h;
        out[0][i] = 0;
        for (int64_t r = 0; r < H; r++)
            for (int64_t s = 0; s < W; s++)
                out[0][i] +=
                    weight_of(attr, y, r, H, h) * weight_of(attr, x, s, W, w) * in[0][((b * H + r) * W + s) * C + c];
    }
}

static const ResizeBicubicAttr one = { 1, 1, true, 0.0F }, same = { 4, 5, true, 0.0F }, smaller = { 3, 2, true, 0.0F },
                               mixed = { 9, 3, true, 0.0F }, plain = { 9, 3, false, 0.0F },
                               meta = { 5, 12, false, 0.1F }, dino = { 32, 32, true, 0.0F };

static const OpCase cases[] = {
    { .in = { OP_F32(4, 1, 1, 1, 1) }, .attr = &one },
    { .in = { OP_F32(4, 1, 4, 5, 3) }, .attr = &same },
    { .in = { OP_F32(4, 2, 7, 7, 5) }, .attr = &smaller },
    { .in = { OP_F32(4, 2, 4, 8, 17) }, .attr = &mixed },
    { .in = { OP_F32(4, 2, 4, 8, 17) }, .attr = &plain },
    { .in = { OP_F32(4, 1, 7, 7, 3) }, .attr = &meta },
    { .in = { OP_F32(4, 1, 37, 37, 384) }, .attr = &dino, .perf_only = true },
};

const OpTest op_test_resize_bicubic = {
    .op = &op_def_resize_bicubic, .reference = reference, .cases = cases, .n_cases = ARRAY_LEN(cases)
};
