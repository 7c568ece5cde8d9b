/* SPDX-License-Identifier: Apache-2.0
 *
 * Bilinear resize to half the size with antialiasing (PyTorch: interpolate, antialias=True; TensorFlow: image.resize):
 * x [B, H, W, C], y [B, H/2, W/2, C], H and W even. Along each axis
 *   y[o] = sum over k = 0..3 of w[k] x[2 o - 1 + k] / sum of the w[k] that were used,  w = 1, 3, 3, 1,
 * over the positions inside x.
 */
#include "ops/kernel_util.h"
#include "ops/ops.h"

enum { TAPS = 4 };

/* The positions first .. first + n of the input that output o reads, and their weights. */
typedef struct Taps {
    int64_t first;
    int32_t n;
    float weight[TAPS];
} Taps;

static Taps taps_of(int64_t o, int64_t size)
{
    static const float triangle[TAPS] = { 1.0F, 3.0F, 3.0F, 1.0F };
    const int64_t from = 2 * o - 1, first = from > 0 ? from : 0;
    Taps taps = { .first = first };
    float sum = 0.0F;
    for (int64_t i = first; i < min_int64(from + TAPS, size); i++) {
        taps.weight[taps.n++] = triangle[i - from];
        sum += triangle[i - from];
    }
    for (int32_t k = 0; k < taps.n; k++) taps.weight[k] /= sum;
    return taps;
}

static Err forward(const Step *step)
{
    const int64_t *dim = step->in[0].shape.dim, *out = step->out[0].shape.dim;
    const int64_t W = dim[2], C = dim[3];
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < dim[0] * out[1]; row++) {
        const Taps v = taps_of(row % out[1], dim[1]);
        const float *image = x + row / out[1] * dim[1] * W * C;
        for (int64_t column = 0; column < out[2]; column++) {
            const Taps h = taps_of(column, W);
            float *to = y + (row * out[2] + column) * C;
            for (int64_t c = 0; c < C; c++) to[c] = 0.0F;
            for (int32_t i = 0; i < v.n; i++)
                for (int32_t j = 0; j < h.n; j++) {
                    const float weight = v.weight[i] * h.weight[j];
                    const float *from = image + ((v.first + i) * W + h.first + j) * C;
#pragma omp simd
                    for (int64_t c = 0; c < C; c++) to[c] += weight * from[c];
                }
        }
    }
    return ERR_NONE;
}

/* The weight with which output o reads position i; 0: not at all. */
static float weight_at(int64_t o, int64_t i, int64_t size)
{
    if (o < 0 || o >= size / 2) return 0.0F;
    const Taps taps = taps_of(o, size);
    return i >= taps.first && i < taps.first + taps.n ? taps.weight[i - taps.first] : 0.0F;
}

/* Outputs (i - 1) / 2, rounded down, and the next one read position i. */
static Err backward(const Step *step)
{
    const int64_t *dim = step->in[0].shape.dim, *out = step->out[0].shape.dim;
    const int64_t H = dim[1], W = dim[2], C = dim[3];
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < dim[0] * H; row++) {
        const int64_t y = row % H, first = (y + 1) / 2 - 1;
        const float *image = dy + row / H * out[1] * out[2] * C;
        for (int64_t x = 0; x < W; x++) {
            float *to = dx + (row * W + x) * C;
            for (int64_t c = 0; c < C && !step->accumulate[0]; c++) to[c] = 0.0F;
            for (int64_t oy = first; oy < first + 2; oy++)
                for (int64_t ox = (x + 1) / 2 - 1; ox < (x + 1) / 2 + 1; ox++) {
                    const float weight = weight_at(oy, y, H) * weight_at(ox, x, W);
                    if (weight == 0.0F) continue;
                    const float *from = image + (oy * out[2] + ox) * C;
#pragma omp simd
                    for (int64_t c = 0; c < C; c++) to[c] += weight * from[c];
                }
        }
    }
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    char text[64];
    (void)attr;
    (void)n_in;
    const Shape *shape = &in[0].shape;
    if (in[0].dtype != DTYPE_F32 || shape->rank != 4 || shape->dim[1] % 2 != 0 || shape->dim[2] % 2 != 0)
        return err_set(ERR_SHAPE, "halve_antialiased: x is %s %s; expected f32 [B, H, W, C], H and W even",
                       dtype_name(in[0].dtype), shape_text(shape, text, sizeof text));
    ret_out[0] = in[0];
    ret_out[0].shape.dim[1] /= 2;
    ret_out[0].shape.dim[2] /= 2;
    return ERR_NONE;
}

static const Kernel kernel_plain = { .name = "plain", .forward = forward, .backward = backward };
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_halve_antialiased = {
    .name = "halve_antialiased",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .infer = infer,
    .kernels = kernels,
};

Var op_halve_antialiased(Graph *g, Var x) { return graph_node(g, &op_def_halve_antialiased, NULL, 1, &x); }
