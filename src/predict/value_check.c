/* SPDX-License-Identifier: Apache-2.0
 * Do the numbers of an image look like those that the model was made for? 25 small windows tell. */
#include "predict/predictor.h"

#include "data/image_source.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACROSS = 5, SIDE = 32, WINDOWS = ACROSS * ACROSS, MOST_VALUES = WINDOWS * SIDE * SIDE };

/* Values that a model of bytes never met, and the part of them that is not just a few saturated pixels. */
static const double beyond_bytes = 320.0, too_many = 0.05;
/* How many standard deviations the middle of a band may lie away: clouds and snow are 8 to 9 away from land in
 * reflectance, 16-bit reflectance 20 and more from bytes. */
static const double far_deviations = 10.0;
/* Reflectance from 0 to 1 is less than this part of what a bright pixel has in bytes or in ten thousandths. */
static const double tiny_part = 0.01;
/* Of a compressed image that are told about before they are decoded. */
static const double slow_values = 16e6;

/* What the model was made for, in the image's units. */
typedef struct Made {
    double mean, deviation;
} Made;

/* One band of the sample. */
typedef struct Sampled {
    double low, high, mean, bright; /* bright: 99.5 of 100 values are below */
    double beyond;                  /* part above beyond_bytes */
    bool fractions;
} Sampled;

/* With a transform, what becomes of mean and of mean +- std without it. */
static Made made_for(const ModelConfig *c, int32_t b)
{
    const ModelBand *band = &c->bands[b];
    const double low = image_untransformed(c->transform, band->mean - band->std);
    const double high = image_untransformed(c->transform, band->mean + band->std);
    return (Made){ image_untransformed(c->transform, band->mean) / band->scale,
                   fabs((high - low) / 2.0 / band->scale) };
}

/* Mean 0 and deviation 1 in every band are what a file has that states none. */
static bool states_range(const ModelConfig *c)
{
    for (int32_t b = 0; b < c->n_bands; b++)
        if (c->bands[b].mean != 0.0 || c->bands[b].std != 1.0) return true;
    return false;
}

/* Were the model's pictures bytes? Then numbers of more bits are another thing. */
static bool made_for_bytes(const ModelConfig *c)
{
    for (int32_t b = 0; b < c->n_bands; b++) {
        const Made m = made_for(c, b);
        if (m.mean < 10.0 || m.mean > 255.0 || m.mean + 3.0 * m.deviation > 400.0) return false;
    }
    return true;
}

static int compare_floats(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* values: [n], n > 0; sorted on return. */
static Sampled describe(float *values, int64_t n)
{
    Sampled s = { .low = 0.0 };
    qsort(values, (size_t)n, sizeof *values, compare_floats);
    int64_t beyond = 0;
    for (int64_t i = 0; i < n; i++) {
        s.mean += (double)values[i] / (double)n;
        beyond += (double)values[i] > beyond_bytes;
        s.fractions = s.fractions || values[i] != floorf(values[i]);
    }
    s.low = (double)values[0];
    s.high = (double)values[n - 1];
    s.bright = (double)values[(n - 1) * 199 / 200];
    s.beyond = (double)beyond / (double)n;
    return s;
}

/* Windows spread over the image, in the order of its rows. ret_values [bands][MOST_VALUES]; valid pixels alone. */
static Err sample(const ImageSource *image, double byte_scale, float *ret_values, int64_t *ret_count)
{
    Raster *raster = image->raster;
    const RasterInfo *info = raster_info(raster);
    const int64_t bands = raster_chosen_count(raster);
    const int64_t columns = info->width < SIDE ? info->width : SIDE, rows = info->height < SIDE ? info->height : SIDE;
    float *window = malloc((size_t)(SIDE * SIDE * bands) * sizeof *window);
    uint8_t valid[SIDE * SIDE];
    Err err = window != NULL ? ERR_NONE : err_memory((size_t)(SIDE * SIDE * bands) * sizeof *window, "a sample");
    float factors[MODEL_MAX_BANDS];
    for (int64_t b = 0; b < bands; b++) factors[b] = (float)image_source_factor(image, b, byte_scale);
    int64_t count = 0;
    for (int64_t k = 0; k < WINDOWS && err == ERR_NONE; k++) {
        const RasterWindow w = { .x = (info->width - columns) * (k % ACROSS) / (ACROSS - 1),
                                 .y = (info->height - rows) * (k / ACROSS) / (ACROSS - 1),
                                 .columns = columns,
                                 .rows = rows };
        err = raster_read(raster, w, window, valid);
        for (int64_t i = 0; err == ERR_NONE && i < columns * rows; i++) {
            if (valid[i] == 0) continue;
            for (int64_t b = 0; b < bands; b++)
                ret_values[b * MOST_VALUES + count] = factors[b] * window[i * bands + b];
            count++;
        }
    }
    free(window);
    *ret_count = count;
    return err;
}

/* Which of the image's chosen bands band b of the model is; -1: it is missing. */
static int64_t chosen(const ImageSource *image, int32_t b) { return image->source != NULL ? image->source[b] : b; }

/* Which band shows it best; -1: the values may be the model's. */
static int32_t find_far(const ModelConfig *c, const ImageSource *image, const Sampled *bands)
{
    int32_t there = 0;
    const bool bytes = made_for_bytes(c);
    int32_t far = 0, tiny = 0, unreachable = 0, worst = 0;
    double farthest = 0.0, beyond = 0.0;
    for (int32_t b = 0; b < c->n_bands; b++) {
        const int64_t from = chosen(image, b);
        if (from < 0) continue;
        there++;
        const Made m = made_for(c, b);
        const double away = fabs(bands[b].mean - m.mean) / m.deviation, bright = m.mean + 2.0 * m.deviation;
        const char *type = raster_band_type(image->raster, raster_chosen_band(image->raster, from));
        const bool byte = strcmp(type, "Byte") == 0 && image_source_factor(image, from, c->byte_scale) == 1.0;
        far += away > far_deviations;
        tiny += bright > 0.0 && bands[b].fractions && bands[b].bright < tiny_part * bright;
        unreachable += byte && m.mean > 255.0;
        beyond += bands[b].beyond;
        if (away > farthest) worst = b;
        farthest = fmax(farthest, away);
    }
    if (2 * far >= there && far > 0) return worst;
    if (bytes && beyond > too_many * there) return worst;
    return tiny == there || unreachable == there ? worst : -1;
}

static void tell(const MetasegModel *model, const char *path, const ImageSource *image, int32_t band, const Sampled *s)
{
    const Raster *raster = image->raster;
    const ModelBand *of = &model->model->config.bands[band];
    const Made m = made_for(&model->model->config, band);
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
                       path, (long long)info->width, (long long)info->height, (int)WINDOWS);
}

Err predictor_check_values(const MetasegModel *model, const char *path, ImageSource *image)
{
    const ModelConfig *c = &model->model->config;
    if (!states_range(c)) return ERR_NONE;
    tell_wait(model, path, image);
    float *values = malloc((size_t)c->n_bands * MOST_VALUES * sizeof *values);
    Sampled *bands = calloc((size_t)c->n_bands, sizeof *bands);
    int64_t count = 0;
    Err err = values != NULL && bands != NULL
                  ? sample(image, c->byte_scale, values, &count)
                  : err_memory((size_t)c->n_bands * MOST_VALUES * sizeof *values, "a sample of the image");
    for (int32_t b = 0; b < c->n_bands && count > 0 && err == ERR_NONE; b++)
        if (chosen(image, b) >= 0) bands[b] = describe(values + chosen(image, b) * MOST_VALUES, count);
    const int32_t far = count > 0 && err == ERR_NONE ? find_far(c, image, bands) : -1;
    if (far >= 0) tell(model, path, image, far, &bands[far]);
    free(values);
    free(bands);
    return err;
}
