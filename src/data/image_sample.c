/* SPDX-License-Identifier: Apache-2.0
 * Small windows in the order of their rows, and what their numbers are. */
#include "data/image_sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ACROSS = 5, SIDE = 32, WINDOWS = IMAGE_SAMPLE_WINDOWS };
_Static_assert(WINDOWS == ACROSS * ACROSS, "a square of windows");

static const double far_deviations = 10.0, tiny_part = 0.01;

static Err read_windows(const ImageSource *image, const ImageUnits *units, float *window, ImageSample *s)
{
    Raster *raster = image->raster;
    const RasterInfo *info = raster_info(raster);
    const int64_t columns = info->width < SIDE ? info->width : SIDE;
    const int64_t rows = info->height < SIDE ? info->height : SIDE;
    uint8_t valid[SIDE * SIDE];
    for (int64_t k = 0; k < WINDOWS; k++) {
        const RasterWindow w = { .x = (info->width - columns) * (k % ACROSS) / (ACROSS - 1),
                                 .y = (info->height - rows) * (k / ACROSS) / (ACROSS - 1),
                                 .columns = columns,
                                 .rows = rows };
        TRY(raster_read(raster, w, window, valid));
        for (int64_t i = 0; i < columns * rows; i++) {
            if (valid[i] == 0) continue;
            for (int64_t b = 0; b < s->bands; b++)
                s->values[b * s->looked + s->count] =
                    (float)units[b].factor * window[i * s->bands + b] + (float)units[b].offset;
            s->count++;
        }
    }
    return ERR_NONE;
}

Err image_sample_read(const ImageSource *image, const ImageBand *of, ImageSample *ret_sample)
{
    const RasterInfo *info = raster_info(image->raster);
    const int64_t bands = raster_chosen_count(image->raster);
    const int64_t columns = info->width < SIDE ? info->width : SIDE;
    const int64_t rows = info->height < SIDE ? info->height : SIDE;
    ImageSample s = { .bands = bands, .looked = WINDOWS * columns * rows };
    const size_t values = (size_t)(bands * s.looked);
    float *window = malloc((size_t)(SIDE * SIDE * bands) * sizeof *window);
    ImageUnits *units = malloc((size_t)bands * sizeof *units);
    s.values = malloc(values * sizeof *s.values);
    Err err = window != NULL && units != NULL && s.values != NULL
                  ? ERR_NONE
                  : err_memory(values * sizeof *s.values, "a sample of the image");
    for (int64_t b = 0; err == ERR_NONE && b < bands; b++) units[b] = image_source_units(image, b, &of[b]);
    if (err == ERR_NONE) err = read_windows(image, units, window, &s);
    free(window);
    free(units);
    if (err == ERR_NONE)
        *ret_sample = s;
    else
        image_sample_done(&s);
    return err;
}

void image_sample_done(ImageSample *sample)
{
    free(sample->values);
    *sample = (ImageSample){ 0 };
}

static int compare_floats(const void *a, const void *b)
{
    const float x = *(const float *)a;
    const float y = *(const float *)b;
    return (x > y) - (x < y);
}

SampledBand image_sample_band(ImageSample *sample, int64_t band)
{
    const int64_t n = sample->count;
    float *values = sample->values + band * sample->looked;
    SampledBand s = { .low = 0.0 };
    int64_t low = 0;
    int64_t high = 0;
    qsort(values, (size_t)n, sizeof *values, compare_floats);
    for (int64_t i = 0; i < n; i++) {
        s.mean += (double)values[i] / (double)n;
        low += values[i] == values[0];
        high += values[i] == values[n - 1];
        s.fractions = s.fractions || values[i] != floorf(values[i]);
    }
    s.low = (double)values[0];
    s.high = (double)values[n - 1];
    s.bright = (double)values[(n - 1) * 199 / 200];
    s.at_low = (double)low / (double)n;
    s.at_high = (double)high / (double)n;
    return s;
}

int64_t image_sample_same(const ImageSample *sample, int64_t band)
{
    const float *values = sample->values + band * sample->looked;
    for (int64_t b = 0; b < band && sample->count > 0; b++)
        if (memcmp(values, sample->values + b * sample->looked, (size_t)sample->count * sizeof *values) == 0) return b;
    return -1;
}

double image_sample_above(const ImageSample *sample, int64_t band, double limit)
{
    const float *values = sample->values + band * sample->looked;
    int64_t n = sample->count;
    while (n > 0 && (double)values[n - 1] > limit) n--;
    return (double)(sample->count - n) / (double)sample->count;
}

ExpectedValues image_expected(const ImageBand *band)
{
    const double low = image_untransformed(band->transform, band->mean - band->std);
    const double high = image_untransformed(band->transform, band->mean + band->std);
    return (ExpectedValues){ image_untransformed(band->transform, band->mean) / band->scale,
                             fabs((high - low) / 2.0 / band->scale) };
}

double image_deviations(const SampledBand *band, ExpectedValues expected)
{
    return fabs(band->mean - expected.mean) / expected.deviation;
}

bool image_is_far(const SampledBand *band, ExpectedValues expected)
{
    return image_deviations(band, expected) > far_deviations;
}

bool image_is_tiny(const SampledBand *band, ExpectedValues expected)
{
    const double bright = expected.mean + 2.0 * expected.deviation;
    return bright > 0.0 && band->fractions && band->bright < tiny_part * bright;
}
