/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person wants to see of a data set before training: each scene with its place and its numbers, how much of each class
 * is for what, climate zones, and what covers the same ground. Collected by dataset_survey() while it opens the data set.
 */
#ifndef METASEG_DATA_SURVEY_H
#define METASEG_DATA_SURVEY_H

#include "data/image_sample.h"
#include "data/label_shift.h"
#include "data/label_values.h"
#include "data/scene.h"
#include "metaseg/run.h"

/* What is odd about a band; several may hold. */
typedef enum BandSuspicion {
    BAND_INVALID = 1 << 0,    /* no valid pixel in the sample, in this band alone or in all */
    BAND_CONSTANT = 1 << 1,   /* one value everywhere */
    BAND_SATURATED = 1 << 2,  /* a twentieth or more has the highest value */
    BAND_EQUAL = 1 << 3,      /* the same numbers as an earlier band */
    BAND_UNEXPECTED = 1 << 4, /* far from what the normalisation is made for */
} BandSuspicion;
enum { BAND_SUSPICIONS = 5 };

typedef struct BandSurvey {
    int32_t number; /* in the file, from 1 */
    char name[64], type[32];
    uint32_t suspicions;
    int32_t equal;         /* to which of the scene's bands, where BAND_EQUAL */
    SampledBand values;    /* of a sample (image_sample.h); nothing where BAND_INVALID */
    ExpectedValues wanted; /* by the normalisation, where `expected` */
    bool expected;
} BandSurvey;

typedef struct SceneSurvey {
    bool opened;           /* else nothing below is known */
    int64_t width, height; /* of the image */
    double metres;         /* sides of its pixels; NAN: unknown */
    double square_metres;  /* of the image; NAN: unknown */
    bool placed;
    Footprint footprint;               /* where placed */
    double zones[CLIMATE_ZONES + 1];   /* shares, 0 none; all 0 without a climate map or a place */
    double valid;                      /* part of the sample */
    int64_t features;                  /* of a vector file, on the image; -1: its labels are a raster */
    BandSurvey bands[MODEL_MAX_BANDS]; /* the first of them */
    int32_t n_bands;
    LabelShift shift; /* of its labels; of more than 64 scenes it is looked for in 64 */
} SceneSurvey;

/* Two scenes, or two boxes, over the same ground. */
typedef struct Overlap {
    bool boxes; /* of DatasetOptions.validation and .holdout, else scenes */
    uint32_t first, second;
    double share; /* of the smaller one */
    bool leaks;   /* what is kept apart with one is learned, or validated, with the other */
} Overlap;

/* Zero it to start; survey_done(). What was collected stays when opening the data set fails. */
typedef struct Survey {
    const DatasetOptions *options;
    SceneSurvey *scenes; /* [options->n_scenes] */
    LabelArea areas[DATASET_PARTS][LABEL_VALUES];
    double zone_areas[CLIMATE_ZONES + 1]; /* square metres of the opened images, 0 none */
    Overlap *overlaps;
    int64_t n_overlaps, capacity;
    bool counted; /* the labels of all scenes were read: areas holds */
} Survey;

Err survey_init(const DatasetOptions *options, Survey *ret_survey);
void survey_done(Survey *survey);

/* Square metres of a scene's image, NAN where they are not known. */
double survey_ground(const Scene *scene, const DatasetOptions *options);

/* Of an open scene, whose image is resampled as before afterwards. ERR_INPUT, ERR_MEMORY. */
Err survey_scene(Survey *survey, Scene *scene, uint32_t index, const Climate *climate, const MetasegRun *run);

/* Once all scenes are there. ERR_MEMORY. */
Err survey_overlaps(Survey *survey);

/* Marks bands that are far from a normalisation, [bands] of all scenes. */
void survey_expect(Survey *survey, const ImageBand *bands, int64_t n_bands);

#endif
