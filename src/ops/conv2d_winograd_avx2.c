/* SPDX-License-Identifier: Apache-2.0
 * Winograd convolution with AVX2. */
#include "ops/simd_avx2.h"

#include "ops/conv2d_winograd_gradient_simd.h"

const Winograd winograd_avx2 = {
    .packed_bytes = packed_bytes,
    .scratch_bytes = scratch_bytes,
    .pack = pack,
    .run = run,
    .gradient_bytes = gradient_bytes,
    .gradient = gradient,
};
