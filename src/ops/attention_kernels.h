/* SPDX-License-Identifier: Apache-2.0
 * What the kernels of attention share. */
#ifndef METASEG_OPS_ATTENTION_KERNELS_H
#define METASEG_OPS_ATTENTION_KERNELS_H

#include "ops/kernel_util.h"
#include "ops/ops.h"

extern const Kernel attention_avx2, attention_avx512;

/* Sizes and inputs of a step. */
typedef struct AttentionSizes {
    int64_t B, N, M, D, heads, size; /* queries [B, N, D], keys [B, M, D]; D = heads * size */
    AttentionSlots slots;
    int64_t S, slot_length; /* S: slots, 0 without */
    const float *log_share; /* [B, N or M, S] or NULL */
    const float *mask;      /* [B, M] or NULL */
    bool has_mask;          /* true also while no data is set (prepare) */
    bool causal;            /* query i reads the keys 0 to i */
    float scale;            /* 1 / sqrt(size) */
} AttentionSizes;
AttentionSizes attention_sizes(const Step *step);

/* Slot of a text token. */
static inline int64_t attention_slot(const AttentionSizes *n, int64_t token)
{
    return min_int64(token / n->slot_length, n->S - 1);
}

#endif
