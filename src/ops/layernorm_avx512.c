/* SPDX-License-Identifier: Apache-2.0
 * LayerNorm with AVX-512. */
#include "ops/simd_avx512.h"

#include "ops/layernorm_simd.h"

const Kernel layernorm_avx512 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = layernorm_prepare,
    .forward = forward,
    .backward = backward,
};
