/* SPDX-License-Identifier: Apache-2.0
 *
 * How a model reads images, on the command line: the options that predict and eval share. */
#ifndef METASEG_CLI_READING_OPTIONS_H
#define METASEG_CLI_READING_OPTIONS_H

#include "cli/cli.h"
#include "metaseg/predict.h"

typedef struct ReadingArgs {
    const char *bands;
    int64_t prompts, tile, overlap, crops, tta;
} ReadingArgs;

/* The options of a command whose struct Args has a ReadingArgs `reading`. */
#define READING_OPTIONS(Args)                                                                                          \
    { "bands",                                                                                                         \
      'b',                                                                                                             \
      OPTION_STRING,                                                                                                   \
      offsetof(Args, reading.bands),                                                                                   \
      .value = "BAND,...",                                                                                             \
      .help = "bands to read, by number from 1 or by name, in the model's order, or as red=3,green=2,blue=1; without " \
              "it by the names that the model states" },                                                               \
        { "prompts",                                                                                                   \
          0,                                                                                                           \
          OPTION_ENUM,                                                                                                 \
          offsetof(Args, reading.prompts),                                                                             \
          .value = "MODE",                                                                                             \
          .default_value = "grounded",                                                                                 \
          .choices = { "grounded", "null", "tile-mixed", "shuffled" },                                                 \
          .help =                                                                                                      \
              "what the network reads beside the image: for each place the words of its climate zone, nothing, one "   \
              "mix of words per tile, or the words of other zones (for experiments)" },                                \
        { "tile",                                                                                                      \
          0,                                                                                                           \
          OPTION_INT,                                                                                                  \
          offsetof(Args, reading.tile),                                                                                \
          .value = "PIXELS",                                                                                           \
          .default_value = "0",                                                                                        \
          .minimum = 0,                                                                                                \
          .maximum = 4096,                                                                                             \
          .help = "side of a tile, a multiple of what the network needs (256 with a UNetFormer); 0: the model's" },    \
        { "overlap",                                                                                                   \
          0,                                                                                                           \
          OPTION_INT,                                                                                                  \
          offsetof(Args, reading.overlap),                                                                             \
          .value = "PIXELS",                                                                                           \
          .default_value = "-1",                                                                                       \
          .minimum = -1,                                                                                               \
          .maximum = 2048,                                                                                             \
          .help = "what neighbouring tiles share, a multiple of 32, at most half a tile; -1: a quarter of the tile" }, \
        { "crops",                                                                                                     \
          0,                                                                                                           \
          OPTION_INT,                                                                                                  \
          offsetof(Args, reading.crops),                                                                               \
          .value = "PIXELS",                                                                                           \
          .default_value = "0",                                                                                        \
          .minimum = 0,                                                                                                \
          .maximum = 4096,                                                                                             \
          .help = "cut the image into crops of this side instead, without overlap, blending or a look over the edge, " \
                  "zeros around the image: how the papers' figures are made (1024 for the ISPRS tiles); 0: tiles" },   \
    {                                                                                                                  \
        "tta", 0, OPTION_ENUM, offsetof(Args, reading.tta),                                                            \
            .value = "KIND", .default_value = "none", .choices = { "none", "lr", "d4", "ms", "lr-ms", "d4-ms" },       \
            .help =                                                                                                    \
                "test-time augmentation, the mean of several readings of each tile: lr mirrored both ways (4 times "   \
                "the "                                                                                                 \
                "time), d4 also turned (8), ms mirrored left to right at scales 0.75, 1, 1.25, 1.5 (8), lr-ms both "   \
                "(16), d4-ms turned too and at scale 0.5 (40)"                                                         \
    }

/* Sets them. ERR_ARGUMENT: an overlap that is none. */
Err cli_reading_fill(const ReadingArgs *args, MetasegPredictOptions *options);

#endif
