/* SPDX-License-Identifier: Apache-2.0
 * GELU with AVX2. */
#include "ops/simd_avx2.h"

#include "ops/gelu_simd.h"

const Kernel gelu_avx2 = { .name = SIMD_KERNEL_NAME, .isa = SIMD_KERNEL_ISA, .forward = forward, .backward = backward };
