/* SPDX-License-Identifier: Apache-2.0
 *
 * Scores of a tile as the mean over several readings of it, mirrored, turned and at other scales (test-time augmentation): what a
 * network says of a place depends a little on which way up and how large it sees it. The readings and the mean of scores are those
 * of GeoSeg's test programs (ttach, merge_mode mean): a scaled reading is brought to its size and its scores back by bicubic
 * interpolation without antialiasing.
 */
#ifndef METASEG_PREDICT_TTA_H
#define METASEG_PREDICT_TTA_H

#include "graph/program.h"
#include "metaseg/predict.h"
#include "tensor/network_inputs.h"

enum { TTA_SCALES = 5 }; /* at most; the first is 1 */

/* At how many scales it is read, and the side of a tile of `tile` pixels at scale k < TTA_SCALES: 1, 0.75, 1.25, 1.5, 0.5. */
int32_t tta_scales(MetasegTta tta);
int32_t tta_side(int32_t tile, int32_t k);

typedef struct Tta Tta;

/* Buffers for tiles of this shape; programs[k] reads tiles of side tta_side(k) (borrowed; the first alone without scales). They
 * have the output "logits". ERR_MEMORY. */
Err tta_new(const NetworkShape *shape, MetasegTta kind, Program *const *programs, Tta **ret_tta);
void tta_free(Tta *tta);

/* Reads a tile in all ways; the mean stands in the output of the first program. Errors of the programs. */
Err tta_score(Tta *tta, const NetworkInputs *tile);

#endif
