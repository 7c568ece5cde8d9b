/* SPDX-License-Identifier: Apache-2.0
 * Mish with AVX2. */
#include "ops/simd_avx2.h"

#include "ops/mish_simd.h"

const Kernel mish_avx2 = { .name = SIMD_KERNEL_NAME, .isa = SIMD_KERNEL_ISA, .forward = forward, .backward = backward };
