/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products whose right factor is packed in panels of PANEL columns, for the convolution kernels; include after
 * simd_avx2.h or simd_avx512.h.
 */
#ifndef METASEG_OPS_SIMD_PRODUCT_H
#define METASEG_OPS_SIMD_PRODUCT_H

#include "ops/kernel_util.h"

enum {
    PANEL = 2 * VEC_LANES,          /* columns */
    ROWS = VEC_LANES == 8 ? 6 : 12, /* of one block: 2 ROWS sums in 16 or 32 registers */
    DEPTH = 256                     /* a good length of the sum: DEPTH rows of a panel stay in the first-level cache */
};

/* m[rows, PANEL] = (add ? m : 0) + v[rows, depth] u[depth, PANEL], v[r * v_row + k * v_step]. `rows`, `add` and one of the steps
 * are constants where it is called, so that the sums stay in registers. */
static INLINE_ALWAYS void product_block(const float *v, int64_t v_row, int64_t v_step, const float *u, int64_t depth,
                                        bool add, float *m, int64_t m_row, int rows)
{
    Vec sum[ROWS][2];
    for (int r = 0; r < rows; r++) {
        sum[r][0] = add ? vec_load(m + r * m_row) : vec_zero();
        sum[r][1] = add ? vec_load(m + r * m_row + VEC_LANES) : vec_zero();
    }
    int64_t k = 0;
    do { /* depth is not 0; a loop that may be skipped makes gcc keep the sums in memory before and behind it */
        const Vec u0 = vec_load(u), u1 = vec_load(u + VEC_LANES);
        for (int r = 0; r < rows; r++) {
            const Vec factor = vec_set(v[r * v_row]);
            sum[r][0] = vec_fma(factor, u0, sum[r][0]);
            sum[r][1] = vec_fma(factor, u1, sum[r][1]);
        }
        v += v_step;
        u += PANEL;
    } while (++k < depth);
    for (int r = 0; r < rows; r++) {
        vec_store(m + r * m_row, sum[r][0]);
        vec_store(m + r * m_row + VEC_LANES, sum[r][1]);
    }
}

/* product_: the sum runs over neighbours in v, rows are `step` apart; transposed_: rows are neighbours, the sum runs in such steps. */
#define PRODUCTS(rows)                                                                                                 \
    static void product_##rows(const float *v, int64_t step, const float *u, int64_t depth, bool add, float *m,        \
                               int64_t m_row)                                                                          \
    {                                                                                                                  \
        if (add)                                                                                                       \
            product_block(v, step, 1, u, depth, true, m, m_row, rows);                                                 \
        else                                                                                                           \
            product_block(v, step, 1, u, depth, false, m, m_row, rows);                                                \
    }                                                                                                                  \
    static void transposed_##rows(const float *v, int64_t step, const float *u, int64_t depth, bool add, float *m,     \
                                  int64_t m_row)                                                                       \
    {                                                                                                                  \
        if (add)                                                                                                       \
            product_block(v, 1, step, u, depth, true, m, m_row, rows);                                                 \
        else                                                                                                           \
            product_block(v, 1, step, u, depth, false, m, m_row, rows);                                                \
    }
PRODUCTS(1)
PRODUCTS(2)
PRODUCTS(3)
PRODUCTS(4)
PRODUCTS(5)
PRODUCTS(6)
#if defined(METASEG_OPS_SIMD_AVX512_H)
PRODUCTS(8)
PRODUCTS(12)
#endif

typedef void (*ProductFn)(const float *v, int64_t step, const float *u, int64_t depth, bool add, float *m,
                          int64_t m_row);
static const ProductFn product_table[][2] = { { NULL, NULL },
                                              { product_1, transposed_1 },
                                              { product_2, transposed_2 },
                                              { product_3, transposed_3 },
                                              { product_4, transposed_4 },
                                              { product_5, transposed_5 },
                                              { product_6, transposed_6 },
#if defined(METASEG_OPS_SIMD_AVX512_H)
                                              { NULL, NULL },
                                              { product_8, transposed_8 },
                                              { NULL, NULL },
                                              { NULL, NULL },
                                              { NULL, NULL },
                                              { product_12, transposed_12 }
#endif
};

/* The largest number of rows that has a product. */
static int64_t rows_of_product(int64_t left)
{
    if (left >= ROWS) return ROWS;
    return VEC_LANES == 16 && left >= 8 ? 8 : min_int64(left, 6);
}

/* m[n, PANEL] = (add ? m : 0) + v[n, depth] u[depth, PANEL], v[i * v_row + k]. depth is not 0. */
static void product(const float *v, int64_t v_row, const float *u, int64_t depth, int64_t n, bool add, float *m,
                    int64_t m_row)
{
    for (int64_t i = 0, rows = 0; i < n; i += rows) {
        rows = rows_of_product(n - i);
        product_table[rows][0](v + i * v_row, v_row, u, depth, add, m + i * m_row, m_row);
    }
}

/* m[n, PANEL] = (add ? m : 0) + v[depth, n]^T u[depth, PANEL], v[k * v_step + i]. depth is not 0. */
static void product_transposed(const float *v, int64_t v_step, const float *u, int64_t depth, int64_t n, bool add,
                               float *m)
{
    for (int64_t i = 0, rows = 0; i < n; i += rows) {
        rows = rows_of_product(n - i);
        product_table[rows][1](v + i, v_step, u, depth, add, m + i * PANEL, PANEL);
    }
}

#endif
