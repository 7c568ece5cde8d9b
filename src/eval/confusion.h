/* SPDX-License-Identifier: Apache-2.0
 *
 * Confusion matrix and the metrics that papers use, all from one matrix over a whole set of pixels
 * (the protocol of GeoSeg, mmsegmentation and the ISPRS benchmark), never an average of per-image figures.
 *
 *   rows = truth, columns = prediction; n_ij pixels of truth i predicted as j
 *   IoU_c = n_cc / (row_c + column_c - n_cc)        F1_c = 2 n_cc / (row_c + column_c)
 *   precision_c = n_cc / column_c, recall_c = n_cc / row_c
 *   OA = sum n_cc / N,  kappa = (OA - p_e) / (1 - p_e), p_e = sum row_c column_c / N^2   (Cohen 1960)
 *   mIoU, mF1: macro, over the classes selected by `counted`
 */
#ifndef METASEG_EVAL_CONFUSION_H
#define METASEG_EVAL_CONFUSION_H

#include "base/err.h"

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
void confusion_clear(Confusion *confusion);

/* Adds `count` pixels; a pixel counts only where truth and prediction are both < classes. */
void confusion_add(Confusion *confusion, const uint8_t *truth, const uint8_t *prediction, int64_t count);

/* sum += other; same classes. */
void confusion_merge(Confusion *sum, const Confusion *other);

typedef struct ClassMetrics {
    int64_t truth, predicted, correct; /* pixels */
    double iou, f1, precision, recall; /* NAN where undefined: the class is neither in truth nor predicted */
    bool counted;                      /* enters the macro means */
} ClassMetrics;

typedef struct Metrics {
    int64_t pixels;
    int32_t counted_classes;
    double miou, mf1; /* macro, over counted classes; NAN without any */
    double overall_accuracy, kappa;
    ClassMetrics per_class[CONFUSION_MAX_CLASSES];
} Metrics;

/* Which classes enter the means: those with truth share >= minimum_share of all truth pixels (0 counts every class
 * that occurs in the truth) and not `excluded` (NULL or one flag per class). Excluded classes
 * still count as errors of others; their own figures are NAN.
 * Overall accuracy and kappa are over truth pixels of classes that are not excluded. */
void confusion_metrics(const Confusion *confusion, double minimum_share, const bool *excluded, Metrics *ret_metrics);

#endif
