/* SPDX-License-Identifier: Apache-2.0
 *
 * The maps that metaseg eval makes itself: those of a part of a published data set, each beside its published labels. */
#ifndef METASEG_CLI_EVAL_MAPS_H
#define METASEG_CLI_EVAL_MAPS_H

#include "cli/models.h"
#include "data/preset.h"
#include "metaseg/eval.h"

typedef struct EvalMapsRequest {
    const PresetDef *def;
    const char *folder, *split; /* split NULL: the official one */
    int64_t part;               /* PresetPart + 1; 0: test where some of its labels are there, else validation */
    bool skip_missing;          /* go on where files of the part are missing */
    bool other_classes;         /* the model's classes are another data set's: a mapping follows */
    const char *model;          /* a file, or the name of a shipped one */
    const char *out;            /* folder that keeps the maps; NULL: they go when all is told */
    MetasegPredictOptions reading;
} EvalMapsRequest;

/* Zero it to start; eval_maps_done(). */
typedef struct EvalMaps {
    MetasegEvalPair *pairs; /* map and labels, eroded ones where the part is not learned from and has them */
    int64_t n;
    char *title;  /* "LoveDA (split official, validation)" */
    char *folder; /* of the maps */
    bool temporary;
    Preset preset;
} EvalMaps;

/* Maps all images. ERR_INPUT: files are missing, or a part without labels; ERR_OUTPUT: a map is there, and reading.overwrite is not
 * set; errors of metaseg_predict_raster. */
Err eval_maps_make(Cli *cli, const EvalMapsRequest *request, EvalMaps *maps);
void eval_maps_done(EvalMaps *maps);

#endif
