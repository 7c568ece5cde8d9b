/* SPDX-License-Identifier: Apache-2.0
 *
 * An image as the network reads it, in prediction and in training: chosen bands of a raster, less the offsets that the
 * file states, on the network's grid, normalised; and the climate zones of a window.
 *
 *     ImageSource *image = NULL;
 *     TRY(image_source_open("scene.tif", &(ImageSourceOptions){ .bands = "4,3,2" }, &image));
 *     Err err = raster_set_grid(image->raster, width, height);
 *     if (err == ERR_NONE) err = image_source_normalise(image, bands);
 *     if (err == ERR_NONE) err = image_source_read(image, x, y, side, values, valid);
 *     image_source_close(image);
 *
 * One thread at a time, but for raster_take_valid.
 */
#ifndef METASEG_DATA_IMAGE_SOURCE_H
#define METASEG_DATA_IMAGE_SOURCE_H

#include "geo/climate.h"
#include "geo/cloud_mask.h"
#include "geo/cutline.h"
#include "geo/georeference.h"
#include "geo/metadata.h"
#include "geo/raster_extent.h"
#include "geo/zone_shares.h"
#include "metaseg/run.h"
#include "model/model_config.h"

/* What one band is made for: the network reads (scale x + offset - mean) / std, with the transform before the mean is taken off; x as
 * image_units() makes it of the file's number, by the other fields, which ModelConfig describes (0: none). */
typedef struct ImageBand {
    double scale, offset, mean, std;
    ModelTransform transform;
    double byte_scale, reflectance, surface_scale, surface_offset;
} ImageBand;

/* factor x + offset. */
typedef struct ImageUnits {
    double factor, offset;
} ImageUnits;

typedef struct ImageSourceOptions {
    const char *bands;             /* choice and names as in raster_choose_named */
    const char *const *names;      /* NULL: none */
    int64_t wanted;                /* number of bands, 0: any */
    bool missing;                  /* some of them may be missing, as in raster_choose_named */
    const char *crs;               /* instead of the file's, as in georeference_open */
    const char *mask;              /* cloud mask (cloud_mask.h); NULL: none */
    const char *mask_values;       /* its masked values; NULL: by its kind */
    const CutlineOptions *cutline; /* NULL: none */
    const RasterExtent *extent;    /* only this part, the pixels that it touches; NULL: all */
    bool stored_values;            /* leave the offsets that the file states */
    const volatile int *stop;      /* as in raster_open */
} ImageSourceOptions;

/* Open struct, read-only for others but for raster_set_grid and raster_keep_valid. */
typedef struct ImageSource {
    Raster *raster;
    Georeference *place;      /* kind may be GEOREFERENCE_NONE */
    Georeference *zone_place; /* where zones are looked up instead; NULL: at place */
    CloudMask *mask;          /* NULL: none */
    ZoneSampler *zones;       /* NULL: no zones */
    ImageBand *bands;         /* [chosen bands]; NULL: values as they are */
    bool surface;             /* its reflectance is of level 2; bytes are neither */
    int32_t *source;          /* [wanted] which chosen band each is, -1 missing; NULL: all are chosen in order */
    Cutline *cutline;         /* NULL: none */
    bool cut;                 /* some of the wanted extent lies beside the image */
    Metadata *metadata;       /* of image_source_metadata; NULL: nobody asked yet */
} ImageSource;

/* Opens the raster, chooses its bands, reads its georeference, opens its cloud mask. image_source_close(). ERR_INPUT, ERR_ARGUMENT (bands),
 * ERR_INTERRUPTED, ERR_MEMORY. */
Err image_source_open(const char *path, const ImageSourceOptions *options, ImageSource **ret_image);
void image_source_close(ImageSource *image);

/* The place of an image without one: a point for all of it. */
Err image_source_set_point(ImageSource *image, double lon, double lat);

/* A point for its zones alone: its pixels keep the place that they have. Before image_source_set_zones. Errors of
 * georeference_from_point. */
Err image_source_set_zone_point(ImageSource *image, double lon, double lat);

/* Where zones are looked up. */
Georeference *image_source_zone_place(const ImageSource *image);

/* From now on zones are looked up in `climate` (borrowed; NULL: in none). ERR_INPUT, ERR_MEMORY. */
Err image_source_set_zones(ImageSource *image, const Climate *climate);

/* What is known of the image beside pixels and place, read at the first call. ERR_MEMORY. */
Err image_source_metadata(ImageSource *image, const Metadata **ret_metadata);

/* The level that a person names ("L1C", "L2A" and other words that begin so); NULL: PROCESSING_UNKNOWN. ERR_ARGUMENT. */
Err image_level_given(const char *text, ProcessingLevel *ret_level);

/* The image's first chosen band is of bytes, which have no processing level. */
bool image_source_has_bytes(const ImageSource *image);

/* Sets image->surface: the level told, or that of the metadata, or 2 where neither tells. It is told to `run` (NULL: nobody)
 * with what says so, as a warning where nothing does; of bytes nothing is. ERR_MEMORY. */
Err image_source_set_level(ImageSource *image, ProcessingLevel told, const MetasegRun *run);

/* What becomes of numbers (less the offset that the file states) so that they are in the units of `band`. Bytes: times byte_scale, where
 * that is not 0. Other types: times the scale that the file states (1: none) and the number of a reflectance of 1, where
 * both are stated; and, of level 2 (surface) and with a surface_scale, that and its offset. */
ImageUnits image_units(const ImageBand *band, bool bytes, double scale, bool surface);

/* The band for numbers that are not in its units yet. */
ImageBand image_band_in_units(const ImageBand *band, ImageUnits units);

/* image_units() of the numbers of chosen band i. */
ImageUnits image_source_units(const ImageSource *image, int64_t i, const ImageBand *band);

/* From now on values are normalised: one entry per chosen band, copied, with image_source_units() in it. ERR_MEMORY. */
Err image_source_normalise(ImageSource *image, const ImageBand *bands);

/* Window of the presented grid: values [side][side][bands], 0 where invalid, and validity [side][side]; mirrored beyond
 * the border. Errors as raster_read. */
Err image_source_read(ImageSource *image, int64_t x, int64_t y, int64_t side, float *ret_values, uint8_t *ret_valid);

/* Zones of the same window and their shares (zone_window_shares); false in *ret_known, nothing else written, without
 * zones. */
Err image_source_shares(ImageSource *image, int64_t x, int64_t y, int64_t side, bool *ret_known, int32_t *ret_zones,
                        float *ret_shares);

/* Bands of a model by where their values lie: band b in ret_bands[source[b]], nowhere where that is negative (missing);
 * source NULL: in the model's order. */
void image_bands_of_model(const ModelConfig *config, const int32_t *source, ImageBand *ret_bands);

/* The number that mean and std of a band belong to: x itself, or ln(1 + 0.005 x) of the x that are not negative. */
double image_transformed(ModelTransform transform, double x);
double image_untransformed(ModelTransform transform, double t); /* back */

/* What a band's normalisation made a number of: scale x + offset, or the nearest such x where a sigmoid has no other. */
double image_denormalised(const ImageBand *band, double normalised);

/* The one normalisation: values [pixels][n_bands] in place, (x - (mean - offset) / scale) * (scale / std) in float, 0 where not
 * valid. Centred first, so that large numbers with a small spread keep their digits. With a transform: its formula
 * (model_config.h) in float. */
void image_normalise(const ImageBand *bands, int64_t n_bands, int64_t pixels, const uint8_t *valid, float *values);

#endif
