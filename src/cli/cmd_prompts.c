/* SPDX-License-Identifier: Apache-2.0
 * metaseg prompts: whether a prompt bank keeps the rules of a good one. */
#include "cli/cli.h"

#include "base/file.h"
#include "data/prompt_bank_file.h"
#include "text/tokenizer_file.h"

#include <stdlib.h>
#include <string.h>

typedef struct PromptsArgs {
    const char *vocabulary;
} PromptsArgs;

static const Option prompts_options[] = {
    { "vocabulary", 0, OPTION_STRING, offsetof(PromptsArgs, vocabulary), .value = "FILE",
      .help = "vocab.txt, or merges.txt, of the text encoder instead of the one that 'make data' brings" },
};

const OptionSpec cmd_prompts_spec = {
    .command = "prompts",
    .summary = "check a prompt bank",
    .usage = "check BANK.yaml [options]",
    .details =
        "Reads a prompt bank as training does and looks for what makes prompts worse: fewer than five wordings of a "
        "zone, more tokens than are read, words that the text encoder's vocabulary lacks, names of places, "
        "wordings of a zone that say nearly the same, wordings of two zones that hardly differ, and fewer than "
        "two known sources of a zone. One line per finding; exit code 4 if there is any.",
    .examples = "metaseg prompts check share/prompts/koppen.yaml",
    .own = { prompts_options, ARRAY_LEN(prompts_options) },
    .min_arguments = 2,
    .max_arguments = 2,
};

static Err open_tokenizer(const Cli *cli, const PromptsArgs *args, Tokenizer **ret_tokenizer)
{
    char *folder = NULL, *path = NULL;
    if (args->vocabulary != NULL) return tokenizer_open(args->vocabulary, ret_tokenizer);
    Err err = cli_data_folder(cli, &folder);
    if (err == ERR_NONE) err = path_join(folder, "minilm/vocab.txt", &path);
    if (err == ERR_NONE && !file_exists(path))
        err = err_set(ERR_INPUT, "'%s': missing; %s, or name one by --vocabulary", path, cli_mend(cli));
    if (err == ERR_NONE) err = tokenizer_open(path, ret_tokenizer);
    free(folder);
    free(path);
    return err;
}

/* Each finding as a line, then the figures. */
static void print_findings(char *findings, const PromptBankStatistics *s)
{
    for (char *line = findings; *line != '\0';) {
        char *end = line + strcspn(line, "\n");
        const bool last = *end == '\0';
        *end = '\0';
        cli_line("%s", line);
        line = last ? end : end + 1;
    }
    cli_line("%lld wordings of %lld to %lld tokens, mean %.1f", (long long)s->wordings, (long long)s->zone_tokens_min,
             (long long)s->zone_tokens_max, s->zone_tokens_mean);
    cli_line("a whole prompt has at most %lld tokens: season %lld, observation %lld", (long long)s->prompt_tokens_max,
             (long long)s->season_tokens_max, (long long)s->observation_tokens_max);
    cli_line("words in common: at most %.0f %% in one zone, %.0f %% between two zones",
             100.0 * s->same_zone_overlap_max, 100.0 * s->other_zone_overlap_max);
}

static Err check_bank(const char *path, const PromptBank *bank, const Tokenizer *tokenizer)
{
    Str text = { 0 };
    char *findings = NULL;
    PromptBankStatistics statistics;
    Err err = prompt_bank_check(bank, tokenizer, &text, &statistics);
    if (err == ERR_NONE) err = str_take(&text, &findings);
    str_done(&text);
    TRY(err);
    print_findings(findings, &statistics);
    free(findings);
    if (statistics.findings == 0) return ERR_NONE;
    return err_set(ERR_INPUT, "'%s': %lld findings", path, (long long)statistics.findings);
}

static Err run_prompts(Cli *cli, const void *target, const OptionResult *words)
{
    const char *path = words->arguments[1];
    PromptBank bank;
    Tokenizer *tokenizer = NULL;
    if (strcmp(words->arguments[0], "check") != 0)
        return err_set(ERR_ARGUMENT, "'%s' is nothing that is done with prompts; usage: metaseg prompts %s",
                       words->arguments[0], cmd_prompts_spec.usage);
    TRY(prompt_bank_file_load(path, &bank));
    Err err = open_tokenizer(cli, target, &tokenizer);
    if (err == ERR_NONE) err = check_bank(path, &bank, tokenizer);
    tokenizer_free(tokenizer);
    prompt_bank_file_free(&bank);
    return err;
}

Err cmd_prompts(Cli *cli, int argc, char **argv)
{
    PromptsArgs args = { 0 };
    return cli_run(cli, &cmd_prompts_spec, &args, argc, argv, run_prompts);
}
