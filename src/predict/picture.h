/* SPDX-License-Identifier: Apache-2.0
 *
 * What the pictures for people have in common: colours, pixels, legend entries, a PNG file. Only src/predict draws with
 * cairo. */
#ifndef METASEG_PREDICT_PICTURE_H
#define METASEG_PREDICT_PICTURE_H

#include "base/output.h"

#include <cairo.h>
#include <stdbool.h>
#include <stdint.h>

/* A white picture of width x height pixels, ready for dark grey text; ERR_MEMORY. picture_done() it, also after a
 * failure. */
typedef struct Picture {
    cairo_surface_t *surface;
    cairo_t *cr;
} Picture;
Err picture_init(int64_t width, int64_t height, Picture *ret_picture);
void picture_done(Picture *picture);

/* The colour of what is drawn next, 0xRRGGBB. */
void picture_color(const Picture *picture, uint32_t rgb);

/* Sets `n` pixels from (x, y) to the right. They must lie inside the picture. */
void picture_pixels(const Picture *picture, int64_t x, int64_t y, int64_t n, const uint32_t *rgb);

/* Text with its baseline's left end at (x, y); size in pixels. */
void picture_text(const Picture *picture, double x, double y, double size, const char *text);
double picture_text_width(const Picture *picture, double size, const char *text);

/* A legend entry: a square of `size` pixels with its upper left corner at (x, y) in the class's colour, and the text
 * beside it. */
void picture_swatch(const Picture *picture, double x, double y, double size, uint32_t rgb, const char *text);

/* Writes a PNG as an output to be published (base/output.h), the caller's to close. ERR_OUTPUT, ERR_MEMORY. */
Err picture_write(const Picture *picture, const char *path, bool overwrite, Output **ret_output);

#endif
