/* SPDX-License-Identifier: Apache-2.0
 * Drawing for quicklooks and comparisons. */
#include "predict/picture.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_RGB = 0x1a1a1a, FRAME_RGB = 0x666666 };

Err picture_init(int64_t width, int64_t height, Picture *ret_picture)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    cairo_t *cr = cairo_create(surface);
    *ret_picture = (Picture){ .surface = surface, .cr = cr };
    if (cairo_status(cr) != CAIRO_STATUS_SUCCESS)
        return err_memory((unsigned long long)(width * height * 4), "the picture");
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    return ERR_NONE;
}

void picture_done(Picture *picture)
{
    if (picture->cr != NULL) cairo_destroy(picture->cr);
    if (picture->surface != NULL) cairo_surface_destroy(picture->surface);
    *picture = (Picture){ 0 };
}

void picture_color(const Picture *picture, uint32_t rgb)
{
    cairo_set_source_rgb(picture->cr, (double)(rgb >> 16 & 255U) / 255.0, (double)(rgb >> 8 & 255U) / 255.0,
                         (double)(rgb & 255U) / 255.0);
}

void picture_pixels(const Picture *picture, int64_t x, int64_t y, int64_t n, const uint32_t *rgb)
{
    cairo_surface_flush(picture->surface);
    unsigned char *data = cairo_image_surface_get_data(picture->surface);
    const int64_t stride = cairo_image_surface_get_stride(picture->surface);
    memcpy(data + y * stride + x * 4, rgb, (size_t)n * sizeof *rgb); /* RGB24 is a native 32-bit word, 0x00RRGGBB */
    cairo_surface_mark_dirty(picture->surface);
}

void picture_text(const Picture *picture, double x, double y, double size, const char *text)
{
    cairo_set_font_size(picture->cr, size);
    picture_color(picture, TEXT_RGB);
    cairo_move_to(picture->cr, x, y);
    cairo_show_text(picture->cr, text);
}

double picture_text_width(const Picture *picture, double size, const char *text)
{
    cairo_text_extents_t extents;
    cairo_set_font_size(picture->cr, size);
    cairo_text_extents(picture->cr, text, &extents);
    return extents.x_advance;
}

void picture_swatch(const Picture *picture, double x, double y, double size, uint32_t rgb, const char *text)
{
    picture_color(picture, rgb);
    cairo_rectangle(picture->cr, x, y, size, size);
    cairo_fill_preserve(picture->cr);
    picture_color(picture, FRAME_RGB);
    cairo_set_line_width(picture->cr, 0.5);
    cairo_stroke(picture->cr);
    picture_text(picture, x + 1.6 * size, y + 0.86 * size, 0.93 * size, text);
}

static cairo_status_t append(void *context, const unsigned char *data, unsigned int length)
{
    str_add_bytes(context, (const char *)data, length);
    return CAIRO_STATUS_SUCCESS;
}

Err picture_write(const Picture *picture, const char *path, bool overwrite, Output **ret_output)
{
    Str png = { 0 };
    const cairo_status_t drawn = cairo_status(picture->cr);
    if (drawn == CAIRO_STATUS_NO_MEMORY) return err_memory(0, "the picture");
    if (drawn != CAIRO_STATUS_SUCCESS)
        return err_set(ERR_OUTPUT, "'%s': the picture cannot be drawn: %s", path, cairo_status_to_string(drawn));
    if (cairo_surface_write_to_png_stream(picture->surface, append, &png) != CAIRO_STATUS_SUCCESS) {
        str_done(&png);
        return err_set(ERR_INTERNAL, "'%s': the picture cannot be encoded", path);
    }
    const size_t length = png.length;
    char *bytes = NULL;
    TRY(str_take(&png, &bytes));
    const Err err = output_prepare(path, bytes, length, overwrite, ret_output);
    free(bytes);
    return err;
}
