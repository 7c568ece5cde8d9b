/* SPDX-License-Identifier: Apache-2.0
 * Flips, rotations and colour changes; the rules are in the header. */
#include "data/augment.h"

#include "base/rng.h"

#include <string.h>

/* Draws of one window: 64 numbers are reserved for each. */
enum { DRAWS_PER_WINDOW = 64, DRAW_SYMMETRY = 0, DRAW_COLOR = 8 };

Symmetry augment_symmetry(uint64_t seed, uint64_t step, uint64_t index, bool flips, bool rotations)
{
    const uint64_t bits = rng_u64(seed, RNG_AUGMENT, step, index * DRAWS_PER_WINDOW + DRAW_SYMMETRY) >> 32;
    Symmetry s = { 0 };
    if (flips) {
        s.flip_rows = (bits & 1U) != 0;
        s.flip_columns = (bits & 2U) != 0;
    }
    if (rotations) {
        s.transpose = (bits & 4U) != 0;
        if (!flips) { /* a pure rotation: the determinant of the symmetry is +1 */
            s.flip_rows = (bits & 1U) != 0;
            s.flip_columns = s.flip_rows != s.transpose;
        }
    }
    return s;
}

void augment_square(Symmetry symmetry, const void *from, void *to, int64_t side, size_t cell_bytes)
{
    const unsigned char *source = from;
    unsigned char *target = to;
    for (int64_t i = 0; i < side; i++) {
        for (int64_t j = 0; j < side; j++) {
            int64_t r = symmetry.flip_rows ? side - 1 - i : i;
            int64_t c = symmetry.flip_columns ? side - 1 - j : j;
            if (symmetry.transpose) {
                const int64_t swap = r;
                r = c;
                c = swap;
            }
            memcpy(target + (size_t)(i * side + j) * cell_bytes, source + (size_t)(r * side + c) * cell_bytes,
                   cell_bytes);
        }
    }
}

void augment_color(float *pixels, const uint8_t *valid, int64_t n_pixels, int64_t bands, double amplitude,
                   uint64_t seed, uint64_t step, uint64_t index)
{
    if (amplitude <= 0.0) return;
    const uint64_t draw = index * DRAWS_PER_WINDOW + DRAW_COLOR;
    const float a = (float)amplitude;
    for (int64_t b = 0; b < bands; b++) {
        const uint64_t own = draw + 2 + 2 * (uint64_t)(b % 16);
        const float u0 = 2.0F * rng_uniform(seed, RNG_AUGMENT, step, draw) - 1.0F;
        const float v0 = 2.0F * rng_uniform(seed, RNG_AUGMENT, step, draw + 1) - 1.0F;
        const float u = 2.0F * rng_uniform(seed, RNG_AUGMENT, step, own) - 1.0F;
        const float v = 2.0F * rng_uniform(seed, RNG_AUGMENT, step, own + 1) - 1.0F;
        const float gain = 1.0F + a * (u0 + 0.5F * u);
        const float offset = a * (v0 + 0.5F * v);
        for (int64_t i = 0; i < n_pixels; i++) {
            if (valid[i] != 0) pixels[i * bands + b] = pixels[i * bands + b] * gain + offset;
        }
    }
}
