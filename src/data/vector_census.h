/* SPDX-License-Identifier: Apache-2.0
 *
 * What the vector files of a data set hold, over all images that they label: one file often lies over many images, and each
 * feature on one of them.
 *
 *     VectorCensus census = { 0 };
 *     for (each image) TRY(vector_census_add(&census, image's vector labels));
 *     vector_census_tell(&census, &options, run);
 *     vector_census_done(&census);
 *
 * A feature counts once, by the best that became of it on an image: with a pixel before without one, whole before cut, on an
 * image before beside it. Pixels are those of all images.
 */
#ifndef METASEG_DATA_VECTOR_CENSUS_H
#define METASEG_DATA_VECTOR_CENSUS_H

#include "data/dataset_options.h"
#include "geo/vector_labels.h"
#include "metaseg/run.h"

/* A value of the field. */
typedef struct VectorCensusClass {
    char *name;
    int64_t value, features, pixels; /* as in VectorClass; features that have a pixel of an image */
} VectorCensusClass;

/* A field of a layer of a file. */
typedef struct VectorCensusLayer {
    char *path, *layer, *field;
    bool is_text;
    int64_t images;  /* over which it was opened */
    uint8_t *states; /* [n_features] VectorState on all of them together, and FIDs */
    int64_t *ids;
    int64_t n_features;
    VectorCensusClass *classes; /* [n_classes] */
    int64_t n_classes, capacity;
    VectorOverlaps overlaps; /* of all images */
} VectorCensusLayer;

/* Zero it to start; vector_census_done(). Read-only for others. */
typedef struct VectorCensus {
    VectorCensusLayer *layers;
    int64_t n_layers, capacity;
} VectorCensus;

/* Adds what labels hold over their image. ERR_MEMORY. */
Err vector_census_add(VectorCensus *census, const VectorLabels *labels);

/* Tells what a person should know, once for each layer: how much of what, what of it is not learned and why. Of features on no
 * image it warns, unless the file labels more scenes of `options` than were added: those of holdout, which are not opened. */
void vector_census_tell(const VectorCensus *census, const DatasetOptions *options, const MetasegRun *run);

void vector_census_done(VectorCensus *census);

#endif
