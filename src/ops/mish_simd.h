/* SPDX-License-Identifier: Apache-2.0
 * Body of the vector kernels of mish; include after simd_avx2.h or simd_avx512.h. */
#ifndef METASEG_OPS_MISH_SIMD_H
#define METASEG_OPS_MISH_SIMD_H

#include "ops/mish_kernels.h"
#include "ops/simd_math.h"

/* e^x and 1 / (w + 2), where nothing overflows. */
static inline void mish_parts(Vec x, Vec *ret_e, Vec *ret_r)
{
    const Vec e = vec_exp(vec_min(vec_set(20.0F), x)); /* not a number stays so */
    *ret_e = e;
    *ret_r = vec_reciprocal(vec_fma(e, vec_add(e, vec_set(2.0F)), vec_set(2.0F)));
}

static Vec function(Vec x)
{
    Vec e, r;
    mish_parts(x, &e, &r);
    return vec_mul(x, vec_mul(vec_mul(e, vec_add(e, vec_set(2.0F))), r));
}

static Vec derivative(Vec x)
{
    Vec e, r;
    mish_parts(x, &e, &r);
    const Vec slope = vec_mul(vec_mul(vec_set(4.0F), vec_mul(e, r)), vec_mul(vec_add(e, vec_set(1.0F)), r));
    return vec_fma(x, slope, vec_mul(vec_mul(e, vec_add(e, vec_set(2.0F))), r));
}

#include "ops/elementwise_simd.h"

#endif
