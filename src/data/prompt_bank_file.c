/* SPDX-License-Identifier: Apache-2.0
 * The prompt bank's YAML schema. */
#include "data/prompt_bank_file.h"

#include "data/yaml_file.h"

static const YamlField reference_fields[] = {
    { "key", YAML_STRING, YAML_AT(PromptReference, key) },
    { "text", YAML_STRING, YAML_AT(PromptReference, text) },
};
static const YamlTable reference_table = { "reference", sizeof(PromptReference), reference_fields,
                                           ARRAY_LEN(reference_fields) };

static const YamlField zone_fields[] = {
    { "code", YAML_STRING, YAML_AT(PromptZone, code) },
    { "name", YAML_STRING, YAML_AT(PromptZone, name) },
    { "criteria", YAML_STRING, YAML_AT(PromptZone, criteria), .optional = true },
    { "sources", YAML_LIST, YAML_LIST_AT(PromptZone, sources, n_sources), .element = YAML_STRING, .optional = true },
    { "paraphrases", YAML_LIST, YAML_LIST_AT(PromptZone, paraphrases, n_paraphrases), .element = YAML_STRING },
};
static const YamlTable zone_table = { "zone", sizeof(PromptZone), zone_fields, ARRAY_LEN(zone_fields) };

static const YamlField season_fields[] = {
    { "hemisphere", YAML_CHOICE, YAML_AT(PromptSeasonText, hemisphere), .choices = prompt_hemisphere_names,
      .n_choices = PROMPT_HEMISPHERES },
    { "season", YAML_CHOICE, YAML_AT(PromptSeasonText, season), .choices = season_names, .n_choices = SEASON_COUNT },
    { "text", YAML_STRING, YAML_AT(PromptSeasonText, text) },
};
static const YamlTable season_table = { "season", sizeof(PromptSeasonText), season_fields, ARRAY_LEN(season_fields) };

static const YamlField sampling_fields[] = {
    { "name", YAML_STRING, YAML_AT(PromptSampling, name) },
    { "below", YAML_NUMBER, YAML_AT(PromptSampling, below), .optional = true, .minimum = 1e-3, .maximum = 1e6 },
    { "text", YAML_STRING, YAML_AT(PromptSampling, text) },
};
static const YamlTable sampling_table = { "sampling", sizeof(PromptSampling), sampling_fields,
                                          ARRAY_LEN(sampling_fields) };

static const YamlField sensor_fields[] = {
    { "sensor", YAML_CHOICE, YAML_AT(PromptSensorText, sensor), .choices = sensor_names, .n_choices = SENSOR_COUNT },
    { "text", YAML_STRING, YAML_AT(PromptSensorText, text) },
};
static const YamlTable sensor_table = { "sensor", sizeof(PromptSensorText), sensor_fields, ARRAY_LEN(sensor_fields) };

static const YamlField bank_fields[] = {
    { "version", YAML_INTEGER, YAML_AT(PromptBank, version), .minimum = 1, .maximum = 1000 },
    { "references", YAML_LIST, YAML_LIST_AT(PromptBank, references, n_references), .element = YAML_TABLE,
      .table = &reference_table, .optional = true },
    { "zones", YAML_LIST, YAML_LIST_AT(PromptBank, zones, n_zones), .element = YAML_TABLE, .table = &zone_table },
    { "seasons", YAML_LIST, YAML_LIST_AT(PromptBank, seasons, n_seasons), .element = YAML_TABLE,
      .table = &season_table },
    { "sampling", YAML_LIST, YAML_LIST_AT(PromptBank, sampling, n_sampling), .element = YAML_TABLE,
      .table = &sampling_table },
    { "sensors", YAML_LIST, YAML_LIST_AT(PromptBank, sensors, n_sensors), .element = YAML_TABLE,
      .table = &sensor_table },
};
static const YamlTable bank_table = { "prompt bank", sizeof(PromptBank), bank_fields, ARRAY_LEN(bank_fields) };

Err prompt_bank_file_load(const char *path, PromptBank *ret_bank)
{
    PromptBank bank;
    TRY(yaml_file_load(path, &bank_table, NULL, 0, &bank, NULL));
    const Err err = prompt_bank_validate(path, &bank);
    if (err != ERR_NONE) {
        prompt_bank_file_free(&bank);
        return err;
    }
    *ret_bank = bank;
    return ERR_NONE;
}

void prompt_bank_file_free(PromptBank *bank) { yaml_file_free(&bank_table, bank); }
