/* SPDX-License-Identifier: Apache-2.0
 * GELU with AVX-512. */
#include "ops/simd_avx512.h"

#include "ops/gelu_simd.h"

const Kernel gelu_avx512 = {
    .name = SIMD_KERNEL_NAME, .isa = SIMD_KERNEL_ISA, .forward = forward, .backward = backward
};
