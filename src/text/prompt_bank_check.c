/* SPDX-License-Identifier: Apache-2.0
 * Quality rules of the prompt bank: tokens, wording, sources. */
#include "text/prompt.h"
#include "text/prompt_bank.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_ROOM = 512, TOKEN_ROOM = 64, SHARED_SAME_PERCENT = 80, SHARED_OTHER_PERCENT = 60 };

/* A wording as the sorted set of its token ids without punctuation and joining words: what is compared. */
typedef struct WordSet {
    int32_t ids[TOKENS_ROOM];
    int64_t count;
} WordSet;

typedef struct Check {
    const PromptBank *bank;
    const Tokenizer *tokenizer;
    Str *findings;
    PromptBankStatistics statistics;
} Check;

static void find(Check *check, const char *format, ...) PRINTF_LIKE(2, 3);
static void find(Check *check, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    str_addf(check->findings, "%s\n", line);
    check->statistics.findings++;
}

/* Tokens of a text; unknown words and special tokens in it are findings. */
static Err count_tokens(Check *check, const char *where, const char *text, int32_t *ret_ids, int64_t *ret_count)
{
    int64_t count = 0, full = 0;
    TRY(tokenizer_encode(check->tokenizer, text, strlen(text), TOKENS_ROOM, ret_ids, &count, &full));
    for (int64_t i = 1; i + 1 < count; i++)
        if (tokenizer_is_special(check->tokenizer, ret_ids[i]))
            find(check, "%s: holds %s: a word that the vocabulary lacks, or a special token", where,
                 tokenizer_token(check->tokenizer, ret_ids[i]));
    *ret_count = full;
    return ERR_NONE;
}

static int compare_ids(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* A token as it stands in a text: byte-level BPE writes "</w>" behind the last of a word. */
static void word_of(const char *token, char ret_word[TOKEN_ROOM])
{
    (void)snprintf(ret_word, TOKEN_ROOM, "%s", token);
    if (str_ends_with(ret_word, "</w>")) ret_word[strlen(ret_word) - strlen("</w>")] = '\0';
}

static void make_set(const Tokenizer *tokenizer, const int32_t *ids, int64_t count, WordSet *ret_set)
{
    static const char *const joining[] = { "a",  "an", "the", "and",  "or", "of", "in", "on",  "by",  "with",
                                           "at", "to", "for", "from", "no", "is", "as", "all", "into" };
    WordSet set = { .count = 0 };
    for (int64_t i = 1; i + 1 < count; i++) {
        char token[TOKEN_ROOM];
        word_of(tokenizer_token(tokenizer, ids[i]), token);
        bool skip = token[1] == '\0' && !isalnum((unsigned char)token[0]);
        for (int64_t k = 0; k < ARRAY_LEN(joining); k++) skip = skip || strcmp(token, joining[k]) == 0;
        if (!skip) set.ids[set.count++] = ids[i];
    }
    qsort(set.ids, (size_t)set.count, sizeof set.ids[0], compare_ids);
    int64_t kept = 0;
    for (int64_t i = 0; i < set.count; i++)
        if (i == 0 || set.ids[i] != set.ids[i - 1]) set.ids[kept++] = set.ids[i];
    set.count = kept;
    *ret_set = set;
}

/* Common members over all members (Jaccard). */
static double overlap(const WordSet *a, const WordSet *b)
{
    int64_t i = 0, k = 0, both = 0;
    while (i < a->count && k < b->count) {
        if (a->ids[i] == b->ids[k]) {
            both++;
            i++;
            k++;
        } else if (a->ids[i] < b->ids[k]) {
            i++;
        } else {
            k++;
        }
    }
    const int64_t all = a->count + b->count - both;
    return all == 0 ? 1.0 : (double)both / (double)all;
}

/* A capital letter that begins a word inside the text: a name. */
static bool has_name(const char *text)
{
    for (const char *at = text + 1; text[0] != '\0' && *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z' && (at[-1] == ' ' || at[-1] == '-')) return true;
    return false;
}

static void check_sources(Check *check, const PromptZone *zone)
{
    if (zone->n_sources < 2) find(check, "%s: %u sources; at least 2 are needed", zone->code, zone->n_sources);
    for (uint32_t i = 0; i < zone->n_sources; i++) {
        bool known = false;
        for (uint32_t k = 0; k < check->bank->n_references; k++)
            known = known || strcmp(zone->sources[i], check->bank->references[k].key) == 0;
        if (!known) find(check, "%s: source '%s' is not among the references", zone->code, zone->sources[i]);
    }
}

static Err check_zone(Check *check, const PromptZone *zone, WordSet *sets)
{
    PromptBankStatistics *statistics = &check->statistics;
    check_sources(check, zone);
    if (zone->n_paraphrases < PROMPT_PARAPHRASES_MIN)
        find(check, "%s: %u wordings; at least %d are needed", zone->code, zone->n_paraphrases, PROMPT_PARAPHRASES_MIN);
    for (uint32_t i = 0; i < zone->n_paraphrases; i++) {
        char where[64];
        (void)snprintf(where, sizeof where, "%s, wording %u", zone->code, i + 1);
        int32_t ids[TOKENS_ROOM];
        int64_t count = 0;
        TRY(count_tokens(check, where, zone->paraphrases[i], ids, &count));
        if (count > PROMPT_ZONE_TOKENS_MAX)
            find(check, "%s: %lld tokens; at most %d are allowed", where, (long long)count, PROMPT_ZONE_TOKENS_MAX);
        if (has_name(zone->paraphrases[i])) find(check, "%s: holds a name (a capital letter inside the text)", where);
        make_set(check->tokenizer, ids, count < TOKENS_ROOM ? count : TOKENS_ROOM, &sets[i]);
        if (statistics->wordings == 0 || count < statistics->zone_tokens_min) statistics->zone_tokens_min = count;
        if (count > statistics->zone_tokens_max) statistics->zone_tokens_max = count;
        statistics->zone_tokens_mean += (double)count; /* the sum until the end */
        statistics->wordings++;
    }
    return ERR_NONE;
}

/* Compares wording i of zone a with wording k of zone b. */
static void check_pair(Check *check, const PromptZone *a, const PromptZone *b, uint32_t i, uint32_t k, double shared)
{
    const bool same = a == b;
    double *most = same ? &check->statistics.same_zone_overlap_max : &check->statistics.other_zone_overlap_max;
    if (shared > *most) *most = shared;
    if (shared * 100.0 <= (same ? SHARED_SAME_PERCENT : SHARED_OTHER_PERCENT)) return;
    find(check, "%s, wording %u, and %s, wording %u: %.0f %% of their words are the same; %s", a->code, i + 1, b->code,
         k + 1, shared * 100.0, same ? "word one of them anew" : "tell the zones apart");
}

static void check_pairs(Check *check, const WordSet *sets, const int64_t *starts)
{
    const PromptZone *zones = check->bank->zones;
    for (uint32_t a = 0; a < check->bank->n_zones; a++)
        for (uint32_t b = 0; b <= a; b++)
            for (uint32_t i = 0; i < zones[a].n_paraphrases; i++)
                for (uint32_t k = 0; k < (a == b ? i : zones[b].n_paraphrases); k++)
                    check_pair(check, &zones[a], &zones[b], i, k, overlap(&sets[starts[a] + i], &sets[starts[b] + k]));
}

static Err check_facts(Check *check)
{
    const PromptBank *bank = check->bank;
    PromptBankStatistics *statistics = &check->statistics;
    PromptSentence *sentences = NULL;
    int64_t n_sentences = 0;
    TRY(prompt_fact_sentences(bank, &sentences, &n_sentences));
    Err err = ERR_NONE;
    for (int64_t i = 0; i < n_sentences && err == ERR_NONE; i++) {
        int32_t ids[TOKENS_ROOM];
        int64_t count = 0;
        const bool season = sentences[i].part == PROMPT_PART_SEASON;
        char where[PROMPT_KEY_BYTES + 16];
        (void)snprintf(where, sizeof where, "%s %s", season ? "season" : "observation", sentences[i].key);
        err = count_tokens(check, where, sentences[i].text, ids, &count);
        int64_t *most = season ? &statistics->season_tokens_max : &statistics->observation_tokens_max;
        if (err == ERR_NONE && count > *most) *most = count;
    }
    prompt_sentences_free(sentences, n_sentences);
    TRY(err);
    statistics->prompt_tokens_max =
        statistics->zone_tokens_max + statistics->season_tokens_max + statistics->observation_tokens_max;
    if (statistics->prompt_tokens_max > PROMPT_BANK_TOKENS_MAX)
        find(check, "a whole prompt has up to %lld tokens (%lld + %lld + %lld); at most %d are allowed",
             (long long)statistics->prompt_tokens_max, (long long)statistics->zone_tokens_max,
             (long long)statistics->season_tokens_max, (long long)statistics->observation_tokens_max,
             PROMPT_BANK_TOKENS_MAX);
    return ERR_NONE;
}

Err prompt_bank_check(const PromptBank *bank, const Tokenizer *tokenizer, Str *findings,
                      PromptBankStatistics *ret_statistics)
{
    Check check = { .bank = bank, .tokenizer = tokenizer, .findings = findings };
    int64_t starts[CLIMATE_ZONES], total = 0;
    ASSERT(bank->n_zones == CLIMATE_ZONES);
    for (uint32_t i = 0; i < bank->n_zones; i++) {
        starts[i] = total;
        total += bank->zones[i].n_paraphrases;
    }
    WordSet *sets = calloc((size_t)total, sizeof *sets);
    if (sets == NULL) return err_memory((unsigned long long)total * sizeof *sets, "the check of a prompt bank");
    Err err = ERR_NONE;
    for (uint32_t i = 0; i < bank->n_zones && err == ERR_NONE; i++)
        err = check_zone(&check, &bank->zones[i], sets + starts[i]);
    if (err == ERR_NONE) {
        check.statistics.zone_tokens_mean /= (double)total;
        check_pairs(&check, sets, starts);
        err = check_facts(&check);
    }
    free(sets);
    if (err == ERR_NONE) *ret_statistics = check.statistics;
    return err;
}
