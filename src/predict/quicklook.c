/* SPDX-License-Identifier: Apache-2.0
 * The picture of a map: nearest pixels at a reduced size, and a legend of the classes that occur with their shares. */
#include "predict/predictor.h"

#include "predict/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1600, MARGIN_PIXELS = 16, LINE = 22, COLUMN = 400, SWATCH = 14, TITLE = 34, NO_CLASS = 255 };

struct Quicklook {
    const ModelConfig *config;
    int64_t width, height; /* of the map */
    int64_t columns, rows; /* of the picture of the map */
    uint8_t *classes;      /* [rows, columns] */
    int64_t counts[256];   /* of the picture's pixels */
};

Err quicklook_new(const ModelConfig *config, int64_t width, int64_t height, Quicklook **ret_quicklook)
{
    Quicklook *q = calloc(1, sizeof *q);
    if (q == NULL) return err_memory(sizeof *q, "the quicklook");
    const int64_t larger = width > height ? width : height;
    const double scale = larger > LARGEST ? (double)LARGEST / (double)larger : 1.0;
    *q = (Quicklook){ .config = config, .width = width, .height = height };
    q->columns = (int64_t)((double)width * scale) > 0 ? (int64_t)((double)width * scale) : 1;
    q->rows = (int64_t)((double)height * scale) > 0 ? (int64_t)((double)height * scale) : 1;
    q->classes = malloc((size_t)(q->columns * q->rows));
    if (q->classes == NULL) {
        free(q);
        return err_memory((size_t)(width * height), "the quicklook");
    }
    memset(q->classes, NO_CLASS, (size_t)(q->columns * q->rows));
    *ret_quicklook = q;
    return ERR_NONE;
}

void quicklook_free(Quicklook *quicklook)
{
    if (quicklook == NULL) return;
    free(quicklook->classes);
    free(quicklook);
}

static int64_t nearest(int64_t i, int64_t from, int64_t to) { return (2 * i + 1) * from / (2 * to); }

void quicklook_block(Quicklook *q, RasterWindow at, const uint8_t *classes, int64_t stride)
{
    for (int64_t r = at.y * q->rows / q->height; r < q->rows; r++) {
        const int64_t y = nearest(r, q->height, q->rows);
        if (y < at.y) continue;
        if (y >= at.y + at.rows) break;
        for (int64_t c = at.x * q->columns / q->width; c < q->columns; c++) {
            const int64_t x = nearest(c, q->width, q->columns);
            if (x < at.x) continue;
            if (x >= at.x + at.columns) break;
            const uint8_t k = classes[(y - at.y) * stride + x - at.x];
            q->classes[r * q->columns + c] = k;
            q->counts[k]++;
        }
    }
}

static void draw_map(const Quicklook *q, const Picture *picture, int64_t left, int64_t top)
{
    uint32_t row[LARGEST];
    for (int64_t r = 0; r < q->rows; r++) {
        for (int64_t c = 0; c < q->columns; c++) {
            const uint8_t k = q->classes[r * q->columns + c];
            row[c] = k == NO_CLASS ? 0xffffffU : q->config->classes[k].color;
        }
        picture_pixels(picture, left, top + r, q->columns, row);
    }
}

static int64_t present_classes(const Quicklook *q)
{
    int64_t n = 0;
    for (int32_t c = 0; c < q->config->network.n_classes; c++) n += q->counts[c] > 0;
    return n;
}

static void draw_legend(const Quicklook *q, const Picture *picture, int64_t top, int64_t columns)
{
    const int64_t n = present_classes(q);
    if (n == 0) return;
    const int64_t lines = (n + columns - 1) / columns;
    int64_t total = 0;
    for (int32_t c = 0; c < q->config->network.n_classes; c++) total += q->counts[c];
    int64_t place = 0;
    for (int32_t c = 0; c < q->config->network.n_classes; c++) {
        if (q->counts[c] == 0) continue;
        const double x = (double)(MARGIN_PIXELS + place / lines * COLUMN);
        const double y = (double)(top + place % lines * LINE);
        char text[160];
        (void)snprintf(text, sizeof text, "%s  %.1f %%", q->config->classes[c].name,
                       100.0 * (double)q->counts[c] / (double)total);
        picture_swatch(picture, x, y, SWATCH, q->config->classes[c].color, text);
        place++;
    }
}

Err quicklook_write(const Quicklook *q, const char *title, const char *path, bool overwrite, Output **ret_output)
{
    const int64_t inner = q->columns > COLUMN ? q->columns : COLUMN;
    const int64_t columns = inner / COLUMN > 0 ? inner / COLUMN : 1;
    const int64_t lines = (present_classes(q) + columns - 1) / columns;
    const int64_t height = TITLE + q->rows + MARGIN_PIXELS + lines * LINE + MARGIN_PIXELS;
    Picture picture;
    Err err = picture_init(inner + 2 * MARGIN_PIXELS, height, &picture);
    if (err == ERR_NONE) {
        picture_text(&picture, MARGIN_PIXELS, TITLE - 12, 16, title);
        draw_map(q, &picture, MARGIN_PIXELS, TITLE);
        draw_legend(q, &picture, TITLE + q->rows + MARGIN_PIXELS, columns);
        err = picture_write(&picture, path, overwrite, ret_output);
    }
    picture_done(&picture);
    return err;
}
