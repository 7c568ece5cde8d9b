/* SPDX-License-Identifier: Apache-2.0
 * metaseg eval: compares a map with a reference. */
#include "cli/cli.h"

#include "base/str.h"
#include "geo/georeference.h"
#include "metaseg/eval.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_BOXES = 64, MOST_EXCLUDED = 254, LEAST_CLASS = -16777216, MOST_CLASS = 16777216 };

typedef struct EvalArgs {
    OptionList boxes, exclude;
    double minimum_share;
    int64_t ignore;
    const char *crs, *truth_crs, *band, *truth_band, *json, *csv;
    bool by_pixel, by_zone, overwrite;
} EvalArgs;

static const Option eval_options[] = {
    { "bbox", 0, OPTION_LIST, offsetof(EvalArgs, boxes), .value = "W,S,E,N", .whole = true,
      .help = "only pixels inside this box of degrees" },
    { "exclude", 0, OPTION_LIST, offsetof(EvalArgs, exclude), .value = "CLASS,...",
      .help = "classes of the reference that do not count, neither in OA nor in the means: 0 where 0 is water" },
    { "minimum-share", 0, OPTION_DOUBLE, offsetof(EvalArgs, minimum_share), .value = "SHARE", .default_value = "0",
      .minimum = 0, .maximum = 1,
      .help = "classes rarer than this in the reference do not enter the means, 0.001: a thousandth" },
    { "ignore", 0, OPTION_INT, offsetof(EvalArgs, ignore), .value = "VALUE", .default_value = "255",
      .minimum = LEAST_CLASS, .maximum = MOST_CLASS,
      .help = "value of the reference that is no label; one that does not occur ignores none" },
    { "crs", 0, OPTION_STRING, offsetof(EvalArgs, crs), .value = "CRS",
      .help = "coordinate reference system of the map, where its file tells none or a wrong one" },
    { "truth-crs", 0, OPTION_STRING, offsetof(EvalArgs, truth_crs), .value = "CRS",
      .help = "coordinate reference system of the reference, where its file tells none or a wrong one: EPSG:4326" },
    { "band", 0, OPTION_STRING, offsetof(EvalArgs, band), .value = "BAND",
      .help = "band of the map with the class values, by number or name, where it has several" },
    { "truth-band", 0, OPTION_STRING, offsetof(EvalArgs, truth_band), .value = "BAND",
      .help = "band of the reference with the class values" },
    { "by-pixel", 0, OPTION_FLAG, offsetof(EvalArgs, by_pixel),
      .help = "pixels of the same column and row are the same place, whatever the files say of it" },
    { "by-zone", 0, OPTION_FLAG, offsetof(EvalArgs, by_zone), .help = "also the figures of every climate zone" },
    { "json", 0, OPTION_STRING, offsetof(EvalArgs, json), .value = "FILE", .help = "write all figures as JSON" },
    { "csv", 0, OPTION_STRING, offsetof(EvalArgs, csv), .value = "FILE", .help = "write the confusion matrix as CSV" },
    { "overwrite", 'f', OPTION_FLAG, offsetof(EvalArgs, overwrite), .help = "replace existing outputs" },
};

const OptionSpec cmd_eval_spec = {
    .command = "eval",
    .summary = "compare a map with a reference raster",
    .usage = "MAP REFERENCE [options]",
    .details =
        "Both rasters hold class values (whole numbers) and may have any grid and CRS: at the centre of every labelled "
        "pixel of the reference the value of the map is looked up; labelled pixels for which the map has none are "
        "counted and told. Without a CRS on both sides coordinates are compared as they are, without any "
        "georeference pixels; where only one is known, name the other. Printed are, for each class, IoU (intersection "
        "over union), "
        "F1, precision (user's accuracy) and recall (producer's accuracy), and over all classes mIoU and mF1 "
        "(macro: the mean over classes, each counts alike), OA (overall accuracy) and Cohen's kappa.",
    .examples = "metaseg eval map.tif truth.tif\n"
                "metaseg eval earth.tif igbp.tif --truth-crs EPSG:4326 --exclude 0 --minimum-share 0.001 \\\n"
                "    --bbox -82,-56,-34,12 --bbox 110,-45,155,-10 --by-zone --json figures.json",
    .own = { eval_options, ARRAY_LEN(eval_options) },
    .min_arguments = 2,
    .max_arguments = 2,
};

static void print_line(void *context, const char *text)
{
    (void)context;
    cli_line("%s", text);
}

static Err run_eval(Cli *cli, const void *target, const OptionResult *words)
{
    const EvalArgs *args = target;
    MetasegBox boxes[MOST_BOXES];
    int32_t exclude[MOST_EXCLUDED];
    if (args->boxes.count > MOST_BOXES || args->exclude.count > MOST_EXCLUDED)
        return err_set(ERR_ARGUMENT, "too many boxes or classes");
    for (int64_t i = 0; i < args->boxes.count; i++) {
        double b[4];
        TRY(geo_parse_bbox(args->boxes.items[i], b));
        boxes[i] = (MetasegBox){ b[0], b[1], b[2], b[3] };
    }
    for (int64_t i = 0; i < args->exclude.count; i++) {
        int64_t value = 0;
        TRY(str_parse_int(args->exclude.items[i], "--exclude", LEAST_CLASS, MOST_CLASS, &value));
        exclude[i] = (int32_t)value;
    }
    MetasegEvalOptions o = metaseg_eval_options_defaults();
    o.boxes = boxes;
    o.n_boxes = args->boxes.count;
    o.exclude = exclude;
    o.n_exclude = args->exclude.count;
    o.minimum_share = args->minimum_share;
    o.ignore = (int32_t)args->ignore;
    o.crs = args->crs;
    o.truth_crs = args->truth_crs;
    o.band = args->band;
    o.truth_band = args->truth_band;
    o.by_pixel = args->by_pixel;
    o.by_zone = args->by_zone;
    o.json = args->json;
    o.csv = args->csv;
    o.overwrite = args->overwrite;
    cli->doing = "comparing";
    cli->unit = "rows";
    const Err err = metaseg_eval_rasters(words->arguments[0], words->arguments[1], &o, &cli->run, print_line, NULL);
    cli_progress_end(cli);
    return err;
}

Err cmd_eval(Cli *cli, int argc, char **argv)
{
    EvalArgs args = { 0 };
    return cli_run(cli, &cmd_eval_spec, &args, argc, argv, run_eval);
}
