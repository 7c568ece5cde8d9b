/* SPDX-License-Identifier: Apache-2.0
 *
 * metaseg COMMAND ...: finds the command, prints its error as one line, gives the exit code. */
#include "cli/cli.h"

#include "base/str.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const Command commands[] = {
#define COMMAND(name) { &cmd_##name##_spec, cmd_##name },
#include "cli/commands.def"
#undef COMMAND
};

static const Command *find_command(const char *name)
{
    for (int64_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].spec->command, name) == 0) return &commands[i];
    return NULL;
}

static void add_help(Str *text)
{
    str_add(text, "metaseg maps land cover from satellite and aerial images, and reads their metadata as text\n\n"
                  "usage: metaseg COMMAND ...\n\ncommands:\n");
    for (int64_t i = 0; i < ARRAY_LEN(commands); i++)
        str_addf(text, "  %-10s %s\n", commands[i].spec->command, commands[i].spec->summary);
    str_add(
        text,
        "\n'metaseg COMMAND --help' tells its options; 'man metaseg' tells more\n"
        "exit codes: 0 done, 1 internal error, 2 usage or configuration, 3 some inputs failed, 4 unsuitable input,\n"
        "            5 bad model file, 6 output, disk or memory, 8 stopped, can be continued\n");
}

/* The commands' part of the man page, for the build (docs/man). */
static void add_man(Str *text)
{
    for (int64_t i = 0; i < ARRAY_LEN(commands); i++) options_man(commands[i].spec, text);
    str_add(text, ".SS \"options of every command\"\n");
    options_man_table(cli_common_options(), text);
}

/* A bash completion script. */
static void add_completion(Str *text)
{
    str_add(text, "# bash completion of metaseg; made by 'metaseg --completion'\n"
                  "_metaseg()\n{\n    local word=${COMP_WORDS[COMP_CWORD]} words=\n    case ${COMP_WORDS[1]} in\n");
    for (int64_t i = 0; i < ARRAY_LEN(commands); i++) {
        str_addf(text, "    %s) words=\"", commands[i].spec->command);
        options_words(commands[i].spec->own, text);
        str_add_char(text, ' ');
        options_words(cli_common_options(), text);
        str_add(text, " --help\" ;;\n");
    }
    str_add(text, "    esac\n    COMPREPLY=()\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words=\"");
    for (int64_t i = 0; i < ARRAY_LEN(commands); i++) str_addf(text, "%s ", commands[i].spec->command);
    str_add(text, "--help --version\"\n    elif [[ $word != -* ]]; then\n        return\n    fi\n"
                  "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\n"
                  "complete -o default -F _metaseg metaseg\n");
}

static Err print(void (*add)(Str *text))
{
    Str text = { 0 };
    char *whole = NULL;
    add(&text);
    TRY(str_take(&text, &whole));
    (void)fputs(whole, stdout);
    free(whole);
    return ERR_NONE;
}

static Err unknown_command(const char *name)
{
    const char *names[ARRAY_LEN(commands)];
    for (int64_t i = 0; i < ARRAY_LEN(commands); i++) names[i] = commands[i].spec->command;
    const char *nearest = str_nearest(name, names, ARRAY_LEN(commands));
    if (nearest != NULL) return err_set(ERR_ARGUMENT, "unknown command '%s'; did you mean '%s'?", name, nearest);
    return err_set(ERR_ARGUMENT, "unknown command '%s'; 'metaseg --help' lists them", name);
}

static Err dispatch(Cli *cli, int argc, char **argv)
{
    char help_word[] = "--help";
    if (argc < 2) return err_set(ERR_ARGUMENT, "no command was given; 'metaseg --help' lists them");
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0) return printf("metaseg %s\n", METASEG_VERSION) < 0 ? ERR_OUTPUT : ERR_NONE;
    if (strcmp(name, "--man") == 0) return print(add_man);
    if (strcmp(name, "--completion") == 0) return print(add_completion);
    const bool help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0;
    if (help && argc == 2) return print(add_help);
    const Command *command = find_command(help ? argv[2] : name);
    if (command == NULL) return unknown_command(help ? argv[2] : name);
    if (!help) return command->run(cli, argc - 1, argv + 1);
    char *words[] = { argv[2], help_word, NULL };
    return command->run(cli, 2, words);
}

/* libgomp's threads spin for milliseconds at every barrier, which stalls all of them when anything else wants the cores
 * (a tile then takes seconds). A short spin costs nothing on a quiet machine; libgomp reads the setting only when it is
 * loaded, so the program starts itself once more with it. A user's own choice stands. */
static void wait_politely(char **argv)
{
    if (getenv("GOMP_SPINCOUNT") != NULL || getenv("OMP_WAIT_POLICY") != NULL) return;
    if (setenv("GOMP_SPINCOUNT", "1000", 1) == 0) (void)execv("/proc/self/exe", argv);
}

/* What is left of standard output. Where its reader has gone (| head), the command was stopped, it did not fail. */
static Err finish_output(Err err)
{
    struct pollfd out = { .fd = STDOUT_FILENO };
    errno = EIO; /* where an earlier write failed, its reason is gone */
    if ((fflush(stdout) == 0 && !ferror(stdout)) || (err != ERR_NONE && err != ERR_INTERRUPTED)) return err;
    const int code = errno;
    if (poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0)
        return err_set(ERR_INTERRUPTED, "stopped: nobody reads standard output any more");
    return err_set(ERR_OUTPUT, "standard output cannot be written: %s", strerror(code));
}

int main(int argc, char **argv)
{
    wait_politely(argv);
    Cli cli = { 0 };
    log_stream_init(&cli.stream, stderr, false);
    cli.log = (Log){ LOG_INFO, log_to_stream, &cli.stream };
    Err err = dispatch(&cli, argc, argv);
    cli_progress_end(&cli);
    err = finish_output(err);
    /* a run that was asked to stop has not failed */
    if (err != ERR_NONE) log_line(&cli.log, err == ERR_INTERRUPTED ? LOG_INFO : LOG_ERROR, "%s", err_message());
    cli_finish(&cli);
    return err_exit_code(err);
}
