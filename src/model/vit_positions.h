/* SPDX-License-Identifier: Apache-2.0
 *
 * Learned positions of vision transformers on another map than ours: brought to it as the package does that saved them. Private to
 * published_vit.c.
 */
#ifndef METASEG_MODEL_VIT_POSITIONS_H
#define METASEG_MODEL_VIT_POSITIONS_H

#include "base/err.h"
#include "tensor/tensor.h"

#include <stdbool.h>

/* All are bicubic, corners not aligned. timm antialiases (a = -0.5); transformers does not (a = -0.75); Meta's DINOv2 does not either and
 * takes n / (m + 0.1) for the scale from n to m. With registers all three do as timm. */
typedef enum VitPositions { VIT_POSITIONS_TIMM = 0, VIT_POSITIONS_TRANSFORMERS, VIT_POSITIONS_META } VitPositions;

/* Side of a square map of n positions, with one of the class token before them or without; 0: neither is square. */
int64_t vit_positions_side(int64_t n, bool *ret_class_row);

/* Positions [from * from, channels] to [to * to, channels]. ERR_MEMORY. */
Err vit_positions_resize(VitPositions how, const float *positions, int64_t from, int64_t to, int64_t channels,
                         float *ret_positions);

#endif
