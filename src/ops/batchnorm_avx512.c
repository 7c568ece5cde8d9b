/* SPDX-License-Identifier: Apache-2.0
 * BatchNorm with AVX-512. */
#include "ops/simd_avx512.h"

#include "ops/batchnorm_simd.h"

const Kernel batchnorm_avx512 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = batchnorm_prepare,
    .forward = forward,
    .backward = backward,
};
