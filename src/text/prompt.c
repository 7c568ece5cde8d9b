/* SPDX-License-Identifier: Apache-2.0
 * Facts to sentences to token ids. */
#include "text/prompt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t prompt_sampling_class(const PromptBank *bank, double gsd_metres)
{
    if (!isfinite(gsd_metres) || gsd_metres <= 0.0) return -1;
    int64_t index = 0;
    while (index + 1 < (int64_t)bank->n_sampling && gsd_metres >= bank->sampling[index].below) index++;
    return index;
}

static Err zone_sentence(const PromptBank *bank, int32_t zone, int64_t paraphrase, PromptSentence *ret_sentence)
{
    const PromptZone *from = &bank->zones[zone - 1];
    PromptSentence sentence = { .part = PROMPT_PART_ZONE };
    (void)snprintf(sentence.key, sizeof sentence.key, "%s", from->code);
    TRY(str_copy(from->paraphrases[paraphrase], &sentence.text));
    *ret_sentence = sentence;
    return ERR_NONE;
}

static Err season_sentence(const PromptBank *bank, Season season, PromptHemisphere hemisphere,
                           PromptSentence *ret_sentence)
{
    PromptSentence sentence = { .part = PROMPT_PART_SEASON };
    (void)snprintf(sentence.key, sizeof sentence.key, "%s.%s", prompt_hemisphere_names[hemisphere],
                   season_names[season]);
    for (uint32_t i = 0; i < bank->n_seasons; i++)
        if (bank->seasons[i].season == season && bank->seasons[i].hemisphere == hemisphere)
            TRY(str_copy(bank->seasons[i].text, &sentence.text));
    ASSERT(sentence.text != NULL); /* prompt_bank_validate */
    *ret_sentence = sentence;
    return ERR_NONE;
}

/* sampling -1: unknown. */
static Err observation_sentence(const PromptBank *bank, SensorClass sensor, int64_t sampling,
                                PromptSentence *ret_sentence)
{
    PromptSentence sentence = { .part = PROMPT_PART_OBSERVATION };
    const char *sensor_text = NULL;
    for (uint32_t i = 0; i < bank->n_sensors; i++)
        if (bank->sensors[i].sensor == sensor) sensor_text = bank->sensors[i].text;
    ASSERT(sensor_text != NULL);
    const PromptSampling *class = sampling < 0 ? NULL : &bank->sampling[sampling];
    (void)snprintf(sentence.key, sizeof sentence.key, "%s%s%.32s", sensor_names[sensor], class == NULL ? "" : ".",
                   class == NULL ? "" : class->name);
    TRY(str_format(&sentence.text, "%s%s%s", sensor_text, class == NULL ? "" : ", ", class == NULL ? "" : class->text));
    *ret_sentence = sentence;
    return ERR_NONE;
}

static Err add_sentences(const PromptBank *bank, const PromptFacts *facts, Prompt *prompt)
{
    const int64_t wordings = bank->zones[facts->zone - 1].n_paraphrases;
    const int64_t wording = ((int64_t)facts->paraphrase % wordings + wordings) % wordings;
    const SensorClass sensor = facts->has_sensor ? facts->sensor : SENSOR_UNKNOWN;
    const int64_t sampling = prompt_sampling_class(bank, facts->gsd_metres);
    TRY(zone_sentence(bank, facts->zone, wording, &prompt->sentences[prompt->n_sentences]));
    prompt->n_sentences++;
    if (facts->has_season) {
        TRY(season_sentence(bank, facts->season, facts->hemisphere, &prompt->sentences[prompt->n_sentences]));
        prompt->n_sentences++;
    }
    if (sensor != SENSOR_UNKNOWN || sampling >= 0) {
        TRY(observation_sentence(bank, sensor, sampling, &prompt->sentences[prompt->n_sentences]));
        prompt->n_sentences++;
    }
    return ERR_NONE;
}

Err prompt_compose(const PromptBank *bank, const PromptFacts *facts, Prompt *ret_prompt)
{
    if (facts->zone < 0 || facts->zone > CLIMATE_ZONES)
        return err_set(ERR_ARGUMENT, "climate zone %d; expected 1 to %d, or 0 for none", facts->zone, CLIMATE_ZONES);
    Prompt prompt = { .n_sentences = 0 };
    if (facts->zone > 0) {
        const Err err = add_sentences(bank, facts, &prompt);
        if (err != ERR_NONE) {
            prompt_done(&prompt);
            return err;
        }
    }
    *ret_prompt = prompt;
    return ERR_NONE;
}

Err prompt_from_text(const char *text, Prompt *ret_prompt)
{
    if (text[strspn(text, " \t\r\n")] == '\0') return err_set(ERR_ARGUMENT, "the prompt is empty; give some words");
    Prompt prompt = { .n_sentences = 1 };
    prompt.sentences[0] = (PromptSentence){ .part = PROMPT_PART_FREE };
    TRY(str_copy(text, &prompt.sentences[0].text));
    *ret_prompt = prompt;
    return ERR_NONE;
}

Err prompt_tokenize(const Tokenizer *tokenizer, int64_t most, Prompt *prompt)
{
    ASSERT(most <= PROMPT_TOKENS_MAX);
    int32_t ids[PROMPT_TOKENS_MAX] = { 0 };
    int64_t counts[PROMPT_PARTS_MAX] = { 0 };
    int64_t n_tokens = 0, wanted = 0;
    for (int64_t i = 0; i < prompt->n_sentences; i++) {
        const char *text = prompt->sentences[i].text;
        int32_t own[PROMPT_TOKENS_MAX];
        int64_t full = 0;
        TRY(tokenizer_encode(tokenizer, text, strlen(text), PROMPT_TOKENS_MAX, own, &counts[i], &full));
        wanted += full;
        if (wanted > most) continue;
        memcpy(ids + n_tokens, own, (size_t)counts[i] * sizeof ids[0]);
        n_tokens += counts[i];
    }
    if (wanted > most)
        return err_set(ERR_ARGUMENT, "the prompt has %lld tokens; at most %lld are taken, say it shorter",
                       (long long)wanted, (long long)most);
    memcpy(prompt->ids, ids, sizeof ids);
    memcpy(prompt->token_counts, counts, sizeof counts);
    prompt->n_tokens = n_tokens;
    return ERR_NONE;
}

void prompt_done(Prompt *prompt)
{
    if (prompt == NULL) return;
    for (int64_t i = 0; i < prompt->n_sentences; i++) free(prompt->sentences[i].text);
    *prompt = (Prompt){ .n_sentences = 0 };
}

static Err list_facts(const PromptBank *bank, PromptSentence *list, int64_t *count)
{
    for (int hemisphere = 0; hemisphere < PROMPT_HEMISPHERES; hemisphere++)
        for (int season = 0; season < SEASON_COUNT; season++, ++*count)
            TRY(season_sentence(bank, (Season)season, (PromptHemisphere)hemisphere, &list[*count]));
    for (int sensor = 0; sensor < SENSOR_COUNT; sensor++)
        for (int64_t sampling = -1; sampling < (int64_t)bank->n_sampling; sampling++) {
            if (sensor == SENSOR_UNKNOWN && sampling < 0) continue; /* no sentence then */
            TRY(observation_sentence(bank, (SensorClass)sensor, sampling, &list[*count]));
            ++*count;
        }
    return ERR_NONE;
}

Err prompt_fact_sentences(const PromptBank *bank, PromptSentence **ret_sentences, int64_t *ret_count)
{
    const int64_t room = SEASON_COUNT * PROMPT_HEMISPHERES + SENSOR_COUNT * ((int64_t)bank->n_sampling + 1);
    PromptSentence *list = calloc((size_t)room, sizeof *list);
    if (list == NULL) return err_memory((unsigned long long)room * sizeof *list, "the sentences of a prompt bank");
    int64_t count = 0;
    const Err err = list_facts(bank, list, &count);
    if (err != ERR_NONE) {
        prompt_sentences_free(list, count);
        return err;
    }
    *ret_sentences = list;
    *ret_count = count;
    return ERR_NONE;
}

void prompt_sentences_free(PromptSentence *sentences, int64_t count)
{
    if (sentences == NULL) return;
    for (int64_t i = 0; i < count; i++) free(sentences[i].text);
    free(sentences);
}
