/* SPDX-License-Identifier: Apache-2.0
 *
 * Resampling weights along one axis: `from` input pixels onto `to` output pixels over the same extent. Pure arithmetic.
 * Coarser (to < from): area-weighted mean, output pixel o covers the input interval [o * from / to, (o + 1) * from /
 * to). Finer (to >= from): bilinear at (o + 0.5) * from / to - 0.5, the border repeated. Weights depend on the place
 * alone, so windows fit together without seams.
 */
#ifndef METASEG_GEO_RESAMPLE_H
#define METASEG_GEO_RESAMPLE_H

#include <stdint.h>

/* Input pixels first..last (inclusive) that output pixels [o, o + count) read; 0 <= o, o + count <= to. */
void resample_span(int64_t from, int64_t to, int64_t o, int64_t count, int64_t *ret_first, int64_t *ret_last);

/* Weight of input pixel i in output pixel o; the weights of an output pixel sum to 1. */
double resample_weight(int64_t from, int64_t to, int64_t o, int64_t i);

/* Nearest pixel: the pixel on an axis of `to` that holds the centre of pixel i of an axis of `from`:
 * floor((i + 0.5) * to / from). */
int64_t resample_nearest(int64_t from, int64_t to, int64_t i);

/* The pixels i of an axis of `from` whose nearest pixel lies in [o, o + count) of an axis of `to`: [*ret_first,
 * *ret_end). For all blocks of an axis these ranges cover it once; empty when first == end. */
void resample_nearest_range(int64_t from, int64_t to, int64_t o, int64_t count, int64_t *ret_first, int64_t *ret_end);

/* Brings one row of bytes back to another width by nearest pixel: target[i] = source[resample_nearest(to, from, i)], i
 * < to. */
void resample_row_nearest(const uint8_t *source, int64_t from, uint8_t *target, int64_t to);

#endif
