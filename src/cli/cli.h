/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands share: common options, messages and progress on stderr, the data folder, stopping.
 *
 * A command is one file cmd_NAME.c with a table and a function, and one line in commands.def:
 *
 *     const OptionSpec cmd_info_spec = { .command = "info", .summary = "describe a file", .usage = "FILE...", ... };
 *
 *     static Err run_info(Cli *cli, const void *target, const OptionResult *words)
 *     {
 *         const InfoArgs *args = target;
 *         ...
 *     }
 *
 *     Err cmd_info(Cli *cli, int argc, char **argv)
 *     {
 *         InfoArgs args = { 0 };
 *         return cli_run(cli, &cmd_info_spec, &args, argc, argv, run_info);
 *     }
 *
 * A command returns an Err; main prints its message and turns it into the exit code. Results go to stdout, everything
 * for people to stderr (cli->log).
 */
#ifndef METASEG_CLI_CLI_H
#define METASEG_CLI_CLI_H

#include "base/log.h"
#include "base/options.h"
#include "base/progress.h"
#include "metaseg/run.h"
#include "tensor/device.h"

#include <stdbool.h>

/* Values of the options that every command has. */
typedef struct CliCommon {
    bool quiet;
    int64_t verbose;
    int64_t log_format;      /* 0 text, 1 json */
    int64_t threads;         /* 0: all processors this process may use */
    int64_t cpu;             /* 0 auto, then CpuIsa + 1 */
    const char *data_folder; /* NULL: found by cli_parse */
    bool json_usage;         /* answered by cli_parse */
} CliCommon;

typedef struct Cli {
    CliCommon common;
    bool done; /* --help or --json-usage was answered: the command returns ERR_NONE at once */
    LogStream stream;
    Log log;           /* warnings always; information unless -q; debugging with -v */
    Device device;     /* from --cpu and --threads */
    char *data_folder; /* folder that holds prompts/, models/, classes/ and the climate map; NULL: none was found */
    bool in_build;     /* it is that of a build folder: the source tree is at hand */
    MetasegRun run;    /* the same for the public functions, with stop and callbacks onto log and progress */
    const char *doing; /* what the progress line of `run` says: "predicting" */
    const char *unit;  /* "tiles" */
    Progress progress; /* of `run`; started by its first call */
    bool progress_open;
} Cli;

/* The common options. */
OptionTable cli_common_options(void);

/* Reads the command line: common values into cli, own ones into `target`. Answers --help on stdout and sets cli->done.
 * ret_words must be released with options_result_done() in every case. ERR_ARGUMENT, ERR_UNSUPPORTED (--cpu),
 * ERR_MEMORY. */
Err cli_parse(Cli *cli, const OptionSpec *spec, void *target, int argc, char **argv, OptionResult *ret_words);

/* What a command does once its command line is read: `target` holds the values of its own options, `words` its
 * arguments; both end with the call. */
typedef Err (*CliRun)(Cli *cli, const void *target, const OptionResult *words);

/* A whole command: cli_parse() into `target`, then `run`, unless --help was answered. Errors of both. */
Err cli_run(Cli *cli, const OptionSpec *spec, void *target, int argc, char **argv, CliRun run);

/* Stream for a Progress of the command's own: NULL when quiet. */
LogStream *cli_progress_stream(Cli *cli);

/* Ends the progress line of cli->run, if one is open. */
void cli_progress_end(Cli *cli);

/* One line on standard output: the formatted text, escaped (base/escape.h), and a line feed. Commands print their results with
 * this and cli_json alone, so that no name out of a file can play with the terminal. */
void cli_line(const char *format, ...) PRINTF_LIKE(1, 2);

/* A JSON text (whose writer has escaped what must be) as a line on standard output. */
void cli_json(const char *json);

/* The same for functions of the library that give lines: the context is the Cli, whose progress ends. */
void cli_take_line(void *context, const char *text);
void cli_take_json(void *context, const char *json);

/* Whether results on standard output are JSON: with --log-format json, or where a command's own --json is given. */
bool cli_json_wanted(const Cli *cli, bool own_flag);

/* Path of a file below the data folder, which must exist there. free() it. ERR_INPUT with the line that mends it. */
Err cli_data_path(const Cli *cli, const char *name, char **ret_path);

/* What brings a file that set-up downloads, as the end of a sentence: 'make data' in a build folder, else 'make install' or
 * the folder that a variable names. */
const char *cli_mend(const Cli *cli);

/* Folder with the files that set-up downloads: $METASEG_DOWNLOADS, else $METASEG_CACHE/data, else downloads in the data
 * folder, which a build folder has. May not exist. free() it. ERR_MEMORY. */
Err cli_data_folder(const Cli *cli, char **ret_folder);

/* Value of an environment variable, NULL if unset or empty. Only cli reads the environment. */
const char *cli_environment(const char *name);

/* Not 0 after SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXCPU or SIGXFSZ; a second SIGINT or SIGTERM ends the program at once. */
extern const volatile int *const cli_stop;

void cli_finish(Cli *cli);

/* The commands. */
typedef struct Command {
    const OptionSpec *spec;
    Err (*run)(Cli *cli, int argc, char **argv);
} Command;

#define COMMAND(name)                                                                                                  \
    extern const OptionSpec cmd_##name##_spec;                                                                         \
    Err cmd_##name(Cli *cli, int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND

#endif
