/* SPDX-License-Identifier: Apache-2.0
 * The page of metaseg eval --html. */
#include "eval/eval_page.h"

#include "base/file.h"
#include "eval/bootstrap.h"
#include "eval/eval_windows.h"
#include "eval/report_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VALUES = VALUE_COUNTS_SMALL, /* that are counted by place */
    WANTED_PLACES = 100,         /* few and large: pixels near each other are alike */
    LARGEST = 640,               /* side of a picture */
    MOST_PICTURES = 4,           /* as many pairs are shown as a whole, of more windows alone */
};

struct EvalPage {
    bool excluded[VALUES];
    int64_t n_pairs, places, side; /* of a pair side x side places */
    ClassCounts *counts;           /* [places][VALUES] */
    int64_t pair, width, height;   /* of the pair that is counted */
    int64_t columns, rows;         /* of its pictures */
    int32_t *truth, *map;          /* [rows][columns], EVAL_NOTHING where there is no label or no value */
    Str pictures;                  /* of whole pairs, where these are few */
    EvalWindows *windows;
};

Err eval_page_new(const MetasegEvalOptions *options, int64_t n_pairs, EvalPage **ret_page)
{
    EvalPage *p = calloc(1, sizeof *p);
    if (p == NULL) return err_memory(sizeof *p, "the page");
    p->n_pairs = n_pairs;
    p->side = n_pairs < WANTED_PLACES ? (int64_t)sqrt((double)WANTED_PLACES / (double)n_pairs) : 1;
    p->places = n_pairs < BOOTSTRAP_GROUPS ? n_pairs * p->side * p->side : BOOTSTRAP_GROUPS;
    p->counts = calloc((size_t)(p->places * VALUES), sizeof *p->counts);
    p->truth = calloc((size_t)LARGEST * LARGEST, sizeof *p->truth);
    p->map = calloc((size_t)LARGEST * LARGEST, sizeof *p->map);
    for (int64_t i = 0; i < options->n_exclude; i++)
        if (options->exclude[i] >= 0 && options->exclude[i] < VALUES) p->excluded[options->exclude[i]] = true;
    if (p->counts == NULL || p->truth == NULL || p->map == NULL) {
        const size_t bytes = (size_t)(p->places * VALUES) * sizeof *p->counts;
        eval_page_free(p);
        return err_memory(bytes, "the page");
    }
    const Err err = eval_windows_new(&p->windows);
    if (err != ERR_NONE) {
        eval_page_free(p);
        return err;
    }
    *ret_page = p;
    return ERR_NONE;
}

void eval_page_free(EvalPage *p)
{
    if (p == NULL) return;
    free(p->counts);
    free(p->truth);
    free(p->map);
    str_done(&p->pictures);
    eval_windows_free(p->windows);
    free(p);
}

/* ---- while pixels are counted ---- */

static int64_t shrunk(int64_t size, int64_t larger)
{
    const int64_t n = larger > LARGEST ? size * LARGEST / larger : size;
    return n > 0 ? n : 1;
}

void eval_page_begin(EvalPage *p, int64_t pair, int64_t width, int64_t height)
{
    const int64_t larger = width > height ? width : height;
    p->pair = pair;
    p->width = width;
    p->height = height;
    p->columns = shrunk(width, larger);
    p->rows = shrunk(height, larger);
    for (int64_t i = 0; i < p->columns * p->rows; i++) p->truth[i] = p->map[i] = EVAL_NOTHING;
}

/* Places of a pair lie in the order of its rows; of very many pairs some have one place together. */
static int64_t place_of(const EvalPage *p, int64_t x, int64_t y)
{
    if (p->n_pairs >= BOOTSTRAP_GROUPS) return p->pair * p->places / p->n_pairs;
    return (p->pair * p->side + y * p->side / p->height) * p->side + x * p->side / p->width;
}

void eval_page_block(EvalPage *p, RasterWindow block) { eval_windows_begin(p->windows, block); }

void eval_page_pixel(EvalPage *p, int64_t x, int64_t y, int32_t truth, bool covered, int32_t prediction)
{
    const bool small = truth >= 0 && truth < VALUES, excluded = small && p->excluded[truth];
    const int32_t value = covered ? prediction : EVAL_NOTHING;
    if (p->n_pairs <= MOST_PICTURES) {
        const int64_t at = y * p->rows / p->height * p->columns + x * p->columns / p->width;
        p->truth[at] = truth;
        p->map[at] = value;
    }
    eval_windows_pixel(p->windows, x, y, truth, value, covered && !excluded);
    if (!covered || !small || excluded) return;
    ClassCounts *place = p->counts + place_of(p, x, y) * VALUES;
    place[truth].truth++;
    if (prediction < 0 || prediction >= VALUES) return;
    place[prediction].predicted++;
    place[truth].correct += truth == prediction;
}

Err eval_page_block_end(EvalPage *p, const Comparison *pair) { return eval_windows_end(p->windows, pair); }

static Err add_picture(EvalPage *p, const Comparison *pair, const int32_t *values, uint8_t *rgb, const char *path)
{
    eval_draw(pair, values, p->columns * p->rows, rgb);
    str_add(&p->pictures, "<figure class=\"classes\"><figcaption>");
    page_text(&p->pictures, path_name(path));
    str_add(&p->pictures, "</figcaption>");
    TRY(page_picture(&p->pictures, rgb, p->columns, p->rows, path_name(path)));
    str_add(&p->pictures, "</figure>\n");
    return ERR_NONE;
}

Err eval_page_end(EvalPage *p, const Comparison *pair)
{
    if (p->n_pairs > MOST_PICTURES) return ERR_NONE;
    uint8_t *rgb = malloc(3 * (size_t)(p->columns * p->rows));
    if (rgb == NULL) return err_memory(3 * (size_t)(p->columns * p->rows), "the pictures");
    str_add(&p->pictures, "<div class=\"windows\">\n");
    Err err = add_picture(p, pair, p->map, rgb, raster_path(pair->map));
    if (err == ERR_NONE) err = add_picture(p, pair, p->truth, rgb, raster_path(pair->truth));
    str_add(&p->pictures, "</div>\n");
    free(rgb);
    return err;
}

/* ---- the page ---- */

/* The classes that occur, as the page has them. */
typedef struct Shown {
    int64_t n;
    PageClass *classes;
    char **names; /* owned */
    int32_t *values;
    ClassMetrics *metrics;
    bool *excluded, *not_in_means;
    Interval *intervals, mean;
    int64_t blocks;  /* that they were drawn from, 0: none */
    int64_t *matrix; /* [n][n] */
} Shown;

static void shown_done(Shown *s)
{
    for (int64_t i = 0; s->names != NULL && i < s->n; i++) free(s->names[i]);
    free(s->names);
    free(s->classes);
    free(s->values);
    free(s->metrics);
    free(s->excluded);
    free(s->not_in_means);
    free(s->intervals);
    free(s->matrix);
}

static Err shown_init(const Figures *f, Shown *s)
{
    const size_t n = (size_t)f->n_values + 1;
    *s = (Shown){ .mean = { (double)NAN, (double)NAN } };
    s->classes = calloc(n, sizeof *s->classes);
    s->names = calloc(n, sizeof *s->names);
    s->values = calloc(n, sizeof *s->values);
    s->metrics = calloc(n, sizeof *s->metrics);
    s->excluded = calloc(n, sizeof *s->excluded);
    s->not_in_means = calloc(n, sizeof *s->not_in_means);
    s->intervals = calloc(n, sizeof *s->intervals);
    if (s->classes == NULL || s->names == NULL || s->values == NULL || s->metrics == NULL || s->excluded == NULL ||
        s->not_in_means == NULL || s->intervals == NULL)
        return err_memory(n * sizeof *s->metrics, "the page");
    return ERR_NONE;
}

static Err take_classes(const Comparison *c, const Figures *f, Shown *s)
{
    for (int64_t i = 0; i < f->n_values; i++) {
        const ValueFigures *v = &f->values[i];
        const char *name = eval_class_name(c, v->value);
        if (v->metrics.truth == 0 && v->metrics.predicted == 0) continue;
        TRY(name[0] != '\0' ? str_format(&s->names[s->n], "%d %s", (int)v->value, name)
                            : str_format(&s->names[s->n], "%d", (int)v->value));
        s->values[s->n] = v->value;
        s->metrics[s->n] = v->metrics;
        s->metrics[s->n].f1 = metrics_f1(&v->metrics, (MeansRule)c->options->protocol);
        s->excluded[s->n] = v->metrics.excluded;
        s->not_in_means[s->n] = v->metrics.not_in_means;
        s->intervals[s->n] = (Interval){ (double)NAN, (double)NAN };
        s->classes[s->n] = (PageClass){ s->names[s->n], eval_class_color(c, v->value) };
        s->n++;
    }
    return ERR_NONE;
}

/* Of values that are counted by place, all of them or none. */
static Err take_intervals(const EvalPage *p, const Comparison *c, Shown *s)
{
    for (int64_t i = 0; i < s->n; i++)
        if (s->values[i] < 0 || s->values[i] >= VALUES) return ERR_NONE;
    ClassCounts *counts = calloc((size_t)(p->places * s->n) + 1, sizeof *counts);
    if (counts == NULL) return err_memory((size_t)(p->places * s->n) * sizeof *counts, "the intervals");
    int64_t filled = 0; /* places without a label tell nothing */
    for (int64_t place = 0; place < p->places; place++) {
        int64_t any = 0;
        for (int64_t i = 0; i < s->n; i++) {
            counts[filled * s->n + i] = p->counts[place * VALUES + s->values[i]];
            any += counts[filled * s->n + i].truth;
        }
        filled += any > 0;
    }
    const BootstrapInput input = { .counts = counts,
                                   .places = filled,
                                   .classes = s->n,
                                   .excluded = s->excluded,
                                   .not_in_means = s->not_in_means,
                                   .rule = (MeansRule)c->options->protocol,
                                   .minimum_share = c->options->minimum_share };
    const Err err = filled > 1 ? bootstrap_iou(&input, s->intervals, &s->mean) : ERR_NONE;
    s->blocks = filled;
    free(counts);
    return err;
}

static int64_t index_of(const Shown *s, int32_t value)
{
    for (int64_t i = 0; i < s->n; i++)
        if (s->values[i] == value) return i;
    return -1;
}

static Err take_matrix(const Comparison *c, Shown *s)
{
    ValuePair *pairs = NULL;
    int64_t n = 0;
    if (s->n > PAGE_MATRIX_CLASSES) return ERR_NONE;
    s->matrix = calloc((size_t)(s->n * s->n) + 1, sizeof *s->matrix);
    if (s->matrix == NULL) return err_memory((size_t)(s->n * s->n) * sizeof *s->matrix, "the confusion matrix");
    TRY(value_counts_pairs(c->all, &pairs, &n));
    for (int64_t i = 0; i < n; i++) {
        const int64_t truth = index_of(s, pairs[i].truth);
        const int64_t prediction = index_of(s, pairs[i].prediction);
        if (truth >= 0 && prediction >= 0) s->matrix[truth * s->n + prediction] += pairs[i].n;
    }
    free(pairs);
    return ERR_NONE;
}

static void add_head(const Comparison *c, const Figures *f, Str *page)
{
    str_add(page, "<h1>");
    if (c->n_pairs == 1) {
        page_text(page, path_name(raster_path(c->map)));
        str_add(page, " and ");
        page_text(page, path_name(raster_path(c->truth)));
    } else {
        str_addf(page, "%lld maps and their references", (long long)c->n_pairs);
    }
    str_addf(page, "</h1>\n<p class=\"soft\">%lld labelled pixels compared", (long long)f->total.pixels);
    if (f->uncovered > 0) str_addf(page, "; %lld not, where the map has no value", (long long)f->uncovered);
    if (c->ignored > 0)
        str_addf(page, "; %lld pixels of the reference have the ignored value %d", (long long)c->ignored,
                 (int)c->options->ignore);
    str_add(page, ".</p>\n");
}

/* By which protocol the means are, and what they were by the others. */
static void add_protocols(const Comparison *c, const TotalMetrics *t, Str *page)
{
    const int own = (int)c->options->protocol;
    str_add(page, "<p class=\"soft\">");
    if (c->options->data_set != NULL) {
        str_add(page, "Data set: ");
        page_text(page, c->options->data_set);
        str_add(page, ". ");
    }
    str_addf(page, "Protocol %s: %s.", eval_protocol_names[own], eval_protocol_rules[own]);
    for (int rule = 0; rule < MEANS_RULES; rule++) {
        const Means *m = &t->means[rule];
        if (rule == own || (m->miou == t->means[own].miou && m->mf1 == t->means[own].mf1)) continue;
        str_addf(page, " By %s: mean IoU ", eval_protocol_names[rule]);
        page_percent(page, m->miou, 1);
        str_add(page, " %, mean F1 ");
        page_percent(page, m->mf1, 1);
        str_addf(page, " %% (%s).", eval_protocol_rules[rule]);
    }
    str_add(page, "</p>\n");
}

static void add_figures(const Comparison *c, const Figures *f, const Shown *s, Str *page)
{
    page_heading(page, "How good it is");
    const Means means = eval_means(c, &f->total);
    page_totals(page, means.miou, s->mean, f->total.overall_accuracy);
    str_add(page, ", mean F1 ");
    page_percent(page, means.mf1, 1);
    str_addf(page, " %%, Cohen's kappa %.3f; the mean is over %lld classes.", f->total.kappa,
             (long long)means.iou_classes);
    if (s->blocks > 1)
        str_addf(page, " In brackets: the middle 95 %% of %d draws of %lld blocks of the %s with labels.",
                 (int)BOOTSTRAP_DRAWS, (long long)s->blocks, c->n_pairs == 1 ? "reference" : "references");
    str_add(page, "</p>\n");
    add_protocols(c, &f->total, page);
    page_classes(page, s->classes, s->metrics, s->intervals, s->n);
    if (s->matrix != NULL) page_matrix(page, s->classes, s->matrix, s->n);
}

static void add_row(const Comparison *c, Str *page, const char *name, const TotalMetrics *t)
{
    str_add(page, "<tr><th scope=\"row\">");
    page_text(page, name);
    str_addf(page, "</th><td>%lld</td><td>", (long long)t->pixels);
    page_percent(page, eval_means(c, t).miou, 1);
    str_add(page, "</td><td>");
    page_percent(page, t->overall_accuracy, 1);
    str_add(page, "</td></tr>\n");
}

static void begin_rows(Str *page, const char *heading, const char *what)
{
    page_heading(page, heading);
    str_addf(page,
             "<div class=\"wide\"><table><thead><tr><th scope=\"col\">%s</th><th scope=\"col\">pixels</th><th "
             "scope=\"col\">mean IoU, %%</th><th scope=\"col\">OA, %%</th></tr></thead><tbody>\n",
             what);
}

static void add_parts(const Comparison *c, Str *page)
{
    if (c->climate != NULL) {
        begin_rows(page, "By climate zone", "zone");
        for (int32_t z = 0; z <= CLIMATE_ZONES; z++)
            if (c->zones[z] != NULL && c->zone_figures[z].total.pixels > 0)
                add_row(c, page, climate_zone_name(z), &c->zone_figures[z].total);
        str_add(page, "</tbody></table></div>\n");
    }
    if (c->n_pairs < 2) return;
    begin_rows(page, "Each map", "map");
    for (int64_t i = 0; i < c->n_pairs; i++) add_row(c, page, eval_pair_name(&c->pairs[i]), &c->summaries[i].total);
    str_add(page, "</tbody></table></div>\n");
}

static Err fill(const EvalPage *p, const Comparison *c, const Figures *f, Shown *s, Str *page)
{
    TRY(take_classes(c, f, s));
    TRY(take_intervals(p, c, s));
    TRY(take_matrix(c, s));
    page_begin(page, c->n_pairs == 1 ? path_name(raster_path(c->map)) : "maps and references");
    add_head(c, f, page);
    add_figures(c, f, s, page);
    if (c->n_pairs <= MOST_PICTURES) {
        page_heading(page, "The map beside the reference");
        str_add(page, "<p class=\"soft\">Where the reference has labels; grey: none, or no value of the map.</p>\n");
        str_add(page, str_text(&p->pictures));
    }
    /* windows of few small pairs are what stands above already */
    if (c->n_pairs > MOST_PICTURES || eval_windows_count(p->windows) > c->n_pairs)
        TRY(eval_windows_page(p->windows, page));
    add_parts(c, page);
    page_end(page);
    return p->pictures.failed ? err_memory(p->pictures.wanted, "the pictures") : ERR_NONE;
}

Err eval_page_text(const EvalPage *p, const Comparison *c, const Figures *figures, char **ret_text)
{
    Shown shown;
    Str page = { 0 };
    Err err = shown_init(figures, &shown);
    if (err == ERR_NONE) err = fill(p, c, figures, &shown, &page);
    if (err == ERR_NONE) err = str_take(&page, ret_text);
    str_done(&page);
    shown_done(&shown);
    return err;
}
