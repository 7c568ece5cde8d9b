/* SPDX-License-Identifier: Apache-2.0
 * Draws of bands; the rules are in the header. */
#include "data/band_draw.h"

#include "base/rng.h"
#include "base/str.h"
#include "geo/band_name.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Draws of one window: 64 numbers are reserved for each. */
enum { DRAWS_PER_WINDOW = 64, DRAW_SET = 0, DRAW_KEPT = 1, DRAW_BAND = 8 };

/* Names of sets stand in the heads of tables. */
static void add_name(Str *text, const char *band)
{
    if (text->length > 0) str_add(text, "+");
    for (; *band != '\0'; band++) {
        const bool plain = isalnum((unsigned char)*band) != 0 || strchr(" .-_", *band) != NULL;
        str_add_bytes(text, plain ? band : "_", 1);
    }
}

static Err find_bands(const DatasetBandSet *from, int64_t place, int64_t bands, char *const *names, BandSet *set)
{
    Str name = { 0 }, known = { 0 };
    Err err = ERR_NONE;
    set->colours = true;
    for (uint32_t i = 0; i < from->n_bands && err == ERR_NONE; i++) {
        const int64_t band = band_name_find(from->bands[i], bands, (const char *const *)names);
        if (band >= 0 && !set->there[band]) {
            set->there[band] = true;
            set->colours = set->colours && band_name_is_colour(names[band]);
            add_name(&name, names[band]);
            continue;
        }
        for (int64_t b = 0; b < bands; b++) str_addf(&known, "%s%s", b > 0 ? ", " : "", names[b]);
        err = err_set(ERR_CONFIG, "train.band_sets.%lld: %s '%.60s'; the images have %s", (long long)place + 1,
                      band >= 0 ? "names twice the band" : "no band, or more than one, is called", from->bands[i],
                      str_text(&known));
    }
    str_done(&known);
    if (err == ERR_NONE) return str_take(&name, &set->name);
    str_done(&name);
    return err;
}

Err band_sets_init(const DatasetOptions *options, int64_t bands, char *const *names, BandSets *ret_sets)
{
    BandSets sets = { .bands = bands, .dropout = options->band_dropout, .all = { .colours = true } };
    if (bands > MODEL_MAX_BANDS)
        return err_set(ERR_CONFIG, "%lld bands; a model reads at most %d", (long long)bands, (int)MODEL_MAX_BANDS);
    sets.sets = calloc((size_t)options->n_band_sets + 1, sizeof *sets.sets);
    if (sets.sets == NULL) return err_memory(sizeof *sets.sets, "the sets of bands");
    for (int64_t b = 0; b < bands; b++) {
        sets.all.there[b] = true;
        sets.all.colours = sets.all.colours && band_name_is_colour(names[b]);
    }
    for (uint32_t i = 0; i < options->n_band_sets; i++) {
        sets.sets[i].probability = options->band_sets[i].probability;
        const Err err = find_bands(&options->band_sets[i], i, bands, names, &sets.sets[i]);
        sets.n_sets++;
        if (err == ERR_NONE) continue;
        band_sets_done(&sets);
        return err;
    }
    *ret_sets = sets;
    return ERR_NONE;
}

void band_sets_done(BandSets *sets)
{
    for (int64_t i = 0; i < sets->n_sets; i++) free(sets->sets[i].name);
    free(sets->sets);
    *sets = (BandSets){ 0 };
}

bool band_sets_draw(const BandSets *sets, uint64_t seed, uint64_t step, uint64_t index, bool ret_there[MODEL_MAX_BANDS])
{
    const uint64_t draw = index * DRAWS_PER_WINDOW;
    double below = (double)rng_uniform(seed, RNG_BANDS, step, draw + DRAW_SET);
    for (int64_t i = 0; i < sets->n_sets; i++) {
        if (below < sets->sets[i].probability) {
            memcpy(ret_there, sets->sets[i].there, sizeof sets->sets[i].there);
            return sets->sets[i].colours;
        }
        below -= sets->sets[i].probability;
    }
    bool any = false;
    memcpy(ret_there, sets->all.there, sizeof sets->all.there);
    for (int64_t b = 0; b < sets->bands && sets->dropout > 0.0; b++) {
        ret_there[b] = (double)rng_uniform(seed, RNG_BANDS, step, draw + DRAW_BAND + (uint64_t)b) >= sets->dropout;
        any = any || ret_there[b];
    }
    if (sets->dropout > 0.0 && !any) ret_there[rng_below(seed, RNG_BANDS, step, draw + DRAW_KEPT, sets->bands)] = true;
    return sets->all.colours;
}
