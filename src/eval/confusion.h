/* SPDX-License-Identifier: Apache-2.0
 *
 * Confusion matrix of a fixed number of classes (validation during training); rows = truth, columns = prediction. The
 * figures and their formulas are in metrics.h.
 */
#ifndef METASEG_EVAL_CONFUSION_H
#define METASEG_EVAL_CONFUSION_H

#include "base/err.h"
#include "eval/metrics.h"

#include <stdbool.h>
#include <stdint.h>

enum { CONFUSION_MAX_CLASSES = 255 };

/* Plain data; n is classes * classes counts, row-major by truth. */
typedef struct Confusion {
    int32_t classes;
    int64_t *n;
} Confusion;

/* Zeroed matrix. ERR_ARGUMENT unless 1 <= classes <= CONFUSION_MAX_CLASSES, ERR_MEMORY. confusion_done frees. */
Err confusion_init(Confusion *confusion, int32_t classes);
void confusion_done(Confusion *confusion);

/* Adds `count` pixels; a pixel counts only where truth and prediction are both < classes. */
void confusion_add(Confusion *confusion, const uint8_t *truth, const uint8_t *prediction, int64_t count);

typedef struct Metrics {
    int64_t pixels;
    int32_t counted_classes;
    double miou, mf1; /* macro, over counted classes; NAN without any */
    double overall_accuracy, kappa;
    ClassMetrics per_class[CONFUSION_MAX_CLASSES];
} Metrics;

/* As metrics_from_counts; excluded: NULL or one flag per class. */
void confusion_metrics(const Confusion *confusion, double minimum_share, const bool *excluded, Metrics *ret_metrics);

#endif
