/* SPDX-License-Identifier: Apache-2.0
 * Cross-window pooling with AVX2. */
#include "ops/simd_avx2.h"

#include "ops/cross_window_pool_simd.h"

const Kernel cross_window_pool_avx2 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .forward = forward,
    .backward = backward,
};
