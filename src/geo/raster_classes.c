/* SPDX-License-Identifier: Apache-2.0
 * Names and colours of the classes that a class map carries. */
#include "geo/raster_internal.h"

#include <stdio.h>
#include <string.h>

const char *raster_kind(const Raster *raster)
{
    const char *kind = raster_metadata(raster, NULL, RASTER_KIND_ITEM);
    return kind != NULL ? kind : "";
}

const char *raster_class_name(const Raster *raster, int64_t value)
{
    char key[32];
    (void)snprintf(key, sizeof key, RASTER_CLASS_ITEM "%lld", (long long)value);
    const char *own = raster_metadata(raster, NULL, key);
    if (own != NULL) return own;
    char **names = GDALGetRasterCategoryNames(GDALGetRasterBand(raster->dataset, 1));
    if (names == NULL || value < 0) return "";
    for (int64_t i = 0; names[i] != NULL; i++) {
        if (i == value) return names[i];
    }
    return "";
}

bool raster_class_color(const Raster *raster, int64_t value, uint32_t *ret_rgb)
{
    const GDALColorTableH palette = GDALGetRasterColorTable(GDALGetRasterBand(raster->dataset, 1));
    GDALColorEntry color;
    if (palette == NULL || value < 0 || value >= GDALGetColorEntryCount(palette)) return false;
    if (GDALGetColorEntryAsRGB(palette, (int)value, &color) == 0) return false;
    *ret_rgb = (uint32_t)(color.c1 & 255) << 16 | (uint32_t)(color.c2 & 255) << 8 | (uint32_t)(color.c3 & 255);
    return true;
}

const char *raster_measurement(const Raster *raster, int64_t band)
{
    const GDALRasterBandH handle = GDALGetRasterBand(raster->dataset, (int)band);
    const char *kind = raster_kind(raster);
    int has_scale = 0, has_offset = 0;
    const double scale = GDALGetRasterScale(handle, &has_scale), offset = GDALGetRasterOffset(handle, &has_offset);
    if (strcmp(kind, "confidence") == 0) return "it is a raster of confidence (" RASTER_KIND_ITEM ")";
    if (strcmp(kind, "probabilities") == 0) return "it is a raster of probabilities (" RASTER_KIND_ITEM ")";
    if ((has_scale != 0 && scale != 1.0) || (has_offset != 0 && offset != 0.0))
        return "its values have a scale or an offset";
    return NULL;
}

bool raster_is_color_picture(const Raster *raster)
{
    bool found[3] = { false };
    for (int band = 1; band <= (int)raster->info.bands; band++) {
        const GDALColorInterp color = GDALGetRasterColorInterpretation(GDALGetRasterBand(raster->dataset, band));
        for (int i = 0; i < 3; i++) found[i] = found[i] || color == (GDALColorInterp)(GCI_RedBand + i);
    }
    return found[0] && found[1] && found[2];
}
