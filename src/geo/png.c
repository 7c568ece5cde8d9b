/* SPDX-License-Identifier: Apache-2.0
 * PNG by GDAL's driver, by way of a file in memory. */
#include "geo/png.h"

#include "geo/gdal_session.h"

#include <cpl_vsi.h>
#include <gdal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file name in memory that no other picture has. */
static void memory_name(const uint8_t *pixels, char *ret_name, size_t bytes)
{
    (void)snprintf(ret_name, bytes, "/vsimem/metaseg-picture-%p.png", (const void *)pixels);
}

static GDALDatasetH in_memory(const uint8_t *pixels, int bands, int width, int height)
{
    const GDALDriverH driver = GDALGetDriverByName("MEM");
    GDALDatasetH picture = driver != NULL ? GDALCreate(driver, "", width, height, bands, GDT_Byte, NULL) : NULL;
    if (picture == NULL) return NULL;
    if (GDALDatasetRasterIO(picture, GF_Write, 0, 0, width, height, (void *)(uintptr_t)pixels, width, height, GDT_Byte,
                            bands, NULL, bands, width * bands, 1) == CE_None)
        return picture;
    GDALClose(picture);
    return NULL;
}

static Err take(const char *name, uint8_t **ret_bytes, size_t *ret_length)
{
    vsi_l_offset length = 0;
    const GByte *written = VSIGetMemFileBuffer(name, &length, FALSE);
    if (written == NULL || length == 0) return err_set(ERR_UNSUPPORTED, "this GDAL wrote no PNG");
    uint8_t *bytes = malloc((size_t)length);
    if (bytes == NULL) return err_memory((size_t)length, "a picture");
    memcpy(bytes, written, (size_t)length);
    *ret_bytes = bytes;
    *ret_length = (size_t)length;
    return ERR_NONE;
}

Err png_encode(const uint8_t *pixels, int32_t bands, int64_t width, int64_t height, uint8_t **ret_bytes,
               size_t *ret_length)
{
    char name[64];
    GdalSession session;
    memory_name(pixels, name, sizeof name);
    gdal_begin(&session);
    const GDALDriverH driver = GDALGetDriverByName("PNG");
    GDALDatasetH picture = driver != NULL ? in_memory(pixels, (int)bands, (int)width, (int)height) : NULL;
    GDALDatasetH copy = picture != NULL ? GDALCreateCopy(driver, name, picture, FALSE, NULL, NULL, NULL) : NULL;
    if (picture != NULL) GDALClose(picture);
    Err err = ERR_NONE;
    if (copy == NULL) {
        err = err_set(ERR_UNSUPPORTED, "a picture of %lld x %lld pixels: %s", (long long)width, (long long)height,
                      gdal_reason(&session, "this GDAL writes no PNG"));
    } else {
        GDALClose(copy);
        err = take(name, ret_bytes, ret_length);
        (void)VSIUnlink(name);
    }
    gdal_end(&session);
    return err;
}
