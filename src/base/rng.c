/* SPDX-License-Identifier: Apache-2.0
 * Counter-based random numbers; the formulas are in the header. */
#include "base/rng.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
    z += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

uint64_t rng_u64(uint64_t seed, uint64_t stream, uint64_t step, uint64_t index)
{
    return mix(mix(mix(mix(seed) + stream) + step) + index);
}

uint64_t rng_key(uint64_t seed, uint64_t stream, uint64_t step) { return mix(mix(mix(seed) + stream) + step); }

float rng_uniform(uint64_t seed, uint64_t stream, uint64_t step, uint64_t index)
{
    return (float)(rng_u64(seed, stream, step, index) >> 40) * 0x1p-24F;
}

float rng_normal(uint64_t seed, uint64_t stream, uint64_t step, uint64_t index)
{
    const double two_pi = 6.283185307179586476925286766559;
    const uint64_t bits = rng_u64(seed, stream, step, index);
    const double u1 = (double)(bits >> 32) * 0x1p-32;
    const double u2 = (double)(bits & 0xffffffffU) * 0x1p-32;
    return (float)(sqrt(-2.0 * log1p(-u1)) * cos(two_pi * u2));
}

int64_t rng_below(uint64_t seed, uint64_t stream, uint64_t step, uint64_t index, int64_t n)
{
    return (int64_t)(((rng_u64(seed, stream, step, index) >> 32) * (uint64_t)n) >> 32);
}
