/* SPDX-License-Identifier: Apache-2.0
 * Activations with AVX-512. */
#include "ops/simd_avx512.h"
#include "ops/simd_math.h"

#include "ops/activation_simd.h"

const Kernel activation_avx512 = {
    .name = SIMD_KERNEL_NAME, .isa = SIMD_KERNEL_ISA, .forward = forward, .backward = backward
};
