/* SPDX-License-Identifier: Apache-2.0
 * Cross-window pooling with AVX-512. */
#include "ops/simd_avx512.h"

#include "ops/cross_window_pool_simd.h"

const Kernel cross_window_pool_avx512 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .forward = forward,
    .backward = backward,
};
