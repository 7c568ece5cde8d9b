/* SPDX-License-Identifier: Apache-2.0
 * Activations with AVX2. */
#include "ops/simd_avx2.h"
#include "ops/simd_math.h"

#include "ops/activation_simd.h"

const Kernel activation_avx2 = {
    .name = SIMD_KERNEL_NAME, .isa = SIMD_KERNEL_ISA, .forward = forward, .backward = backward
};
