/* SPDX-License-Identifier: Apache-2.0
 * Every pixel becomes scale x scale of the same (PyTorch's interpolate, mode nearest, of an integer multiple). */
#include "ops/ops.h"

#include <string.h>

static Err forward(const Step *step)
{
    const ResizeNearestAttr *attr = step->attr;
    const Shape *in = &step->in[0].shape;
    const int64_t w = in->dim[2], c = in->dim[3], scale = attr->scale;
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < in->dim[0] * in->dim[1]; row++) {
        float *to = y + row * scale * scale * w * c;
        for (int64_t i = 0; i < w * scale; i++)
            memcpy(to + i * c, x + (row * w + i / scale) * c, (size_t)c * sizeof *to);
        for (int64_t i = 1; i < scale; i++) memcpy(to + i * w * scale * c, to, (size_t)(w * scale * c) * sizeof *to);
    }
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    const ResizeNearestAttr *attr = step->attr;
    const Shape *in = &step->in[0].shape;
    const int64_t w = in->dim[2], c = in->dim[3], scale = attr->scale;
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < in->dim[0] * in->dim[1] * w; i++) {
        float *to = dx + i * c;
        const float *from = dy + (i / w * scale * w + i % w) * scale * c;
        if (!step->accumulate[0]) memset(to, 0, (size_t)c * sizeof *to);
        for (int64_t tap = 0; tap < scale * scale; tap++) {
            const float *one = from + (tap / scale * w * scale + tap % scale) * c;
#pragma omp simd
            for (int64_t k = 0; k < c; k++) to[k] += one[k];
        }
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    enum { SCALE_MAX = 64 };
    char text[96];
    const ResizeNearestAttr *resize = attr;
    const Shape *x = &in[0].shape;
    (void)n_in;
    if (in[0].dtype != DTYPE_F32 || x->rank != 4)
        return err_set(ERR_SHAPE, "resize_nearest: needs [B, H, W, C] f32, not %s %s", shape_text(x, text, sizeof text),
                       dtype_name(in[0].dtype));
    if (resize->scale < 1 || resize->scale > SCALE_MAX)
        return err_set(ERR_SHAPE, "resize_nearest: a scale of %d; 1 to %d was expected", (int)resize->scale,
                       (int)SCALE_MAX);
    ret_out[0] = in[0];
    ret_out[0].shape.dim[1] *= resize->scale;
    ret_out[0].shape.dim[2] *= resize->scale;
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_resize_nearest = {
    .name = "resize_nearest",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .attr_size = sizeof(ResizeNearestAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_resize_nearest(Graph *g, Var x, int32_t scale)
{
    const ResizeNearestAttr attr = { scale };
    return graph_node(g, &op_def_resize_nearest, &attr, 1, &x);
}
