/* SPDX-License-Identifier: Apache-2.0
 *
 * Command line options from one table per command; the same table gives --help, the man page and the completion.
 *
 *     typedef struct PredictArgs {
 *         const char *model;
 *         double ram;
 *         bool force;
 *         OptionList bands;
 *     } PredictArgs;
 *     static const Option options[] = {
 *         { "model", 'm', OPTION_STRING, offsetof(PredictArgs, model), .value = "FILE", .help = "model to use" },
 *         { "ram", 0, OPTION_DOUBLE, offsetof(PredictArgs, ram), .value = "GIB", .default_value = "2",
 *           .minimum = 0.1, .maximum = 1e6, .help = "memory to use at most" },
 *         { "force", 'f', OPTION_FLAG, offsetof(PredictArgs, force), .help = "replace existing files" },
 *         { "bands", 'b', OPTION_LIST, offsetof(PredictArgs, bands), .value = "N,...", .help = "bands to read" },
 *     };
 *
 * Accepted: --long VALUE, --long=VALUE, -o VALUE; `--` ends options, "-" alone is an argument. A value may begin with '-'.
 * Options of GDAL's programs also as GDAL writes them: -te XMIN YMIN XMAX YMAX.
 * An unknown option is an error that names the nearest one.
 */
#ifndef METASEG_BASE_OPTIONS_H
#define METASEG_BASE_OPTIONS_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum OptionType {
    OPTION_FLAG,    /* bool: --x sets true */
    OPTION_COUNT,   /* int64_t: one more each time (-v -v) */
    OPTION_STRING,  /* const char * */
    OPTION_INT,     /* int64_t within [minimum, maximum] */
    OPTION_DOUBLE,  /* double within [minimum, maximum] */
    OPTION_ENUM,    /* int64_t: index into choices */
    OPTION_NUMBERS, /* double[words]: that many finite numbers, a word each, or one word with commas */
    OPTION_LIST,    /* OptionList: may be repeated; commas separate unless .whole */
} OptionType;

/* Borrowed pointers: into argv, or into memory of the OptionResult. */
typedef struct OptionList {
    const char **items;
    int64_t count;
} OptionList;

enum { OPTION_CHOICES = 12 };

typedef struct Option {
    const char *name; /* without dashes */
    char letter;      /* short form, 0: none */
    OptionType type;
    size_t offset;                       /* of the field in the command's struct */
    const char *help;                    /* one line without full stop */
    const char *value;                   /* placeholder, upper case: "FILE" */
    const char *default_value;           /* default, in the notation of the option; NULL: the field stays as it is */
    double minimum, maximum;             /* INT, DOUBLE; both 0: any */
    const char *choices[OPTION_CHOICES]; /* ENUM; NULL ends */
    bool whole;                          /* LIST: commas belong to the item */
    bool required;
    bool gdal;     /* -name is the option too, and what help shows: an option of GDAL's programs */
    int64_t words; /* NUMBERS: how many */
} Option;

typedef struct OptionTable {
    const Option *options;
    int64_t count;
} OptionTable;

/* A command as its users see it. */
typedef struct OptionSpec {
    const char *command;  /* "predict" */
    const char *summary;  /* one line: "map land cover of rasters" */
    const char *usage;    /* after the command's name: "IN... -o OUT [options]" */
    const char *details;  /* paragraphs, or NULL */
    const char *examples; /* lines, or NULL */
    OptionTable own;
    int64_t min_arguments, max_arguments; /* max -1: any number */
} OptionSpec;

/* What was found; owns copies. options_result_done(). */
typedef struct OptionResult {
    const char **arguments; /* positional ones, in order; borrowed from argv */
    int64_t n_arguments;
    uint64_t given_own, given_common; /* bit i: option i of the table was on the command line */
    void **owned;                     /* memory behind lists */
    int64_t n_owned, owned_capacity;
} OptionResult;

/* Sets defaults in `target` (struct of spec->own) and `common_target` (struct of `common`, may be empty), then reads
 * argv[1..argc). ret_result is zeroed first and must be released also after an error. With help_wanted (the word --help
 * or -h was there) nothing is required. At most 64 options per table. ERR_ARGUMENT, ERR_MEMORY. */
Err options_parse(const OptionSpec *spec, void *target, OptionTable common, void *common_target, int argc, char **argv,
                  bool *ret_help_wanted, OptionResult *ret_result);
/* Whether an option of spec->own was on the command line. */
bool options_given(const OptionSpec *spec, const OptionResult *result, const char *name);
void options_result_done(OptionResult *result);

/* Text of --help. */
void options_help(const OptionSpec *spec, OptionTable common, Str *text);

/* The same for programs: JSON as 'gdal COMMAND --json-usage' gives it (GDAL's gdal_algorithm.schema.json), arguments without a name as
 * "input". free() it. ERR_MEMORY. */
Err options_json(const OptionSpec *spec, OptionTable common, char **ret_text);

/* Part of a man page (roff): one .SS section per command. */
void options_man(const OptionSpec *spec, Str *text);
void options_man_table(OptionTable table, Str *text);

/* All forms, blank separated, for shell completion: "--model -m --force -f". */
void options_words(OptionTable table, Str *text);

#endif
