/* SPDX-License-Identifier: Apache-2.0
 *
 * A square window brought to another side: images by the bicubic kernel of Keys (1981) with a = -0.5, stretched when it gets smaller (as
 * Pillow's BICUBIC does, without its rounding to bytes), classes by the nearest pixel.
 */
#ifndef METASEG_DATA_WINDOW_SCALE_H
#define METASEG_DATA_WINDOW_SCALE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* from [from_side][from_side][bands] -> ret_to [to_side][to_side][bands]; bands: 1 or more. What is not valid counts with the value
 * that it has. ERR_MEMORY. */
Err window_scale_image(const float *from, int64_t from_side, int64_t bands, int64_t to_side, float *ret_to);

/* Cells of cell_bytes each: [from_side][from_side] -> ret_to [to_side][to_side], not in place; of (i, j) that of
 * floor((i + 0.5) from_side / to_side) and so on. */
void window_scale_cells(const void *from, int64_t from_side, size_t cell_bytes, int64_t to_side, void *ret_to);

#endif
