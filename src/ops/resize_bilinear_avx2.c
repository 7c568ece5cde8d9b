/* SPDX-License-Identifier: Apache-2.0
 * Bilinear resize with AVX2. */
#include "ops/simd_avx2.h"

#include "ops/resize_bilinear_simd.h"

const Kernel resize_bilinear_avx2 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = resize_prepare,
    .forward = forward,
    .backward = backward,
    .release = resize_release,
};
