/* SPDX-License-Identifier: Apache-2.0
 * Cross-entropy against a distribution with AVX2. */
#include "ops/simd_avx2.h"

#include "ops/soft_cross_entropy_simd.h"

const Kernel soft_cross_entropy_avx2 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = soft_cross_entropy_prepare,
    .forward = forward,
    .backward = backward,
};
