/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparison of a class map with a reference: one confusion matrix, the metrics that papers use, by climate zone on
 * request.
 */
#ifndef METASEG_EVAL_H
#define METASEG_EVAL_H

#include "metaseg/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rectangle in degrees, EPSG:4326. */
typedef struct MetasegBox {
    double west, south, east, north;
} MetasegBox;

typedef struct MetasegEvalOptions {
    const MetasegBox *boxes; /* only pixels whose centre lies in one of them; NULL: all */
    int64_t n_boxes;
    /* truth codes that are left out of accuracy and means (they still count as wrong predictions) */
    const int32_t *exclude;
    int64_t n_exclude;
    double minimum_share;   /* classes below this share of the truth are left out of the means, 0 */
    int32_t ignore;         /* truth value without a label, 255 */
    const char *truth_crs;  /* overrides the truth file's CRS; NULL */
    bool by_zone;           /* also a matrix per climate zone */
    const char *json, *csv; /* files to write; NULL: none */
    bool overwrite;
} MetasegEvalOptions;
MetasegEvalOptions metaseg_eval_options_defaults(void);

typedef struct MetasegEvalReport {
    int64_t pixels;
    int32_t counted_classes;
    double miou, mf1, overall_accuracy, kappa; /* macro means; fractions, not per cent */
} MetasegEvalReport;

/* Compares on the truth's grid, nearest pixel of the prediction. The table goes line by line to `line` (may be NULL).
 * report may be NULL. METASEG_ERROR_INPUT, _ARGUMENT, _OUTPUT. */
MetasegStatus metaseg_eval_rasters(const char *prediction, const char *truth, const MetasegEvalOptions *options,
                                   const MetasegRun *run, void (*line)(void *context, const char *text),
                                   MetasegEvalReport *report);

#ifdef __cplusplus
}
#endif
#endif
