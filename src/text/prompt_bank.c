/* SPDX-License-Identifier: Apache-2.0
 * The prompt bank: names, validation. */
#include "text/prompt_bank.h"

#include <stdbool.h>
#include <string.h>

const char *const prompt_season_names[PROMPT_SEASONS] = { "spring", "summer", "autumn", "winter" };
const char *const prompt_hemisphere_names[PROMPT_HEMISPHERES] = { "north", "south" };
const char *const prompt_sensor_names[PROMPT_SENSORS] = { "aerial",     "very-high-resolution",
                                                          "sentinel-2", "landsat",
                                                          "modis",      "unknown" };
const char *const prompt_zone_codes[PROMPT_ZONES] = { "Af",  "Am",  "Aw",  "BWh", "BWk", "BSh", "BSk", "Csa",
                                                      "Csb", "Csc", "Cwa", "Cwb", "Cwc", "Cfa", "Cfb", "Cfc",
                                                      "Dsa", "Dsb", "Dsc", "Dsd", "Dwa", "Dwb", "Dwc", "Dwd",
                                                      "Dfa", "Dfb", "Dfc", "Dfd", "ET",  "EF" };

int32_t prompt_zone_number(const char *code)
{
    for (int32_t i = 0; i < PROMPT_ZONES; i++)
        if (strcmp(code, prompt_zone_codes[i]) == 0) return i + 1;
    return 0;
}

static Err validate_zones(const char *name, PromptBank *bank)
{
    PromptZone sorted[PROMPT_ZONES];
    bool seen[PROMPT_ZONES] = { false };
    for (uint32_t i = 0; i < bank->n_zones; i++) {
        const PromptZone *zone = &bank->zones[i];
        const int32_t number = prompt_zone_number(zone->code);
        if (number == 0) {
            const char *nearest = str_nearest(zone->code, prompt_zone_codes, PROMPT_ZONES);
            return err_set(ERR_CONFIG, "'%s': zones.%u: '%s' is no Koeppen-Geiger zone; %s%s", name, i + 1, zone->code,
                           nearest != NULL ? "nearest is " : "expected Af, Am, ... EF", nearest != NULL ? nearest : "");
        }
        if (seen[number - 1]) return err_set(ERR_CONFIG, "'%s': zone %s stands twice; keep one", name, zone->code);
        for (uint32_t k = 0; k < zone->n_paraphrases; k++)
            if (zone->paraphrases[k][0] == '\0')
                return err_set(ERR_CONFIG, "'%s': zone %s: wording %u is empty", name, zone->code, k + 1);
        if (zone->n_paraphrases == 0) return err_set(ERR_CONFIG, "'%s': zone %s has no wording", name, zone->code);
        seen[number - 1] = true;
        sorted[number - 1] = *zone;
    }
    for (int32_t i = 0; i < PROMPT_ZONES; i++)
        if (!seen[i])
            return err_set(ERR_CONFIG, "'%s': zone %s is missing; all %d zones are needed", name, prompt_zone_codes[i],
                           PROMPT_ZONES);
    memcpy(bank->zones, sorted, sizeof sorted);
    return ERR_NONE;
}

static Err validate_seasons(const char *name, const PromptBank *bank)
{
    for (int hemisphere = 0; hemisphere < PROMPT_HEMISPHERES; hemisphere++)
        for (int season = 0; season < PROMPT_SEASONS; season++) {
            int64_t found = 0;
            for (uint32_t i = 0; i < bank->n_seasons; i++)
                found += (int)bank->seasons[i].hemisphere == hemisphere && (int)bank->seasons[i].season == season;
            if (found != 1)
                return err_set(ERR_CONFIG, "'%s': seasons: %s of hemisphere %s stands %lld times; expected once", name,
                               prompt_season_names[season], prompt_hemisphere_names[hemisphere], (long long)found);
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
    for (int sensor = 0; sensor < PROMPT_SENSORS; sensor++) {
        int64_t found = 0;
        for (uint32_t i = 0; i < bank->n_sensors; i++) found += (int)bank->sensors[i].sensor == sensor;
        if (found != 1)
            return err_set(ERR_CONFIG, "'%s': sensors: %s stands %lld times; expected once", name,
                           prompt_sensor_names[sensor], (long long)found);
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
