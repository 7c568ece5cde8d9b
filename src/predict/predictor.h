/* SPDX-License-Identifier: Apache-2.0
 *
 * How a scene becomes a map, whatever it comes from: a reader thread takes windows of the network's grid from a source,
 * the program scores tiles, the mosaic blends them, finished blocks go to a sink thread. Private to src/predict;
 * include/metaseg/predict.h is what callers use. Memory: a few tiles, a ring of score rows, two blocks of output rows. These
 * follow the width of a scene, so a wide one is read in vertical strips, one after the other, as wide as MetasegRun.ram allows.
 * Tiles lie where they lie whatever the strips are, so that a map's bytes do not depend on them; a column of tiles on the
 * border of two strips is computed twice.
 */
#ifndef METASEG_PREDICT_PREDICTOR_H
#define METASEG_PREDICT_PREDICTOR_H

#include "base/output.h"
#include "data/image_source.h"
#include "data/text_inputs.h"
#include "geo/climate.h"
#include "geo/raster.h"
#include "geo/zone_shares.h"
#include "graph/program.h"
#include "metaseg/predict.h"
#include "model/model_file.h"
#include "predict/tta.h"
#include "tensor_file/tensor_file.h"

#include <pthread.h>

struct MetasegModel {
    pthread_mutex_t mutex; /* held during a prediction */
    Model *model;          /* its packed weights are freed once a program is compiled */
    TensorFile *file;      /* stays open: from here they are read again for a tile of another size */
    uint64_t hash;
    bool stale; /* they were freed and their program, too */
    MetasegRun run;
    Device device;
    Climate *climate; /* opened at first need; NULL: none */
    bool told_no_zones, told_no_place;
    /* for `tile`, the others for its further scales (NULL: none); made anew when another size is asked for */
    Program *programs[TTA_SCALES];
    int32_t tile;
};

/* Where windows come from. read: [side][side][SceneJob.bands] as the network reads them (image_source.h) and validity; shares:
 * [side/16][side/16][ZONE_SLOTS+1] and the zones of the slots (false in *ret_known: the null prompt everywhere). Both
 * are called from the reader thread only. begin: before windows are read for a part of the map (in its pixels), while no thread
 * runs; NULL: nobody wants to know. */
typedef struct SceneSource {
    void *context;
    Err (*begin)(void *context, RasterWindow part);
    Err (*read)(void *context, int64_t x, int64_t y, int64_t side, float *ret_values, uint8_t *ret_valid);
    Err (*shares)(void *context, int64_t x, int64_t y, int64_t side, bool *ret_known, int32_t *ret_zones,
                  float *ret_shares);
} SceneSource;

/* Where finished blocks of the map go, from the sink thread: of each part that began, from the top to the bottom, all its
 * columns, at most SCENE_BLOCK_ROWS rows at a time. Planes are [rows][columns], rows `stride` bytes apart; classes are indexes
 * (0..n-1), not yet masked; confidence and probabilities are NULL when not wanted; probability plane c begins at
 * probabilities + c * plane_bytes. */
enum { SCENE_BLOCK_ROWS = 64 };
typedef struct SceneBlock {
    RasterWindow at; /* in the map */
    uint8_t *classes, *confidence, *probabilities;
    int64_t stride;
    size_t plane_bytes;
} SceneBlock;
typedef struct SceneSink {
    void *context;
    bool confidence, probabilities;
    Err (*block)(void *context, const SceneBlock *block);
} SceneSink;

typedef struct SceneJob {
    int64_t width, height;         /* of the network's grid */
    int64_t out_width, out_height; /* of the map */
    int32_t tile, overlap;         /* network pixels */
    int64_t strip_columns;         /* of the map, that are computed at a time; 0: all */
    int64_t decoded_bytes;         /* of blocks that are kept decoded */
    bool crops;        /* tiles are crops that nothing joins, the image lies at the lower right of them; width and
                                      height are those of the map */
    const float *zero; /* crops: [bands] what stands around the image, as source.read gives it */
    MetasegTta tta;    /* readings of each tile */
    MetasegPrompts prompts;
    const PromptTable *own_prompt; /* its only entry is read everywhere, source.shares is not asked; NULL: none */
    int64_t bands;                 /* that source.read gives */
    const int32_t *band_source;    /* [the model's bands] which of them each is, -1 missing; NULL: all in order */
    SceneSource source;
    SceneSink sink;
} SceneJob;

/* A raster and where its map goes. */
typedef struct PredictorFiles {
    const char *in, *out; /* out NULL: no file is written */
    uint8_t **ret_codes;  /* out NULL: the map [height][width], 255 where there is no data; free() it */
    bool known; /* longitude, latitude and gsd of the options are what a data set tells of its images, for those
                             that do not tell it themselves */
} PredictorFiles;

/* predict_raster.c: metaseg_predict_raster with a model that the calling thread has entered. Errors of it. */
Err predictor_raster(MetasegModel *model, const PredictorFiles *files, const MetasegPredictOptions *options,
                     MetasegPredictReport *report);

/* Options that any input has: tile, overlap, test-time augmentation. ERR_ARGUMENT. */
Err predictor_check(const MetasegModel *model, const MetasegPredictOptions *options);
int32_t predictor_overlap(const MetasegPredictOptions *options, int32_t tile);

/* free_prompt.c: encodes options->prompt as the only entry of a table. prompt_table_done() it. ERR_ARGUMENT: a model
 * without text, too many tokens, other prompts asked for as well; ERR_INPUT: no text encoder; ERR_MODEL, ERR_MEMORY. */
Err predictor_free_prompt(const MetasegModel *model, const MetasegPredictOptions *options, PromptTable *ret_table);

/* predict_files.c: before any work, no output (side-cars included) is an input or another output, and each is of the kind
 * that its name says. mask: the cloud mask, NULL: none. ERR_ARGUMENT, ERR_MEMORY. */
Err predictor_check_files(const MetasegModel *model, const Raster *raster, const Raster *mask, const char *out,
                          const MetasegPredictOptions *options);

/* predict_memory.c: how wide strips may be so that the job keeps within MetasegRun.ram: sets job->strip_columns. Before any
 * memory is taken. ERR_MEMORY with the estimate: even the narrowest take more. */
Err predictor_choose_strips(const MetasegModel *model, SceneJob *job);

/* Runs a job. ERR_* of source and sink, ERR_INTERRUPTED when run.stop is set, ERR_MEMORY. ret_tiles may be NULL. */
Err predictor_run(MetasegModel *model, const SceneJob *job, int64_t *ret_tiles);

/* predict_crops.c: a job of crops, by predictor_run. */
Err predictor_run_crops(MetasegModel *model, const SceneJob *job, int64_t *ret_tiles);

/* Sets tile and overlap of a job whose sizes and bands are known. Crops, if options ask for them: ret_zero [bands] becomes what a stored 0
 * is behind the normalisation `bands`, and is borrowed. ERR_ARGUMENT: crops of an image that would be resampled. */
Err predictor_choose_tiles(const MetasegModel *model, const char *path, const MetasegPredictOptions *options,
                           const ImageBand *bands, float *ret_zero, SceneJob *job);

/* Compiles (or keeps) the programs for a tile size at this many scales (tta.h). */
Err predictor_compile(MetasegModel *model, int32_t tile, int32_t scales);

/* Takes the model for the calling thread; waits for another one that predicts. predictor_leave() it. ERR_ARGUMENT: the
 * calling thread has it already, so a callback tries to predict. */
Err predictor_enter(MetasegModel *model);
void predictor_leave(MetasegModel *model);

/* The climate map of the data folder, opened at first need; NULL in *ret_climate (no error) for a network without
 * text, and, told once, where no data folder was named. ERR_INPUT. */
Err predictor_climate(MetasegModel *model, const Climate **ret_climate);

/* Sends a sentence to run.message. level: 0 information, 1 warning. */
void predictor_tell(const MetasegModel *model, int level, const char *format, ...) PRINTF_LIKE(3, 4);

/* value_check.c: warns where a sample of the image (on its own grid, bands chosen, bytes as the model takes them) lies far from the numbers that the
 * model was made for: more bits than its bytes, 0..1 instead of them, a middle more than 10 standard deviations away.
 * Dark, bright and one-coloured scenes are not meant. ERR_INPUT, ERR_MEMORY. */
Err predictor_check_values(const MetasegModel *model, const char *path, ImageSource *image);

/* resolution.c: the size of the network's grid, whose pixels are squares on the ground, for a scene of width x height
 * pixels with these sides (in the model's unit), by the rule of metaseg_predict_raster; tells the warning. resolution: 0
 * or the override. ERR_ARGUMENT. */
Err predictor_grid(const MetasegModel *model, const char *path, int64_t width, int64_t height, const PixelSides *sides,
                   double resolution, int64_t *ret_width, int64_t *ret_height, double *ret_resolution);

/* Sides of the image's pixel in the model's unit; in MODEL_PIXEL the larger one is 1, whatever it is on the ground. gsd: the
 * larger one in metres where the image does not tell it; 0: unknown. */
PixelSides predictor_sides(const ModelConfig *config, Georeference *place, double gsd);

/* How far a pixel size (in the model's unit) lies outside the range that a model was made for, as a factor of at least 1. An
 * image is resampled up to PREDICTOR_RESAMPLE_MOST. */
static const double PREDICTOR_RESAMPLE_MOST = 4.004; /* 4, and rounding */
double predictor_range_factor(const ModelConfig *config, double sampling);

/* What a model was made for and a pixel size, for a person: "9 m to 11 m", "0.03333 degrees (3.71 km)", "unknown size" of a
 * model in MODEL_PIXEL, beside which an image's size is in metres. */
void predictor_describe_range(const ModelConfig *config, char ret_text[160]);
void predictor_describe_sampling(double sampling, ModelUnit unit, char ret_text[64]);

/* Sides of tiles are multiples of this: of what the network can read, and of 32 so that tiles can overlap. */
int64_t predictor_tile_unit(const MetasegModel *model);

/* The side of tiles for a network grid: asked, or the model's, or the smallest multiple of 256 (of the unit, where 256 is none)
 * that holds a small scene. */
int32_t predictor_tile(const MetasegModel *model, int32_t asked, int64_t width, int64_t height);

/* quicklook.c: a picture of at most 1600 pixels' width built row by row, with a legend of the classes that occur. */
typedef struct Quicklook Quicklook;
Err quicklook_new(const ModelConfig *config, int64_t width, int64_t height, Quicklook **ret_quicklook);
void quicklook_free(Quicklook *quicklook);
/* Every pixel of the map once: class indexes [at.rows][at.columns], rows `stride` bytes apart, 255 where there is no data. */
void quicklook_block(Quicklook *quicklook, RasterWindow at, const uint8_t *classes, int64_t stride);
/* Writes the PNG as an output to be published (base/output.h), the caller's to close. ERR_OUTPUT, ERR_MEMORY. */
Err quicklook_write(const Quicklook *quicklook, const char *title, const char *path, bool overwrite,
                    Output **ret_output);

#endif
