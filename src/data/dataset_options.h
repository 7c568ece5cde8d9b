/* SPDX-License-Identifier: Apache-2.0
 *
 * What a data set is: images, labels, classes, what is kept apart, the grid that the network reads, and how windows are
 * drawn. Plain data, all that dataset.h and scene.h need; strings and lists belong to whoever filled it. Optional
 * strings and lists are NULL when absent. Paths are opened as they are.
 */
#ifndef METASEG_DATA_DATASET_OPTIONS_H
#define METASEG_DATA_DATASET_OPTIONS_H

#include "base/image_facts.h"
#include "data/image_source.h"

#include <stdbool.h>
#include <stdint.h>

/* Longitude/latitude rectangle, degrees, west < east, south < north (EPSG:4326). */
typedef struct DatasetBox {
    char *name;
    double west, south, east, north;
} DatasetBox;

typedef struct DatasetClass {
    int32_t value; /* code in the output raster, 0..254 */
    char *name;
    char *color; /* "#rrggbb" */
} DatasetClass;

/* A value of the label raster and the class value it becomes; values not listed map to themselves where a class of that
 * value exists and to "ignore" otherwise. */
typedef struct DatasetRemap {
    int32_t from, to;
} DatasetRemap;

/* What the label rasters hold. */
typedef enum LabelsKind {
    LABELS_CLASSES = 0,   /* band 1: the value of a class */
    LABELS_PROBABILITIES, /* one band per class, in the order of the classes: how probable it is, in any unit */
    LABELS_COLORS,        /* red, green and blue (or a palette): the colour of a class */
    LABELS_KIND_COUNT
} LabelsKind;

/* What a scene is for. */
typedef enum SceneSplit {
    SCENE_TRAIN = 0,
    SCENE_VALIDATION, /* validated as a whole, never learned */
    SCENE_HOLDOUT,    /* not even opened */
    SCENE_SPLIT_COUNT
} SceneSplit;

/* What a labelled pixel is for. */
typedef enum DatasetPart { DATASET_TRAINING = 0, DATASET_VALIDATION, DATASET_HOLDOUT, DATASET_PARTS } DatasetPart;

/* Where the validation pixels of a data set come from, one of these. */
typedef enum ValidationPlaces {
    VALIDATION_NONE,
    VALIDATION_BOXES,  /* DatasetOptions.validation */
    VALIDATION_SCENES, /* DatasetScene.split */
    VALIDATION_BLOCKS, /* DatasetOptions.validation_fraction */
} ValidationPlaces;

typedef struct DatasetScene {
    char *name;
    SceneSplit split;
    char *image;           /* raster */
    ProcessingLevel level; /* of its reflectance; PROCESSING_UNKNOWN: as its metadata say, level 2 where they do not */
    char *mask;            /* cloud mask of the image; ".../scl", ".../qa_pixel": that of its product; NULL: none */
    char *mask_values;     /* its masked values ("1,3"); NULL: by its kind */
    char *crs;             /* of the image instead of the file's ("EPSG:32633"); NULL */
    char *labels;          /* raster on any grid of the same or another CRS, or a vector file */
    char *labels_crs;      /* overrides the label file's CRS ("EPSG:4326"), for files with an unknown datum */
    char *labels_layer;    /* of a vector file; NULL: the only one */
    char *labels_field;    /* of a vector file, with the class; NULL: "class" or the only one (geo/vector_labels.h) */
    double labels_buffer;  /* of lines and points, pixels of the image */
    bool labels_by_pixel;  /* label pixels are those of the image, whatever the two files say of where they lie */
    double *lonlat; /* [2] degrees, where the image lies if its file does not say; zones alone come from it; NULL */
    uint32_t n_lonlat;
    int32_t *bands; /* 1-based bands of the image */
    uint32_t n_bands;
} DatasetScene;

/* Bands that a window shows, by the names of the model's bands, and how often. */
typedef struct DatasetBandSet {
    char **bands;
    uint32_t n_bands;
    double probability;
} DatasetBandSet;

typedef struct DatasetOptions {
    DatasetScene *scenes;
    uint32_t n_scenes;
    DatasetClass *classes; /* in the order of the network's outputs */
    uint32_t n_classes;
    DatasetRemap *remap;
    uint32_t n_remap;
    LabelsKind labels_kind;
    int32_t colors_threshold; /* LABELS_COLORS: channels from here on count as 255, those below as 0; 0: as they are */
    char **ignore_colors;     /* "#rrggbb" that are no class and never learned */
    uint32_t n_ignore_colors;
    double
        temperature; /* probabilities are raised to 1 / temperature; below 1 the likeliest class gains; 0 or 1: as they are */
    int32_t ignore;      /* value in the label raster that is never learned */
    DatasetBox *holdout; /* never seen in training, never used for choosing */
    uint32_t n_holdout;
    DatasetBox *validation; /* chooses the best checkpoint */
    uint32_t n_validation;
    double validation_fraction; /* of the labelled pixels, in blocks (validation_blocks.h); 0: none */

    double gsd;              /* of the pixels of images without a georeference, unit below; 0: not told */
    double gsd_min, gsd_max; /* ground sampling distances of a network pixel that the model is for; unit below */
    ModelUnit gsd_unit;
    int64_t window;           /* side of the network's input, pixels, multiple of what the network reads */
    double upsample;          /* network pixels per image pixel along one axis, 1 */
    ModelTransform transform; /* of the pixels */
    double *mean, *std; /* per band, in the image's units or the transform's; NULL: measured on the training area */
    uint32_t n_mean, n_std;

    int64_t seed;       /* of all that is drawn at random */
    double balance;     /* exponent of the inverse class frequency when choosing window centres, 0: uniform by area */
    int32_t *unsampled; /* class values that windows are not drawn for (they are learned where they occur) */
    uint32_t n_unsampled;
    double text_dropout; /* probability of the null prompt, 0.15 */
    double color_jitter; /* amplitude of brightness/contrast/colour shifts, 0.1 */
    bool flips, rotations;
    DatasetBandSet *band_sets; /* the rest of the probability: all bands */
    uint32_t n_band_sets;
    double band_dropout; /* probability that a band of a full draw is missing */
    /* conventions of the pixels' numbers, as in ModelConfig and ModelBand; 0 and empty: none */
    double byte_scale, reflectance;
    double *surface_scale, *surface_offset;
    uint32_t n_surface_scale, n_surface_offset;
    double stretch; /* probability that a window of colours alone becomes a picture of 8 bits */
    double *scales; /* windows are enlarged by one of these, all alike probable; none: 1 */
    uint32_t n_scales;
    double
        redraw_above; /* a window with one class alone, or with this part of its labels of one class, is drawn again in its
                            scene, ten times at most; 0: never */
    double mosaic;    /* probability that a window is cut out of a mosaic of four */
    int64_t mosaic_side; /* of the mosaic, network pixels */
    double noise;        /* largest standard deviation of noise, in those of the bands */
} DatasetOptions;

/* What band `band` of the data set is made for, with this normalisation. */
ImageBand dataset_image_band(const DatasetOptions *options, int64_t band, double mean, double std);

static inline ValidationPlaces dataset_validation_places(const DatasetOptions *options)
{
    for (uint32_t i = 0; i < options->n_scenes; i++)
        if (options->scenes[i].split == SCENE_VALIDATION) return VALIDATION_SCENES;
    if (options->validation_fraction > 0.0) return VALIDATION_BLOCKS;
    return options->n_validation > 0 ? VALIDATION_BOXES : VALIDATION_NONE;
}

#endif
