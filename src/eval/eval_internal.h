/* SPDX-License-Identifier: Apache-2.0
 * Private to src/eval: one comparison of two rasters. */
#ifndef METASEG_EVAL_EVAL_INTERNAL_H
#define METASEG_EVAL_EVAL_INTERNAL_H

#include "base/line_sink.h"
#include "eval/value_counts.h"
#include "geo/climate.h"
#include "geo/place_lookup.h"
#include "geo/raster_colors.h"
#include "metaseg/eval.h"

typedef struct EvalBlocks EvalBlocks;
typedef struct EvalPage EvalPage;

/* What is told of one pair among several. */
typedef struct PairSummary {
    int64_t uncovered, ignored;
    TotalMetrics total;
} PairSummary;

/* Of several pairs the first: its rasters stay open, and the counts of the others are added to its own. */
typedef struct Comparison {
    const MetasegEvalOptions *options;
    const MetasegRun *run; /* may be NULL */
    Raster *map, *truth;
    Georeference *map_place, *truth_place;
    PlaceLookup *lookup; /* truth -> map; NULL: pixels correspond */
    PlaceLookup *lonlat; /* of the truth; NULL unless boxes or zones are asked for */
    Climate *climate;    /* NULL: no figures by zone */
    bool by_colors;      /* the reference is a picture, read by: */
    RasterColors colors;
    RasterColor *color_table;
    ColorCounts unknown; /* colours of it that no class has, and where the first is */
    int64_t unknown_at[2];
    ValueCounts *all;
    ValueCounts *zones[CLIMATE_ZONES + 1];   /* NULL until a zone occurs */
    Figures zone_figures[CLIMATE_ZONES + 1]; /* of zones that occur, once all is counted */
    int64_t ignored;                         /* truth pixels of the ignored value */
    const MetasegEvalPair *pairs;            /* all that are compared */
    int64_t n_pairs;
    PairSummary *summaries; /* [n_pairs] */
    EvalPage *page;         /* of all pairs (eval_page.h); NULL: nobody asked for one */
    int64_t pair;           /* which of them this one is */
} Comparison;

/* A warning (level 1) through run->message. */
void eval_tell(const Comparison *comparison, const char *format, ...) PRINTF_LIKE(2, 3);

/* Decides how the truth's pixels are found in the map: fills lookup and lonlat. ERR_INPUT when that cannot be known; the
 * message says what to do. */
Err eval_lay(Comparison *comparison);

/* Counts all pixels, block by block: memory does not follow the size of the rasters. ERR_INPUT (unreadable, values that
 * are no classes), ERR_MEMORY, ERR_INTERRUPTED. */
Err eval_count(Comparison *comparison);

/* Writes options->json, options->csv and options->html, all or none. ERR_OUTPUT, ERR_MEMORY. */
Err eval_write_files(const Comparison *comparison, const Figures *figures);

/* Names of protocols, by MeansRule, and what each means by a mean, as a clause. */
extern const char *const eval_protocol_names[MEANS_RULES];
extern const char *const eval_protocol_rules[MEANS_RULES];

/* The means by the protocol that was asked for. */
Means eval_means(const Comparison *comparison, const TotalMetrics *total);

/* The table for people, line by line. */
void eval_print(const Comparison *comparison, const Figures *figures, LineSink sink);

/* All figures as JSON: one line, or for a file. free() it. ERR_MEMORY. */
Err eval_json(const Comparison *comparison, const Figures *figures, bool pretty, char **ret_text);

/* eval_colors.c: chooses the bands of a reference that is a picture, where the options have its colours; *ret_picture tells. */
Err eval_colors_choose(Comparison *comparison, bool *ret_picture);

/* Whether a value of raster_colors_values is a class; else it is counted as ignored or unknown. */
bool eval_colors_take(Comparison *comparison, float value, int64_t column, int64_t row);

/* ERR_INPUT: the reference has colours that no class has. */
Err eval_colors_check(const Comparison *comparison);

/* What a value of the reference is compared as. */
int32_t eval_mapped_truth(const MetasegEvalOptions *options, int32_t value);

/* What the figures call a map. */
const char *eval_pair_name(const MetasegEvalPair *pair);

/* Name of a class value: the map's, else the reference's, "" where neither has one. */
const char *eval_class_name(const Comparison *comparison, int32_t value);

/* True, and the reference's name, where both have a name for a value and these differ. */
bool eval_names_differ(const Comparison *comparison, int32_t value, const char **ret_truth_name);

/* What a pixel of a picture holds without a label, or where the map has no value. */
enum { EVAL_NOTHING = INT32_MIN };

/* Colour 0xRRGGBB of a class value: the map's, else the reference's, else one of our own; grey for EVAL_NOTHING. */
uint32_t eval_class_color(const Comparison *comparison, int32_t value);

/* Values [n] in these colours, ret_rgb [n][3]. */
void eval_draw(const Comparison *comparison, const int32_t *values, int64_t n, uint8_t *ret_rgb);

#endif
