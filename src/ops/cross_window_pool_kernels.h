/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of cross_window_pool share. */
#ifndef METASEG_OPS_CROSS_WINDOW_POOL_KERNELS_H
#define METASEG_OPS_CROSS_WINDOW_POOL_KERNELS_H

#include "ops/kernel_util.h"
#include "ops/ops.h"

extern const Kernel cross_window_pool_avx2, cross_window_pool_avx512;

enum { POOL_MAX_WINDOW = 16 };

/* Positions along one axis whose sum is wanted: first .. last, then more_first .. more_last (empty when last < first).
 */
typedef struct PoolTaps {
    int64_t first, last, more_first, more_last;
} PoolTaps;

/* Forward: inputs that output `position` reads: position - (window / 2 - 1) .. position + window / 2 within the axis,
 * and size - 2 in place of the position `size`. */
PoolTaps pool_forward_taps(int64_t position, int64_t size, int64_t window);

/* Backward: outputs that read input `position`. */
PoolTaps pool_backward_taps(int64_t position, int64_t size, int64_t window);

#endif
