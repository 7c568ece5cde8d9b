/* SPDX-License-Identifier: Apache-2.0
 *
 * Scores of a tile as the mean over mirrored readings of it (test-time augmentation): what a network says of a place
 * depends a little on which way up it sees it.
 */
#ifndef METASEG_PREDICT_FLIPS_H
#define METASEG_PREDICT_FLIPS_H

#include "graph/program.h"
#include "tensor/network_inputs.h"

typedef struct Flips Flips;

/* Buffers for tiles of this shape and scores of this shape. n: 2, as it is and mirrored left to right, or 4, also upside
 * down and both. ERR_MEMORY. */
Err flips_new(const NetworkShape *shape, const Shape *scores, int32_t n, Flips **ret_flips);
void flips_free(Flips *flips);

/* Runs the program once for each reading; the mean stands in its output "logits". Errors of the program. */
Err flips_score(Flips *flips, Program *program, const NetworkInputs *tile);

#endif
