/* SPDX-License-Identifier: Apache-2.0
 * Private to dataset.c and dataset_reader.c: the index of a data set and its readers. */
#ifndef METASEG_DATA_DATASET_INTERNAL_H
#define METASEG_DATA_DATASET_INTERNAL_H

#include "data/band_draw.h"
#include "data/dataset.h"
#include "data/sampler.h"
#include "data/scene_pool.h"
#include "data/validation_blocks.h"

/* What is remembered of a scene while it is closed. */
typedef struct SceneFacts {
    int64_t width, height; /* of the network's grid */
    bool invalid;          /* the image has no valid pixel */
    int32_t zone;          /* climate zone of most of it; 0: none, or no climate map */
} SceneFacts;

/* A window of the network's grid of a scene; of validation also whose box it covers. */
typedef struct Window {
    int32_t scene, box;
    int64_t x, y, side;
} Window;

struct Dataset {
    const DatasetOptions *options;
    const Climate *climate;
    LabelTable table;
    Sampler *sampler;
    ValidationBlocks *blocks; /* NULL: validation has none */
    SceneFacts *scenes;       /* [n_scenes] */
    bool unsampled[256];      /* class indexes that windows are not drawn for */
    int64_t bands, side;      /* bands 0: not known yet, while the first scene is opened */
    char **band_names;        /* [bands] of the first scene */
    BandSets sets;
    ImageBand *normalisation; /* [bands] */
    Window *validation;
    int64_t n_validation, validation_capacity;
    LabelArea areas[DATASET_PARTS][LABEL_VALUES]; /* by class index */
    double zone_areas[CLIMATE_ZONES + 1];         /* square metres, 0 without a climate map */
    Survey *survey;                               /* filled while the scenes are visited; NULL: nobody asks */
};

struct DatasetReader {
    const Dataset *data;
    ScenePool *pool;
    int64_t most;          /* side of the largest window that is drawn */
    float *image, *shares; /* a window before its symmetry is applied: room for `most` */
    float *turned;         /* the image after it, for networks that also read which bands are there */
    uint8_t *valid, *labels;
    uint8_t *probabilities; /* [side, side, classes]; NULL: labels are classes */
    double *lonlat;         /* [2, side, side] */
    struct Mosaic *mosaic;  /* reader_window.c; NULL: none are drawn */
};

/* Room for a window, once the bands are known. ERR_MEMORY. */
Err reader_allocate(DatasetReader *reader);

/* First window of (step, index), of this side, whose footprint touches no holdout box. */
Err reader_draw(DatasetReader *reader, uint64_t step, uint64_t index, int64_t side, Window *ret_window);

/* reader_window.c: the training window of (step, index) in reader->image, valid, labels and probabilities: drawn, scaled, put together.
 * ret_scene, ret_window: what its text comes from. */
Err reader_window(DatasetReader *reader, uint64_t step, uint64_t index, Scene **ret_scene, Window *ret_window);

/* Room for it: the side of the largest window that is drawn, and of mosaics. ERR_MEMORY. */
int64_t reader_largest_side(const DatasetOptions *options);
Err reader_allocate_mosaic(DatasetReader *reader);
void reader_free_mosaic(DatasetReader *reader);

/* Image and labels of a window of any scene. Without normalisation where nothing was set yet. */
Err reader_read_window(DatasetReader *reader, Scene *scene, Window window);

/* Labels of a window whose image was read: none where it is invalid. */
Err reader_read_labels(DatasetReader *reader, Scene *scene, Window window);

/* Of the labels that were read those of one part: what is for validation counts there alone, with boxes in the first one that
 * holds it, all else in training alone, and what lies inside holdout boxes nowhere. */
Err reader_keep_labels(DatasetReader *reader, Scene *scene, Window window, bool validation);

#endif
