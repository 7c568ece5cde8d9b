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

/* A class value of the map and what it is in the reference. */
typedef struct MetasegClassPair {
    int32_t from, to;
} MetasegClassPair;

/* What a colour 0xRRGGBB of a reference that is a picture stands for. */
typedef struct MetasegTruthClass {
    uint32_t color;
    int32_t value;
    const char *name; /* of the class; NULL: the colour is no label, whatever its value */
} MetasegTruthClass;

/* Whose rule the means follow, where a class is missing on one side (docs/protocols.md). All are told; this one comes first. */
typedef enum MetasegProtocol {
    METASEG_PROTOCOL_METASEG = 0, /* classes of the truth; F1 of one that is never found is 0 */
    METASEG_PROTOCOL_GEOSEG,      /* F1 of one that is never found is no number and drops out of the mean */
    METASEG_PROTOCOL_TORCHMETRICS /* classes of the truth or the map; what has no figure is 0 */
} MetasegProtocol;

typedef struct MetasegEvalOptions {
    const MetasegBox *boxes; /* only pixels whose centre lies in one of them; NULL: all */
    int64_t n_boxes;
    /* truth codes that are left out of accuracy and means (they still count as wrong predictions) */
    const int32_t *exclude;
    int64_t n_exclude;
    /* classes that count in everything but the means: clutter of the ISPRS benchmark */
    const int32_t *not_in_means;
    int64_t n_not_in_means;
    MetasegProtocol protocol;
    const char *data_set; /* title of a published data set, named in the output; NULL: none */
    /* the map's values become those of the reference before they are compared, and every one that occurs must be named; then names and
     * colours of classes are the reference's. NULL: they are the same already */
    const MetasegClassPair *mapping;
    int64_t n_mapping;
    /* a reference of three colours is read by them, and a colour that is not named here is METASEG_ERROR_INPUT with its place; one of a
     * single band holds class values all the same. NULL: pictures are refused */
    const MetasegTruthClass *truth_classes;
    int64_t n_truth_classes;
    int32_t truth_threshold; /* channels of colours from here on count as 255, those below as 0; 0: as they are */
    /* values of the reference that become others; those not named stay what they are. NULL: none */
    const MetasegClassPair *truth_mapping;
    int64_t n_truth_mapping;
    double minimum_share;   /* classes below this share of the truth are left out of the means, 0 */
    int32_t ignore;         /* truth value without a label, 255; one that does not occur ignores none */
    const char *crs;        /* overrides the map's CRS; NULL */
    const char *truth_crs;  /* overrides the truth file's CRS; NULL */
    const char *band;       /* number or name of the map's band with class values; NULL: it must have one band */
    const char *truth_band; /* the same of the truth */
    bool by_pixel;          /* equal pixels are equal places, whatever the files say; both have one size */
    bool by_zone;           /* also a matrix per climate zone */
    const char *json, *csv; /* files to write; NULL: none */
    const char *html;       /* a page that stands alone: figures with intervals, confusion matrix, the maps beside their
                               references; NULL: none */
    bool json_line;         /* `line` gets all figures as one line of JSON instead of the table */
    bool overwrite;
} MetasegEvalOptions;
MetasegEvalOptions metaseg_eval_options_defaults(void);

typedef struct MetasegEvalReport {
    int64_t pixels;    /* compared */
    int64_t uncovered; /* labelled pixels for which the map has no value */
    int64_t ignored;   /* pixels of the truth with the ignored value */
    int32_t counted_classes;
    double miou, mf1, overall_accuracy, kappa; /* macro means by the protocol; fractions, not per cent */
} MetasegEvalReport;

/* Compares on the truth's grid: at the centre of each of its labelled pixels the map's pixel is looked up. Rasters of one
 * CRS (or without any on both sides) are laid on each other by their geotransforms, others by PROJ's transformation, two
 * that say nothing of their place pixel by pixel. Class values are whole numbers between -16777216 and 16777216; others,
 * pictures and measurements are refused. The table goes line by line to `line` (may be NULL); report may be NULL.
 * METASEG_ERROR_INPUT, _ARGUMENT, _OUTPUT, _MEMORY, _INTERRUPTED. */
MetasegStatus metaseg_eval_rasters(const char *prediction, const char *truth, const MetasegEvalOptions *options,
                                   const MetasegRun *run, void (*line)(void *context, const char *text),
                                   MetasegEvalReport *report);

/* A map and its reference. */
typedef struct MetasegEvalPair {
    const char *prediction, *truth;
    const char *name; /* what the figures call the map; NULL: its path */
} MetasegEvalPair;

/* Compares n pairs (at least 1) and tells their sum: the figures of one confusion matrix of all pixels, and below it each
 * pair's. Names of classes are those of the first pair. A pair with nothing to compare is told, one that cannot be read ends
 * the call. Otherwise as metaseg_eval_rasters. */
MetasegStatus metaseg_eval_pairs(const MetasegEvalPair *pairs, int64_t n_pairs, const MetasegEvalOptions *options,
                                 const MetasegRun *run, void (*line)(void *context, const char *text),
                                 MetasegEvalReport *report);

#ifdef __cplusplus
}
#endif
#endif
