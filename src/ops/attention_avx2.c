/* SPDX-License-Identifier: Apache-2.0
 * Attention with AVX2. */
#include "ops/simd_avx2.h"

#include "ops/attention_simd.h"

const Kernel attention_avx2 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
};
