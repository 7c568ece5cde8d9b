/* SPDX-License-Identifier: Apache-2.0
 * Writing maps. Blocks go straight to the driver (GDALWriteBlock), never through GDAL's block cache: cached blocks may
 * be flushed by any thread, and a full disk would be reported there. */
#include "geo/raster_write.h"

#include "base/file.h"
#include "base/room.h"
#include "base/str.h"
#include "geo/gdal_session.h"
#include "geo/georeference_crs.h"
#include "geo/raster_internal.h"

#include <cpl_string.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256, NODATA = 255, MAX_CODE = 254 };

struct RasterWriter {
    char *path, *partial;
    bool overwrite;
    GDALDatasetH dataset;
    int64_t width, height, bands;
    int64_t next_row; /* rows received */
    int64_t held;     /* rows in the buffer */
    uint8_t fill;     /* beyond the border of the last blocks */
    uint8_t *buffer;  /* [bands][BLOCK][padded width] */
    size_t padded_width;
    uint8_t *block; /* [BLOCK][BLOCK] */
};

static Err check_options(const RasterWriteOptions *o)
{
    const bool named = o->kind == RASTER_CLASSES || o->kind == RASTER_PROBABILITIES;
    if (o->like == NULL && (o->width < 1 || o->height < 1 || o->width > INT32_MAX / 2 || o->height > INT32_MAX / 2))
        return err_set(ERR_ARGUMENT, "'%s': a map of %lld x %lld pixels cannot be written", o->path,
                       (long long)o->width, (long long)o->height);
    if (named && (o->n_classes < 1 || o->n_classes > MAX_CODE + 1))
        return err_set(ERR_ARGUMENT, "'%s': a map of %lld classes cannot be written; expected 1 to %d", o->path,
                       (long long)o->n_classes, MAX_CODE + 1);
    for (int64_t i = 0; named && i < o->n_classes; i++)
        if (o->classes[i].value < 0 || o->classes[i].value > MAX_CODE)
            return err_set(ERR_ARGUMENT, "'%s': class '%s' has the value %d; expected 0 to %d (255 is nodata)", o->path,
                           o->classes[i].name, o->classes[i].value, MAX_CODE);
    return ERR_NONE;
}

static GDALDatasetH create_dataset(const RasterWriter *w, RasterKind kind)
{
    char **options = NULL;
    options = CSLSetNameValue(options, "TILED", "YES");
    options = CSLSetNameValue(options, "BLOCKXSIZE", "256");
    options = CSLSetNameValue(options, "BLOCKYSIZE", "256");
    options = CSLSetNameValue(options, "COMPRESS", "DEFLATE");
    options = CSLSetNameValue(options, "PREDICTOR", kind == RASTER_CLASSES ? "1" : "2");
    options = CSLSetNameValue(options, "INTERLEAVE", "BAND");
    options = CSLSetNameValue(options, "BIGTIFF", "IF_SAFER");
    options = CSLSetNameValue(options, "PHOTOMETRIC", kind == RASTER_COLORS ? "RGB" : "MINISBLACK");
    if (kind == RASTER_CLASSES) options = CSLSetNameValue(options, "PHOTOMETRIC", "PALETTE");
    const GDALDatasetH dataset = GDALCreate(GDALGetDriverByName("GTiff"), w->partial, (int)w->width, (int)w->height,
                                            (int)w->bands, GDT_Byte, options);
    CSLDestroy(options);
    return dataset;
}

static CPLErr set_bounds(GDALDatasetH dataset, const RasterWriteOptions *o)
{
    double t[6] = { o->bounds[0], (o->bounds[2] - o->bounds[0]) / (double)o->width, 0.0, o->bounds[3],
                    0.0,          (o->bounds[1] - o->bounds[3]) / (double)o->height };
    CPLErr code = GDALSetGeoTransform(dataset, t);
    if (o->epsg == 0) return code;
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    OSRSetAxisMappingStrategy(crs, OAMS_TRADITIONAL_GIS_ORDER);
    if (OSRImportFromEPSG(crs, o->epsg) != OGRERR_NONE || GDALSetSpatialRef(dataset, crs) != CE_None) code = CE_Failure;
    OSRDestroySpatialReference(crs);
    return code;
}

/* True when x of the data runs along another axis than in the files written here, where it runs east: a VRT may say
 * that latitude comes first. */
static bool has_axes_swapped(OGRSpatialReferenceH crs)
{
    int n = 0, usual_n = 0;
    OGRSpatialReferenceH usual = OSRClone(crs);
    if (usual == NULL) return false;
    OSRSetAxisMappingStrategy(usual, OAMS_TRADITIONAL_GIS_ORDER);
    const int *mapping = OSRGetDataAxisToSRSAxisMapping(crs, &n);
    const int *usual_mapping = OSRGetDataAxisToSRSAxisMapping(usual, &usual_n);
    const bool swapped = n >= 2 && usual_n >= 2 && mapping[0] != usual_mapping[0];
    OSRDestroySpatialReference(usual);
    return swapped;
}

/* Copies everything that says where the pixels lie; `told`: the CRS to use instead of the file's, or NULL. */
static CPLErr copy_georeference(GDALDatasetH dataset, const Raster *like, OGRSpatialReferenceH told)
{
    CPLErr code = CE_None;
    const char *area_or_point = GDALGetMetadataItem(like->dataset, "AREA_OR_POINT", NULL);
    if (area_or_point != NULL) code = GDALSetMetadataItem(dataset, "AREA_OR_POINT", area_or_point, NULL);
    const int gcps = GDALGetGCPCount(like->dataset);
    const OGRSpatialReferenceH crs = told != NULL ? told : GDALGetSpatialRef(like->dataset);
    if (like->info.has_geotransform || gcps == 0) {
        if (code == CE_None && crs != NULL) code = GDALSetSpatialRef(dataset, crs);
        double t[6];
        memcpy(t, like->info.geotransform, sizeof t);
        if (crs != NULL && has_axes_swapped(crs)) {
            memcpy(t, like->info.geotransform + 3, 3 * sizeof *t);
            memcpy(t + 3, like->info.geotransform, 3 * sizeof *t);
        }
        if (code == CE_None && like->info.has_geotransform) code = GDALSetGeoTransform(dataset, t);
    } else if (code == CE_None) {
        code = GDALSetGCPs2(dataset, gcps, GDALGetGCPs(like->dataset),
                            told != NULL ? told : GDALGetGCPSpatialRef(like->dataset));
    }
    if (code == CE_None && like->info.has_rpc)
        code = GDALSetMetadata(dataset, GDALGetMetadata(like->dataset, "RPC"), "RPC");
    return code;
}

static CPLErr copy_place(GDALDatasetH dataset, const RasterWriteOptions *o)
{
    OGRSpatialReferenceH told = NULL;
    if (o->crs != NULL && crs_from_text(o->crs, &told) != ERR_NONE) return CE_Failure;
    const CPLErr code = copy_georeference(dataset, o->like, told);
    OSRDestroySpatialReference(told);
    return code;
}

static CPLErr describe_classes(GDALRasterBandH band, const RasterWriteOptions *o)
{
    const GDALColorTableH palette = GDALCreateColorTable(GPI_RGB);
    char **names = NULL;
    int32_t most = 0;
    for (int64_t i = 0; i < o->n_classes; i++) {
        const RasterClass *c = &o->classes[i];
        const GDALColorEntry entry = { c->color[0], c->color[1], c->color[2], 255 };
        GDALSetColorEntry(palette, c->value, &entry);
        if (c->value > most) most = c->value;
    }
    const GDALColorEntry nothing = { 0, 0, 0, 0 };
    GDALSetColorEntry(palette, NODATA, &nothing);
    for (int32_t value = 0; value <= most; value++) {
        const char *name = "";
        for (int64_t i = 0; i < o->n_classes; i++)
            if (o->classes[i].value == value) name = o->classes[i].name;
        names = CSLAddString(names, name);
    }
    CPLErr code = GDALSetRasterColorTable(band, palette);
    if (code == CE_None) code = GDALSetRasterCategoryNames(band, names);
    GDALDestroyColorTable(palette);
    CSLDestroy(names);
    return code;
}

static CPLErr describe_bands(GDALDatasetH dataset, const RasterWriteOptions *o)
{
    CPLErr code = CE_None;
    for (int b = 1; b <= GDALGetRasterCount(dataset) && code == CE_None; b++) {
        const GDALRasterBandH band = GDALGetRasterBand(dataset, b);
        if (o->kind == RASTER_COLORS) continue;
        code = GDALSetRasterNoDataValue(band, NODATA);
        if (o->kind == RASTER_CLASSES) {
            GDALSetDescription(band, "class");
            if (code == CE_None) code = describe_classes(band, o);
            continue;
        }
        GDALSetDescription(band, o->kind == RASTER_CONFIDENCE ? "confidence" : o->classes[b - 1].name);
        if (code == CE_None) code = GDALSetRasterScale(band, 1.0 / MAX_CODE);
        if (code == CE_None) code = GDALSetRasterOffset(band, 0.0);
    }
    return code;
}

static CPLErr describe(RasterWriter *w, const RasterWriteOptions *o)
{
    CPLErr code = CE_None;
    if (o->like != NULL)
        code = copy_place(w->dataset, o);
    else if (o->bounds != NULL)
        code = set_bounds(w->dataset, o);
    for (const char *const *item = o->metadata; item != NULL && item[0] != NULL && code == CE_None; item += 2)
        code = GDALSetMetadataItem(w->dataset, item[0], item[1], NULL);
    return code == CE_None ? describe_bands(w->dataset, o) : code;
}

static Err allocate(RasterWriter *w)
{
    w->padded_width = (size_t)((w->width + BLOCK - 1) / BLOCK * BLOCK);
    const size_t bytes = (size_t)w->bands * BLOCK * w->padded_width;
    w->buffer = malloc(bytes);
    w->block = malloc((size_t)BLOCK * BLOCK);
    if (w->buffer == NULL || w->block == NULL) return err_memory(bytes, "a row of blocks of the output");
    memset(w->buffer, w->fill, bytes);
    return ERR_NONE;
}

Err raster_writer_open(const RasterWriteOptions *options, RasterWriter **ret_writer)
{
    TRY(room_check("writing a raster"));
    TRY(check_options(options));
    TRY(file_check_output(options->path, options->overwrite));
    RasterWriter *w = calloc(1, sizeof *w);
    if (w == NULL) return err_memory(sizeof *w, "a raster writer");
    w->overwrite = options->overwrite;
    w->width = options->like != NULL ? options->like->info.width : options->width;
    w->height = options->like != NULL ? options->like->info.height : options->height;
    w->bands = options->kind == RASTER_PROBABILITIES ? options->n_classes : options->kind == RASTER_COLORS ? 3 : 1;
    w->fill = options->kind == RASTER_COLORS ? 0 : NODATA;
    Err err = allocate(w);
    if (err == ERR_NONE) err = str_copy(options->path, &w->path);
    if (err == ERR_NONE) err = file_partial_name(options->path, &w->partial);
    if (err == ERR_NONE) {
        GdalSession session;
        gdal_begin(&session);
        w->dataset = create_dataset(w, options->kind);
        if (w->dataset == NULL || describe(w, options) != CE_None || session.failures > 0)
            err = err_set(ERR_OUTPUT, "'%s': cannot be written (%s)", options->path,
                          gdal_reason(&session, "no reason given"));
        gdal_end(&session);
    }
    if (err == ERR_NONE)
        *ret_writer = w;
    else
        raster_writer_abort(w);
    return err;
}

int64_t raster_writer_bands(const RasterWriter *writer) { return writer->bands; }

/* Writes the buffered rows as one row of blocks. */
static Err write_blocks(RasterWriter *w)
{
    const int64_t block_row = (w->next_row - 1) / BLOCK;
    GdalSession session;
    gdal_begin(&session);
    CPLErr code = CE_None;
    for (int64_t b = 0; b < w->bands && code == CE_None; b++)
        for (int64_t x = 0; x < (int64_t)w->padded_width / BLOCK && code == CE_None; x++) {
            for (int64_t y = 0; y < BLOCK; y++)
                memcpy(w->block + y * BLOCK,
                       w->buffer + (size_t)(b * BLOCK + y) * w->padded_width + (size_t)(x * BLOCK), BLOCK);
            code = GDALWriteBlock(GDALGetRasterBand(w->dataset, (int)b + 1), (int)x, (int)block_row, w->block);
        }
    Err err = ERR_NONE;
    if (code != CE_None || session.failures > 0)
        err = err_set(ERR_OUTPUT, "'%s': cannot be written at row %lld (%s); is the disk full?", w->path,
                      (long long)(block_row * BLOCK), gdal_reason(&session, "no reason given"));
    gdal_end(&session);
    w->held = 0;
    memset(w->buffer, w->fill, (size_t)w->bands * BLOCK * w->padded_width);
    return err;
}

Err raster_writer_rows(RasterWriter *w, int64_t rows, const uint8_t *const *planes, size_t row_stride)
{
    ASSERT(rows >= 0 && w->next_row + rows <= w->height && row_stride >= (size_t)w->width);
    TRY(room_check("writing a raster"));
    for (int64_t y = 0; y < rows; y++) {
        for (int64_t b = 0; b < w->bands; b++)
            memcpy(w->buffer + (size_t)(b * BLOCK + w->held) * w->padded_width, planes[b] + (size_t)y * row_stride,
                   (size_t)w->width);
        w->held++;
        w->next_row++;
        if (w->held == BLOCK || w->next_row == w->height) TRY(write_blocks(w));
    }
    return ERR_NONE;
}

/* "NAME" + suffix of a file that belongs to it. */
static Err beside(const char *path, const char *suffix, char **ret_path)
{
    return str_format(ret_path, "%s%s", path, suffix);
}

static Err remove_beside(const char *path, const char *suffix)
{
    char *name = NULL;
    TRY(beside(path, suffix, &name));
    const Err err = file_remove(name);
    free(name);
    return err;
}

static Err close_dataset(RasterWriter *w)
{
    GdalSession session;
    gdal_begin(&session);
    GDALClose(w->dataset);
    w->dataset = NULL;
    const Err err = session.failures == 0 ? ERR_NONE
                                          : err_set(ERR_OUTPUT, "'%s': cannot be completed (%s); is the disk full?",
                                                    w->path, session.message);
    gdal_end(&session);
    return err;
}

/* Class names lie in GDAL's sidecar (.aux.xml), which gets its name first; sidecars of a file that is replaced go. */
static Err publish(const char *partial, const char *path, bool overwrite)
{
    TRY(file_check_output(path, overwrite));
    static const char *const stale[] = { ".aux.xml", ".ovr", ".msk" };
    for (int64_t i = 0; i < ARRAY_LEN(stale); i++) TRY(remove_beside(path, stale[i]));
    char *from = NULL, *to = NULL;
    Err err = beside(partial, ".aux.xml", &from);
    if (err == ERR_NONE) err = beside(path, ".aux.xml", &to);
    if (err == ERR_NONE && file_exists(from)) err = file_publish(from, to, true);
    if (err == ERR_NONE) {
        err = file_publish(partial, path, overwrite);
        if (err != ERR_NONE) (void)remove(to);
    }
    free(from);
    free(to);
    return err;
}

Err raster_writer_finish(RasterWriter *w)
{
    Err err = w->next_row == w->height ? ERR_NONE
                                       : err_set(ERR_INTERNAL, "'%s': only %lld of %lld rows were written", w->path,
                                                 (long long)w->next_row, (long long)w->height);
    if (err == ERR_NONE) err = close_dataset(w);
    if (err == ERR_NONE) err = publish(w->partial, w->path, w->overwrite);
    raster_writer_abort(w);
    return err;
}

void raster_writer_abort(RasterWriter *w)
{
    if (w == NULL) return;
    char message[ERR_MESSAGE_BYTES];
    (void)snprintf(message, sizeof message, "%s", err_message());
    if (w->dataset != NULL) (void)close_dataset(w);
    if (w->partial != NULL) {
        (void)file_remove(w->partial);
        (void)remove_beside(w->partial, ".aux.xml");
    }
    (void)err_adopt(ERR_NONE, message);
    free(w->partial);
    free(w->path);
    free(w->buffer);
    free(w->block);
    free(w);
}
