/* SPDX-License-Identifier: Apache-2.0
 *
 * The run configuration of `metaseg train` (docs/configuration.md, configs/globe.yaml), as plain data: what the network
 * is, what it learns from, and how. Strings and lists are owned by the structure; run_config_free releases everything.
 * Optional strings are NULL when absent; numbers carry the stated defaults. Paths are ready to be opened: relative ones
 * were taken from the configuration file's folder.
 */
#ifndef METASEG_TRAIN_RUN_CONFIG_H
#define METASEG_TRAIN_RUN_CONFIG_H

#include "data/dataset_options.h"
#include "data/yaml_file.h"
#include "network/network_config.h"

/* What a network with fusion reads in training. */
typedef enum TrainText { TRAIN_TEXT_ZONES = 0, TRAIN_TEXT_NULL, TRAIN_TEXT_COUNT } TrainText;

/* How the network is trained, and where to. The seed is DatasetOptions'. */
typedef struct TrainOptions {
    char *encoder_weights; /* our safetensors or the published .pth; NULL: random */
    char *from;            /* model that the weights start from; NULL: none */
    TrainText text;        /* zones | null */
    char *prompts;         /* prompt bank YAML */
    char *text_encoder;    /* folder with model.safetensors and vocab.txt */
    char *climate;         /* climate map file */
    int64_t steps, batch;
    double encoder_start;                                /* fraction of the steps in which the encoder's weights rest */
    int64_t accumulate;                                  /* batches whose gradients are averaged for one step */
    int64_t epoch_steps, restart_steps, lookahead_steps; /* as in OptimizerOptions; 0: none */
    double lookahead_alpha;
    double learning_rate, encoder_multiplier, weight_decay, clip_norm, ema_decay, final_fraction;
    int64_t warmup_steps;                  /* below 0: not given, see run_config_warmup */
    double freeze_encoder, freeze_decoder; /* fraction of the steps after which BatchNorm there is frozen; 1: never */
    double label_smoothing, dice_weight, auxiliary_weight, dropout;
    double drop_path; /* of the encoder's last block; its own choice where the file says nothing */
    int64_t validate_every, checkpoint_every; /* steps */
    char *output;                             /* run folder */
} TrainOptions;

/* A preset that the data come from (data/preset.h): the keys of `data` that are not given are its. */
typedef struct PresetOptions {
    int32_t preset; /* 0: none, else its number + 1 */
    char *folder, *split;
    int32_t missing; /* files that a preset lacks: 0 refuses the folder, 1 goes without them */
    int32_t *bands;  /* of every scene of the preset; NULL: its own */
    uint32_t n_bands;
} PresetOptions;

typedef struct RunConfig {
    char *name;
    NetworkConfig network;
    PresetOptions preset;
    DatasetOptions data;
    char *class_table; /* class table YAML that data.classes come from; NULL: the configuration lists them */
    TrainOptions train;
} RunConfig;

/* The keys of a configuration file, of a RunConfig. */
extern const YamlTable run_config_table;

/* Reads and checks a configuration file; `overrides` are "train.steps=50" texts applied before checking. ERR_CONFIG
 * names file, line and key (ERR_ARGUMENT an override); an unknown key names the nearest. Reads the class table and goes through the
 * folder of a preset, too: ERR_INPUT if something is missing. share: the data folder, where a preset finds its class table
 * and its places; NULL: there is none. */
Err run_config_load(const char *path, const char *const *overrides, int64_t n_overrides, const char *share,
                    RunConfig **ret_config);
/* The same from text in memory; `name` stands for the file in messages. */
Err run_config_parse(const char *name, const char *text, const char *const *overrides, int64_t n_overrides,
                     const char *share, RunConfig **ret_config);
void run_config_free(RunConfig *config);

/* Steps over which the learning rate rises: those given, else a twentieth of all, at most 100. */
int64_t run_config_warmup(const TrainOptions *train);

/* The network has a fusion, and so inputs for text. */
bool run_config_reads_text(const RunConfig *config);

#endif
