/* SPDX-License-Identifier: Apache-2.0
 *
 * Maps of the images of a published data set (data/preset.h): what its files do not tell is told to the predictor, as training on
 * the preset does it.
 */
#ifndef METASEG_PREDICT_PRESET_MAPS_H
#define METASEG_PREDICT_PRESET_MAPS_H

#include "data/preset.h"
#include "predict/predictor.h"

/* A model that reads a data set. The model is entered while it is in use. */
typedef struct PresetMaps {
    MetasegModel *model;
    const Preset *preset;
    const MetasegPredictOptions *options;
    char bands[64];           /* "1,2,3": the preset's, for a model of as many; "": by their names */
    MetasegProgress progress; /* of the model's run, which meanwhile has none: images are counted, not their tiles */
} PresetMaps;

/* Checks that the model's classes are values of the data set's and tells where they are called otherwise (classes NULL: not). All is
 * borrowed; preset_maps_end() it.
 * ERR_MODEL: a class that the data set does not have; ERR_ARGUMENT: options that its images cannot have (a place, a CRS or a pixel
 * size of their own, a cloud mask, further outputs). */
Err preset_maps_begin(MetasegModel *model, const Preset *preset, const ClassTable *classes,
                      const MetasegPredictOptions *options, PresetMaps *ret_maps);

void preset_maps_end(PresetMaps *maps);

/* Tells the model's run how many images are mapped. */
void preset_maps_progress(const PresetMaps *maps, int64_t done, int64_t total);

/* Maps one image to a file, or (out NULL) into memory, as predictor_raster. Errors of it, with the image's name. */
Err preset_maps_item(const PresetMaps *maps, const PresetItem *item, const char *out, uint8_t **ret_codes,
                     MetasegPredictReport *ret_report);

#endif
