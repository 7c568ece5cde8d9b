/* SPDX-License-Identifier: Apache-2.0
 *
 * Which windows a training step sees. Candidates are labelled places inside the training area, kept per class. A draw
 * picks a class with probability proportional to area^(1 - balance), then a place of that class by true area: balance 0
 * is uniform over the area, 1 gives every class the same chance. Pure arithmetic over counters: any step can be drawn
 * at any time, so a continued run sees what an unbroken one sees.
 */
#ifndef METASEG_DATA_SAMPLER_H
#define METASEG_DATA_SAMPLER_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Sampler Sampler;

/* A place: which scene, and the pixel of its label raster. */
typedef struct SamplerPlace {
    int32_t scene;
    int32_t column, row;
    int32_t block; /* of validation_blocks.h; 0 where there are none */
} SamplerPlace;

/* An empty sampler of `classes` class indexes that keeps at most `capacity` places per class (reservoir sampling by the
 * counter, so the choice does not depend on anything but the seed and the order of additions). ERR_MEMORY. */
Err sampler_new(int32_t classes, int64_t capacity, uint64_t seed, double balance, Sampler **ret_sampler);
void sampler_free(Sampler *sampler);

/* Offers a candidate of a class with its true area (any unit, > 0). Memory for a class is taken at its first candidate:
 * ERR_MEMORY. */
Err sampler_add(Sampler *sampler, int32_t class_index, SamplerPlace place, float area);

/* Takes out the places in blocks for which apart[block] holds, and their area from each class: areas[class index] is that
 * of all that was offered in them. Before sampler_finish. */
void sampler_take_out(Sampler *sampler, const bool *apart, const double *areas);

/* Fixes the probabilities. ERR_CONFIG when there is no candidate at all. */
Err sampler_finish(Sampler *sampler);

/* The place of draw `index` of a step. */
SamplerPlace sampler_draw(const Sampler *sampler, uint64_t step, uint64_t index);

#endif
