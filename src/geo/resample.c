/* SPDX-License-Identifier: Apache-2.0
 * Resampling weights. */
#include "geo/resample.h"

#include "base/err.h"

#include <math.h>

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* floor(a * b / c); axes have at most 2^31 pixels, so the product fits */
static int64_t multiply_floor(int64_t a, int64_t b, int64_t c) { return a * b / c; }

/* The two neighbours of a bilinear sample and the weight of the second, unclamped. */
static int64_t neighbour(int64_t from, int64_t to, int64_t o, double *ret_weight)
{
    const double x = ((double)o + 0.5) * (double)from / (double)to - 0.5;
    const double lower = floor(x);
    *ret_weight = x - lower;
    return (int64_t)lower;
}

void resample_span(int64_t from, int64_t to, int64_t o, int64_t count, int64_t *ret_first, int64_t *ret_last)
{
    ASSERT(o >= 0 && count > 0 && o + count <= to);
    if (to < from) {
        *ret_first = multiply_floor(o, from, to);
        *ret_last = clamp(multiply_floor(o + count, from, to) - ((o + count) * from % to == 0 ? 1 : 0), 0, from - 1);
        return;
    }
    double weight = 0.0;
    *ret_first = clamp(neighbour(from, to, o, &weight), 0, from - 1);
    const int64_t last = neighbour(from, to, o + count - 1, &weight);
    *ret_last = clamp(weight > 0.0 ? last + 1 : last, 0, from - 1);
}

double resample_weight(int64_t from, int64_t to, int64_t o, int64_t i)
{
    if (to < from) { /* overlap of [i, i+1) with the output pixel, in units of 1/to, exact in integers */
        const int64_t low = o * from > i * to ? o * from : i * to;
        const int64_t high = (o + 1) * from < (i + 1) * to ? (o + 1) * from : (i + 1) * to;
        return high > low ? (double)(high - low) / (double)from : 0.0;
    }
    double weight = 0.0;
    const int64_t lower = neighbour(from, to, o, &weight);
    double sum = 0.0;
    if (clamp(lower, 0, from - 1) == i) sum += 1.0 - weight;
    if (clamp(lower + 1, 0, from - 1) == i) sum += weight;
    return sum;
}
