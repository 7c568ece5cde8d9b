/* SPDX-License-Identifier: Apache-2.0
 * Classes by their colours. */
#include "data/labels_color.h"

#include <stdlib.h>
#include <string.h>

enum { PALETTE = 256, CHANNELS = 3 };

static Err choose(Labels *l)
{
    static const char *const names[CHANNELS] = { "red", "green", "blue" };
    const char *path = raster_path(l->raster);
    if (raster_info(l->raster)->has_palette) {
        TRY(raster_choose_bands(l->raster, "1", 1, NULL));
    } else {
        if (l->bands < CHANNELS)
            return err_set(ERR_INPUT,
                           "'%s': no red, green and blue band and no palette; data.labels_kind colors reads classes by "
                           "their colours, leave it out for a raster of class values",
                           path);
        TRY(raster_choose_bands(l->raster, NULL, CHANNELS, names));
    }
    for (int64_t i = 0; i < raster_chosen_count(l->raster); i++) {
        const char *type = raster_band_type(l->raster, raster_chosen_band(l->raster, i));
        if (strcmp(type, "Byte") != 0)
            return err_set(ERR_INPUT, "'%s': bands of type %s; colours of classes are bytes", path, type);
    }
    return ERR_NONE;
}

Err labels_color_choose(Labels *l)
{
    const DatasetOptions *o = l->options;
    TRY(choose(l));
    const size_t known = (size_t)o->n_classes + o->n_ignore_colors;
    l->colors = calloc(known + PALETTE, sizeof *l->colors);
    if (l->colors == NULL) return err_memory((known + PALETTE) * sizeof *l->colors, "the colours of the classes");
    for (uint32_t c = 0; c < o->n_classes; c++) l->colors[c] = (uint32_t)strtoul(o->classes[c].color + 1, NULL, 16);
    for (uint32_t i = 0; i < o->n_ignore_colors; i++)
        l->colors[o->n_classes + i] = (uint32_t)strtoul(o->ignore_colors[i] + 1, NULL, 16);
    if (raster_chosen_count(l->raster) == CHANNELS) return ERR_NONE;
    l->palette = l->colors + known;
    for (int64_t i = 0; i < PALETTE; i++) (void)raster_class_color(l->raster, i, &l->palette[i]);
    return ERR_NONE;
}

static float value_of(const Labels *l, uint32_t color)
{
    const DatasetOptions *o = l->options;
    for (uint32_t c = 0; c < o->n_classes; c++)
        if (l->colors[c] == color) return (float)o->classes[c].value;
    for (uint32_t i = 0; i < o->n_ignore_colors; i++)
        if (l->colors[o->n_classes + i] == color) return (float)o->ignore;
    return label_unknown_color(color);
}

/* Each channel 0 or 255, as masks were before they were resampled or saved with loss. */
static uint32_t cut(uint32_t color, uint32_t threshold)
{
    uint32_t result = 0;
    for (uint32_t shift = 0; shift < 8 * CHANNELS; shift += 8)
        if ((color >> shift & 0xFFU) >= threshold) result |= (uint32_t)0xFF << shift;
    return result;
}

void labels_color_values(const Labels *l, int64_t n, const float *pixels, float *ret_values)
{
    const uint32_t threshold = (uint32_t)l->options->colors_threshold;
    uint32_t last = 0;
    float value = value_of(l, last);
    for (int64_t i = 0; i < n; i++) { /* the last one again, mostly */
        uint32_t color = 0;
        if (l->palette != NULL)
            color = l->palette[(int32_t)pixels[i]];
        else
            for (int64_t k = 0; k < CHANNELS; k++) color = color << 8 | (uint32_t)pixels[CHANNELS * i + k];
        if (threshold > 0) color = cut(color, threshold);
        if (color != last) value = value_of(l, color);
        last = color;
        ret_values[i] = value;
    }
}
