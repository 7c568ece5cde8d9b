/* SPDX-License-Identifier: Apache-2.0
 * Cross-entropy against a distribution with AVX-512. */
#include "ops/simd_avx512.h"

#include "ops/soft_cross_entropy_simd.h"

const Kernel soft_cross_entropy_avx512 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = soft_cross_entropy_prepare,
    .forward = forward,
    .backward = backward,
};
