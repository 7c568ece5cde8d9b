/* SPDX-License-Identifier: Apache-2.0
 * Private to src/geo: the insides of a Raster. */
#ifndef METASEG_GEO_RASTER_INTERNAL_H
#define METASEG_GEO_RASTER_INTERNAL_H

#include "geo/raster.h"

#include <gdal.h>
#include <stddef.h>

enum { RASTER_MAX_BANDS = 1024, RASTER_NAME_BYTES = 64 };

/* How the validity of one band is told. */
typedef struct RasterBandMask {
    bool has_nodata; /* compare with `nodata` after reading; exact because the type fits a float */
    float nodata;
    bool own_mask; /* read this band's mask band (nodata of wide types, masks that are not per data set) */
} RasterBandMask;

struct Raster {
    char *path;
    GDALDatasetH dataset;
    RasterInfo info;
    char **files; /* CSL */
    char *crs_name;
    int64_t alpha;                    /* band number of the alpha band, 0: none */
    bool dataset_mask;                /* band 1's mask holds for all */
    char (*names)[RASTER_NAME_BYTES]; /* [bands] */
    RasterBandMask *masks;            /* [bands] */
    int *chosen;                      /* [chosen_count] band numbers */
    int64_t chosen_count;
    int64_t width, height; /* presented grid */
    uint8_t *mask_scratch; /* grows; one window */
    size_t mask_scratch_bytes;
};

/* Reads the chosen bands of a window that lies inside the file, on the file's own grid; buffers as in raster_read. */
Err raster_read_inside(Raster *raster, RasterWindow window, float *ret_values, uint8_t *ret_valid);

/* The same on a presented grid of another size; window inside that grid. */
Err raster_read_resampled(Raster *raster, RasterWindow window, float *ret_values, uint8_t *ret_valid);

#endif
