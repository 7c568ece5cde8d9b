/* SPDX-License-Identifier: Apache-2.0
 * report.html: what a run learned from, how it went, how good its latest weights are and where they fail. */
#include "train/trainer.h"

#include "base/file.h"
#include "base/rng.h"
#include "base/str.h"
#include "train/report_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DRAWS = 500,             /* of the bootstrap */
    SHOWN = 3,               /* best and worst windows each */
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

/* Bootstrap over windows: they are drawn with replacement, the IoU of each class and their mean are figured again. */
static Err bootstrap(const Report *r, Interval *ret_class, Interval *ret_mean)
{
    const Validation *v = r->validation;
    const int64_t C = r->classes;
    double *figures = calloc((size_t)((C + 1) * DRAWS), sizeof *figures);
    ClassMetrics *sum = calloc((size_t)C, sizeof *sum);
    if (figures == NULL || sum == NULL) {
        free(figures);
        free(sum);
        return err_memory((size_t)((C + 1) * DRAWS) * sizeof *figures, "the intervals of the report");
    }
    for (int64_t d = 0; d < DRAWS; d++) {
        TotalMetrics total;
        memset(sum, 0, (size_t)C * sizeof *sum);
        for (int64_t i = 0; i < v->windows; i++) {
            const int64_t w =
                rng_below((uint64_t)r->trainer->config->data.seed, RNG_TEST, (uint64_t)d, (uint64_t)i, v->windows);
            for (int64_t c = 0; c < C; c++) {
                sum[c].truth += v->window[w * C + c].truth;
                sum[c].predicted += v->window[w * C + c].predicted;
                sum[c].correct += v->window[w * C + c].correct;
            }
        }
        metrics_from_counts(sum, C, 0.0, &total);
        for (int64_t c = 0; c < C; c++) figures[c * DRAWS + d] = sum[c].iou;
        figures[C * DRAWS + d] = total.miou;
    }
    for (int64_t c = 0; c < C; c++) ret_class[c] = middle(figures + c * DRAWS, DRAWS);
    *ret_mean = middle(figures + C * DRAWS, DRAWS);
    free(figures);
    free(sum);
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

static Err add_classes(Report *r)
{
    Interval *intervals = calloc((size_t)r->classes, sizeof *intervals);
    Interval mean = { 0.0, 0.0 };
    if (intervals == NULL) return err_memory((size_t)r->classes * sizeof *intervals, "the intervals of the report");
    const Err err = bootstrap(r, intervals, &mean);
    if (err == ERR_NONE) {
        page_heading(&r->page, "How good it is");
        str_add(&r->page, "<p><span class=\"big\">mean IoU ");
        page_percent(&r->page, r->validation->shown[0].miou, 1);
        str_add(&r->page, " %</span>");
        add_interval(r, mean);
        str_add(&r->page, ", overall accuracy ");
        page_percent(&r->page, r->validation->shown[0].overall_accuracy, 1);
        str_addf(
            &r->page,
            " %%, on %lld windows that were not learned. In brackets: the middle 95 %% of %d draws of as many "
            "windows.</p>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">class</th><th scope=\"col\">pixels"
            "</th><th scope=\"col\">IoU, %%</th><th scope=\"col\">F1, %%</th><th scope=\"col\">precision, %%</th>"
            "<th scope=\"col\">recall, %%</th></tr></thead><tbody>\n",
            (long long)r->validation->windows, (int)DRAWS);
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
                     i == j ? "#2da44e" : "#cf222e", isfinite(share) ? 70.0 * share : 0.0);
            page_percent(&r->page, share, 1);
            str_add(&r->page, "</td>");
        }
        str_add(&r->page, "</tr>\n");
    }
    str_add(&r->page, "</tbody></table></div>\n");
}

/* ---- windows ---- */

/* Red, green and blue of the model, or its first bands: channel of the network's image each. */
static void choose_colors(const ModelConfig *m, int32_t ret_band[3])
{
    static const char *const names[] = { "red", "green", "blue" };
    for (int32_t i = 0; i < 3; i++) {
        ret_band[i] = m->n_bands > 2 ? i : 0;
        for (int32_t b = 0; b < m->n_bands; b++)
            if (strcmp(m->bands[b].name, names[i]) == 0) ret_band[i] = b;
    }
}

static uint8_t to_byte(double part) { return (uint8_t)lrint(255.0 * fmin(fmax(part, 0.0), 1.0)); }

/* The window's colours, from two standard deviations below its mean to two above. */
static void draw_image(const Trainer *t, uint8_t *rgb)
{
    const NetworkShape *s = &t->window.shape;
    const int64_t pixels = s->height * s->width, channels = s->bands * (s->presence ? 2 : 1);
    int32_t band[3];
    choose_colors(&t->model->config, band);
    for (int64_t c = 0; c < 3; c++) {
        double sum = 0.0, squares = 0.0;
        for (int64_t i = 0; i < pixels; i++) {
            const double x = (double)t->window.image[i * channels + band[c]];
            sum += x;
            squares += x * x;
        }
        const double mean = sum / (double)pixels, std = sqrt(fmax(squares / (double)pixels - mean * mean, 1e-12));
        for (int64_t i = 0; i < pixels; i++)
            rgb[3 * i + c] = to_byte(((double)t->window.image[i * channels + band[c]] - mean) / (4.0 * std) + 0.5);
    }
}

static void draw_classes(const Trainer *t, const uint8_t *classes, uint8_t *rgb)
{
    const ModelConfig *m = &t->model->config;
    for (int64_t i = 0; i < t->window.shape.height * t->window.shape.width; i++) {
        const uint32_t color = classes[i] < m->n_classes ? m->classes[classes[i]].color : 0xe8e8e8U;
        rgb[3 * i] = (uint8_t)(color >> 16U);
        rgb[3 * i + 1] = (uint8_t)(color >> 8U);
        rgb[3 * i + 2] = (uint8_t)color;
    }
}

static Err add_window(Report *r, int64_t index, double accuracy, uint8_t *classes, uint8_t *rgb)
{
    Trainer *t = r->trainer;
    const int64_t height = t->window.shape.height, width = t->window.shape.width;
    TRY(trainer_classify_window(t, index, classes));
    str_addf(&r->page, "<figure><figcaption>Window %lld, ", (long long)index + 1);
    page_percent(&r->page, accuracy, 1);
    str_add(&r->page, " % right: image, labels (grey: none), map</figcaption><div class=\"windows\">");
    for (int64_t i = 0; i < 3; i++) {
        static const char *const shown[] = { "Image", "Labels", "Map" };
        char alt[64];
        if (i == 0)
            draw_image(t, rgb);
        else
            draw_classes(t, i == 1 ? t->window.labels : classes, rgb);
        (void)snprintf(alt, sizeof alt, "%s of window %lld", shown[i], (long long)index + 1);
        TRY(page_picture(&r->page, rgb, width, height, alt));
    }
    str_add(&r->page, "</div></figure>\n");
    return ERR_NONE;
}

typedef struct Ranked {
    double accuracy;
    int64_t index;
} Ranked;

static int better(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    if (x->accuracy != y->accuracy) return x->accuracy < y->accuracy ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Windows with a label, the best first. */
static int64_t rank(const Report *r, Ranked *ret_ranked)
{
    int64_t n = 0;
    for (int64_t w = 0; w < r->validation->windows; w++) {
        int64_t truth = 0, correct = 0;
        for (int64_t c = 0; c < r->classes; c++) {
            truth += r->validation->window[w * r->classes + c].truth;
            correct += r->validation->window[w * r->classes + c].correct;
        }
        if (truth > 0) ret_ranked[n++] = (Ranked){ (double)correct / (double)truth, w };
    }
    qsort(ret_ranked, (size_t)n, sizeof *ret_ranked, better);
    return n;
}

static Err add_windows(Report *r)
{
    const size_t pixels = (size_t)(r->trainer->window.shape.height * r->trainer->window.shape.width);
    Ranked *ranked = calloc((size_t)r->validation->windows + 1, sizeof *ranked);
    uint8_t *classes = malloc(pixels), *rgb = malloc(3 * pixels);
    Err err = ranked != NULL && classes != NULL && rgb != NULL ? ERR_NONE
                                                               : err_memory(4 * pixels, "the pictures of the report");
    const int64_t n = err == ERR_NONE ? rank(r, ranked) : 0;
    page_heading(&r->page, "Where it fails, and where not");
    trainer_use_average(r->trainer);
    for (int64_t i = 0; i < n && err == ERR_NONE; i++) {
        if (i >= SHOWN && i < n - SHOWN) continue;
        const Ranked *k = &ranked[n - 1 - i]; /* the worst first */
        err = add_window(r, k->index, k->accuracy, classes, rgb);
    }
    trainer_use_latest(r->trainer);
    free(ranked);
    free(classes);
    free(rgb);
    return err;
}

/* ---- the rest ---- */

static void add_summary(Report *r)
{
    const Trainer *t = r->trainer;
    const ModelConfig *m = &t->model->config;
    str_add(&r->page, "<h1>");
    page_text(&r->page, m->name);
    str_addf(&r->page, "</h1>\n<p class=\"soft\">Step %lld of %lld; best mean IoU so far ", (long long)t->step,
             (long long)t->config->train.steps);
    page_percent(&r->page, t->best_miou, 2);
    str_addf(&r->page, " %% at step %lld, which best.safetensors holds. %u %s; the network reads ",
             (long long)t->best_step, (unsigned)t->config->data.n_scenes,
             t->config->data.n_scenes == 1 ? "scene" : "scenes");
    for (int32_t b = 0; b < m->n_bands; b++) {
        if (b > 0) str_add(&r->page, ", ");
        page_text(&r->page, m->bands[b].name);
    }
    str_addf(&r->page, "%s.</p>\n<pre>metaseg predict SCENE -m best.safetensors -o map.tif</pre>\n",
             m->network.fusion != NETWORK_FUSION_NONE ? ", and the prompt of each place's climate zone" : "");
}

static Err add_configuration(Report *r)
{
    char *path = NULL, *text = NULL;
    size_t length = 0;
    TRY(trainer_path(r->trainer, "config.yaml", &path));
    const Err err = file_read(path, (size_t)1 << 24, &text, &length);
    free(path);
    TRY(err);
    page_heading(&r->page, "Configuration");
    str_add(&r->page, "<pre>");
    for (char *line = text; *line != '\0';) {
        char *end = line + strcspn(line, "\n");
        const bool more = *end == '\n';
        *end = '\0';
        page_text(&r->page, line);
        str_add(&r->page, "\n");
        line = more ? end + 1 : end;
    }
    str_add(&r->page, "</pre>\n");
    free(text);
    return ERR_NONE;
}

static Err fill(Report *r)
{
    page_begin(&r->page, r->trainer->model->config.name);
    add_summary(r);
    TRY(add_classes(r));
    TRY(add_curves(r));
    add_matrix(r);
    TRY(add_windows(r));
    TRY(add_configuration(r));
    page_end(&r->page);
    return ERR_NONE;
}

Err trainer_write_report(Trainer *t, const Validation *validation)
{
    Report r = { .trainer = t, .validation = validation, .classes = (int64_t)t->config->data.n_classes };
    char *text = NULL, *path = NULL;
    Err err = fill(&r);
    if (err == ERR_NONE) err = str_take(&r.page, &text);
    if (err == ERR_NONE) err = trainer_path(t, "report.html", &path);
    if (err == ERR_NONE) err = file_write(path, text, strlen(text), true);
    str_done(&r.page);
    free(text);
    free(path);
    return err;
}
