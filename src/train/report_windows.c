/* SPDX-License-Identifier: Apache-2.0
 * The best and the worst windows of the latest validation, as pictures for report.html. They are drawn when the weights are those
 * that were validated, and kept: the report may be written again later. */
#include "train/trainer.h"

#include "base/str.h"
#include "eval/report_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 3 }; /* best and worst windows each */

/* Red, green and blue of the model, or its first bands: channel of the network's image each. */
static void choose_colors(const ModelConfig *m, int32_t ret_band[3])
{
    static const char *const names[] = { "red", "green", "blue" };
    for (int32_t i = 0; i < 3; i++) {
        ret_band[i] = m->network.n_bands > 2 ? i : 0;
        for (int32_t b = 0; b < m->network.n_bands; b++)
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
        const uint32_t color = classes[i] < m->network.n_classes ? m->classes[classes[i]].color : 0xe8e8e8U;
        rgb[3 * i] = (uint8_t)(color >> 16U);
        rgb[3 * i + 1] = (uint8_t)(color >> 8U);
        rgb[3 * i + 2] = (uint8_t)color;
    }
}

static Err add_window(Trainer *t, int64_t index, double accuracy, uint8_t *classes, uint8_t *rgb, Str *page)
{
    const int64_t height = t->window.shape.height, width = t->window.shape.width;
    TRY(trainer_classify_window(t, index, classes));
    str_addf(page, "<figure><figcaption>Window %lld, ", (long long)index + 1);
    page_percent(page, accuracy, 1);
    str_add(page, " % right: image, labels (grey: none), map</figcaption><div class=\"windows\">");
    for (int64_t i = 0; i < 3; i++) {
        static const char *const shown[] = { "Image", "Labels", "Map" };
        char alt[64];
        if (i == 0)
            draw_image(t, rgb);
        else
            draw_classes(t, i == 1 ? t->window.labels : classes, rgb);
        (void)snprintf(alt, sizeof alt, "%s of window %lld", shown[i], (long long)index + 1);
        TRY(page_picture(page, rgb, width, height, alt));
    }
    str_add(page, "</div></figure>\n");
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
static int64_t rank(const Validation *v, int64_t classes, Ranked *ret_ranked)
{
    int64_t n = 0;
    for (int64_t w = 0; w < v->windows; w++) {
        int64_t truth = 0, correct = 0;
        for (int64_t c = 0; c < classes; c++) {
            truth += v->window[w * classes + c].truth;
            correct += v->window[w * classes + c].correct;
        }
        if (truth > 0) ret_ranked[n++] = (Ranked){ (double)correct / (double)truth, w };
    }
    qsort(ret_ranked, (size_t)n, sizeof *ret_ranked, better);
    return n;
}

static Err add_windows(Trainer *t, Str *page)
{
    const Validation *v = &t->latest;
    const size_t pixels = (size_t)(t->window.shape.height * t->window.shape.width);
    Ranked *ranked = calloc((size_t)v->windows + 1, sizeof *ranked);
    uint8_t *classes = malloc(pixels), *rgb = malloc(3 * pixels);
    Err err = ranked != NULL && classes != NULL && rgb != NULL ? ERR_NONE
                                                               : err_memory(4 * pixels, "the pictures of the report");
    const int64_t n = err == ERR_NONE ? rank(v, (int64_t)t->config->data.n_classes, ranked) : 0;
    trainer_use_average(t);
    for (int64_t i = 0; i < n && err == ERR_NONE; i++) {
        if (i >= SHOWN && i < n - SHOWN) continue;
        const Ranked *k = &ranked[n - 1 - i]; /* the worst first */
        err = add_window(t, k->index, k->accuracy, classes, rgb, page);
    }
    trainer_use_latest(t);
    free(ranked);
    free(classes);
    free(rgb);
    return err;
}

Err trainer_draw_windows(Trainer *t)
{
    Str page = { 0 };
    char *text = NULL;
    Err err = add_windows(t, &page);
    if (err == ERR_NONE) err = str_take(&page, &text);
    str_done(&page);
    if (err != ERR_NONE) return err;
    free(t->pictures);
    t->pictures = text;
    return ERR_NONE;
}
