/* SPDX-License-Identifier: Apache-2.0
 * Image, map and labels in one picture. */
#include "side_by_side.h"

#include "geo/georeference.h"
#include "predict/picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDEST = 1000, /* quarter, pixels; the sizes below are for it */
    NARROWEST = 200,
    GAP = 24,    /* between quarters */
    EDGE = 16,   /* around all */
    TITLE = 44,  /* above a quarter */
    SAMPLES = 4, /* along each side of a pixel of the picture */
    VALUES = 256,
    NOTHING = 255
};
static const uint32_t white = 0xffffffU;
static const double title_size = 30.0, largest_legend_size = 28.0, note_size = 24.0;

/* A class raster as it is sampled. */
typedef struct Layer {
    Raster *raster;
    Georeference *place;
    bool own_pixels; /* this is the map itself: positions need no transformation */
    double *x, *y;   /* of the samples of one row of the picture, in the raster's pixels */
    float *values;
    uint8_t *valid;
    int64_t capacity; /* pixels of values and valid */
} Layer;

typedef struct Drawing {
    const SideBySide *what;
    Raster *image;
    Layer map, labels;
    int64_t columns, rows; /* of a quarter */
    double scale;          /* of everything else: columns / WIDEST */
    bool present[VALUES];  /* classes that occur in either */
    Picture picture;
} Drawing;

static int64_t scaled(const Drawing *d, int64_t pixels) { return llround((double)pixels * d->scale); }

static Err layer_open(const char *path, const char *crs, int64_t columns, Layer *layer)
{
    const size_t samples = (size_t)(columns * SAMPLES * SAMPLES);
    TRY(raster_open(path, NULL, &layer->raster));
    TRY(raster_choose_bands(layer->raster, "1", 1, NULL));
    TRY(georeference_open(layer->raster, crs, &layer->place));
    if (georeference_kind(layer->place) == GEOREFERENCE_NONE)
        return err_set(ERR_INPUT, "'%s': its place is unknown (%s); a comparison needs it", path,
                       georeference_note(layer->place));
    layer->x = malloc(samples * sizeof *layer->x);
    layer->y = malloc(samples * sizeof *layer->y);
    if (layer->x == NULL || layer->y == NULL) return err_memory(2 * samples * sizeof *layer->x, "positions");
    return ERR_NONE;
}

static void layer_close(Layer *layer)
{
    raster_close(layer->raster);
    georeference_free(layer->place);
    free(layer->x);
    free(layer->y);
    free(layer->values);
    free(layer->valid);
}

static Err open_all(Drawing *d)
{
    const SideBySide *what = d->what;
    TRY(raster_open(what->image, NULL, &d->image));
    TRY(raster_choose_bands(d->image, "1,2,3", 3, NULL));
    const RasterInfo *info = raster_info(d->image);
    if (strcmp(info->type, "Byte") != 0)
        return err_set(ERR_INPUT, "'%s': its values are %s; only an image of Bytes can be shown", what->image,
                       info->type);
    d->columns = what->width == 0 ? WIDEST : what->width;
    if (d->columns < NARROWEST || d->columns > WIDEST)
        return err_set(ERR_ARGUMENT, "width %lld is outside %d..%d", (long long)what->width, (int)NARROWEST,
                       (int)WIDEST);
    d->scale = (double)d->columns / WIDEST;
    d->rows = (int64_t)fmax(1.0, round((double)d->columns * (double)info->height / (double)info->width));
    if (d->rows > 8 * WIDEST)
        return err_set(ERR_INPUT, "'%s': %lld x %lld pixels are too narrow for a picture", what->image,
                       (long long)info->width, (long long)info->height);
    TRY(raster_set_grid(d->image, d->columns, d->rows));
    TRY(layer_open(what->map, NULL, d->columns, &d->map));
    TRY(layer_open(what->labels, what->labels_crs, d->columns, &d->labels));
    d->map.own_pixels = true;
    if (!raster_info(d->map.raster)->has_palette)
        return err_set(ERR_INPUT, "'%s': it has no palette, so the classes have no colours", what->map);
    const int64_t borders = 2 * scaled(d, EDGE) + scaled(d, GAP);
    return picture_init(borders + 2 * d->columns, borders + 2 * (scaled(d, TITLE) + d->rows), &d->picture);
}

static void close_all(Drawing *d)
{
    raster_close(d->image);
    layer_close(&d->map);
    layer_close(&d->labels);
    picture_done(&d->picture);
}

/* ---- the image ---- */

static Err draw_image(const Drawing *d, int64_t left, int64_t top)
{
    float values[WIDEST * 3];
    uint8_t valid[WIDEST];
    uint32_t colors[WIDEST];
    for (int64_t r = 0; r < d->rows; r++) {
        TRY(raster_read(d->image, (RasterWindow){ .y = r, .columns = d->columns, .rows = 1 }, values, valid));
        for (int64_t c = 0; c < d->columns; c++) {
            uint32_t rgb = 0;
            for (int64_t b = 0; b < 3; b++) rgb = rgb << 8 | (uint32_t)lroundf(fminf(fmaxf(values[3 * c + b], 0), 255));
            colors[c] = valid[c] != 0 ? rgb : white;
        }
        picture_pixels(&d->picture, left, top + r, d->columns, colors);
    }
    return ERR_NONE;
}

/* ---- classes ---- */

/* Positions of the samples of picture row r, column by column, in the layer's own pixels. */
static void locate(const Drawing *d, const Layer *layer, int64_t r)
{
    const double per_column = (double)raster_width(d->map.raster) / (double)d->columns;
    const double per_row = (double)raster_height(d->map.raster) / (double)d->rows;
    int64_t n = 0;
    for (int64_t c = 0; c < d->columns; c++) {
        for (int64_t s = 0; s < SAMPLES * SAMPLES; s++, n++) {
            layer->x[n] = ((double)c + ((double)(s % SAMPLES) + 0.5) / SAMPLES) * per_column;
            layer->y[n] = ((double)r + ((double)(s / SAMPLES) + 0.5) / SAMPLES) * per_row;
        }
    }
    if (layer->own_pixels) return;
    georeference_to_lonlat(d->map.place, n, layer->x, layer->y);
    georeference_to_pixel(layer->place, n, layer->x, layer->y);
}

static bool on_raster(const Layer *layer, int64_t n)
{
    return layer->x[n] >= 0.0 && layer->x[n] < (double)raster_width(layer->raster) && layer->y[n] >= 0.0 &&
           layer->y[n] < (double)raster_height(layer->raster);
}

/* The part of the raster that the samples touch, read into values and valid; no rows: they touch nothing. */
static Err read_part(Layer *layer, int64_t samples, RasterWindow *ret_window)
{
    double x0 = HUGE_VAL;
    double x1 = -1.0;
    double y0 = HUGE_VAL;
    double y1 = -1.0;
    for (int64_t n = 0; n < samples; n++) {
        if (!on_raster(layer, n)) continue;
        x0 = fmin(x0, floor(layer->x[n]));
        x1 = fmax(x1, floor(layer->x[n]));
        y0 = fmin(y0, floor(layer->y[n]));
        y1 = fmax(y1, floor(layer->y[n]));
    }
    *ret_window = (RasterWindow){ 0 };
    if (x1 < 0.0) return ERR_NONE;
    *ret_window = (RasterWindow){ (int64_t)x0, (int64_t)y0, (int64_t)(x1 - x0) + 1, (int64_t)(y1 - y0) + 1 };
    const int64_t pixels = ret_window->columns * ret_window->rows;
    if (pixels > layer->capacity) {
        free(layer->values);
        free(layer->valid);
        layer->values = malloc((size_t)pixels * sizeof *layer->values);
        layer->valid = malloc((size_t)pixels);
        layer->capacity = pixels;
        if (layer->values == NULL || layer->valid == NULL) return err_memory((size_t)pixels * 5, "rows of classes");
    }
    return raster_read(layer->raster, *ret_window, layer->values, layer->valid);
}

static uint8_t class_at(const Layer *layer, const RasterWindow *w, int64_t n)
{
    if (w->rows == 0 || !on_raster(layer, n)) return NOTHING;
    const int64_t at = ((int64_t)layer->y[n] - w->y) * w->columns + (int64_t)layer->x[n] - w->x;
    const float value = layer->values[at];
    return layer->valid[at] != 0 && value >= 0 && value < NOTHING ? (uint8_t)value : NOTHING;
}

/* The commonest class of the samples of one pixel; of equals the one met first. */
static uint8_t commonest(const Layer *layer, const RasterWindow *w, int64_t first)
{
    uint8_t counts[VALUES] = { 0 };
    uint8_t best = class_at(layer, w, first);
    for (int64_t n = first; n < first + SAMPLES * SAMPLES; n++) {
        const uint8_t value = class_at(layer, w, n);
        counts[value]++;
        if (counts[value] > counts[best]) best = value;
    }
    return best;
}

/* The colour of a class of the map. A palette has an entry for every value, so the names tell which are classes. */
static bool map_color(const Drawing *d, int64_t value, uint32_t *ret_rgb)
{
    return raster_class_name(d->map.raster, value)[0] != '\0' && raster_class_color(d->map.raster, value, ret_rgb);
}

static Err draw_classes(Drawing *d, Layer *layer, int64_t left, int64_t top)
{
    uint32_t colors[WIDEST];
    for (int64_t r = 0; r < d->rows; r++) {
        RasterWindow window;
        locate(d, layer, r);
        TRY(read_part(layer, d->columns * SAMPLES * SAMPLES, &window));
        for (int64_t c = 0; c < d->columns; c++) {
            const uint8_t value = commonest(layer, &window, c * SAMPLES * SAMPLES);
            colors[c] = white;
            if (value == NOTHING || !map_color(d, value, &colors[c])) continue;
            d->present[value] = true;
        }
        picture_pixels(&d->picture, left, top + r, d->columns, colors);
    }
    return ERR_NONE;
}

/* ---- outlines, titles, legend ---- */

/* Outline of a box of degrees, as a path of the quarter at (left, top). */
static void outline(const Drawing *d, const double box[4], double left, double top)
{
    enum { STEPS = 16 };
    const double corners[5][2] = {
        { box[0], box[1] }, { box[2], box[1] }, { box[2], box[3] }, { box[0], box[3] }, { box[0], box[1] }
    };
    cairo_t *cr = d->picture.cr;
    for (int64_t side = 0; side < 4; side++) {
        for (int64_t s = 0; s < STEPS; s++) {
            const double t = (double)s / STEPS;
            double x = corners[side][0] + t * (corners[side + 1][0] - corners[side][0]);
            double y = corners[side][1] + t * (corners[side + 1][1] - corners[side][1]);
            georeference_to_pixel(d->map.place, 1, &x, &y);
            if (!isfinite(x) || !isfinite(y)) continue;
            cairo_line_to(cr, left + x * (double)d->columns / (double)raster_width(d->map.raster),
                          top + y * (double)d->rows / (double)raster_height(d->map.raster));
        }
    }
    cairo_close_path(cr);
}

/* Title above a quarter, a frame and the boxes on it. */
static void dress(const Drawing *d, const char *title, int64_t left, int64_t top)
{
    cairo_t *cr = d->picture.cr;
    picture_text(&d->picture, (double)left, (double)top - 12.0 * d->scale, title_size * d->scale, title);
    cairo_save(cr);
    cairo_rectangle(cr, (double)left, (double)top, (double)d->columns, (double)d->rows);
    cairo_clip(cr);
    cairo_set_line_width(cr, 3.0 * d->scale);
    for (int64_t i = 0; i < d->what->n_boxes; i++) {
        outline(d, d->what->boxes[i], (double)left, (double)top);
        picture_color(&d->picture, white);
        cairo_set_dash(cr, NULL, 0, 0.0);
        cairo_stroke_preserve(cr);
        picture_color(&d->picture, 0x000000);
        cairo_set_dash(cr, (const double[]){ 10.0 * d->scale, 10.0 * d->scale }, 2, 0.0);
        cairo_stroke(cr);
    }
    cairo_restore(cr);
}

/* The names in two columns, as large as fits. */
static void draw_legend(const Drawing *d, int64_t left, int64_t top)
{
    int64_t n = 0;
    double widest = 1.0;
    for (int64_t v = 0; v < VALUES; v++) {
        if (!d->present[v]) continue;
        n++;
        widest = fmax(widest, picture_text_width(&d->picture, 100.0, raster_class_name(d->map.raster, v)) / 100.0);
    }
    const int64_t lines = (n + 1) / 2;
    const double column = (double)d->columns / 2.0;
    const double room = (double)d->rows - 2.0 * note_size * d->scale;
    double size = fmin(largest_legend_size * d->scale, (column - 12.0) / (1.6 + 0.93 * widest));
    if (lines > 0) size = fmin(size, room / (1.6 * (double)lines));
    int64_t place = 0;
    for (int64_t v = 0; v < VALUES; v++) {
        uint32_t rgb = white;
        if (!d->present[v] || !map_color(d, v, &rgb)) continue;
        const double x = (double)left + (place < lines ? 0.0 : column);
        const double y = (double)top + (double)(place % lines) * size * 1.6;
        picture_swatch(&d->picture, x, y, size, rgb, raster_class_name(d->map.raster, v));
        place++;
    }
    if (d->what->boxes_note != NULL)
        picture_text(&d->picture, (double)left, (double)(top + d->rows) - 8.0 * d->scale, note_size * d->scale,
                     d->what->boxes_note);
}

static Err draw(Drawing *d)
{
    const SideBySide *what = d->what;
    TRY(open_all(d));
    const int64_t left = scaled(d, EDGE);
    const int64_t right = left + d->columns + scaled(d, GAP);
    const int64_t upper = left + scaled(d, TITLE);
    const int64_t lower = upper + d->rows + scaled(d, GAP) + scaled(d, TITLE);
    TRY(draw_image(d, left, upper));
    TRY(draw_classes(d, &d->map, right, upper));
    TRY(draw_classes(d, &d->labels, right, lower));
    dress(d, what->image_title != NULL ? what->image_title : "image", left, upper);
    dress(d, what->map_title != NULL ? what->map_title : "map", right, upper);
    dress(d, what->labels_title != NULL ? what->labels_title : "labels", right, lower);
    draw_legend(d, left, lower);
    return ERR_NONE;
}

Err side_by_side_write(const SideBySide *comparison, const char *path, bool overwrite)
{
    Drawing drawing = { .what = comparison };
    Err err = draw(&drawing);
    Output *output = NULL;
    if (err == ERR_NONE) err = picture_write(&drawing.picture, path, overwrite, &output);
    if (err == ERR_NONE) err = output_publish(output);
    output_close(output);
    close_all(&drawing);
    return err;
}
