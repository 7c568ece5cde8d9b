/* SPDX-License-Identifier: Apache-2.0
 * Vector kernels of a function of single elements; include after `function` and `derivative`, both Vec -> Vec, which they
 * apply: y = function(x), dx = dy derivative(x). */
#ifndef METASEG_OPS_ELEMENTWISE_SIMD_H
#define METASEG_OPS_ELEMENTWISE_SIMD_H

#include "ops/kernel_util.h"

/* Elements of one piece of work. */
enum { ELEMENTWISE_PIECE = 4096 };

static Err forward(const Step *step)
{
    const int64_t n = shape_count(&step->in[0].shape);
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t piece = 0; piece < ceil_divide(n, ELEMENTWISE_PIECE); piece++) {
        const int64_t end = min_int64((piece + 1) * ELEMENTWISE_PIECE, n);
        int64_t i = piece * ELEMENTWISE_PIECE;
        for (; i + VEC_LANES <= end; i += VEC_LANES) vec_store(y + i, function(vec_load(x + i)));
        if (i < end) vec_store_first(y + i, function(vec_load_first(x + i, end - i)), end - i);
    }
    return ERR_NONE;
}

static void backward_piece(const float *x, const float *dy, float *dx, int64_t n, bool add)
{
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        const Vec slope = derivative(vec_load(x + i)), d = vec_load(dy + i);
        vec_store(dx + i, add ? vec_fma(d, slope, vec_load(dx + i)) : vec_mul(d, slope));
    }
    if (i == n) return;
    const Vec gradient = vec_mul(vec_load_first(dy + i, n - i), derivative(vec_load_first(x + i, n - i)));
    vec_store_first(dx + i, add ? vec_add(vec_load_first(dx + i, n - i), gradient) : gradient, n - i);
}

static Err backward(const Step *step)
{
    const int64_t n = shape_count(&step->in[0].shape);
    const float *x = step->in[0].data, *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t piece = 0; piece < ceil_divide(n, ELEMENTWISE_PIECE); piece++) {
        const int64_t begin = piece * ELEMENTWISE_PIECE;
        backward_piece(x + begin, dy + begin, dx + begin, min_int64(ELEMENTWISE_PIECE, n - begin), step->accumulate[0]);
    }
    return ERR_NONE;
}

#endif
