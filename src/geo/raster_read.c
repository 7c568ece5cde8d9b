/* SPDX-License-Identifier: Apache-2.0
 * Reading windows: values, validity, mirrored borders, error reports. */
#include "geo/gdal_session.h"
#include "geo/raster.h"
#include "geo/raster_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Finds the first band and row that cannot be read, for the message; only called after a failure. */
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
    if (band == 0) /* the driver filled what is missing */
        return err_set(ERR_INPUT, "'%s': rows %lld to %lld cannot be read (%s); the file is truncated or damaged",
                       raster->path, (long long)window.y, (long long)(window.y + window.rows - 1), reason);
    return err_set(ERR_INPUT, "'%s': band %d cannot be read at row %lld (%s); the file is truncated or damaged",
                   raster->path, band, (long long)line, reason);
}

static Err reserve_mask(Raster *raster, RasterWindow window)
{
    const size_t bytes = (size_t)window.columns * (size_t)window.rows;
    if (bytes <= raster->mask_scratch_bytes) return ERR_NONE;
    uint8_t *scratch = realloc(raster->mask_scratch, bytes);
    if (scratch == NULL) return err_memory(bytes, "a mask window");
    raster->mask_scratch = scratch;
    raster->mask_scratch_bytes = bytes;
    return ERR_NONE;
}

/* Clears `valid` where `band` (an alpha or mask band) is 0. */
static Err apply_mask_band(Raster *raster, GDALRasterBandH band, RasterWindow window, const GdalSession *session,
                           uint8_t *valid)
{
    TRY(reserve_mask(raster, window));
    if (GDALRasterIO(band, GF_Read, (int)window.x, (int)window.y, (int)window.columns, (int)window.rows,
                     raster->mask_scratch, (int)window.columns, (int)window.rows, GDT_Byte, 0, 0) != CE_None)
        return err_set(ERR_INPUT,
                       "'%s': its mask cannot be read at rows %lld to %lld (%s); the file is truncated or damaged",
                       raster->path, (long long)window.y, (long long)(window.y + window.rows - 1),
                       gdal_reason(session, "no reason given"));
    const int64_t pixels = window.columns * window.rows;
    for (int64_t i = 0; i < pixels; i++)
        if (raster->mask_scratch[i] == 0) valid[i] = 0;
    return ERR_NONE;
}

static Err apply_masks(Raster *raster, RasterWindow window, const GdalSession *session, uint8_t *valid)
{
    if (raster->alpha > 0)
        TRY(apply_mask_band(raster, GDALGetRasterBand(raster->dataset, (int)raster->alpha), window, session, valid));
    if (raster->dataset_mask)
        TRY(apply_mask_band(raster, GDALGetMaskBand(GDALGetRasterBand(raster->dataset, 1)), window, session, valid));
    for (int64_t i = 0; i < raster->chosen_count; i++)
        if (raster->masks[raster->chosen[i] - 1].own_mask)
            TRY(apply_mask_band(raster, GDALGetMaskBand(GDALGetRasterBand(raster->dataset, raster->chosen[i])), window,
                                session, valid));
    return ERR_NONE;
}

/* Marks NaN, infinite and nodata values. */
static void mark_values(const Raster *raster, int64_t pixels, const float *values, uint8_t *valid)
{
    const int64_t bands = raster->chosen_count;
    memset(valid, 1, (size_t)pixels);
    for (int64_t b = 0; b < bands; b++) {
        const RasterBandMask mask = raster->masks[raster->chosen[b] - 1];
        for (int64_t i = 0; i < pixels; i++) {
            const float value = values[i * bands + b];
            if (!isfinite(value) || (mask.has_nodata && value == mask.nodata)) valid[i] = 0;
        }
    }
}

Err raster_read_inside(Raster *raster, RasterWindow window, float *ret_values, uint8_t *ret_valid)
{
    const int64_t bands = raster->chosen_count, pixels = window.columns * window.rows;
    ASSERT(window.x >= 0 && window.y >= 0 && window.columns > 0 && window.rows > 0);
    ASSERT(window.x + window.columns <= raster->info.width && window.y + window.rows <= raster->info.height);
    GdalSession session;
    gdal_begin(&session);
    Err err = ERR_NONE;
    const GSpacing sample = (GSpacing)sizeof(float);
    if (GDALDatasetRasterIOEx(raster->dataset, GF_Read, (int)window.x, (int)window.y, (int)window.columns,
                              (int)window.rows, ret_values, (int)window.columns, (int)window.rows, GDT_Float32,
                              (int)bands, raster->chosen, sample * bands, sample * bands * window.columns, sample,
                              NULL) != CE_None ||
        session.failures > 0) {
        err = report_failure(raster, window, gdal_reason(&session, "no reason given"));
    } else {
        mark_values(raster, pixels, ret_values, ret_valid);
        err = apply_masks(raster, window, &session, ret_valid);
    }
    if (err == ERR_NONE)
        for (int64_t i = 0; i < pixels; i++)
            if (!ret_valid[i])
                for (int64_t b = 0; b < bands; b++) ret_values[i * bands + b] = 0.0F;
    gdal_end(&session);
    return err;
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
    if (window.columns < 1 || window.rows < 1 || window.columns > INT32_MAX / window.rows)
        return err_set(ERR_ARGUMENT, "'%s': a window of %lld x %lld pixels cannot be read", raster->path,
                       (long long)window.columns, (long long)window.rows);
    const bool inside = window.x >= 0 && window.y >= 0 && window.x + window.columns <= raster->width &&
                        window.y + window.rows <= raster->height;
    return inside ? read_grid(raster, window, ret_values, ret_valid)
                  : read_mirrored(raster, window, ret_values, ret_valid);
}
