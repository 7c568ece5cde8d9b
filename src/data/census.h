/* SPDX-License-Identifier: Apache-2.0
 *
 * What a data set holds, counted while its labels are read for the first time, and what of it a person should know
 * before any work is done: values without a meaning, classes, scenes and boxes without a pixel, scenes that do not fit
 * the model or each other. Nothing is dropped silently: what is not learned is told by name and number, one line a kind;
 * where nothing could be learned or validated the data set is refused.
 *
 * Counted are label pixels whose centre lies inside the image; of label rasters of more than 8 million pixels every
 * second, third ... along both axes (census->step).
 */
#ifndef METASEG_DATA_CENSUS_H
#define METASEG_DATA_CENSUS_H

#include "data/scene.h"
#include "data/vector_census.h"

/* How often something was found, and the first scene it was found in. */
typedef struct Finding {
    int64_t scenes;
    uint32_t first;
} Finding;

/* Why a scene has no labelled pixel, worst last. */
typedef enum Unlabelled {
    UNLABELLED_VALUES, /* there are valid labels, but none of a class */
    UNLABELLED_VALID,  /* no label is valid */
    UNLABELLED_APART,  /* labels and image do not overlap */
    UNLABELLED_COUNT,
} Unlabelled;

enum { TAGS_BYTES = 160 };

/* Open struct: label_scan.c adds to it. "First scene": the first that is opened. Indexed by class index where not said otherwise. */
typedef struct Census {
    const DatasetOptions *options;
    int64_t opened; /* scenes told of by census_scene() */
    uint32_t first;
    LabelTable table;
    LabelCounts values;
    ColorCounts colors;   /* that no class has */
    VectorCensus vectors; /* of vector files, once all scenes were opened */
    int64_t training[LABEL_VALUES], validation[LABEL_VALUES], holdout[LABEL_VALUES];
    LabelArea areas[DATASET_PARTS][LABEL_VALUES];
    int64_t *in_box;              /* [options->n_validation] labelled pixels of each validation box */
    bool *met;                    /* [options->n_validation] the box meets a scene */
    Finding nodata[LABEL_VALUES]; /* the class's value is the nodata value of the labels */
    Finding unlabelled[UNLABELLED_COUNT];
    Finding bands;                  /* labels of more than one band */
    Finding invalid;                /* images without a valid pixel: all of them was looked at */
    int64_t invalid_training;       /* how many of those are trained on */
    Finding rarely_valid;           /* no valid pixel in the windows looked at, which leave out parts of the image */
    Finding mask_elsewhere;         /* the cloud mask has no value in the windows looked at */
    Finding palette;                /* images whose values are indexes of a palette */
    Finding unplaced;               /* neither image nor labels have a place on the Earth */
    Finding pointed;                /* the same, but for a point that the scene gives */
    Finding too_fine, too_coarse;   /* pixels outside model.gsd_min..gsd_max */
    double finest, coarsest;        /* the pixel furthest outside, in the model's unit */
    Finding other_type, other_band; /* than the first scene's */
    Finding other_tags;             /* scale, offset or unit of a band */
    Finding far_offset;             /* raster_offset_is_far */
    char first_type[64], type[64];  /* of the bands: the first scene's, and another one met */
    char first_band[64], band[64];
    struct BandTags *first_tags; /* [n_tags] of the first scene's bands */
    int64_t n_tags;
    char tags[2][TAGS_BYTES], offset[TAGS_BYTES]; /* of another scene and of the first; an offset that is far */
    struct SceneImage *images;                    /* [options->n_scenes] which file each image is */
    int64_t step;                                 /* largest: every step-th label pixel along both axes was looked at */
} Census;

/* ERR_MEMORY. census_done() frees. */
Err census_init(const DatasetOptions *options, Census *ret_census);
void census_done(Census *census);

/* Which files a scene has, without opening them. ERR_CONFIG when image and labels are one file. */
Err census_files(Census *census, uint32_t index);

/* What can be told of an open scene without its pixels. ERR_MEMORY. */
Err census_scene(Census *census, const Scene *scene, uint32_t index);

/* Adds a scene's labels to `vectors`, where they are of a vector file: of each scene that is opened, those of holdout too. ERR_MEMORY. */
Err census_vectors(Census *census, const Scene *scene);

/* What the label pixels of a scene were: `inside` the image, `valid`, and `labelled` with a class. */
void census_labels(Census *census, uint32_t index, int64_t inside, int64_t valid, int64_t labelled);

/* No valid pixel was met in a scene's image; `whole`: nothing of it was left out. */
void census_invalid(Census *census, uint32_t index, bool whole);

/* A scene's cloud mask had no value in any of the windows that were looked at. */
void census_mask_elsewhere(Census *census, uint32_t index);

/* How many scenes have the image of another one, and the first such pair, of scenes with different splits if there is one.
 * Once, after the last census_files. */
int64_t census_same_images(Census *census, uint32_t ret_pair[2]);

/* Tells all that was found (census_tell.c). ERR_CONFIG, ERR_INPUT where nothing can be learned, or nothing validated
 * though data.validation asks for it. */
Err census_tell(Census *census, const MetasegRun *run);

#endif
