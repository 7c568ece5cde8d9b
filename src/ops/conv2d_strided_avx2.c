/* SPDX-License-Identifier: Apache-2.0
 * Convolution with a stride, with AVX2. */
#include "ops/simd_avx2.h"

#include "ops/conv2d_strided_simd.h"

const Kernel conv2d_strided_avx2 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .suits = suits,
    .prepare = prepare,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .release = conv2d_packed_release,
};
