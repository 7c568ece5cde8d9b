/* SPDX-License-Identifier: Apache-2.0
 *
 * Augmentation of a square window: the eight flips and rotations applied alike to image, labels and zone shares, and
 * weak colour changes. All draws come from the counter (seed, RNG_AUGMENT, step, index), so any thread may make any
 * window.
 */
#ifndef METASEG_DATA_AUGMENT_H
#define METASEG_DATA_AUGMENT_H

#include "data/image_source.h"

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

/* Adds noise to normalised pixels in place where valid: every value its own draw of a bell-shaped distribution (the sum
 * of four uniform ones, variance 1), times one factor per window, uniform in 0..largest. */
void augment_noise(float *pixels, const uint8_t *valid, int64_t n_pixels, int64_t bands, double largest, uint64_t seed,
                   uint64_t step, uint64_t index);

/* Makes a picture of bytes of the bands of a window that are there, in place where valid, and reads it back as a model
 * with this byte_scale does: byte = 255 ((value - low) / (high - low)) ^ exponent, cut to 0..255 and rounded; value =
 * (byte_scale byte - mean) / std. White is the value of byte 255.
 * plain: from 0 to white, nothing is drawn. Else half of the windows are stretched between fixed numbers, as publishers
 * of scenes do: low in 0..0.15, high in 0.57..1.72 of white, each band a little otherwise; the other half between their
 * own darkest and brightest pixels (0 to 3 percent lie beyond on either side), as viewers do, over at least 0.15 of
 * white. Three in ten have an exponent in 0.6..1.4. */
typedef struct Picture {
    const bool *there;      /* [bands] */
    const ImageBand *bands; /* normalisation; scale is 1 */
    double byte_scale;
    bool plain;
} Picture;
void augment_picture(const Picture *picture, float *pixels, const uint8_t *valid, int64_t n_pixels, int64_t bands,
                     uint64_t seed, uint64_t step, uint64_t index);

#endif
