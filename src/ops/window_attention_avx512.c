/* SPDX-License-Identifier: Apache-2.0
 * Window attention with AVX-512. */
#include "ops/simd_avx512.h"

#include "ops/window_attention_simd.h"

const Kernel window_attention_avx512 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = prepare,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .release = release,
};
