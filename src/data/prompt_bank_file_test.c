/* SPDX-License-Identifier: Apache-2.0
 * The shipped prompt bank keeps its own rules, and each rule is noticed when broken. */
#include "data/prompt_bank_file.h"

#include "base/file.h"
#include "harness/vocabulary.h"

#define BANK METASEG_SOURCE_DIR "/share/prompts/koppen.yaml"

static void load(PromptBank *ret_bank) { ASSERT_OK(prompt_bank_file_load(BANK, ret_bank)); }

static void shipped_bank(void **state)
{
    (void)state;
    Tokenizer *tokenizer = vocabulary_published();
    PromptBank bank;
    load(&bank);
    Str findings = { 0 };
    PromptBankStatistics statistics;
    ASSERT_OK(prompt_bank_check(&bank, tokenizer, &findings, &statistics));
    print_message("%lld wordings of %lld to %lld tokens, mean %.1f; season at most %lld, observation %lld, prompt "
                  "%lld; words in common: "
                  "same zone %.2f, two zones %.2f\n",
                  (long long)statistics.wordings, (long long)statistics.zone_tokens_min,
                  (long long)statistics.zone_tokens_max, statistics.zone_tokens_mean,
                  (long long)statistics.season_tokens_max, (long long)statistics.observation_tokens_max,
                  (long long)statistics.prompt_tokens_max, statistics.same_zone_overlap_max,
                  statistics.other_zone_overlap_max);
    if (statistics.findings != 0) fail_msg("%s", str_text(&findings));
    assert_true(statistics.wordings >= 150);
    assert_true(statistics.zone_tokens_min >= 32); /* of substance */
    assert_true(statistics.prompt_tokens_max <= 64);
    str_done(&findings);
    prompt_bank_file_free(&bank);
    tokenizer_free(tokenizer);
}

/* Swaps in a text of its own; the bank frees it. */
static void replace(char **place, const char *text)
{
    free(*place);
    assert_int_equal(str_copy(text, place), ERR_NONE);
}

static void every_rule(void **state)
{
    (void)state;
    enum { FEW, LONG, UNKNOWN, SPECIAL, NAME, SAME, OTHER, SOURCES, SOURCE, LONG_SEASON, N_RULES };
    static const char *const messages[N_RULES] = {
        [FEW] = "Af: 4 wordings; at least 5 are needed\n",
        [LONG] = "Af, wording 2: 49 tokens; at most 48 are allowed\n",
        [UNKNOWN] = "Af, wording 2: holds [UNK]",
        [SPECIAL] = "Af, wording 2: holds [MASK]",
        [NAME] = "Af, wording 2: holds a name (a capital letter inside the text)\n",
        [SAME] = "Af, wording 2, and Af, wording 1: 100 % of their words are the same; word one of them anew\n",
        [OTHER] = "Am, wording 1, and Af, wording 1: 100 % of their words are the same; tell the zones apart\n",
        [SOURCES] = "Af: 1 sources; at least 2 are needed\n",
        [SOURCE] = "Af: source 'nobody1900' is not among the references\n",
        [LONG_SEASON] = "a whole prompt has up to 68 tokens (48 + 9 + 11); at most 64 are allowed\n",
    };
    static const char words[] =
        "tree tree tree tree tree tree tree tree tree tree tree tree tree tree tree tree tree tree tree tree "
        "tree tree tree tree tree tree tree tree tree tree tree tree tree tree tree tree tree tree tree tree "
        "tree tree tree tree tree tree tree";
    Tokenizer *tokenizer = vocabulary_published();
    for (int rule = 0; rule < N_RULES; rule++) {
        PromptBank bank;
        load(&bank);
        PromptZone *first = &bank.zones[0];
        char **second = &first->paraphrases[1];
        const uint32_t wordings = first->n_paraphrases;
        if (rule == FEW) first->n_paraphrases = 4;
        if (rule == LONG) replace(second, words);
        if (rule == UNKNOWN) replace(second, "a forest of \xf0\x9f\x8c\xb3 and water");
        if (rule == SPECIAL) replace(second, "a forest of [MASK] and water");
        if (rule == NAME) replace(second, "a forest along the Amazon");
        if (rule == SAME) replace(second, first->paraphrases[0]);
        if (rule == OTHER) replace(&bank.zones[1].paraphrases[0], first->paraphrases[0]);
        const uint32_t sources = first->n_sources;
        if (rule == SOURCES) first->n_sources = 1;
        if (rule == SOURCE) replace(&first->sources[0], "nobody1900");
        if (rule == LONG_SEASON) replace(&bank.seasons[0].text, "spring in the northern half of earth");
        Str findings = { 0 };
        PromptBankStatistics statistics;
        ASSERT_OK(prompt_bank_check(&bank, tokenizer, &findings, &statistics));
        if (strstr(str_text(&findings), messages[rule]) == NULL)
            fail_msg("rule %d: '%s', wanted '%s'", rule, str_text(&findings), messages[rule]);
        first->n_paraphrases = wordings; /* what the bank frees */
        first->n_sources = sources;
        str_done(&findings);
        prompt_bank_file_free(&bank);
    }
    tokenizer_free(tokenizer);
}

/* The file with one piece of text replaced; the error must be the sentence. */
static void wrong_files(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *message;
    } cases[] = {
        { "    paraphrases:\n", "    paraphrase:\n", "unknown key 'zones.1.paraphrase'; did you mean 'paraphrases'?" },
        { "  - code: BWh\n", "  - code: BWi\n", "zones.4: 'BWi' is no Koeppen-Geiger zone; nearest is BWh" },
        { "season: summer", "season: sumer", "did you mean 'summer'?" },
        { "sensor: landsat", "sensor: landsad", "did you mean 'landsat'?" },
        { "version: 1\n", "", "key 'version' is missing; expected a whole number" },
        { "below: 0.5", "below: half", "sampling.1.below: 'half' is not a number" },
    };
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(file_read(BANK, 1 << 24, &text, &length), ERR_NONE);
    char folder[64];
    unit_folder(folder);
    char *path = NULL;
    assert_int_equal(path_join(folder, "bank.yaml", &path), ERR_NONE);
    for (int64_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *at = strstr(text, cases[i].from);
        assert_non_null(at);
        Str wrong = { 0 };
        str_add_bytes(&wrong, text, (size_t)(at - text));
        str_add(&wrong, cases[i].to);
        str_add(&wrong, at + strlen(cases[i].from));
        assert_int_equal(file_write(path, str_text(&wrong), wrong.length, true), ERR_NONE);
        str_done(&wrong);
        PromptBank bank;
        assert_int_equal(prompt_bank_file_load(path, &bank), ERR_CONFIG);
        if (strstr(err_message(), cases[i].message) == NULL)
            fail_msg("'%s', wanted '%s'", err_message(), cases[i].message);
    }
    assert_int_equal(file_remove(path), ERR_NONE);
    assert_int_equal(rmdir(folder), 0);
    free(path);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_bank),
        cmocka_unit_test(every_rule),
        cmocka_unit_test(wrong_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
