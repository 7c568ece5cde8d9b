/* SPDX-License-Identifier: Apache-2.0
 *
 * What the values of a label raster mean, and how many pixels have which value. A value is a class, or it is named
 * otherwise (data.ignore, the left side of data.remap), or it has no meaning: such pixels are never learned, and counted
 * so that they can be told.
 */
#ifndef METASEG_DATA_LABEL_VALUES_H
#define METASEG_DATA_LABEL_VALUES_H

#include "base/str.h"
#include "data/dataset_options.h"
#include "geo/raster_colors.h"

#include <math.h>

enum { CLASS_IGNORE = 255, LABEL_VALUES = 256 };

typedef struct LabelTable {
    uint8_t class_of[LABEL_VALUES]; /* value -> class index (data.remap done), CLASS_IGNORE */
    bool named[LABEL_VALUES];       /* a class value, data.ignore, or the left side of data.remap */
} LabelTable;

LabelTable label_table(const DatasetOptions *options);

/* Value of the class that is called so, of one in other case (ASCII) where none is exactly; -1: there is none. */
float label_value_of_name(const DatasetOptions *options, const char *name);

/* Whole values 0..255. */
static inline bool label_is_code(float value) { return value >= 0.0F && value <= 255.0F && value == floorf(value); }

/* Class index of a valid pixel's value; CLASS_IGNORE. */
static inline uint8_t label_class(const LabelTable *table, float value)
{
    return label_is_code(value) ? table->class_of[(int32_t)value] : CLASS_IGNORE;
}

/* Label pixels, those between the ones that were looked at included, and their area on the ground: NAN where it is not known,
 * and of a sum with such a part. */
typedef struct LabelArea {
    double pixels, square_metres;
} LabelArea;

static inline void label_area_add(LabelArea *sum, LabelArea part)
{
    sum->pixels += part.pixels;
    sum->square_metres += part.square_metres;
}

/* Zero it to start. */
typedef struct LabelCounts {
    int64_t pixels[LABEL_VALUES]; /* of the whole values 0..255 */
    int64_t negative, beyond;     /* below 0, above 255 */
    int64_t fractional;           /* between, not whole */
    double lowest, highest;       /* of the negative ones, of those beyond */
    double fraction;              /* the first that is not whole */
} LabelCounts;

/* Counts one valid pixel. */
static inline void label_count(LabelCounts *counts, float value)
{
    if (label_is_code(value)) {
        counts->pixels[(int32_t)value]++;
    } else if (value < 0.0F) {
        counts->negative++;
        counts->lowest = fmin(counts->lowest, (double)value);
    } else if (value > 255.0F) {
        counts->beyond++;
        counts->highest = fmax(counts->highest, (double)value);
    } else {
        if (counts->fractional++ == 0) counts->fraction = (double)value;
    }
}

/* Pixels whose whole value has no meaning, "7 (1204 pixels), 9 (88)": most frequent first, at most 8 of them, then how
 * many more. Returns how many pixels those are; nothing is written for 0. */
int64_t label_counts_unnamed(const LabelCounts *counts, const LabelTable *table, Str *text);

/* Pixels whose value no class can have: "-9999 (12 pixels below 0)" and the like. Returns how many. */
int64_t label_counts_impossible(const LabelCounts *counts, Str *text);

#endif
