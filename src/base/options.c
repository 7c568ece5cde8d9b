/* SPDX-License-Identifier: Apache-2.0
 * Reading the command line by an option table. Help and man page texts are in options_text.c. */
#include "base/options.h"

#include "base/grow.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 80 };

typedef struct Parser {
    const OptionSpec *spec;
    OptionTable common;
    void *target, *common_target;
    int argc, at; /* next word */
    char **argv;
    OptionResult *result;
} Parser;

/* One option found in a word. */
typedef struct Match {
    const Option *option;
    void *field;
    uint64_t *given;
    int64_t index;
    const char *value;      /* after '=', or NULL */
    char shown[NAME_BYTES]; /* as messages call it: "--model" */
} Match;

static void *field_of(void *target, const Option *option) { return (char *)target + option->offset; }

static Err own_memory(OptionResult *result, void *memory)
{
    const Err err =
        grow_array((void *)&result->owned, result->n_owned, &result->owned_capacity, sizeof *result->owned, "options");
    if (err == ERR_NONE)
        result->owned[result->n_owned++] = memory;
    else
        free(memory);
    return err;
}

static Err list_add(OptionResult *result, OptionList *list, const char *item)
{
    const char **items = malloc((size_t)(list->count + 1) * sizeof *items);
    if (items == NULL) return err_memory(sizeof *items, "options");
    TRY(own_memory(result, items));
    for (int64_t i = 0; i < list->count; i++) items[i] = list->items[i];
    items[list->count] = item;
    list->items = items;
    list->count++;
    return ERR_NONE;
}

static Err read_list(OptionResult *result, const Option *option, const char *name, const char *text, OptionList *list)
{
    if (option->whole) return list_add(result, list, text);
    char *copy = NULL;
    TRY(str_copy(text, &copy));
    TRY(own_memory(result, copy));
    for (char *item = copy; item != NULL;) {
        char *comma = strchr(item, ',');
        if (comma != NULL) *comma = '\0';
        if (*item == '\0') return err_set(ERR_ARGUMENT, "%s: '%s' has an empty item", name, text);
        TRY(list_add(result, list, item));
        item = comma == NULL ? NULL : comma + 1;
    }
    return ERR_NONE;
}

static Err read_choice(const Option *option, const char *name, const char *text, int64_t *ret_index)
{
    char all[256] = "";
    size_t used = 0;
    int64_t n = 0;
    for (; n < OPTION_CHOICES && option->choices[n] != NULL; n++) {
        if (strcmp(option->choices[n], text) == 0) {
            *ret_index = n;
            return ERR_NONE;
        }
        const int put = snprintf(all + used, sizeof all - used, "%s%s", n == 0 ? "" : ", ", option->choices[n]);
        used = put < 0 || used + (size_t)put >= sizeof all ? sizeof all - 1 : used + (size_t)put;
    }
    const char *nearest = str_nearest(text, option->choices, n);
    if (nearest != NULL)
        return err_set(ERR_ARGUMENT, "%s: '%s' is not known; did you mean '%s'? It takes %s", name, text, nearest, all);
    return err_set(ERR_ARGUMENT, "%s: '%s' is not known; it takes %s", name, text, all);
}

/* Stores the value `text` of an option with exactly one word. */
static Err store(OptionResult *result, const Option *option, const char *name, const char *text, void *field)
{
    const bool any = !(option->minimum < option->maximum);
    const bool words = option->type == OPTION_STRING || option->type == OPTION_LIST;
    if (words && text[0] == '\0') /* mostly of a variable of the shell that is not set */
        return err_set(ERR_ARGUMENT, "%s: the value is empty; give %s, or leave the option out", name, option->value);
    switch (option->type) {
    case OPTION_STRING:
        memcpy(field, &text, sizeof text);
        return ERR_NONE;
    case OPTION_INT:
        return str_parse_int(text, name, any ? INT64_MIN : (int64_t)option->minimum,
                             any ? INT64_MAX : (int64_t)option->maximum, field);
    case OPTION_DOUBLE:
        return str_parse_double(text, name, any ? -HUGE_VAL : option->minimum, any ? HUGE_VAL : option->maximum, field);
    case OPTION_ENUM:
        return read_choice(option, name, text, field);
    case OPTION_LIST:
        return read_list(result, option, name, text, field);
    case OPTION_NUMBERS:
        return str_parse_doubles(text, name, option->words, field);
    case OPTION_FLAG:
    case OPTION_COUNT:
        break;
    }
    return err_set(ERR_ARGUMENT, "%s takes no value, but '%s' was given", name, text);
}

static Err set_defaults(Parser *parser, OptionTable table, void *target)
{
    for (int64_t i = 0; i < table.count; i++) {
        const Option *option = &table.options[i];
        ASSERT(i < 64);
        if (option->default_value == NULL) continue;
        TRY(store(parser->result, option, option->name, option->default_value, field_of(target, option)));
    }
    return ERR_NONE;
}

/* Whether a word without its dashes ("model=x") names this option; fills value. */
static bool name_matches(const Option *option, const char *word, Match *match)
{
    const size_t length = strcspn(word, "=");
    match->value = word[length] == '=' ? word + length + 1 : NULL;
    return strlen(option->name) == length && strncmp(option->name, word, length) == 0;
}

static bool option_matches(const Option *option, const char *word, Match *match)
{
    *match = (Match){ .option = option };
    if (str_starts_with(word, "--")) {
        if (!name_matches(option, word + 2, match)) return false;
    } else if (option->gdal && name_matches(option, word + 1, match)) {
        (void)snprintf(match->shown, sizeof match->shown, "-%s", option->name);
        return true;
    } else if (option->letter == 0 || word[1] != option->letter || word[2] != '\0') {
        return false;
    }
    (void)snprintf(match->shown, sizeof match->shown, "%.*s", (int)strcspn(word, "="), word);
    return true;
}

static bool find_option(Parser *parser, const char *word, Match *ret_match)
{
    const OptionTable tables[] = { parser->spec->own, parser->common };
    for (int t = 0; t < 2; t++) {
        for (int64_t i = 0; i < tables[t].count; i++) {
            if (!option_matches(&tables[t].options[i], word, ret_match)) continue;
            ret_match->field = field_of(t == 0 ? parser->target : parser->common_target, ret_match->option);
            ret_match->given = t == 0 ? &parser->result->given_own : &parser->result->given_common;
            ret_match->index = i;
            return true;
        }
    }
    return false;
}

static Err unknown_option(const Parser *parser, const char *word)
{
    Str words = { 0 };
    char found[NAME_BYTES], *copy = NULL;
    const char *candidates[256];
    int64_t n = 0;
    (void)snprintf(found, sizeof found, "%.*s", (int)strcspn(word, "="), word);
    options_words(parser->spec->own, &words);
    str_add_char(&words, ' ');
    options_words(parser->common, &words);
    str_add(&words, " --help");
    TRY(str_take(&words, &copy));
    for (char *at = copy; n < ARRAY_LEN(candidates);) {
        at += strspn(at, " ");
        if (*at == '\0') break;
        candidates[n++] = at;
        at += strcspn(at, " ");
        if (*at != '\0') *at++ = '\0';
    }
    const char *nearest = str_nearest(found, candidates, n);
    Err err;
    if (nearest != NULL)
        err = err_set(ERR_ARGUMENT, "unknown option '%s'; did you mean '%s'?", found, nearest);
    else
        err =
            err_set(ERR_ARGUMENT, "unknown option '%s'; 'metaseg %s --help' lists them", found, parser->spec->command);
    free(copy);
    return err;
}

/* The numbers of an option, when the next word is not all of them: "1", "2", "3", "4" as "1,2,3,4". */
static Err apply_numbers(Parser *parser, const Match *match)
{
    Str all = { 0 };
    char *text = NULL;
    const Option *option = match->option;
    if (parser->argc - parser->at < option->words)
        return err_set(ERR_ARGUMENT, "%s needs %lld numbers: %s", match->shown, (long long)option->words,
                       option->value);
    for (int64_t i = 0; i < option->words; i++) {
        const char *word = parser->argv[parser->at++];
        if (strchr(word, ',') != NULL) {
            str_done(&all);
            return err_set(ERR_ARGUMENT, "%s: '%s' is no number; it takes %s", match->shown, word, option->value);
        }
        str_addf(&all, "%s%s", i > 0 ? "," : "", word);
    }
    TRY(str_take(&all, &text));
    const Err err = store(parser->result, option, match->shown, text, match->field);
    free(text);
    return err;
}

static Err apply(Parser *parser, Match *match)
{
    const Option *option = match->option;
    const bool first = (*match->given >> match->index & 1U) == 0;
    *match->given |= (uint64_t)1 << match->index;
    if (option->type == OPTION_FLAG || option->type == OPTION_COUNT) {
        if (match->value != NULL) return err_set(ERR_ARGUMENT, "%s takes no value", match->shown);
        const bool on = true;
        int64_t count = 0;
        memcpy(&count, match->field, option->type == OPTION_COUNT ? sizeof count : 0);
        count++;
        if (option->type == OPTION_COUNT)
            memcpy(match->field, &count, sizeof count);
        else
            memcpy(match->field, &on, sizeof on);
        return ERR_NONE;
    }
    if (option->type == OPTION_LIST && first) *(OptionList *)match->field = (OptionList){ 0 }; /* drop the default */
    const bool comma = parser->at < parser->argc && strchr(parser->argv[parser->at], ',') != NULL;
    if (option->type == OPTION_NUMBERS && match->value == NULL && !comma) return apply_numbers(parser, match);
    if (match->value == NULL) {
        if (parser->at >= parser->argc)
            return err_set(ERR_ARGUMENT, "%s needs a value: %s", match->shown, option->value);
        match->value = parser->argv[parser->at++];
    }
    return store(parser->result, option, match->shown, match->value, match->field);
}

static Err check_required(const Parser *parser)
{
    const OptionSpec *spec = parser->spec;
    const OptionResult *result = parser->result;
    for (int64_t i = 0; i < spec->own.count; i++) {
        const Option *option = &spec->own.options[i];
        if (!option->required || (result->given_own >> i & 1U) != 0) continue;
        if (option->letter != 0)
            return err_set(ERR_ARGUMENT, "-%c %s (--%s) is missing: %s", option->letter, option->value, option->name,
                           option->help);
        return err_set(ERR_ARGUMENT, "--%s %s is missing: %s", option->name, option->value, option->help);
    }
    if (result->n_arguments < spec->min_arguments)
        return err_set(ERR_ARGUMENT, "too few arguments; usage: metaseg %s %s", spec->command, spec->usage);
    if (spec->max_arguments >= 0 && result->n_arguments > spec->max_arguments)
        return err_set(ERR_ARGUMENT, "'%s' is one argument too many; usage: metaseg %s %s",
                       result->arguments[spec->max_arguments], spec->command, spec->usage);
    return ERR_NONE;
}

Err options_parse(const OptionSpec *spec, void *target, OptionTable common, void *common_target, int argc, char **argv,
                  bool *ret_help_wanted, OptionResult *ret_result)
{
    Parser parser = { spec, common, target, common_target, argc, 1, argv, ret_result };
    bool ended = false, help = false;
    *ret_result = (OptionResult){ 0 };
    ret_result->arguments = calloc((size_t)argc + 1, sizeof *ret_result->arguments);
    if (ret_result->arguments == NULL) return err_memory((size_t)argc * sizeof(char *), "arguments");
    TRY(set_defaults(&parser, spec->own, target));
    TRY(set_defaults(&parser, common, common_target));
    while (parser.at < argc) {
        const char *word = argv[parser.at++];
        Match match;
        if (ended || word[0] != '-' || word[1] == '\0') {
            ret_result->arguments[ret_result->n_arguments++] = word;
        } else if (strcmp(word, "--") == 0) {
            ended = true;
        } else if (find_option(&parser, word, &match)) {
            TRY(apply(&parser, &match));
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            help = true;
        } else {
            return unknown_option(&parser, word);
        }
    }
    if (!help) TRY(check_required(&parser));
    *ret_help_wanted = help;
    return ERR_NONE;
}

bool options_given(const OptionSpec *spec, const OptionResult *result, const char *name)
{
    int64_t i = 0;
    while (i < spec->own.count && strcmp(spec->own.options[i].name, name) != 0) i++;
    ASSERT(i < spec->own.count);
    return (result->given_own >> i & 1U) != 0;
}

void options_result_done(OptionResult *result)
{
    if (result == NULL) return;
    for (int64_t i = 0; i < result->n_owned; i++) free(result->owned[i]);
    free(result->owned);
    free(result->arguments);
    *result = (OptionResult){ 0 };
}
