/* SPDX-License-Identifier: Apache-2.0
 *
 * Small helpers of our own kernels.
 */
#ifndef METASEG_OPS_KERNEL_UTIL_H
#define METASEG_OPS_KERNEL_UTIL_H

#include "graph/op.h"

/* For bodies of loops with arguments that are constants where they are called: without it gcc shares one copy between the
 * constants, and sums leave the registers (2 to 4 times slower). */
#if defined(__GNUC__)
#define INLINE_ALWAYS inline __attribute__((always_inline))
#else
#define INLINE_ALWAYS inline
#endif

static inline int64_t min_int64(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t max_int64(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t ceil_divide(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t round_up(int64_t a, int64_t multiple) { return ceil_divide(a, multiple) * multiple; }

/* Buffers begin, and their sizes end, at multiples of it: a cache line, and a vector of AVX-512. */
enum { BUFFER_ALIGNMENT = 64 };
static inline size_t aligned_bytes(size_t bytes)
{
    return (bytes + BUFFER_ALIGNMENT - 1) / BUFFER_ALIGNMENT * BUFFER_ALIGNMENT;
}

/* Last dimension; 1 for a scalar. */
static inline int64_t channels_of(const Tensor *tensor)
{
    return tensor->shape.rank > 0 ? tensor->shape.dim[tensor->shape.rank - 1] : 1;
}

/* Product of all but the last dimension. */
static inline int64_t rows_of(const Tensor *tensor)
{
    int64_t rows = 1;
    for (int32_t i = 0; i + 1 < tensor->shape.rank; i++) rows *= tensor->shape.dim[i];
    return rows;
}

/* Work that ends in a sum is cut into chunks that depend on the shape alone, never on the number of threads; partial
 * sums are added in the order of the chunks. So any number of threads gives the same bytes. */
static inline int64_t chunk_begin(int64_t chunk, int64_t chunks, int64_t n) { return n * chunk / chunks; }

#endif
