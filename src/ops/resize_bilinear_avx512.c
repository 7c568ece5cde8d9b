/* SPDX-License-Identifier: Apache-2.0
 * Bilinear resize with AVX-512. */
#include "ops/simd_avx512.h"

#include "ops/resize_bilinear_simd.h"

const Kernel resize_bilinear_avx512 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = resize_prepare,
    .forward = forward,
    .backward = backward,
    .release = resize_release,
};
