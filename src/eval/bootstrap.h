/* SPDX-License-Identifier: Apache-2.0
 *
 * How far figures may be off that were measured at a few places: a bootstrap over places (windows, blocks), which are drawn
 * with replacement, as many as there are, and figured again (Efron 1979). Pixels of one place are so alike that drawing
 * single ones would promise far too much.
 */
#ifndef METASEG_EVAL_BOOTSTRAP_H
#define METASEG_EVAL_BOOTSTRAP_H

#include "base/err.h"
#include "eval/metrics.h"

enum {
    BOOTSTRAP_DRAWS = 500,
    BOOTSTRAP_GROUPS = 1000, /* of more places neighbours are drawn together, so that the time does not grow */
};

/* Pixels of one class at one place. */
typedef struct ClassCounts {
    int64_t truth, predicted, correct;
} ClassCounts;

/* The middle 95 %; NAN where a draw had no figure. */
typedef struct Interval {
    double low, high;
} Interval;

typedef struct BootstrapInput {
    const ClassCounts *counts; /* [places][classes], neighbours one after the other */
    int64_t places, classes;
    const bool *excluded;     /* [classes] as ClassMetrics.excluded; NULL: none */
    const bool *not_in_means; /* [classes] as ClassMetrics.not_in_means; NULL: none */
    MeansRule rule;           /* of the mean */
    double minimum_share;     /* as of metrics_from_counts */
    uint64_t seed;
} BootstrapInput;

/* How many places are drawn as one: 1 where they are few. */
int64_t bootstrap_group(int64_t places);

/* Intervals of the IoU of each class and of their mean. ERR_MEMORY. */
Err bootstrap_iou(const BootstrapInput *input, Interval *ret_class, Interval *ret_mean);

#endif
