/* SPDX-License-Identifier: Apache-2.0
 * metaseg train: trains a model from a configuration. */
#include "cli/cli.h"

#include "metaseg/train.h"

#include <math.h>
#include <stdio.h>

typedef struct TrainArgs {
    OptionList set;
    bool resume, overwrite;
} TrainArgs;

static const Option train_options[] = {
    { "set", 0, OPTION_LIST, offsetof(TrainArgs, set), .value = "KEY=VALUE", .whole = true,
      .help = "another value for a key of the configuration, as train.steps=50" },
    { "resume", 'r', OPTION_FLAG, offsetof(TrainArgs, resume),
      .help = "continue the run in the output folder (train.output) after it was stopped" },
    { "overwrite", 'f', OPTION_FLAG, offsetof(TrainArgs, overwrite),
      .help = "replace a run that the output folder holds already" },
};

const OptionSpec cmd_train_spec = {
    .command = "train",
    .summary = "train a model from a configuration",
    .usage = "CONFIG.yaml [options]",
    .details =
        "The configuration names images, label rasters, classes and how to train; docs/configuration.md tells all "
        "keys and has an example for your own data. The output folder gets best.safetensors (the model for "
        "'metaseg predict -m', the best on the validation area), last.safetensors (all that --resume needs), "
        "metrics.csv, metrics.jsonl and config.yaml. Ctrl-C saves and stops with exit code 8; --resume then ends "
        "with the same bytes as an unbroken run, also after a crash; it refuses another configuration but for the keys "
        "that "
        "docs/configuration.md calls free. A folder that holds a run already is refused without --resume or -f.",
    .examples = "metaseg train configs/globe.yaml\nmetaseg train configs/globe.yaml --set train.steps=50\n"
                "metaseg train configs/globe.yaml --resume",
    .own = { train_options, ARRAY_LEN(train_options) },
    .min_arguments = 1,
    .max_arguments = 1,
};

static Err run_train(Cli *cli, const void *target, const OptionResult *words)
{
    const TrainArgs *args = target;
    if (args->resume && args->overwrite)
        return err_set(ERR_ARGUMENT,
                       "--resume continues the run of the output folder, -f replaces it; give one of them");
    const MetasegTrainStart start = args->resume      ? METASEG_TRAIN_RESUME
                                    : args->overwrite ? METASEG_TRAIN_REPLACE
                                                      : METASEG_TRAIN_NEW;
    cli->doing = "training";
    cli->unit = "steps";
    MetasegTrainReport report;
    const Err err = metaseg_train(words->arguments[0], args->set.items, args->set.count, start, &cli->run, &report);
    cli_progress_end(cli);
    TRY(err);
    cli_line("steps %lld", (long long)report.steps);
    cli_line("seconds %.1f", report.seconds);
    if (isfinite(report.best_miou))
        cli_line("validation mIoU %.2f %% at step %lld", 100.0 * report.best_miou, (long long)report.best_step);
    return ERR_NONE;
}

Err cmd_train(Cli *cli, int argc, char **argv)
{
    TrainArgs args = { 0 };
    return cli_run(cli, &cmd_train_spec, &args, argc, argv, run_train);
}
