/* SPDX-License-Identifier: Apache-2.0
 *
 * Resampling weights along one axis: `from` input pixels onto `to` output pixels over the same extent. Pure arithmetic.
 *   coarser (to < from): area-weighted mean; output pixel o covers the input interval [o * from / to, (o + 1) * from / to)
 *   finer (to >= from):  bilinear at (o + 0.5) * from / to - 0.5, the border repeated
 * Weights depend on the place alone, so windows fit together without seams.
 */
#ifndef METASEG_GEO_RESAMPLE_H
#define METASEG_GEO_RESAMPLE_H

#include <stdint.h>

/* Input pixels first..last (inclusive) that output pixels [o, o + count) read; 0 <= o, o + count <= to. */
void resample_span(int64_t from, int64_t to, int64_t o, int64_t count, int64_t *ret_first, int64_t *ret_last);

/* Weight of input pixel i in output pixel o; the weights of an output pixel sum to 1. */
double resample_weight(int64_t from, int64_t to, int64_t o, int64_t i);

#endif
