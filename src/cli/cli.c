/* SPDX-License-Identifier: Apache-2.0
 * What the commands share. */
#include "cli/cli.h"

#include "base/escape.h"
#include "base/file.h"
#include "base/room.h"
#include "geo/geo_process.h"

#include <omp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const Option common_options[] = {
    { "quiet", 'q', OPTION_FLAG, offsetof(CliCommon, quiet), .help = "only warnings and errors, no progress" },
    { "verbose", 'v', OPTION_COUNT, offsetof(CliCommon, verbose), .help = "more messages" },
    { "log-format", 0, OPTION_ENUM, offsetof(CliCommon, log_format), .value = "FORMAT",
      .help = "results on stdout, messages and progress on stderr as", .choices = { "text", "json" },
      .default_value = "text" },
    { "threads", 0, OPTION_INT, offsetof(CliCommon, threads), .value = "N", .minimum = 0, .maximum = 1024,
      .help = "threads for computing; 0: every processor this process may use", .default_value = "0" },
    { "cpu", 0, OPTION_ENUM, offsetof(CliCommon, cpu), .value = "LEVEL", .help = "instruction set to use at most",
      .choices = { "auto", "plain", "avx2", "avx512" }, .default_value = "auto" },
    { "data-folder", 0, OPTION_STRING, offsetof(CliCommon, data_folder), .value = "FOLDER",
      .help = "folder with prompts, models, class tables and the climate map" },
    { "json-usage", 0, OPTION_FLAG, offsetof(CliCommon, json_usage),
      .help = "the options of the command as JSON, as GDAL describes its own for dialogs and pipelines" },
};

OptionTable cli_common_options(void) { return (OptionTable){ common_options, ARRAY_LEN(common_options) }; }

static volatile int stop_requested; /* written by the signal handler alone */
const volatile int *const cli_stop = &stop_requested;

static void on_signal(int number)
{
    (void)number;
    stop_requested = 1;
}

/* A second SIGINT or SIGTERM ends the program at once. The others come again by themselves: SIGXCPU every second, SIGPIPE
 * and SIGXFSZ with every write, SIGHUP from terminal and shell. */
static void catch_signals(void)
{
    static const int once[] = { SIGINT, SIGTERM }, always[] = { SIGHUP, SIGPIPE, SIGXCPU, SIGXFSZ };
    struct sigaction action = { 0 }, before;
    action.sa_handler = on_signal;
    (void)sigemptyset(&action.sa_mask);
    action.sa_flags = (int)(SA_RESTART | SA_RESETHAND);
    for (int64_t i = 0; i < ARRAY_LEN(once); i++) (void)sigaction(once[i], &action, NULL);
    action.sa_flags = SA_RESTART;
    for (int64_t i = 0; i < ARRAY_LEN(always); i++) /* what nohup and the like ignore stays ignored */
        if (sigaction(always[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            (void)sigaction(always[i], &action, NULL);
}

const char *cli_environment(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

/* Folder of the running program, through /proc (Linux). free() it. */
static Err program_folder(char **ret_folder)
{
    char path[4096];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0) return err_set(ERR_INTERNAL, "the program's own place is unknown");
    path[length] = '\0';
    return path_folder(path, ret_folder);
}

/* A data folder is recognised by its prompt bank. */
static bool is_data_folder(const char *folder)
{
    char *prompts = NULL;
    if (path_join(folder, "prompts", &prompts) != ERR_NONE) return false;
    const bool found = file_is_folder(prompts);
    free(prompts);
    return found;
}

/* Named one, METASEG_DATA, ../share/metaseg of an installed program, share/metaseg of a build folder. NULL: none. */
static Err find_data_folder(const char *named, char **ret_folder, bool *ret_in_build)
{
    static const char *const beside[] = { "../share/metaseg", "share/metaseg" };
    char *folder = NULL;
    if (named == NULL) named = cli_environment("METASEG_DATA");
    if (named != NULL) {
        if (!file_is_folder(named))
            return err_set(
                ERR_INPUT,
                "'%s': no such folder; --data-folder and METASEG_DATA name the folder with prompts/ and models/",
                named);
        return str_copy(named, ret_folder);
    }
    if (program_folder(&folder) != ERR_NONE) return ERR_NONE;
    Err err = ERR_NONE;
    for (int64_t i = 0; i < ARRAY_LEN(beside) && err == ERR_NONE && *ret_folder == NULL; i++) {
        char *candidate = NULL;
        err = path_join(folder, beside[i], &candidate);
        if (err == ERR_NONE && is_data_folder(candidate)) *ret_folder = realpath(candidate, NULL);
        *ret_in_build = *ret_folder != NULL && i > 0;
        free(candidate);
    }
    free(folder);
    return err;
}

static void on_progress(void *context, int64_t done, int64_t total, const char *text)
{
    Cli *cli = context;
    if (!cli->progress_open || cli->progress.total != total || done < cli->progress.done) {
        cli_progress_end(cli);
        progress_start(&cli->progress, cli_progress_stream(cli), cli->doing, cli->unit, total);
        if (done > 0) progress_resume(&cli->progress, done); /* done before the clock ran, or by an earlier run */
        cli->progress_open = true;
    }
    if (text != NULL) progress_note(&cli->progress, "%s", text);
    progress_set(&cli->progress, done);
    if (done >= total) cli_progress_end(cli);
}

static void on_message(void *context, int level, const char *text)
{
    const Cli *cli = context;
    log_line(&cli->log, level > 0 ? LOG_WARNING : LOG_INFO, "%s", text);
}

/* Acts on the common options. */
static Err apply_common(Cli *cli)
{
    const CliCommon *common = &cli->common;
    log_stream_init(&cli->stream, stderr, common->log_format == 1);
    cli->log.level = common->quiet ? LOG_WARNING : common->verbose > 0 ? LOG_DEBUG : LOG_INFO;
    cli->device = device_default();
    if (common->threads > 0)
        cli->device.threads = (int32_t)common->threads;
    else if (cli_environment("OMP_NUM_THREADS") != NULL)
        cli->device.threads = omp_get_max_threads(); /* as it is, also beyond the processors */
    if (common->cpu > 0) {
        const char *level = cpu_isa_name((CpuIsa)(common->cpu - 1));
        TRY(cpu_isa_parse(level, &cli->device.isa));
        cli->run.cpu = level;
    }
    TRY(find_data_folder(common->data_folder, &cli->data_folder, &cli->in_build));
    cli->run.threads = cli->device.threads;
    cli->run.data_folder = cli->data_folder;
    return ERR_NONE;
}

/* Whether messages are wanted as JSON: known before the options are, because those may be wrong. */
static bool wants_json(int argc, char **argv)
{
    bool json = false;
    for (int i = 1; i < argc; i++) {
        const bool value_follows = strcmp(argv[i], "--log-format") == 0 && i + 1 < argc;
        if (value_follows) json = strcmp(argv[i + 1], "json") == 0;
        if (str_starts_with(argv[i], "--log-format=")) json = str_ends_with(argv[i], "=json");
    }
    return json;
}

/* Nothing else needs to be right or given then, as with --help. */
static bool wants_usage(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json-usage") == 0) return true;
    return false;
}

static Err print_usage(Cli *cli, const OptionSpec *spec, OptionResult *ret_words)
{
    char *text = NULL;
    *ret_words = (OptionResult){ .arguments = NULL };
    TRY(options_json(spec, cli_common_options(), &text));
    cli_json(text);
    free(text);
    cli->done = true;
    return ERR_NONE;
}

Err cli_parse(Cli *cli, const OptionSpec *spec, void *target, int argc, char **argv, OptionResult *ret_words)
{
    bool help = false;
    cli->log = (Log){ LOG_INFO, log_to_stream, &cli->stream };
    cli->stream.json = wants_json(argc, argv);
    cli->run = (MetasegRun){ .progress = on_progress, .message = on_message, .context = cli, .stop = cli_stop };
    cli->doing = spec->command;
    cli->unit = "steps";
    if (wants_usage(argc, argv)) return print_usage(cli, spec, ret_words);
    TRY(options_parse(spec, target, cli_common_options(), &cli->common, argc, argv, &help, ret_words));
    if (help) {
        Str text = { 0 };
        char *whole = NULL;
        options_help(spec, cli_common_options(), &text);
        TRY(str_take(&text, &whole));
        (void)fputs(whole, stdout);
        free(whole);
        cli->done = true;
        return ERR_NONE;
    }
    catch_signals();
    TRY(room_check("a command"));
    gdal_own_process();
    return apply_common(cli);
}

Err cli_run(Cli *cli, const OptionSpec *spec, void *target, int argc, char **argv, CliRun run)
{
    OptionResult words;
    Err err = cli_parse(cli, spec, target, argc, argv, &words);
    if (err == ERR_NONE && !cli->done) err = run(cli, target, &words);
    options_result_done(&words);
    return err;
}

LogStream *cli_progress_stream(Cli *cli) { return cli->common.quiet ? NULL : &cli->stream; }

void cli_progress_end(Cli *cli)
{
    if (cli->progress_open) progress_finish(&cli->progress);
    cli->progress_open = false;
}

enum { LINE_BYTES = 1024 }; /* longer lines are formatted on the heap */

void cli_line(const char *format, ...)
{
    char text[LINE_BYTES], shown[ESCAPE_BYTES];
    char *longer = NULL;
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    if (length >= LINE_BYTES && (longer = malloc((size_t)length + 1)) != NULL)
        (void)vsnprintf(longer, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    for (const char *c = longer != NULL ? longer : text; *c != '\0';) {
        (void)escape_next(&c, shown);
        (void)fputs(shown, stdout);
    }
    (void)putchar('\n');
    free(longer);
}

bool cli_json_wanted(const Cli *cli, bool own_flag) { return own_flag || cli->common.log_format == 1; }

void cli_json(const char *json) { (void)puts(json); }

void cli_take_line(void *context, const char *text)
{
    cli_progress_end(context);
    cli_line("%s", text);
}

void cli_take_json(void *context, const char *json)
{
    cli_progress_end(context);
    cli_json(json);
}

Err cli_data_path(const Cli *cli, const char *name, char **ret_path)
{
    char *path = NULL;
    if (cli->data_folder == NULL)
        return err_set(
            ERR_INPUT,
            "'%s': no data folder was found; 'make install' makes one, --data-folder or METASEG_DATA names one", name);
    TRY(path_join(cli->data_folder, name, &path));
    if (access(path, R_OK) != 0) {
        const Err err = err_set(ERR_INPUT, "'%s': missing; %s", path, cli_mend(cli));
        free(path);
        return err;
    }
    *ret_path = path;
    return ERR_NONE;
}

const char *cli_mend(const Cli *cli)
{
    return cli->in_build
               ? "'make data' in the source tree brings it"
               : "'make install' brings it; METASEG_DATA names another data folder, METASEG_DOWNLOADS one of downloads";
}

Err cli_data_folder(const Cli *cli, char **ret_folder)
{
    const char *data = cli_environment("METASEG_DOWNLOADS"), *cache = cli_environment("METASEG_CACHE");
    if (data != NULL) return str_copy(data, ret_folder);
    if (cache != NULL) return path_join(cache, "data", ret_folder);
    return path_join(cli->data_folder != NULL ? cli->data_folder : ".", "downloads", ret_folder);
}

void cli_finish(Cli *cli)
{
    cli_progress_end(cli);
    free(cli->data_folder);
    cli->data_folder = NULL;
}
