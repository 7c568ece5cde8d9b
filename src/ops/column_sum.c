/* SPDX-License-Identifier: Apache-2.0
 * See column_sum.h. */
#include "ops/column_sum.h"

#include "ops/kernel_util.h"

enum { CHANNEL_BLOCK = 64, ROW_BLOCK = 64, CHUNKS = 16 };

/* Adds rows [begin, end) of `width` neighbouring channels to sum. */
static void add_chunk(const float *rows, int64_t begin, int64_t end, int64_t channels, int64_t width, double *sum)
{
    for (int64_t first = begin; first < end; first += ROW_BLOCK) {
        float part[CHANNEL_BLOCK] = { 0.0F };
        for (int64_t r = first; r < min_int64(first + ROW_BLOCK, end); r++)
            for (int64_t c = 0; c < width; c++) part[c] += rows[r * channels + c];
        for (int64_t c = 0; c < width; c++) sum[c] += (double)part[c];
    }
}

void column_sum(const Device *device, const float *rows, int64_t n, int64_t channels, bool add, float *ret_sum)
{
    for (int64_t first = 0; first < channels; first += CHANNEL_BLOCK) {
        const int64_t width = min_int64(CHANNEL_BLOCK, channels - first);
        double sums[CHUNKS][CHANNEL_BLOCK] = { { 0.0 } };
#pragma omp parallel for schedule(static) num_threads(device->threads)
        for (int64_t chunk = 0; chunk < CHUNKS; chunk++)
            add_chunk(rows + first, chunk_begin(chunk, CHUNKS, n), chunk_begin(chunk + 1, CHUNKS, n), channels, width,
                      sums[chunk]);
        for (int64_t c = 0; c < width; c++) {
            double total = add ? (double)ret_sum[first + c] : 0.0;
            for (int64_t chunk = 0; chunk < CHUNKS; chunk++) total += sums[chunk][c];
            ret_sum[first + c] = (float)total;
        }
    }
}
