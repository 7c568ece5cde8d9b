/* SPDX-License-Identifier: Apache-2.0
 * Class-balanced choice of places; the rule is in the header. */
#include "data/sampler.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

typedef struct ClassPlaces {
    SamplerPlace *places;
    float *areas;
    int64_t kept, offered;
    double area;
    float largest; /* area of one candidate */
    double until;  /* cumulative probability after this class */
} ClassPlaces;

struct Sampler {
    int32_t classes;
    int64_t capacity;
    uint64_t seed;
    double balance;
    ClassPlaces *of_class;
};

/* Draw numbers: each window owns a block, beginning with the class, then tries of (place, acceptance). */
enum { DRAWS_PER_WINDOW = 256, RESERVOIR_STEP = 0x7fffff00 };

Err sampler_new(int32_t classes, int64_t capacity, uint64_t seed, double balance, Sampler **ret_sampler)
{
    ASSERT(classes > 0 && capacity > 0);
    Sampler *s = calloc(1, sizeof *s);
    if (s == NULL) return err_memory(sizeof *s, "the sampler");
    *s = (Sampler){ .classes = classes, .capacity = capacity, .seed = seed, .balance = balance };
    s->of_class = calloc((size_t)classes, sizeof *s->of_class);
    if (s->of_class == NULL) {
        free(s);
        return err_memory((size_t)classes * sizeof *s->of_class, "the sampler");
    }
    *ret_sampler = s;
    return ERR_NONE;
}

void sampler_free(Sampler *sampler)
{
    if (sampler == NULL) return;
    for (int32_t c = 0; c < sampler->classes; c++) {
        free(sampler->of_class[c].places);
        free(sampler->of_class[c].areas);
    }
    free(sampler->of_class);
    free(sampler);
}

static Err grow(Sampler *s, ClassPlaces *c)
{
    const size_t n = (size_t)s->capacity;
    c->places = malloc(n * sizeof *c->places);
    c->areas = malloc(n * sizeof *c->areas);
    if (c->places == NULL || c->areas == NULL)
        return err_memory(n * (sizeof *c->places + sizeof *c->areas), "the sampler's places");
    return ERR_NONE;
}

Err sampler_add(Sampler *s, int32_t class_index, SamplerPlace place, float area)
{
    ASSERT(class_index >= 0 && class_index < s->classes);
    ClassPlaces *c = &s->of_class[class_index];
    if (c->places == NULL) TRY(grow(s, c));
    int64_t slot = c->kept;
    if (c->kept == s->capacity) /* reservoir: candidate k replaces a kept one with probability capacity / k */
        slot = rng_below(s->seed, RNG_SAMPLER, (uint64_t)RESERVOIR_STEP + (uint64_t)class_index, (uint64_t)c->offered,
                         c->offered + 1);
    else
        c->kept++;
    c->offered++;
    c->area += (double)area;
    c->largest = fmaxf(c->largest, area);
    if (slot < s->capacity) {
        c->places[slot] = place;
        c->areas[slot] = area;
    }
    return ERR_NONE;
}

void sampler_take_out(Sampler *s, const bool *apart, const double *areas)
{
    for (int32_t c = 0; c < s->classes; c++) {
        ClassPlaces *of = &s->of_class[c];
        int64_t kept = 0;
        for (int64_t i = 0; i < of->kept; i++) {
            if (apart[of->places[i].block]) continue;
            of->places[kept] = of->places[i];
            of->areas[kept++] = of->areas[i];
        }
        of->kept = kept;
        of->area = kept > 0 ? fmax(of->area - areas[c], 0.0) : 0.0;
    }
}

Err sampler_finish(Sampler *s)
{
    double sum = 0.0;
    for (int32_t c = 0; c < s->classes; c++) {
        if (s->of_class[c].area > 0.0) sum += pow(s->of_class[c].area, 1.0 - s->balance);
        s->of_class[c].until = sum;
    }
    if (!(sum > 0.0))
        return err_set(ERR_CONFIG, "there is no place to draw windows from: every class that has training pixels is in "
                                   "train.unsampled");
    for (int32_t c = 0; c < s->classes; c++) s->of_class[c].until /= sum;
    return ERR_NONE;
}

SamplerPlace sampler_draw(const Sampler *s, uint64_t step, uint64_t index)
{
    const uint64_t first = index * DRAWS_PER_WINDOW;
    const double u = (double)rng_uniform(s->seed, RNG_SAMPLER, step, first);
    int32_t chosen = 0;
    while (chosen + 1 < s->classes && u >= s->of_class[chosen].until) chosen++;
    while (s->of_class[chosen].kept == 0) chosen--; /* rounding at the very end of the last class */
    const ClassPlaces *c = &s->of_class[chosen];
    /* acceptance by area: a place is kept with probability area / largest area */
    for (uint64_t attempt = 0; attempt < DRAWS_PER_WINDOW / 2 - 1; attempt++) {
        const int64_t i = rng_below(s->seed, RNG_SAMPLER, step, first + 1 + 2 * attempt, c->kept);
        const float v = rng_uniform(s->seed, RNG_SAMPLER, step, first + 2 + 2 * attempt);
        if (v * c->largest < c->areas[i]) return c->places[i];
    }
    return c->places[rng_below(s->seed, RNG_SAMPLER, step, first + DRAWS_PER_WINDOW - 1, c->kept)];
}
