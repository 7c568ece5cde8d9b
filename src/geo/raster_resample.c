/* SPDX-License-Identifier: Apache-2.0
 * A raster on a grid of another ground sampling distance: input rows stream through, each is reduced along x, then
 * added to the output rows it touches. Invalid pixels have weight 0; an output pixel is valid when at least half of its
 * weight is. */
#include "geo/raster.h"
#include "geo/raster_internal.h"
#include "geo/resample.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SCALE = 64, STRIP_SAMPLES = 1 << 20 };

/* Buffers of one resampled window. */
typedef struct Resampling {
    RasterWindow window;                            /* output */
    int64_t bands, taps;                            /* taps: most input columns of an output column */
    int64_t first_column, columns, first_row, rows; /* input span */
    int64_t *tap_first, *tap_count;                 /* [window.columns], relative to first_column */
    float *tap_weight;                              /* [window.columns][taps] */
    int64_t strip_rows;
    float *strip;            /* [strip_rows][columns][bands] */
    uint8_t *strip_valid;    /* [strip_rows][columns] */
    float *row, *row_weight; /* [window.columns][bands], [window.columns] */
    float *weight;           /* [window.rows][window.columns] */
} Resampling;

int64_t raster_width(const Raster *raster) { return raster->width; }

int64_t raster_height(const Raster *raster) { return raster->height; }

Err raster_set_grid(Raster *raster, int64_t width, int64_t height)
{
    const int64_t own_width = raster->info.width, own_height = raster->info.height;
    if (width > INT32_MAX / 2 || height > INT32_MAX / 2)
        return err_set(ERR_INPUT, "'%s': %lld x %lld pixels are read on no grid of %lld x %lld; at most %d either way",
                       raster->path, (long long)own_width, (long long)own_height, (long long)width, (long long)height,
                       INT32_MAX / 2);
    if (width < 1 || height < 1 || width > own_width * MAX_SCALE || height > own_height * MAX_SCALE ||
        own_width > width * MAX_SCALE || own_height > height * MAX_SCALE)
        return err_set(
            ERR_ARGUMENT,
            "'%s': %lld x %lld pixels cannot be resampled to %lld x %lld; each axis may change by at most %d times",
            raster->path, (long long)own_width, (long long)own_height, (long long)width, (long long)height, MAX_SCALE);
    raster->width = width;
    raster->height = height;
    return ERR_NONE;
}

static void resampling_done(Resampling *r)
{
    free(r->tap_first);
    free(r->tap_count);
    free(r->tap_weight);
    free(r->strip);
    free(r->strip_valid);
    free(r->row);
    free(r->row_weight);
    free(r->weight);
}

static Err resampling_init(Resampling *r, const Raster *raster, RasterWindow window)
{
    const int64_t from = raster->info.width, to = raster->width;
    int64_t last = 0;
    *r = (Resampling){ .window = window, .bands = raster->chosen_count, .taps = from / to + 3 };
    resample_span(from, to, window.x, window.columns, &r->first_column, &last);
    r->columns = last - r->first_column + 1;
    resample_span(raster->info.height, raster->height, window.y, window.rows, &r->first_row, &last);
    r->rows = last - r->first_row + 1;
    r->strip_rows = STRIP_SAMPLES / (r->columns * r->bands) + 1;
    if (r->strip_rows > r->rows) r->strip_rows = r->rows;
    const size_t columns = (size_t)window.columns, strip = (size_t)(r->strip_rows * r->columns);
    r->tap_first = malloc(columns * sizeof *r->tap_first);
    r->tap_count = calloc(columns, sizeof *r->tap_count);
    r->tap_weight = malloc(columns * (size_t)r->taps * sizeof *r->tap_weight);
    r->strip = malloc(strip * (size_t)r->bands * sizeof *r->strip);
    r->strip_valid = malloc(strip);
    r->row = malloc(columns * (size_t)r->bands * sizeof *r->row);
    r->row_weight = malloc(columns * sizeof *r->row_weight);
    r->weight = calloc(columns * (size_t)window.rows, sizeof *r->weight);
    if (r->tap_first == NULL || r->tap_count == NULL || r->tap_weight == NULL || r->strip == NULL ||
        r->strip_valid == NULL || r->row == NULL || r->row_weight == NULL || r->weight == NULL)
        return err_memory(strip * (size_t)r->bands * sizeof *r->strip, "resampling a window");
    for (int64_t x = 0; x < window.columns; x++) {
        int64_t first = 0;
        resample_span(from, to, window.x + x, 1, &first, &last);
        r->tap_first[x] = first - r->first_column;
        r->tap_count[x] = last - first + 1;
        ASSERT(r->tap_count[x] <= r->taps);
        for (int64_t t = 0; t < r->tap_count[x]; t++)
            r->tap_weight[x * r->taps + t] = (float)resample_weight(from, to, window.x + x, first + t);
    }
    return ERR_NONE;
}

/* row[x] = sum over taps of weight * value of the valid pixels, row_weight[x] the sum of those weights. */
static void reduce_row(Resampling *r, const float *values, const uint8_t *valid)
{
    const int64_t bands = r->bands;
    memset(r->row, 0, (size_t)(r->window.columns * bands) * sizeof *r->row);
    for (int64_t x = 0; x < r->window.columns; x++) {
        const float *weights = r->tap_weight + x * r->taps;
        float *sum = r->row + x * bands;
        float total = 0.0F;
        for (int64_t t = 0; t < r->tap_count[x]; t++) {
            const int64_t i = r->tap_first[x] + t;
            if (!valid[i]) continue;
            total += weights[t];
            for (int64_t b = 0; b < bands; b++) sum[b] += weights[t] * values[i * bands + b];
        }
        r->row_weight[x] = total;
    }
}

static void add_row(Resampling *r, int64_t y, float weight, float *values)
{
    const int64_t columns = r->window.columns;
    float *target = values + y * columns * r->bands, *total = r->weight + y * columns;
    for (int64_t i = 0; i < columns * r->bands; i++) target[i] += weight * r->row[i];
    for (int64_t x = 0; x < columns; x++) total[x] += weight * r->row_weight[x];
}

static void finish(const Resampling *r, float *values, uint8_t *valid)
{
    for (int64_t i = 0; i < r->window.columns * r->window.rows; i++) {
        const float weight = r->weight[i];
        valid[i] = weight >= 0.499F; /* half, less rounding */
        for (int64_t b = 0; b < r->bands; b++) {
            float *value = values + i * r->bands + b;
            *value = valid[i] ? *value / weight : 0.0F;
        }
    }
}

Err raster_read_resampled(Raster *raster, RasterWindow window, float *ret_values, uint8_t *ret_valid)
{
    Resampling r;
    const int64_t from = raster->info.height, to = raster->height;
    Err err = resampling_init(&r, raster, window);
    if (err != ERR_NONE) goto done;
    memset(ret_values, 0, (size_t)(window.columns * window.rows * r.bands) * sizeof *ret_values);
    int64_t oldest = 0; /* first output row that later input rows can touch */
    for (int64_t y = 0; y < r.rows; y += r.strip_rows) {
        const int64_t rows = r.rows - y < r.strip_rows ? r.rows - y : r.strip_rows;
        const RasterWindow strip = { r.first_column, r.first_row + y, r.columns, rows };
        err = raster_read_inside(raster, strip, r.strip, r.strip_valid);
        if (err != ERR_NONE) goto done;
        for (int64_t i = 0; i < rows; i++) {
            const int64_t line = strip.y + i;
            reduce_row(&r, r.strip + i * r.columns * r.bands, r.strip_valid + i * r.columns);
            for (int64_t o = oldest; o < window.rows; o++) {
                int64_t first = 0, last = 0;
                resample_span(from, to, window.y + o, 1, &first, &last);
                if (first > line) break;
                if (last < line) {
                    if (o == oldest) oldest++;
                    continue;
                }
                add_row(&r, o, (float)resample_weight(from, to, window.y + o, line), ret_values);
            }
        }
    }
    finish(&r, ret_values, ret_valid);
done:
    resampling_done(&r);
    return err;
}
