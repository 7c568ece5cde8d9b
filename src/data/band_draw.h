/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of its bands the network sees of a window: one of the sets of train.band_sets, or all bands but those that
 * train.band_dropout leaves out. All draws come from the counter (seed, RNG_BANDS, step, index).
 */
#ifndef METASEG_DATA_BAND_DRAW_H
#define METASEG_DATA_BAND_DRAW_H

#include "data/dataset_options.h"

typedef struct BandSet {
    char *name; /* "red+green+blue" as the bands are called, what is no letter, digit, space, dot, - or _ as _ */
    double probability;
    bool there[MODEL_MAX_BANDS];
    bool colours; /* red, green and blue alone, so that it may be a picture of bytes */
} BandSet;

/* The sets of a data set by its bands; band_sets_done(). */
typedef struct BandSets {
    int64_t bands;
    double dropout;
    BandSet *sets;
    int64_t n_sets;
    BandSet all;
} BandSets;

/* Finds the bands of options->band_sets among `names` (a name is the same, or another name of the same part of the
 * spectrum: band_name_find). ERR_CONFIG: no such band, one that stands twice, too many bands; ERR_MEMORY. */
Err band_sets_init(const DatasetOptions *options, int64_t bands, char *const *names, BandSets *ret_sets);
void band_sets_done(BandSets *sets);

/* Draws the bands of window `index` of a step: whether each is there, at least one is. Returns whether they are colours
 * alone. */
bool band_sets_draw(const BandSets *sets, uint64_t seed, uint64_t step, uint64_t index,
                    bool ret_there[MODEL_MAX_BANDS]);

#endif
