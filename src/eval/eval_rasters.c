/* SPDX-License-Identifier: Apache-2.0
 * Comparison of a class map with a reference raster of any grid. */
#include "metaseg/eval.h"

#include "base/file.h"
#include "base/str.h"
#include "eval/eval_page.h"
#include "geo/raster_files.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_TOLD = 5 };

MetasegEvalOptions metaseg_eval_options_defaults(void) { return (MetasegEvalOptions){ .ignore = 255 }; }

void eval_tell(const Comparison *c, const char *format, ...)
{
    if (c->run == NULL || c->run->message == NULL) return;
    char text[ERR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    c->run->message(c->run->context, 1, text);
}

static Err check_measurement(const Raster *raster, int64_t band)
{
    const char *measurement = raster_measurement(raster, band);
    if (measurement == NULL) return ERR_NONE;
    return err_set(ERR_INPUT, "'%s': %s, so its values are measurements; expected class values, such as a map",
                   raster_path(raster), measurement);
}

/* A raster of class values: one band, no measurements. `option`: how to choose the band. */
static Err choose_band(Raster *raster, const char *band, const char *option)
{
    if (raster_kind(raster)[0] != '\0') TRY(check_measurement(raster, 1)); /* before its many bands are told */
    if (band != NULL) {
        TRY(raster_choose_bands(raster, band, 1, NULL));
    } else {
        TRY(raster_choose_bands(raster, NULL, 0, NULL));
        if (raster_chosen_count(raster) != 1)
            return err_set(ERR_INPUT,
                           "'%s': it has %lld bands (%s, %s, ...); expected one band of class values, not a picture; "
                           "choose the band with %s",
                           raster_path(raster), (long long)raster_chosen_count(raster), raster_band_name(raster, 1),
                           raster_band_name(raster, 2), option);
    }
    return check_measurement(raster, raster_chosen_band(raster, 0));
}

static Err open_climate(Comparison *c)
{
    if (!c->options->by_zone) return ERR_NONE;
    if (c->run == NULL || c->run->data_folder == NULL)
        return err_set(ERR_ARGUMENT, "figures by zone need the data folder with koppen_geiger.bin");
    char *path = NULL;
    TRY(path_join(c->run->data_folder, "koppen_geiger.bin", &path));
    const Err err = climate_open(path, &c->climate);
    free(path);
    return err;
}

/* By their names before any work, and once more as open rasters with all that GDAL reads of them. */
static Err add_files(const Comparison *c, FileSet *set)
{
    for (int64_t i = 0; i < c->n_pairs && c->map == NULL; i++) {
        TRY(raster_files_path(c->pairs[i].prediction, set, "the map"));
        TRY(raster_files_path(c->pairs[i].truth, set, "the reference"));
    }
    if (c->map != NULL) TRY(raster_files_read(c->map, set, "the map"));
    if (c->truth != NULL) TRY(raster_files_read(c->truth, set, "the reference"));
    if (c->options->by_zone && c->run != NULL && c->run->data_folder != NULL) {
        char *path = NULL;
        TRY(path_join(c->run->data_folder, "koppen_geiger.bin", &path));
        const Err err = file_set_input(set, path, "the climate map");
        free(path);
        TRY(err);
    }
    TRY(file_set_output(set, c->options->json, "the JSON of the figures"));
    TRY(file_set_output(set, c->options->csv, "the CSV of the confusion matrix"));
    return file_set_output(set, c->options->html, "the page");
}

/* Before the work: the outputs are no inputs and can be written. */
static Err check_outputs(const Comparison *c)
{
    const MetasegEvalOptions *o = c->options;
    FileSet set = { .stop = c->run != NULL ? c->run->stop : NULL };
    TRY(file_check_kind(o->json, "the figures", "JSON text", "json,txt"));
    TRY(file_check_kind(o->csv, "the confusion matrix", "CSV text", "csv,txt"));
    TRY(file_check_kind(o->html, "the page", "HTML", "html,htm"));
    Err err = add_files(c, &set);
    file_set_done(&set);
    if (err == ERR_NONE && o->json != NULL) err = file_check_output(o->json, o->overwrite);
    if (err == ERR_NONE && o->csv != NULL) err = file_check_output(o->csv, o->overwrite);
    if (err == ERR_NONE && o->html != NULL) err = file_check_output(o->html, o->overwrite);
    return err;
}

static Err open_pair(Comparison *c, const MetasegEvalPair *pair)
{
    const MetasegEvalOptions *o = c->options;
    const volatile int *stop = c->run != NULL ? c->run->stop : NULL;
    TRY(raster_open(pair->prediction, stop, &c->map));
    TRY(raster_open(pair->truth, stop, &c->truth));
    TRY(check_outputs(c));
    TRY(choose_band(c->map, o->band, "--band"));
    TRY(eval_colors_choose(c, &c->by_colors));
    if (!c->by_colors)
        TRY(choose_band(c->truth, o->truth_band,
                        "--truth-band, or read a picture by the colours of its classes with --truth-classes"));
    TRY(georeference_open(c->map, o->crs, &c->map_place));
    TRY(georeference_open(c->truth, o->truth_crs, &c->truth_place));
    TRY(open_climate(c));
    TRY(value_counts_new(o->exclude, o->n_exclude, o->csv != NULL || o->html != NULL, &c->all));
    if (c->page != NULL) eval_page_begin(c->page, c->pair, raster_width(c->truth), raster_height(c->truth));
    return eval_lay(c);
}

static void close_all(Comparison *c)
{
    place_lookup_free(c->lookup);
    place_lookup_free(c->lonlat);
    georeference_free(c->map_place);
    georeference_free(c->truth_place);
    raster_close(c->map);
    raster_close(c->truth);
    climate_close(c->climate);
    free(c->color_table);
    value_counts_free(c->all);
    for (int32_t z = 0; z <= CLIMATE_ZONES; z++) {
        value_counts_free(c->zones[z]);
        value_figures_done(&c->zone_figures[z]);
    }
}

/* Two tables of classes under the same numbers: the figures then compare apples and pears. */
static void tell_names(const Comparison *c, const Figures *f)
{
    int64_t differ = 0;
    for (int64_t i = 0; i < f->n_values; i++) {
        const char *truth_name = NULL;
        const int32_t value = f->values[i].value;
        if (!eval_names_differ(c, value, &truth_name)) continue;
        if (++differ <= NAMES_TOLD)
            eval_tell(c, "class %d is '%s' in the map and '%s' in the reference", (int)value,
                      raster_class_name(c->map, value), truth_name);
    }
    if (differ > NAMES_TOLD)
        eval_tell(c, "%lld classes in all are called otherwise in the map than in the reference", (long long)differ);
}

static Err check_any(const Comparison *c, const Figures *f)
{
    const char *map = raster_path(c->map), *truth = raster_path(c->truth);
    if (f->total.pixels > 0) return ERR_NONE;
    if (f->uncovered > 0)
        return err_set(ERR_INPUT,
                       "'%s' and '%s': the map has no value at any of the %lld labelled pixels; check their places%s",
                       map, truth, (long long)f->uncovered, c->options->n_boxes > 0 ? " and the boxes" : "");
    int64_t excluded = 0;
    for (int64_t i = 0; i < f->n_values; i++)
        excluded += f->values[i].metrics.excluded ? f->values[i].metrics.truth + f->values[i].uncovered : 0;
    return err_set(ERR_INPUT,
                   "'%s': no pixel with a label%s (%lld have the ignored value %d, %lld are of excluded classes); "
                   "nothing to compare",
                   truth, c->options->n_boxes > 0 ? " in the boxes" : "", (long long)c->ignored,
                   (int)c->options->ignore, (long long)excluded);
}

/* Which figures come of what was counted. */
static MeansChoice choice_of(const Comparison *c)
{
    return (MeansChoice){ .minimum_share = c->options->minimum_share,
                          .not_in_means = c->options->not_in_means,
                          .n_not_in_means = c->options->n_not_in_means };
}

static void fill_report(const Comparison *c, const Figures *f, MetasegEvalReport *report)
{
    if (report == NULL) return;
    *report = (MetasegEvalReport){ .pixels = f->total.pixels,
                                   .uncovered = f->uncovered,
                                   .ignored = c->ignored,
                                   .counted_classes = (int32_t)eval_means(c, &f->total).iou_classes,
                                   .miou = eval_means(c, &f->total).miou,
                                   .mf1 = eval_means(c, &f->total).mf1,
                                   .overall_accuracy = f->total.overall_accuracy,
                                   .kappa = f->total.kappa };
}

static Err tell_all(const Comparison *c, const Figures *f, LineSink sink, MetasegEvalReport *report)
{
    TRY(check_any(c, f));
    tell_names(c, f);
    TRY(eval_write_files(c, f));
    fill_report(c, f, report);
    if (!c->options->json_line) {
        eval_print(c, f, sink);
        return ERR_NONE;
    }
    char *text = NULL;
    TRY(eval_json(c, f, false, &text));
    if (sink.line != NULL) sink.line(sink.context, text);
    free(text);
    return ERR_NONE;
}

/* Counts one pair and keeps its figures. */
static Err count_pair(Comparison *c, const MetasegEvalPair *pair, PairSummary *ret_summary)
{
    Figures figures;
    const MeansChoice choice = choice_of(c);
    TRY(open_pair(c, pair));
    TRY(eval_count(c));
    TRY(eval_colors_check(c));
    if (c->page != NULL) TRY(eval_page_end(c->page, c));
    TRY(value_counts_figures(c->all, &choice, &figures));
    *ret_summary = (PairSummary){ .uncovered = figures.uncovered, .ignored = c->ignored, .total = figures.total };
    value_figures_done(&figures);
    return ERR_NONE;
}

/* Adds what another pair has counted. Its zones become the sum's where that has none of them yet. */
static Err add_counts(Comparison *sum, Comparison *pair)
{
    TRY(value_counts_merge(sum->all, pair->all));
    sum->ignored += pair->ignored;
    for (int64_t z = 0; z < ARRAY_LEN(pair->zones); z++) {
        if (pair->zones[z] == NULL) continue;
        if (sum->zones[z] != NULL) TRY(value_counts_merge(sum->zones[z], pair->zones[z]));
        if (sum->zones[z] != NULL) continue;
        sum->zones[z] = pair->zones[z];
        pair->zones[z] = NULL;
    }
    return ERR_NONE;
}

static Err add_pair(Comparison *sum, int64_t index)
{
    Comparison *c = calloc(1, sizeof *c);
    if (c == NULL) return err_memory(sizeof *c, "the comparison");
    *c = (Comparison){ .options = sum->options, .run = sum->run, .page = sum->page, .pair = index };
    Err err = count_pair(c, &sum->pairs[index], &sum->summaries[index]);
    if (err == ERR_NONE) err = add_counts(sum, c);
    close_all(c);
    free(c);
    return err;
}

/* The first pair that is named once more: its pixels weigh twice. */
static void tell_twins(const Comparison *c)
{
    for (int64_t i = 1; i < c->n_pairs; i++)
        for (int64_t k = 0; k < i; k++) {
            if (strcmp(c->pairs[i].prediction, c->pairs[k].prediction) != 0 ||
                strcmp(c->pairs[i].truth, c->pairs[k].truth) != 0)
                continue;
            eval_tell(c, "'%s' and '%s' are named more than once, as pairs %lld and %lld; their pixels count each time",
                      c->pairs[i].prediction, c->pairs[i].truth, (long long)k + 1, (long long)i + 1);
            return;
        }
}

static Err compare(Comparison *c, LineSink sink, MetasegEvalReport *report)
{
    Figures figures;
    const MeansChoice choice = choice_of(c);
    TRY(check_outputs(c));
    tell_twins(c);
    c->summaries = calloc((size_t)c->n_pairs, sizeof *c->summaries);
    if (c->summaries == NULL) return err_memory((size_t)c->n_pairs * sizeof *c->summaries, "the comparison");
    TRY(count_pair(c, &c->pairs[0], &c->summaries[0]));
    for (int64_t i = 1; i < c->n_pairs; i++) TRY(add_pair(c, i));
    for (int64_t i = 0; i < c->n_pairs && c->n_pairs > 1; i++)
        if (c->summaries[i].total.pixels == 0)
            eval_tell(c, "'%s' and '%s': nothing in them is compared", c->pairs[i].prediction, c->pairs[i].truth);
    for (int64_t z = 0; z < ARRAY_LEN(c->zones); z++)
        if (c->zones[z] != NULL) TRY(value_counts_figures(c->zones[z], &choice, &c->zone_figures[z]));
    TRY(value_counts_figures(c->all, &choice, &figures));
    const Err err = tell_all(c, &figures, sink, report);
    value_figures_done(&figures);
    return err;
}

static Err check_options(const MetasegEvalOptions *options)
{
    if (options->n_boxes < 0 || (options->boxes == NULL && options->n_boxes > 0) || options->n_exclude < 0 ||
        (options->exclude == NULL && options->n_exclude > 0))
        return err_set(ERR_ARGUMENT, "%lld boxes and %lld excluded classes were announced, and no list of them given",
                       (long long)options->n_boxes, (long long)options->n_exclude);
    if (options->n_not_in_means < 0 || (options->not_in_means == NULL && options->n_not_in_means > 0))
        return err_set(ERR_ARGUMENT, "%lld classes beside the means were announced, and no list of them given",
                       (long long)options->n_not_in_means);
    if (options->n_truth_classes < 0 || (options->truth_classes == NULL && options->n_truth_classes > 0) ||
        options->n_truth_mapping < 0 || (options->truth_mapping == NULL && options->n_truth_mapping > 0))
        return err_set(ERR_ARGUMENT,
                       "%lld colours and %lld values of the reference were announced, and no list of them "
                       "given",
                       (long long)options->n_truth_classes, (long long)options->n_truth_mapping);
    if (options->protocol < METASEG_PROTOCOL_METASEG || options->protocol > METASEG_PROTOCOL_TORCHMETRICS)
        return err_set(ERR_ARGUMENT, "protocol %d is none of MetasegProtocol", (int)options->protocol);
    if (!(options->minimum_share >= 0.0 && options->minimum_share <= 1.0))
        return err_set(ERR_ARGUMENT, "a minimum share of %g; a number from 0 to 1 was expected",
                       options->minimum_share);
    return ERR_NONE;
}

MetasegStatus metaseg_eval_pairs(const MetasegEvalPair *pairs, int64_t n_pairs, const MetasegEvalOptions *options,
                                 const MetasegRun *run, void (*line)(void *context, const char *text),
                                 MetasegEvalReport *report)
{
    if (pairs == NULL || n_pairs < 1 || options == NULL)
        return err_set(ERR_ARGUMENT, "pairs of map and reference and options are needed");
    for (int64_t i = 0; i < n_pairs; i++)
        if (pairs[i].prediction == NULL || pairs[i].truth == NULL)
            return err_set(ERR_ARGUMENT, "map, reference and options are needed");
    TRY(check_options(options));
    Comparison *c = calloc(1, sizeof *c);
    if (c == NULL) return err_memory(sizeof *c, "the comparison");
    *c = (Comparison){ .options = options, .run = run, .pairs = pairs, .n_pairs = n_pairs };
    const LineSink sink = { line, run != NULL ? run->context : NULL };
    Err err = options->html != NULL ? eval_page_new(options, n_pairs, &c->page) : ERR_NONE;
    if (err == ERR_NONE) err = compare(c, sink, report);
    close_all(c);
    eval_page_free(c->page);
    free(c->summaries);
    free(c);
    return err;
}

MetasegStatus metaseg_eval_rasters(const char *prediction, const char *truth, const MetasegEvalOptions *options,
                                   const MetasegRun *run, void (*line)(void *context, const char *text),
                                   MetasegEvalReport *report)
{
    const MetasegEvalPair pair = { .prediction = prediction, .truth = truth };
    return metaseg_eval_pairs(&pair, 1, options, run, line, report);
}
