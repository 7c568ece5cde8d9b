/* SPDX-License-Identifier: Apache-2.0
 * Body of the vector kernels of resize_bilinear; include after simd_avx2.h or simd_avx512.h. */
#ifndef METASEG_OPS_RESIZE_BILINEAR_SIMD_H
#define METASEG_OPS_RESIZE_BILINEAR_SIMD_H

#include "ops/resize_bilinear_kernels.h"

#include <string.h>

/* to[i] = top[i] + weight (bottom[i] - top[i]), n floats. */
static void blend_rows(const float *top, const float *bottom, float weight, int64_t n, float *to)
{
    const Vec w = vec_set(weight);
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        const Vec a = vec_load(top + i);
        vec_store(to + i, vec_fma(vec_sub(vec_load(bottom + i), a), w, a));
    }
    if (i == n) return;
    const Vec a = vec_load_first(top + i, n - i);
    vec_store_first(to + i, vec_fma(vec_sub(vec_load_first(bottom + i, n - i), a), w, a), n - i);
}

/* The scale pixels between two neighbours of a row: to[k] = a + (k + 1/2) / scale * (b - a), channel by channel. */
static void spread_pixels(const float *a, const float *b, int64_t C, int64_t scale, float *to)
{
    const float step = 1.0F / (float)scale;
    int64_t c = 0;
    for (; c + VEC_LANES <= C; c += VEC_LANES) {
        const Vec left = vec_load(a + c), difference = vec_sub(vec_load(b + c), left);
        for (int64_t k = 0; k < scale; k++)
            vec_store(to + k * C + c, vec_fma(difference, vec_set(((float)k + 0.5F) * step), left));
    }
    if (c == C) return;
    if (C - c == 1) { /* one left-over channel (17 classes) is cheaper without masks */
        for (int64_t k = 0; k < scale; k++) to[k * C + c] = a[c] + ((float)k + 0.5F) * step * (b[c] - a[c]);
        return;
    }
    const Vec left = vec_load_first(a + c, C - c), difference = vec_sub(vec_load_first(b + c, C - c), left);
    for (int64_t k = 0; k < scale; k++)
        vec_store_first(to + k * C + c, vec_fma(difference, vec_set(((float)k + 0.5F) * step), left), C - c);
}

/* A multiple of 2, 4 or 8: neighbours are loaded once for all pixels between them. */
static void forward_multiple(const ResizePlan *plan, const float *row, float *to)
{
    const int64_t C = plan->channels, scale = plan->scale, half = scale / 2, last = plan->columns.in - 1;
    for (int64_t k = 0; k < half; k++) memcpy(to + k * C, row, (size_t)C * sizeof *to);
    to += half * C;
    for (int64_t column = 0; column < last; column++) {
        spread_pixels(row + column * C, row + (column + 1) * C, C, scale, to);
        to += scale * C;
    }
    for (int64_t k = 0; k < scale - half; k++) memcpy(to + k * C, row + last * C, (size_t)C * sizeof *to);
}

static void forward_row(const ResizePlan *plan, const float *row, float *to)
{
    const int64_t C = plan->channels;
    for (int64_t ox = 0; ox < plan->columns.out; ox++) {
        const ResizeSource h = plan->columns.source[ox];
        blend_rows(row + h.first * C, row + h.second * C, h.weight, C, to + ox * C);
    }
}

static Err forward(const Step *step)
{
    const ResizePlan *plan = step->state;
    const ResizeAxis *rows = &plan->rows;
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
    const int64_t row_in = plan->columns.in * plan->channels, row_out = plan->columns.out * plan->channels;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < plan->batch * rows->out; row++) {
        float *blended = resize_row(step);
        const ResizeSource v = rows->source[row % rows->out];
        const float *image = x + row / rows->out * rows->in * row_in;
        blend_rows(image + v.first * row_in, image + v.second * row_in, v.weight, row_in, blended);
        if (plan->scale != 0)
            forward_multiple(plan, blended, y + row * row_out);
        else
            forward_row(plan, blended, y + row * row_out);
    }
    return ERR_NONE;
}

/* to[i] = sum over the used rows of weight * row, n floats a row. */
static void gather_rows(const ResizeUses *uses, const float *from, int64_t n, float *to)
{
    int64_t i = 0;
    for (; i + 2 * VEC_LANES <= n; i += 2 * VEC_LANES) {
        Vec a = vec_zero(), b = vec_zero();
        for (int64_t k = 0; k < uses->n; k++) {
            const Vec w = vec_set(uses->weight[k]);
            a = vec_fma(vec_load(from + k * n + i), w, a);
            b = vec_fma(vec_load(from + k * n + i + VEC_LANES), w, b);
        }
        vec_store(to + i, a);
        vec_store(to + i + VEC_LANES, b);
    }
    for (; i < n; i += VEC_LANES) {
        const int64_t rest = n - i;
        Vec a = vec_zero();
        for (int64_t k = 0; k < uses->n; k++)
            a = vec_fma(vec_load_first(from + k * n + i, min_int64(rest, VEC_LANES)), vec_set(uses->weight[k]), a);
        vec_store_first(to + i, a, min_int64(rest, VEC_LANES));
    }
}

/* One pixel of dx: weighted sum of n pixels of C channels. */
static void gather_pixels(const ResizeUses *uses, const float *from, int64_t C, float *to, bool add)
{
    int64_t c = 0;
    for (; c + VEC_LANES <= C; c += VEC_LANES) {
        Vec a = add ? vec_load(to + c) : vec_zero();
        for (int64_t k = 0; k < uses->n; k++) a = vec_fma(vec_load(from + k * C + c), vec_set(uses->weight[k]), a);
        vec_store(to + c, a);
    }
    if (c == C) return;
    Vec a = add ? vec_load_first(to + c, C - c) : vec_zero();
    for (int64_t k = 0; k < uses->n; k++)
        a = vec_fma(vec_load_first(from + k * C + c, C - c), vec_set(uses->weight[k]), a);
    vec_store_first(to + c, a, C - c);
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
            gather_pixels(h, sums + h->first * C, C, dx + (row * columns->in + column) * C, step->accumulate[0]);
        }
    }
    return ERR_NONE;
}

#endif
