/* SPDX-License-Identifier: Apache-2.0
 *
 * The figures that papers print, from counts over a whole set of pixels (the protocol of GeoSeg, mmsegmentation and the
 * ISPRS benchmark), never an average of per-image figures.
 *
 *   n_ij: pixels of truth i predicted as j; row_c = sum_j n_cj (truth), column_c = sum_i n_ic (predicted)
 *   IoU_c = n_cc / (row_c + column_c - n_cc)        F1_c = 2 n_cc / (row_c + column_c)
 *   precision_c = n_cc / column_c, recall_c = n_cc / row_c
 *   OA = sum n_cc / N,  kappa = (OA - p_e) / (1 - p_e), p_e = sum row_c column_c / N^2   (Cohen 1960)
 *   mIoU, mF1: macro, by one of the rules of MeansRule; they differ where a class is missing on one side
 */
#ifndef METASEG_EVAL_METRICS_H
#define METASEG_EVAL_METRICS_H

#include <stdbool.h>
#include <stdint.h>

/* Which classes enter the means, and what one without a figure is there. They agree where every class is in the truth and
 * is found somewhere.
 *   MEANS_OF_TRUTH: classes that occur in the truth; one that is never predicted, or never rightly, has F1 0
 *   MEANS_GEOSEG: F1 = 2 P R / (P + R) is no number where nothing of the class is right, and drops out (nanmean); IoU
 *     drops out where the class occurs nowhere, and is 0 where it is predicted without occurring (GeoSeg, tools/metric.py)
 *   MEANS_TORCHMETRICS: classes that occur in the truth or in the prediction; what has no figure is 0 (macro averages of
 *     torchmetrics' MulticlassF1Score and MulticlassJaccardIndex) */
typedef enum MeansRule { MEANS_OF_TRUTH = 0, MEANS_GEOSEG, MEANS_TORCHMETRICS, MEANS_RULES } MeansRule;

typedef struct Means {
    double miou, mf1; /* macro; NAN without any class */
    int64_t iou_classes, f1_classes;
} Means;

typedef struct ClassMetrics {
    int64_t truth, predicted, correct; /* pixels: row, column, n_cc */
    double iou, f1, precision, recall; /* NAN where undefined: the class is neither in truth nor predicted */
    bool excluded;                     /* left out of accuracy and means */
    bool not_in_means;                 /* counts in everything but the means: clutter of the ISPRS benchmark */
    bool counted;                      /* enters the means of MEANS_OF_TRUTH */
} ClassMetrics;

typedef struct TotalMetrics {
    int64_t pixels;          /* of classes that are not excluded */
    int64_t counted_classes; /* that enter the means */
    double miou, mf1;        /* of MEANS_OF_TRUTH */
    Means means[MEANS_RULES];
    double overall_accuracy, kappa;
} TotalMetrics;

/* Fills what follows from truth, predicted, correct, excluded and not_in_means of each class. `predicted` counts pixels whose truth is
 * not excluded, so that excluded truth has no part in anything; an excluded class still counts as a wrong prediction of
 * others, its own figures are NAN. Into the means come classes that are neither
 * excluded nor not_in_means and hold at least minimum_share of the truth's pixels, as each rule says. */
void metrics_from_counts(ClassMetrics *classes, int64_t n, double minimum_share, TotalMetrics *ret_total);

/* F1 of a class under a rule; NAN where it has none. */
double metrics_f1(const ClassMetrics *m, MeansRule rule);

#endif
