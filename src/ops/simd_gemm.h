/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products of blocks that stay in the first-level cache, for the attention kernels; include after simd_avx2.h or
 * simd_avx512.h.
 */
#ifndef METASEG_OPS_SIMD_GEMM_H
#define METASEG_OPS_SIMD_GEMM_H

#include "ops/kernel_util.h"

/* Rows of a product are computed four at a time, so buffers of left factors and results have a multiple of that. */
enum { GEMM_ROWS = 4 };

/* c[m, n] = init[m, n] + sum_k a[m * a_row + k * a_column] * b[k, n]; lanes run over n. init may be NULL (zeros) or c.
 */
typedef struct GemmBlock {
    int64_t M, N, K; /* M a multiple of GEMM_ROWS, N of VEC_LANES */
    const float *a;
    int64_t a_row, a_column; /* a may be read transposed */
    const float *b;
    int64_t b_stride;
    const float *init;
    float *c;
    int64_t c_stride; /* of init, too */
} GemmBlock;

static inline Vec gemm_init(const GemmBlock *g, int64_t m, int64_t n)
{
    return g->init != NULL ? vec_load(g->init + m * g->c_stride + n) : vec_zero();
}

/* 4 rows and 2 vectors. */
static inline void gemm_4x2(const GemmBlock *g, int64_t m, int64_t n)
{
    Vec c00 = gemm_init(g, m, n), c01 = gemm_init(g, m, n + VEC_LANES);
    Vec c10 = gemm_init(g, m + 1, n), c11 = gemm_init(g, m + 1, n + VEC_LANES);
    Vec c20 = gemm_init(g, m + 2, n), c21 = gemm_init(g, m + 2, n + VEC_LANES);
    Vec c30 = gemm_init(g, m + 3, n), c31 = gemm_init(g, m + 3, n + VEC_LANES);
    const float *a = g->a + m * g->a_row, *b = g->b + n;
    const int64_t row = g->a_row;
    for (int64_t k = 0; k < g->K; k++) {
        const Vec b0 = vec_load(b), b1 = vec_load(b + VEC_LANES);
        const Vec a0 = vec_set(a[0]), a1 = vec_set(a[row]), a2 = vec_set(a[2 * row]), a3 = vec_set(a[3 * row]);
        c00 = vec_fma(a0, b0, c00);
        c01 = vec_fma(a0, b1, c01);
        c10 = vec_fma(a1, b0, c10);
        c11 = vec_fma(a1, b1, c11);
        c20 = vec_fma(a2, b0, c20);
        c21 = vec_fma(a2, b1, c21);
        c30 = vec_fma(a3, b0, c30);
        c31 = vec_fma(a3, b1, c31);
        a += g->a_column;
        b += g->b_stride;
    }
    float *c = g->c + m * g->c_stride + n;
    vec_store(c, c00);
    vec_store(c + VEC_LANES, c01);
    vec_store(c + g->c_stride, c10);
    vec_store(c + g->c_stride + VEC_LANES, c11);
    vec_store(c + 2 * g->c_stride, c20);
    vec_store(c + 2 * g->c_stride + VEC_LANES, c21);
    vec_store(c + 3 * g->c_stride, c30);
    vec_store(c + 3 * g->c_stride + VEC_LANES, c31);
}

/* 4 rows and 1 vector; two sums over k, so that additions overlap. */
static inline void gemm_4x1(const GemmBlock *g, int64_t m, int64_t n)
{
    Vec even[4], odd[4];
    for (int64_t i = 0; i < 4; i++) {
        even[i] = gemm_init(g, m + i, n);
        odd[i] = vec_zero();
    }
    const float *a = g->a + m * g->a_row, *b = g->b + n;
    const int64_t row = g->a_row;
    int64_t k = 0;
    for (; k + 2 <= g->K; k += 2) {
        const Vec b0 = vec_load(b), b1 = vec_load(b + g->b_stride);
        for (int64_t i = 0; i < 4; i++) {
            even[i] = vec_fma(vec_set(a[i * row]), b0, even[i]);
            odd[i] = vec_fma(vec_set(a[i * row + g->a_column]), b1, odd[i]);
        }
        a += 2 * g->a_column;
        b += 2 * g->b_stride;
    }
    if (k < g->K)
        for (int64_t i = 0; i < 4; i++) even[i] = vec_fma(vec_set(a[i * row]), vec_load(b), even[i]);
    for (int64_t i = 0; i < 4; i++) vec_store(g->c + (m + i) * g->c_stride + n, vec_add(even[i], odd[i]));
}

#if defined(METASEG_OPS_SIMD_AVX512_H)
/* 4 rows and 4 vectors: 16 sums in the 32 registers of AVX-512. */
static inline void gemm_4x4(const GemmBlock *g, int64_t m, int64_t n)
{
    Vec sum[4][4];
    for (int64_t i = 0; i < 4; i++)
        for (int64_t j = 0; j < 4; j++) sum[i][j] = gemm_init(g, m + i, n + j * VEC_LANES);
    const float *a = g->a + m * g->a_row, *b = g->b + n;
    const int64_t row = g->a_row;
    for (int64_t k = 0; k < g->K; k++) {
        const Vec b0 = vec_load(b), b1 = vec_load(b + VEC_LANES), b2 = vec_load(b + 2 * VEC_LANES),
                  b3 = vec_load(b + 3 * VEC_LANES);
        for (int64_t i = 0; i < 4; i++) {
            const Vec factor = vec_set(a[i * row]);
            sum[i][0] = vec_fma(factor, b0, sum[i][0]);
            sum[i][1] = vec_fma(factor, b1, sum[i][1]);
            sum[i][2] = vec_fma(factor, b2, sum[i][2]);
            sum[i][3] = vec_fma(factor, b3, sum[i][3]);
        }
        a += g->a_column;
        b += g->b_stride;
    }
    for (int64_t i = 0; i < 4; i++)
        for (int64_t j = 0; j < 4; j++) vec_store(g->c + (m + i) * g->c_stride + n + j * VEC_LANES, sum[i][j]);
}
#endif

static inline void gemm_block(const GemmBlock *g)
{
    int64_t n = 0;
#if defined(METASEG_OPS_SIMD_AVX512_H)
    for (; n + 4 * VEC_LANES <= g->N; n += 4 * VEC_LANES)
        for (int64_t m = 0; m < g->M; m += GEMM_ROWS) gemm_4x4(g, m, n);
#endif
    for (; n + 2 * VEC_LANES <= g->N; n += 2 * VEC_LANES)
        for (int64_t m = 0; m < g->M; m += GEMM_ROWS) gemm_4x2(g, m, n);
    for (; n < g->N; n += VEC_LANES)
        for (int64_t m = 0; m < g->M; m += GEMM_ROWS) gemm_4x1(g, m, n);
}

#endif
