/* SPDX-License-Identifier: Apache-2.0
 *
 * Counter-based random numbers: a value is a pure function of (seed, stream, step, index), so nothing
 * has to be saved, any thread may draw any value, and tools/twin/rng.py makes the same numbers.
 *
 *   u64(seed, stream, step, index) = mix(mix(mix(mix(seed) + stream) + step) + index)
 *   mix(z): the SplitMix64 step and finaliser (Steele, Lea, Flood, OOPSLA 2014):
 *           z += 0x9E3779B97F4A7C15; z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
 *           z = (z ^ z >> 27) * 0x94D049BB133111EB; z ^= z >> 31          (all modulo 2^64)
 *   uniform = (u64 >> 40) * 2^-24                     in [0, 1)
 *   normal  = sqrt(-2 ln(1 - u1)) cos(2 pi u2), with u1, u2 = ((u64 >> 32), (u64 & 0xffffffff)) * 2^-32,
 *             in double, rounded to float at the end
 */
#ifndef METASEG_BASE_RNG_H
#define METASEG_BASE_RNG_H

#include <stdint.h>

/* Streams keep uses apart; values are part of the reproducibility promise: append, never renumber. */
typedef enum RngStream {
    RNG_WEIGHTS = 1, /* initial weights: step = xxh64 of the parameter name, index = element */
    RNG_SAMPLER = 2, /* choice of windows: step = training step, index = draw number */
    RNG_AUGMENT = 3, /* augmentation: step = training step, index = draw number */
    RNG_DROPOUT = 4, /* dropout: step = training step * 4096 + node, index = element */
    RNG_TEXT = 5,    /* text dropout and paraphrase choice: step = training step */
    RNG_BANDS = 6,   /* bands that are there, 8-bit pictures: step = training step, index = draw number */
    RNG_NOISE = 7,   /* noise of pixels: step = training step, index = window * 2^40 + value */
    RNG_SCALE = 8,   /* scale of a window: step = training step, index = window */
    RNG_CROP = 9,    /* windows drawn again: step = training step, index = window * 64 + draw */
    RNG_MOSAIC = 10, /* mosaics: step = training step, index = window * 64 + draw */
    RNG_TEST = 100   /* test data */
} RngStream;

uint64_t rng_u64(uint64_t seed, uint64_t stream, uint64_t step, uint64_t index);

/* Uniform in [0, 1), 24 bits. */
float rng_uniform(uint64_t seed, uint64_t stream, uint64_t step, uint64_t index);

/* For inner loops: rng_uniform_at(rng_key(seed, stream, step), index) is rng_uniform(seed, stream, step, index). */
uint64_t rng_key(uint64_t seed, uint64_t stream, uint64_t step);
static inline float rng_uniform_at(uint64_t key, uint64_t index)
{
    uint64_t z = key + index + 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return (float)(int32_t)((z ^ (z >> 31)) >> 40) * 0x1p-24F;
}

/* Standard normal. */
float rng_normal(uint64_t seed, uint64_t stream, uint64_t step, uint64_t index);

/* Uniform integer in [0, n), n > 0, without modulo bias worth caring about: (u64 >> 32) * n >> 32. n < 2^32. */
int64_t rng_below(uint64_t seed, uint64_t stream, uint64_t step, uint64_t index, int64_t n);

#endif
