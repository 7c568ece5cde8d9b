/* SPDX-License-Identifier: Apache-2.0
 * Body of the vector kernels of quick_gelu; include after simd_avx2.h or simd_avx512.h. */
#ifndef METASEG_OPS_QUICK_GELU_SIMD_H
#define METASEG_OPS_QUICK_GELU_SIMD_H

#include "ops/quick_gelu_kernels.h"
#include "ops/simd_math.h"

/* s = 1 / (1 + e^(-1.702 x)) and 1 - s, by e^(-1.702 |x|) in (0, 1], so that nothing overflows. */
static inline void sigmoid_parts(Vec x, Vec *ret_s, Vec *ret_rest)
{
    const Vec e = vec_exp(vec_mul(vec_set(-1.702F), vec_abs(x)));
    const Vec high = vec_reciprocal(vec_add(vec_set(1.0F), e)), low = vec_mul(e, high);
    *ret_s = vec_select_less(x, vec_zero(), low, high);
    *ret_rest = vec_select_less(x, vec_zero(), high, low);
}

static Vec function(Vec x)
{
    Vec s, rest;
    sigmoid_parts(x, &s, &rest);
    return vec_mul(x, s);
}

static Vec derivative(Vec x)
{
    Vec s, rest;
    sigmoid_parts(x, &s, &rest);
    return vec_fma(vec_mul(vec_mul(vec_set(1.702F), x), rest), s, s);
}

#include "ops/elementwise_simd.h"

#endif
