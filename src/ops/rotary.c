/* SPDX-License-Identifier: Apache-2.0
 *
 * Rotary positions of patches (Su et al., RoFormer, 2021; axial, as DINOv3 has them: Simeoni et al. 2025).
 * x [B, N, D], D = heads * size; tokens first .. first + H W - 1 are the patches of a map, row by row, the others stay.
 * A patch in row i and column j has the coordinates y = 2 (i + 0.5) / H - 1 and x likewise. With
 * quarter = size / 4, half = size / 2, for k < quarter
 *   angle[k] = 2 pi y / base^(k / quarter), angle[quarter + k] = 2 pi x / base^(k / quarter)
 * and in each head, for d < half,
 *   out[d] = x[d] cos(angle[d]) - x[half + d] sin(angle[d])
 *   out[half + d] = x[half + d] cos(angle[d]) + x[d] sin(angle[d])
 * Backward turns the other way.
 */
#include "ops/kernel_util.h"
#include "ops/ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double two_pi = 6.283185307179586476925286766559;

/* Cosines, then sines, [H W, half] each. */
typedef struct RotaryTable {
    float *cosine, *sine;
} RotaryTable;

static int64_t half_of(const Step *step)
{
    return channels_of(&step->in[0]) / ((const RotaryAttr *)step->attr)->heads / 2;
}

static Err prepare(Step *step)
{
    const RotaryAttr *attr = step->attr;
    const int64_t half = half_of(step), quarter = half / 2, n = attr->height * attr->width * half;
    RotaryTable *table = calloc(1, sizeof *table);
    float *angles = malloc((size_t)n * 2 * sizeof *angles);
    if (table == NULL || angles == NULL) {
        free(table);
        free(angles);
        return err_memory((size_t)n * 2 * sizeof *angles, "rotary positions");
    }
    *table = (RotaryTable){ .cosine = angles, .sine = angles + n };
    for (int64_t i = 0; i < n; i++) {
        const int64_t patch = i / half, d = i % half, row = patch / attr->width, column = patch % attr->width;
        const double y = 2.0 * ((double)row + 0.5) / (double)attr->height - 1.0;
        const double x = 2.0 * ((double)column + 0.5) / (double)attr->width - 1.0;
        const double period = pow((double)attr->base, (double)(d % quarter) / (double)quarter);
        const double angle = two_pi * (d < quarter ? y : x) / period;
        table->cosine[i] = (float)cos(angle);
        table->sine[i] = (float)sin(angle);
    }
    step->state = table;
    return ERR_NONE;
}

static void release(Step *step)
{
    RotaryTable *table = step->state;
    if (table != NULL) free(table->cosine);
    free(table);
}

/* One token: turned by the angles, backwards with sign -1. to may be from. */
static void turn(const float *from, const float *cosine, const float *sine, float sign, int64_t heads, int64_t half,
                 bool add, float *to)
{
    for (int64_t head = 0; head < heads; head++, from += 2 * half, to += 2 * half)
#pragma omp simd
        for (int64_t d = 0; d < half; d++) {
            const float s = sign * sine[d], a = from[d] * cosine[d] - from[half + d] * s,
                        b = from[half + d] * cosine[d] + from[d] * s;
            to[d] = add ? to[d] + a : a;
            to[half + d] = add ? to[half + d] + b : b;
        }
}

static void turn_all(const Step *step, const float *from, float sign, bool add, float *to)
{
    const RotaryAttr *attr = step->attr;
    const RotaryTable *table = step->state;
    const int64_t D = channels_of(&step->in[0]), N = rows_of(&step->in[0]) / step->in[0].shape.dim[0];
    const int64_t patches = attr->height * attr->width, half = half_of(step);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < step->in[0].shape.dim[0] * N; row++) {
        const int64_t patch = row % N - attr->first;
        const float *x = from + row * D;
        float *y = to + row * D;
        if (patch >= 0 && patch < patches)
            turn(x, table->cosine + patch * half, table->sine + patch * half, sign, attr->heads, half, add, y);
        else if (add)
            for (int64_t d = 0; d < D; d++) y[d] += x[d];
        else if (x != y)
            memcpy(y, x, (size_t)D * sizeof *y);
    }
}

static Err forward(const Step *step)
{
    turn_all(step, step->in[0].data, 1.0F, false, step->out[0].data);
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    if (step->d_in[0].data != NULL) turn_all(step, step->d_out[0].data, -1.0F, step->accumulate[0], step->d_in[0].data);
    return ERR_NONE;
}

static Err infer(const void *attr, int32_t n_in, const Tensor *in, Tensor *ret_out)
{
    const RotaryAttr *a = attr;
    const Shape *x = &in[0].shape;
    char text[64];
    (void)n_in;
    const bool fits = in[0].dtype == DTYPE_F32 && x->rank >= 3 && a->heads >= 1 && a->first >= 0 && a->height >= 1 &&
                      a->width >= 1 && a->base > 0.0F && channels_of(&in[0]) % (4 * a->heads) == 0;
    if (!fits || rows_of(&in[0]) / x->dim[0] < a->first + a->height * a->width)
        return err_set(ERR_SHAPE,
                       "rotary: x is %s %s with %d heads and %lld x %lld patches from token %lld on; expected f32 [B, "
                       "N, D], D a multiple of 4 heads, and as many tokens",
                       dtype_name(in[0].dtype), shape_text(x, text, sizeof text), (int)a->heads, (long long)a->height,
                       (long long)a->width, (long long)a->first);
    ret_out[0] = in[0];
    return ERR_NONE;
}

static const Kernel kernel_plain = {
    .name = "plain", .prepare = prepare, .forward = forward, .backward = backward, .release = release
};
static const Kernel *const kernels[] = { &kernel_plain, NULL };

const OpDef op_def_rotary = {
    .name = "rotary",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .n_results = 1,
    .flags = OP_INPLACE,
    .attr_size = sizeof(RotaryAttr),
    .infer = infer,
    .kernels = kernels,
};

Var op_rotary(Graph *g, Var x, const RotaryAttr *attr) { return graph_node(g, &op_def_rotary, attr, 1, &x); }
