/* SPDX-License-Identifier: Apache-2.0
 * metaseg convert: published checkpoints into our model files. */
#include "cli/cli.h"

#include "model/convert.h"

#include <stdio.h>

typedef struct ConvertArgs {
    bool half, overwrite;
} ConvertArgs;

static const Option convert_options[] = {
    { "half", 0, OPTION_FLAG, offsetof(ConvertArgs, half), .help = "store matrices and filters in half precision" },
    { "overwrite", 'f', OPTION_FLAG, offsetof(ConvertArgs, overwrite), .help = "replace an existing output" },
};

const OptionSpec cmd_convert_spec = {
    .command = "convert",
    .summary = "convert published checkpoints to safetensors",
    .usage = "IN OUT.safetensors [options]",
    .details = "Reads PyTorch files (legacy and zip) without executing anything in them, and safetensors: the ImageNet "
               "checkpoint of "
               "EfficientNet-Lite0, the text encoder all-MiniLM-L6-v2, the variables of Dynamic World "
               "(docs/model-file.md), and models or checkpoints of metaseg.",
    .examples = "metaseg convert efficientnet-lite0.pth encoder.safetensors\n"
                "metaseg convert variables.safetensors dynamic_world.safetensors",
    .own = { convert_options, ARRAY_LEN(convert_options) },
    .min_arguments = 2,
    .max_arguments = 2,
};

static Err run_convert(Cli *cli, const void *target, const OptionResult *words)
{
    (void)cli;
    const ConvertArgs *args = target;
    ConvertReport report;
    TRY(convert_file(words->arguments[0], words->arguments[1], args->half ? DTYPE_F16 : DTYPE_F32, args->overwrite,
                     &report));
    cli_line("%s, %s, %lld of %lld tensors written to %s", convert_kind_name(report.kind), report.format,
             (long long)report.written, (long long)report.read, words->arguments[1]);
    return ERR_NONE;
}

Err cmd_convert(Cli *cli, int argc, char **argv)
{
    ConvertArgs args = { 0 };
    return cli_run(cli, &cmd_convert_spec, &args, argc, argv, run_convert);
}
