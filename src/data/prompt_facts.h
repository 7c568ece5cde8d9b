/* SPDX-License-Identifier: Apache-2.0
 *
 * From a place to words: the facts about an image, a point or a box (geo/metadata.h), its climate zones with their
 * shares, and the prompt of each zone (text/prompt.h).
 *
 *     PlacePrompts place;
 *     TRY(place_prompts_collect(&(PlaceQuery){ .lonlat = "13.06,52.40" }, climate, &bank, &place));
 *     ... place.zones[0].prompt.sentences[0].text ...
 *     place_prompts_done(&place);
 */
#ifndef METASEG_DATA_PROMPT_FACTS_H
#define METASEG_DATA_PROMPT_FACTS_H

#include "geo/climate.h"
#include "geo/metadata.h"
#include "text/prompt.h"

/* Where: an image, a point or a box; a point together with an image is the place of an image without georeference.
 * NULL: not given. */
typedef struct PlaceQuery {
    const char *image;         /* path of a raster */
    const char *crs;           /* of the image instead of the file's, as in georeference_open */
    const char *lonlat;        /* "13.06,52.40" */
    const char *bbox;          /* "west,south,east,north" */
    const char *date, *sensor; /* override the image's, as in MetadataOverrides */
    const volatile int *stop;  /* as in raster_open */
} PlaceQuery;

typedef struct ZonePrompt {
    int32_t zone; /* 1..CLIMATE_ZONES */
    double share; /* of the place, 0..1 */
    Prompt prompt;
} ZonePrompt;

/* Owns the prompts (place_prompts_done). */
typedef struct PlacePrompts {
    Metadata metadata;
    ZonePrompt zones[CLIMATE_ZONES]; /* those that occur, largest share first */
    int32_t n_zones;
    double null_share;      /* of the place, without a zone: the null prompt */
    double land_kilometres; /* of a point at sea: to the land whose zone it got; else 0 */
} PlacePrompts;

/* Facts as the composer takes them: season, hemisphere, sensor and sampling distance where they are known. */
PromptFacts prompt_facts_of(const Metadata *metadata, int32_t zone);

/* Collects facts, zones and prompts (first wording). A place without a zone takes the zone of land within 25 km, as in
 * prediction (ZoneShareOptions). ERR_ARGUMENT: no place, more than one, or one that cannot be read; ERR_INPUT: the
 * image; ERR_INTERRUPTED, ERR_MEMORY. */
Err place_prompts_collect(const PlaceQuery *query, const Climate *climate, const PromptBank *bank,
                          PlacePrompts *ret_place);
void place_prompts_done(PlacePrompts *place);

/* Fills the token ids of all prompts. ERR_ARGUMENT, ERR_MEMORY. */
Err place_prompts_tokenize(const Tokenizer *tokenizer, PlacePrompts *place);

#endif
