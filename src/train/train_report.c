/* SPDX-License-Identifier: Apache-2.0
 * report.html: what a run learned from, how it went, how good its latest weights are and where they fail. */
#include "train/trainer.h"

#include "base/file.h"
#include "base/rng.h"
#include "base/str.h"
#include "data/yaml_record.h"
#include "train/dataset_tell.h"
#include "train/report_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DRAWS = 500,             /* of the bootstrap */
    MOST_GROUPS = 1000,      /* that it draws from: windows, or neighbouring windows together */
    LISTED_SCENES = 50,      /* of the configuration */
    MOST_MATRIX_CLASSES = 40 /* a larger confusion matrix is no table that anybody reads */
};

typedef struct Report {
    Trainer *trainer;
    const Validation *validation;
    int64_t classes;
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

typedef struct Interval {
    double low, high;
} Interval;

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Middle 95 % of n figures; sorts them. NAN where one of them is not finite. */
static Interval middle(double *figures, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(figures[i])) return (Interval){ (double)NAN, (double)NAN };
    qsort(figures, (size_t)n, sizeof *figures, ascending);
    return (Interval){ figures[(int64_t)floor(0.025 * (double)(n - 1))],
                       figures[(int64_t)ceil(0.975 * (double)(n - 1))] };
}

/* Windows that are drawn as one: 1 where they are few. Neighbours come one after the other, and are alike. */
static int64_t group_size(const Validation *v) { return (v->windows + MOST_GROUPS - 1) / MOST_GROUPS; }

/* Counts of groups of windows, [groups][classes]. */
static void sum_groups(const Validation *v, int64_t C, WindowCounts *ret_groups)
{
    const int64_t size = group_size(v);
    for (int64_t w = 0; w < v->windows; w++) {
        for (int64_t c = 0; c < C; c++) {
            const WindowCounts *from = &v->window[w * C + c];
            WindowCounts *to = &ret_groups[w / size * C + c];
            to->truth += from->truth;
            to->predicted += from->predicted;
            to->correct += from->correct;
        }
    }
}

/* Draws `groups` of them with replacement, DRAWS times. figures [C + 1][DRAWS]: IoU of each class, and their mean. */
static void draw_groups(const WindowCounts *group, int64_t groups, int64_t C, uint64_t seed, ClassMetrics *sum,
                        double *figures)
{
    for (int64_t d = 0; d < DRAWS; d++) {
        TotalMetrics total;
        memset(sum, 0, (size_t)C * sizeof *sum);
        for (int64_t i = 0; i < groups; i++) {
            const int64_t g = rng_below(seed, RNG_TEST, (uint64_t)d, (uint64_t)i, groups);
            for (int64_t c = 0; c < C; c++) {
                sum[c].truth += group[g * C + c].truth;
                sum[c].predicted += group[g * C + c].predicted;
                sum[c].correct += group[g * C + c].correct;
            }
        }
        metrics_from_counts(sum, C, 0.0, &total);
        for (int64_t c = 0; c < C; c++) figures[c * DRAWS + d] = sum[c].iou;
        figures[C * DRAWS + d] = total.miou;
    }
}

/* Bootstrap over windows: they are drawn with replacement, the IoU of each class and their mean are figured again. Its time
 * does not grow with their number. */
static Err bootstrap(const Report *r, Interval *ret_class, Interval *ret_mean)
{
    const Validation *v = r->validation;
    const int64_t C = r->classes, size = group_size(v);
    const int64_t groups = v->windows > 0 ? (v->windows + size - 1) / size : 0;
    double *figures = calloc((size_t)((C + 1) * DRAWS), sizeof *figures);
    ClassMetrics *sum = calloc((size_t)C, sizeof *sum);
    WindowCounts *group = calloc((size_t)(groups * C) + 1, sizeof *group);
    if (figures == NULL || sum == NULL || group == NULL) {
        free(figures);
        free(sum);
        free(group);
        return err_memory((size_t)((C + 1) * DRAWS) * sizeof *figures, "the intervals of the report");
    }
    if (groups > 0) sum_groups(v, C, group);
    draw_groups(group, groups, C, (uint64_t)r->trainer->config->data.seed, sum, figures);
    for (int64_t c = 0; c < C; c++) ret_class[c] = middle(figures + c * DRAWS, DRAWS);
    *ret_mean = middle(figures + C * DRAWS, DRAWS);
    free(figures);
    free(sum);
    free(group);
    return ERR_NONE;
}

static void add_interval(Report *r, Interval i)
{
    if (!isfinite(i.low)) return;
    str_addf(&r->page, " <span class=\"soft\">(%.1f to %.1f)</span>", 100.0 * i.low, 100.0 * i.high);
}

static void add_class_name(Report *r, int64_t c)
{
    const ModelClass *class = &r->trainer->model->config.classes[c];
    page_swatch(&r->page, class->color);
    page_text(&r->page, class->name);
}

static void add_class_rows(Report *r, const Interval *intervals)
{
    const Metrics *m = &r->validation->shown[0];
    for (int64_t c = 0; c < r->classes; c++) {
        const ClassMetrics *k = &m->per_class[c];
        str_add(&r->page, "<tr><th scope=\"row\">");
        add_class_name(r, c);
        str_addf(&r->page, "</th><td>%lld</td><td>", (long long)k->truth);
        page_percent(&r->page, k->iou, 1);
        add_interval(r, intervals[c]);
        const double rest[] = { k->f1, k->precision, k->recall };
        for (int64_t i = 0; i < ARRAY_LEN(rest); i++) {
            str_add(&r->page, "</td><td>");
            page_percent(&r->page, rest[i], 1);
        }
        str_add(&r->page, "</td></tr>\n");
    }
}

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

static void add_classes_head(Report *r, Interval mean)
{
    const Validation *v = r->validation;
    const int64_t size = group_size(v);
    str_add(&r->page, "<p><span class=\"big\">mean IoU ");
    page_percent(&r->page, v->shown[0].miou, 1);
    str_add(&r->page, " %</span>");
    add_interval(r, mean);
    str_add(&r->page, ", overall accuracy ");
    page_percent(&r->page, v->shown[0].overall_accuracy, 1);
    str_addf(&r->page,
             " %%, on %lld windows that were not learned, at step %lld. In brackets: the middle 95 %% of %d draws ",
             (long long)v->windows, (long long)r->trainer->validated, (int)DRAWS);
    if (size > 1)
        str_addf(&r->page, "of as many groups of %lld neighbouring windows.</p>\n", (long long)size);
    else
        str_add(&r->page, "of as many windows.</p>\n");
    str_add(&r->page, "<div class=\"wide\"><table><thead><tr><th scope=\"col\">class</th><th scope=\"col\">pixels</th>"
                      "<th scope=\"col\">IoU, %</th><th scope=\"col\">F1, %</th><th scope=\"col\">precision, %</th>"
                      "<th scope=\"col\">recall, %</th></tr></thead><tbody>\n");
}

static Err add_classes(Report *r)
{
    Interval *intervals = calloc((size_t)r->classes, sizeof *intervals);
    Interval mean = { 0.0, 0.0 };
    if (intervals == NULL) return err_memory((size_t)r->classes * sizeof *intervals, "the intervals of the report");
    const Err err = bootstrap(r, intervals, &mean);
    if (err == ERR_NONE) {
        page_heading(&r->page, "How good it is");
        add_classes_head(r, mean);
        add_class_rows(r, intervals);
        str_add(&r->page, "</tbody></table></div>\n");
        add_thin(r);
    }
    free(intervals);
    return err;
}

static void add_matrix(Report *r)
{
    const Confusion *k = &r->validation->confusion;
    if (r->classes > MOST_MATRIX_CLASSES) return;
    page_heading(&r->page, "What is taken for what");
    str_add(&r->page,
            "<p class=\"soft\">Rows: the labels; columns: the map; per cent of the row.</p>\n<div class=\"wide\">"
            "<table><thead><tr><th scope=\"col\">labels</th>");
    for (int64_t c = 0; c < r->classes; c++) {
        str_add(&r->page, "<th scope=\"col\">");
        add_class_name(r, c);
        str_add(&r->page, "</th>");
    }
    str_add(&r->page, "</tr></thead><tbody>\n");
    for (int64_t i = 0; i < r->classes; i++) {
        int64_t row = 0;
        for (int64_t j = 0; j < r->classes; j++) row += k->n[i * r->classes + j];
        str_add(&r->page, "<tr><th scope=\"row\">");
        add_class_name(r, i);
        str_add(&r->page, "</th>");
        for (int64_t j = 0; j < r->classes; j++) {
            const double share = row > 0 ? (double)k->n[i * r->classes + j] / (double)row : (double)NAN;
            str_addf(&r->page, "<td style=\"background:color-mix(in srgb, %s %.0f%%, transparent)\">",
                     i == j ? "var(--good)" : "var(--bad)", isfinite(share) ? 70.0 * share : 0.0);
            page_percent(&r->page, share, 1);
            str_add(&r->page, "</td>");
        }
        str_add(&r->page, "</tr>\n");
    }
    str_add(&r->page, "</tbody></table></div>\n");
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
    for (int32_t b = 0; b < m->n_bands; b++) {
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
    for (int32_t b = 0; b < m->n_bands; b++) {
        mean[b] = m->bands[b].mean;
        std[b] = m->bands[b].std;
    }
    config.train.warmup_steps = run_config_warmup(&t->config->train);
    config.data.mean = mean;
    config.data.std = std;
    config.data.n_mean = config.data.n_std = (uint32_t)m->n_bands;
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
    if (measured) add_matrix(r);
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
    Err err = fill(&r);
    if (err == ERR_NONE) err = str_take(&r.page, &text);
    if (err == ERR_NONE) err = trainer_path(t, TRAINER_REPORT, &path);
    if (err == ERR_NONE) err = file_write(path, text, strlen(text), true);
    str_done(&r.page);
    free(text);
    free(path);
    return err;
}
