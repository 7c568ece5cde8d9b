/* SPDX-License-Identifier: Apache-2.0
 * Prompts from facts, on a small bank made here. */
#include "text/prompt.h"
#include "text/wordpiece.h"

#include "base/file.h"
#include "harness/unit.h"

#include <math.h>
#include <string.h>

/* Texts are written into one pool, so that the bank's pointers need no freeing. */
typedef struct Fixture {
    char pool[16384];
    size_t used;
    PromptBank bank;
    PromptZone zones[CLIMATE_ZONES];
    char *wordings[CLIMATE_ZONES][2];
    PromptSeasonText seasons[8];
    PromptSampling sampling[3];
    PromptSensorText sensors[SENSOR_COUNT];
} Fixture;

static char *text(Fixture *fixture, const char *format, const char *a, const char *b)
{
    char *at = fixture->pool + fixture->used;
    const int length = snprintf(at, sizeof fixture->pool - fixture->used, format, a, b);
    fixture->used += (size_t)length + 1;
    assert_true(fixture->used < sizeof fixture->pool);
    return at;
}

static void make_bank(Fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    PromptBank *bank = &fixture->bank;
    *bank = (PromptBank){ .version = 1,
                          .zones = fixture->zones,
                          .n_zones = CLIMATE_ZONES,
                          .seasons = fixture->seasons,
                          .n_seasons = 8,
                          .sampling = fixture->sampling,
                          .n_sampling = 3,
                          .sensors = fixture->sensors,
                          .n_sensors = SENSOR_COUNT };
    for (int i = 0; i < CLIMATE_ZONES; i++) {
        const char *code = climate_zone_name(CLIMATE_ZONES - i); /* backwards: validation brings them into order */
        fixture->wordings[i][0] = text(fixture, "%s land%s", code, "");
        fixture->wordings[i][1] = text(fixture, "land of %s%s", code, "");
        fixture->zones[i] = (PromptZone){ .code = text(fixture, "%s%s", code, ""),
                                          .paraphrases = fixture->wordings[i],
                                          .n_paraphrases = 2 };
    }
    for (int i = 0; i < 8; i++) {
        const int season = i % 4, hemisphere = i / 4;
        fixture->seasons[i] =
            (PromptSeasonText){ (PromptHemisphere)hemisphere, (Season)season,
                                text(fixture, "%s %s", prompt_hemisphere_names[hemisphere], season_names[season]) };
    }
    fixture->sampling[0] =
        (PromptSampling){ text(fixture, "fine%s%s", "", ""), 2, text(fixture, "houses%s%s", "", "") };
    fixture->sampling[1] =
        (PromptSampling){ text(fixture, "middle%s%s", "", ""), 30, text(fixture, "fields%s%s", "", "") };
    fixture->sampling[2] =
        (PromptSampling){ text(fixture, "coarse%s%s", "", ""), 0, text(fixture, "regions%s%s", "", "") };
    for (int i = 0; i < SENSOR_COUNT; i++)
        fixture->sensors[i] = (PromptSensorText){ (SensorClass)i, text(fixture, "%s view%s", sensor_names[i], "") };
}

static void zones_come_into_order(void **state)
{
    (void)state;
    Fixture fixture;
    make_bank(&fixture);
    assert_int_equal(prompt_bank_validate("bank", &fixture.bank), ERR_NONE);
    for (int i = 0; i < CLIMATE_ZONES; i++) {
        assert_string_equal(fixture.bank.zones[i].code, climate_zone_name(i + 1));
    }
}

/* One way each to break the bank, and the sentence that must tell. */
static void invalid_banks(void **state)
{
    (void)state;
    enum {
        VERSION,
        MISSPELT,
        CASE,
        SYNONYM,
        STRANGE,
        TWICE,
        MISSING,
        NO_WORDING,
        EMPTY_WORDING,
        SEASON,
        LIMITS,
        LAST_LIMIT,
        SENSOR,
        N_CASES
    };
    static const char *const messages[N_CASES] = {
        [VERSION] = "'b': version 2 of the prompt bank; this program reads version 1",
        [MISSPELT] = "'b': zones.1: 'BWq' is no Koeppen-Geiger zone; nearest is BWh",
        [CASE] = "'b': zones.1: 'af' is no Koeppen-Geiger zone; nearest is Af",
        [SYNONYM] = "'b': zones.1: 'As' is no Koeppen-Geiger zone; nearest is Af",
        [STRANGE] = "'b': zones.1: 'jungle' is no Koeppen-Geiger zone; expected Af, Am, ... EF",
        [TWICE] = "'b': zone ET stands twice; keep one",
        [MISSING] = "'b': zone Af is missing; all 30 zones are needed",
        [NO_WORDING] = "'b': zone ET has no wording",
        [EMPTY_WORDING] = "'b': zone ET: wording 2 is empty",
        [SEASON] = "'b': seasons: winter of hemisphere south stands 0 times; expected once",
        [LIMITS] = "'b': sampling.2: limits must rise and the last class have none",
        [LAST_LIMIT] = "'b': sampling.3: limits must rise and the last class have none",
        [SENSOR] = "'b': sensors: unknown stands 0 times; expected once",
    };
    static char bwq[] = "BWq", af[] = "af", as[] = "As", jungle[] = "jungle", et[] = "ET", nothing[] = "";
    for (int i = 0; i < N_CASES; i++) {
        Fixture fixture;
        make_bank(&fixture);
        if (i == VERSION) fixture.bank.version = 2;
        if (i == MISSPELT) fixture.zones[0].code = bwq;
        if (i == CASE) fixture.zones[0].code = af;
        if (i == SYNONYM) fixture.zones[0].code = as;
        if (i == STRANGE) fixture.zones[0].code = jungle;
        if (i == TWICE) fixture.zones[0].code = et;
        if (i == MISSING) fixture.bank.n_zones--;
        if (i == NO_WORDING) fixture.zones[1].n_paraphrases = 0;
        if (i == EMPTY_WORDING) fixture.wordings[1][1] = nothing;
        if (i == SEASON) fixture.bank.n_seasons--;
        if (i == LIMITS) fixture.sampling[1].below = 2;
        if (i == LAST_LIMIT) fixture.sampling[2].below = 500;
        if (i == SENSOR) fixture.bank.n_sensors--;
        assert_int_equal(prompt_bank_validate("b", &fixture.bank), ERR_CONFIG);
        assert_string_equal(err_message(), messages[i]);
    }
}

static void sampling_classes(void **state)
{
    (void)state;
    Fixture fixture;
    make_bank(&fixture);
    static const struct {
        double metres;
        int64_t index;
    } cases[] = { { 0.05, 0 }, { 1.999, 0 }, { 2, 1 }, { 29.9, 1 }, { 30, 2 }, { 7400, 2 }, { 0, -1 }, { -1, -1 } };
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(prompt_sampling_class(&fixture.bank, cases[i].metres), cases[i].index);
    assert_int_equal(prompt_sampling_class(&fixture.bank, (double)NAN), -1);
    assert_int_equal(prompt_sampling_class(&fixture.bank, HUGE_VAL), -1);
}

static void composing(void **state)
{
    (void)state;
    Fixture fixture;
    make_bank(&fixture);
    assert_int_equal(prompt_bank_validate("bank", &fixture.bank), ERR_NONE);
    static const struct {
        PromptFacts facts;
        const char *keys[3], *texts[3]; /* up to the first NULL */
    } cases[] = {
        { { .zone = 15,
            .has_season = true,
            .season = SEASON_WINTER,
            .hemisphere = PROMPT_SOUTH,
            .gsd_metres = 10,
            .has_sensor = true,
            .sensor = SENSOR_SENTINEL_2 },
          { "Cfb", "south.winter", "sentinel-2.middle" },
          { "Cfb land", "south winter", "sentinel-2 view, fields" } },
        { { .zone = 1, .paraphrase = 1 }, { "Af" }, { "land of Af" } },
        { { .zone = 30, .paraphrase = 7 }, { "EF" }, { "land of EF" } },
        { { .zone = 30, .paraphrase = -1 }, { "EF" }, { "land of EF" } },
        { { .zone = 2, .gsd_metres = 9000 }, { "Am", "unknown.coarse" }, { "Am land", "unknown view, regions" } },
        { { .zone = 2, .has_sensor = true, .sensor = SENSOR_MODIS }, { "Am", "modis" }, { "Am land", "modis view" } },
        { { .zone = 2, .has_sensor = true, .sensor = SENSOR_UNKNOWN }, { "Am" }, { "Am land" } },
        { { .zone = 0, .has_season = true, .gsd_metres = 10, .has_sensor = true }, { NULL }, { NULL } },
    };
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        Prompt prompt;
        assert_int_equal(prompt_compose(&fixture.bank, &cases[i].facts, &prompt), ERR_NONE);
        int64_t wanted = 0;
        while (wanted < 3 && cases[i].keys[wanted] != NULL) wanted++;
        assert_int_equal(prompt.n_sentences, wanted);
        for (int64_t k = 0; k < wanted; k++) {
            assert_string_equal(prompt.sentences[k].key, cases[i].keys[k]);
            assert_string_equal(prompt.sentences[k].text, cases[i].texts[k]);
        }
        prompt_done(&prompt);
        assert_int_equal(prompt.n_sentences, 0);
    }
    Prompt prompt;
    assert_int_equal(prompt_compose(&fixture.bank, &(PromptFacts){ .zone = 31 }, &prompt), ERR_ARGUMENT);
    assert_int_equal(prompt_compose(&fixture.bank, &(PromptFacts){ .zone = -1 }, &prompt), ERR_ARGUMENT);
}

/* Whatever season, sensor and distance give must be among the listed sentences, under the same key and with the same text, and keys are
 * unique. */
static void listed_sentences(void **state)
{
    (void)state;
    Fixture fixture;
    make_bank(&fixture);
    assert_int_equal(prompt_bank_validate("bank", &fixture.bank), ERR_NONE);
    PromptSentence *list = NULL;
    int64_t count = 0;
    ASSERT_OK(prompt_fact_sentences(&fixture.bank, &list, &count));
    assert_int_equal(count, 8 + 6 * 4 - 1);
    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < i; k++) assert_string_not_equal(list[i].key, list[k].key);
    static const double distances[] = { 0, 1, 5, 100 };
    for (int sensor = 0; sensor < SENSOR_COUNT; sensor++)
        for (int64_t d = 0; d < ARRAY_LEN(distances); d++) {
            const PromptFacts facts = { .zone = 7,
                                        .paraphrase = 1,
                                        .has_season = true,
                                        .season = SEASON_SPRING,
                                        .gsd_metres = distances[d],
                                        .has_sensor = true,
                                        .sensor = (SensorClass)sensor };
            Prompt prompt;
            assert_int_equal(prompt_compose(&fixture.bank, &facts, &prompt), ERR_NONE);
            for (int64_t s = 1; s < prompt.n_sentences; s++) { /* after the zone's */
                int64_t found = 0;
                for (int64_t i = 0; i < count; i++)
                    if (strcmp(list[i].key, prompt.sentences[s].key) == 0) {
                        assert_string_equal(list[i].text, prompt.sentences[s].text);
                        assert_int_equal(list[i].part, prompt.sentences[s].part);
                        found++;
                    }
                assert_int_equal(found, 1);
            }
            prompt_done(&prompt);
        }
    prompt_sentences_free(list, count);
}

/* A vocabulary of a few words made here, so that this needs no installed data. */
static Tokenizer *small_tokenizer(void)
{
    static const char vocabulary[] =
        "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nland\nsouth\nwinter\nview\nfields\n,\naf\nmodis\n";
    char folder[64];
    unit_folder(folder);
    char *path = NULL;
    assert_int_equal(path_join(folder, "vocab.txt", &path), ERR_NONE);
    assert_int_equal(file_write(path, vocabulary, strlen(vocabulary), true), ERR_NONE);
    Tokenizer *tokenizer = NULL;
    ASSERT_OK(wordpiece_new(path, &tokenizer));
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_int_equal(rmdir(folder), 0);
    free(path);
    return tokenizer;
}

static void token_ids(void **state)
{
    (void)state;
    Fixture fixture;
    make_bank(&fixture);
    assert_int_equal(prompt_bank_validate("bank", &fixture.bank), ERR_NONE);
    Tokenizer *tokenizer = small_tokenizer();
    const PromptFacts facts = { .zone = 1,
                                .has_season = true,
                                .season = SEASON_WINTER,
                                .hemisphere = PROMPT_SOUTH,
                                .gsd_metres = 10,
                                .has_sensor = true,
                                .sensor = SENSOR_MODIS };
    Prompt prompt;
    assert_int_equal(prompt_compose(&fixture.bank, &facts, &prompt), ERR_NONE);
    assert_int_equal(prompt_tokenize(tokenizer, 64, &prompt), ERR_NONE);
    /* each sentence alone, with its own [CLS] (2) and [SEP] (3) */
    static const int32_t wanted[] = { 2, 11, 5, 3, 2, 6, 7, 3, 2, 12, 8, 10, 9, 3 };
    assert_int_equal(prompt.n_tokens, ARRAY_LEN(wanted));
    assert_memory_equal(prompt.ids, wanted, sizeof wanted);
    assert_int_equal(prompt.token_counts[0], 4);
    assert_int_equal(prompt.token_counts[1], 4);
    assert_int_equal(prompt.token_counts[2], 6);
    prompt_done(&prompt);
    assert_int_equal(prompt_compose(&fixture.bank, &(PromptFacts){ .zone = 0 }, &prompt), ERR_NONE);
    assert_int_equal(prompt_tokenize(tokenizer, 64, &prompt), ERR_NONE);
    assert_int_equal(prompt.n_tokens, 0);
    tokenizer_free(tokenizer);
}

static void free_text(void **state)
{
    (void)state;
    Tokenizer *tokenizer = small_tokenizer();
    Prompt prompt;
    assert_int_equal(prompt_from_text(" \t\n", &prompt), ERR_ARGUMENT);
    char words[512] = "";
    for (int i = 0; i < 62; i++) memcpy(words + 5 * i, "land ", 6);
    assert_int_equal(prompt_from_text(words, &prompt), ERR_NONE);
    assert_string_equal(prompt.sentences[0].key, "");
    assert_int_equal(prompt_tokenize(tokenizer, 64, &prompt), ERR_NONE);
    assert_int_equal(prompt.n_tokens, 64);
    prompt_done(&prompt);
    memcpy(words + 5 * 62, "land", 5);
    assert_int_equal(prompt_from_text(words, &prompt), ERR_NONE);
    assert_int_equal(prompt_tokenize(tokenizer, 64, &prompt), ERR_ARGUMENT);
    assert_string_equal(err_message(), "the prompt has 65 tokens; at most 64 are taken, say it shorter");
    assert_int_equal(prompt.n_tokens, 0);
    prompt_done(&prompt);
    tokenizer_free(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_come_into_order),
        cmocka_unit_test(invalid_banks),
        cmocka_unit_test(sampling_classes),
        cmocka_unit_test(composing),
        cmocka_unit_test(listed_sentences),
        cmocka_unit_test(token_ids),
        cmocka_unit_test(free_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
