/* SPDX-License-Identifier: Apache-2.0
 * The prompt bank: names, validation. */
#include "text/prompt_bank.h"

#include <stdbool.h>
#include <string.h>

const char *const prompt_hemisphere_names[PROMPT_HEMISPHERES] = { "north", "south" };

/* Number of a zone by its code as written; 0: none. */
static int32_t zone_number(const char *code)
{
    int32_t zone = CLIMATE_ZONES;
    while (zone > 0 && strcmp(code, climate_zone_name(zone)) != 0) zone--;
    return zone;
}

static Err unknown_zone(const char *name, uint32_t index, const char *code)
{
    const char *codes[CLIMATE_ZONES];
    for (int i = 0; i < CLIMATE_ZONES; i++) codes[i] = climate_zone_name(i + 1);
    const char *nearest = str_nearest(code, codes, CLIMATE_ZONES);
    return err_set(ERR_CONFIG, "'%s': zones.%u: '%s' is no Koeppen-Geiger zone; %s%s", name, index, code,
                   nearest != NULL ? "nearest is " : "expected Af, Am, ... EF", nearest != NULL ? nearest : "");
}

static Err validate_zones(const char *name, PromptBank *bank)
{
    PromptZone sorted[CLIMATE_ZONES];
    bool seen[CLIMATE_ZONES] = { false };
    for (uint32_t i = 0; i < bank->n_zones; i++) {
        const PromptZone *zone = &bank->zones[i];
        const int32_t number = zone_number(zone->code);
        if (number == 0) return unknown_zone(name, i + 1, zone->code);
        if (seen[number - 1]) return err_set(ERR_CONFIG, "'%s': zone %s stands twice; keep one", name, zone->code);
        for (uint32_t k = 0; k < zone->n_paraphrases; k++)
            if (zone->paraphrases[k][0] == '\0')
                return err_set(ERR_CONFIG, "'%s': zone %s: wording %u is empty", name, zone->code, k + 1);
        if (zone->n_paraphrases == 0) return err_set(ERR_CONFIG, "'%s': zone %s has no wording", name, zone->code);
        seen[number - 1] = true;
        sorted[number - 1] = *zone;
    }
    for (int32_t i = 0; i < CLIMATE_ZONES; i++)
        if (!seen[i])
            return err_set(ERR_CONFIG, "'%s': zone %s is missing; all %d zones are needed", name,
                           climate_zone_name(i + 1), CLIMATE_ZONES);
    memcpy(bank->zones, sorted, sizeof sorted);
    return ERR_NONE;
}

static Err validate_seasons(const char *name, const PromptBank *bank)
{
    for (int hemisphere = 0; hemisphere < PROMPT_HEMISPHERES; hemisphere++)
        for (int season = 0; season < SEASON_COUNT; season++) {
            int64_t found = 0;
            for (uint32_t i = 0; i < bank->n_seasons; i++)
                found += (int)bank->seasons[i].hemisphere == hemisphere && (int)bank->seasons[i].season == season;
            if (found != 1)
                return err_set(ERR_CONFIG, "'%s': seasons: %s of hemisphere %s stands %lld times; expected once", name,
                               season_names[season], prompt_hemisphere_names[hemisphere], (long long)found);
        }
    return ERR_NONE;
}

static Err validate_observation(const char *name, const PromptBank *bank)
{
    for (uint32_t i = 0; i < bank->n_sampling; i++) {
        const double below = bank->sampling[i].below;
        const bool last = i + 1 == bank->n_sampling;
        if (last ? below != 0.0 : below <= (i > 0 ? bank->sampling[i - 1].below : 0.0))
            return err_set(ERR_CONFIG, "'%s': sampling.%u: limits must rise and the last class have none", name, i + 1);
    }
    if (bank->n_sampling == 0) return err_set(ERR_CONFIG, "'%s': sampling: no class; expected at least one", name);
    for (int sensor = 0; sensor < SENSOR_COUNT; sensor++) {
        int64_t found = 0;
        for (uint32_t i = 0; i < bank->n_sensors; i++) found += (int)bank->sensors[i].sensor == sensor;
        if (found != 1)
            return err_set(ERR_CONFIG, "'%s': sensors: %s stands %lld times; expected once", name, sensor_names[sensor],
                           (long long)found);
    }
    return ERR_NONE;
}

Err prompt_bank_validate(const char *name, PromptBank *bank)
{
    if (bank->version != 1)
        return err_set(ERR_CONFIG, "'%s': version %lld of the prompt bank; this program reads version 1", name,
                       (long long)bank->version);
    TRY(validate_zones(name, bank));
    TRY(validate_seasons(name, bank));
    return validate_observation(name, bank);
}
