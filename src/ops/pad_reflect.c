/* SPDX-License-Identifier: Apache-2.0
 * Rows below and columns right by reflection without the edge: row H + i is row H - 2 - i, and so to and fro. */
#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <string.h>

/* Source of an output coordinate. */
static int64_t reflect(int64_t i, int64_t n)
{
    const int64_t period = max_int64(2 * n - 2, 1), at = i % period;
    return i < n ? i : at < n ? at : period - at;
}

static Err forward(const Step *step)
{
    const Shape *in = &step->in[0].shape, *out = &step->out[0].shape;
    const int64_t h = in->dim[1], w = in->dim[2], c = in->dim[3], ho = out->dim[1], wo = out->dim[2];
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < out->dim[0] * ho; row++) {
        const float *from = x + (row / ho * h + reflect(row % ho, h)) * w * c;
        float *to = y + row * wo * c;
        memcpy(to, from, (size_t)(w * c) * sizeof *to);
        for (int64_t col = w; col < wo; col++) memcpy(to + col * c, from + reflect(col, w) * c, (size_t)c * sizeof *to);
    }
    return ERR_NONE;
}

/* Adds one output row's gradient to its input row: the plain part, then the reflected columns. */
static void add_row(const float *dy, float *dx, int64_t w, int64_t wo, int64_t c)
{
#pragma omp simd
    for (int64_t i = 0; i < w * c; i++) dx[i] += dy[i];
    for (int64_t col = w; col < wo; col++)
        for (int64_t k = 0; k < c; k++) dx[reflect(col, w) * c + k] += dy[col * c + k];
}

static Err backward(const Step *step)
{
    const Shape *in = &step->in[0].shape, *out = &step->out[0].shape;
    const int64_t h = in->dim[1], w = in->dim[2], c = in->dim[3], ho = out->dim[1], wo = out->dim[2];
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < in->dim[0] * h; row++) {
        const int64_t b = row / h, y = row % h;
        float *to = dx + row * w * c;
        if (!step->accumulate[0]) memset(to, 0, (size_t)(w * c) * sizeof *to);
        add_row(dy + (b * ho + y) * wo * c, to, w, wo, c);
        for (int64_t mirrored = h; mirrored < ho; mirrored++)
            if (reflect(mirrored, h) == y) add_row(dy + (b * ho + mirrored) * wo * c, to, w, wo, c);
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char text[96];
    const PadReflectAttr *pad = attr;
    const Shape *x = &in[0].shape;
    (void)n_in;
    if (in[0].dtype != DTYPE_F32 || x->rank != 4)
        return err_set(ERR_SHAPE, "pad_reflect: needs [B, H, W, C] f32, not %s %s", shape_text(x, text, sizeof text),
                       dtype_name(in[0].dtype));
    if (pad->bottom < 0 || pad->right < 0)
        return err_set(ERR_SHAPE, "pad_reflect: %d rows and %d columns; 0 or more were expected", pad->bottom,
                       pad->right);
    ret_out[0] = in[0];
    ret_out[0].shape.dim[1] += pad->bottom;
    ret_out[0].shape.dim[2] += pad->right;
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_pad_reflect = {
    .name = "pad_reflect",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .attr_size = sizeof(PadReflectAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_pad_reflect(Graph *g, Var x, int32_t bottom, int32_t right)
{
    const PadReflectAttr attr = { bottom, right };
    return graph_node(g, &op_def_pad_reflect, &attr, 1, &x);
}
