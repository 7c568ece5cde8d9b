/* SPDX-License-Identifier: Apache-2.0
 * Reading windows: values, validity, mirrored borders, error reports. */
#include "geo/gdal_session.h"

#include "base/room.h"
#include "geo/cloud_mask.h"
#include "geo/cutline.h"
#include "geo/raster.h"
#include "geo/raster_internal.h"
#include "geo/raster_valid.h"
#include "geo/read_failure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Finds the first band and row that cannot be read, for the message (window: of the file); only called after a failure. */
static Err report_failure(const Raster *raster, RasterWindow window, const char *reason)
{
    float *row = malloc((size_t)window.columns * sizeof *row);
    int band = 0;
    int64_t line = 0;
    for (int64_t y = window.y; row != NULL && band == 0 && y < window.y + window.rows; y++)
        for (int64_t i = 0; band == 0 && i < raster->chosen_count; i++) {
            line = y;
            if (GDALRasterIO(GDALGetRasterBand(raster->dataset, raster->chosen[i]), GF_Read, (int)window.x, (int)y,
                             (int)window.columns, 1, row, (int)window.columns, 1, GDT_Float32, 0, 0) != CE_None)
                band = raster->chosen[i];
        }
    free(row);
    char what[160];
    if (band == 0) /* the driver filled what is missing */
        (void)snprintf(what, sizeof what, "rows %lld to %lld cannot be read", (long long)window.y,
                       (long long)(window.y + window.rows - 1));
    else if (raster->product != NULL)
        (void)snprintf(what, sizeof what, "its band %s cannot be read at row %lld", raster->bands[band - 1].name,
                       (long long)line);
    else
        (void)snprintf(what, sizeof what, "band %d cannot be read at row %lld", band, (long long)line);
    return read_failure(raster->path, what, reason, raster->files);
}

/* Signed bytes come as 0..255 from GDAL before 3.7. */
static void mend_signs(const Raster *raster, int64_t pixels, float *values)
{
    const int64_t bands = raster->chosen_count;
    for (int64_t b = 0; b < bands; b++)
        for (int64_t i = 0; raster->bands[raster->chosen[b] - 1].is_signed && i < pixels; i++)
            if (values[i * bands + b] > 127.0F) values[i * bands + b] -= 256.0F;
}

/* Takes off offsets where that is wanted; invalid values are 0. */
static void finish_values(const Raster *raster, int64_t pixels, float *values, const uint8_t *valid)
{
    const int64_t bands = raster->chosen_count;
    for (int64_t b = 0; raster->offsets_removed && b < bands; b++) {
        const RasterBand *band = &raster->bands[raster->chosen[b] - 1];
        const float shift = (float)(band->offset / band->scale);
        for (int64_t i = 0; shift != 0.0F && i < pixels; i++) values[i * bands + b] += shift;
    }
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t b = 0; valid[i] == 0 && b < bands; b++) values[i * bands + b] = 0.0F;
}

/* Remembers which pixels may be mapped. */
static Err keep_valid(Raster *raster, RasterWindow window, const uint8_t *valid)
{
    const uint8_t *kept = valid;
    bool any = true;
    if (raster->cutline != NULL) TRY(cutline_apply(raster->cutline, window, valid, &kept, &any));
    raster->met = raster->met || any;
    if (raster->kept == NULL) return ERR_NONE;
    return validity_rows_add(raster->kept, window.x, window.y, window.columns, window.rows, kept);
}

Err raster_read_inside(Raster *raster, RasterWindow window, float *ret_values, uint8_t *ret_valid)
{
    const int64_t bands = raster->chosen_count, pixels = window.columns * window.rows;
    ASSERT(window.x >= 0 && window.y >= 0 && window.columns > 0 && window.rows > 0);
    ASSERT(window.x + window.columns <= raster->info.width && window.y + window.rows <= raster->info.height);
    const RasterWindow of_file = { window.x + raster->part_x, window.y + raster->part_y, window.columns, window.rows };
    GdalSession session;
    gdal_begin(&session);
    Err err = ERR_NONE;
    const GSpacing sample = (GSpacing)sizeof(float);
    if (GDALDatasetRasterIOEx(raster->dataset, GF_Read, (int)of_file.x, (int)of_file.y, (int)window.columns,
                              (int)window.rows, ret_values, (int)window.columns, (int)window.rows, GDT_Float32,
                              (int)bands, raster->chosen, sample * bands, sample * bands * window.columns, sample,
                              NULL) != CE_None ||
        session.failures > 0) {
        err = report_failure(raster, of_file, gdal_reason(&session, "no reason given"));
    } else {
        mend_signs(raster, pixels, ret_values);
        err = raster_valid_read(raster, of_file, &session, ret_values, ret_valid);
        if (err == ERR_NONE && raster->clouds != NULL) err = cloud_mask_apply(raster->clouds, window, ret_valid);
    }
    if (err == ERR_NONE) finish_values(raster, pixels, ret_values, ret_valid);
    gdal_end(&session);
    return err == ERR_NONE ? keep_valid(raster, window, ret_valid) : err;
}

void raster_remove_offsets(Raster *raster) { raster->offsets_removed = true; }

Err raster_keep_valid(Raster *raster, RasterWindow window)
{
    validity_rows_free(raster->kept);
    raster->kept = NULL;
    return validity_rows_new(window.x, window.y, window.columns, window.rows, &raster->kept);
}

void raster_take_valid(Raster *raster, int64_t y, int64_t rows, uint8_t *ret_valid)
{
    validity_rows_take(raster->kept, y, rows, ret_valid);
}

static Err read_grid(Raster *raster, RasterWindow window, float *values, uint8_t *valid)
{
    if (raster->width == raster->info.width && raster->height == raster->info.height)
        return raster_read_inside(raster, window, values, valid);
    return raster_read_resampled(raster, window, values, valid);
}

int64_t raster_mirror(int64_t i, int64_t n)
{
    if (n == 1) return 0;
    const int64_t period = 2 * (n - 1);
    int64_t m = i % period;
    if (m < 0) m += period;
    return m < n ? m : period - m;
}

/* Range of mirrored indexes of [start, start + count). */
static void mirror_range(int64_t start, int64_t count, int64_t n, int64_t *ret_first, int64_t *ret_count)
{
    int64_t first = n, last = -1;
    for (int64_t i = start; i < start + count; i++) {
        const int64_t m = raster_mirror(i, n);
        if (m < first) first = m;
        if (m > last) last = m;
    }
    *ret_first = first;
    *ret_count = last - first + 1;
}

static Err read_mirrored(Raster *raster, RasterWindow window, float *values, uint8_t *valid)
{
    const int64_t bands = raster->chosen_count;
    RasterWindow part = { 0 };
    mirror_range(window.x, window.columns, raster->width, &part.x, &part.columns);
    mirror_range(window.y, window.rows, raster->height, &part.y, &part.rows);
    const size_t pixels = (size_t)(part.columns * part.rows);
    float *part_values = malloc(pixels * (size_t)bands * sizeof *part_values);
    uint8_t *part_valid = calloc(pixels, 1);
    Err err = part_values == NULL || part_valid == NULL
                  ? err_memory(pixels * (size_t)bands * sizeof *part_values, "a window at the border")
                  : read_grid(raster, part, part_values, part_valid);
    for (int64_t y = 0; err == ERR_NONE && y < window.rows; y++) {
        const int64_t row = (raster_mirror(window.y + y, raster->height) - part.y) * part.columns;
        for (int64_t x = 0; x < window.columns; x++) {
            const int64_t from = row + raster_mirror(window.x + x, raster->width) - part.x, to = y * window.columns + x;
            memcpy(values + to * bands, part_values + from * bands, (size_t)bands * sizeof *values);
            valid[to] = part_valid[from];
        }
    }
    free(part_values);
    free(part_valid);
    return err;
}

Err raster_read(Raster *raster, RasterWindow window, float *ret_values, uint8_t *ret_valid)
{
    TRY(room_check("reading a raster"));
    if (window.columns < 1 || window.rows < 1 || window.columns > INT32_MAX / window.rows)
        return err_set(ERR_ARGUMENT, "'%s': a window of %lld x %lld pixels cannot be read", raster->path,
                       (long long)window.columns, (long long)window.rows);
    const bool inside = window.x >= 0 && window.y >= 0 && window.x + window.columns <= raster->width &&
                        window.y + window.rows <= raster->height;
    raster->met = false;
    TRY(inside ? read_grid(raster, window, ret_values, ret_valid)
               : read_mirrored(raster, window, ret_values, ret_valid));
    if (raster->met) return ERR_NONE;
    const size_t pixels = (size_t)(window.columns * window.rows);
    memset(ret_values, 0, pixels * (size_t)raster->chosen_count * sizeof *ret_values);
    memset(ret_valid, 0, pixels);
    return ERR_NONE;
}
