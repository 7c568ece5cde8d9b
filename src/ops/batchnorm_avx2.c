/* SPDX-License-Identifier: Apache-2.0
 * BatchNorm with AVX2. */
#include "ops/simd_avx2.h"

#include "ops/batchnorm_simd.h"

const Kernel batchnorm_avx2 = {
    .name = SIMD_KERNEL_NAME,
    .isa = SIMD_KERNEL_ISA,
    .prepare = batchnorm_prepare,
    .forward = forward,
    .backward = backward,
};
