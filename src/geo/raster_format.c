/* SPDX-License-Identifier: Apache-2.0
 * Which creation options may be chosen. */
#include "geo/raster_format.h"

#include "base/str.h"
#include "geo/gdal_session.h"

#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIAL_SIDE = 600, NAME_BYTES = 64 };

const char *raster_format_driver(RasterFormat format) { return format == RASTER_COG ? "COG" : "GTiff"; }

static char **gtiff_options(RasterKind kind)
{
    const bool map = kind == RASTER_CLASSES;
    char **o = NULL;
    o = CSLSetNameValue(o, "TILED", "YES");
    o = CSLSetNameValue(o, "BLOCKXSIZE", "256");
    o = CSLSetNameValue(o, "BLOCKYSIZE", "256");
    o = CSLSetNameValue(o, "COMPRESS", "DEFLATE");
    o = CSLSetNameValue(o, "PREDICTOR", map ? "1" : "2");
    o = CSLSetNameValue(o, "INTERLEAVE", "BAND");
    o = CSLSetNameValue(o, "BIGTIFF", "IF_SAFER");
    return CSLSetNameValue(o, "PHOTOMETRIC", map ? "PALETTE" : kind == RASTER_COLORS ? "RGB" : "MINISBLACK");
}

/* Overviews of classes by mode: the driver's own choice, cubic or nearest, invents classes or loses small ones. It takes
 * overviews of the source whatever resampling is asked for unless they are ignored. IF_SAFER, because IF_NEEDED finds out
 * near 4 GB after all has been compressed. */
static char **cog_options(RasterKind kind)
{
    const bool map = kind == RASTER_CLASSES;
    char **o = NULL;
    o = CSLSetNameValue(o, "COMPRESS", "DEFLATE");
    o = CSLSetNameValue(o, "PREDICTOR", map ? "NO" : "STANDARD");
    o = CSLSetNameValue(o, "BLOCKSIZE", "512");
    o = CSLSetNameValue(o, "BIGTIFF", "IF_SAFER");
    o = CSLSetNameValue(o, "OVERVIEWS", "IGNORE_EXISTING");
    return CSLSetNameValue(o, "OVERVIEW_RESAMPLING", map ? "MODE" : "AVERAGE");
}

char **raster_format_options(RasterFormat format, RasterKind kind, const char *const *options)
{
    char **all = format == RASTER_COG ? cog_options(kind) : gtiff_options(kind);
    for (; options != NULL && *options != NULL; options++) {
        char *name = NULL;
        const char *value = CPLParseNameValue(*options, &name);
        all = CSLSetNameValue(all, name, value);
        CPLFree(name);
    }
    return all;
}

void raster_format_pin_overviews(char **options)
{
    const char *level = CSLFetchNameValue(options, "LEVEL"), *compress = CSLFetchNameValue(options, "COMPRESS");
    const char *predictor =
        CSLFetchNameValueDef(options, "OVERVIEW_PREDICTOR", CSLFetchNameValue(options, "PREDICTOR"));
    const bool differences = EQUAL(predictor, "YES") || EQUAL(predictor, "STANDARD") || EQUAL(predictor, "2");
    CPLSetThreadLocalConfigOption("GDAL_TIFF_OVR_BLOCKSIZE", CSLFetchNameValue(options, "BLOCKSIZE"));
    CPLSetThreadLocalConfigOption("COMPRESS_OVERVIEW", CSLFetchNameValueDef(options, "OVERVIEW_COMPRESS", compress));
    CPLSetThreadLocalConfigOption("PREDICTOR_OVERVIEW", differences ? "2" : "1");
    CPLSetThreadLocalConfigOption("ZLEVEL_OVERVIEW", level != NULL ? level : "6");
    CPLSetThreadLocalConfigOption("ZSTD_LEVEL_OVERVIEW", level != NULL ? level : "9");
    CPLSetThreadLocalConfigOption("INTERLEAVE_OVERVIEW", "PIXEL");
    CPLSetThreadLocalConfigOption("SPARSE_OK_OVERVIEW", "OFF");
    CPLSetThreadLocalConfigOption("BIGTIFF_OVERVIEW", "IF_SAFER");
}

/* ---- what is refused ---- */

/* Options that the drivers have and maps have not. */
typedef struct Refused {
    const char *names; /* blank at both ends and between */
    const char *why;
} Refused;

static const Refused refused[] = {
    { " TILED BLOCKXSIZE BLOCKYSIZE INTERLEAVE ",
      "maps are written in tiles of 256 x 256 pixels, band by band; --of COG has BLOCKSIZE" },
    { " NBITS DISCARD_LSB PIXELTYPE ", "it would change the values" },
    { " JPEG_QUALITY JPEGTABLESMODE WEBP_LOSSLESS WEBP_LEVEL QUALITY OVERVIEW_QUALITY MAX_Z_ERROR JXL_LOSSLESS "
      "JXL_EFFORT "
      "JXL_DISTANCE JXL_ALPHA_DISTANCE ",
      "it belongs to compression that changes values, and maps are compressed without loss" },
    { " PHOTOMETRIC ALPHA SOURCE_ICC_PROFILE SOURCE_PRIMARIES_RED SOURCE_PRIMARIES_GREEN SOURCE_PRIMARIES_BLUE "
      "SOURCE_WHITEPOINT TIFFTAG_TRANSFERFUNCTION_RED TIFFTAG_TRANSFERFUNCTION_GREEN TIFFTAG_TRANSFERFUNCTION_BLUE "
      "TIFFTAG_TRANSFERRANGE_BLACK TIFFTAG_TRANSFERRANGE_WHITE ",
      "the colours are those of the classes" },
    { " PROFILE ", "without GDAL's tags the class names and nodata would be lost" },
    { " TFW RPB RPCTXT WORLDFILE ", "the file itself says where it lies, and nothing is written beside it" },
    { " COPY_SRC_OVERVIEWS STREAMABLE_OUTPUT ", "it has no meaning for a map; --of COG writes overviews" },
    { " NUM_THREADS ", "--threads says how many there are" },
    { " RESAMPLING ",
      "overviews take the most frequent class, or the mean; OVERVIEW_RESAMPLING=NEAREST is the other way" },
    { " OVERVIEWS OVERVIEW_COUNT ", "a COG has overviews down to one tile; --of GTiff has none" },
    { " TILING_SCHEME ZOOM_LEVEL ZOOM_LEVEL_STRATEGY TARGET_SRS RES EXTENT ALIGNED_LEVELS ADD_ALPHA WARP_RESAMPLING ",
      "maps lie on the image's own grid; gdalwarp brings them to another" },
};

/* Values of options that may be chosen. */
typedef struct RefusedValue {
    const char *name, *values; /* as Refused.names */
    const char *why;
} RefusedValue;

static const RefusedValue refused_values[] = {
    { "COMPRESS", " JPEG WEBP JXL CCITTRLE CCITTFAX3 CCITTFAX4 ", "it changes values; DEFLATE and ZSTD do not" },
    { "OVERVIEW_COMPRESS", " JPEG WEBP JXL CCITTRLE CCITTFAX3 CCITTFAX4 ",
      "it changes values; DEFLATE and ZSTD do not" },
};

static const char resamplings[] = " NEAREST MODE ";

/* Whether a word stands in a list of words, case ignored. */
static bool is_in(const char *words, const char *word)
{
    char wanted[NAME_BYTES + 2];
    const int length = snprintf(wanted, sizeof wanted, " %s ", word);
    if (length < 0 || (size_t)length >= sizeof wanted || strchr(word, ' ') != NULL) return false;
    for (const char *at = words; (at = strchr(at, ' ')) != NULL; at++)
        if (EQUALN(at, wanted, (size_t)length)) return true;
    return false;
}

static const char *why_refused(const char *name)
{
    for (int64_t i = 0; i < ARRAY_LEN(refused); i++)
        if (is_in(refused[i].names, name)) return refused[i].why;
    return NULL;
}

static Err check_value(const char *option, const char *name, const char *value)
{
    for (int64_t i = 0; i < ARRAY_LEN(refused_values); i++) {
        const RefusedValue *r = &refused_values[i];
        if (EQUAL(r->name, name) && is_in(r->values, value))
            return err_set(ERR_ARGUMENT, "creation option '%s': %s", option, r->why);
    }
    if (EQUAL(name, "OVERVIEW_RESAMPLING") && !is_in(resamplings, value))
        return err_set(ERR_ARGUMENT, "creation option '%s': invents classes; it may be NEAREST or MODE", option);
    return ERR_NONE;
}

/* The driver's own list: whether `name` is on it, and those on it that may be chosen, as text. */
static bool driver_has(GDALDriverH driver, const char *name, Str *ret_names)
{
    CPLXMLNode *root = CPLParseXMLString(GDALGetMetadataItem(driver, GDAL_DMD_CREATIONOPTIONLIST, NULL));
    const CPLXMLNode *list = CPLGetXMLNode(root, "=CreationOptionList");
    bool found = false;
    for (const CPLXMLNode *o = list != NULL ? list->psChild : NULL; o != NULL; o = o->psNext) {
        const char *own = CPLGetXMLValue(o, "name", "");
        if (o->eType != CXT_Element || own[0] == '\0') continue;
        found = found || EQUAL(own, name);
        if (why_refused(own) == NULL) str_addf(ret_names, "%s%s", ret_names->length > 0 ? ", " : "", own);
    }
    CPLDestroyXMLNode(root);
    return found;
}

static Err check_name(RasterFormat format, const char *option, const char *name)
{
    Str names = { 0 };
    Err err = ERR_NONE;
    const char *driver = raster_format_driver(format), *why = why_refused(name);
    if (!driver_has(GDALGetDriverByName(driver), name, &names))
        err = err_set(ERR_ARGUMENT, "creation option '%s': the driver %s has none of this name; it has %s", option,
                      driver, str_text(&names));
    else if (why != NULL)
        err = err_set(ERR_ARGUMENT, "creation option '%s': cannot be chosen: %s", option, why);
    str_done(&names);
    return err;
}

static Err check_option(RasterFormat format, const char *const *options, int64_t i)
{
    char *name = NULL;
    const char *value = CPLParseNameValue(options[i], &name);
    Err err = ERR_NONE;
    if (name == NULL || name[0] == '\0' || value == NULL || value[0] == '\0')
        err = err_set(ERR_ARGUMENT, "creation option '%s': expected NAME=VALUE", options[i]);
    for (int64_t k = 0; k < i && err == ERR_NONE; k++)
        if (EQUALN(options[k], options[i], strcspn(options[i], "=") + 1))
            err = err_set(ERR_ARGUMENT, "creation option '%s': was given as '%s' before; give one", options[i],
                          options[k]);
    if (err == ERR_NONE) err = check_name(format, options[i], name);
    if (err == ERR_NONE) err = check_value(options[i], name, value);
    CPLFree(name);
    return err;
}

/* ---- trial ---- */

static uint8_t trial_value(int x, int y) { return (uint8_t)((x / 7 + y * 5) % 256); }

static bool trial_fill(GDALDatasetH d, RasterKind kind, uint8_t *row)
{
    const GDALRasterBandH band = GDALGetRasterBand(d, 1);
    bool good = GDALSetRasterNoDataValue(band, 255.0) == CE_None;
    if (kind == RASTER_CLASSES) {
        const GDALColorTableH palette = GDALCreateColorTable(GPI_RGB);
        const GDALColorEntry color = { 1, 2, 3, 255 };
        for (int i = 0; i < 256; i++) GDALSetColorEntry(palette, i, &color);
        good = good && GDALSetRasterColorTable(band, palette) == CE_None;
        GDALDestroyColorTable(palette);
    }
    for (int y = 0; y < TRIAL_SIDE && good; y++) {
        for (int x = 0; x < TRIAL_SIDE; x++) row[x] = trial_value(x, y);
        good = GDALRasterIO(band, GF_Write, 0, y, TRIAL_SIDE, 1, row, TRIAL_SIDE, 1, GDT_Byte, 0, 0) == CE_None;
    }
    return good;
}

static bool trial_is_same(const char *name, uint8_t *row)
{
    const GDALDatasetH d = GDALOpen(name, GA_ReadOnly);
    bool same = d != NULL && GDALGetRasterXSize(d) == TRIAL_SIDE && GDALGetRasterYSize(d) == TRIAL_SIDE &&
                GDALGetRasterCount(d) == 1;
    for (int y = 0; y < TRIAL_SIDE && same; y++) {
        same = GDALRasterIO(GDALGetRasterBand(d, 1), GF_Read, 0, y, TRIAL_SIDE, 1, row, TRIAL_SIDE, 1, GDT_Byte, 0,
                            0) == CE_None;
        for (int x = 0; x < TRIAL_SIDE && same; x++) same = row[x] == trial_value(x, y);
    }
    GDALClose(d);
    return same;
}

/* Writes a small raster in memory and reads it back. */
static Err try_once(RasterFormat format, RasterKind kind, const char *const *options, GdalSession *session)
{
    char name[NAME_BYTES];
    uint8_t *row = malloc(TRIAL_SIDE);
    if (row == NULL) return err_memory(TRIAL_SIDE, "a trial of creation options");
    (void)snprintf(name, sizeof name, "/vsimem/metaseg-trial-%p.tif", (void *)session);
    char **all = raster_format_options(format, kind, options);
    const GDALDriverH driver = GDALGetDriverByName(raster_format_driver(format));
    if (format == RASTER_COG) raster_format_pin_overviews(all);
    const GDALDatasetH source = GDALCreate(GDALGetDriverByName("MEM"), "", TRIAL_SIDE, TRIAL_SIDE, 1, GDT_Byte, NULL);
    bool good = source != NULL && trial_fill(source, kind, row) && GDALValidateCreationOptions(driver, all) != FALSE;
    const GDALDatasetH copy = good ? GDALCreateCopy(driver, name, source, FALSE, all, NULL, NULL) : NULL;
    if (copy != NULL) GDALClose(copy);
    good = copy != NULL && session->failures == 0 && session->warnings == 0 && trial_is_same(name, row);
    if (source != NULL) GDALClose(source);
    CSLDestroy(all);
    (void)VSIUnlink(name);
    free(row);
    if (good) return ERR_NONE;
    return err_set(ERR_ARGUMENT, "creation options of the driver %s: cannot be used together (%s)",
                   raster_format_driver(format),
                   gdal_reason(session, session->warnings > 0 ? session->warning : "the values would change"));
}

/* The driver reads files of its own: what fails once, or without any option of a user's, is not the options' fault. */
static Err try_out(RasterFormat format, RasterKind kind, const char *const *options)
{
    const char *const none[] = { NULL };
    const char *const *const tries[] = { options, options, none };
    char message[ERR_MESSAGE_BYTES] = "";
    Err err = ERR_NONE;
    for (int64_t i = 0; i < ARRAY_LEN(tries); i++) {
        GdalSession session;
        gdal_begin(&session);
        err = try_once(format, kind, tries[i], &session);
        gdal_end(&session);
        if (err == ERR_NONE && tries[i] == options) return ERR_NONE;
        if (tries[i] == options) (void)snprintf(message, sizeof message, "%s", err_message());
    }
    if (err == ERR_NONE) return err_adopt(ERR_ARGUMENT, message);
    return err == ERR_ARGUMENT ? err_set(ERR_OUTPUT, "nothing can be written with the driver %s: %s",
                                         raster_format_driver(format), message)
                               : err;
}

Err raster_format_check(RasterFormat format, const char *const *options)
{
    Err err = ERR_NONE;
    if (options == NULL || options[0] == NULL) return ERR_NONE;
    GdalSession session;
    gdal_begin(&session);
    for (int64_t i = 0; options[i] != NULL && err == ERR_NONE; i++) err = check_option(format, options, i);
    gdal_end(&session);
    if (err == ERR_NONE) err = try_out(format, RASTER_CLASSES, options);
    return err == ERR_NONE ? try_out(format, RASTER_CONFIDENCE, options) : err;
}
