/* SPDX-License-Identifier: Apache-2.0
 *
 * Augmentation of a square window: the eight flips and rotations applied alike to image, labels and zone shares, and
 * weak colour changes. All draws come from the counter (seed, RNG_AUGMENT, step, index), so any thread may make any
 * window.
 */
#ifndef METASEG_DATA_AUGMENT_H
#define METASEG_DATA_AUGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One of the 8 symmetries of the square: transpose first, then flips. */
typedef struct Symmetry {
    bool transpose, flip_rows, flip_columns;
} Symmetry;

/* Draws a symmetry: flips alone, or with rotations by 90 degrees (which need transposition). */
Symmetry augment_symmetry(uint64_t seed, uint64_t step, uint64_t index, bool flips, bool rotations);

/* Rearranges a square of side x side cells of cell_bytes each (any layout inside a cell), from -> to, not in place:
 * to[i][j] = from[r][c] with (r, c) = (i, j), rows and columns flipped as asked, then swapped when transposing. */
void augment_square(Symmetry symmetry, const void *from, void *to, int64_t side, size_t cell_bytes);

/* Colour change of normalised pixels [pixels][bands] in place where valid: per window one gain and one offset for all
 * bands and a smaller one for each band: x = x * (1 + amplitude * (u_0 + u_band / 2)) + amplitude * (v_0 + v_band / 2),
 * all draws uniform in -1..1. */
void augment_color(float *pixels, const uint8_t *valid, int64_t n_pixels, int64_t bands, double amplitude,
                   uint64_t seed, uint64_t step, uint64_t index);

#endif
