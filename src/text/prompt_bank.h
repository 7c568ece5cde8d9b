/* SPDX-License-Identifier: Apache-2.0
 *
 * The prompt bank as plain data: what the land looks like from above in each Koeppen-Geiger zone, in several wordings,
 * and the short sentences for season, ground sampling distance and sensor. data/prompt_bank_file.h reads it from YAML
 * (share/prompts/koppen.yaml).
 *
 * Zones are numbered as in base/climate_zones.h, 1..30.
 */
#ifndef METASEG_TEXT_PROMPT_BANK_H
#define METASEG_TEXT_PROMPT_BANK_H

#include "base/climate_zones.h"
#include "base/err.h"
#include "base/image_facts.h"
#include "base/str.h"
#include "text/prompt_table.h"
#include "text/tokenizer.h"

#include <stdint.h>

enum {
    PROMPT_PARAPHRASES_MIN = 5,
    PROMPT_ZONE_TOKENS_MAX = 48, /* a zone's wording with start and end */
    PROMPT_BANK_TOKENS_MAX = 64, /* a whole prompt: what every text encoder takes */
};

typedef enum PromptHemisphere { PROMPT_NORTH = 0, PROMPT_SOUTH, PROMPT_HEMISPHERES } PromptHemisphere;
extern const char *const prompt_hemisphere_names[PROMPT_HEMISPHERES]; /* "north", "south" */

typedef struct PromptReference {
    char *key;  /* "peel2007" */
    char *text; /* full citation */
} PromptReference;

typedef struct PromptZone {
    char *code;
    char *name;         /* "tropical rainforest" */
    char *criteria;     /* defining thresholds */
    char **paraphrases; /* the first is the one that prediction uses */
    uint32_t n_paraphrases;
    char **sources; /* keys of references */
    uint32_t n_sources;
} PromptZone;

typedef struct PromptSeasonText {
    PromptHemisphere hemisphere;
    Season season;
    char *text;
} PromptSeasonText;

/* A class of ground sampling distances: from the limit of the class before, up to (not including) `below` metres. */
typedef struct PromptSampling {
    char *name;
    double below; /* 0: no limit (the last class) */
    char *text;
} PromptSampling;

typedef struct PromptSensorText {
    SensorClass sensor;
    char *text;
} PromptSensorText;

/* All owned by the bank; who fills it frees it (prompt_bank_file_free). */
typedef struct PromptBank {
    int64_t version;
    PromptReference *references;
    uint32_t n_references;
    PromptZone *zones; /* after prompt_bank_validate: entry z - 1 is zone z */
    uint32_t n_zones;
    PromptSeasonText *seasons;
    uint32_t n_seasons;
    PromptSampling *sampling;
    uint32_t n_sampling;
    PromptSensorText *sensors;
    uint32_t n_sensors;
} PromptBank;

/* What any use of the bank relies on: each of the 30 zones once (brought into order), at least one wording each, each
 * season of both hemispheres once, sampling classes rising with the last unlimited, each sensor once, no empty text.
 * `name` is the file in messages. ERR_CONFIG names the first thing wrong. */
Err prompt_bank_validate(const char *name, PromptBank *bank);

typedef struct PromptBankStatistics {
    int64_t findings;                         /* lines of the findings */
    int64_t wordings;                         /* of zones */
    int64_t zone_tokens_min, zone_tokens_max; /* of one wording */
    double zone_tokens_mean;
    int64_t season_tokens_max, observation_tokens_max;    /* of one sentence */
    int64_t prompt_tokens_max;                            /* of a whole prompt, the three maxima together */
    double same_zone_overlap_max, other_zone_overlap_max; /* share of common words, 0..1 */
} PromptBankStatistics;

/* The quality rules of a validated bank, one line of text per finding appended to `findings`: at least five wordings
 * per zone, at most 48 tokens each and 64 in all, no word the vocabulary lacks, no place names (capital letters inside
 * a wording), wordings of a zone not nearly the same (over 80 % of their words in common), wordings of two zones
 * clearly different (under 60 %), at least two sources per zone, each known. ERR_MEMORY, ERR_ARGUMENT only; findings
 * are no error. */
Err prompt_bank_check(const PromptBank *bank, const Tokenizer *tokenizer, Str *findings,
                      PromptBankStatistics *ret_statistics);

#endif
