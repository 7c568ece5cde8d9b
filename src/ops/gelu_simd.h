/* SPDX-License-Identifier: Apache-2.0
 * Body of the vector kernels of gelu; include after simd_avx2.h or simd_avx512.h. */
#ifndef METASEG_OPS_GELU_SIMD_H
#define METASEG_OPS_GELU_SIMD_H

#include "ops/gelu_kernels.h"
#include "ops/simd_math.h"

static Vec function(Vec x)
{
    Vec phi, density;
    vec_normal(x, &phi, &density);
    return vec_mul(x, phi);
}

static Vec derivative(Vec x)
{
    Vec phi, density;
    vec_normal(x, &phi, &density);
    return vec_fma(x, density, phi);
}

#include "ops/elementwise_simd.h"

#endif
