/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of layernorm share. */
#ifndef METASEG_OPS_LAYERNORM_KERNELS_H
#define METASEG_OPS_LAYERNORM_KERNELS_H

#include "ops/kernel_util.h"

extern const Kernel layernorm_avx2, layernorm_avx512;

/* Chunks of rows for the gradients of weight and bias. */
static inline int64_t layernorm_chunks(int64_t rows) { return min_int64(max_int64(rows / 8, 1), 32); }

/* Workspace: partial sums [chunks, 2, C]. */
Err layernorm_prepare(Step *step);

/* Adds the partial sums of the workspace to, or writes them over, the gradients of weight and bias. */
void layernorm_reduce(const Step *step);

#endif
