/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of the models that come with the program fits a scene. Only headers of model files are read.
 *
 *     ModelList list = { 0 };
 *     TRY(model_list_read("share/models", &list));
 *     const ModelEntry *entry = NULL;
 *     Err err = model_list_choose(&list, &(SceneQuery){ .path = "scene.tif" }, &entry, reason);
 *     model_list_done(&list);
 *
 * A model fits when all bands that it needs are found in the scene (raster_choose_named), and when the scene's pixels are at
 * most 4 times smaller or larger than those it was made for. Of several that fit the one whose pixel sizes are nearest is
 * chosen, then the one that reads more of the scene's bands, then the one that misses fewer, then the first by name.
 */
#ifndef METASEG_PREDICT_MODEL_CHOICE_H
#define METASEG_PREDICT_MODEL_CHOICE_H

#include "model/model_config.h"

#include <stddef.h>

enum { MODEL_REASON_BYTES = 400 };

typedef struct ModelEntry {
    char *name; /* of the file, without suffix: "globe" */
    char *path;
    ModelConfig config;
} ModelEntry;

typedef struct ModelList {
    ModelEntry *entries; /* by name */
    int64_t count;
} ModelList;

/* Every *.safetensors of a folder; a folder that is not there holds none. ERR_INPUT, ERR_MODEL (a file that is no model),
 * ERR_MEMORY. model_list_done() it, also after an error. */
Err model_list_read(const char *folder, ModelList *list);
void model_list_done(ModelList *list);

/* The entry of a name, NULL: none. */
const ModelEntry *model_list_find(const ModelList *list, const char *name);

/* "globe, sentinel2" for messages, cut when long. */
const char *model_list_names(const ModelList *list, char *text, size_t text_bytes);

/* What is known of a scene before its model is. */
typedef struct SceneQuery {
    const char *path;
    const char *bands;        /* choice by hand (raster_choose_named), NULL: none */
    const char *crs;          /* instead of the file's, NULL */
    double gsd;               /* metres, of a scene that does not tell its pixel size; 0: unknown */
    double resolution;        /* pixel size to predict at instead of the scene's own; 0: that */
    const volatile int *stop; /* as in raster_open */
} SceneQuery;

/* Chooses; ret_reason says why, for a person. ERR_INPUT: the scene cannot be read, none fits (with what each would need),
 * or several do and the scene's pixel size is unknown; ERR_ARGUMENT (bands), ERR_MEMORY, ERR_INTERRUPTED. */
Err model_list_choose(const ModelList *list, const SceneQuery *query, const ModelEntry **ret_entry,
                      char ret_reason[MODEL_REASON_BYTES]);

#endif
