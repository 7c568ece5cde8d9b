/* SPDX-License-Identifier: Apache-2.0
 *
 * Do the labels of a scene lie where the image has the things that they are labels of?
 *
 * Method: registration by correlating edges (L. G. Brown, A survey of image registration techniques, ACM Computing Surveys 24(4), 1992,
 * sections 3.1 and 4.2). Boundaries of labels (neighbouring pixels of different classes, or with and without a label) are laid over
 * the image, shifted by up to LABEL_SHIFT_REACH pixels along both axes; the score of a shift is the mean difference of the
 * image's neighbouring pixels across the shifted boundaries, |d| / (|d| + mean |d| of the window) averaged over the bands,
 * so that no band and no bright roof outweighs the rest. Labels that lie right have their best score at no shift.
 *
 * A shift is believed where all of this holds, against the background, which is the mean score of the shifts more than two
 * pixels away from the best:
 * - the best stands four standard deviations of these scores above the background, and is a twentieth higher;
 * - what no shift has above the background is at most 0.7 of what the best has, and what the opposite shift has at most
 *   half: polygons that are drawn a little inside their fields fit better shifted to any side;
 * - three of four parts, by place, each prefer the best to no shift and to the opposite one, and none is without enough boundary;
 * - it is not at the end of the reach, where a better one may lie beyond.
 * So labels of few boundaries, images without edges and shifts beyond the reach are not told: silence is no proof.
 */
#ifndef METASEG_DATA_LABEL_SHIFT_H
#define METASEG_DATA_LABEL_SHIFT_H

#include "data/scene.h"

enum {
    LABEL_SHIFT_TEXT = 128,
    LABEL_SHIFT_REACH = 8, /* pixels of the image */
    LABEL_SHIFT_WINDOWS =
        24 /* windows of 128 pixels of the image that are read, those with the longest boundaries of up to 256 */
};

/* How the labels lie against the image. */
typedef struct LabelShift {
    bool told;       /* else nothing below says anything */
    int32_t x, y;    /* pixels of the image that the labels lie too far right and down */
    double metres;   /* NAN: unknown */
    char compass[4]; /* where to on the ground: "N", "SE"; "" where that is not known */
    double better;   /* score of the shift back, over that of no shift */
} LabelShift;

/* Measures an open scene, whose image is resampled as before afterwards. stop: as in raster_open. ERR_INPUT, ERR_MEMORY, ERR_INTERRUPTED. */
Err label_shift_measure(Scene *scene, const LabelTable *table, const volatile int *stop, LabelShift *ret_shift);

/* "5 pixels to the right and 3 down (58 m to the SE)". */
void label_shift_text(const LabelShift *shift, char ret_text[LABEL_SHIFT_TEXT]);

/* The decision alone: which of the shifts [2 REACH + 1][2 REACH + 1] (rows are y, from -REACH on) is believed, of the sums of scores
 * and the number of boundary pixels in four parts. False: none, or no shift is best. */
enum { LABEL_SHIFT_PARTS = 4, LABEL_SHIFT_SIDE = 2 * LABEL_SHIFT_REACH + 1 };
typedef struct LabelShiftScores {
    double sum[LABEL_SHIFT_PARTS][LABEL_SHIFT_SIDE * LABEL_SHIFT_SIDE];
    int64_t n[LABEL_SHIFT_PARTS][LABEL_SHIFT_SIDE * LABEL_SHIFT_SIDE];
} LabelShiftScores;
bool label_shift_decide(const LabelShiftScores *scores, int32_t *ret_x, int32_t *ret_y, double *ret_better);

#endif
