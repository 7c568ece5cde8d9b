/* SPDX-License-Identifier: Apache-2.0
 *
 * Where buffers lie in one arena so that buffers alive at the same time never overlap. Offline greedy placement
 * (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020): buffers in a fixed order,
 * each into the smallest gap that holds it; several orders are tried and the smallest arena is kept.
 */
#ifndef METASEG_GRAPH_PLAN_H
#define METASEG_GRAPH_PLAN_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { PLAN_ALIGN = 64 };

/* bytes, first and last are given: alive at all times first..last, both included. offset is the result. */
typedef struct PlanBuffer {
    size_t bytes;
    int32_t first, last;
    size_t offset;
} PlanBuffer;

/* Sets all offsets (multiples of PLAN_ALIGN) and the size of the arena. ERR_MEMORY. */
Err plan_buffers(PlanBuffer *buffers, int32_t n, size_t *ret_bytes);

/* One after the other, nothing shared; returns the size of the arena. */
size_t plan_without_reuse(PlanBuffer *buffers, int32_t n);

#endif
