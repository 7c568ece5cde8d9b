/* SPDX-License-Identifier: Apache-2.0
 * Climate shares per cell: places, smoothing, choice of slots. */
#include "geo/zone_shares.h"

#include "geo/georeference_internal.h"
#include "geo/place_grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = CLIMATE_ZONES + 1, MAX_RADIUS = 16 };

struct ZoneSampler {
    const Climate *climate;
    Georeference *georeference;
    double width, height;
    ZoneShareOptions options;
    PlaceGrid *places;
    float *raw, *smooth; /* [cell rows][cell columns][CHANNELS], with margins; grow */
    double *x, *y;       /* positions of one row of cells */
    size_t cells, positions;
};

ZoneShareOptions zone_share_defaults(void)
{
    return (ZoneShareOptions){ .cell = 16, .samples = 4, .radius = 2, .coast_km = 25.0 };
}

Err zone_sampler_new(const Climate *climate, Georeference *georeference, int64_t width, int64_t height,
                     ZoneShareOptions options, ZoneSampler **ret_sampler)
{
    if (options.cell < 1 || options.samples < 1 || options.samples > ZONE_MAX_SAMPLES || options.radius < 0 ||
        options.radius > MAX_RADIUS || !(options.coast_km >= 0.0 && options.coast_km <= 1000.0))
        return err_set(ERR_ARGUMENT,
                       "zone shares of cells of %lld pixels, %lld samples, radius %lld, coast %g km cannot be computed",
                       (long long)options.cell, (long long)options.samples, (long long)options.radius,
                       options.coast_km);
    ZoneSampler *sampler = calloc(1, sizeof *sampler);
    if (sampler == NULL) return err_memory(sizeof *sampler, "a zone sampler");
    *sampler = (ZoneSampler){ .climate = climate,
                              .georeference = georeference,
                              .width = (double)width,
                              .height = (double)height,
                              .options = options };
    const Err err = place_grid_new(georeference, &sampler->places);
    if (err == ERR_NONE)
        *ret_sampler = sampler;
    else
        zone_sampler_free(sampler);
    return err;
}

void zone_sampler_free(ZoneSampler *sampler)
{
    if (sampler == NULL) return;
    place_grid_free(sampler->places);
    free(sampler->raw);
    free(sampler->smooth);
    free(sampler->x);
    free(sampler->y);
    free(sampler);
}

static Err reserve(ZoneSampler *s, size_t cells, size_t positions)
{
    if (cells > s->cells) {
        free(s->raw);
        free(s->smooth);
        s->raw = calloc(cells * CHANNELS, sizeof *s->raw);
        s->smooth = calloc(cells * CHANNELS, sizeof *s->smooth);
        s->cells = s->raw != NULL && s->smooth != NULL ? cells : 0;
        if (s->cells == 0) return err_memory(2 * cells * CHANNELS * sizeof *s->raw, "the climate shares of a window");
    }
    if (positions > s->positions) {
        free(s->x);
        free(s->y);
        s->x = malloc(positions * sizeof *s->x);
        s->y = malloc(positions * sizeof *s->y);
        s->positions = s->x != NULL && s->y != NULL ? positions : 0;
        if (s->positions == 0) return err_memory(2 * positions * sizeof *s->x, "the places of a window");
    }
    return ERR_NONE;
}

static double clamp(double value, double low, double high) { return value < low ? low : value > high ? high : value; }

/* Raster positions of the samples of `cells` cells of row `row`, from cell column `column` on:
 * [cells][samples][samples]. */
static void sample_positions(const ZoneSampler *s, const double t[6], int64_t row, int64_t column, int64_t cells)
{
    const int64_t n = s->options.samples;
    const double cell = (double)s->options.cell;
    int64_t k = 0;
    for (int64_t i = 0; i < cells; i++)
        for (int64_t a = 0; a < n; a++)
            for (int64_t b = 0; b < n; b++, k++) {
                const double c = ((double)(column + i) + ((double)b + 0.5) / (double)n) * cell;
                const double r = ((double)row + ((double)a + 0.5) / (double)n) * cell;
                s->x[k] = clamp(t[0] + t[1] * c + t[2] * r, 0.0, s->width);
                s->y[k] = clamp(t[3] + t[4] * c + t[5] * r, 0.0, s->height);
            }
}

/* Raw shares of a row of cells. */
static Err count_row(ZoneSampler *s, const double t[6], int64_t row, int64_t column, int64_t cells, float *shares)
{
    const int64_t per_cell = s->options.samples * s->options.samples;
    const float part = 1.0F / (float)per_cell;
    sample_positions(s, t, row, column, cells);
    TRY(place_grid_lonlat(s->places, cells * per_cell, s->x, s->y));
    memset(shares, 0, (size_t)cells * CHANNELS * sizeof *shares);
    for (int64_t k = 0; k < cells * per_cell; k++) {
        const int zone = s->climate == NULL
                             ? CLIMATE_NONE
                             : climate_zone_near(s->climate, s->x[k], s->y[k], s->options.coast_km, NULL);
        shares[k / per_cell * CHANNELS + zone] += part;
    }
    return ERR_NONE;
}

/* target[i] = sum_d weight(d) source[i + d] / sum of weights, i < n, over rows of `stride` floats; source starts
 * `radius` before. */
static void smooth_line(const float *source, float *target, int64_t n, int64_t stride, int64_t length, int64_t radius)
{
    const float total = (float)((radius + 1) * (radius + 1));
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < length; k++) {
            float sum = 0.0F;
            for (int64_t d = 0; d <= 2 * radius; d++) {
                const int64_t away = d < radius ? radius - d : d - radius;
                sum += (float)(radius + 1 - away) * source[(i + d) * stride + k];
            }
            target[i * stride + k] = sum / total;
        }
}

/* Raw shares with margins -> smoothed shares [rows][columns][CHANNELS] at the start of s->raw. */
static void smooth(ZoneSampler *s, int64_t rows, int64_t columns)
{
    const int64_t radius = s->options.radius, wide = columns + 2 * radius;
    for (int64_t r = 0; r < rows + 2 * radius; r++) /* along x: [rows + 2 radius][columns] */
        smooth_line(s->raw + r * wide * CHANNELS, s->smooth + r * columns * CHANNELS, columns, CHANNELS, CHANNELS,
                    radius);
    smooth_line(s->smooth, s->raw, rows, columns * CHANNELS, columns * CHANNELS, radius);
}

static void choose_slots(const float *shares, int64_t cells, ZoneSlots *slots)
{
    double total[CHANNELS] = { 0.0 };
    bool kept[CHANNELS] = { false };
    for (int64_t i = 0; i < cells; i++)
        for (int zone = 0; zone < CHANNELS; zone++) total[zone] += (double)shares[i * CHANNELS + zone];
    *slots = (ZoneSlots){ .null_share = total[CLIMATE_NONE] / (double)cells };
    for (int k = 0; k < ZONE_SLOTS; k++) {
        int best = CLIMATE_NONE;
        for (int zone = 1; zone < CHANNELS; zone++)
            if (!kept[zone] && total[zone] > 0.0 && (best == CLIMATE_NONE || total[zone] > total[best])) best = zone;
        if (best != CLIMATE_NONE) kept[best] = true;
    }
    for (int zone = 1; zone < CHANNELS; zone++) {
        if (!kept[zone]) continue;
        slots->share[slots->count] = total[zone] / (double)cells;
        slots->zone[slots->count++] = zone;
    }
}

static void fill_slots(const float *cell, const ZoneSlots *slots, float *target)
{
    float kept = 0.0F, land = 0.0F;
    for (int k = 0; k < slots->count; k++) kept += cell[slots->zone[k]];
    for (int zone = 1; zone < CHANNELS; zone++) land += cell[zone];
    const float scale = kept > 0.0F ? land / kept : 0.0F;
    float sum = 0.0F;
    for (int k = 0; k < ZONE_SLOTS; k++) {
        target[k] = k < slots->count ? cell[slots->zone[k]] * scale : 0.0F;
        sum += target[k];
    }
    target[ZONE_SLOTS] = sum < 1.0F ? 1.0F - sum : 0.0F;
    if (cell[CLIMATE_NONE] == 0.0F && kept > 0.0F) target[ZONE_SLOTS] = 0.0F; /* no dust of rounding */
}

Err zone_shares(ZoneSampler *s, const double to_raster[6], int64_t rows, int64_t columns, float *ret_shares,
                ZoneSlots *ret_slots)
{
    const int64_t cell = s->options.cell, radius = s->options.radius;
    ASSERT(rows > 0 && columns > 0 && rows % cell == 0 && columns % cell == 0);
    const int64_t cell_rows = rows / cell, cell_columns = columns / cell, wide = cell_columns + 2 * radius,
                  high = cell_rows + 2 * radius;
    TRY(reserve(s, (size_t)(wide * high), (size_t)(wide * s->options.samples * s->options.samples)));
    for (int64_t r = 0; r < high; r++)
        TRY(count_row(s, to_raster, r - radius, -radius, wide, s->raw + r * wide * CHANNELS));
    smooth(s, cell_rows, cell_columns);
    choose_slots(s->raw, cell_rows * cell_columns, ret_slots);
    for (int64_t i = 0; i < cell_rows * cell_columns; i++)
        fill_slots(s->raw + i * CHANNELS, ret_slots, ret_shares + i * (ZONE_SLOTS + 1));
    return ERR_NONE;
}

void zone_image_shares(const Climate *climate, Georeference *georeference, double coast_km, double *ret_shares)
{
    enum { SIDE = 64 };
    double x[SIDE], y[SIDE], row[CHANNELS];
    const double width = georeference->width, height = georeference->height;
    memset(ret_shares, 0, CHANNELS * sizeof *ret_shares);
    for (int i = 0; i < SIDE; i++) {
        for (int k = 0; k < SIDE; k++) {
            x[k] = ((double)k + 0.5) / SIDE * width;
            y[k] = ((double)i + 0.5) / SIDE * height;
        }
        georeference_to_lonlat(georeference, SIDE, x, y);
        climate_point_shares(climate, SIDE, x, y, coast_km, row);
        for (int zone = 0; zone < CHANNELS; zone++) ret_shares[zone] += row[zone] / SIDE;
    }
}

void zone_window(int64_t x, int64_t y, int64_t grid_width, int64_t grid_height, int64_t width, int64_t height,
                 double ret_to_raster[6])
{
    const double step_x = (double)width / (double)grid_width, step_y = (double)height / (double)grid_height;
    const double t[6] = { (double)x * step_x, step_x, 0.0, (double)y * step_y, 0.0, step_y };
    memcpy(ret_to_raster, t, sizeof t);
}

Err zone_window_shares(ZoneSampler *sampler, int64_t x, int64_t y, int64_t side, int64_t grid_width,
                       int64_t grid_height, float *ret_shares, int32_t ret_zones[ZONE_SLOTS])
{
    double to_raster[6];
    ZoneSlots slots;
    zone_window(x, y, grid_width, grid_height, (int64_t)sampler->width, (int64_t)sampler->height, to_raster);
    TRY(zone_shares(sampler, to_raster, side, side, ret_shares, &slots));
    for (int32_t k = 0; k < ZONE_SLOTS; k++) ret_zones[k] = slots.zone[k];
    return ERR_NONE;
}
