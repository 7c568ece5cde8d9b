/* SPDX-License-Identifier: Apache-2.0
 * Attention with AVX-512. */
#include "ops/simd_avx512.h"

#include "ops/attention_simd.h"

const Kernel attention_avx512 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
