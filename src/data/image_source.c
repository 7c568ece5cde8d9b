/* SPDX-License-Identifier: Apache-2.0
 * Raster, place, zones and normalisation of one image. */
#include "data/image_source.h"

#include "base/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static Err choose_bands(ImageSource *image, const ImageSourceOptions *o)
{
    if (o->names == NULL) return raster_choose_bands(image->raster, o->bands, o->wanted, NULL);
    image->source = malloc((size_t)o->wanted * sizeof *image->source);
    if (image->source == NULL) return err_memory((size_t)o->wanted * sizeof *image->source, "the bands of an image");
    TRY(raster_choose_named(image->raster, o->bands, o->wanted, o->names, o->missing, image->source));
    for (int64_t i = 0; i < o->wanted; i++)
        if (image->source[i] != i) return ERR_NONE;
    free(image->source);
    image->source = NULL;
    return ERR_NONE;
}

/* From now on the image is what the extent covers of it. */
static Err take_part(ImageSource *image, const ImageSourceOptions *o)
{
    RasterWindow part;
    TRY(raster_extent_check(o->extent, "the extent"));
    TRY(raster_extent_window(o->extent, image->raster, image->place, &part, &image->cut));
    TRY(raster_set_part(image->raster, part));
    georeference_free(image->place);
    image->place = NULL;
    return georeference_open(image->raster, o->crs, &image->place);
}

static Err open_raster(ImageSource *image, const char *path, const ImageSourceOptions *o)
{
    TRY(raster_open(path, o->stop, &image->raster));
    TRY(choose_bands(image, o));
    if (!o->stored_values) raster_remove_offsets(image->raster);
    TRY(georeference_open(image->raster, o->crs, &image->place));
    if (o->extent != NULL) TRY(take_part(image, o));
    if (o->cutline != NULL) TRY(cutline_open(o->cutline, image->raster, image->place, &image->cutline));
    raster_set_cutline(image->raster, image->cutline);
    if (o->mask == NULL) return ERR_NONE;
    const CloudMaskOptions mask = { .file = o->mask, .values = o->mask_values, .stop = o->stop };
    TRY(cloud_mask_open(&mask, image->raster, image->place, &image->mask));
    raster_set_cloud_mask(image->raster, image->mask);
    return ERR_NONE;
}

Err image_source_open(const char *path, const ImageSourceOptions *options, ImageSource **ret_image)
{
    ImageSource *image = calloc(1, sizeof *image);
    if (image == NULL) return err_memory(sizeof *image, "an image");
    const Err err = open_raster(image, path, options);
    if (err != ERR_NONE) {
        image_source_close(image);
        return err;
    }
    *ret_image = image;
    return ERR_NONE;
}

void image_source_close(ImageSource *image)
{
    if (image == NULL) return;
    zone_sampler_free(image->zones);
    cloud_mask_close(image->mask);
    cutline_close(image->cutline);
    georeference_free(image->place);
    georeference_free(image->zone_place);
    raster_close(image->raster);
    free(image->bands);
    free(image->source);
    free(image->metadata);
    free(image);
}

/* Puts a point in the place of what was known. */
static Err set_point(double lon, double lat, Georeference **place)
{
    Georeference *point = NULL;
    TRY(georeference_from_point(lon, lat, &point));
    georeference_free(*place);
    *place = point;
    return ERR_NONE;
}

Err image_source_set_point(ImageSource *image, double lon, double lat) { return set_point(lon, lat, &image->place); }

Err image_source_set_zone_point(ImageSource *image, double lon, double lat)
{
    return set_point(lon, lat, &image->zone_place);
}

Georeference *image_source_zone_place(const ImageSource *image)
{
    return image->zone_place != NULL ? image->zone_place : image->place;
}

Err image_source_set_zones(ImageSource *image, const Climate *climate)
{
    const RasterInfo *info = raster_info(image->raster);
    ZoneSampler *zones = NULL;
    if (climate != NULL)
        TRY(zone_sampler_new(climate, image_source_zone_place(image), info->width, info->height, zone_share_defaults(),
                             &zones));
    zone_sampler_free(image->zones);
    image->zones = zones;
    return ERR_NONE;
}

Err image_source_metadata(ImageSource *image, const Metadata **ret_metadata)
{
    if (image->metadata == NULL) {
        Metadata *metadata = malloc(sizeof *metadata);
        const Err err = metadata != NULL ? metadata_read(image->raster, NULL, NULL, metadata)
                                         : err_memory(sizeof *metadata, "the metadata of an image");
        if (err != ERR_NONE) {
            free(metadata);
            return err;
        }
        image->metadata = metadata;
    }
    *ret_metadata = image->metadata;
    return ERR_NONE;
}

static bool is_byte(const ImageSource *image, int64_t i)
{
    return strcmp(raster_band_type(image->raster, raster_chosen_band(image->raster, i)), "Byte") == 0;
}

bool image_source_has_bytes(const ImageSource *image) { return is_byte(image, 0); }

Err image_level_given(const char *text, ProcessingLevel *ret_level)
{
    const ProcessingLevel level = processing_level_read(text);
    if (text != NULL && level == PROCESSING_UNKNOWN)
        return err_set(ERR_ARGUMENT,
                       "'%s' is no processing level; L1C (top of atmosphere) or L2A (surface) was expected", text);
    *ret_level = level;
    return ERR_NONE;
}

static void tell_level(const ImageSource *image, const char *source, const MetasegRun *run)
{
    const char *path = raster_path(image->raster);
    if (image_source_has_bytes(image)) return;
    if (source == NULL)
        report_message(run, 1,
                       "'%s': nothing tells whether it is reflectance of the surface (L2A) or at the top of the "
                       "atmosphere (L1C); it is read as L2A; say --level L1C if it is not",
                       path);
    else
        report_message(run, 0, "'%s': read as level %s (%s)", path,
                       image->surface ? "2 (surface)" : "1 (top of atmosphere)", source);
}

Err image_source_set_level(ImageSource *image, ProcessingLevel told, const MetasegRun *run)
{
    const Metadata *metadata = NULL;
    const char *source = NULL;
    if (told != PROCESSING_UNKNOWN) {
        source = "given by hand";
    } else {
        TRY(image_source_metadata(image, &metadata));
        told = metadata->level;
        for (int64_t i = 0; i < metadata->n_facts; i++)
            if (strcmp(metadata->facts[i].name, "processing level") == 0) source = metadata->facts[i].source;
    }
    image->surface = told != PROCESSING_LEVEL_1;
    tell_level(image, source, run);
    return ERR_NONE;
}

ImageUnits image_units(const ImageBand *band, bool bytes, double scale, bool surface)
{
    if (bytes) return (ImageUnits){ band->byte_scale != 0.0 ? band->byte_scale : 1.0, 0.0 };
    const double factor = scale != 1.0 && band->reflectance != 0.0 ? scale * band->reflectance : 1.0;
    if (!surface || band->surface_scale == 0.0) return (ImageUnits){ factor, 0.0 };
    return (ImageUnits){ band->surface_scale * factor, band->surface_offset };
}

ImageBand image_band_in_units(const ImageBand *band, ImageUnits units)
{
    ImageBand made = *band;
    made.offset += made.scale * units.offset;
    made.scale *= units.factor;
    return made;
}

ImageUnits image_source_units(const ImageSource *image, int64_t i, const ImageBand *band)
{
    double scale = 1.0, offset = 0.0;
    raster_band_scaling(image->raster, raster_chosen_band(image->raster, i), &scale, &offset);
    return image_units(band, is_byte(image, i), scale, image->surface);
}

Err image_source_normalise(ImageSource *image, const ImageBand *bands)
{
    const size_t bytes = (size_t)raster_chosen_count(image->raster) * sizeof *bands;
    ImageBand *copy = malloc(bytes);
    if (copy == NULL) return err_memory(bytes, "the bands of an image");
    for (int64_t i = 0; i < raster_chosen_count(image->raster); i++)
        copy[i] = image_band_in_units(&bands[i], image_source_units(image, i, &bands[i]));
    free(image->bands);
    image->bands = copy;
    return ERR_NONE;
}

Err image_source_read(ImageSource *image, int64_t x, int64_t y, int64_t side, float *ret_values, uint8_t *ret_valid)
{
    TRY(raster_read(image->raster, (RasterWindow){ .x = x, .y = y, .columns = side, .rows = side }, ret_values,
                    ret_valid));
    if (image->bands != NULL)
        image_normalise(image->bands, raster_chosen_count(image->raster), side * side, ret_valid, ret_values);
    return ERR_NONE;
}

Err image_source_shares(ImageSource *image, int64_t x, int64_t y, int64_t side, bool *ret_known, int32_t *ret_zones,
                        float *ret_shares)
{
    *ret_known = image->zones != NULL;
    if (image->zones == NULL) return ERR_NONE;
    return zone_window_shares(image->zones, x, y, side, raster_width(image->raster), raster_height(image->raster),
                              ret_shares, ret_zones);
}

void image_bands_of_model(const ModelConfig *config, const int32_t *source, ImageBand *ret_bands)
{
    for (int32_t b = 0; b < config->network.n_bands; b++) {
        const ModelBand *band = &config->bands[b];
        const int32_t at = source != NULL ? source[b] : b;
        if (at < 0) continue;
        ret_bands[at] = (ImageBand){ .scale = band->scale,
                                     .mean = band->mean,
                                     .std = band->std,
                                     .transform = config->transform,
                                     .byte_scale = config->byte_scale,
                                     .reflectance = config->reflectance,
                                     .surface_scale = band->surface_scale,
                                     .surface_offset = band->surface_offset };
    }
}

static const float log_factor = 0.005F;

double image_transformed(ModelTransform transform, double x)
{
    return transform == MODEL_TRANSFORM_NONE ? x : log(1.0 + (double)log_factor * fmax(x, 0.0));
}

double image_untransformed(ModelTransform transform, double t)
{
    return transform == MODEL_TRANSFORM_NONE ? t : expm1(t) / (double)log_factor;
}

double image_denormalised(const ImageBand *band, double normalised)
{
    const double least = 1e-6;
    double z = normalised;
    if (band->transform == MODEL_TRANSFORM_LOG_SIGMOID) {
        const double s = fmin(fmax(normalised, least), 1.0 - least);
        z = (log(s / (1.0 - s)) + 1.0) / 5.0;
    }
    return image_untransformed(band->transform, z * band->std + band->mean);
}

static float normalise_linear(const ImageBand *band, float x)
{
    return (x - (float)((band->mean - band->offset) / band->scale)) * (float)(band->scale / band->std);
}

static float normalise_log(const ImageBand *band, float x)
{
    const float positive = fmaxf((float)band->scale * x + (float)band->offset, 0.0F);
    return (logf(1.0F + log_factor * positive) - (float)band->mean) / (float)band->std;
}

static float sigmoid(float x) { return 1.0F / (1.0F + expf(-x)); }

void image_normalise(const ImageBand *bands, int64_t n_bands, int64_t pixels, const uint8_t *valid, float *values)
{
    for (int64_t b = 0; b < n_bands; b++) {
        const ImageBand band = bands[b];
        for (int64_t i = 0; i < pixels; i++) {
            float *value = &values[i * n_bands + b];
            if (valid[i] == 0)
                *value = 0.0F;
            else if (band.transform == MODEL_TRANSFORM_NONE)
                *value = normalise_linear(&band, *value);
            else if (band.transform == MODEL_TRANSFORM_LOG)
                *value = normalise_log(&band, *value);
            else
                *value = sigmoid(5.0F * normalise_log(&band, *value) - 1.0F);
        }
    }
}
