/* SPDX-License-Identifier: Apache-2.0
 * Do the numbers of an image look like those that the model was made for? 25 small windows tell. */
#include "predict/predictor.h"

#include "data/image_sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values that a model of bytes never met, and the part of them that is not just a few saturated pixels. */
static const double beyond_bytes = 320.0, too_many = 0.05;
/* Of a compressed image that are told about before they are decoded. */
static const double slow_values = 16e6;

static ExpectedValues made_for(const ModelConfig *c, int32_t b)
{
    const ModelBand *band = &c->bands[b];
    return image_expected(
        &(ImageBand){ .scale = band->scale, .mean = band->mean, .std = band->std, .transform = c->transform });
}

/* Mean 0 and deviation 1 in every band are what a file has that states none. */
static bool states_range(const ModelConfig *c)
{
    for (int32_t b = 0; b < c->network.n_bands; b++)
        if (c->bands[b].mean != 0.0 || c->bands[b].std != 1.0) return true;
    return false;
}

/* Were the model's pictures bytes? Then numbers of more bits are another thing. */
static bool made_for_bytes(const ModelConfig *c)
{
    for (int32_t b = 0; b < c->network.n_bands; b++) {
        const ExpectedValues m = made_for(c, b);
        if (m.mean < 10.0 || m.mean > 255.0 || m.mean + 3.0 * m.deviation > 400.0) return false;
    }
    return true;
}

/* Which of the image's chosen bands band b of the model is; -1: it is missing. */
static int64_t chosen(const ImageSource *image, int32_t b) { return image->source != NULL ? image->source[b] : b; }

/* Which band shows it best; -1: the values may be the model's. */
static int32_t find_far(const ModelConfig *c, const ImageSource *image, const SampledBand *bands, const double *beyond)
{
    int32_t there = 0;
    const bool bytes = made_for_bytes(c);
    int32_t far = 0, tiny = 0, unreachable = 0, worst = 0;
    double farthest = 0.0, above = 0.0;
    for (int32_t b = 0; b < c->network.n_bands; b++) {
        const int64_t from = chosen(image, b);
        if (from < 0) continue;
        there++;
        const ExpectedValues m = made_for(c, b);
        const double away = image_deviations(&bands[b], m);
        const char *type = raster_band_type(image->raster, raster_chosen_band(image->raster, from));
        const bool byte = strcmp(type, "Byte") == 0 && c->byte_scale == 0.0;
        far += image_is_far(&bands[b], m);
        tiny += image_is_tiny(&bands[b], m);
        unreachable += byte && m.mean > 255.0;
        above += beyond[b];
        if (away > farthest) worst = b;
        farthest = fmax(farthest, away);
    }
    if (2 * far >= there && far > 0) return worst;
    if (bytes && above > too_many * there) return worst;
    return tiny == there || unreachable == there ? worst : -1;
}

static void tell(const MetasegModel *model, const char *path, const ImageSource *image, int32_t band,
                 const SampledBand *s)
{
    const Raster *raster = image->raster;
    const ModelBand *of = &model->model->config.bands[band];
    const ExpectedValues m = made_for(&model->model->config, band);
    double scale = 1.0, offset = 0.0;
    const int64_t number = raster_chosen_band(raster, chosen(image, band));
    raster_band_scaling(raster, number, &scale, &offset);
    char stated[80] = "";
    if (scale != 1.0) (void)snprintf(stated, sizeof stated, "; the file states scale %g and offset %g", scale, offset);
    predictor_tell(model, 1,
                   "'%s': its values are far from those the model was made for: band %lld (%s) has %.4g to %.4g, mean "
                   "%.4g; the model's %s mean %.4g, standard deviation %.4g%s; expect a poor map, or bring the values "
                   "to the model's range first, for example with gdal_translate -scale",
                   path, (long long)number, raster_band_name(raster, number), s->low, s->high, s->mean, of->name,
                   m.mean, m.deviation, stated);
}

/* The sample of a large image that is compressed (JPEG 2000, a product's zip) takes seconds in which nothing else is seen. */
static void tell_wait(const MetasegModel *model, const char *path, const ImageSource *image)
{
    const RasterInfo *info = raster_info(image->raster);
    const double values = (double)info->width * (double)info->height * (double)raster_chosen_count(image->raster);
    if (raster_cache_bytes(image->raster, 1) > 0 && values > slow_values)
        predictor_tell(model, 0, "'%s': %lld x %lld pixels that are slow to decode; looks at %d places of it first",
                       path, (long long)info->width, (long long)info->height, (int)IMAGE_SAMPLE_WINDOWS);
}

Err predictor_check_values(const MetasegModel *model, const char *path, ImageSource *image)
{
    const ModelConfig *c = &model->model->config;
    ImageSample sample = { 0 };
    double beyond[MODEL_MAX_BANDS] = { 0.0 };
    if (!states_range(c)) return ERR_NONE;
    tell_wait(model, path, image);
    SampledBand *bands = calloc((size_t)c->network.n_bands, sizeof *bands);
    ImageBand made[MODEL_MAX_BANDS];
    image_bands_of_model(c, image->source, made);
    Err err = bands != NULL ? image_sample_read(image, made, &sample)
                            : err_memory((size_t)c->network.n_bands * sizeof *bands, "a sample of the image");
    for (int32_t b = 0; b < c->network.n_bands && sample.count > 0; b++) {
        if (chosen(image, b) < 0) continue;
        bands[b] = image_sample_band(&sample, chosen(image, b));
        beyond[b] = image_sample_above(&sample, chosen(image, b), beyond_bytes);
    }
    const int32_t far = sample.count > 0 ? find_far(c, image, bands, beyond) : -1;
    if (far >= 0) tell(model, path, image, far, &bands[far]);
    image_sample_done(&sample);
    free(bands);
    return err;
}
