/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors of 16 floats with AVX-512. simd_avx2.h has the same names with 8 lanes, so the body of a kernel is written
 * once (x_simd.h) and compiled by x_avx2.c and x_avx512.c. Only files with the matching compile flags include it.
 */
#ifndef METASEG_OPS_SIMD_AVX512_H
#define METASEG_OPS_SIMD_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define SIMD_KERNEL_NAME "avx512"
#define SIMD_KERNEL_ISA ISA_AVX512

enum { VEC_LANES = 16 };
typedef __m512 Vec;
typedef __m512i VecIndex; /* 16 lane numbers */

static inline Vec vec_zero(void) { return _mm512_setzero_ps(); }
static inline Vec vec_set(float value) { return _mm512_set1_ps(value); }
static inline Vec vec_load(const float *from) { return _mm512_loadu_ps(from); }
static inline void vec_store(float *to, Vec a) { _mm512_storeu_ps(to, a); }
static inline Vec vec_add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
static inline Vec vec_sub(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
static inline Vec vec_mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }

/* a * b + c. */
static inline Vec vec_fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
/* c - a * b. */
static inline Vec vec_fnma(Vec a, Vec b, Vec c) { return _mm512_fnmadd_ps(a, b, c); }
/* The larger; b where either is not a number. */
static inline Vec vec_max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
static inline Vec vec_min(Vec a, Vec b) { return _mm512_min_ps(a, b); }
static inline Vec vec_abs(Vec a) { return _mm512_abs_ps(a); }
static inline Vec vec_round(Vec a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

static inline __mmask16 vec_mask_first(int64_t n) { return (__mmask16)(n >= 16 ? 0xFFFFU : (1U << n) - 1U); }
/* The first n lanes (0..16), zero in the others; touches no other memory. */
static inline Vec vec_load_first(const float *from, int64_t n)
{
    return _mm512_maskz_loadu_ps(vec_mask_first(n), from);
}
static inline void vec_store_first(float *to, Vec a, int64_t n) { _mm512_mask_storeu_ps(to, vec_mask_first(n), a); }

/* Where x < limit: a, elsewhere (also not a number): b. */
static inline Vec vec_select_less(Vec x, Vec limit, Vec a, Vec b)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, limit, _CMP_LT_OQ), b, a);
}

/* Where x == y: a, elsewhere b. */
static inline Vec vec_select_equal(Vec x, Vec y, Vec a, Vec b)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, y, _CMP_EQ_OQ), b, a);
}

/* 16 bytes as floats. */
static inline Vec vec_load_u8(const uint8_t *from)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)from)));
}

/* Sum and maximum of all lanes. */
static inline float vec_sum_lanes(Vec a) { return _mm512_reduce_add_ps(a); }
static inline float vec_max_lanes(Vec a) { return _mm512_reduce_max_ps(a); }

/* 1 / a to 2^-23 relative: estimate and one Newton step. */
static inline Vec vec_reciprocal(Vec a)
{
    const Vec estimate = _mm512_rcp14_ps(a);
    return vec_mul(estimate, vec_fnma(a, estimate, vec_set(2.0F)));
}

/* a * 2^n, n a whole number in a float. `x` is the argument of exp it is for (used by AVX2). */
static inline Vec vec_scale_exponent(Vec a, Vec n, Vec x)
{
    (void)x;
    return _mm512_scalef_ps(a, n);
}

/* x = mantissa * 2^exponent with mantissa in [0.75, 1.5), x positive and normal. */
static inline void vec_split_exponent(Vec x, Vec *ret_mantissa, Vec *ret_exponent)
{
    const Vec mantissa = _mm512_getmant_ps(x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
    const Vec exponent = _mm512_getexp_ps(x); /* one less than wanted where the mantissa is in [0.75, 1) */
    const __mmask16 low = _mm512_cmp_ps_mask(mantissa, vec_set(1.0F), _CMP_LT_OQ);
    *ret_exponent = _mm512_mask_add_ps(exponent, low, exponent, vec_set(1.0F));
    *ret_mantissa = mantissa;
}

static inline VecIndex vec_index_load(const int32_t *from) { return _mm512_loadu_si512(from); }
/* Lane l of the result is lane index[l] of a. */
static inline Vec vec_permute(Vec a, VecIndex index) { return _mm512_permutexvar_ps(index, a); }

/* rows[i] lane j <-> rows[j] lane i. */
static inline void vec_transpose(Vec rows[16])
{
    Vec pairs[16], quads[16];
    for (int i = 0; i < 16; i += 2) {
        pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        quads[i] = _mm512_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
        quads[i + 1] = _mm512_shuffle_ps(pairs[i], pairs[i + 2], 0xEE);
        quads[i + 2] = _mm512_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
        quads[i + 3] = _mm512_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; i++) {
        const Vec low_01 = _mm512_shuffle_f32x4(quads[i], quads[i + 4], 0x88);
        const Vec high_01 = _mm512_shuffle_f32x4(quads[i], quads[i + 4], 0xDD);
        const Vec low_23 = _mm512_shuffle_f32x4(quads[i + 8], quads[i + 12], 0x88);
        const Vec high_23 = _mm512_shuffle_f32x4(quads[i + 8], quads[i + 12], 0xDD);
        rows[i] = _mm512_shuffle_f32x4(low_01, low_23, 0x88);
        rows[i + 8] = _mm512_shuffle_f32x4(low_01, low_23, 0xDD);
        rows[i + 4] = _mm512_shuffle_f32x4(high_01, high_23, 0x88);
        rows[i + 12] = _mm512_shuffle_f32x4(high_01, high_23, 0xDD);
    }
}

#endif
