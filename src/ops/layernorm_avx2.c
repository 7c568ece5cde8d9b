/* SPDX-License-Identifier: Apache-2.0
 * LayerNorm with AVX2. */
#include "ops/simd_avx2.h"

#include "ops/layernorm_simd.h"

const Kernel layernorm_avx2 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = layernorm_prepare,
    .forward = forward,
    .backward = backward,
};
