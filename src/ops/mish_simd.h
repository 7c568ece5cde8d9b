/* SPDX-License-Identifier: Apache-2.0
 * Body of the vector kernels of mish; include after simd_avx2.h or simd_avx512.h. */
#ifndef METASEG_OPS_MISH_SIMD_H
#define METASEG_OPS_MISH_SIMD_H

#include "ops/mish_kernels.h"
#include "ops/simd_math.h"

/* Elements of one piece of work. */
enum { MISH_PIECE = 4096 };

/* e^x and 1 / (w + 2), where nothing overflows. */
static inline void mish_parts(Vec x, Vec *ret_e, Vec *ret_r)
{
    const Vec e = vec_exp(vec_min(vec_set(20.0F), x)); /* not a number stays so */
    *ret_e = e;
    *ret_r = vec_reciprocal(vec_fma(e, vec_add(e, vec_set(2.0F)), vec_set(2.0F)));
}

static Vec mish(Vec x)
{
    Vec e, r;
    mish_parts(x, &e, &r);
    return vec_mul(x, vec_mul(vec_mul(e, vec_add(e, vec_set(2.0F))), r));
}

static Vec mish_derivative(Vec x)
{
    Vec e, r;
    mish_parts(x, &e, &r);
    const Vec slope = vec_mul(vec_mul(vec_set(4.0F), vec_mul(e, r)), vec_mul(vec_add(e, vec_set(1.0F)), r));
    return vec_fma(x, slope, vec_mul(vec_mul(e, vec_add(e, vec_set(2.0F))), r));
}

static Err forward(const Step *step)
{
    const int64_t n = shape_count(&step->in[0].shape);
    const float *x = step->in[0].data;
    float *y = step->out[0].data;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t piece = 0; piece < ceil_divide(n, MISH_PIECE); piece++) {
        const int64_t end = min_int64((piece + 1) * MISH_PIECE, n);
        int64_t i = piece * MISH_PIECE;
        for (; i + VEC_LANES <= end; i += VEC_LANES) vec_store(y + i, mish(vec_load(x + i)));
        if (i < end) vec_store_first(y + i, mish(vec_load_first(x + i, end - i)), end - i);
    }
    return ERR_NONE;
}

static void backward_piece(const float *x, const float *dy, float *dx, int64_t n, bool add)
{
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        const Vec derivative = mish_derivative(vec_load(x + i)), d = vec_load(dy + i);
        vec_store(dx + i, add ? vec_fma(d, derivative, vec_load(dx + i)) : vec_mul(d, derivative));
    }
    if (i == n) return;
    const Vec gradient = vec_mul(vec_load_first(dy + i, n - i), mish_derivative(vec_load_first(x + i, n - i)));
    vec_store_first(dx + i, add ? vec_add(vec_load_first(dx + i, n - i), gradient) : gradient, n - i);
}

static Err backward(const Step *step)
{
    const int64_t n = shape_count(&step->in[0].shape);
    const float *x = step->in[0].data, *dy = step->d_out[0].data;
    float *dx = step->d_in[0].data;
    if (dx == NULL) return ERR_NONE;
#pragma omp parallel for schedule(static) num_threads(step->device.threads)
    for (int64_t piece = 0; piece < ceil_divide(n, MISH_PIECE); piece++) {
        const int64_t begin = piece * MISH_PIECE;
        backward_piece(x + begin, dy + begin, dx + begin, min_int64(MISH_PIECE, n - begin), step->accumulate[0]);
    }
    return ERR_NONE;
}

#endif
