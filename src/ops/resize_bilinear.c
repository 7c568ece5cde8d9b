/* SPDX-License-Identifier: Apache-2.0
 *
 * Bilinear resize as PyTorch's interpolate: x [B, H, W, C], y [B, h, w, C].
 *   y[oy, ox] = sum over the two rows and two columns around the source of (oy, ox); along an axis of n input and m
 *   output positions the source of o is (o + 1/2) n / m - 1/2, clamped to [0, n - 1], with align_corners
 *   o (n - 1) / (m - 1), and 0 where m is 1.
 * Both directions are separable: forward blends two rows, then neighbours in the row; backward is the exact transpose
 * in gather form: each row of dx sums the rows of dy that read it, then the columns. No position is written twice, so
 * the result does not depend on the number of threads.
 */
#include "ops/resize_bilinear_kernels.h"

#include <omp.h>
#include <stdlib.h>

/* ---- plan ---- */

static ResizeSource source_of(int64_t output, int64_t in, int64_t out, bool align_corners)
{
    /* the source is numerator / denominator; whole numbers keep it exact */
    int64_t numerator = (2 * output + 1) * in - out, denominator = 2 * out;
    if (align_corners) numerator = output * (in - 1), denominator = max_int64(out - 1, 1);
    if (numerator < 0) numerator = 0;
    const int64_t first = numerator / denominator;
    return (ResizeSource){ .first = first,
                           .second = min_int64(first + 1, in - 1),
                           .weight = (float)((double)(numerator % denominator) / (double)denominator) };
}

static float weight_of(const ResizeSource *source, int64_t input)
{
    return (source->first == input ? 1.0F - source->weight : 0.0F) + (source->second == input ? source->weight : 0.0F);
}

/* Sources do not decrease, so those that read an input position follow each other. */
static void fill_uses(ResizeAxis *axis)
{
    float *weight = axis->weights;
    for (int64_t i = 0, begin = 0; i < axis->in; i++) {
        while (begin < axis->out && axis->source[begin].second < i) begin++;
        int64_t end = begin;
        for (; end < axis->out && axis->source[end].first <= i; end++)
            weight[end - begin] = weight_of(&axis->source[end], i);
        axis->uses[i] = (ResizeUses){ .first = begin, .n = end - begin, .weight = weight };
        weight += end - begin;
    }
}

Err resize_axis_init(int64_t in, int64_t out, bool align_corners, ResizeAxis *axis)
{
    *axis = (ResizeAxis){ .in = in, .out = out };
    axis->source = malloc((size_t)out * sizeof *axis->source);
    axis->uses = malloc((size_t)in * sizeof *axis->uses);
    axis->weights = malloc((size_t)(2 * out) * sizeof *axis->weights);
    if (axis->source == NULL || axis->uses == NULL || axis->weights == NULL)
        return err_memory((size_t)out * sizeof *axis->source, "the positions of a resize");
    for (int64_t o = 0; o < out; o++) axis->source[o] = source_of(o, in, out, align_corners);
    fill_uses(axis);
    return ERR_NONE;
}

void resize_axis_done(const ResizeAxis *axis)
{
    free(axis->source);
    free(axis->uses);
    free(axis->weights);
}

void resize_release(Step *step)
{
    ResizePlan *plan = step->state;
    if (plan == NULL) return;
    resize_axis_done(&plan->rows);
    resize_axis_done(&plan->columns);
    free(plan);
    step->state = NULL;
}

static int64_t row_floats(const ResizePlan *plan)
{
    return round_up(max_int64(plan->columns.in, plan->columns.out) * plan->channels, 16);
}

Err resize_prepare(Step *step)
{
    const ResizeBilinearAttr *attr = step->attr;
    const int64_t *in = step->in[0].shape.dim, *out = step->out[0].shape.dim;
    ResizePlan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) return err_memory(sizeof *plan, "a resize");
    step->state = plan;
    plan->batch = in[0];
    plan->channels = in[3];
    for (int64_t scale = 2; scale <= 8 && !attr->align_corners; scale *= 2)
        if (out[1] == scale * in[1] && out[2] == scale * in[2]) plan->scale = scale;
    Err err = resize_axis_init(in[1], out[1], attr->align_corners, &plan->rows);
    if (err == ERR_NONE) err = resize_axis_init(in[2], out[2], attr->align_corners, &plan->columns);
    if (err != ERR_NONE) {
        resize_release(step);
        return err;
    }
    step->workspace_bytes = (size_t)(row_floats(plan) * step->device.threads) * sizeof(float);
    return ERR_NONE;
}

float *resize_row(const Step *step)
{
    return (float *)step->workspace + omp_get_thread_num() * row_floats(step->state);
}

/* ---- plain kernel ---- */

static Err forward(const Step *step)
{
    const ResizePlan *plan = step->state;
    const ResizeAxis *rows = &plan->rows, *columns = &plan->columns;
    const int64_t C = plan->channels;
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < plan->batch * rows->out; row++) {
        const ResizeSource v = rows->source[row % rows->out];
        const float *image = x + row / rows->out * rows->in * columns->in * C;
        const float *top = image + v.first * columns->in * C, *bottom = image + v.second * columns->in * C;
        for (int64_t ox = 0; ox < columns->out; ox++) {
            const ResizeSource h = columns->source[ox];
            float *to = y + (row * columns->out + ox) * C;
            for (int64_t c = 0; c < C; c++) {
                const int64_t a = h.first * C + c, b = h.second * C + c;
                const float left = top[a] + v.weight * (bottom[a] - top[a]);
                const float right = top[b] + v.weight * (bottom[b] - top[b]);
                to[c] = left + h.weight * (right - left);
            }
        }
    }
    return ERR_NONE;
}

/* sums [w, C] = weighted rows of dy, starting at `from`, that read a row of x. */
static void gather_rows(const ResizeUses *uses, const float *from, int64_t n, float *sums)
{
    for (int64_t i = 0; i < n; i++) sums[i] = 0.0F;
    for (int64_t k = 0; k < uses->n; k++)
        for (int64_t i = 0; i < n; i++) sums[i] += uses->weight[k] * from[k * n + i];
}

static Err backward(const Step *step)
{
    const ResizePlan *plan = step->state;
    const ResizeAxis *rows = &plan->rows, *columns = &plan->columns;
    const int64_t C = plan->channels, row_out = columns->out * C;
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < plan->batch * rows->in; row++) {
        float *sums = resize_row(step);
        const ResizeUses *v = &rows->uses[row % rows->in];
        gather_rows(v, dy + (row / rows->in * rows->out + v->first) * row_out, row_out, sums);
        for (int64_t column = 0; column < columns->in; column++) {
            const ResizeUses *h = &columns->uses[column];
            float *to = dx + (row * columns->in + column) * C;
            for (int64_t c = 0; c < C; c++) {
                float sum = step->accumulate[0] ? to[c] : 0.0F;
                for (int64_t k = 0; k < h->n; k++) sum += h->weight[k] * sums[(h->first + k) * C + c];
                to[c] = sum;
            }
        }
    }
    return ERR_NONE;
}

/* ---- descriptor ---- */

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const ResizeBilinearAttr *resize = attr;
    char text[64];
    (void)n_in;
    if (in[0].dtype != DTYPE_F32 || in[0].shape.rank != 4)
        return err_set(ERR_SHAPE, "resize_bilinear: x is %s %s; expected f32 [B, H, W, C]", dtype_name(in[0].dtype),
                       shape_text(&in[0].shape, text, sizeof text));
    if (resize->height < 1 || resize->width < 1)
        return err_set(ERR_SHAPE, "resize_bilinear: x %s to %d x %d; both must be at least 1",
                       shape_text(&in[0].shape, text, sizeof text), (int)resize->height, (int)resize->width);
    ret_out[0] = in[0];
    ret_out[0].shape.dim[1] = resize->height;
    ret_out[0].shape.dim[2] = resize->width;
    return ERR_NONE;
}

static const Kernel kernel_plain = {
    .name = "plain", .prepare = resize_prepare, .forward = forward, .backward = backward, .release = resize_release
};
static const Kernel *const kernels[] = {
    KERNEL_AVX512(resize_bilinear_avx512) KERNEL_AVX2(resize_bilinear_avx2) & kernel_plain, NULL
};

const OpDef op_def_resize_bilinear = {
    .name = "resize_bilinear",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .attr_size = sizeof(ResizeBilinearAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_resize_bilinear_to(Graph *g, Var x, const ResizeBilinearAttr *attr)
{
    const Shape shape = graph_value(g, x).shape;
    if (shape.rank == 4 && shape.dim[1] == attr->height && shape.dim[2] == attr->width) return x;
    return graph_node(g, &op_def_resize_bilinear, attr, 1, &x);
}

Var op_resize_bilinear(Graph *g, Var x, int32_t scale)
{
    const Shape shape = graph_value(g, x).shape;
    const ResizeBilinearAttr attr = { .height = (int32_t)shape.dim[1] * scale, .width = (int32_t)shape.dim[2] * scale };
    return op_resize_bilinear_to(g, x, &attr);
}
