/* SPDX-License-Identifier: Apache-2.0
 *
 * What a model is besides its weights: architecture, bands, classes, range of ground sampling distances, prompts,
 * provenance. Stored as JSON in a model file's metadata under "metaseg" (docs/model-file.md).
 */
#ifndef METASEG_MODEL_MODEL_CONFIG_H
#define METASEG_MODEL_MODEL_CONFIG_H

#include "network/network_config.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    MODEL_MAX_BANDS = 16,
    MODEL_MAX_CLASSES = 255,
};

/* MODEL_PIXEL: pixels of the image, for a model of pictures whose pixels have no known size on the ground. */
typedef enum ModelUnit { MODEL_METRE = 0, MODEL_DEGREE, MODEL_PIXEL, MODEL_UNIT_COUNT } ModelUnit;

/* What becomes of a pixel x before (x - mean) / std: log: ln(1 + 0.005 x), 0 below 0; log_sigmoid: the same, and sigmoid(5 z - 1)
 * of the z = (x - mean) / std. For reflectance in ten thousandths, whose bright clouds and snow would be far away. */
typedef enum ModelTransform {
    MODEL_TRANSFORM_NONE = 0,
    MODEL_TRANSFORM_LOG,
    MODEL_TRANSFORM_LOG_SIGMOID,
    MODEL_TRANSFORM_COUNT
} ModelTransform;

/* One input channel of the network: (scale * pixel - mean) / std, with the transform after the scale. pixel is what image_units()
 * makes of the file's number. */
typedef struct ModelBand {
    char *name; /* "red", "nir", ... as GDAL's colour interpretation spells it */
    double scale, mean, std;
    /* level-1 reflectance from level-2 reflectance: surface_scale x + surface_offset, before scale; surface_scale 0: the
     * model reads either level as it is */
    double surface_scale, surface_offset;
} ModelBand;

typedef struct ModelClass {
    int32_t code; /* value in the output raster, 0..254 */
    char *name;
    uint32_t color; /* 0xRRGGBB */
} ModelClass;

/* The text encoder that made the features a model was trained with; known false: its file does not tell. */
typedef struct ModelTextEncoder {
    bool known;
    NetworkTextEncoder kind;
    int32_t layers, width;
    uint64_t hash; /* of its weights (model/text_encoder.h) */
} ModelTextEncoder;

/* Open struct; owns its strings and arrays (model_config_done). */
typedef struct ModelConfig {
    char *name;
    NetworkConfig network;
    ModelBand *bands;                /* network.n_bands */
    ModelTransform transform;        /* of all bands */
    ModelClass *classes;             /* network.n_classes, in the order of the network's outputs */
    double gsd_minimum, gsd_maximum; /* ground sampling distances of a network pixel the model was made for */
    ModelUnit gsd_unit;
    double byte_scale;  /* what the values of an image of bytes are multiplied by first; 0: nothing */
    double reflectance; /* the number that stands for a reflectance of 1 (10000); 0: not stated */
    int32_t tile;       /* side of a tile in network pixels, a multiple of network_side_multiple() */
    ModelTextEncoder text_encoder;
    char *prompts;    /* where the prompts come from, one line for people */
    char *provenance; /* a JSON object as text: how the model was made */
} ModelConfig;

/* The network of network_config_defaults(), three bands (red, green, blue; 0..255, ImageNet's statistics),
 * no classes, metres, tile 512, prompts of 64 tokens. ERR_MEMORY. model_config_done(). */
Err model_config_init(ModelConfig *config);
void model_config_done(ModelConfig *config);
Err model_config_copy(const ModelConfig *from, ModelConfig *ret_to);

/* Replaces the classes or the bands by n unnamed ones ("class 0", ...; codes 0..n-1). ERR_MEMORY. */
Err model_config_set_classes(ModelConfig *config, int32_t n);
Err model_config_set_bands(ModelConfig *config, int32_t n);

/* Codes, names and colours of the first n classes. ERR_MEMORY. */
Err model_config_name_classes(ModelConfig *config, const ModelClass *classes, int32_t n);

/* Whether level 2 is read as the level 1 that it comes from: one band with a surface_scale has all. */
bool model_config_reads_level_1(const ModelConfig *config);

/* Replaces one of the struct's strings by a copy. ERR_MEMORY. */
Err model_config_set_text(char **text, const char *value);

/* Checks all values: known architecture, at least one class and band, positive std, distinct codes, sizes in range.
 * ERR_MODEL with the field. */
Err model_config_check(const ModelConfig *config);

/* JSON text, free() it. ERR_MEMORY, ERR_INTERNAL. */
Err model_config_write(const ModelConfig *config, char **ret_json);

/* Reads and checks; every key must be there, unknown ones are refused. name (a path) starts the message. ERR_MODEL,
 * ERR_MEMORY. */
Err model_config_read(const char *json, const char *name, ModelConfig *ret_config);

extern const char *const model_unit_names[MODEL_UNIT_COUNT];           /* "metre", "degree", "pixel" */
extern const char *const model_transform_names[MODEL_TRANSFORM_COUNT]; /* "none", "log", "log_sigmoid" */

#endif
