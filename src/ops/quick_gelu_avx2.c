/* SPDX-License-Identifier: Apache-2.0
 * QuickGELU with AVX2. */
#include "ops/simd_avx2.h"

#include "ops/quick_gelu_simd.h"

const Kernel quick_gelu_avx2 = {
    .name = SIMD_KERNEL_NAME, .isa = SIMD_KERNEL_ISA, .forward = forward, .backward = backward
};
