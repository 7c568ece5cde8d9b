/* SPDX-License-Identifier: Apache-2.0
 *
 * Bicubic resize (Keys 1981) as PyTorch's interpolate does it: along each axis, with scale = n / (size + offset), output o
 * is the sum of x[i] times its weight, where
 *   antialias     centre = scale (o + 0.5), s = max(scale, 1); positions i from round(centre - 2 s) to before
 *                 round(centre + 2 s) inside x, weight cubic((i + 0.5 - centre) / s) with a = -0.5, divided by their sum
 *   else          source = scale (o + 0.5) - 0.5; positions floor(source) - 1 .. + 2, moved to the edge of x where they
 *                 lie outside, weight cubic(i - source) with a = -0.75
 * First rows, then columns, each as [outer, n, inner] -> [outer, size, inner]; backward is the transpose.
 */
#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <math.h>
#include <stdlib.h>

/* Weights of one axis: output o reads n[o] positions from first[o] on, with weight + o * most. */
typedef struct Axis {
    int64_t from, to, most;
    int64_t *first, *n;
    float *weight;
} Axis;

static double cubic(double x, double a)
{
    const double d = fabs(x);
    if (d < 1.0) return ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0;
    return d < 2.0 ? (((d - 5.0) * d + 8.0) * d - 4.0) * a : 0.0;
}

static void fill_antialiased(Axis *axis, double scale)
{
    const double wide = scale > 1.0 ? scale : 1.0;
    for (int64_t o = 0; o < axis->to; o++) {
        const double centre = scale * ((double)o + 0.5);
        const int64_t first = max_int64((int64_t)(centre - 2.0 * wide + 0.5), 0);
        const int64_t end = min_int64((int64_t)(centre + 2.0 * wide + 0.5), axis->from);
        float *weight = axis->weight + o * axis->most;
        double sum = 0.0;
        for (int64_t i = first; i < end; i++) sum += cubic(((double)i + 0.5 - centre) / wide, -0.5);
        for (int64_t i = first; i < end; i++)
            weight[i - first] = (float)(cubic(((double)i + 0.5 - centre) / wide, -0.5) / sum);
        axis->first[o] = first;
        axis->n[o] = end - first;
    }
}

static void fill_interpolated(Axis *axis, double scale)
{
    for (int64_t o = 0; o < axis->to; o++) {
        const double source = scale * ((double)o + 0.5) - 0.5;
        const int64_t begin = (int64_t)floor(source) - 1, first = min_int64(max_int64(begin, 0), axis->from - 1);
        float *weight = axis->weight + o * axis->most;
        axis->first[o] = first;
        for (int64_t i = begin; i < begin + 4; i++) {
            const int64_t at = min_int64(max_int64(i, 0), axis->from - 1) - first;
            weight[at] += (float)cubic((double)i - source, -0.75);
            axis->n[o] = at + 1;
        }
    }
}

static void axis_done(Axis *axis)
{
    free(axis->first);
    free(axis->n);
    free(axis->weight);
}

static Err axis_init(int64_t from, int64_t to, const ResizeBicubicAttr *attr, Axis *ret_axis)
{
    const double scale = (double)from / ((double)to + (double)attr->offset);
    const double wide = attr->antialias && scale > 1.0 ? scale : 1.0;
    Axis axis = { .from = from, .to = to, .most = min_int64((int64_t)ceil(4.0 * wide) + 1, max_int64(from, 4)) };
    axis.first = calloc((size_t)to, sizeof *axis.first);
    axis.n = calloc((size_t)to, sizeof *axis.n);
    axis.weight = calloc((size_t)(to * axis.most), sizeof *axis.weight);
    if (axis.first == NULL || axis.n == NULL || axis.weight == NULL) {
        axis_done(&axis);
        return err_memory((size_t)(to * axis.most) * sizeof *axis.weight, "the weights of a resize");
    }
    if (attr->antialias)
        fill_antialiased(&axis, scale);
    else
        fill_interpolated(&axis, scale);
    *ret_axis = axis;
    return ERR_NONE;
}

typedef struct ResizeState {
    Axis rows, columns;
} ResizeState;

static void release(Step *step)
{
    ResizeState *state = step->state;
    if (state == NULL) return;
    axis_done(&state->rows);
    axis_done(&state->columns);
    free(state);
}

static Err prepare(Step *step)
{
    const int64_t *in = step->in[0].shape.dim, *out = step->out[0].shape.dim;
    ResizeState *state = calloc(1, sizeof *state);
    if (state == NULL) return err_memory(sizeof *state, "a resize");
    step->state = state;
    Err err = axis_init(in[1], out[1], step->attr, &state->rows);
    if (err == ERR_NONE) err = axis_init(in[2], out[2], step->attr, &state->columns);
    if (err != ERR_NONE) {
        release(step);
        step->state = NULL;
        return err;
    }
    step->workspace_bytes = (size_t)(in[0] * out[1] * in[2] * in[3]) * sizeof(float);
    return ERR_NONE;
}

/* y [outer, to, inner] = x [outer, from, inner] along an axis. */
static void resize(const Step *step, const Axis *axis, int64_t outer, int64_t inner, const float *x, float *y)
{
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < outer * axis->to; row++) {
        const int64_t o = row % axis->to;
        const float *from = x + (row / axis->to * axis->from + axis->first[o]) * inner;
        float *to = y + row * inner;
        for (int64_t i = 0; i < inner; i++) to[i] = 0.0F;
        for (int64_t k = 0; k < axis->n[o]; k++) {
            const float weight = axis->weight[o * axis->most + k];
#pragma omp simd
            for (int64_t i = 0; i < inner; i++) to[i] += weight * from[k * inner + i];
        }
    }
}

/* dx [outer, from, inner] (+)= the transpose, from dy [outer, to, inner]. One thread owns an outer index. */
static void resize_back(const Step *step, const Axis *axis, int64_t outer, int64_t inner, const float *dy, bool add,
                        float *dx)
{
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t b = 0; b < outer; b++) {
        float *all = dx + b * axis->from * inner;
        for (int64_t i = 0; i < axis->from * inner && !add; i++) all[i] = 0.0F;
        for (int64_t o = 0; o < axis->to; o++) {
            const float *from = dy + (b * axis->to + o) * inner;
            for (int64_t k = 0; k < axis->n[o]; k++) {
                const float weight = axis->weight[o * axis->most + k];
                float *to = all + (axis->first[o] + k) * inner;
#pragma omp simd
                for (int64_t i = 0; i < inner; i++) to[i] += weight * from[i];
            }
        }
    }
}

static Err forward(const Step *step)
{
    const ResizeState *state = step->state;
    const int64_t *dim = step->in[0].shape.dim, height = step->out[0].shape.dim[1];
    resize(step, &state->rows, dim[0], dim[2] * dim[3], step->in[0].data, step->workspace);
    resize(step, &state->columns, dim[0] * height, dim[3], step->workspace, step->out[0].data);
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    const ResizeState *state = step->state;
    const int64_t *dim = step->in[0].shape.dim, height = step->out[0].shape.dim[1];
    if (step->d_in[0].data == NULL) return ERR_NONE;
    resize_back(step, &state->columns, dim[0] * height, dim[3], step->d_out[0].data, false, step->workspace);
    resize_back(step, &state->rows, dim[0], dim[2] * dim[3], step->workspace, step->accumulate[0], step->d_in[0].data);
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const ResizeBicubicAttr *a = attr;
    char text[64];
    (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[0].shape.rank != 4 || shape_count(&in[0].shape) < 1 || a->height < 1 ||
        a->width < 1 || a->offset < 0.0F)
        return err_set(ERR_SHAPE, "resize_bicubic: %s %s cannot become %lld x %lld; expected f32 [B, H, W, C]",
                       dtype_name(in[0].dtype), shape_text(&in[0].shape, text, sizeof text), (long long)a->height,
                       (long long)a->width);
    ret_out[0] = in[0];
    ret_out[0].shape.dim[1] = a->height;
    ret_out[0].shape.dim[2] = a->width;
    return ERR_NONE;
}

static const Kernel kernel_plain = {
    .name = "plain", .prepare = prepare, .forward = forward, .backward = backward, .release = release
};
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_resize_bicubic = {
    .name = "resize_bicubic",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .attr_size = sizeof(ResizeBicubicAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_resize_bicubic(Graph *g, Var x, const ResizeBicubicAttr *attr)
{
    return graph_node(g, &op_def_resize_bicubic, attr, 1, &x);
}
