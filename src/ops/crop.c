/* SPDX-License-Identifier: Apache-2.0
 * The first rows and columns of a map: y[b, i, j] = x[b, i, j] for i < H' and j < W'. Backward: zeros elsewhere. */
#include "ops/ops.h"

#include <string.h>

static Err forward(const Step *step)
{
    const int64_t *in = step->in[0].shape.dim, *out = step->out[0].shape.dim;
    const int64_t from_row = in[2] * in[3], to_row = out[2] * out[3];
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < out[0] * out[1]; row++)
        memcpy(y + row * to_row, x + (row / out[1] * in[1] + row % out[1]) * from_row, (size_t)to_row * sizeof *y);
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    const int64_t *in = step->in[0].shape.dim, *out = step->out[0].shape.dim;
    const int64_t to_row = in[2] * in[3], from_row = out[2] * out[3];
    const bool add = step->accumulate[0];
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < in[0] * in[1]; row++) {
        const int64_t b = row / in[1], y = row % in[1], kept = y < out[1] ? from_row : 0;
        const float *from = dy + (b * out[1] + y) * from_row;
        float *to = dx + row * to_row;
        for (int64_t i = 0; i < kept; i++) to[i] = add ? to[i] + from[i] : from[i];
        if (!add) memset(to + kept, 0, (size_t)(to_row - kept) * sizeof *to);
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char text[96];
    const CropAttr *crop = attr;
    const Shape *x = &in[0].shape;
    (void)n_in;
    if (in[0].dtype != DTYPE_F32 || x->rank != 4 || crop->height < 1 || crop->width < 1 || crop->height > x->dim[1] ||
        crop->width > x->dim[2])
        return err_set(ERR_SHAPE, "crop: %s to %d rows and %d columns; expected f32 [B, H, W, C], not smaller",
                       shape_text(x, text, sizeof text), (int)crop->height, (int)crop->width);
    ret_out[0] = in[0];
    ret_out[0].shape.dim[1] = crop->height;
    ret_out[0].shape.dim[2] = crop->width;
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_crop = {
    .name = "crop",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .attr_size = sizeof(CropAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_crop(Graph *g, Var x, int64_t height, int64_t width)
{
    const CropAttr attr = { height, width };
    return graph_node(g, &op_def_crop, &attr, 1, &x);
}
