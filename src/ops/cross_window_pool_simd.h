/* SPDX-License-Identifier: Apache-2.0
 * Body of the vector kernels of cross_window_pool; include after simd_avx2.h or simd_avx512.h. */
#ifndef METASEG_OPS_CROSS_WINDOW_POOL_SIMD_H
#define METASEG_OPS_CROSS_WINDOW_POOL_SIMD_H

#include "ops/cross_window_pool_kernels.h"

enum { POOL_VECTORS = 4 };

/* Adds first .. last, stride floats apart, to POOL_VECTORS sums side by side: their additions overlap. */
static void sum_range(int64_t first, int64_t last, const float *from, int64_t stride, Vec sum[POOL_VECTORS])
{
    Vec a = sum[0], b = sum[1], c = sum[2], d = sum[3];
    for (int64_t i = first; i <= last; i++) {
        const float *tap = from + i * stride;
        a = vec_add(a, vec_load(tap));
        b = vec_add(b, vec_load(tap + VEC_LANES));
        c = vec_add(c, vec_load(tap + 2 * VEC_LANES));
        d = vec_add(d, vec_load(tap + 3 * VEC_LANES));
    }
    sum[0] = a;
    sum[1] = b;
    sum[2] = c;
    sum[3] = d;
}

static void sum_taps(const PoolTaps *taps, const float *from, int64_t stride, Vec sum[POOL_VECTORS])
{
    sum_range(taps->first, taps->last, from, stride, sum);
    sum_range(taps->more_first, taps->more_last, from, stride, sum);
}

/* sum plus the taps of the first n floats. */
static Vec sum_taps_first(const PoolTaps *taps, const float *from, int64_t stride, Vec sum, int64_t n)
{
    for (int64_t i = taps->first; i <= taps->last; i++) sum = vec_add(sum, vec_load_first(from + i * stride, n));
    for (int64_t i = taps->more_first; i <= taps->more_last; i++)
        sum = vec_add(sum, vec_load_first(from + i * stride, n));
    return sum;
}

/* One pixel: to (+)= factor * (sum over rows from `column`, sum over columns from `row`). */
static void pool_pixel(const float *column, const PoolTaps *rows, const float *row, const PoolTaps *columns, int64_t W,
                       int64_t C, Vec factor, float *to, bool add)
{
    int64_t c = 0;
    for (; c + POOL_VECTORS * VEC_LANES <= C; c += POOL_VECTORS * VEC_LANES) {
        Vec sum[POOL_VECTORS] = { vec_zero(), vec_zero(), vec_zero(), vec_zero() };
        sum_taps(rows, column + c, W * C, sum);
        sum_taps(columns, row + c, C, sum);
        for (int32_t i = 0; i < POOL_VECTORS; i++) {
            float *place = to + c + i * VEC_LANES;
            vec_store(place, add ? vec_fma(sum[i], factor, vec_load(place)) : vec_mul(sum[i], factor));
        }
    }
    for (; c < C; c += VEC_LANES) {
        const int64_t n = min_int64(C - c, VEC_LANES);
        Vec sum = sum_taps_first(rows, column + c, W * C, vec_zero(), n);
        sum = vec_mul(sum_taps_first(columns, row + c, C, sum, n), factor);
        vec_store_first(to + c, add ? vec_add(sum, vec_load_first(to + c, n)) : sum, n);
    }
}

static void pool(const Step *step, const float *from, float *to, bool backward, bool add)
{
    const CrossWindowPoolAttr *attr = step->attr;
    const int64_t *dim = step->in[0].shape.dim;
    const int64_t B = dim[0], H = dim[1], W = dim[2], C = dim[3], window = attr->window;
    const Vec factor = vec_set(1.0F / (float)window);
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t row = 0; row < B * H; row++) {
        const int64_t y = row % H;
        const float *image = from + row / H * H * W * C;
        const PoolTaps rows = backward ? pool_backward_taps(y, H, window) : pool_forward_taps(y, H, window);
        for (int64_t x = 0; x < W; x++) {
            const PoolTaps columns = backward ? pool_backward_taps(x, W, window) : pool_forward_taps(x, W, window);
            pool_pixel(image + x * C, &rows, image + y * W * C, &columns, W, C, factor, to + (row * W + x) * C, add);
        }
    }
}

static Err forward(const Step *step)
{
    pool(step, step->in[0].data, step->out[0].data, false, false);
    return ERR_NONE;
}

static Err backward(const Step *step)
{
    if (step->d_in[0].data != NULL) pool(step, step->d_out[0].data, step->d_in[0].data, true, step->accumulate[0]);
    return ERR_NONE;
}

#endif
