/* SPDX-License-Identifier: Apache-2.0
 * Writing maps. Blocks go straight to the driver (GDALWriteBlock), never through GDAL's block cache: cached blocks may
 * be flushed by any thread, and a full disk would be reported there. */
#include "geo/raster_write.h"

#include "base/file.h"
#include "base/room.h"
#include "base/str.h"
#include "geo/gdal_session.h"
#include "geo/georeference_crs.h"
#include "geo/raster_cog.h"
#include "geo/raster_count.h"
#include "geo/raster_files.h"
#include "geo/raster_internal.h"
#include "geo/raster_sidecars.h"

#include <cpl_string.h>
#include <errno.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = RASTER_WRITER_BLOCK, NODATA = 255, MAX_CODE = 254 };

/* Of a GeoTIFF that a COG is copied from. */
static const char *const quick[] = { "ZLEVEL=1", NULL };

struct RasterWriter {
    char *path;
    Output *output;
    RasterFormat format;
    char **creation;              /* CSL; options of the user */
    char *tiff;                   /* RASTER_COG: the GeoTIFF that is written first, in the hidden folder; NULL: none */
    const volatile int *stop;     /* NULL: never */
    const char *side_car, *style; /* files of the output; `style` NULL: none is written */
    RasterClass *classes;         /* [n_classes], names clean and owned; for side-cars */
    int64_t n_classes;
    PixelArea *area;       /* of a class map's grid; NULL: unknown */
    ClassAreas counts;     /* of a class map, once it is complete */
    ClassAreas *ret_areas; /* where they go; NULL: nowhere */
    bool place_is_told;    /* the map must say its coordinate system */
    GDALDatasetH dataset;
    RasterKind kind;
    int64_t width, height, bands;
    int64_t next_row; /* rows received */
    int64_t blocks;   /* or blocks */
    int64_t held;     /* rows in the buffer */
    uint8_t fill;     /* beyond the border of the last blocks */
    uint8_t *buffer;  /* [bands][BLOCK][padded width]; NULL: no rows came yet */
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

/* A COG is copied from a GeoTIFF of blocks that can be written one after the other. */
static GDALDatasetH create_dataset(const RasterWriter *w)
{
    const bool copied = w->format == RASTER_COG;
    char **options = raster_format_options(RASTER_GTIFF, w->kind, copied ? quick : (const char *const *)w->creation);
    const GDALDatasetH dataset = GDALCreate(GDALGetDriverByName("GTiff"), copied ? w->tiff : output_partial(w->output),
                                            (int)w->width, (int)w->height, (int)w->bands, GDT_Byte, options);
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

/* Control points, x east. */
static CPLErr copy_gcps(GDALDatasetH dataset, const Raster *like, OGRSpatialReferenceH crs)
{
    const int n = GDALGetGCPCount(like->dataset);
    const GDAL_GCP *gcps = GDALGetGCPs(like->dataset);
    if (crs == NULL || !has_axes_swapped(crs)) return GDALSetGCPs2(dataset, n, gcps, crs);
    GDAL_GCP *swapped = malloc((size_t)n * sizeof *swapped);
    if (swapped == NULL) return CE_Failure;
    for (int i = 0; i < n; i++) {
        swapped[i] = gcps[i];
        swapped[i].dfGCPX = gcps[i].dfGCPY;
        swapped[i].dfGCPY = gcps[i].dfGCPX;
    }
    const CPLErr code = GDALSetGCPs2(dataset, n, swapped, crs);
    free(swapped);
    return code;
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
        code = copy_gcps(dataset, like, told != NULL ? told : GDALGetGCPSpatialRef(like->dataset));
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

static CPLErr set_palette(GDALRasterBandH band, const RasterWriter *w)
{
    const GDALColorTableH palette = GDALCreateColorTable(GPI_RGB);
    for (int64_t i = 0; i < w->n_classes; i++) {
        const RasterClass *c = &w->classes[i];
        const GDALColorEntry entry = { c->color[0], c->color[1], c->color[2], 255 };
        GDALSetColorEntry(palette, c->value, &entry);
    }
    const GDALColorEntry nothing = { 0, 0, 0, 0 };
    GDALSetColorEntry(palette, NODATA, &nothing);
    const CPLErr code = GDALSetRasterColorTable(band, palette);
    GDALDestroyColorTable(palette);
    return code;
}

static CPLErr describe_bands(const RasterWriter *w)
{
    const RasterKind kind = w->kind;
    CPLErr code = CE_None;
    for (int b = 1; b <= w->bands && code == CE_None; b++) {
        const GDALRasterBandH band = GDALGetRasterBand(w->dataset, b);
        if (kind == RASTER_COLORS) continue;
        code = GDALSetRasterNoDataValue(band, NODATA);
        if (kind == RASTER_CLASSES) {
            GDALSetDescription(band, "class");
            if (code == CE_None) code = set_palette(band, w);
            continue;
        }
        GDALSetDescription(band, kind == RASTER_CONFIDENCE ? "confidence" : w->classes[b - 1].name);
        if (code == CE_None) code = GDALSetRasterScale(band, 1.0 / MAX_CODE);
        if (code == CE_None) code = GDALSetRasterOffset(band, 0.0);
    }
    return code;
}

/* What the file is, for readers of the TIFF alone. */
static CPLErr describe_kind(const RasterWriter *w)
{
    const RasterKind kind = w->kind;
    static const char *const kinds[] = { "classes", "confidence", "probabilities", NULL };
    CPLErr code = CE_None;
    if (kinds[kind] != NULL) code = GDALSetMetadataItem(w->dataset, RASTER_KIND_ITEM, kinds[kind], NULL);
    for (int64_t i = 0; i < w->n_classes && kind == RASTER_CLASSES && code == CE_None; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, RASTER_CLASS_ITEM "%d", (int)w->classes[i].value);
        code = GDALSetMetadataItem(w->dataset, key, w->classes[i].name, NULL);
    }
    return code;
}

static CPLErr set_item(GDALDatasetH dataset, const char *key, const char *value)
{
    char *clean = NULL;
    if (sidecar_clean(value, &clean) != ERR_NONE) return CE_Failure;
    const CPLErr code = GDALSetMetadataItem(dataset, key, clean, NULL);
    free(clean);
    return code;
}

static CPLErr describe(RasterWriter *w, const RasterWriteOptions *o)
{
    CPLErr code = CE_None;
    if (o->like != NULL)
        code = copy_place(w->dataset, o);
    else if (o->bounds != NULL)
        code = set_bounds(w->dataset, o);
    w->place_is_told = GDALGetSpatialRef(w->dataset) != NULL || GDALGetGCPCount(w->dataset) > 0;
    for (const char *const *item = o->metadata; item != NULL && item[0] != NULL && code == CE_None; item += 2)
        code = set_item(w->dataset, item[0], item[1]);
    if (code == CE_None) code = describe_kind(w);
    return code == CE_None ? describe_bands(w) : code;
}

/* The class table with names that XML and people can take. */
static Err copy_classes(RasterWriter *w, const RasterWriteOptions *o)
{
    const bool named = o->kind == RASTER_CLASSES || o->kind == RASTER_PROBABILITIES;
    if (!named) return ERR_NONE;
    w->classes = calloc((size_t)o->n_classes, sizeof *w->classes);
    if (w->classes == NULL) return err_memory((size_t)o->n_classes * sizeof *w->classes, "a class table");
    for (int64_t i = 0; i < o->n_classes; i++) {
        char *name = NULL;
        TRY(sidecar_clean(o->classes[i].name, &name));
        w->classes[i] = o->classes[i];
        w->classes[i].name = name;
        w->n_classes++;
    }
    return ERR_NONE;
}

/* The names that the map takes: a style of somebody else's stays as it is, one of ours goes with the map it was made for.
 */
static Err open_names(RasterWriter *w, const RasterWriteOptions *o)
{
    static const char *const stale[] = { ".ovr", ".msk" };
    char *name = NULL;
    TRY(output_open(o->path, o->overwrite, &w->output));
    for (int64_t i = 0; i < ARRAY_LEN(stale); i++) {
        TRY(str_format(&name, "%s%s", o->path, stale[i]));
        const Err err = output_retire(w->output, name);
        free(name);
        TRY(err);
    }
    TRY(str_format(&name, "%s.aux.xml", o->path));
    Err err = output_add(w->output, name, &w->side_car);
    free(name);
    TRY(err);
    TRY(raster_style_path(o->path, &name));
    if (!raster_style_is_foreign(name))
        err = o->kind == RASTER_CLASSES ? output_add(w->output, name, &w->style) : output_retire(w->output, name);
    free(name);
    return err;
}

static int64_t blocks_along(int64_t length) { return (length + BLOCK - 1) / BLOCK; }

static Err allocate(RasterWriter *w)
{
    w->padded_width = (size_t)(blocks_along(w->width) * BLOCK);
    w->block = malloc((size_t)BLOCK * BLOCK);
    return w->block != NULL ? ERR_NONE : err_memory((size_t)BLOCK * BLOCK, "a block of the output");
}

static Err allocate_rows(RasterWriter *w)
{
    const size_t bytes = (size_t)w->bands * BLOCK * w->padded_width;
    w->buffer = malloc(bytes);
    if (w->buffer == NULL) return err_memory(bytes, "a row of blocks of the output");
    memset(w->buffer, w->fill, bytes);
    return ERR_NONE;
}

Err raster_writer_open(const RasterWriteOptions *options, RasterWriter **ret_writer)
{
    TRY(room_check("writing a raster"));
    TRY(check_options(options));
    TRY(raster_format_check(options->format, options->creation_options));
    RasterWriter *w = calloc(1, sizeof *w);
    if (w == NULL) return err_memory(sizeof *w, "a raster writer");
    w->kind = options->kind;
    w->width = options->like != NULL ? options->like->info.width : options->width;
    w->height = options->like != NULL ? options->like->info.height : options->height;
    w->bands = options->kind == RASTER_PROBABILITIES ? options->n_classes : options->kind == RASTER_COLORS ? 3 : 1;
    w->fill = options->kind == RASTER_COLORS ? 0 : NODATA;
    w->format = options->format;
    w->creation = CSLDuplicate((CSLConstList)options->creation_options);
    w->stop = options->stop;
    w->ret_areas = options->ret_areas;
    Err err = allocate(w);
    if (err == ERR_NONE) err = str_copy(options->path, &w->path);
    if (err == ERR_NONE) err = copy_classes(w, options);
    if (err == ERR_NONE && w->kind == RASTER_CLASSES && options->like != NULL)
        err = pixel_area_new(options->like, options->crs, &w->area);
    if (err == ERR_NONE) err = open_names(w, options);
    if (err == ERR_NONE && w->format == RASTER_COG) err = str_format(&w->tiff, "%s.tiff", output_partial(w->output));
    if (err == ERR_NONE) {
        GdalSession session;
        gdal_begin(&session);
        errno = 0;
        w->dataset = create_dataset(w);
        if (w->dataset == NULL || describe(w, options) != CE_None || session.failures > 0)
            err = gdal_write_error(w->path, &session);
        gdal_end(&session);
    }
    if (err == ERR_NONE)
        *ret_writer = w;
    else
        raster_writer_abort(w);
    return err;
}

/* Writes the buffered rows as one row of blocks. */
static Err write_blocks(RasterWriter *w)
{
    const int64_t block_row = (w->next_row - 1) / BLOCK;
    GdalSession session;
    gdal_begin(&session);
    CPLErr code = CE_None;
    errno = 0;
    for (int64_t b = 0; b < w->bands && code == CE_None; b++)
        for (int64_t x = 0; x < (int64_t)w->padded_width / BLOCK && code == CE_None; x++) {
            for (int64_t y = 0; y < BLOCK; y++)
                memcpy(w->block + y * BLOCK,
                       w->buffer + (size_t)(b * BLOCK + y) * w->padded_width + (size_t)(x * BLOCK), BLOCK);
            code = GDALWriteBlock(GDALGetRasterBand(w->dataset, (int)b + 1), (int)x, (int)block_row, w->block);
        }
    Err err = ERR_NONE;
    if (code != CE_None || session.failures > 0) err = gdal_write_error(w->path, &session);
    gdal_end(&session);
    w->held = 0;
    memset(w->buffer, w->fill, (size_t)w->bands * BLOCK * w->padded_width);
    return err;
}

Err raster_writer_rows(RasterWriter *w, int64_t rows, const uint8_t *const *planes, size_t row_stride)
{
    ASSERT(rows >= 0 && w->next_row + rows <= w->height && row_stride >= (size_t)w->width);
    TRY(room_check("writing a raster"));
    if (w->buffer == NULL) TRY(allocate_rows(w));
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

Err raster_writer_block(RasterWriter *w, int64_t band, int64_t column, int64_t row, const uint8_t *bytes)
{
    ASSERT(band >= 0 && band < w->bands && w->next_row == 0);
    ASSERT(column >= 0 && column < blocks_along(w->width) && row >= 0 && row < blocks_along(w->height));
    TRY(room_check("writing a raster"));
    const int64_t columns = w->width - column * BLOCK, rows = w->height - row * BLOCK;
    memcpy(w->block, bytes, (size_t)BLOCK * BLOCK);
    for (int64_t y = 0; columns < BLOCK && y < BLOCK; y++)
        memset(w->block + y * BLOCK + columns, w->fill, (size_t)(BLOCK - columns));
    if (rows < BLOCK) memset(w->block + rows * BLOCK, w->fill, (size_t)((BLOCK - rows) * BLOCK));
    GdalSession session;
    gdal_begin(&session);
    errno = 0;
    const GDALRasterBandH target = GDALGetRasterBand(w->dataset, (int)band + 1);
    Err err = ERR_NONE;
    if (GDALWriteBlock(target, (int)column, (int)row, w->block) != CE_None || session.failures > 0)
        err = gdal_write_error(w->path, &session);
    gdal_end(&session);
    w->blocks++;
    return err;
}

const Output *raster_writer_output(const RasterWriter *writer) { return writer->output; }

static Err close_dataset(RasterWriter *w)
{
    GdalSession session;
    gdal_begin(&session);
    errno = 0;
    GDALClose(w->dataset);
    w->dataset = NULL;
    const Err err = session.failures == 0 ? ERR_NONE : gdal_write_error(w->path, &session);
    gdal_end(&session);
    return err;
}

static Err copy_to_cog(const RasterWriter *w)
{
    if (w->format != RASTER_COG) return ERR_NONE;
    return cog_copy(&(CogCopy){ .path = w->path,
                                .from = w->tiff,
                                .to = output_partial(w->output),
                                .kind = w->kind,
                                .options = (const char *const *)w->creation,
                                .stop = w->stop });
}

/* What was closed can be read, and says where it lies. */
static Err check_closed(const RasterWriter *w)
{
    GdalSession session;
    gdal_begin(&session);
    const char *const drivers[] = { "GTiff", NULL };
    const GDALDatasetH d =
        GDALOpenEx(output_partial(w->output), GDAL_OF_RASTER | GDAL_OF_READONLY, drivers, NULL, NULL);
    const bool whole = d != NULL && GDALGetRasterXSize(d) == w->width && GDALGetRasterYSize(d) == w->height &&
                       GDALGetRasterCount(d) == w->bands;
    const bool placed = !w->place_is_told || (whole && (GDALGetSpatialRef(d) != NULL || GDALGetGCPCount(d) > 0));
    const Err err = whole && placed
                        ? ERR_NONE
                        : err_set(ERR_OUTPUT, "'%s': cannot be written whole (%s)", w->path,
                                  gdal_reason(&session, placed ? "no reason given" : "its coordinate system was lost"));
    if (d != NULL) GDALClose(d);
    gdal_end(&session);
    return err;
}

static Err write_beside(const RasterWriter *w)
{
    char *pam = NULL, *text = NULL;
    TRY(str_format(&pam, "%s.aux.xml", output_partial(w->output)));
    Err err = err_prefix(sidecar_text(pam, w->classes, w->kind == RASTER_CLASSES ? w->n_classes : 0, &w->counts, &text),
                         "'%s'", w->path);
    if (err == ERR_NONE && text != NULL) err = output_write(w->side_car, w->path, text, strlen(text));
    free(pam);
    free(text);
    text = NULL;
    if (err == ERR_NONE && w->style != NULL) err = sidecar_style(w->classes, w->n_classes, &text);
    if (err == ERR_NONE && w->style != NULL) err = output_write(w->style, w->path, text, strlen(text));
    free(text);
    return err;
}

Err raster_writer_complete(RasterWriter *w, Output **ret_output)
{
    const int64_t blocks = w->bands * blocks_along(w->width) * blocks_along(w->height);
    Err err = ERR_NONE;
    if (w->next_row != w->height && w->blocks != blocks)
        err = err_set(ERR_INTERNAL, "'%s': only %lld of %lld rows or %lld of %lld blocks were written", w->path,
                      (long long)w->next_row, (long long)w->height, (long long)w->blocks, (long long)blocks);
    if (err == ERR_NONE) err = close_dataset(w);
    if (err == ERR_NONE) err = copy_to_cog(w);
    if (err == ERR_NONE) err = check_closed(w);
    if (err == ERR_NONE && w->kind == RASTER_CLASSES)
        err = raster_count_classes(output_partial(w->output), w->path, w->area, w->stop, &w->counts);
    if (err == ERR_NONE) err = write_beside(w);
    if (err == ERR_NONE) {
        if (w->ret_areas != NULL) *w->ret_areas = w->counts;
        *ret_output = w->output;
        w->output = NULL;
    }
    raster_writer_abort(w);
    return err;
}

Err raster_writer_finish(RasterWriter *w)
{
    Output *output = NULL;
    TRY(raster_writer_complete(w, &output));
    const Err err = output_publish(output);
    output_close(output);
    return err;
}

void raster_writer_abort(RasterWriter *w)
{
    if (w == NULL) return;
    char message[ERR_MESSAGE_BYTES];
    (void)snprintf(message, sizeof message, "%s", err_message());
    if (w->dataset != NULL) (void)close_dataset(w);
    (void)err_adopt(ERR_NONE, message);
    if (w->tiff != NULL) (void)remove(w->tiff);
    output_close(w->output);
    for (int64_t i = 0; i < w->n_classes; i++) free((char *)(uintptr_t)w->classes[i].name);
    free(w->classes);
    pixel_area_free(w->area);
    CSLDestroy(w->creation);
    free(w->tiff);
    free(w->path);
    free(w->buffer);
    free(w->block);
    free(w);
}
