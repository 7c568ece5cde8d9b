/* SPDX-License-Identifier: Apache-2.0
 * Body of the vector kernels of resize_bilinear; include after simd_avx2.h or simd_avx512.h. */
#ifndef METASEG_OPS_RESIZE_BILINEAR_SIMD_H
#define METASEG_OPS_RESIZE_BILINEAR_SIMD_H

#include "ops/resize_bilinear_kernels.h"

#include <omp.h>
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

static void forward_row(const ResizeSizes *n, const float *row, float *to)
{
    const int64_t C = n->C, half = n->scale / 2;
    const float *last = row + (n->W - 1) * C;
    for (int64_t k = 0; k < half; k++) memcpy(to + k * C, row, (size_t)C * sizeof *to);
    to += half * C;
    for (int64_t column = 0; column + 1 < n->W; column++) {
        spread_pixels(row + column * C, row + (column + 1) * C, C, n->scale, to);
        to += n->scale * C;
    }
    for (int64_t k = 0; k < n->scale - half; k++) memcpy(to + k * C, last, (size_t)C * sizeof *to);
}

static Err forward(const Step *step)
{
    const ResizeSizes n = resize_sizes(step);
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
    const int64_t out_h = n.H * n.scale, row_in = n.W * n.C, row_out = n.W * n.scale * n.C;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < n.B * out_h; row++) {
        float *blended = (float *)step->workspace + omp_get_thread_num() * resize_row_floats(step);
        const ResizeSource v = resize_source(row % out_h, n.H, n.scale);
        const float *image = x + row / out_h * n.H * row_in;
        blend_rows(image + v.first * row_in, image + v.second * row_in, v.weight, row_in, blended);
        forward_row(&n, blended, y + row * row_out);
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
    const ResizeSizes n = resize_sizes(step);
    const float *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    const int64_t row_out = n.W * n.scale * n.C;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < n.B * n.H; row++) {
        float *sums = (float *)step->workspace + omp_get_thread_num() * resize_row_floats(step);
        const ResizeUses v = resize_uses(row % n.H, n.H, n.scale);
        gather_rows(&v, dy + (row / n.H * n.H * n.scale + v.first) * row_out, row_out, sums);
        for (int64_t column = 0; column < n.W; column++) {
            const ResizeUses h = resize_uses(column, n.W, n.scale);
            gather_pixels(&h, sums + h.first * n.C, n.C, dx + (row * n.W + column) * n.C, step->accumulate[0]);
        }
    }
    return ERR_NONE;
}

#endif
