/* SPDX-License-Identifier: Apache-2.0
 *
 * The Koeppen-Geiger climate map: zone at a place, nearest land, shares of zones. In memory it is run-length
 * coded rows (about 1.5 MB for 12960 x 6480 cells), read from our own compact file that set-up makes once from the
 * published image.
 *
 *     Climate *climate = NULL;
 *     TRY(climate_open("share/koppen_geiger.zones", &climate));
 *     const int zone = climate_zone_at(climate, 13.06, 52.40);     // 15: Cfb
 *
 * File, little endian:
 *   "MSEGKOPP", u32 version 1, u32 width, u32 height, u32 runs
 *   u32 first run of each row [height + 1]
 *   u16 end column of each run (exclusive, the last of a row is width)
 *   u8 zone of each run, 0..30
 *   u64 XXH64 of all before
 * Row 0 is the northernmost, column 0 begins at 180 W, plate carree.
 *
 * A Climate never changes after opening: any number of threads may read it.
 */
#ifndef METASEG_GEO_CLIMATE_H
#define METASEG_GEO_CLIMATE_H

#include "base/climate_zones.h"
#include "base/err.h"

#include <stdint.h>

typedef struct Climate Climate;

/* Makes the compact file from a global plate carree image whose values the CSV names (columns: index, zone name, value;
 * a header line). "As" becomes Aw, "Ocean" none. ERR_INPUT: an image that is not one band twice as wide as high, a
 * value or name that the CSV or our table does not have; ERR_OUTPUT; an existing file is replaced only with
 * `overwrite`. */
Err climate_convert(const char *image_path, const char *csv_path, const char *path, int overwrite);

/* Loads a compact file; every field is checked. climate_close() it. ERR_INPUT (missing, damaged), ERR_MEMORY. */
Err climate_open(const char *path, Climate **ret_climate);
void climate_close(Climate *climate);

/* Zone of the cell that holds a place, 0 none. Longitudes wrap; latitudes are clamped to the map; NaN gives 0. */
int climate_zone_at(const Climate *climate, double lon, double lat);

/* Zone at a place, or where that is none, the zone of the nearest land cell whose centre lies within `kilometres`, else
 * 0. ret_kilometres (may be NULL): distance to that cell's centre, 0 when the place itself has a zone. Distances on the
 * sphere of 6371 km. */
int climate_zone_near(const Climate *climate, double lon, double lat, double kilometres, double *ret_kilometres);

/* Shares of n places, each counted once with climate_zone_near; places that are NaN count as none: ret_shares[31]. */
void climate_point_shares(const Climate *climate, int64_t n, const double *lon, const double *lat, double kilometres,
                          double *ret_shares);

#endif
