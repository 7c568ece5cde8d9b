/* SPDX-License-Identifier: Apache-2.0
 * Mish with AVX-512. */
#include "ops/simd_avx512.h"

#include "ops/mish_simd.h"

const Kernel mish_avx512 = {
    .name = SIMD_KERNEL_NAME, .isa = SIMD_KERNEL_ISA, .forward = forward, .backward = backward
};
