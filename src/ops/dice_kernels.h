/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of dice share. */
#ifndef METASEG_OPS_DICE_KERNELS_H
#define METASEG_OPS_DICE_KERNELS_H

#include "ops/kernel_util.h"
#include "ops/ops.h"

extern const Kernel dice_avx2, dice_avx512;

/* Pixels whose sums are kept in float before they are added up in double. */
enum { DICE_CHUNK_PIXELS = 4096 };

/* Workspace, in this order:
 *   partial sums of chunk i: 3 C + 1 doubles: I, P, T of each class, then the largest bad label or -1 (dice_partial);
 *   factors a, b of the gradient, 2 C floats (dice_factors);
 *   per thread four blocks [C, 16] of floats (dice_blocks). */
Err dice_prepare(Step *step);
int64_t dice_chunks(const Step *step);
double *dice_partial(const Step *step, int64_t chunk);
float *dice_factors(const Step *step);
float *dice_blocks(const Step *step);

/* Adds up the chunks, reduces over ranks, writes the loss and the saved sums. ERR_INPUT for a bad label. */
Err dice_finish(const Step *step);

/* Fills dice_factors: d loss / d p_c of a pixel is a_c + (label is c ? b_c : 0), times the arriving gradient. */
void dice_prepare_factors(const Step *step);

#endif
