/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of soft_cross_entropy share; chunks, sums and the saved outputs are those of cross_entropy. */
#ifndef METASEG_OPS_SOFT_CROSS_ENTROPY_KERNELS_H
#define METASEG_OPS_SOFT_CROSS_ENTROPY_KERNELS_H

#include "ops/cross_entropy_kernels.h"

extern const Kernel soft_cross_entropy_avx2, soft_cross_entropy_avx512;

/* Workspace of cross_entropy_prepare, then per thread two more blocks of 16 pixels (soft_cross_entropy_blocks). */
Err soft_cross_entropy_prepare(Step *step);
float *soft_cross_entropy_blocks(const Step *step);

/* In CrossEntropySums.bad_label: a pixel that counts has no probability at all. */
enum { SOFT_CROSS_ENTROPY_EMPTY = 256 };

/* cross_entropy_finish; ERR_INPUT also where a pixel has no probability. */
Err soft_cross_entropy_finish(const Step *step);

#endif
