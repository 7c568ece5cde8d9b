/* SPDX-License-Identifier: Apache-2.0
 * metaseg convert: published checkpoints into our model files. */
#include "cli/cli.h"

#include "base/file.h"
#include "base/str.h"
#include "data/class_table.h"
#include "model/convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct ConvertArgs {
    const char *output, *classes, *name, *state_dict;
    OptionList bands, means, stds;
    double gsd;
    bool half, overwrite, list;
} ConvertArgs;

static const double LARGEST = 1e9;

typedef struct BandNumbers {
    double means[MODEL_MAX_BANDS], stds[MODEL_MAX_BANDS];
} BandNumbers;

static const Option convert_options[] = {
    { "output", 'o', OPTION_STRING, offsetof(ConvertArgs, output), .value = "FILE",
      .help = "the safetensors file to write (or give it as the second argument)" },
    { "classes", 0, OPTION_STRING, offsetof(ConvertArgs, classes), .value = "TABLE",
      .help = "names, values and colours of a network's classes: a file, or a word for one of share/classes (loveda, "
              "isprs, openearthmap, ...)" },
    { "bands", 'b', OPTION_LIST, offsetof(ConvertArgs, bands), .value = "NAME,...",
      .help = "names of the bands that a network reads" },
    { "means", 0, OPTION_LIST, offsetof(ConvertArgs, means), .value = "NUMBER,...",
      .help = "what the network's training subtracted from each band, in the numbers of images (0,0,0 where it only "
              "divided by 255)" },
    { "stds", 0, OPTION_LIST, offsetof(ConvertArgs, stds), .value = "NUMBER,...",
      .help = "what it then divided by (255,255,255)" },
    { "gsd", 0, OPTION_DOUBLE, offsetof(ConvertArgs, gsd), .value = "METRES", .default_value = "0", .minimum = 0,
      .maximum = 1e6, .help = "pixel size that a network was trained at; 0: not known, images are read as they are" },
    { "state-dict", 0, OPTION_STRING, offsetof(ConvertArgs, state_dict), .value = "NAME",
      .help =
          "the dictionary of a PyTorch checkpoint to read where it has several, state_dict_ema for example (without "
          "it state_dict, model_state_dict or model)" },
    { "name", 0, OPTION_STRING, offsetof(ConvertArgs, name), .value = "TEXT", .help = "name of the model" },
    { "half", 0, OPTION_FLAG, offsetof(ConvertArgs, half), .help = "store matrices and filters in half precision" },
    { "list", 0, OPTION_FLAG, offsetof(ConvertArgs, list), .help = "say what a file holds and list its tensors" },
    { "overwrite", 'f', OPTION_FLAG, offsetof(ConvertArgs, overwrite), .help = "replace an existing output" },
};

const OptionSpec cmd_convert_spec = {
    .command = "convert",
    .summary = "convert published checkpoints to safetensors",
    .usage = "IN -o OUT.safetensors [options]",
    .details =
        "Reads PyTorch files (legacy, zip, Lightning checkpoints) without executing anything in them, and safetensors. "
        "What a "
        "file holds is recognised by the names and shapes of its tensors (docs/model-file.md has the list): whole "
        "networks, which become models for 'metaseg predict'; image encoders and text encoders, which are for "
        "training; "
        "the tensors of Galileo and Presto, which do not run here; and models or checkpoints of metaseg. A tensor that "
        "is missing, left over or of another shape is an error.",
    .examples = "metaseg convert unetformer-loveda.ckpt -o loveda.safetensors --classes loveda --gsd 0.3\n"
                "metaseg convert unknown.pt --list\n"
                "metaseg convert resnet18.pth -o resnet18.safetensors\n"
                "metaseg convert variables.safetensors -o dynamic_world.safetensors",
    .own = { convert_options, ARRAY_LEN(convert_options) },
    .min_arguments = 1,
    .max_arguments = 2,
};

/* A file, or the name of one of the tables that are installed. */
static Err load_classes(const Cli *cli, const char *given, ClassTable *ret_table)
{
    char *path = NULL;
    if (file_exists(given) || cli->data_folder == NULL || strchr(given, '/') != NULL || str_ends_with(given, ".yaml"))
        return class_table_load(given, ret_table);
    TRY(class_table_path(cli->data_folder, given, &path));
    const Err err = class_table_load(path, ret_table);
    free(path);
    return err;
}

static ModelClass model_class(const DatasetClass *from)
{
    return (
        ModelClass){ .code = from->value, .name = from->name, .color = (uint32_t)strtoul(from->color + 1, NULL, 16) };
}

static Err read_numbers(const OptionList *list, const char *what, double ret_numbers[MODEL_MAX_BANDS])
{
    if (list->count > MODEL_MAX_BANDS)
        return err_set(ERR_ARGUMENT, "%s has %lld numbers; at most %d were expected", what, (long long)list->count,
                       (int)MODEL_MAX_BANDS);
    for (int64_t i = 0; i < list->count; i++)
        TRY(str_parse_double(list->items[i], what, -LARGEST, LARGEST, &ret_numbers[i]));
    return ERR_NONE;
}

/* Options of the bands. */
static Err read_bands(const ConvertArgs *args, BandNumbers *numbers, ConvertOptions *o)
{
    TRY(read_numbers(&args->means, "--means", numbers->means));
    TRY(read_numbers(&args->stds, "--stds", numbers->stds));
    o->bands = args->bands.count > 0 ? args->bands.items : NULL;
    o->n_bands = (int32_t)args->bands.count;
    o->means = args->means.count > 0 ? numbers->means : NULL;
    o->n_means = (int32_t)args->means.count;
    o->stds = args->stds.count > 0 ? numbers->stds : NULL;
    o->n_stds = (int32_t)args->stds.count;
    return ERR_NONE;
}

static Err convert(const ConvertArgs *args, const char *in, const char *out, const ClassTable *table)
{
    ModelClass classes[MODEL_MAX_CLASSES];
    BandNumbers numbers;
    ConvertReport report = { 0 };
    ConvertOptions o = convert_options_defaults();
    if (args->half) o.weights = DTYPE_F16;
    o.overwrite = args->overwrite;
    o.name = args->name;
    o.state_dict = args->state_dict;
    o.gsd = args->gsd;
    TRY(read_bands(args, &numbers, &o));
    for (uint32_t i = 0; i < table->n_classes; i++) classes[i] = model_class(&table->classes[i]);
    if (table->n_classes > 0) {
        o.classes = classes;
        o.n_classes = (int32_t)table->n_classes;
    }
    TRY(convert_file(in, out, &o, &report));
    cli_line("%s, %s, %lld tensors read, %lld written to %s%s%s%s%s", report.title, report.format,
             (long long)report.read, (long long)report.written, out, report.left_out[0] != '\0' ? "; left out: " : "",
             report.left_out, report.beside[0] != '\0' ? "; not read, but beside it (--state-dict): " : "",
             report.beside);
    return ERR_NONE;
}

static Err list(const char *path, const char *state_dict)
{
    TensorFile *file = NULL;
    char title[CONVERT_TITLE], shape[96];
    TRY(tensor_file_open_member(path, state_dict, &file));
    const Err err = convert_title(file, title);
    if (err == ERR_NONE)
        cli_line("%s, %s, %lld tensors", title, tensor_file_format(file), (long long)tensor_file_count(file));
    for (int64_t i = 0; err == ERR_NONE && i < tensor_file_count(file); i++) {
        const StoredTensor *tensor = tensor_file_at(file, i);
        cli_line("  %s  %s %s", tensor->name, dtype_name(tensor->dtype),
                 shape_text(&tensor->shape, shape, sizeof shape));
    }
    tensor_file_close(file);
    return err;
}

static Err run_convert(Cli *cli, const void *target, const OptionResult *words)
{
    const ConvertArgs *args = target;
    const bool second = words->n_arguments == 2;
    ClassTable table = { 0 };
    if (args->list && (second || args->output != NULL))
        return err_set(ERR_ARGUMENT, "--list writes no file; give the file to look at alone");
    if (args->list) return list(words->arguments[0], args->state_dict);
    if (second == (args->output != NULL))
        return err_set(ERR_ARGUMENT, "convert needs one file to write: -o OUT.safetensors");
    if (args->classes != NULL) TRY(load_classes(cli, args->classes, &table));
    const Err err = convert(args, words->arguments[0], second ? words->arguments[1] : args->output, &table);
    class_table_done(&table);
    return err;
}

Err cmd_convert(Cli *cli, int argc, char **argv)
{
    ConvertArgs args = { 0 };
    return cli_run(cli, &cmd_convert_spec, &args, argc, argv, run_convert);
}
