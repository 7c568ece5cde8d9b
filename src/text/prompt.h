/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts to prompt: up to three sentences (zone; season and hemisphere; sensor and ground sampling distance), each with
 * its own token ids. The text encoder reads each sentence alone; the rows of its features are concatenated in this
 * order (docs/model.md section 7).
 *
 *     Prompt prompt = { 0 };
 *     const PromptFacts facts = { .zone = 15, .season = SEASON_SUMMER, .hemisphere = PROMPT_NORTH,
 *                                 .gsd_metres = 10, .sensor = SENSOR_SENTINEL_2 };
 *     TRY(prompt_compose(&bank, &facts, &prompt));
 *     Err err = prompt_tokenize(tokenizer, &prompt);
 *     ...
 *     prompt_done(&prompt);
 */
#ifndef METASEG_TEXT_PROMPT_H
#define METASEG_TEXT_PROMPT_H

#include "text/prompt_bank.h"

#include <stdbool.h>

typedef enum PromptPart {
    PROMPT_PART_ZONE = 0,
    PROMPT_PART_SEASON,
    PROMPT_PART_OBSERVATION,
    PROMPT_PART_FREE, /* the user's own text */
    PROMPT_PARTS_MAX = 3
} PromptPart;

enum { PROMPT_KEY_BYTES = 64 };

/* One sentence. The key names it among those of its part: "Cfb" of a zone, as in the model file, "north.summer",
 * "modis.over-300m", "modis" (sampling distance unknown), "unknown.over-300m"; "" of the user's own text. */
typedef struct PromptSentence {
    PromptPart part;
    char key[PROMPT_KEY_BYTES];
    char *text; /* owned */
} PromptSentence;

/* What is known of a place and an image. Zeroed: nothing but the zone, see each field. */
typedef struct PromptFacts {
    int32_t zone;       /* 1..30; 0: none (sea, unknown): the null prompt, whatever else is known */
    int32_t paraphrase; /* which wording of the zone, counted from 0, taken modulo their number */
    bool has_season;    /* false: no date, no season sentence */
    Season season;      /* of the place, not of the calendar */
    PromptHemisphere hemisphere;
    double gsd_metres; /* 0, negative or not finite: unknown */
    bool has_sensor;   /* false counts as SENSOR_UNKNOWN */
    SensorClass sensor;
} PromptFacts;

/* A composed prompt. No sentence: the null prompt, which is a learned parameter of the network and has no text. */
typedef struct Prompt {
    PromptSentence sentences[PROMPT_PARTS_MAX];
    int64_t n_sentences;
    int32_t ids[PROMPT_TOKENS_MAX];         /* of all sentences, one after the other; after prompt_tokenize */
    int64_t token_counts[PROMPT_PARTS_MAX]; /* of each sentence, start and end included */
    int64_t n_tokens;
} Prompt;

/* Index of the bank's class for a ground sampling distance; -1 when it is unknown (0, negative, not finite). */
int64_t prompt_sampling_class(const PromptBank *bank, double gsd_metres);

/* Sentences for the facts; bank validated. The observation sentence is "SENSOR, SAMPLING"; left out when both are
 * unknown. *ret_prompt is overwritten; prompt_done frees it. ERR_ARGUMENT: no such zone; ERR_MEMORY. */
Err prompt_compose(const PromptBank *bank, const PromptFacts *facts, Prompt *ret_prompt);

/* A prompt of one sentence in the user's words (--prompt). ERR_ARGUMENT: empty; ERR_MEMORY. */
Err prompt_from_text(const char *text, Prompt *ret_prompt);

/* Fills the ids. ERR_ARGUMENT: more than `most` tokens in all (nothing is cut silently); most: of the text encoder, at most
 * PROMPT_TOKENS_MAX. */
Err prompt_tokenize(const Tokenizer *tokenizer, int64_t most, Prompt *prompt);

/* Frees the texts and zeroes. */
void prompt_done(Prompt *prompt);

/* All sentences of seasons and observations that prompt_compose can produce. Free with prompt_sentences_free.
 * ERR_MEMORY. */
Err prompt_fact_sentences(const PromptBank *bank, PromptSentence **ret_sentences, int64_t *ret_count);
void prompt_sentences_free(PromptSentence *sentences, int64_t count);

#endif
