/* SPDX-License-Identifier: Apache-2.0
 * Counting block by block: classes of the truth, their pixels in the map, the values there. */
#include "eval/eval_page.h"
#include "eval/eval_windows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_COLUMNS = EVAL_BLOCK_WINDOWS * EVAL_WINDOW,
    BLOCK_ROWS = EVAL_WINDOW,
    BLOCK_PIXELS = BLOCK_COLUMNS * BLOCK_ROWS,
    MAP_PIXELS = 1 << 22, /* most of the map that is read at once, unless one pixel asks for it */
    CACHE_LEAST = 32 << 20,
    CACHE_MOST = 256 << 20,
    NO_LABEL = INT32_MIN
};

/* Whole numbers that a float holds exactly. */
static const float largest_value = 16777216.0F;

/* Buffers of one block of the truth, [rows][columns]. */
struct EvalBlocks {
    RasterWindow window;
    float *values;
    uint8_t *valid;
    int32_t *label;        /* class of the truth, NO_LABEL */
    int32_t *column, *row; /* in the map, -1 outside */
    double *x, *y;         /* positions; NULL until they are needed */
    uint8_t *zone;         /* NULL without zones */
    float *map_values;
    uint8_t *map_valid;
    int64_t map_capacity;
};

/* A part of a block. */
typedef struct Part {
    int64_t column, row, columns, rows;
} Part;

/* Pixels that follow each other and say the same. */
typedef struct Streak {
    int32_t truth, prediction;
    bool covered;
    uint8_t zone;
    int64_t n;
} Streak;

static void blocks_free(EvalBlocks *b)
{
    free(b->values);
    free(b->valid);
    free(b->label);
    free(b->column);
    free(b->row);
    free(b->x);
    free(b->y);
    free(b->zone);
    free(b->map_values);
    free(b->map_valid);
}

static Err blocks_init(EvalBlocks *b, const Comparison *c)
{
    const size_t n = BLOCK_PIXELS;
    *b = (EvalBlocks){ 0 };
    b->values = malloc(n * (c->by_colors ? 3 : 1) * sizeof *b->values);
    b->valid = malloc(n);
    b->label = calloc(n, sizeof *b->label);
    b->column = calloc(n, sizeof *b->column);
    b->row = calloc(n, sizeof *b->row);
    b->zone = c->climate != NULL ? malloc(n) : NULL;
    const bool positions = c->lonlat != NULL || (c->lookup != NULL && !place_lookup_is_affine(c->lookup, NULL));
    b->x = positions ? malloc(n * sizeof *b->x) : NULL;
    b->y = positions ? malloc(n * sizeof *b->y) : NULL;
    if (b->values == NULL || b->valid == NULL || b->label == NULL || b->column == NULL || b->row == NULL ||
        (c->climate != NULL && b->zone == NULL) || (positions && (b->x == NULL || b->y == NULL)))
        return err_memory(n * 40, "a block of the reference");
    return ERR_NONE;
}

/* ---- the truth ---- */

static bool inside(const MetasegEvalOptions *o, double lon, double lat)
{
    for (int64_t i = 0; i < o->n_boxes; i++) {
        const MetasegBox *box = &o->boxes[i];
        if (lat < box->south || lat > box->north) continue;
        if (geo_longitudes_meet(lon, lon, box->west, box->east)) return true;
    }
    return o->n_boxes == 0;
}

static PlaceWindow pixels_of(RasterWindow w)
{
    return (PlaceWindow){ .x = (double)w.x + 0.5,
                          .y = (double)w.y + 0.5,
                          .step_x = 1.0,
                          .step_y = 1.0,
                          .columns = w.columns,
                          .rows = w.rows };
}

/* Marks what lies outside the boxes as NO_LABEL and looks the zones up. False when nothing is left. */
static Err choose_pixels(Comparison *c, EvalBlocks *b, bool *ret_any)
{
    const int64_t n = b->window.columns * b->window.rows;
    *ret_any = true;
    memset(b->label, 0, (size_t)n * sizeof *b->label);
    if (c->lonlat == NULL) return ERR_NONE;
    const PlaceWindow w = pixels_of(b->window);
    TRY(place_lookup_window(c->lonlat, &w, b->x, b->y));
    *ret_any = false;
    for (int64_t i = 0; i < n; i++) {
        if (!inside(c->options, b->x[i], b->y[i])) {
            b->label[i] = NO_LABEL;
            continue;
        }
        *ret_any = true;
        if (b->zone != NULL) b->zone[i] = (uint8_t)climate_zone_at(c->climate, b->x[i], b->y[i]);
    }
    return ERR_NONE;
}

/* The class that a value names. */
static Err read_class(const Raster *raster, float value, int64_t column, int64_t row, int32_t *ret_class)
{
    if (fabsf(value) >= largest_value)
        return err_set(ERR_INPUT,
                       "'%s': pixel (%lld, %lld) holds %.0f; class values are whole numbers between -16777216 and "
                       "16777216",
                       raster_path(raster), (long long)column, (long long)row, (double)value);
    const int32_t whole = (int32_t)value;
    if ((float)whole != value)
        return err_set(ERR_INPUT, "'%s': pixel (%lld, %lld) holds %g; expected class values, which are whole numbers",
                       raster_path(raster), (long long)column, (long long)row, (double)value);
    *ret_class = whole;
    return ERR_NONE;
}

static Err read_labels(Comparison *c, EvalBlocks *b)
{
    const RasterWindow w = b->window;
    TRY(raster_read(c->truth, w, b->values, b->valid));
    if (c->by_colors) raster_colors_values(&c->colors, w.columns * w.rows, b->values, b->values);
    for (int64_t i = 0; i < w.columns * w.rows; i++) {
        const int64_t column = w.x + i % w.columns, row = w.y + i / w.columns;
        if (b->label[i] == NO_LABEL) continue;
        if (b->valid[i] == 0 || (c->by_colors && !eval_colors_take(c, b->values[i], column, row))) {
            b->label[i] = NO_LABEL;
            continue;
        }
        TRY(read_class(c->truth, b->values[i], column, row, &b->label[i]));
        b->label[i] = eval_mapped_truth(c->options, b->label[i]);
        if (b->label[i] != c->options->ignore) continue;
        b->label[i] = NO_LABEL;
        c->ignored++;
    }
    return ERR_NONE;
}

/* ---- where it lies in the map ---- */

static void find_separately(const double m[6], int64_t width, int64_t height, EvalBlocks *b)
{
    const RasterWindow w = b->window;
    for (int64_t k = 0; k < w.columns; k++)
        b->column[k] = (int32_t)place_index(m[0] + m[1] * ((double)(w.x + k) + 0.5), width);
    for (int64_t r = 0; r < w.rows; r++) {
        const int32_t row = (int32_t)place_index(m[3] + m[5] * ((double)(w.y + r) + 0.5), height);
        if (r > 0) memcpy(b->column + r * w.columns, b->column, (size_t)w.columns * sizeof *b->column);
        for (int64_t k = 0; k < w.columns; k++) b->row[r * w.columns + k] = row;
    }
}

/* Pixel of the map under each pixel of the block. */
static Err find_pixels(const Comparison *c, EvalBlocks *b)
{
    static const double same[6] = { 0.0, 1.0, 0.0, 0.0, 0.0, 1.0 };
    const int64_t width = raster_width(c->map), height = raster_height(c->map);
    double m[6];
    memcpy(m, same, sizeof m);
    const bool affine = c->lookup == NULL || place_lookup_is_affine(c->lookup, m);
    if (affine && m[2] == 0.0 && m[4] == 0.0) {
        find_separately(m, width, height, b);
        return ERR_NONE;
    }
    const PlaceWindow w = pixels_of(b->window);
    if (b->x == NULL) {
        b->x = malloc(BLOCK_PIXELS * sizeof *b->x);
        b->y = malloc(BLOCK_PIXELS * sizeof *b->y);
        if (b->x == NULL || b->y == NULL) return err_memory(2 * BLOCK_PIXELS * sizeof *b->x, "positions in the map");
    }
    TRY(place_lookup_window(c->lookup, &w, b->x, b->y));
    for (int64_t i = 0; i < w.columns * w.rows; i++) {
        b->column[i] = (int32_t)place_index(b->x[i], width);
        b->row[i] = (int32_t)place_index(b->y[i], height);
    }
    return ERR_NONE;
}

/* The part of the map that the labelled pixels of a part of the block lie in; columns 0: none. */
static RasterWindow needed(const EvalBlocks *b, Part part)
{
    int32_t x0 = INT32_MAX, x1 = -1, y0 = INT32_MAX, y1 = -1;
    for (int64_t r = part.row; r < part.row + part.rows; r++) {
        for (int64_t k = part.column; k < part.column + part.columns; k++) {
            const int64_t i = r * b->window.columns + k;
            const int32_t x = b->column[i], y = b->row[i];
            if (b->label[i] == NO_LABEL || x < 0 || y < 0) continue;
            if (x < x0) x0 = x;
            if (x > x1) x1 = x;
            if (y < y0) y0 = y;
            if (y > y1) y1 = y;
        }
    }
    if (x1 < 0) return (RasterWindow){ 0 };
    return (RasterWindow){ .x = x0, .y = y0, .columns = (int64_t)x1 - x0 + 1, .rows = (int64_t)y1 - y0 + 1 };
}

/* ---- counting ---- */

static Err end_streak(Comparison *c, Streak *s)
{
    if (s->n == 0) return ERR_NONE;
    ValueCounts *const counts[2] = { c->all, c->climate != NULL ? c->zones[s->zone] : NULL };
    for (int i = 0; i < 2 && counts[i] != NULL; i++)
        TRY(s->covered ? value_counts_add(counts[i], s->truth, s->prediction, s->n)
                       : value_counts_add_uncovered(counts[i], s->truth, s->n));
    s->n = 0;
    return ERR_NONE;
}

static Err extend_streak(Comparison *c, Streak *s, Streak pixel)
{
    if (pixel.truth == s->truth && pixel.prediction == s->prediction && pixel.covered == s->covered &&
        pixel.zone == s->zone) {
        s->n++;
        return ERR_NONE;
    }
    TRY(end_streak(c, s));
    if (c->climate != NULL && c->zones[pixel.zone] == NULL)
        TRY(value_counts_new(c->options->exclude, c->options->n_exclude, false, &c->zones[pixel.zone]));
    *s = pixel;
    s->n = 1;
    return ERR_NONE;
}

/* What a value of the map is in the reference. */
static Err map_class(const Comparison *c, int32_t *value)
{
    const MetasegEvalOptions *o = c->options;
    for (int64_t i = 0; i < o->n_mapping; i++) {
        if (o->mapping[i].from != *value) continue;
        *value = o->mapping[i].to;
        return ERR_NONE;
    }
    if (o->n_mapping == 0) return ERR_NONE;
    return err_set(ERR_INPUT,
                   "'%s': holds the value %d, of which the mapping does not tell what it is in the reference",
                   raster_path(c->map), (int)*value);
}

/* Compares a part of the block with the window `w` of the map that was read. */
static Err count_part(Comparison *c, const EvalBlocks *b, Part part, RasterWindow w)
{
    Streak streak = { .truth = NO_LABEL };
    int64_t *small = c->climate == NULL ? value_counts_small(c->all) : NULL;
    for (int64_t r = part.row; r < part.row + part.rows; r++) {
        for (int64_t k = part.column; k < part.column + part.columns; k++) {
            const int64_t i = r * b->window.columns + k;
            if (b->label[i] == NO_LABEL) continue;
            Streak pixel = { .truth = b->label[i], .zone = b->zone != NULL ? b->zone[i] : 0 };
            if (b->column[i] >= 0 && b->row[i] >= 0) {
                const int64_t at = (b->row[i] - w.y) * w.columns + b->column[i] - w.x;
                pixel.covered = b->map_valid[at] != 0;
                if (pixel.covered) {
                    TRY(read_class(c->map, b->map_values[at], b->column[i], b->row[i], &pixel.prediction));
                    TRY(map_class(c, &pixel.prediction));
                }
            }
            if (c->page != NULL)
                eval_page_pixel(c->page, b->window.x + k, b->window.y + r, pixel.truth, pixel.covered,
                                pixel.prediction);
            if (small != NULL && pixel.covered && pixel.truth >= 0 && pixel.truth < VALUE_COUNTS_SMALL &&
                pixel.prediction >= 0 && pixel.prediction < VALUE_COUNTS_SMALL)
                small[pixel.truth * VALUE_COUNTS_SMALL + pixel.prediction]++;
            else
                TRY(extend_streak(c, &streak, pixel));
        }
    }
    return end_streak(c, &streak);
}

static Err read_map(const Comparison *c, EvalBlocks *b, RasterWindow w)
{
    const int64_t n = w.columns * w.rows;
    if (n > b->map_capacity) {
        free(b->map_values);
        free(b->map_valid);
        b->map_values = malloc((size_t)n * sizeof *b->map_values);
        b->map_valid = malloc((size_t)n);
        b->map_capacity = b->map_values != NULL && b->map_valid != NULL ? n : 0;
        if (b->map_capacity == 0) return err_memory((size_t)n * 5, "a part of the map");
    }
    return raster_read(c->map, w, b->map_values, b->map_valid);
}

/* Part by part: where a part needs too much of the map at once (a finer map, the two sides of the date line) it is
 * halved, rows first, so that thin windows are read. */
static Err compare_part(Comparison *c, EvalBlocks *b, Part part)
{
    const RasterWindow w = needed(b, part);
    if (w.columns * w.rows > MAP_PIXELS && part.rows * part.columns > 1) {
        Part first = part, second = part;
        if (part.rows > 1) {
            first.rows = part.rows / 2;
            second.row += first.rows;
            second.rows -= first.rows;
        } else {
            first.columns = part.columns / 2;
            second.column += first.columns;
            second.columns -= first.columns;
        }
        TRY(compare_part(c, b, first));
        return compare_part(c, b, second);
    }
    if (w.columns > 0) TRY(read_map(c, b, w));
    return count_part(c, b, part, w);
}

static Err compare_block(Comparison *c, EvalBlocks *b)
{
    bool any = false;
    TRY(choose_pixels(c, b, &any));
    if (!any) return ERR_NONE;
    TRY(read_labels(c, b));
    TRY(find_pixels(c, b));
    if (c->page != NULL) eval_page_block(c->page, b->window);
    TRY(compare_part(c, b, (Part){ .columns = b->window.columns, .rows = b->window.rows }));
    return c->page != NULL ? eval_page_block_end(c->page, c) : ERR_NONE;
}

/* Blocks of a strip of rows come from left to right: what the file stores in whole rows should be decoded once. */
static void set_cache(const Comparison *c)
{
    const double bytes = 8.0 * BLOCK_ROWS * (double)(raster_width(c->truth) + raster_width(c->map));
    raster_set_cache_bytes(bytes < CACHE_LEAST ? CACHE_LEAST : bytes > CACHE_MOST ? CACHE_MOST : (int64_t)bytes);
}

static Err compare_blocks(Comparison *c, EvalBlocks *b)
{
    const int64_t width = raster_width(c->truth), height = raster_height(c->truth);
    for (int64_t y = 0; y < height; y += BLOCK_ROWS) {
        const int64_t rows = height - y < BLOCK_ROWS ? height - y : BLOCK_ROWS;
        for (int64_t x = 0; x < width; x += BLOCK_COLUMNS) {
            if (c->run != NULL && c->run->stop != NULL && *c->run->stop != 0)
                return err_set(ERR_INTERRUPTED, "stopped; nothing was written");
            const int64_t columns = width - x < BLOCK_COLUMNS ? width - x : BLOCK_COLUMNS;
            b->window = (RasterWindow){ .x = x, .y = y, .columns = columns, .rows = rows };
            TRY(compare_block(c, b));
        }
        if (c->run != NULL && c->run->progress != NULL) c->run->progress(c->run->context, y + rows, height, NULL);
    }
    return ERR_NONE;
}

Err eval_count(Comparison *c)
{
    EvalBlocks b;
    set_cache(c);
    Err err = blocks_init(&b, c);
    if (err == ERR_NONE) err = compare_blocks(c, &b);
    blocks_free(&b);
    return err;
}
