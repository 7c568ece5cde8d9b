/* SPDX-License-Identifier: Apache-2.0
 *
 * A sample of an image's numbers: 25 windows of 32 x 32 pixels spread over it, before any normalisation.
 *
 *     ImageSample sample;
 *     TRY(image_sample_read(image, bands, &sample));
 *     const SampledBand red = image_sample_band(&sample, 0);
 *     image_sample_done(&sample);
 */
#ifndef METASEG_DATA_IMAGE_SAMPLE_H
#define METASEG_DATA_IMAGE_SAMPLE_H

#include "data/image_source.h"

enum { IMAGE_SAMPLE_WINDOWS = 25 };

/* Open struct, owns the values (image_sample_done). */
typedef struct ImageSample {
    float *values; /* [bands][looked], `count` of each are filled: valid pixels alone */
    int64_t bands, looked, count;
} ImageSample;

/* Chosen bands of an image that is not resampled (raster_set_grid), in the units of `of` [chosen bands]
 * (image_source_units). ERR_INPUT, ERR_MEMORY. */
Err image_sample_read(const ImageSource *image, const ImageBand *of, ImageSample *ret_sample);
void image_sample_done(ImageSample *sample);

typedef struct SampledBand {
    double low, high, mean;
    double bright;          /* 99.5 of 100 values are below */
    double at_low, at_high; /* part that has the lowest, the highest value */
    bool fractions;         /* not all are whole numbers */
} SampledBand;

/* What a band holds; its values are sorted by this. count > 0. */
SampledBand image_sample_band(ImageSample *sample, int64_t band);

/* An earlier band with the same numbers everywhere, -1: none. Before image_sample_band sorts one of them. */
int64_t image_sample_same(const ImageSample *sample, int64_t band);

/* Part of a sorted band above a limit. */
double image_sample_above(const ImageSample *sample, int64_t band, double limit);

/* Numbers that a normalisation is made for, in the image's units. */
typedef struct ExpectedValues {
    double mean, deviation;
} ExpectedValues;

/* Of (scale x - mean) / std; with a transform, what becomes of mean and of mean +- std without it. */
ExpectedValues image_expected(const ImageBand *band);

/* Standard deviations between the middle of a band and what was expected; and whether that is further than clouds and snow
 * are from land in reflectance (8 to 9): 16-bit reflectance is 20 and more from bytes. */
double image_deviations(const SampledBand *band, ExpectedValues expected);
bool image_is_far(const SampledBand *band, ExpectedValues expected);

/* Fractions that are less than a hundredth of what a bright pixel should have: reflectance from 0 to 1 where bytes or ten
 * thousandths were expected. */
bool image_is_tiny(const SampledBand *band, ExpectedValues expected);

#endif
