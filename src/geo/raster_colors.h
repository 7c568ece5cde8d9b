/* SPDX-License-Identifier: Apache-2.0
 *
 * Class values of a picture, by the colours that a table gives to the classes; and the colours that no class has.
 *
 *     RasterColors colors = { .table = table, .n = n };
 *     TRY(raster_colors_choose(raster, NULL, &colors));
 *     ... raster_read(raster, window, pixels, valid) ...
 *     raster_colors_values(&colors, n_pixels, pixels, values);
 */
#ifndef METASEG_GEO_RASTER_COLORS_H
#define METASEG_GEO_RASTER_COLORS_H

#include "base/str.h"
#include "geo/raster.h"

/* A colour 0xRRGGBB and the value that it stands for. */
typedef struct RasterColor {
    uint32_t color;
    float value;
} RasterColor;

typedef struct RasterColors {
    const RasterColor *table; /* borrowed; of two entries of one colour the first counts */
    int64_t n;
    uint32_t threshold; /* channels from here on count as 255, those below as 0; 0: as they are */
    bool by_palette;    /* the chosen band is an index into: */
    uint32_t palette[256];
} RasterColors;

/* Chooses the red, green and blue band of a raster, or band 1 of a palette, which is read. hint: what else could be meant, behind
 * "colours of classes", NULL: nothing. ERR_INPUT when there are none, or not of 8 bits; ERR_MEMORY. */
Err raster_colors_choose(Raster *raster, const char *hint, RasterColors *colors);

/* Values of n pixels of the chosen bands: that of the table, else raster_unknown_color(). */
void raster_colors_values(const RasterColors *colors, int64_t n, const float *pixels, float *ret_values);

/* A colour 0xRRGGBB that no class has, as a value: below 0 and exact, and the colour of such a value. */
static inline float raster_unknown_color(uint32_t color) { return -1.0F - (float)color; }
static inline uint32_t raster_color_of(float value) { return (uint32_t)(-1.0F - value); }

/* Colours that no class has; zero it to start. */
enum { COLOR_COUNTS = 64 };
typedef struct ColorCounts {
    uint32_t colors[COLOR_COUNTS]; /* the first ones met */
    int64_t pixels[COLOR_COUNTS], others;
    int64_t n;
} ColorCounts;

/* Counts one pixel of such a colour. */
void color_counts_add(ColorCounts *counts, uint32_t color);

/* "#ff0000 (1204 pixels), #010203 (88)": most frequent first, at most 8, then how many more. Returns how many pixels those
 * are; nothing is written for 0. */
int64_t color_counts_text(const ColorCounts *counts, Str *text);

#endif
