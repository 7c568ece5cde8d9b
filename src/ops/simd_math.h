/* SPDX-License-Identifier: Apache-2.0
 *
 * exp, log and the normal distribution on vectors; include after simd_avx2.h or simd_avx512.h. The polynomials are our
 * own weighted minimax fits (Lawson's iteration in double). The errors stated were measured against double over 2e7 to
 * 4e7 arguments; the tests of gelu, cross_entropy and attention bound them from outside.
 */
#ifndef METASEG_OPS_SIMD_MATH_H
#define METASEG_OPS_SIMD_MATH_H

/* exp(x) for x <= 88, relative error below 2 ulp; 0 for x below -104 (AVX-512) or -87 (AVX2); not a number stays so.
 * x = n ln 2 + r, exp(r) = 1 + r + r^2 P(r) with |r| <= ln 2 / 2 (fit 3e-9). */
static inline Vec vec_exp(Vec x)
{
    const Vec bounded = vec_min(vec_set(88.0F), vec_max(vec_set(VEC_LANES == 8 ? -87.0F : -104.0F), x));
    const Vec n = vec_round(vec_mul(bounded, vec_set(1.44269504F)));
    /* ln 2 = 0.693145752 + 1.42860677e-6: the first part times n is exact. */
    const Vec r = vec_fnma(n, vec_set(1.42860677e-6F), vec_fnma(n, vec_set(0.693145752F), bounded));
    Vec p = vec_fma(vec_set(1.38143205e-3F), r, vec_set(8.36885107e-3F));
    p = vec_fma(p, r, vec_set(4.16684011e-2F));
    p = vec_fma(p, r, vec_set(0.166665195F));
    p = vec_fma(p, r, vec_set(0.499999934F));
    p = vec_fma(p, vec_mul(r, r), r);
    return vec_scale_exponent(vec_add(p, vec_set(1.0F)), n, x);
}

/* log(x) for positive normal x, error below 2 ulp of max(|log x|, 2^-24); not a number stays so.
 * log(1 + z) = z - z^2 / 2 + z^3 R(z) on [-0.25, 0.5) (fit 5e-9). */
static inline Vec vec_log(Vec x)
{
    Vec mantissa, exponent;
    vec_split_exponent(x, &mantissa, &exponent);
    const Vec z = vec_sub(mantissa, vec_set(1.0F));
    Vec p = vec_fma(vec_set(-4.50798527e-2F), z, vec_set(0.104643237F));
    p = vec_fma(p, z, vec_set(-0.131620747F));
    p = vec_fma(p, z, vec_set(0.144785053F));
    p = vec_fma(p, z, vec_set(-0.166472452F));
    p = vec_fma(p, z, vec_set(0.199908458F));
    p = vec_fma(p, z, vec_set(-0.250000969F));
    p = vec_fma(p, z, vec_set(0.333334494F));
    const Vec square = vec_mul(z, z);
    p = vec_fma(vec_mul(p, z), square, vec_mul(square, vec_set(-0.5F)));
    p = vec_fma(exponent, vec_set(1.42860677e-6F), p);
    return vec_fma(exponent, vec_set(0.693145752F), vec_add(z, p));
}

/* Distribution function and density of the standard normal, absolute error below 4e-7, relative below 1e-4:
 * Phi(-t) = exp(-t^2 / 2) c(t / sqrt 2) / 2, c(t) = exp(t^2) erfc(t) = u Q(u), u = 1 / (1 + 0.35 t) (fit 6e-9). */
static inline void vec_normal(Vec x, Vec *ret_phi, Vec *ret_density)
{
    const Vec magnitude = vec_abs(x);
    const Vec e = vec_exp(vec_mul(vec_mul(x, x), vec_set(-0.5F)));
    const Vec u = vec_reciprocal(vec_fma(magnitude, vec_set(0.35F * 0.707106781F), vec_set(1.0F)));
    Vec q = vec_fma(vec_set(-0.196607584F), u, vec_set(0.765946972F));
    q = vec_fma(q, u, vec_set(-0.668274453F));
    q = vec_fma(q, u, vec_set(0.672017092F));
    q = vec_fma(q, u, vec_set(-1.42281253e-3F));
    q = vec_fma(q, u, vec_set(0.233742797F));
    q = vec_fma(q, u, vec_set(0.194597992F));
    const Vec tail = vec_mul(vec_mul(q, u), vec_mul(e, vec_set(0.5F)));
    *ret_phi = vec_select_less(x, vec_zero(), tail, vec_sub(vec_set(1.0F), tail));
    *ret_density = vec_mul(e, vec_set(0.398942280F));
}

#endif
