/* SPDX-License-Identifier: Apache-2.0
 *
 * Land-cover maps from rasters or from pixels in memory.
 *
 *     MetasegModel *model = NULL;
 *     MetasegPredictOptions options = metaseg_predict_options_defaults();
 *     MetasegStatus status = metaseg_model_load("globe.safetensors", NULL, &model);
 *     if (status == METASEG_OK) status = metaseg_predict_raster(model, "scene.tif", "map.tif", &options, NULL);
 *     if (status != METASEG_OK) puts(metaseg_error_message());
 *     metaseg_model_free(model);
 *
 * Threads: a model may be shared. Two predictions with one model do not run at the same time: the second call waits for
 * the first. Models are independent of each other: one per thread computes at the same time. What a model tells
 * (metaseg_model_...) may be asked at any time. metaseg_model_free waits for nobody: first let every call return.
 */
#ifndef METASEG_PREDICT_H
#define METASEG_PREDICT_H

#include "metaseg/run.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct MetasegModel MetasegModel;

/* Loads a model file; checks it as untrusted input. The file stays open (one handle per model) and may be moved, removed
 * or replaced by another under its name; overwritten in place, it fails later predictions with METASEG_ERROR_MODEL. run
 * (may be NULL) gives threads, cpu and data folder for every later use of the model; its strings and callbacks must
 * outlive the model. METASEG_ERROR_MODEL, _INPUT (missing, or no plain file), _MEMORY. */
MetasegStatus metaseg_model_load(const char *path, const MetasegRun *run, MetasegModel **ret_model);
void metaseg_model_free(MetasegModel *model);

/* Classes of the model: count, and code (0..254), name, colour (0xRRGGBB) of class index 0 <= i < count; NULL, and
 * nothing is set, for another index. A model that is NULL has no classes and bands. Names live as long as the model. */
int32_t metaseg_model_classes(const MetasegModel *model);
const char *metaseg_model_class(const MetasegModel *model, int32_t index, int32_t *ret_code, uint32_t *ret_color);

/* Bands the network reads. */
int32_t metaseg_model_bands(const MetasegModel *model);

/* Whether some of the model's bands may be missing; and the name of band 0 <= i < metaseg_model_bands(), NULL of another.
 * Names live as long as the model. */
bool metaseg_model_missing_bands(const MetasegModel *model);
const char *metaseg_model_band(const MetasegModel *model, int32_t i);

/* Whether the network reads text beside the image, for which the data folder of the model's run has the climate map. */
bool metaseg_model_reads_text(const MetasegModel *model);

/* What the values of an image of bytes are to be multiplied by: metaseg_predict_raster does it to Byte rasters,
 * callers of metaseg_predict_pixels to their own. 0: the model says nothing of bytes, they are read as they are. */
double metaseg_model_byte_scale(const MetasegModel *model);

/* What the network reads beside the image. */
typedef enum MetasegPrompts {
    METASEG_PROMPTS_GROUNDED = 0, /* each place reads the prompt of its own climate zone (the default) */
    METASEG_PROMPTS_NULL,         /* the learned null prompt everywhere: no metadata */
    METASEG_PROMPTS_TILE_MIXED,   /* one mix of prompts per tile, equal everywhere inside it */
    METASEG_PROMPTS_SHUFFLED      /* control: zones are exchanged by a fixed random permutation */
} MetasegPrompts;

/* Test-time augmentation: how each tile is read, several times, before the scores are averaged. Scales are 0.75, 1, 1.25 and 1.5;
 * what a scaled tile's sides must be multiples of the model says. */
typedef enum MetasegTta {
    METASEG_TTA_NONE = 0, /* once */
    METASEG_TTA_LR,       /* mirrored left to right, upside down and both: 4 readings */
    METASEG_TTA_D4,       /* the symmetries of the square, quarter turns too: 8 readings */
    METASEG_TTA_MS,       /* mirrored left to right, at all scales: 8 readings */
    METASEG_TTA_LR_MS,    /* as LR, at all scales: 16 readings */
    METASEG_TTA_D4_MS     /* as D4, at all scales and at 0.5: 40 readings */
} MetasegTta;

/* What maps, confidence and probabilities are written as. */
typedef enum MetasegFormat {
    METASEG_FORMAT_GTIFF = 0, /* GeoTIFF in tiles */
    METASEG_FORMAT_COG /* Cloud Optimized GeoTIFF, with overviews: by mode of classes, by average of the others */
} MetasegFormat;

typedef struct MetasegPredictOptions {
    /* Bands of the input, by number from 1 or by name: "4,1,2", "red,green,blue"; by the names of the model's bands
     * "red=3,green=2,blue=1"; NULL: those named like the model's, or all when there are as many. A model that can do
     * without some of its bands (metaseg_model_missing_bands) also takes fewer: names that are those of its bands, 3
     * numbers for red, green, blue, 4 for red, green, blue, nir; these three it always needs. */
    const char *bands;
    const char *confidence;    /* path of a confidence raster, NULL: none */
    const char *probabilities; /* path of a raster with one band per class, NULL: none */
    const char *quicklook;     /* path of a PNG with legend, NULL: none */
    const char *areas; /* path of a table of the classes, their pixels, areas and shares: .json, else CSV; NULL: none */
    MetasegPrompts prompts;
    const char *prompt; /* free text that is read everywhere instead of the zones' words; NULL */
    /* folder of the text encoder that the model was trained with: model.safetensors and vocab.txt, of CLIP merges.txt; needed for
     * prompt alone */
    const char *text_encoder;
    /* raster of clouds and their shadows, whose pixels become 255 in all outputs: any grid; NULL: none. "scl" and "qa_pixel"
     * are those that a Sentinel-2 L2A and a Landsat product bring with them */
    const char *mask;
    const char *mask_values; /* masked values of it, "1,3"; NULL: by its kind (docs/rasters.md) */
    /* the only part that is mapped, as gdalwarp -te has it: xmin, ymin, xmax, ymax in coordinates of extent_crs (NULL: the image's own;
     * longitude first), grown to the image's whole pixels and cut to the image. The image then is that part: tiles begin at its corner
     * and nothing beside it is seen. All 0: the whole image */
    double extent[4];
    const char *extent_crs;
    /* vector file (GeoPackage, GeoJSON, Shapefile, ...) outside of whose polygons all outputs are 255, while the network sees what is
     * there; its layer, NULL: the only one; its CRS, NULL: the layer's. NULL: none */
    const char *cutline, *cutline_layer, *cutline_crs;
    const char *crs; /* overrides the scene's CRS, also in the maps ("EPSG:32633"); NULL: the file's */
    /* of the scene when it has no georeference, -360 to 360 and -90 to 90; NAN: unknown */
    double longitude, latitude;
    double gsd;        /* metres, pixel size of a scene that does not tell it; 0: unknown */
    double resolution; /* ground sampling distance to run at, in the model's unit; 0: chosen by the rule below */
    int32_t tile;      /* side of a tile in network pixels, a multiple of the network's (32 usually); 0: the model's */
    MetasegTta tta;
    /* side of crops, as tile; 0: none. With it the image is cut into crops that share nothing, each mapped alone, its scores brought to
     * the pixels without a look at its neighbours, as the test programs of the papers do it (docs/protocols.md): the image lies at the
     * lower right of a whole number of crops, with stored zeros above and to the left of it. Tile and overlap must be unset, and the
     * image is read at its own pixels or not at all. */
    int32_t crops;
    int32_t overlap; /* network pixels shared by neighbouring tiles; -1: a quarter of the tile */
    /* processing level of the image's reflectance, for a model of level 1 (top of atmosphere) that brings level 2 (surface) to it: "L1C",
     * "L2A" and other words that begin with L1, L2; NULL: as the metadata say, level 2 if they do not */
    const char *level;
    MetasegFormat format;
    /* GDAL's creation options of that format, "NAME=VALUE", NULL at the end; NULL: none. METASEG_ERROR_ARGUMENT, before any work, of
     * one that the driver does not have, and of those that would change values, grid, colours or names (docs/outputs.md) */
    const char *const *creation_options;
    bool stored_values; /* read stored numbers as they are; false: less the offset that the file states for a band */
    bool overwrite;
} MetasegPredictOptions;
MetasegPredictOptions metaseg_predict_options_defaults(void);

/* What a prediction did. */
typedef struct MetasegPredictReport {
    int64_t width, height, tiles;
    int64_t valid_pixels;
    double seconds;
    double resolution;   /* network pixel in the model's unit, as used */
    int64_t peak_memory; /* largest resident set of the process so far, bytes; 0: unknown */
} MetasegPredictReport;

/* Maps one raster: Byte classes with palette, names, nodata 255, the input's geotransform and CRS. The model states the
 * range of ground sampling distances it was made for; the network sees square pixels, so input whose pixels are not is
 * resampled to squares of the longer side; input within a factor of 4 outside it is resampled on the fly and
 * the map brought back to the input's own grid; beyond that prediction runs on the input's own grid with one warning
 * through run.message. Where no data folder was named, all places read the null prompt, which is told once per model.
 * Nothing stands under the final names until all is written. report may be NULL.
 * METASEG_ERROR_INPUT, _OUTPUT, _ARGUMENT, _MEMORY, _INTERRUPTED. */
MetasegStatus metaseg_predict_raster(MetasegModel *model, const char *in, const char *out,
                                     const MetasegPredictOptions *options, MetasegPredictReport *report);

/* What a submission file holds. */
typedef struct MetasegSubmissionReport {
    int64_t images, pixels;
    double seconds;
    int64_t peak_memory; /* as in MetasegPredictReport */
    const char *server;  /* who takes it; lives as long as the program */
} MetasegSubmissionReport;

/* Maps the images of a published data set whose labels are hidden (preset: a name of 'metaseg dataset list') and writes what its
 * evaluation server takes: a zip archive (out: *.zip) without folders, a PNG for each image, named and coded as the server wants it.
 * Nothing stands under the name until all is written, and nothing is written unless every image can be mapped; the same maps give the
 * same bytes. The run of the model must name the data folder; its progress counts images. Of the options those of one image (crs, longitude,
 * latitude, gsd, mask, confidence, probabilities, quicklook, areas) must be unset, since the preset tells what its images do not, and format and
 * creation options, too. report may be NULL.
 * METASEG_ERROR_ARGUMENT: no such preset, or one without submissions; METASEG_ERROR_MODEL: the model has a class that the data set does
 * not; METASEG_ERROR_INPUT: an image is missing or cannot be read; METASEG_ERROR_OUTPUT, _MEMORY, _INTERRUPTED. */
MetasegStatus metaseg_predict_submission(MetasegModel *model, const char *preset, const char *folder, const char *out,
                                         const MetasegPredictOptions *options, MetasegSubmissionReport *report);

/* Maps pixels in memory: pixels [height][width][bands] in the image's units, valid [height][width] (0: nodata; NULL:
 * all valid), classes [height][width] receives codes (255 where not valid), confidence likewise 0..254 (may be NULL),
 * probabilities [height][width][classes of the model] likewise 0..254, in the order of class indexes (may be NULL).
 * Not finite pixels are not valid. With a model that can do without some of its bands, options->bands names those that the
 * pixels have, in their order ("red,green,blue"; NULL: all); others need all of theirs. Of the options mask, paths, gsd, resolution
 * and overwrite are ignored; the place of all pixels is longitude/latitude. Runs at the pixels' own grid. On failure classes,
 * confidence and probabilities hold anything.
 * METASEG_ERROR_ARGUMENT, _INPUT (climate map, text encoder), _MEMORY, _INTERRUPTED. */
MetasegStatus metaseg_predict_pixels(MetasegModel *model, const float *pixels, const uint8_t *valid, int64_t width,
                                     int64_t height, const MetasegPredictOptions *options, uint8_t *classes,
                                     uint8_t *confidence, uint8_t *probabilities);

#ifdef __cplusplus
}
#endif
#endif
