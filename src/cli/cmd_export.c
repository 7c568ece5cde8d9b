/* SPDX-License-Identifier: Apache-2.0
 * metaseg export: a model in the format of other programs. */
#include "cli/cli.h"
#include "cli/models.h"

#include "base/file_set.h"
#include "data/text_inputs.h"
#include "export/onnx_export.h"
#include "network/segmenter.h"

#include <stdlib.h>
#include <string.h>

typedef struct ExportArgs {
    const char *onnx, *zone;
    int64_t tile;
    bool bare, overwrite;
} ExportArgs;

static const Option export_options[] = {
    { "onnx", 0, OPTION_STRING, offsetof(ExportArgs, onnx), .value = "FILE", .help = "the .onnx file to write" },
    { "tile", 't', OPTION_INT, offsetof(ExportArgs, tile), .value = "PIXELS", .default_value = "0", .minimum = 0,
      .maximum = 8192, .help = "side of the images that it reads; 0: the model's own" },
    { "zone", 0, OPTION_STRING, offsetof(ExportArgs, zone), .value = "CODE",
      .help = "make the prompt of one climate zone (Cfb, ...), or 'null' for none, a part of the file, which then "
              "reads the "
              "image alone" },
    { "bare", 0, OPTION_FLAG, offsetof(ExportArgs, bare),
      .help = "the network alone: normalised image in, scores at the network's own stride out" },
    { "overwrite", 'f', OPTION_FLAG, offsetof(ExportArgs, overwrite), .help = "replace existing outputs" },
};

const OptionSpec cmd_export_spec = {
    .command = "export",
    .summary = "write a model as ONNX, for other programs",
    .usage = "MODEL --onnx FILE.onnx [options]",
    .details =
        "Writes the image part of a model, a file or the name of one that came with metaseg, as an ONNX model (opset "
        "17) of "
        "one square image: pixels / 255 in, probabilities of the classes out, which is what the QGIS plugin "
        "Deepness, GeoDeep and geoai work with; FILE.json beside it is geoai's description. Where the model reads "
        "text, the tokens are inputs too; those programs know one input, so give them a file with --zone. "
        "docs/export.md has the inputs and the metadata.",
    .examples = "metaseg export globe --onnx globe.onnx --zone Cfb\n"
                "metaseg export mymodel/best.safetensors --onnx mymodel.onnx --tile 512",
    .own = { export_options, ARRAY_LEN(export_options) },
    .min_arguments = 1,
    .max_arguments = 1,
};

/* The prompt of a zone in the first slot, everywhere; "null": the null prompt. */
static Err fill_text(const Model *model, const char *zone, const NetworkInputs *text)
{
    const int64_t slots = text->shape.slots, cells = text->shape.height / 16 * (text->shape.width / 16);
    int32_t *entries = calloc((size_t)slots * 2, sizeof *entries);
    float *shares = calloc((size_t)(cells * (slots + 1)), sizeof *shares);
    Err err = entries != NULL && shares != NULL ? ERR_NONE : err_memory((size_t)cells * sizeof *shares, "a prompt");
    const bool null = strcmp(zone, "null") == 0;
    for (int64_t i = 0; i < slots && err == ERR_NONE; i++) entries[i] = -1;
    if (err == ERR_NONE && !null) {
        entries[0] = prompt_table_find(&model->prompts, zone);
        if (entries[0] < 0)
            err = err_set(ERR_ARGUMENT,
                          "--zone '%s': the model has no prompt of that name; give a Koeppen-Geiger code "
                          "(Cfb) or 'null'",
                          zone);
        for (int64_t i = 0; i < cells; i++) shares[i * (slots + 1)] = 1.0F;
    }
    if (err == ERR_NONE) text_inputs_fill(&model->prompts, entries, entries + slots, null ? NULL : shares, text);
    free(entries);
    free(shares);
    return err;
}

static Err export_model(const ExportArgs *args, const Model *model)
{
    OnnxExport o = { .side = args->tile > 0 ? args->tile : model->config.tile,
                     .bare = args->bare,
                     .overwrite = args->overwrite };
    const bool reads_text = model->config.network.fusion != NETWORK_FUSION_NONE;
    if (args->zone == NULL) return onnx_export(model, args->onnx, &o);
    if (!reads_text)
        return err_set(ERR_ARGUMENT, "--zone: the model '%s' reads no text; leave it out", model->config.name);
    const int64_t multiple = network_side_multiple(&model->config.network);
    if (o.side % multiple != 0) return onnx_export(model, args->onnx, &o); /* says so */
    const NetworkShape shape = segmenter_shape(&model->config.network, 1, o.side);
    NetworkInputs text;
    TRY(network_inputs_init(&shape, &text));
    Err err = fill_text(model, args->zone, &text);
    o.text = &text;
    if (err == ERR_NONE) err = onnx_export(model, args->onnx, &o);
    network_inputs_done(&text);
    return err;
}

static Err check_files(const char *model, const char *out)
{
    FileSet set = { 0 };
    Err err = file_set_input(&set, model, "the model");
    if (err == ERR_NONE) err = file_set_output(&set, out, "the exported model");
    file_set_done(&set);
    return err;
}

static Err run_export(Cli *cli, const void *target, const OptionResult *words)
{
    const ExportArgs *args = target;
    Model *model = NULL;
    char *path = NULL;
    if (args->onnx == NULL) return err_set(ERR_ARGUMENT, "export needs a file to write: --onnx FILE.onnx");
    TRY(cli_model_path(cli, words->arguments[0], &path));
    Err err = check_files(path, args->onnx);
    if (err == ERR_NONE) err = model_load(path, false, &model);
    if (err == ERR_NONE) err = export_model(args, model);
    if (err == ERR_NONE) cli_line("%s, as ONNX, written to %s", model->config.name, args->onnx);
    model_free(model);
    free(path);
    return err;
}

Err cmd_export(Cli *cli, int argc, char **argv)
{
    ExportArgs args = { 0 };
    return cli_run(cli, &cmd_export_spec, &args, argc, argv, run_export);
}
