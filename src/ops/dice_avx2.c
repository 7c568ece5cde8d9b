/* SPDX-License-Identifier: Apache-2.0
 * Dice loss with AVX2. */
#include "ops/simd_avx2.h"

#include "ops/dice_simd.h"

const Kernel dice_avx2 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = dice_prepare,
    .forward = forward,
    .backward = backward,
};
