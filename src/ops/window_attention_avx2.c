/* SPDX-License-Identifier: Apache-2.0
 * Window attention with AVX2. */
#include "ops/simd_avx2.h"

#include "ops/window_attention_simd.h"

const Kernel window_attention_avx2 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = prepare,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .release = release,
};
