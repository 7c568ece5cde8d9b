/* SPDX-License-Identifier: Apache-2.0
 *
 * The run configuration of `metaseg train` and `metaseg eval` (docs/configuration.md, configs/globe.yaml), as plain
 * data. Strings are owned by the structure; config_free releases everything. Optional strings are NULL when absent;
 * numbers carry the stated defaults.
 */
#ifndef METASEG_DATA_CONFIG_H
#define METASEG_DATA_CONFIG_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Longitude/latitude rectangle, degrees, west < east, south < north (EPSG:4326). */
typedef struct ConfigBox {
    char *name;
    double west, south, east, north;
} ConfigBox;

typedef struct ConfigClass {
    int32_t value; /* code in the output raster, 0..254 */
    char *name;
    char *color; /* "#rrggbb" */
} ConfigClass;

/* A value of the label raster and the class value it becomes; values not listed map to themselves where a class of that
 * value exists and to "ignore" otherwise. */
typedef struct ConfigRemap {
    int32_t from, to;
} ConfigRemap;

typedef struct ConfigScene {
    char *name;
    char *image;      /* raster, relative to the configuration file */
    char *labels;     /* raster on any grid of the same or another CRS */
    char *labels_crs; /* overrides the label file's CRS ("EPSG:4326"), for files with an unknown datum */
    int32_t *bands;   /* 1-based bands of the image; NULL: the first three */
    uint32_t n_bands;
} ConfigScene;

typedef enum ConfigEncoder { CONFIG_ENCODER_EFFICIENTNET_LITE0 = 0 } ConfigEncoder;
typedef enum ConfigUnit { CONFIG_UNIT_METRE = 0, CONFIG_UNIT_DEGREE } ConfigUnit;
typedef enum ConfigFusion { CONFIG_FUSION_CAF = 0, CONFIG_FUSION_NONE } ConfigFusion;
typedef enum ConfigText { CONFIG_TEXT_ZONES = 0, CONFIG_TEXT_NULL } ConfigText;

typedef struct ConfigModel {
    ConfigEncoder encoder;
    char *encoder_weights; /* our safetensors or the published .pth; NULL: random */
    ConfigFusion fusion;   /* caf | none */
    ConfigText text;       /* zones | null: what the fusion reads in training */
    char *prompts;         /* prompt bank YAML */
    char *text_encoder;    /* folder with model.safetensors and vocab.txt */
    char *climate;         /* climate map file */
    int32_t decoder_width; /* 64 */
    double *mean, *std;    /* per band, in the image's units; NULL: measured on the training area */
    uint32_t n_mean, n_std;
    double gsd_min, gsd_max; /* range of ground sampling distances the model is for; unit below */
    ConfigUnit gsd_unit;
} ConfigModel;

typedef struct ConfigData {
    ConfigScene *scenes;
    uint32_t n_scenes;
    ConfigClass *classes; /* of the configuration, or of the class table */
    uint32_t n_classes;
    char *class_table; /* class table YAML; NULL: the configuration lists the classes */
    ConfigRemap *remap;
    uint32_t n_remap;
    int32_t ignore;     /* value in the label raster that is never learned; of the class table unless given, else 255 */
    ConfigBox *holdout; /* never seen in training, never used for choosing */
    uint32_t n_holdout;
    ConfigBox *validation; /* chooses the best checkpoint */
    uint32_t n_validation;
} ConfigData;

typedef struct ConfigTrain {
    int64_t seed, steps, batch;
    int64_t window;  /* side of the network's input, pixels, multiple of 256 */
    double upsample; /* network pixels per image pixel along one axis, 1 */
    double learning_rate, encoder_multiplier, weight_decay, clip_norm, ema_decay, final_fraction;
    int64_t warmup_steps;
    double text_dropout; /* probability of the null prompt, 0.15 */
    double balance;      /* exponent of the inverse class frequency when choosing window centres, 0: uniform by area */
    int32_t *unsampled;  /* class values that windows are not drawn for (they are learned where they occur) */
    uint32_t n_unsampled;
    double color_jitter; /* amplitude of brightness/contrast/colour shifts, 0.1 */
    bool flips, rotations;
    double freeze_encoder, freeze_decoder; /* fraction of the steps after which BatchNorm there is frozen; 1: never */
    double label_smoothing, dice_weight, auxiliary_weight, dropout;
    int64_t validate_every, checkpoint_every; /* steps */
    char *output;                             /* run folder */
} ConfigTrain;

typedef struct RunConfig {
    char *name;
    ConfigModel model;
    ConfigData data;
    ConfigTrain train;
    char *folder; /* of the configuration file: relative paths start here */
} RunConfig;

/* Reads and checks a configuration file; `overrides` are "train.steps=50" texts applied before checking. ERR_CONFIG
 * names file, line and key; an unknown key names the nearest. Reads the class table too: ERR_INPUT if it is missing.
 * Relative paths stay relative in the structure: use config_path. */
Err config_load(const char *path, const char *const *overrides, int64_t n_overrides, RunConfig **ret_config);
void config_free(RunConfig *config);

/* Path relative to the configuration file's folder, absolute ones unchanged; caller frees. NULL stays NULL. */
Err config_path(const RunConfig *config, const char *path, char **ret_path);

#endif
