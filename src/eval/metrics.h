/* SPDX-License-Identifier: Apache-2.0
 *
 * The figures that papers print, from counts over a whole set of pixels (the protocol of GeoSeg, mmsegmentation and the
 * ISPRS benchmark), never an average of per-image figures.
 *
 *   n_ij: pixels of truth i predicted as j; row_c = sum_j n_cj (truth), column_c = sum_i n_ic (predicted)
 *   IoU_c = n_cc / (row_c + column_c - n_cc)        F1_c = 2 n_cc / (row_c + column_c)
 *   precision_c = n_cc / column_c, recall_c = n_cc / row_c
 *   OA = sum n_cc / N,  kappa = (OA - p_e) / (1 - p_e), p_e = sum row_c column_c / N^2   (Cohen 1960)
 *   mIoU, mF1: macro, over the classes selected by `counted`
 */
#ifndef METASEG_EVAL_METRICS_H
#define METASEG_EVAL_METRICS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ClassMetrics {
    int64_t truth, predicted, correct; /* pixels: row, column, n_cc */
    double iou, f1, precision, recall; /* NAN where undefined: the class is neither in truth nor predicted */
    bool excluded;                     /* left out of accuracy and means */
    bool counted;                      /* enters the macro means */
} ClassMetrics;

typedef struct TotalMetrics {
    int64_t pixels;          /* of classes that are not excluded */
    int64_t counted_classes; /* that enter the means */
    double miou, mf1;        /* macro; NAN without any class */
    double overall_accuracy, kappa;
} TotalMetrics;

/* Fills what follows from truth, predicted, correct and excluded of each class. `predicted` counts pixels whose truth is
 * not excluded, so that excluded truth has no part in anything; an excluded class still counts as a wrong prediction of
 * others, its own figures are NAN. Counted are the classes that are not excluded, occur in the truth, and hold at least
 * minimum_share of its pixels. */
void metrics_from_counts(ClassMetrics *classes, int64_t n, double minimum_share, TotalMetrics *ret_total);

#endif
