/* SPDX-License-Identifier: Apache-2.0
 *
 * A fraction of the labelled pixels for validation, in blocks: neighbouring pixels are so alike that single ones drawn
 * apart would be known from training. Each scene that is trained on is divided into squares of the network's grid, of
 * 256 pixels or of half as many (down to 32) until the scene has 16. Blocks are chosen by the seed so that of every
 * class about the fraction is apart, the class with the fewest blocks first, as iterative stratification does
 * (Sechidis, Tsoumakas, Vlahavas 2011); then, where it can be, so that every class is in both parts.
 *
 *     TRY(validation_blocks_new(0.2, seed, n_scenes, n_classes, &blocks));
 *     TRY(validation_blocks_add_scene(blocks, scene, width, height));
 *     TRY(validation_blocks_count(blocks, validation_blocks_at(blocks, scene, x, y), class_index, area, ground));
 *     TRY(validation_blocks_choose(blocks));
 *     validation_blocks_keep(blocks, scene, x, y, side, true, labels);
 */
#ifndef METASEG_DATA_VALIDATION_BLOCKS_H
#define METASEG_DATA_VALIDATION_BLOCKS_H

#include "base/err.h"
#include "data/label_values.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct ValidationBlocks ValidationBlocks;

/* fraction of the labelled pixels of each class, above 0 and below 1. ERR_MEMORY. */
Err validation_blocks_new(double fraction, uint64_t seed, uint32_t n_scenes, int32_t n_classes,
                          ValidationBlocks **ret_blocks);
void validation_blocks_free(ValidationBlocks *blocks);

/* Divides a scene of width x height pixels. ERR_MEMORY; ERR_CONFIG when there are too many blocks to be numbered. */
Err validation_blocks_add_scene(ValidationBlocks *blocks, uint32_t scene, int64_t width, int64_t height);

/* The block of a pixel inside a scene that was added; 0 without blocks (NULL). */
int32_t validation_blocks_at(const ValidationBlocks *blocks, uint32_t scene, int64_t x, int64_t y);

/* Counts a labelled pixel of a block, with its area among the pixels that windows are drawn for, and with what it stands for on
 * the ground. ERR_MEMORY. */
Err validation_blocks_count(ValidationBlocks *blocks, int32_t block, int32_t class_index, double area,
                            LabelArea ground);

/* Once everything is counted. ERR_INPUT when no block can be spared for validation; ERR_MEMORY. */
Err validation_blocks_choose(ValidationBlocks *blocks);

/* After the choice. Which blocks are for validation, [blocks], owned here; how many, and of how many with a label; pixels
 * of a class for training or for validation, their area, and what they stand for on the ground. */
const bool *validation_blocks_apart(const ValidationBlocks *blocks);
void validation_blocks_number(const ValidationBlocks *blocks, int64_t *ret_apart, int64_t *ret_labelled);
int64_t validation_blocks_pixels(const ValidationBlocks *blocks, int32_t class_index, bool validation);
double validation_blocks_area(const ValidationBlocks *blocks, int32_t class_index, bool validation);
LabelArea validation_blocks_ground(const ValidationBlocks *blocks, int32_t class_index, bool validation);

/* Whether a window of side x side pixels from (x, y) on holds a pixel for validation. */
bool validation_blocks_touch(const ValidationBlocks *blocks, uint32_t scene, int64_t x, int64_t y, int64_t side);

/* Labels of a window: those of the other part (validation or training) become CLASS_IGNORE. */
void validation_blocks_keep(const ValidationBlocks *blocks, uint32_t scene, int64_t x, int64_t y, int64_t side,
                            bool validation, uint8_t *labels);

#endif
