/* SPDX-License-Identifier: Apache-2.0
 * The picture of a map: nearest pixels at a reduced size, and a legend of the classes that occur with their shares. */
#include "predict/predictor.h"

#include "base/file.h"
#include "base/str.h"

#include <cairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1600, MARGIN_PIXELS = 16, LINE = 22, COLUMN = 400, SWATCH = 14, TITLE = 34, NO_CLASS = 255 };

struct Quicklook {
    const ModelConfig *config;
    int64_t width, height;     /* of the map */
    int64_t columns, rows;     /* of the picture of the map */
    uint8_t *classes;          /* [rows, columns] */
    int64_t counts[256];       /* of the picture's pixels */
};

Err quicklook_new(const ModelConfig *config, int64_t width, int64_t height, Quicklook **ret_quicklook)
{
    Quicklook *const q = calloc(1, sizeof *q);
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

void quicklook_rows(Quicklook *q, int64_t first, int64_t rows, const uint8_t *classes)
{
    for (int64_t r = first * q->rows / q->height; r < q->rows; r++) {
        const int64_t source = nearest(r, q->height, q->rows);
        if (source < first) continue;
        if (source >= first + rows) break;
        for (int64_t c = 0; c < q->columns; c++) {
            const uint8_t k = classes[(source - first) * q->width + nearest(c, q->width, q->columns)];
            q->classes[r * q->columns + c] = k;
            q->counts[k]++;
        }
    }
}

static void set_color(cairo_t *cr, uint32_t rgb)
{
    cairo_set_source_rgb(cr, (double)(rgb >> 16 & 255U) / 255.0, (double)(rgb >> 8 & 255U) / 255.0,
                         (double)(rgb & 255U) / 255.0);
}

static void draw_map(const Quicklook *q, cairo_surface_t *surface, int64_t left, int64_t top)
{
    cairo_surface_flush(surface);
    unsigned char *const data = cairo_image_surface_get_data(surface);
    const int64_t stride = cairo_image_surface_get_stride(surface);
    for (int64_t r = 0; r < q->rows; r++) {
        for (int64_t c = 0; c < q->columns; c++) {
            const uint8_t k = q->classes[r * q->columns + c];
            const uint32_t rgb = k == NO_CLASS ? 0xffffffU : q->config->classes[k].color;
            memcpy(data + (top + r) * stride + (left + c) * 4, &rgb, sizeof rgb);
        }
    }
    cairo_surface_mark_dirty(surface);
}

static int64_t present_classes(const Quicklook *q)
{
    int64_t n = 0;
    for (int32_t c = 0; c < q->config->n_classes; c++) n += q->counts[c] > 0;
    return n;
}

static void draw_legend(const Quicklook *q, cairo_t *cr, int64_t top, int64_t columns)
{
    const int64_t n = present_classes(q);
    const int64_t lines = (n + columns - 1) / columns;
    int64_t total = 0;
    for (int32_t c = 0; c < q->config->n_classes; c++) total += q->counts[c];
    int64_t place = 0;
    for (int32_t c = 0; c < q->config->n_classes; c++) {
        if (q->counts[c] == 0) continue;
        const double x = (double)(MARGIN_PIXELS + place / lines * COLUMN);
        const double y = (double)(top + place % lines * LINE);
        set_color(cr, q->config->classes[c].color);
        cairo_rectangle(cr, x, y, SWATCH, SWATCH);
        cairo_fill_preserve(cr);
        cairo_set_source_rgb(cr, 0.4, 0.4, 0.4);
        cairo_set_line_width(cr, 0.5);
        cairo_stroke(cr);
        char text[160];
        (void)snprintf(text, sizeof text, "%s  %.1f %%", q->config->classes[c].name,
                       100.0 * (double)q->counts[c] / (double)total);
        cairo_set_source_rgb(cr, 0.1, 0.1, 0.1);
        cairo_move_to(cr, x + SWATCH + 8, y + SWATCH - 2);
        cairo_show_text(cr, text);
        place++;
    }
}

typedef struct PngBytes {
    Str bytes;
} PngBytes;

static cairo_status_t append_png(void *context, const unsigned char *data, unsigned int length)
{
    str_add_bytes(&((PngBytes *)context)->bytes, (const char *)data, length);
    return CAIRO_STATUS_SUCCESS;
}

static Err write_surface(cairo_surface_t *surface, const char *path, bool overwrite)
{
    PngBytes png = { 0 };
    if (cairo_surface_write_to_png_stream(surface, append_png, &png) != CAIRO_STATUS_SUCCESS) {
        str_done(&png.bytes);
        return err_set(ERR_INTERNAL, "'%s': the picture cannot be encoded", path);
    }
    const size_t length = png.bytes.length;
    char *bytes = NULL;
    TRY(str_take(&png.bytes, &bytes));
    const Err code = file_write(path, bytes, length, overwrite);
    free(bytes);
    return code;
}

Err quicklook_write(const Quicklook *q, const char *title, const char *path, bool overwrite)
{
    const int64_t inner = q->columns > COLUMN ? q->columns : COLUMN;
    const int64_t columns = inner / COLUMN > 0 ? inner / COLUMN : 1;
    const int64_t lines = (present_classes(q) + columns - 1) / columns;
    const int64_t width = inner + 2 * MARGIN_PIXELS;
    const int64_t height = TITLE + q->rows + MARGIN_PIXELS + lines * LINE + MARGIN_PIXELS;
    cairo_surface_t *const surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    cairo_t *const cr = cairo_create(surface);
    Err code = ERR_NONE;
    if (cairo_status(cr) != CAIRO_STATUS_SUCCESS) {
        code = err_memory((unsigned long long)(width * height * 4), "the quicklook");
    } else {
        cairo_set_source_rgb(cr, 1, 1, 1);
        cairo_paint(cr);
        cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
        cairo_set_font_size(cr, 16);
        cairo_set_source_rgb(cr, 0.1, 0.1, 0.1);
        cairo_move_to(cr, MARGIN_PIXELS, TITLE - 12);
        cairo_show_text(cr, title);
        cairo_set_font_size(cr, 13);
        draw_map(q, surface, MARGIN_PIXELS, TITLE);
        draw_legend(q, cr, TITLE + q->rows + MARGIN_PIXELS, columns);
        code = write_surface(surface, path, overwrite);
    }
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    return code;
}
