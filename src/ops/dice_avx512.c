/* SPDX-License-Identifier: Apache-2.0
 * Dice loss with AVX-512. */
#include "ops/simd_avx512.h"

#include "ops/dice_simd.h"

const Kernel dice_avx512 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = dice_prepare,
    .forward = forward,
    .backward = backward,
};
