/* SPDX-License-Identifier: Apache-2.0
 * Look-ups in the climate map. */
#include "geo/climate.h"

#include "geo/climate_internal.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double pi = 3.14159265358979323846;
static const double earth_radius_km = 6371.0;

/* Run of a row that holds a column. */
static int64_t find_run(const Climate *c, int64_t row, int64_t column)
{
    int64_t low = c->row_start[row], high = (int64_t)c->row_start[row + 1] - 1;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (c->run_end[middle] > column)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static int64_t row_of(const Climate *c, double lat)
{
    return clamp((int64_t)floor((90.0 - lat) / 180.0 * (double)c->height), 0, c->height - 1);
}

/* Column as a real number in [0, width). */
static double column_of(const Climate *c, double lon)
{
    const double turn = (lon + 180.0) / 360.0, column = (turn - floor(turn)) * (double)c->width;
    return column < (double)c->width ? column : 0.0;
}

int climate_zone_at(const Climate *c, double lon, double lat)
{
    if (!isfinite(lon) || !isfinite(lat)) return CLIMATE_NONE;
    const int64_t row = row_of(c, fmax(-90.0, fmin(90.0, lat)));
    return c->run_zone[find_run(c, row, (int64_t)column_of(c, lon))];
}

/* Nearest land column of a row within `reach` columns of `column` (may wrap); distance in columns, -1 if none. */
static double nearest_in_row(const Climate *c, int64_t row, double column, double reach, int *ret_zone)
{
    double best = -1.0;
    const double width = (double)c->width;
    const int64_t first = (int64_t)floor(column - reach), last = (int64_t)floor(column + reach);
    for (int64_t start = first; start <= last;) {
        const int64_t turn = (int64_t)floor((double)start / width) * c->width; /* columns of this turn of the globe */
        const int64_t run = find_run(c, row, start - turn);
        const int64_t end = (int64_t)c->run_end[run] + turn, stop = end <= last ? end : last + 1;
        if (c->run_zone[run] != CLIMATE_NONE) {
            const int64_t nearest = clamp((int64_t)floor(column), start, stop - 1);
            const double distance = fabs((double)nearest + 0.5 - column);
            if (best < 0.0 || distance < best) {
                best = distance;
                *ret_zone = c->run_zone[run];
            }
        }
        start = stop;
    }
    return best;
}

/* Great-circle distance (haversine), km. */
static double distance_km(double lat_a, double lat_b, double turn)
{
    const double a = lat_a * pi / 180.0, b = lat_b * pi / 180.0;
    const double s = sin(0.5 * (a - b)), t = sin(0.5 * turn * pi / 180.0);
    const double h = s * s + cos(a) * cos(b) * t * t;
    return 2.0 * earth_radius_km * asin(sqrt(h < 1.0 ? h : 1.0));
}

/* Is there any land in the blocks that hold rows first_row..last_row and columns within `reach` of `column`? */
static bool has_land(const Climate *c, int64_t first_row, int64_t last_row, double column, double reach)
{
    if (c->land == NULL || reach >= 0.5 * (double)c->width) return true;
    const int64_t blocks = climate_blocks(c->width);
    const int64_t first = (int64_t)floor(column - reach), last = (int64_t)floor(column + reach);
    for (int64_t row = first_row / CLIMATE_BLOCK; row <= last_row / CLIMATE_BLOCK; row++)
        for (int64_t x = first; x <= last; x++) {
            const int64_t inside = x < 0 ? x + c->width : x >= c->width ? x - c->width : x;
            if (c->land[row * blocks + inside / CLIMATE_BLOCK]) return true;
            x += CLIMATE_BLOCK - 1 - inside % CLIMATE_BLOCK; /* to the end of the block; the last one may be narrower */
            if (inside / CLIMATE_BLOCK == blocks - 1) x -= blocks * CLIMATE_BLOCK - c->width;
        }
    return false;
}

/* Columns that a small circle of `reach_degrees` spans at most on either side, between two latitudes. */
static double reach_columns(const Climate *c, double reach_degrees, double lat_a, double lat_b)
{
    const double narrow = fmin(cos(lat_a * pi / 180.0), cos(lat_b * pi / 180.0)), half = 0.5 * (double)c->width;
    return narrow > 1e-6 ? fmin(half, reach_degrees / narrow / 360.0 * (double)c->width * 1.01 + 1.0) : half;
}

int climate_zone_near(const Climate *c, double lon, double lat, double kilometres, double *ret_kilometres)
{
    const int own = climate_zone_at(c, lon, lat);
    if (own != CLIMATE_NONE || !isfinite(lon) || !isfinite(lat) || !(kilometres > 0.0)) {
        if (ret_kilometres != NULL) *ret_kilometres = 0.0;
        return own;
    }
    const double place = fmax(-90.0, fmin(90.0, lat)), column = column_of(c, lon), cell = 180.0 / (double)c->height;
    const double reach_degrees = kilometres / earth_radius_km * 180.0 / pi;
    const int64_t row = row_of(c, place), reach_rows = (int64_t)(reach_degrees / cell) + 1;
    double best = kilometres;
    int found = CLIMATE_NONE;
    const double pole = fmin(90.0, fabs(place) + reach_degrees + cell); /* the widest columns are nearest to a pole */
    if (!has_land(c, clamp(row - reach_rows, 0, c->height - 1), clamp(row + reach_rows, 0, c->height - 1), column,
                  reach_columns(c, reach_degrees, place, pole))) {
        if (ret_kilometres != NULL) *ret_kilometres = 0.0;
        return CLIMATE_NONE;
    }
    for (int64_t step = 0; step <= 2 * reach_rows; step++) { /* 0, -1, 1, -2, 2, ... */
        const int64_t y = row + (step % 2 == 0 ? step / 2 : -(step + 1) / 2);
        if (y < 0 || y >= c->height) continue;
        const double row_lat = 90.0 - ((double)y + 0.5) * cell;
        if (distance_km(place, row_lat, 0.0) > best) continue;
        int zone = CLIMATE_NONE;
        const double away = nearest_in_row(c, y, column, reach_columns(c, reach_degrees, place, row_lat), &zone);
        if (away < 0.0) continue;
        const double distance = distance_km(place, row_lat, away * 360.0 / (double)c->width);
        if (distance <= best) {
            best = distance;
            found = zone;
        }
    }
    if (ret_kilometres != NULL) *ret_kilometres = found == CLIMATE_NONE ? 0.0 : best;
    return found;
}

void climate_point_shares(const Climate *c, int64_t n, const double *lon, const double *lat, double kilometres,
                          double *ret_shares)
{
    memset(ret_shares, 0, (CLIMATE_ZONES + 1) * sizeof *ret_shares);
    for (int64_t i = 0; i < n; i++)
        ret_shares[climate_zone_near(c, lon[i], lat[i], kilometres, NULL)] += 1.0 / (double)n;
    if (n == 0) ret_shares[CLIMATE_NONE] = 1.0;
}
