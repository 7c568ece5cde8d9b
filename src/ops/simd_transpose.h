/* SPDX-License-Identifier: Apache-2.0
 * Moving between rows of channels and vectors over rows; include after simd_avx2.h or simd_avx512.h. */
#ifndef METASEG_OPS_SIMD_TRANSPOSE_H
#define METASEG_OPS_SIMD_TRANSPOSE_H

#include "ops/kernel_util.h"

/* to[c * to_stride + r] = from[r * from_stride + c] for c < columns and r < rows (at most VEC_LANES); the other lanes
 * up to VEC_LANES become 0. */
static inline void transpose_strip(const float *from, int64_t from_stride, int64_t rows, int64_t columns, float *to,
                                   int64_t to_stride)
{
    int64_t c = 0;
    while (columns - c > 2) {
        const int64_t n = min_int64(columns - c, VEC_LANES);
        Vec row[VEC_LANES];
        for (int64_t r = 0; r < VEC_LANES; r++)
            row[r] = r >= rows        ? vec_zero()
                     : n == VEC_LANES ? vec_load(from + r * from_stride + c)
                                      : vec_load_first(from + r * from_stride + c, n);
        vec_transpose(row);
        for (int64_t i = 0; i < VEC_LANES; i++) {
            if (i >= n) break;
            vec_store(to + (c + i) * to_stride, row[i]);
        }
        c += n;
    }
    for (; c < columns; c++)
        for (int64_t r = 0; r < VEC_LANES; r++) to[c * to_stride + r] = r < rows ? from[r * from_stride + c] : 0.0F;
}

/* The other way: to[r * to_stride + c] (+)= factor * from[c * from_stride + r]. Reads VEC_LANES lanes of from. */
static inline void untranspose_strip(const float *from, int64_t from_stride, int64_t rows, int64_t columns,
                                     float factor, float *to, int64_t to_stride, bool add)
{
    int64_t c = 0;
    while (columns - c > 2) {
        const int64_t n = min_int64(columns - c, VEC_LANES);
        Vec row[VEC_LANES];
        for (int64_t i = 0; i < VEC_LANES; i++)
            row[i] = i < n ? vec_mul(vec_load(from + (c + i) * from_stride), vec_set(factor)) : vec_zero();
        vec_transpose(row);
        for (int64_t r = 0; r < VEC_LANES; r++) {
            if (r >= rows) break;
            float *place = to + r * to_stride + c;
            vec_store_first(place, add ? vec_add(row[r], vec_load_first(place, n)) : row[r], n);
        }
        c += n;
    }
    for (; c < columns; c++)
        for (int64_t r = 0; r < rows; r++) {
            const float value = factor * from[c * from_stride + r];
            to[r * to_stride + c] = add ? to[r * to_stride + c] + value : value;
        }
}

#endif
