/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of metaseg_train_plan (metaseg/train.h): images and labels become a configuration. Private to src/train. */
#ifndef METASEG_TRAIN_TRAIN_PLAN_H
#define METASEG_TRAIN_TRAIN_PLAN_H

#include "data/class_table.h"
#include "data/image_source.h"
#include "data/labels.h"
#include "data/vector_census.h"
#include "metaseg/train.h"
#include "model/model_config.h"
#include "train/run_config.h"
#include "train/split.h"
#include "train/trainer.h"

enum { PLAN_BLOCKS = 8, PLAN_SAMPLES = 1024 }; /* of a label raster: blocks, and pixels looked at, along a side */

/* A value that occurs in the labels. */
typedef struct PlanValue {
    char *name;
    int64_t value; /* -1: a text */
    bool has_color;
    uint32_t color;
    int64_t features; /* on the images, each once; 0: of a raster */
    double pixels;
    int32_t class_index; /* of the classes of the model; -1: not learned */
} PlanValue;

typedef struct PlanScene {
    char *image, *labels;  /* absolute */
    char *bands;           /* "1,2,3" */
    double side;           /* of a pixel, metres; NaN unknown */
    ProcessingLevel level; /* of its reflectance; PROCESSING_UNKNOWN where none is read */
    int64_t width, height;
    bool vector;
    bool placed; /* it has a georeference */
} PlanScene;

typedef struct Plan {
    const MetasegTrainPlan *given;
    const MetasegRun *run;
    PlanScene *scenes;
    int64_t n_scenes;
    char **band_names; /* of the first image, chosen ones */
    int64_t n_bands;
    ModelConfig from; /* of given->from */
    bool has_from;
    int64_t n_unplaced; /* images without a georeference */
    int64_t n_unsized;  /* images that do not tell the size of their pixels */
    double fraction;   /* of the labels that is validated in blocks, where some are rasters; 0: boxes around features */
    bool continues;    /* the classes are those of `from` */
    PlanValue *values; /* [VECTOR_MOST_CLASSES] */
    int32_t n_values;
    VectorCensus vectors;
    bool has_255;       /* a label raster has the value 255, which is no class */
    ClassTable classes; /* those of given->classes from the beginning */
    bool colors;        /* label rasters are pictures of classes */
    SplitItem *items;   /* class_index is an index of `values` until plan_classes */
    int64_t n_items, capacity;
    double feature_pixels; /* of a vector feature of middle size; 0: labels are rasters */
    Split split;
    int64_t window, batch, upsample, steps, validations;
    bool reads_text;
    bool detail_alone; /* encoder: none */
    TrainerSpeed speed;
} Plan;

/* train_plan.c: the configuration that metaseg_train_plan would begin with, without the number of steps and without writing
 * anything; plan->output may be NULL. Errors of metaseg_train_plan but METASEG_ERROR_OUTPUT. */
Err train_plan_config(const MetasegTrainPlan *plan, const MetasegRun *run, RunConfig **ret_config);

/* train_plan_labels.c: what the labels of a scene hold, as values and items. Errors of vector_labels_open and labels_open. */
Err plan_read_labels(Plan *plan, int32_t scene, ImageSource *image);

/* How many features each value has, once the labels of all scenes were read. */
void plan_count_features(Plan *plan);

/* train_plan_classes.c: the classes of the model: those of --classes, of --from where it has them all, else the values. Items of
 * values that are no class go. ERR_INPUT: fewer than two, or a number that no class can have; ERR_CONFIG, ERR_MEMORY. */
Err plan_classes(Plan *plan);

/* The sizes of pixels are those on the ground: of all images they are known. */
bool plan_in_metres(const Plan *plan);

/* train_plan_write.c: which bands of `from` those of the images are, ret_bands [n_bands]; false where one is none of them, or where
 * its numbers are no reflectance: then the model will not read its units. */
bool plan_reads_reflectance(const Plan *plan, int32_t ret_bands[MODEL_MAX_BANDS]);

/* train_plan_write.c: the configuration as YAML; free() it. ERR_MEMORY. */
Err plan_write(const Plan *plan, char **ret_yaml);

#endif
