/* SPDX-License-Identifier: Apache-2.0
 * Greedy placement of buffers. */
#include "graph/plan.h"

#include <stdlib.h>
#include <string.h>

static size_t rounded(size_t bytes) { return (bytes + PLAN_ALIGN - 1) / PLAN_ALIGN * PLAN_ALIGN; }

/* Sort key of a buffer: larger first, then earlier, then by number, so that the order never depends on qsort. */
typedef struct Ranked {
    double key;
    int32_t first, index;
} Ranked;

static int compare_ranked(const void *left, const void *right)
{
    const Ranked *a = left, *b = right;
    if (a->key != b->key) return a->key > b->key ? -1 : 1;
    if (a->first != b->first) return a->first < b->first ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

typedef enum PlanOrder { ORDER_SIZE = 0, ORDER_AREA, ORDER_TIME, ORDER_COUNT } PlanOrder;

static double sort_key(const PlanBuffer *buffer, PlanOrder order)
{
    if (order == ORDER_SIZE) return (double)buffer->bytes;
    if (order == ORDER_AREA) return (double)buffer->bytes * (double)(buffer->last - buffer->first + 1);
    return -(double)buffer->first;
}

/* Lowest offset of the smallest gap between the placed buffers (sorted by offset) that live at the same time. */
static size_t best_gap(const PlanBuffer *buffers, const int32_t *placed, int32_t n_placed, const PlanBuffer *buffer)
{
    const size_t wanted = rounded(buffer->bytes);
    size_t end = 0, best = SIZE_MAX, best_size = SIZE_MAX;
    for (int32_t i = 0; i < n_placed; i++) {
        const PlanBuffer *other = &buffers[placed[i]];
        if (other->last < buffer->first || other->first > buffer->last) continue;
        if (other->offset > end && other->offset - end >= wanted && other->offset - end < best_size) {
            best = end;
            best_size = other->offset - end;
        }
        const size_t other_end = other->offset + rounded(other->bytes);
        if (other_end > end) end = other_end;
    }
    return best != SIZE_MAX ? best : end;
}

/* Places all buffers in the given order; returns the size of the arena. placed is scratch for n indexes. */
static size_t place(PlanBuffer *buffers, int32_t n, const Ranked *order, int32_t *placed)
{
    size_t bytes = 0;
    for (int32_t k = 0; k < n; k++) {
        PlanBuffer *buffer = &buffers[order[k].index];
        buffer->offset = best_gap(buffers, placed, k, buffer);
        const size_t end = buffer->offset + rounded(buffer->bytes);
        if (end > bytes) bytes = end;
        int32_t slot = k; /* keeps placed sorted by offset */
        for (; slot > 0 && buffers[placed[slot - 1]].offset > buffer->offset; slot--) placed[slot] = placed[slot - 1];
        placed[slot] = order[k].index;
    }
    return bytes;
}

Err plan_buffers(PlanBuffer *buffers, int32_t n, size_t *ret_bytes)
{
    const size_t count = n > 0 ? (size_t)n : 1;
    Err err = ERR_NONE;
    size_t best = SIZE_MAX;
    Ranked *order = malloc(count * sizeof *order);
    int32_t *placed = malloc(count * sizeof *placed);
    size_t *offsets = malloc(count * sizeof *offsets);
    if (order == NULL || placed == NULL || offsets == NULL) {
        err = err_memory(count * (sizeof *order + sizeof *placed + sizeof *offsets), "the memory plan");
        goto done;
    }
    for (int kind = ORDER_SIZE; kind < ORDER_COUNT; kind++) {
        for (int32_t i = 0; i < n; i++)
            order[i] = (Ranked){ sort_key(&buffers[i], (PlanOrder)kind), buffers[i].first, i };
        qsort(order, (size_t)n, sizeof *order, compare_ranked);
        const size_t bytes = place(buffers, n, order, placed);
        if (bytes >= best) continue;
        best = bytes;
        for (int32_t i = 0; i < n; i++) offsets[i] = buffers[i].offset;
    }
    for (int32_t i = 0; i < n; i++) buffers[i].offset = offsets[i];
    *ret_bytes = best;
done:
    free(order);
    free(placed);
    free(offsets);
    return err;
}

size_t plan_without_reuse(PlanBuffer *buffers, int32_t n)
{
    size_t bytes = 0;
    for (int32_t i = 0; i < n; i++) {
        buffers[i].offset = bytes;
        bytes += rounded(buffers[i].bytes);
    }
    return bytes;
}
