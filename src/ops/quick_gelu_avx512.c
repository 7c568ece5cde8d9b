/* SPDX-License-Identifier: Apache-2.0
 * QuickGELU with AVX-512. */
#include "ops/simd_avx512.h"

#include "ops/quick_gelu_simd.h"

const Kernel quick_gelu_avx512 = {
    .name = SIMD_KERNEL_NAME, .isa = SIMD_KERNEL_ISA, .forward = forward, .backward = backward
};
