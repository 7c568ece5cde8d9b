/* SPDX-License-Identifier: Apache-2.0
 * What is told of a comparison: the table for people, JSON, CSV. */
#include "eval/eval_page.h"

#include "base/class_color.h"
#include "base/json.h"
#include "base/output.h"
#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDEST_MATRIX = 1024 }; /* classes; a CSV of more is a list of pairs */

/* By the table of a reference that is a picture; NULL: it has none of this value. */
static const MetasegTruthClass *truth_class(const Comparison *c, int32_t value)
{
    for (int64_t i = 0; c->by_colors && i < c->options->n_truth_classes; i++) {
        const MetasegTruthClass *k = &c->options->truth_classes[i];
        if (k->name != NULL && k->value == value) return k;
    }
    return NULL;
}

static const char *truth_name(const Comparison *c, int32_t value)
{
    const MetasegTruthClass *k = truth_class(c, value);
    return k != NULL ? k->name : raster_class_name(c->truth, value);
}

const char *eval_pair_name(const MetasegEvalPair *pair) { return pair->name != NULL ? pair->name : pair->prediction; }

const char *eval_class_name(const Comparison *c, int32_t value)
{
    const char *name = c->options->n_mapping > 0 ? "" : raster_class_name(c->map, value);
    return name[0] != '\0' ? name : truth_name(c, value);
}

uint32_t eval_class_color(const Comparison *c, int32_t value)
{
    uint32_t color = 0xe8e8e8U;
    const bool own = c->options->n_mapping == 0; /* the map's values are those of the reference */
    if (value == EVAL_NOTHING || (own && raster_class_color(c->map, value, &color)) ||
        raster_class_color(c->truth, value, &color))
        return color;
    if (truth_class(c, value) != NULL) return truth_class(c, value)->color;
    return class_color(value >= 0 ? value : -(value + 1));
}

void eval_draw(const Comparison *c, const int32_t *values, int64_t n, uint8_t *ret_rgb)
{
    int32_t last = EVAL_NOTHING;
    uint32_t color = eval_class_color(c, last);
    for (int64_t i = 0; i < n; i++) {
        if (values[i] != last) color = eval_class_color(c, values[i]);
        last = values[i];
        ret_rgb[3 * i] = (uint8_t)(color >> 16U);
        ret_rgb[3 * i + 1] = (uint8_t)(color >> 8U);
        ret_rgb[3 * i + 2] = (uint8_t)color;
    }
}

bool eval_names_differ(const Comparison *c, int32_t value, const char **ret_truth_name)
{
    const char *map = raster_class_name(c->map, value), *truth = truth_name(c, value);
    if (c->options->n_mapping > 0 || map[0] == '\0' || truth[0] == '\0' || str_equal_nocase(map, truth)) return false;
    *ret_truth_name = truth;
    return true;
}

/* ---- protocols ---- */

const char *const eval_protocol_names[MEANS_RULES] = { "metaseg", "geoseg", "torchmetrics" };
const char *const eval_protocol_rules[MEANS_RULES] = {
    "means over the classes of the reference, F1 0 where nothing of a class is found",
    "F1 is no number where nothing of a class is found, and drops out of its mean; classes that are only in the map "
    "have "
    "IoU 0",
    "means over the classes of the reference or the map, 0 where a class has no figure",
};

Means eval_means(const Comparison *c, const TotalMetrics *t) { return t->means[c->options->protocol]; }

static double class_f1(const Comparison *c, const ClassMetrics *m)
{
    return metrics_f1(m, (MeansRule)c->options->protocol);
}

/* ---- for people ---- */

/* The means by the other protocols, where they differ. */
static void print_protocols(const Comparison *c, const TotalMetrics *t, LineSink sink)
{
    const MetasegEvalOptions *o = c->options;
    const Means own = eval_means(c, t);
    if (o->data_set != NULL) line_put(sink, "data set: %s", o->data_set);
    line_put(sink, "protocol %s: %s", eval_protocol_names[o->protocol], eval_protocol_rules[o->protocol]);
    for (int rule = 0; rule < MEANS_RULES; rule++) {
        const Means *m = &t->means[rule];
        if (rule == (int)o->protocol || (m->miou == own.miou && m->mf1 == own.mf1)) continue;
        line_put(sink, "by %s it were mIoU %.2f %%, mF1 %.2f %%: %s", eval_protocol_names[rule], 100 * m->miou,
                 100 * m->mf1, eval_protocol_rules[rule]);
    }
}

static void print_classes(const Comparison *c, const Figures *f, LineSink sink)
{
    line_put(sink, "%5s  %-42s %12s %7s %7s %9s %7s", "class", "name", "pixels", "IoU", "F1", "precision", "recall");
    for (int64_t i = 0; i < f->n_values; i++) {
        const ValueFigures *v = &f->values[i];
        const ClassMetrics *m = &v->metrics;
        if (m->truth == 0 && m->predicted == 0) continue;
        line_put(sink, "%5d  %-42s %12lld %7.2f %7.2f %9.2f %7.2f%s", (int)v->value, eval_class_name(c, v->value),
                 (long long)m->truth, 100 * m->iou, 100 * class_f1(c, m), 100 * m->precision, 100 * m->recall,
                 m->not_in_means || (!m->counted && c->options->protocol == METASEG_PROTOCOL_METASEG)
                     ? "  not in the means"
                     : "");
    }
    const TotalMetrics *t = &f->total;
    const Means means = eval_means(c, t);
    line_put(sink, "mIoU (macro, %lld classes) %.2f %%", (long long)means.iou_classes, 100 * means.miou);
    if (means.f1_classes == means.iou_classes)
        line_put(sink, "mF1 (macro) %.2f %%", 100 * means.mf1);
    else
        line_put(sink, "mF1 (macro, %lld classes) %.2f %%", (long long)means.f1_classes, 100 * means.mf1);
    line_put(sink, "OA %.2f %%", 100 * t->overall_accuracy);
    line_put(sink, "kappa %.4f", t->kappa);
    line_put(sink, "pixels %lld", (long long)t->pixels);
    print_protocols(c, t, sink);
}

/* Labelled pixels that are in no figure above. */
static void print_left_out(const Comparison *c, const Figures *f, LineSink sink)
{
    const int64_t labelled = f->total.pixels + f->uncovered;
    if (c->options->n_mapping > 0)
        line_put(sink, "%lld classes of the map counted as classes of the reference", (long long)c->options->n_mapping);
    if (f->uncovered > 0)
        line_put(sink, "not compared: %lld of %lld labelled pixels (%.2f %%), where the map has no value",
                 (long long)f->uncovered, (long long)labelled, 100.0 * (double)f->uncovered / (double)labelled);
    if (c->ignored > 0)
        line_put(sink, "not compared: %lld pixels of the reference with the ignored value %d", (long long)c->ignored,
                 (int)c->options->ignore);
}

static void print_zones(const Comparison *c, LineSink sink)
{
    if (c->climate == NULL) return;
    line_put(sink, "%s", "");
    line_put(sink, "%5s  %12s %8s %8s", "zone", "pixels", "mIoU", "OA");
    for (int32_t z = 0; z <= CLIMATE_ZONES; z++) {
        const TotalMetrics *t = &c->zone_figures[z].total;
        if (c->zones[z] == NULL || t->pixels == 0) continue;
        line_put(sink, "%5s  %12lld %8.2f %8.2f", climate_zone_name(z), (long long)t->pixels,
                 100 * eval_means(c, t).miou, 100 * t->overall_accuracy);
    }
}

/* Each of several pairs. */
static void print_pairs(const Comparison *c, LineSink sink)
{
    if (c->n_pairs < 2) return;
    line_put(sink, "%s", "");
    line_put(sink, "%12s %8s %8s %8s  %s", "pixels", "mIoU", "OA", "kappa", "map");
    for (int64_t i = 0; i < c->n_pairs; i++) {
        const TotalMetrics *t = &c->summaries[i].total;
        line_put(sink, "%12lld %8.2f %8.2f %8.4f  %.200s", (long long)t->pixels, 100 * eval_means(c, t).miou,
                 100 * t->overall_accuracy, t->kappa, eval_pair_name(&c->pairs[i]));
    }
}

void eval_print(const Comparison *c, const Figures *figures, LineSink sink)
{
    print_classes(c, figures, sink);
    print_left_out(c, figures, sink);
    print_zones(c, sink);
    print_pairs(c, sink);
}

/* ---- JSON ---- */

/* By the protocol, and beside it by each. */
static void put_means(JsonWriter *w, const Comparison *c, const TotalMetrics *t)
{
    const Means own = eval_means(c, t);
    json_put_double(w, "miou_macro", own.miou);
    json_put_double(w, "mf1_macro", own.mf1);
    json_begin_object(w, "means");
    for (int rule = 0; rule < MEANS_RULES; rule++) {
        json_begin_object(w, eval_protocol_names[rule]);
        json_put_double(w, "miou", t->means[rule].miou);
        json_put_double(w, "mf1", t->means[rule].mf1);
        json_put_int(w, "iou_classes", t->means[rule].iou_classes);
        json_put_int(w, "f1_classes", t->means[rule].f1_classes);
        json_end(w);
    }
    json_end(w);
}

static void put_class(JsonWriter *w, const Comparison *c, const ValueFigures *v)
{
    const ClassMetrics *m = &v->metrics;
    const char *truth_name = NULL;
    json_begin_object(w, NULL);
    json_put_int(w, "value", v->value);
    json_put_string(w, "name", eval_class_name(c, v->value));
    if (eval_names_differ(c, v->value, &truth_name)) json_put_string(w, "truth_name", truth_name);
    json_put_int(w, "truth", m->truth);
    json_put_int(w, "predicted", m->predicted);
    json_put_int(w, "uncovered", v->uncovered);
    json_put_double(w, "iou", m->iou);
    json_put_double(w, "f1", class_f1(c, m));
    json_put_double(w, "precision", m->precision);
    json_put_double(w, "recall", m->recall);
    json_put_bool(w, "counted", m->counted);
    json_put_bool(w, "not_in_means", m->not_in_means);
    json_end(w);
}

static void put_figures(JsonWriter *w, const Comparison *c, const Figures *f)
{
    json_put_int(w, "pixels", f->total.pixels);
    json_put_int(w, "labelled", f->total.pixels + f->uncovered);
    json_put_int(w, "uncovered", f->uncovered);
    put_means(w, c, &f->total);
    json_put_double(w, "overall_accuracy", f->total.overall_accuracy);
    json_put_double(w, "kappa", f->total.kappa);
    json_begin_array(w, "classes");
    for (int64_t i = 0; i < f->n_values; i++) put_class(w, c, &f->values[i]);
    json_end(w);
}

static void put_zones(JsonWriter *w, const Comparison *c)
{
    json_begin_object(w, "zones");
    for (int32_t z = 0; z <= CLIMATE_ZONES; z++) {
        if (c->zones[z] == NULL) continue;
        json_begin_object(w, climate_zone_name(z));
        put_figures(w, c, &c->zone_figures[z]);
        json_end(w);
    }
    json_end(w);
}

static void put_pairs(JsonWriter *w, const Comparison *c)
{
    json_begin_array(w, "pairs");
    for (int64_t i = 0; i < c->n_pairs; i++) {
        const PairSummary *p = &c->summaries[i];
        json_begin_object(w, NULL);
        json_put_string(w, "prediction", eval_pair_name(&c->pairs[i]));
        json_put_string(w, "truth", c->pairs[i].truth);
        json_put_int(w, "pixels", p->total.pixels);
        json_put_int(w, "uncovered", p->uncovered);
        json_put_int(w, "ignored", p->ignored);
        put_means(w, c, &p->total);
        json_put_double(w, "overall_accuracy", p->total.overall_accuracy);
        json_put_double(w, "kappa", p->total.kappa);
        json_end(w);
    }
    json_end(w);
}

/* {"8": 2}: the map's values and the reference's. */
static void put_mapping(JsonWriter *w, const MetasegEvalOptions *o)
{
    json_begin_object(w, "mapping");
    for (int64_t i = 0; i < o->n_mapping; i++) {
        char value[16];
        (void)snprintf(value, sizeof value, "%d", (int)o->mapping[i].from);
        json_put_int(w, value, o->mapping[i].to);
    }
    json_end(w);
}

Err eval_json(const Comparison *c, const Figures *figures, bool pretty, char **ret_text)
{
    JsonWriter w = { .pretty = pretty };
    json_begin_object(&w, NULL);
    if (c->n_pairs == 1) json_put_string(&w, "prediction", eval_pair_name(&c->pairs[0]));
    if (c->n_pairs == 1) json_put_string(&w, "truth", raster_path(c->truth));
    json_put_string(&w, "protocol", eval_protocol_names[c->options->protocol]);
    json_put_string(&w, "data_set", c->options->data_set);
    json_put_int(&w, "ignored", c->ignored);
    if (c->options->n_mapping > 0) put_mapping(&w, c->options);
    put_figures(&w, c, figures);
    if (c->climate != NULL) put_zones(&w, c);
    if (c->n_pairs > 1) put_pairs(&w, c);
    json_end(&w);
    const Err err = json_take(&w, ret_text);
    json_writer_done(&w);
    return err;
}

static Err write_json(const Comparison *c, const Figures *figures, Output **ret_output)
{
    char *text = NULL;
    if (c->options->json == NULL) return ERR_NONE;
    TRY(eval_json(c, figures, true, &text));
    const Err err = output_prepare(c->options->json, text, strlen(text), c->options->overwrite, ret_output);
    free(text);
    return err;
}

/* ---- CSV ---- */

/* One row per truth value, one column per predicted value, those that occur; last what the map has no value for. */
static void put_matrix(Str *text, const Figures *f, const ValuePair *pairs, int64_t n)
{
    int64_t next = 0;
    str_add(text, "truth\\prediction");
    for (int64_t k = 0; k < f->n_values; k++) str_addf(text, ",%d", (int)f->values[k].value);
    str_add(text, ",no value\n");
    for (int64_t i = 0; i < f->n_values; i++) {
        const ValueFigures *row = &f->values[i];
        str_addf(text, "%d", (int)row->value);
        for (int64_t k = 0; k < f->n_values; k++) {
            const bool here =
                next < n && pairs[next].truth == row->value && pairs[next].prediction == f->values[k].value;
            str_addf(text, ",%lld", here ? (long long)pairs[next].n : 0LL);
            if (here) next++;
        }
        str_addf(text, ",%lld\n", (long long)row->uncovered);
    }
}

/* Too many values for a matrix: a line per pair. */
static void put_list(Str *text, const Figures *f, const ValuePair *pairs, int64_t n)
{
    str_add(text, "truth,prediction,pixels\n");
    for (int64_t i = 0; i < n; i++)
        str_addf(text, "%d,%d,%lld\n", (int)pairs[i].truth, (int)pairs[i].prediction, (long long)pairs[i].n);
    for (int64_t i = 0; i < f->n_values; i++)
        if (f->values[i].uncovered > 0)
            str_addf(text, "%d,no value,%lld\n", (int)f->values[i].value, (long long)f->values[i].uncovered);
}

static Err write_csv(const Comparison *c, const Figures *figures, Output **ret_output)
{
    if (c->options->csv == NULL) return ERR_NONE;
    ValuePair *pairs = NULL;
    int64_t n = 0;
    Str text = { 0 };
    char *bytes = NULL;
    TRY(value_counts_pairs(c->all, &pairs, &n));
    if (figures->n_values <= WIDEST_MATRIX)
        put_matrix(&text, figures, pairs, n);
    else
        put_list(&text, figures, pairs, n);
    free(pairs);
    TRY(str_take(&text, &bytes));
    const Err err = output_prepare(c->options->csv, bytes, strlen(bytes), c->options->overwrite, ret_output);
    free(bytes);
    return err;
}

static Err write_html(const Comparison *c, const Figures *figures, Output **ret_output)
{
    char *text = NULL;
    if (c->options->html == NULL) return ERR_NONE;
    TRY(eval_page_text(c->page, c, figures, &text));
    const Err err = output_prepare(c->options->html, text, strlen(text), c->options->overwrite, ret_output);
    free(text);
    return err;
}

Err eval_write_files(const Comparison *c, const Figures *figures)
{
    Output *files[3] = { NULL, NULL, NULL }, *all[3];
    int64_t n = 0;
    Err err = write_json(c, figures, &files[0]);
    if (err == ERR_NONE) err = write_csv(c, figures, &files[1]);
    if (err == ERR_NONE) err = write_html(c, figures, &files[2]);
    for (int64_t i = 0; i < ARRAY_LEN(files); i++)
        if (files[i] != NULL) all[n++] = files[i];
    if (err == ERR_NONE) err = output_publish_all(all, n);
    for (int64_t i = 0; i < n; i++) output_close(all[i]);
    return err;
}
