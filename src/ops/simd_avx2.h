/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors of 8 floats with AVX2 and FMA. simd_avx512.h has the same names with 16 lanes, so the body of a kernel is
 * written once (x_simd.h) and compiled by x_avx2.c and x_avx512.c. Only files with the matching compile flags include
 * it.
 */
#ifndef METASEG_OPS_SIMD_AVX2_H
#define METASEG_OPS_SIMD_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#define SIMD_KERNEL_NAME "avx2"
#define SIMD_KERNEL_ISA ISA_AVX2

enum { VEC_LANES = 8 };
typedef __m256 Vec;
typedef __m256i VecIndex; /* 8 lane numbers */

static inline Vec vec_zero(void) { return _mm256_setzero_ps(); }
static inline Vec vec_set(float value) { return _mm256_set1_ps(value); }
static inline Vec vec_load(const float *from) { return _mm256_loadu_ps(from); }
static inline void vec_store(float *to, Vec a) { _mm256_storeu_ps(to, a); }
static inline Vec vec_add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
static inline Vec vec_sub(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
static inline Vec vec_mul(Vec a, Vec b) { return _mm256_mul_ps(a, b); }

/* a * b + c. */
static inline Vec vec_fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
/* c - a * b. */
static inline Vec vec_fnma(Vec a, Vec b, Vec c) { return _mm256_fnmadd_ps(a, b, c); }
/* The larger; b where either is not a number. */
static inline Vec vec_max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
static inline Vec vec_min(Vec a, Vec b) { return _mm256_min_ps(a, b); }
static inline Vec vec_abs(Vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a); }
static inline Vec vec_round(Vec a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

static inline __m256i vec_mask_first(int64_t n)
{
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n >= 8 ? 8 : (int32_t)n), lanes);
}
/* The first n lanes (0..8), zero in the others; touches no other memory. A masked store takes an AMD processor (Zen 3) ten times as
 * long as a whole one. */
static inline Vec vec_load_first(const float *from, int64_t n)
{
    return n >= 8 ? vec_load(from) : _mm256_maskload_ps(from, vec_mask_first(n));
}
static inline void vec_store_first(float *to, Vec a, int64_t n)
{
    if (n >= 8)
        vec_store(to, a);
    else
        _mm256_maskstore_ps(to, vec_mask_first(n), a);
}

/* Where x < limit: a, elsewhere (also not a number): b. */
static inline Vec vec_select_less(Vec x, Vec limit, Vec a, Vec b)
{
    return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, limit, _CMP_LT_OQ));
}

/* Where x == y: a, elsewhere b. */
static inline Vec vec_select_equal(Vec x, Vec y, Vec a, Vec b)
{
    return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, y, _CMP_EQ_OQ));
}

/* 8 bytes as floats. */
static inline Vec vec_load_u8(const uint8_t *from)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)from)));
}

/* Sum and maximum of all lanes. */
static inline float vec_sum_lanes(Vec a)
{
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}
static inline float vec_max_lanes(Vec a)
{
    __m128 max = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    max = _mm_max_ps(max, _mm_movehl_ps(max, max));
    return _mm_cvtss_f32(_mm_max_ss(max, _mm_movehdup_ps(max)));
}

/* 1 / a to 2^-22 relative: estimate and one Newton step. */
static inline Vec vec_reciprocal(Vec a)
{
    const Vec estimate = _mm256_rcp_ps(a);
    return vec_mul(estimate, vec_fnma(a, estimate, vec_set(2.0F)));
}

/* a * 2^n, n a whole number in a float within [-126, 127]; 0 where the argument x of exp is below the normal range. */
static inline Vec vec_scale_exponent(Vec a, Vec n, Vec x)
{
    const __m256i bits = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    const Vec scaled = vec_mul(a, _mm256_castsi256_ps(bits));
    return _mm256_andnot_ps(_mm256_cmp_ps(x, _mm256_set1_ps(-87.0F), _CMP_LT_OQ), scaled);
}

/* x = mantissa * 2^exponent with mantissa in [0.75, 1.5), x positive and normal; mantissa is not a number where x is
 * not. */
static inline void vec_split_exponent(Vec x, Vec *ret_mantissa, Vec *ret_exponent)
{
    /* Subtracting the bits of 0.75 moves the border between two exponents to 0.75. */
    const __m256i low = _mm256_set1_epi32(0x3F400000);
    const __m256i shifted = _mm256_srai_epi32(_mm256_sub_epi32(_mm256_castps_si256(x), low), 23);
    const __m256i mantissa = _mm256_sub_epi32(_mm256_castps_si256(x), _mm256_slli_epi32(shifted, 23));
    *ret_exponent = _mm256_cvtepi32_ps(shifted);
    *ret_mantissa = vec_add(_mm256_castsi256_ps(mantissa), vec_sub(x, x));
}

static inline VecIndex vec_index_load(const int32_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}
/* Lane l of the result is lane index[l] of a. */
static inline Vec vec_permute(Vec a, VecIndex index) { return _mm256_permutevar8x32_ps(a, index); }

/* rows[i] lane j <-> rows[j] lane i. */
static inline void vec_transpose(Vec rows[8])
{
    Vec pairs[8], quads[8];
    for (int i = 0; i < 8; i += 2) {
        pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        quads[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
        quads[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xEE);
        quads[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
        quads[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; i++) {
        rows[i] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x20);
        rows[i + 4] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x31);
    }
}

#endif
