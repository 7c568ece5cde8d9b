/* SPDX-License-Identifier: Apache-2.0
 * Help, man page and completion from an option table. */
#include "base/options.h"

#include <string.h>

enum { HELP_COLUMN = 30, HELP_WIDTH = 100 };

static const char *dashes(const Option *option) { return option->gdal ? "-" : "--"; }

/* "-m, --model FILE", "-te XMIN YMIN XMAX YMAX" */
static void add_forms(const Option *option, Str *text)
{
    if (option->letter != 0) str_addf(text, "-%c, ", option->letter);
    str_addf(text, "%s%s", dashes(option), option->name);
    if (option->value != NULL) str_addf(text, " %s", option->value);
}

/* Help sentence with choices, default and range. */
static void add_sentence(const Option *option, Str *text)
{
    str_add(text, option->help);
    if (option->type == OPTION_ENUM) {
        str_add(text, ":");
        for (int64_t i = 0; i < OPTION_CHOICES && option->choices[i] != NULL; i++)
            str_addf(text, "%s %s", i == 0 ? "" : ",", option->choices[i]);
    }
    if (option->type == OPTION_LIST && option->whole) str_add(text, "; may be repeated");
    if (option->required) str_add(text, " (required)");
    if (option->default_value != NULL && option->default_value[0] != '\0')
        str_addf(text, " (default %s)", option->default_value);
}

/* `sentence` broken at blanks, from column `indent` on, where the first line has to begin already. */
static void add_words(const char *sentence, size_t indent, Str *text)
{
    size_t column = indent;
    for (const char *at = sentence; *at != '\0';) {
        const size_t length = strcspn(at, " ");
        if (column > indent && column + 1 + length > HELP_WIDTH) {
            str_addf(text, "\n%*s", (int)indent, "");
            column = indent;
        }
        if (column > indent) {
            str_add_char(text, ' ');
            column++;
        }
        str_add_bytes(text, at, length);
        column += length;
        at += length;
        at += strspn(at, " ");
    }
    str_add_char(text, '\n');
}

/* The words of an option, behind its forms, which took `used` columns. */
static void add_wrapped(const char *sentence, size_t used, Str *text)
{
    size_t column = used;
    if (used + 2 > HELP_COLUMN) {
        str_add_char(text, '\n');
        column = 0;
    }
    str_addf(text, "%*s", (int)(HELP_COLUMN - column), "");
    add_words(sentence, HELP_COLUMN, text);
}

static void add_examples(const char *examples, Str *text)
{
    str_add(text, "\nexamples:\n");
    while (*examples != '\0') {
        const size_t length = strcspn(examples, "\n");
        str_add(text, "  ");
        str_add_bytes(text, examples, length);
        str_add_char(text, '\n');
        examples += length + (examples[length] == '\n');
    }
}

static void add_table(OptionTable table, Str *text)
{
    for (int64_t i = 0; i < table.count; i++) {
        const Option *option = &table.options[i];
        Str sentence = { 0 };
        const size_t before = text->length;
        str_add(text, option->letter != 0 ? "  " : "      ");
        add_forms(option, text);
        add_sentence(option, &sentence);
        add_wrapped(str_text(&sentence), text->length - before, text);
        str_done(&sentence);
    }
}

void options_help(const OptionSpec *spec, OptionTable common, Str *text)
{
    str_addf(text, "metaseg %s: %s\n\nusage: metaseg %s%s%s\n", spec->command, spec->summary, spec->command,
             spec->usage[0] == '\0' ? "" : " ", spec->usage);
    if (spec->details != NULL) {
        str_add_char(text, '\n');
        add_words(spec->details, 0, text);
    }
    if (spec->own.count > 0) {
        str_add(text, "\noptions:\n");
        add_table(spec->own, text);
    }
    str_add(text, "\noptions of every command:\n");
    add_table(common, text);
    str_add(text, "  -h, --help                  this text\n");
    if (spec->examples != NULL) add_examples(spec->examples, text);
}

/* roff text: backslashes, dashes and a leading dot or quote are escaped. */
static void add_roff(const char *plain, Str *text)
{
    bool line_start = true;
    for (; *plain != '\0'; plain++) {
        if (line_start && (*plain == '.' || *plain == '\'')) str_add(text, "\\&");
        if (*plain == '\\')
            str_add(text, "\\e");
        else if (*plain == '-')
            str_add(text, "\\-");
        else
            str_add_char(text, *plain);
        line_start = *plain == '\n';
    }
}

void options_man_table(OptionTable table, Str *text)
{
    for (int64_t i = 0; i < table.count; i++) {
        Str forms = { 0 }, sentence = { 0 };
        add_forms(&table.options[i], &forms);
        add_sentence(&table.options[i], &sentence);
        str_add(text, ".TP\n.B ");
        add_roff(str_text(&forms), text);
        str_add_char(text, '\n');
        add_roff(str_text(&sentence), text);
        str_add(text, ".\n");
        str_done(&forms);
        str_done(&sentence);
    }
}

void options_man(const OptionSpec *spec, Str *text)
{
    str_addf(text, ".SS \"metaseg %s ", spec->command);
    add_roff(spec->usage, text);
    str_add(text, "\"\n");
    add_roff(spec->summary, text);
    str_add(text, ".\n");
    if (spec->details != NULL) {
        str_add(text, ".PP\n");
        add_roff(spec->details, text);
        str_add_char(text, '\n');
    }
    options_man_table(spec->own, text);
    if (spec->examples != NULL) {
        str_add(text, ".PP\nExamples:\n.PP\n.nf\n");
        add_roff(spec->examples, text);
        str_add(text, "\n.fi\n");
    }
}

void options_words(OptionTable table, Str *text)
{
    for (int64_t i = 0; i < table.count; i++) {
        const Option *option = &table.options[i];
        str_addf(text, "%s%s%s", i == 0 ? "" : " ", dashes(option), option->name);
        if (option->letter != 0) str_addf(text, " -%c", option->letter);
    }
}
