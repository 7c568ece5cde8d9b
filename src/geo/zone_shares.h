/* SPDX-License-Identifier: Apache-2.0
 *
 * Shares of climate zones in the cells of a network window: what the fusion reads as log_share (docs/model.md,
 * section 1).
 *
 * A window has rows x columns network pixels; an affine map brings its pixel positions to positions of the raster, so
 * tiles of a resampled grid and flipped or rotated training windows are the same thing. For each cell of cell x cell
 * pixels:
 * 1. samples x samples places inside it are looked up in the climate map; a place without a zone takes the nearest land
 *    zone within coast_km, so that coasts, lakes and harbours read the prompt of their land. Places beyond the raster's
 *    border count at the border.
 * 2. The shares are smoothed over neighbouring cells with the separable triangle of `radius` cells, whose weights are
 *    radius + 1 - |d|.
 * 3. The (at most) `slots` zones with the largest sum over the window keep their shares; what the others had in a cell
 *    is shared among the kept ones of that cell in proportion (or is null where none of them occurs). No zone, unknown
 *    place: null, the last channel.
 * Steps 1 and 2 depend on the place alone, whatever window it is in; only the choice in step 3 sees the window.
 */
#ifndef METASEG_GEO_ZONE_SHARES_H
#define METASEG_GEO_ZONE_SHARES_H

#include "geo/climate.h"
#include "geo/georeference.h"

enum { ZONE_SLOTS = 4, ZONE_MAX_SAMPLES = 16 };

typedef struct ZoneShareOptions {
    int64_t cell;    /* network pixels, 16 */
    int64_t samples; /* per axis and cell, 4; at most ZONE_MAX_SAMPLES */
    int64_t radius;  /* cells, 2; 0: no smoothing */
    double coast_km; /* 25 */
} ZoneShareOptions;

ZoneShareOptions zone_share_defaults(void);

typedef struct ZoneSampler ZoneSampler;

/* A sampler for one raster of width x height pixels (its own). Borrows climate and georeference, which must outlive it;
 * one thread at a time, like the georeference. climate may be NULL: no zones anywhere. ERR_ARGUMENT for options out of
 * range, ERR_MEMORY. */
Err zone_sampler_new(const Climate *climate, Georeference *georeference, int64_t width, int64_t height,
                     ZoneShareOptions options, ZoneSampler **ret_sampler);
void zone_sampler_free(ZoneSampler *sampler);

/* Result of a window. */
typedef struct ZoneSlots {
    int count;                /* zones present, 0..ZONE_SLOTS */
    int zone[ZONE_SLOTS];     /* ascending zone numbers, 0 where unused */
    double share[ZONE_SLOTS]; /* mean share over the window, before the choice */
    double null_share;        /* mean share without a zone */
} ZoneSlots;

/* Shares of a window of rows x columns network pixels, both multiples of the cell.
 * to_raster: position (c, r) in the window -> raster pixel position x = t[0] + t[1] c + t[2] r, y = t[3] + t[4] c +
 * t[5] r. ret_shares: [rows / cell][columns / cell][ZONE_SLOTS + 1], sums to 1, null last. ERR_MEMORY. */
Err zone_shares(ZoneSampler *sampler, const double to_raster[6], int64_t rows, int64_t columns, float *ret_shares,
                ZoneSlots *ret_slots);

/* Shares of the zones over a whole image, every pixel alike: 64 x 64 places spread evenly over it, with
 * climate_zone_near. ret_shares[31], 0 none (also places outside the projection's domain); sums to 1. */
void zone_image_shares(const Climate *climate, Georeference *georeference, double coast_km, double *ret_shares);

/* to_raster of a window at (x, y) of a grid of grid_width x grid_height pixels over the extent of a raster of width x
 * height. */
void zone_window(int64_t x, int64_t y, int64_t grid_width, int64_t grid_height, int64_t width, int64_t height,
                 double ret_to_raster[6]);

/* Shares of a square window at (x, y) of a grid of grid_width x grid_height pixels over the sampler's raster, and the
 * zone of each slot, 0 where unused. side: a multiple of the cell; ret_shares as in zone_shares. ERR_MEMORY. */
Err zone_window_shares(ZoneSampler *sampler, int64_t x, int64_t y, int64_t side, int64_t grid_width,
                       int64_t grid_height, float *ret_shares, int32_t ret_zones[ZONE_SLOTS]);

#endif
