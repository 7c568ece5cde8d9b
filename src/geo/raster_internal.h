/* SPDX-License-Identifier: Apache-2.0
 * Private to src/geo: the insides of a Raster. */
#ifndef METASEG_GEO_RASTER_INTERNAL_H
#define METASEG_GEO_RASTER_INTERNAL_H

#include "geo/band_name.h"
#include "geo/product.h"
#include "geo/raster.h"
#include "geo/validity_rows.h"

#include <gdal.h>
#include <stddef.h>

enum { RASTER_MAX_BANDS = 1024, RASTER_NAME_BYTES = 64, RASTER_NOTE_BYTES = 400 };

/* Items of the TIFF's metadata (raster_write.h). */
#define RASTER_KIND_ITEM "METASEG_KIND"
#define RASTER_CLASS_ITEM "METASEG_CLASS_" /* and the value */

/* How the validity of one band is told; see raster_valid.h. */
typedef struct RasterBandMask {
    RasterMaskKind kind;
    bool compared;        /* kind RASTER_MASK_NODATA: compare with `nodata` after reading instead of asking GDAL */
    float nodata;         /* exact, because `compared` is for types that a float holds */
    bool real;            /* floating point: NaN, infinity and nodata near the largest float may occur */
    uint8_t *transparent; /* [colours] of the palette: 1 where wholly transparent; NULL: none is */
    int64_t colours;
} RasterBandMask;

typedef struct RasterBand {
    char name[RASTER_NAME_BYTES];
    bool is_signed; /* a Byte band of GDAL before 3.7 whose values are signed */
    bool is_alpha;
    BandName said;        /* by its name and items */
    Spectral spectral;    /* as far as anything tells */
    bool by_colour;       /* told by the colour interpretation alone: how the file is shown, maybe not what it is */
    double offset, scale; /* value = stored * scale + offset, in GDAL's words; 0 and 1 if not stated */
    RasterBandMask mask;
} RasterBand;

struct Raster {
    char *path;
    GDALDatasetH dataset;
    Product *product; /* whose bands `dataset` is made of; NULL: one file */
    RasterInfo info;
    char **files; /* CSL */
    char *crs_name;
    RasterBand *bands; /* [info.bands] */
    BandNumbering numbering;
    bool numbering_assumed; /* nothing tells the sensor, and others number otherwise */
    bool counted;           /* codes B1, B2, B3 may be no more than a count */
    int *chosen;            /* [chosen_count] band numbers */
    int64_t chosen_count;
    char note[RASTER_NOTE_BYTES]; /* how the bands were chosen */
    bool doubtful;
    bool offsets_removed;
    CloudMask *clouds;      /* borrowed; NULL: none */
    Cutline *cutline;       /* borrowed; NULL: none */
    bool met;               /* a window that was read since raster_read began has a pixel inside of it */
    int64_t width, height;  /* presented grid */
    int64_t part_x, part_y; /* of the file: where info's pixel (0, 0) lies (raster_set_part) */
    ValidityRows *kept;     /* NULL: not wanted */
    void *mask_scratch;     /* grows; one window */
    size_t mask_scratch_bytes;
};

/* The name that tells most of the raster: its path, or of a product the file that stands for it. */
const char *raster_telling_path(const Raster *raster);

/* The size, place and blocks of raster->dataset as raster->info and the presented grid. */
void raster_describe_grid(Raster *raster);

/* raster_bands.c, inside a GDAL session: pieces of a choice of bands. "1: red, 2: green, ..." for messages, cut when long. */
const char *raster_list_bands(const Raster *raster, char *text, size_t text_bytes);
/* Words between commas, without the spaces around them; ret_words holds RASTER_MAX_BANDS. ERR_ARGUMENT. */
Err raster_split_choice(const char *choice, char (*ret_words)[RASTER_NAME_BYTES], int64_t *ret_count);
/* The band that a person calls so: a number from 1, or a name. ERR_INPUT. */
Err raster_find_word(const Raster *raster, const char *word, int *ret_band);
/* The band that is what a model calls so; 0: none, or several. ERR_INPUT: its file is missing from the product. */
Err raster_find_named(const Raster *raster, const char *name, int *ret_band);
/* All bands but alpha, of a product those that see the surface; [RASTER_MAX_BANDS]. */
int64_t raster_data_bands(const Raster *raster, int *bands);
/* The file's order for bands of these names: ERR_INPUT where names of the file contradict; doubts become the note. */
Err raster_check_order(Raster *raster, const int *bands, int64_t count, const char *const *names);
/* From now on these are the chosen bands. ERR_INPUT (complex numbers), ERR_MEMORY. */
Err raster_take_choice(Raster *raster, const int *bands, int64_t count);

/* Reads the chosen bands of a window that lies inside the file, on the file's own grid; buffers as in raster_read. */
Err raster_read_inside(Raster *raster, RasterWindow window, float *ret_values, uint8_t *ret_valid);

/* The same on a presented grid of another size; window inside that grid. */
Err raster_read_resampled(Raster *raster, RasterWindow window, float *ret_values, uint8_t *ret_valid);

#endif
