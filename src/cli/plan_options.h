/* SPDX-License-Identifier: Apache-2.0
 *
 * Images and labels on the command line, for the commands that work without a configuration: options, and the plan that they
 * are (metaseg/train.h). */
#ifndef METASEG_CLI_PLAN_OPTIONS_H
#define METASEG_CLI_PLAN_OPTIONS_H

#include "cli/cli.h"
#include "metaseg/train.h"

typedef struct PlanArgs {
    OptionList images, labels, set;
    const char *layer, *field, *crs, *labels_crs, *bands, *level, *classes, *from;
    double buffer, gsd;
    int64_t seed;
} PlanArgs;

/* The options of a command whose struct Args has a PlanArgs `plan`. */
#define PLAN_OPTIONS(Args)                                                                                             \
    { "image",                                                                                                         \
      'i',                                                                                                             \
      OPTION_LIST,                                                                                                     \
      offsetof(Args, plan.images),                                                                                     \
      .value = "IMAGE",                                                                                                \
      .whole = true,                                                                                                   \
      .help = "image to learn from, without a configuration; may be repeated, and further images may follow as "       \
              "arguments" },                                                                                           \
        { "labels",                                                                                                    \
          'l',                                                                                                         \
          OPTION_LIST,                                                                                                 \
          offsetof(Args, plan.labels),                                                                                 \
          .value = "FILE",                                                                                             \
          .whole = true,                                                                                               \
          .help = "its labels: a vector file (GeoPackage, GeoJSON, Shapefile ...) or a raster of class values; once "  \
                  "for all images, or once for each" },                                                                \
        { "field",                                                                                                     \
          0,                                                                                                           \
          OPTION_STRING,                                                                                               \
          offsetof(Args, plan.field),                                                                                  \
          .value = "NAME",                                                                                             \
          .help = "field of a vector file with the class, a whole number or a text; without it 'class', or the only "  \
                  "one" },                                                                                             \
        { "layer",         0,                                                                                          \
          OPTION_STRING,   offsetof(Args, plan.layer),                                                                 \
          .value = "NAME", .help = "layer of a vector file, where it has several" },                                   \
        { "buffer",                                                                                                    \
          0,                                                                                                           \
          OPTION_DOUBLE,                                                                                               \
          offsetof(Args, plan.buffer),                                                                                 \
          .value = "PIXELS",                                                                                           \
          .default_value = "1",                                                                                        \
          .minimum = 0,                                                                                                \
          .maximum = 1000,                                                                                             \
          .help = "pixels by which lines and points are widened" },                                                    \
        { "crs",                                                                                                       \
          0,                                                                                                           \
          OPTION_STRING,                                                                                               \
          offsetof(Args, plan.crs),                                                                                    \
          .value = "CRS",                                                                                              \
          .help = "coordinate reference system of the images, where their files tell none or a wrong one" },           \
        { "labels-crs",                                                                                                \
          0,                                                                                                           \
          OPTION_STRING,                                                                                               \
          offsetof(Args, plan.labels_crs),                                                                             \
          .value = "CRS",                                                                                              \
          .help =                                                                                                      \
              "coordinate reference system of the labels, where their file tells none or a wrong one: EPSG:4326" },    \
        { "gsd",                                                                                                       \
          0,                                                                                                           \
          OPTION_DOUBLE,                                                                                               \
          offsetof(Args, plan.gsd),                                                                                    \
          .value = "METRES",                                                                                           \
          .default_value = "0",                                                                                        \
          .minimum = 0,                                                                                                \
          .maximum = 1e6,                                                                                              \
          .help =                                                                                                      \
              "pixel size of images without georeference; 0: unknown, then the model is for pictures like these" },    \
        { "bands",                                                                                                     \
          'b',                                                                                                         \
          OPTION_STRING,                                                                                               \
          offsetof(Args, plan.bands),                                                                                  \
          .value = "BANDS",                                                                                            \
          .help = "bands to read, by number from 1 or by name; without it those that the model of --from reads, else " \
                  "all" },                                                                                             \
        { "level",                                                                                                     \
          0,                                                                                                           \
          OPTION_STRING,                                                                                               \
          offsetof(Args, plan.level),                                                                                  \
          .value = "LEVEL",                                                                                            \
          .help = "processing level of the images' reflectance, L1C or L2A, for a model of --from that was made for "  \
                  "L1C; without it as their metadata say, L2A where they say nothing" },                               \
        { "classes",                                                                                                   \
          0,                                                                                                           \
          OPTION_STRING,                                                                                               \
          offsetof(Args, plan.classes),                                                                                \
          .value = "TABLE",                                                                                            \
          .help = "class table (YAML) with values, names and colours; without it the labels tell them. Labels that "   \
                  "are a picture are read by its colours" },                                                           \
        { "from",                                                                                                      \
          0,                                                                                                           \
          OPTION_STRING,                                                                                               \
          offsetof(Args, plan.from),                                                                                   \
          .value = "MODEL",                                                                                            \
          .help = "start from this model, a file or the name of one that came with the program; classes and bands of " \
                  "the same names keep what it learned" },                                                             \
        { "seed",                                                                                                      \
          0,                                                                                                           \
          OPTION_INT,                                                                                                  \
          offsetof(Args, plan.seed),                                                                                   \
          .value = "NUMBER",                                                                                           \
          .default_value = "1",                                                                                        \
          .minimum = 0,                                                                                                \
          .maximum = 1e15,                                                                                             \
          .help = "of all that is drawn at random, the choice of the validation labels too" },                         \
    {                                                                                                                  \
        "set", 0, OPTION_LIST, offsetof(Args, plan.set),                                                               \
            .value = "KEY=VALUE", .whole = true,                                                                       \
            .help = "another value for a key of the configuration, as train.steps=50"                                  \
    }

/* Zero it to start; cli_plan_done(). */
typedef struct CliPlan {
    MetasegTrainPlan plan; /* borrows from the members below and from the arguments */
    const char **images;   /* of --image and of the arguments */
    int64_t n_images;
    char *encoder, *encoder_note, *climate, *from;
} CliPlan;

/* The images alone. ERR_MEMORY. */
Err cli_plan_images(const PlanArgs *args, const OptionResult *words, CliPlan *plan);

/* The rest of it but output, minutes and overwrite. ERR_INPUT: no such model; ERR_MODEL, ERR_MEMORY. */
Err cli_plan_fill(Cli *cli, const PlanArgs *args, CliPlan *made);
void cli_plan_done(CliPlan *plan);

#endif
