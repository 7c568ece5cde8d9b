/* SPDX-License-Identifier: Apache-2.0
 * report.html: what a run learned from, how it went, how good its latest weights are and where they fail. */
#include "train/trainer.h"

#include "base/file.h"
#include "base/str.h"
#include "data/yaml_record.h"
#include "eval/bootstrap.h"
#include "eval/report_page.h"
#include "train/dataset_tell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LISTED_SCENES = 50, /* of the configuration */
};

typedef struct Report {
    Trainer *trainer;
    const Validation *validation;
    int64_t classes;
    PageClass names[MODEL_MAX_CLASSES];
    Str page;
} Report;

/* ---- curves ---- */

/* Columns of metrics.csv that are drawn. */
enum { LOG_STEP, LOG_LOSS, LOG_MIOU, LOG_ACCURACY, LOG_COLUMNS };
static const int64_t csv_column[LOG_COLUMNS] = { 0, 1, 8, 9 };

static double field(const char *row, int64_t column)
{
    for (int64_t i = 0; i < column; i++) {
        row = row + strcspn(row, ",\n");
        if (*row != ',') return (double)NAN;
        row++;
    }
    char *end = NULL;
    const double value = strtod(row, &end);
    return end != row ? value : (double)NAN;
}

/* All rows of metrics.csv; values [LOG_COLUMNS][rows], free() it. */
static Err read_log(const Trainer *t, double **ret_values, int64_t *ret_rows)
{
    char *path = NULL, *text = NULL;
    size_t length = 0;
    TRY(trainer_path(t, "metrics.csv", &path));
    Err err = file_read(path, (size_t)1 << 30, &text, &length);
    free(path);
    TRY(err);
    int64_t rows = 0;
    for (const char *c = text; *c != '\0'; c++) rows += *c == '\n';
    double *values = calloc((size_t)(rows + 1) * LOG_COLUMNS, sizeof *values);
    if (values == NULL) err = err_memory((size_t)rows * LOG_COLUMNS * sizeof *values, "the curves of the report");
    int64_t n = 0;
    for (const char *row = text; err == ERR_NONE && strchr(row, '\n') != NULL; row = strchr(row, '\n') + 1) {
        if (!isfinite(field(row, 0))) continue; /* the head */
        for (int64_t c = 0; c < LOG_COLUMNS; c++) values[c * rows + n] = field(row, csv_column[c]);
        n++;
    }
    for (int64_t c = 1; err == ERR_NONE && c < LOG_COLUMNS; c++) /* closes the gap of the head's row */
        memmove(values + c * n, values + c * rows, (size_t)n * sizeof *values);
    free(text);
    if (err != ERR_NONE) return err;
    *ret_values = values;
    *ret_rows = n;
    return ERR_NONE;
}

static Err add_curves(Report *r)
{
    double *values = NULL;
    int64_t n = 0;
    TRY(read_log(r->trainer, &values, &n));
    page_heading(&r->page, "How it went");
    str_add(&r->page, "<div class=\"figures\">\n");
    const PageCurve loss = { "loss", values + LOG_LOSS * n, false };
    const PageCurve validation[] = { { "mean IoU", values + LOG_MIOU * n, true },
                                     { "overall accuracy", values + LOG_ACCURACY * n, true } };
    page_figure(&r->page, "Training loss", values, n, &loss, 1);
    page_figure(&r->page, "Validation", values, n, validation, 2);
    str_add(&r->page, "</div>\n");
    free(values);
    return ERR_NONE;
}

/* ---- classes ---- */

static void add_class_name(Report *r, int64_t c) { page_class(&r->page, &r->names[c]); }

static void add_thin(Report *r)
{
    const Metrics *m = &r->validation->shown[0];
    str_add(&r->page, "<ul>\n");
    for (int64_t c = 0; c < r->classes; c++) {
        const ClassMetrics *k = &m->per_class[c];
        int64_t windows = 0;
        for (int64_t w = 0; w < r->validation->windows; w++)
            windows += r->validation->window[w * r->classes + c].truth > 0;
        if (k->truth > 0 && k->correct > 0 && windows > 2) continue;
        str_add(&r->page, "<li>");
        add_class_name(r, c);
        if (k->truth == 0)
            str_add(&r->page, ": no pixel for validation; how well it is found is not known");
        else if (k->correct == 0)
            str_add(&r->page, ": never found; label more of it, or join it with a class that looks like it");
        else
            str_addf(&r->page, ": in %lld of the validation windows alone; its figures say little about other places",
                     (long long)windows);
        str_add(&r->page, "</li>\n");
    }
    str_add(&r->page, "</ul>\n");
}

static void add_totals(Report *r, Interval mean)
{
    const Validation *v = r->validation;
    const int64_t size = bootstrap_group(v->windows);
    page_totals(&r->page, v->shown[0].miou, mean, v->shown[0].overall_accuracy);
    str_addf(&r->page,
             ", on %lld windows that were not learned, at step %lld. In brackets: the middle 95 %% of %d draws ",
             (long long)v->windows, (long long)r->trainer->validated, (int)BOOTSTRAP_DRAWS);
    if (size > 1)
        str_addf(&r->page, "of as many groups of %lld neighbouring windows.</p>\n", (long long)size);
    else
        str_add(&r->page, "of as many windows.</p>\n");
}

static Err add_classes(Report *r)
{
    const Validation *v = r->validation;
    const BootstrapInput input = { .counts = v->window,
                                   .places = v->windows,
                                   .classes = r->classes,
                                   .seed = (uint64_t)r->trainer->config->data.seed };
    Interval *intervals = calloc((size_t)r->classes, sizeof *intervals);
    Interval mean = { 0.0, 0.0 };
    if (intervals == NULL) return err_memory((size_t)r->classes * sizeof *intervals, "the intervals of the report");
    const Err err = bootstrap_iou(&input, intervals, &mean);
    if (err == ERR_NONE) {
        page_heading(&r->page, "How good it is");
        add_totals(r, mean);
        page_classes(&r->page, r->names, v->shown[0].per_class, intervals, r->classes);
        add_thin(r);
    }
    free(intervals);
    return err;
}

/* ---- the rest ---- */

static void add_summary(Report *r)
{
    const Trainer *t = r->trainer;
    const ModelConfig *m = &t->model->config;
    str_add(&r->page, "<h1>");
    page_text(&r->page, m->name);
    str_addf(&r->page, "</h1>\n<p class=\"soft\">Step %lld of %lld; ", (long long)t->step,
             (long long)t->config->train.steps);
    if (isfinite(t->best_miou)) {
        str_add(&r->page, "best mean IoU so far ");
        page_percent(&r->page, t->best_miou, 2);
        str_addf(&r->page, " %% at step %lld, which best.safetensors holds. ", (long long)t->best_step);
    } else if (t->validation == NULL) {
        str_add(&r->page, "nothing is kept apart for validation, so how good the model is is not known. ");
    } else {
        str_add(&r->page, "not validated yet. ");
    }
    str_addf(&r->page, "%u %s; the network reads ", (unsigned)t->config->data.n_scenes,
             t->config->data.n_scenes == 1 ? "scene" : "scenes");
    for (int32_t b = 0; b < m->network.n_bands; b++) {
        if (b > 0) str_add(&r->page, ", ");
        page_text(&r->page, m->bands[b].name);
    }
    str_addf(&r->page, "%s.</p>\n<pre>metaseg predict SCENE -m best.safetensors -o map.tif</pre>\n",
             m->network.fusion != NETWORK_FUSION_NONE ? ", and the prompt of each place's climate zone" : "");
}

/* ---- what it learned from ---- */

static void add_area(Report *r, LabelArea area, LabelArea all)
{
    char text[48];
    dataset_tell_area(area, text);
    str_addf(&r->page, "<td>%s</td><td>", text);
    page_percent(&r->page, dataset_tell_share(area, all), 1);
    str_add(&r->page, "</td>");
}

static void add_areas(Report *r)
{
    const Dataset *d = r->trainer->dataset;
    LabelArea all[DATASET_PARTS] = { { 0.0, 0.0 } };
    for (int32_t part = DATASET_TRAINING; part <= DATASET_VALIDATION; part++)
        for (int64_t c = 0; c < r->classes; c++)
            label_area_add(&all[part], dataset_class_area(d, (DatasetPart)part, c));
    page_heading(&r->page, "What it learned from");
    str_add(&r->page,
            "<div class=\"wide\"><table><thead><tr><th scope=\"col\">labels</th><th scope=\"col\">training</th>"
            "<th scope=\"col\">share, %</th><th scope=\"col\">validation</th><th scope=\"col\">share, %</th>"
            "</tr></thead><tbody class=\"areas\">\n");
    for (int64_t c = 0; c < r->classes; c++) {
        str_add(&r->page, "<tr><th scope=\"row\">");
        add_class_name(r, c);
        str_add(&r->page, "</th>");
        for (int32_t part = DATASET_TRAINING; part <= DATASET_VALIDATION; part++)
            add_area(r, dataset_class_area(d, (DatasetPart)part, c), all[part]);
        str_add(&r->page, "</tr>\n");
    }
    str_add(&r->page, "<tr><th scope=\"row\">all</th>");
    for (int32_t part = DATASET_TRAINING; part <= DATASET_VALIDATION; part++) add_area(r, all[part], all[part]);
    str_add(&r->page, "</tr>\n</tbody></table></div>\n");
}

/* The zones of the images and what was read there: of each zone the first wording, as prediction reads it. */
static void add_prompts(Report *r)
{
    const Dataset *d = r->trainer->dataset;
    const PromptTable *table = &r->trainer->model->prompts;
    double all = 0.0;
    for (int32_t z = 0; z <= CLIMATE_ZONES; z++) all += dataset_zone_area(d, z);
    if (!run_config_reads_text(r->trainer->config)) return;
    page_heading(&r->page, "What it read");
    if (!(all > 0.0) || table->count == 0) {
        str_add(&r->page, "<p>The null prompt everywhere.</p>\n");
        return;
    }
    str_addf(
        &r->page,
        "<p class=\"soft\">Climate zones of the images, by area, and their prompts%s.</p>\n<div class=\"wide\"><table "
        "class=\"prompts\"><thead><tr><th scope=\"col\">zone</th><th scope=\"col\">share, %%</th><th "
        "scope=\"col\">prompt</th></tr></thead><tbody>\n",
        table->wordings > 1 ? " in the first of their wordings" : "");
    for (int32_t z = 0; z <= CLIMATE_ZONES; z++) {
        const int32_t entry = z > 0 ? prompt_table_find(table, climate_zone_name(z)) : -1;
        if (dataset_zone_area(d, z) == 0.0) continue;
        str_addf(&r->page, "<tr><th scope=\"row\">%s</th><td>", climate_zone_name(z));
        page_percent(&r->page, dataset_zone_area(d, z) / all, 1);
        str_add(&r->page, "</td><td>");
        page_text(&r->page, entry >= 0 && table->sentences[entry] != NULL ? table->sentences[entry] : "null prompt");
        str_add(&r->page, "</td></tr>\n");
    }
    str_add(&r->page, "</tbody></table></div>\n");
}

static void add_lines(Report *r, const char *summary, char *text)
{
    str_addf(&r->page, "<details><summary>%s</summary><pre>", summary);
    for (char *line = text; *line != '\0';) {
        char *end = line + strcspn(line, "\n");
        const bool more = *end == '\n';
        *end = '\0';
        page_text(&r->page, line);
        str_add(&r->page, "\n");
        line = more ? end + 1 : end;
    }
    str_add(&r->page, "</pre></details>\n");
}

static Err add_written(Report *r)
{
    char *path = NULL, *text = NULL;
    size_t length = 0;
    TRY(trainer_path(r->trainer, "config.yaml", &path));
    const Err err = file_read(path, (size_t)1 << 24, &text, &length);
    free(path);
    TRY(err);
    add_lines(r, "As it was written, config.yaml", text);
    free(text);
    return ERR_NONE;
}

/* Every key, with what was chosen for those that were not given. */
static Err add_resolved(Report *r)
{
    const Trainer *t = r->trainer;
    const ModelConfig *m = &t->model->config;
    RunConfig config = *t->config;
    JsonWriter w = { .pretty = true };
    double mean[MODEL_MAX_BANDS], std[MODEL_MAX_BANDS];
    char *text = NULL, summary[120];
    for (int32_t b = 0; b < m->network.n_bands; b++) {
        mean[b] = m->bands[b].mean;
        std[b] = m->bands[b].std;
    }
    config.train.warmup_steps = run_config_warmup(&t->config->train);
    config.data.mean = mean;
    config.data.std = std;
    config.data.n_mean = config.data.n_std = (uint32_t)m->network.n_bands;
    if (config.data.n_scenes > LISTED_SCENES) config.data.n_scenes = LISTED_SCENES;
    yaml_record_put_all(&w, NULL, &run_config_table, &config);
    const Err err = json_take(&w, &text);
    json_writer_done(&w);
    TRY(err);
    if (config.data.n_scenes < t->config->data.n_scenes)
        (void)snprintf(summary, sizeof summary, "With all defaults and what was measured (the first %u of %u scenes)",
                       (unsigned)config.data.n_scenes, (unsigned)t->config->data.n_scenes);
    else
        (void)snprintf(summary, sizeof summary, "With all defaults and what was measured");
    add_lines(r, summary, text);
    free(text);
    return ERR_NONE;
}

static Err fill(Report *r)
{
    const bool measured = r->validation->shown != NULL;
    page_begin(&r->page, r->trainer->model->config.name);
    add_summary(r);
    if (measured) TRY(add_classes(r));
    str_add(&r->page, REPORT_MAPS_BEGIN REPORT_MAPS_END);
    TRY(add_curves(r));
    if (measured) page_matrix(&r->page, r->names, r->validation->confusion.n, r->classes);
    if (measured && r->trainer->pictures != NULL) {
        page_heading(&r->page, "Where it fails, and where not");
        str_add(&r->page, r->trainer->pictures);
    }
    add_areas(r);
    add_prompts(r);
    page_heading(&r->page, "Configuration");
    TRY(add_resolved(r));
    TRY(add_written(r));
    page_end(&r->page);
    return ERR_NONE;
}

Err trainer_write_report(Trainer *t)
{
    Report r = { .trainer = t, .validation = &t->latest, .classes = (int64_t)t->config->data.n_classes };
    char *text = NULL, *path = NULL;
    for (int64_t c = 0; c < r.classes; c++)
        r.names[c] = (PageClass){ t->model->config.classes[c].name, t->model->config.classes[c].color };
    Err err = fill(&r);
    if (err == ERR_NONE) err = str_take(&r.page, &text);
    if (err == ERR_NONE) err = trainer_path(t, TRAINER_REPORT, &path);
    if (err == ERR_NONE) err = file_write(path, text, strlen(text), true);
    str_done(&r.page);
    free(text);
    free(path);
    return err;
}
