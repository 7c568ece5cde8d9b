/* SPDX-License-Identifier: Apache-2.0
 * Classes by their colours. */
#include "geo/raster_colors.h"

#include <string.h>

enum { PALETTE = 256, CHANNELS = 3, SHOWN = 8 };

static Err choose_bands(Raster *raster, const char *hint)
{
    static const char *const names[CHANNELS] = { "red", "green", "blue" };
    if (raster_info(raster)->has_palette) return raster_choose_bands(raster, "1", 1, NULL);
    int64_t bands = 0;
    TRY(raster_choose_bands(raster, NULL, 0, NULL));
    bands = raster_chosen_count(raster);
    if (bands < CHANNELS)
        return err_set(ERR_INPUT, "'%s': no red, green and blue band and no palette; expected colours of classes%s%s",
                       raster_path(raster), hint != NULL ? "; " : "", hint != NULL ? hint : "");
    return raster_choose_bands(raster, NULL, CHANNELS, names);
}

Err raster_colors_choose(Raster *raster, const char *hint, RasterColors *colors)
{
    TRY(choose_bands(raster, hint));
    for (int64_t i = 0; i < raster_chosen_count(raster); i++) {
        const char *type = raster_band_type(raster, raster_chosen_band(raster, i));
        if (strcmp(type, "Byte") != 0)
            return err_set(ERR_INPUT, "'%s': bands of type %s; colours of classes are bytes", raster_path(raster),
                           type);
    }
    colors->by_palette = raster_chosen_count(raster) != CHANNELS;
    for (int64_t i = 0; i < PALETTE; i++) {
        colors->palette[i] = 0;
        if (colors->by_palette) (void)raster_class_color(raster, i, &colors->palette[i]);
    }
    return ERR_NONE;
}

static float value_of(const RasterColors *c, uint32_t color)
{
    for (int64_t i = 0; i < c->n; i++)
        if (c->table[i].color == color) return c->table[i].value;
    return raster_unknown_color(color);
}

/* Each channel 0 or 255, as masks were before they were resampled or saved with loss. */
static uint32_t cut(uint32_t color, uint32_t threshold)
{
    uint32_t result = 0;
    for (uint32_t shift = 0; shift < 8 * CHANNELS; shift += 8)
        if ((color >> shift & 0xFFU) >= threshold) result |= (uint32_t)0xFF << shift;
    return result;
}

void raster_colors_values(const RasterColors *c, int64_t n, const float *pixels, float *ret_values)
{
    uint32_t last = 0;
    float value = value_of(c, last);
    for (int64_t i = 0; i < n; i++) { /* the last one again, mostly */
        uint32_t color = 0;
        if (c->by_palette)
            color = c->palette[(int32_t)pixels[i]];
        else
            for (int64_t k = 0; k < CHANNELS; k++) color = color << 8 | (uint32_t)pixels[CHANNELS * i + k];
        if (c->threshold > 0) color = cut(color, c->threshold);
        if (color != last) value = value_of(c, color);
        last = color;
        ret_values[i] = value;
    }
}

/* ---- colours that no class has ---- */

void color_counts_add(ColorCounts *counts, uint32_t color)
{
    int64_t i = 0;
    while (i < counts->n && counts->colors[i] != color) i++;
    if (i == COLOR_COUNTS) {
        counts->others++;
        return;
    }
    counts->colors[i] = color;
    counts->pixels[i]++;
    if (i == counts->n) counts->n++;
}

int64_t color_counts_text(const ColorCounts *counts, Str *text)
{
    bool listed[COLOR_COUNTS] = { false };
    int64_t pixels = counts->others;
    for (int64_t i = 0; i < counts->n; i++) pixels += counts->pixels[i];
    for (int64_t shown = 0; shown < counts->n && shown < SHOWN; shown++) {
        int64_t most = -1;
        for (int64_t i = 0; i < counts->n; i++)
            if (!listed[i] && (most < 0 || counts->pixels[i] > counts->pixels[most])) most = i;
        listed[most] = true;
        str_addf(text, shown == 0 ? "#%06x (%lld pixels)" : ", #%06x (%lld)", (unsigned)counts->colors[most],
                 (long long)counts->pixels[most]);
    }
    if (counts->others > 0)
        str_addf(text, " and more than %d more colours", COLOR_COUNTS - SHOWN);
    else if (counts->n > SHOWN)
        str_addf(text, " and %lld more colours", (long long)(counts->n - SHOWN));
    return pixels;
}
