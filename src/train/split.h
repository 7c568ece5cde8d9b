/* SPDX-License-Identifier: Apache-2.0
 *
 * Which labels are kept apart for validation: whole features in boxes of longitude and latitude, so that no polygon is
 * learned in part, neighbours stay together, and every class has labels in both parts where it can be.
 *
 *     Split split = { 0 };
 *     TRY(split_items(items, n, n_classes, seed, &split));
 *     ... split.boxes[0 .. n_boxes), split.validation[i] ...
 *     split_done(&split);
 *
 * The labelled part of each image is cut into blocks, 3 x 3 first. Of many random choices of about a quarter of the blocks
 * the one is taken whose validation has nearest to a quarter of each class; where a class would be missing on a side the
 * blocks become smaller, down to single features. A box is that of its features; features that it touches join it.
 */
#ifndef METASEG_TRAIN_SPLIT_H
#define METASEG_TRAIN_SPLIT_H

#include "data/dataset_options.h"

/* Labels that stay together: a feature. (Of label rasters blocks of pixels are kept apart: data/validation_blocks.h.) */
typedef struct SplitItem {
    int32_t scene, class_index;
    double x, y;                     /* centre, pixels of its image */
    double west, south, east, north; /* degrees; west <= east, beyond 180 where it crosses the date line */
    double pixels;
} SplitItem;

typedef struct Split {
    DatasetBox *boxes; /* names "validation 1", ...; none where no class has two items */
    uint32_t n_boxes;
    bool *validation; /* [n] the item lies in the boxes */
    double fraction;  /* of the pixels, mean over the classes that are in both parts */
    int32_t missing;  /* classes of two items or more that one part lacks */
} Split;

/* The same arguments give the same split. ERR_MEMORY. */
Err split_items(const SplitItem *items, int64_t n, int32_t n_classes, uint64_t seed, Split *ret_split);
void split_done(Split *split);

#endif
