/* SPDX-License-Identifier: Apache-2.0
 *
 * What the vector kernels of attention and window_attention share; include after simd_avx2.h or simd_avx512.h,
 * simd_math.h, simd_transpose.h and simd_gemm.h. Scores are kept turned around, [keys, queries]: lanes are queries, so
 * that maxima and sums over keys need no work across lanes.
 */
#ifndef METASEG_OPS_SIMD_ATTENTION_H
#define METASEG_OPS_SIMD_ATTENTION_H

#include "ops/simd_gemm.h"
#include "ops/simd_math.h"
#include "ops/simd_transpose.h"

/* Largest of `start` and the rows of a column of vectors; four maxima side by side. */
static inline Vec column_max(const float *column, int64_t rows, int64_t stride, Vec start)
{
    Vec a = start, b = start, c = start, d = start;
    int64_t j = 0;
    for (; j + 4 <= rows; j += 4) {
        const float *row = column + j * stride;
        a = vec_max(a, vec_load(row));
        b = vec_max(b, vec_load(row + stride));
        c = vec_max(c, vec_load(row + 2 * stride));
        d = vec_max(d, vec_load(row + 3 * stride));
    }
    for (; j < rows; j++) a = vec_max(a, vec_load(column + j * stride));
    return vec_max(vec_max(a, b), vec_max(c, d));
}

/* One more block of scores s [keys, n] of a softmax over all keys (Milakov and Gimelshein 2018): s becomes exp(s - max)
 * with the running max [n], sum [n] is carried on, and the rows of the result so far, o [o_rows, n], are rescaled.
 * Start with max -INFINITY and sum 0. n is a multiple of VEC_LANES. */
static inline void softmax_block(float *s, int64_t keys, int64_t n, float *max, float *sum, float *o, int64_t o_rows)
{
    for (int64_t i = 0; i < n; i += VEC_LANES) {
        const Vec old = vec_load(max + i), top = column_max(s + i, keys, n, old);
        const Vec shrink = vec_exp(vec_sub(old, top));
        Vec total = vec_zero();
        for (int64_t j = 0; j < keys; j++) {
            const Vec p = vec_exp(vec_sub(vec_load(s + j * n + i), top));
            vec_store(s + j * n + i, p);
            total = vec_add(total, p);
        }
        vec_store(max + i, top);
        vec_store(sum + i, vec_fma(vec_load(sum + i), shrink, total));
        for (int64_t r = 0; r < o_rows; r++) vec_store(o + r * n + i, vec_mul(vec_load(o + r * n + i), shrink));
    }
}

/* s [keys, n] becomes the probabilities exp(s - lse). */
static inline void probabilities_block(float *s, int64_t keys, int64_t n, const float *lse)
{
    for (int64_t i = 0; i < n; i += VEC_LANES) {
        const Vec shift = vec_load(lse + i);
        for (int64_t j = 0; j < keys; j++) vec_store(s + j * n + i, vec_exp(vec_sub(vec_load(s + j * n + i), shift)));
    }
}

/* to[c] = factor * from[c], zeros from n up to padded. */
static inline void copy_row(const float *from, int64_t n, float factor, float *to, int64_t padded)
{
    int64_t c = 0;
    for (; c + VEC_LANES <= n; c += VEC_LANES) vec_store(to + c, vec_mul(vec_load(from + c), vec_set(factor)));
    if (c < n) vec_store_first(to + c, vec_mul(vec_load_first(from + c, n - c), vec_set(factor)), n - c);
    for (c = n; c < padded; c++) to[c] = 0.0F;
}

/* to[c] (+)= from[c]. */
static inline void write_row(const float *from, int64_t n, float *to, bool add)
{
    int64_t c = 0;
    for (; c + VEC_LANES <= n; c += VEC_LANES)
        vec_store(to + c, add ? vec_add(vec_load(to + c), vec_load(from + c)) : vec_load(from + c));
    if (c == n) return;
    const Vec value = vec_load_first(from + c, n - c);
    vec_store_first(to + c, add ? vec_add(vec_load_first(to + c, n - c), value) : value, n - c);
}

/* to [columns, to_stride] = from [rows, from_stride] turned around; rows up to the next multiple of VEC_LANES are 0. */
static inline void transpose_rows(const float *from, int64_t from_stride, int64_t rows, int64_t columns, float *to,
                                  int64_t to_stride)
{
    for (int64_t r = 0; r < rows; r += VEC_LANES)
        transpose_strip(from + r * from_stride, from_stride, min_int64(rows - r, VEC_LANES), columns, to + r,
                        to_stride);
}

/* to [rows, to_stride] (+)= factor * from [columns, from_stride] turned around. */
static inline void untranspose_rows(const float *from, int64_t from_stride, int64_t rows, int64_t columns, float factor,
                                    float *to, int64_t to_stride, bool add)
{
    for (int64_t r = 0; r < rows; r += VEC_LANES)
        untranspose_strip(from + r, from_stride, min_int64(rows - r, VEC_LANES), columns, factor, to + r * to_stride,
                          to_stride, add);
}

#endif
