/* SPDX-License-Identifier: Apache-2.0
 * Validity: what each band's file says, and applying it to a window. */
#include "geo/raster_valid.h"

#include "geo/read_failure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text such as -3.4028235e+38, -3.40282e+38 or -3.4e+38 all mean the largest float; no sensor measures it. */
static const float largest_value = 3.4e38F;

static bool is_signed_byte(GDALRasterBandH band)
{
    const char *type = GDALGetMetadataItem(band, "PIXELTYPE", "IMAGE_STRUCTURE");
    return GDALGetRasterDataType(band) == GDT_Byte && type != NULL && strcmp(type, "SIGNEDBYTE") == 0;
}

static RasterMaskKind mask_kind(int flags)
{
    if ((flags & GMF_ALL_VALID) != 0) return RASTER_MASK_NONE;
    if ((flags & GMF_ALPHA) != 0) return RASTER_MASK_ALPHA;
    const bool per_dataset = (flags & GMF_PER_DATASET) != 0;
    if ((flags & GMF_NODATA) != 0) return per_dataset ? RASTER_MASK_NODATA_VALUES : RASTER_MASK_NODATA;
    return per_dataset ? RASTER_MASK_FILE : RASTER_MASK_BAND;
}

static bool is_small_integer(GDALDataType type)
{
#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 7, 0)
    if (type == GDT_Int8) return true;
#endif
    return type == GDT_Byte || type == GDT_UInt16 || type == GDT_Int16;
}

/* Comparing the values just read is exact, and faster than asking GDAL, where a float holds each value of the type. */
static void describe_nodata(GDALRasterBandH band, bool is_signed, RasterBandMask *mask)
{
    const GDALDataType type = GDALGetRasterDataType(band);
    int has_nodata = 0;
    if (!is_small_integer(type)) return;
    const double nodata = GDALGetRasterNoDataValue(band, &has_nodata);
    if (has_nodata == 0 || nodata != floor(nodata)) return;
    if (is_signed && mask->kind == RASTER_MASK_NONE && nodata >= -128.0 && nodata < 0.0)
        mask->kind = RASTER_MASK_NODATA; /* out of a byte's range for GDAL before 3.7 */
    mask->compared = mask->kind == RASTER_MASK_NODATA;
    mask->nodata = (float)(is_signed && nodata > 127.0 ? nodata - 256.0 : nodata);
}

static Err describe_palette(GDALRasterBandH band, RasterBandMask *mask)
{
    const GDALColorTableH palette = GDALGetRasterColorTable(band);
    if (palette == NULL || GDALGetPaletteInterpretation(palette) != GPI_RGB) return ERR_NONE;
    const int count = GDALGetColorEntryCount(palette);
    int first = 0;
    while (first < count && GDALGetColorEntry(palette, first)->c4 != 0) first++;
    if (first == count) return ERR_NONE;
    const size_t bytes = (size_t)count;
    mask->transparent = calloc(bytes, 1);
    if (mask->transparent == NULL) return err_memory(bytes, "a palette");
    mask->colours = count;
    for (int i = first; i < count; i++) mask->transparent[i] = GDALGetColorEntry(palette, i)->c4 == 0;
    return ERR_NONE;
}

Err raster_valid_describe(Raster *raster, int64_t index)
{
    const GDALRasterBandH band = GDALGetRasterBand(raster->dataset, (int)index + 1);
    RasterBand *b = &raster->bands[index];
    RasterBandMask *mask = &b->mask;
    const GDALDataType type = GDALGetRasterDataType(band);
    b->is_signed = is_signed_byte(band);
    mask->kind = mask_kind(GDALGetMaskFlags(band));
    mask->real = type == GDT_Float32 || type == GDT_Float64;
    describe_nodata(band, b->is_signed, mask);
    return describe_palette(band, mask);
}

/* ---- windows ---- */

static Err reserve_scratch(Raster *raster, RasterWindow window)
{
    const size_t bytes = (size_t)window.columns * (size_t)window.rows * sizeof(float);
    if (bytes <= raster->mask_scratch_bytes) return ERR_NONE;
    void *scratch = realloc(raster->mask_scratch, bytes);
    if (scratch == NULL) return err_memory(bytes, "a mask window");
    raster->mask_scratch = scratch;
    raster->mask_scratch_bytes = bytes;
    return ERR_NONE;
}

static Err read_mask(Raster *raster, GDALRasterBandH band, RasterWindow w, GDALDataType type,
                     const GdalSession *session)
{
    TRY(reserve_scratch(raster, w));
    if (GDALRasterIO(band, GF_Read, (int)w.x, (int)w.y, (int)w.columns, (int)w.rows, raster->mask_scratch,
                     (int)w.columns, (int)w.rows, type, 0, 0) == CE_None &&
        session->failures == 0)
        return ERR_NONE;
    return err_set(
        ERR_INPUT, "'%s': its mask cannot be read at rows %lld to %lld (%s); the file is truncated or damaged",
        raster->path, (long long)w.y, (long long)(w.y + w.rows - 1), gdal_reason(session, "no reason given"));
}

/* Clears `valid` where a mask band is 0. */
static Err apply_mask(Raster *raster, GDALRasterBandH band, RasterWindow window, const GdalSession *session,
                      uint8_t *valid)
{
    TRY(read_mask(raster, band, window, GDT_Byte, session));
    const uint8_t *mask = raster->mask_scratch;
    for (int64_t i = 0; i < window.columns * window.rows; i++)
        if (mask[i] == 0) valid[i] = 0;
    return ERR_NONE;
}

/* An alpha band may have any type: 0.3 of a float is not 0. */
static Err apply_alpha(Raster *raster, int64_t band, RasterWindow window, const GdalSession *session, uint8_t *valid)
{
    TRY(read_mask(raster, GDALGetRasterBand(raster->dataset, (int)band), window, GDT_Float32, session));
    const float *alpha = raster->mask_scratch;
    for (int64_t i = 0; i < window.columns * window.rows; i++)
        if (!(fabsf(alpha[i]) > 0.0F)) valid[i] = 0;
    return ERR_NONE;
}

static bool is_chosen(const Raster *raster, int64_t band)
{
    for (int64_t i = 0; i < raster->chosen_count; i++)
        if (raster->chosen[i] == band) return true;
    return false;
}

/* What the values themselves tell: band `i` of the chosen. */
static void check_values(const Raster *raster, int64_t i, int64_t pixels, const float *values, uint8_t *valid)
{
    const RasterBandMask *mask = &raster->bands[raster->chosen[i] - 1].mask;
    const int64_t bands = raster->chosen_count;
    for (int64_t p = 0; mask->real && p < pixels; p++)
        if (!(fabsf(values[p * bands + i]) < largest_value)) valid[p] = 0;
    for (int64_t p = 0; mask->compared && p < pixels; p++)
        if (values[p * bands + i] == mask->nodata) valid[p] = 0;
    for (int64_t p = 0; mask->transparent != NULL && p < pixels; p++) {
        const float value = values[p * bands + i];
        if (value >= 0.0F && value < (float)mask->colours && mask->transparent[(int64_t)value] != 0) valid[p] = 0;
    }
}

Err raster_valid_read(Raster *raster, RasterWindow window, const GdalSession *session, const float *values,
                      uint8_t *ret_valid)
{
    const int64_t pixels = window.columns * window.rows;
    bool whole_file = false; /* one mask holds for all bands, and was applied */
    memset(ret_valid, 1, (size_t)pixels);
    for (int64_t i = 0; i < raster->chosen_count; i++) {
        const RasterBandMask *mask = &raster->bands[raster->chosen[i] - 1].mask;
        const bool of_file = mask->kind == RASTER_MASK_FILE || mask->kind == RASTER_MASK_NODATA_VALUES;
        check_values(raster, i, pixels, values, ret_valid);
        if (mask->kind == RASTER_MASK_NONE || mask->kind == RASTER_MASK_ALPHA || mask->compared ||
            (of_file && whole_file))
            continue;
        whole_file = whole_file || of_file;
        const GDALRasterBandH band = GDALGetRasterBand(raster->dataset, raster->chosen[i]);
        TRY(apply_mask(raster, GDALGetMaskBand(band), window, session, ret_valid));
    }
    for (int64_t band = 1; band <= raster->info.bands; band++)
        if (raster->bands[band - 1].is_alpha && !is_chosen(raster, band))
            TRY(apply_alpha(raster, band, window, session, ret_valid));
    return ERR_NONE;
}
