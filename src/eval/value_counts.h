/* SPDX-License-Identifier: Apache-2.0
 *
 * What a map says where a reference says something, counted for any whole class values. Memory follows the values and
 * pairs that occur, not their range: CORINE's 111..999 cost as little as 0..5.
 *
 *     ValueCounts *counts = NULL;
 *     TRY(value_counts_new(NULL, 0, false, &counts));
 *     TRY(value_counts_add(counts, 311, 312, 7));
 *     ... value_counts_figures(counts, 0.0, &figures) ... value_figures_done(&figures);
 *     value_counts_free(counts);
 */
#ifndef METASEG_EVAL_VALUE_COUNTS_H
#define METASEG_EVAL_VALUE_COUNTS_H

#include "base/err.h"
#include "eval/metrics.h"

/* More different values than this are measurements, not classes; and so are more different pairs. */
enum { VALUE_COUNTS_MAX_VALUES = 1 << 20, VALUE_COUNTS_MAX_PAIRS = 1 << 22 };

typedef struct ValueCounts ValueCounts;

/* `exclude`: values whose truth is left out (copied). `pairs`: value_counts_pairs will be asked, so pairs outside
 * 0..255 are kept too. ERR_MEMORY. value_counts_free() it. */
Err value_counts_new(const int32_t *exclude, int64_t n_exclude, bool pairs, ValueCounts **ret_counts);
void value_counts_free(ValueCounts *counts);

/* n pixels of this truth and prediction. ERR_INPUT beyond the limits above; ERR_MEMORY. */
Err value_counts_add(ValueCounts *counts, int32_t truth, int32_t prediction, int64_t n);

/* The counts of values 0..255, [truth 256][prediction 256]: the same as value_counts_add for loops over pixels. Valid as
 * long as `counts`. */
enum { VALUE_COUNTS_SMALL = 256 };
int64_t *value_counts_small(ValueCounts *counts);

/* n pixels of this truth for which the map has no value. The same errors. */
Err value_counts_add_uncovered(ValueCounts *counts, int32_t truth, int64_t n);

/* Adds all that `from` has counted. Errors of value_counts_add. */
Err value_counts_merge(ValueCounts *into, const ValueCounts *from);

/* One value that occurs. */
typedef struct ValueFigures {
    int32_t value;
    int64_t uncovered; /* pixels of this truth without a value in the map; not part of the metrics */
    ClassMetrics metrics;
} ValueFigures;

typedef struct Figures {
    TotalMetrics total;
    int64_t uncovered; /* pixels of truth that is not excluded, without a value in the map */
    ValueFigures *values;
    int64_t n_values; /* ascending by value */
} Figures;

/* What enters the means. */
typedef struct MeansChoice {
    double minimum_share;        /* as of metrics_from_counts */
    const int32_t *not_in_means; /* [n_not_in_means] values that count in everything else */
    int64_t n_not_in_means;
} MeansChoice;

/* Figures of all that was added, as metrics_from_counts; choice NULL: all classes. ERR_MEMORY. value_figures_done() it. */
Err value_counts_figures(const ValueCounts *counts, const MeansChoice *choice, Figures *ret_figures);
void value_figures_done(Figures *figures);

typedef struct ValuePair {
    int32_t truth, prediction;
    int64_t n;
} ValuePair;

/* The cells of the confusion matrix that are not 0, ascending by truth, then prediction. free() them. ERR_MEMORY. */
Err value_counts_pairs(const ValueCounts *counts, ValuePair **ret_pairs, int64_t *ret_n);

#endif
