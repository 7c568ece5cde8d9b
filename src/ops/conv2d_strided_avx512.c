/* SPDX-License-Identifier: Apache-2.0
 * Convolution with a stride, with AVX-512. */
#include "ops/simd_avx512.h"

#include "ops/conv2d_strided_simd.h"

const Kernel conv2d_strided_avx512 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .suits = suits,
    .prepare = prepare,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .release = conv2d_packed_release,
};
