/* SPDX-License-Identifier: Apache-2.0
 * metaseg dataset: what a training would learn from. */
#include "cli/cli.h"

#include "cli/plan_options.h"

#include <string.h>

typedef struct DatasetArgs {
    PlanArgs plan;
    const char *split;
} DatasetArgs;

static const Option dataset_options[] = {
    PLAN_OPTIONS(DatasetArgs),
    { "split", 0, OPTION_STRING, offsetof(DatasetArgs, split), .value = "SPLIT",
      .help = "with check: the split to look at, one of those that 'metaseg dataset list' tells" },
};

const OptionSpec cmd_dataset_spec = {
    .command = "dataset",
    .summary = "tell what there is to learn from, before training",
    .usage = "CONFIG.yaml | --image IMAGE... --labels FILE... | check PRESET FOLDER | list [options]",
    .details =
        "Opens what 'metaseg train' would open with the same configuration or the same images and labels, and writes "
        "nothing. Told are size, pixel size, bands and climate zones of each scene; how much of each class is for "
        "training, "
        "validation and holdout, as an area on the ground (label pixels where the place is not known); bands that look "
        "wrong in a sample of each image: without a valid pixel, of one value, saturated, equal to another one, or far "
        "from what they are normalised with; and scenes or boxes that cover the same ground. Scenes of holdout, which "
        "training never opens, are told too. A data set that training would refuse is told as far as it was read, then "
        "refused with the exit code of training. Everything is in one line of JSON with --log-format json. "
        "'check' reads every file of a published data set (a preset: 'list' tells them) and says what is missing or "
        "wrong, file by "
        "file: an image without labels, labels without image, different sizes, values that no class has, a file that "
        "cannot be read to its end, a split without its list; the exit code is 4 where there is any.",
    .examples = "metaseg dataset check loveda /data/LoveDA\n"
                "metaseg dataset mine.yaml\n"
                "metaseg dataset --image scene.tif --labels polygons.gpkg --field class\n"
                "metaseg dataset mine.yaml --log-format json | jq '.overlaps[] | select(.leaks)'",
    .own = { dataset_options, ARRAY_LEN(dataset_options) },
    .max_arguments = -1,
};

static Err tell_labels(Cli *cli, const PlanArgs *args, const OptionResult *words)
{
    CliPlan plan = { 0 };
    const bool json = cli_json_wanted(cli, false);
    if (args->images.count == 0 || args->labels.count == 0)
        return err_set(ERR_ARGUMENT, "without a configuration dataset needs --image and --labels; see --help");
    Err err = cli_plan_images(args, words, &plan);
    if (err == ERR_NONE) err = cli_plan_fill(cli, args, &plan);
    if (err == ERR_NONE) err = metaseg_dataset_plan(&plan.plan, json, &cli->run, json ? cli_take_json : cli_take_line);
    cli_plan_done(&plan);
    return err;
}

static Err run_dataset(Cli *cli, const void *target, const OptionResult *words)
{
    const DatasetArgs *args = target;
    const bool json = cli_json_wanted(cli, false);
    cli->doing = "reading";
    cli->unit = "scenes";
    if (args->plan.images.count > 0 || args->plan.labels.count > 0) return tell_labels(cli, &args->plan, words);
    const char *const *word = (const char *const *)words->arguments;
    if (words->n_arguments == 1 && strcmp(word[0], "list") == 0)
        return metaseg_dataset_list(json, &cli->run, json ? cli_take_json : cli_take_line);
    if (words->n_arguments == 3 && strcmp(word[0], "check") == 0) {
        cli->unit = "images";
        const Err err =
            metaseg_dataset_check(word[1], word[2], args->split, json, &cli->run, json ? cli_take_json : cli_take_line);
        return err;
    }
    if (words->n_arguments > 0 && strcmp(word[0], "check") == 0)
        return err_set(ERR_ARGUMENT, "check needs a preset and a folder: metaseg dataset check loveda /data/LoveDA");
    if (args->split != NULL) return err_set(ERR_ARGUMENT, "--split goes with check");
    if (words->n_arguments != 1)
        return err_set(ERR_ARGUMENT, "dataset needs one configuration, or --image and --labels; see --help");
    return metaseg_dataset(words->arguments[0], args->plan.set.items, args->plan.set.count, json, &cli->run,
                           json ? cli_take_json : cli_take_line);
}

Err cmd_dataset(Cli *cli, int argc, char **argv)
{
    DatasetArgs args = { 0 };
    return cli_run(cli, &cmd_dataset_spec, &args, argc, argv, run_dataset);
}
