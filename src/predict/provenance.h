/* SPDX-License-Identifier: Apache-2.0
 * How a map was made, as metadata items of its TIFF. Nothing in it depends on when, where and how fast: the same input and options give
 * the same items. */
#ifndef METASEG_PREDICT_PROVENANCE_H
#define METASEG_PREDICT_PROVENANCE_H

#include "data/image_source.h"
#include "geo/climate.h"
#include "metaseg/predict.h"
#include "model/model_file.h"

typedef struct ProvenanceFacts {
    const Model *model;
    uint64_t hash;  /* of its file */
    const char *in; /* path of the input; folders are left out */
    const MetasegPredictOptions *options;
    ImageSource *image;     /* bands chosen, zones set */
    const Climate *climate; /* that zones are looked up in; NULL: none are read */
} ProvenanceFacts;

/* Key, value, key, value, ..., NULL:
 *
 *     METASEG_VERSION, METASEG_MODEL, METASEG_MODEL_HASH (xxh64:...)
 *     METASEG_COMMAND: a command that gives the same values; what only says where and how fast is not in it
 *     METASEG_PROMPTS: grounded, null, tile-mixed, shuffled, own words; METASEG_PROMPT: those
 *     METASEG_ZONES: the climate zones of the image and their shares (zone_image_shares), largest first, where they were read
 *     METASEG_BANDS: of the model's that are there, where some are missing
 *     METASEG_MASK: what the cloud mask masks
 *
 * provenance_free() it. ERR_MEMORY. */
Err provenance_items(const ProvenanceFacts *facts, char ***ret_items);
void provenance_free(char **items);

#endif
