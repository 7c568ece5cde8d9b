/* SPDX-License-Identifier: Apache-2.0
 * Opening a raster: what may be opened, limits, facts about it. */
#include "geo/raster.h"

#include "base/room.h"
#include "geo/gdal_session.h"
#include "geo/raster_internal.h"
#include "geo/raster_spectral.h"
#include "geo/raster_valid.h"
#include "geo/read_failure.h"
#include "geo/vrt_check.h"

#include <cpl_string.h>
#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const int64_t max_pixels = INT64_C(1) << 40;
static const int64_t max_block_bytes = INT64_C(1) << 31;
static const int64_t bomb_samples = INT64_C(1) << 32;
static const int64_t bomb_ratio = 4096;

static Err open_file(const char *path, const volatile int *stop, GDALDatasetH *ret_dataset)
{
    char name[PATH_MAX];
    TRY(gdal_raster_name(path, name, sizeof name));
    GdalSession session;
    gdal_begin(&session);
    Err err = ERR_NONE;
    GDALDatasetH dataset = NULL;
    const GDALDriverH driver = GDALIdentifyDriverEx(name, GDAL_OF_RASTER, gdal_allowed_drivers(), NULL);
    if (driver == NULL) {
        err = err_set(
            ERR_INPUT,
            "'%s': not a raster in a format that is read here (GeoTIFF, COG, JPEG, PNG, JPEG 2000, VRT, ENVI, HFA)",
            path);
        goto done;
    }
    if (strcmp(GDALGetDriverShortName(driver), "VRT") == 0) {
        err = vrt_check(path, stop);
        if (err != ERR_NONE) goto done;
    }
    dataset = GDALOpenEx(name, GDAL_OF_RASTER | GDAL_OF_READONLY, gdal_allowed_drivers(), NULL, NULL);
    if (dataset == NULL) {
        char what[64];
        (void)snprintf(what, sizeof what, "it cannot be read as %s", GDALGetDriverShortName(driver));
        err = read_failure(path, what, gdal_reason(&session, "no reason given"), NULL);
    }
done:
    gdal_end(&session);
    if (err != ERR_NONE && !gdal_is_url(path))
        TRY(gdal_check_open(path)); /* names the lack of handles, which GDAL does not */
    if (err == ERR_NONE) *ret_dataset = dataset;
    return err;
}

static Err open_dataset(const char *path, const volatile int *stop, Raster *raster)
{
    if (!product_is_named(path)) return open_file(path, stop, &raster->dataset);
    TRY(product_open(path, &raster->product));
    return product_dataset(raster->product, 0, NULL, &raster->dataset);
}

/* Sizes that no honest file has; see raster.h. */
static Err check_limits(const Raster *raster)
{
    const RasterInfo *info = &raster->info;
    if (info->bands == 0)
        return err_set(ERR_INPUT, "'%s': it holds no raster bands; expected at least one", raster->path);
    if (info->bands > RASTER_MAX_BANDS)
        return err_set(ERR_INPUT, "'%s': it declares %lld bands; at most %d are read", raster->path,
                       (long long)info->bands, RASTER_MAX_BANDS);
    if (info->width > max_pixels / info->height)
        return err_set(ERR_INPUT, "'%s': it declares %lld x %lld pixels; at most 2^40 pixels are read", raster->path,
                       (long long)info->width, (long long)info->height);
    int columns = 0, rows = 0;
    const GDALRasterBandH band = GDALGetRasterBand(raster->dataset, 1);
    GDALGetBlockSize(band, &columns, &rows);
    const char *interleave = GDALGetMetadataItem(raster->dataset, "INTERLEAVE", "IMAGE_STRUCTURE");
    const int64_t together = interleave != NULL && strcmp(interleave, "PIXEL") == 0 ? info->bands : 1;
    const int64_t sample_bytes = GDALGetDataTypeSizeBytes(GDALGetRasterDataType(band));
    if ((int64_t)columns * rows > max_block_bytes / (sample_bytes * together))
        return err_set(ERR_INPUT,
                       "'%s': it is stored in blocks of %d x %d pixels, more than 2 GiB each; rewrite it with "
                       "gdal_translate -co TILED=YES",
                       raster->path, columns, rows);
    struct stat status;
    const int64_t samples = info->width * info->height * info->bands;
    if (raster->product == NULL && strcmp(info->driver, "VRT") != 0 && samples > bomb_samples &&
        stat(raster->path, &status) == 0 && samples / bomb_ratio > (int64_t)status.st_size)
        return err_set(ERR_INPUT,
                       "'%s': it declares %lld x %lld pixels in a file of %lld bytes; it is damaged or nearly empty, "
                       "crop it to its content",
                       raster->path, (long long)info->width, (long long)info->height, (long long)status.st_size);
    return ERR_NONE;
}

static void describe_scaling(GDALRasterBandH handle, RasterBand *band)
{
    int has_scale = 0, has_offset = 0;
    const double scale = GDALGetRasterScale(handle, &has_scale), offset = GDALGetRasterOffset(handle, &has_offset);
    const bool usable = isfinite(scale) && scale != 0.0 && isfinite(offset);
    band->scale = has_scale != 0 && usable ? scale : 1.0;
    band->offset = has_offset != 0 && usable ? offset : 0.0;
}

static Err describe_band(Raster *raster, int64_t index)
{
    const GDALRasterBandH band = GDALGetRasterBand(raster->dataset, (int)index + 1);
    char *name = raster->bands[index].name;
    const char *text = GDALGetDescription(band);
    const GDALColorInterp colour = GDALGetRasterColorInterpretation(band);
    if (text != NULL && text[0] != '\0') {
        (void)snprintf(name, RASTER_NAME_BYTES, "%s", text);
    } else if (colour != GCI_Undefined && colour != GCI_GrayIndex) {
        (void)snprintf(name, RASTER_NAME_BYTES, "%s", GDALGetColorInterpretationName(colour));
        for (char *c = name; *c != '\0'; c++) *c = (char)tolower((unsigned char)*c);
    } else {
        (void)snprintf(name, RASTER_NAME_BYTES, "band %lld", (long long)index + 1);
    }
    raster->bands[index].is_alpha = colour == GCI_AlphaBand;
    describe_scaling(band, &raster->bands[index]);
    return raster_valid_describe(raster, index);
}

static bool same_numbers(const double *a, const double *b, int64_t n)
{
    int64_t i = 0;
    while (i < n && a[i] == b[i]) i++;
    return i == n;
}

void raster_describe_grid(Raster *raster)
{
    static const double no_place[6] = { 0.0, 1.0, 0.0, 0.0, 0.0, 1.0 }; /* how GDAL says "none" */
    RasterInfo *info = &raster->info;
    int columns = 0, rows = 0;
    info->width = GDALGetRasterXSize(raster->dataset);
    info->height = GDALGetRasterYSize(raster->dataset);
    raster->part_x = raster->part_y = 0;
    info->has_geotransform = GDALGetGeoTransform(raster->dataset, info->geotransform) == CE_None &&
                             !same_numbers(info->geotransform, no_place, 6);
    GDALGetBlockSize(GDALGetRasterBand(raster->dataset, 1), &columns, &rows);
    info->block_width = columns;
    info->block_height = rows;
    raster->width = info->width;
    raster->height = info->height;
}

Err raster_set_part(Raster *raster, RasterWindow part)
{
    RasterInfo *info = &raster->info;
    if (part.x < 0 || part.y < 0 || part.columns < 1 || part.rows < 1 || part.x > info->width - part.columns ||
        part.y > info->height - part.rows)
        return err_set(ERR_ARGUMENT, "'%s': %lld x %lld pixels from (%lld, %lld) on are no part of %lld x %lld",
                       raster->path, (long long)part.columns, (long long)part.rows, (long long)part.x,
                       (long long)part.y, (long long)info->width, (long long)info->height);
    if (!info->has_geotransform)
        return err_set(ERR_INPUT, "'%s': it has no geotransform, so that a part of it has no place", raster->path);
    double *t = info->geotransform;
    t[0] += (double)part.x * t[1] + (double)part.y * t[2];
    t[3] += (double)part.x * t[4] + (double)part.y * t[5];
    raster->part_x += part.x;
    raster->part_y += part.y;
    raster->width = info->width = part.columns;
    raster->height = info->height = part.rows;
    info->has_rpc = false; /* they speak of the whole file */
    return ERR_NONE;
}

static Err describe(Raster *raster)
{
    RasterInfo *info = &raster->info;
    info->width = GDALGetRasterXSize(raster->dataset);
    info->height = GDALGetRasterYSize(raster->dataset);
    info->bands = GDALGetRasterCount(raster->dataset);
    info->driver = raster->product != NULL ? raster->product->format
                                           : GDALGetDriverShortName(GDALGetDatasetDriver(raster->dataset));
    TRY(check_limits(raster));
    const size_t bands = (size_t)info->bands;
    raster->bands = calloc(bands, sizeof *raster->bands);
    raster->chosen = calloc(bands, sizeof *raster->chosen);
    if (raster->bands == NULL || raster->chosen == NULL)
        return err_memory(bands * sizeof *raster->bands, "the bands of a raster");
    for (int64_t i = 0; i < info->bands; i++) TRY(describe_band(raster, i));
    raster_spectral_describe(raster);
    const GDALRasterBandH first = GDALGetRasterBand(raster->dataset, 1);
    int has_nodata = 0;
    info->nodata = GDALGetRasterNoDataValue(first, &has_nodata);
    info->has_nodata = has_nodata != 0;
    info->type = raster_band_type(raster, 1);
    info->has_palette = GDALGetRasterColorTable(first) != NULL;
    raster_describe_grid(raster);
    info->gcps = GDALGetGCPCount(raster->dataset);
    info->has_rpc = CSLCount(GDALGetMetadata(raster->dataset, "RPC")) > 0;
    OGRSpatialReferenceH crs = GDALGetSpatialRef(raster->dataset);
    if (crs == NULL || (!info->has_geotransform && info->gcps > 0)) crs = GDALGetGCPSpatialRef(raster->dataset);
    const char *crs_name = crs != NULL ? OSRGetName(crs) : NULL;
    raster->crs_name = strdup(crs_name != NULL ? crs_name : "");
    if (raster->crs_name == NULL) return err_memory(64, "the name of a coordinate system");
    info->crs_name = raster->crs_name;
    raster->files = raster->product != NULL ? CSLDuplicate(raster->product->files) : GDALGetFileList(raster->dataset);
    return raster_choose_bands(raster, NULL, 0, NULL);
}

/* The rest of opening, once the data set is. Closes the raster on failure. */
static Err finish_open(const char *path, Err err, Raster *raster, Raster **ret_raster)
{
    if (err == ERR_NONE) {
        raster->path = strdup(path);
        if (raster->path == NULL) err = err_memory(strlen(path), "the path of a raster");
    }
    GdalSession session;
    gdal_begin(&session);
    if (err == ERR_NONE) err = describe(raster);
    gdal_end(&session);
    if (err == ERR_NONE)
        *ret_raster = raster;
    else
        raster_close(raster);
    return err;
}

Err raster_open(const char *path, const volatile int *stop, Raster **ret_raster)
{
    TRY(room_check("opening a raster"));
    Raster *raster = calloc(1, sizeof *raster);
    if (raster == NULL) return err_memory(sizeof *raster, "a raster");
    return finish_open(path, open_dataset(path, stop, raster), raster, ret_raster);
}

Err raster_open_classification(const Raster *of, const char *name, Raster **ret_raster)
{
    Raster *raster = calloc(1, sizeof *raster);
    if (raster == NULL) return err_memory(sizeof *raster, "a raster");
    Err err = product_classification(of->path, of->product, name, &raster->product);
    if (err == ERR_NONE) err = product_dataset(raster->product, 0, NULL, &raster->dataset);
    return finish_open(of->path, err, raster, ret_raster);
}

void raster_set_cloud_mask(Raster *raster, CloudMask *mask) { raster->clouds = mask; }

void raster_set_cutline(Raster *raster, Cutline *cutline) { raster->cutline = cutline; }

void raster_close(Raster *raster)
{
    if (raster == NULL) return;
    GdalSession session;
    gdal_begin(&session);
    if (raster->dataset != NULL) GDALClose(raster->dataset);
    CSLDestroy(raster->files);
    product_free(raster->product);
    gdal_end(&session);
    free(raster->crs_name);
    validity_rows_free(raster->kept);
    for (int64_t i = 0; raster->bands != NULL && i < raster->info.bands; i++) free(raster->bands[i].mask.transparent);
    free(raster->bands);
    free(raster->chosen);
    free(raster->mask_scratch);
    free(raster->path);
    free(raster);
}

const char *raster_path(const Raster *raster) { return raster->path; }

const char *raster_telling_path(const Raster *raster)
{
    const char *file = raster->product != NULL ? raster_file(raster, 0) : NULL;
    return file != NULL ? file : raster->path;
}

bool raster_is_product(const char *path) { return product_is_named(path); }

const char *raster_product_note(const Raster *raster) { return raster->product != NULL ? raster->product->note : ""; }

const RasterInfo *raster_info(const Raster *raster) { return &raster->info; }

const char *raster_band_name(const Raster *raster, int64_t band)
{
    ASSERT(band >= 1 && band <= raster->info.bands);
    return raster->bands[band - 1].name;
}

const char *raster_band_type(const Raster *raster, int64_t band)
{
    ASSERT(band >= 1 && band <= raster->info.bands);
    if (raster->bands[band - 1].is_signed) return "Int8";
    return GDALGetDataTypeName(GDALGetRasterDataType(GDALGetRasterBand(raster->dataset, (int)band)));
}

const char *raster_band_common_name(const Raster *raster, int64_t band)
{
    ASSERT(band >= 1 && band <= raster->info.bands);
    const RasterBand *b = &raster->bands[band - 1];
    const bool shared =
        b->spectral != SPECTRAL_UNKNOWN && b->spectral != SPECTRAL_OTHER && b->spectral != SPECTRAL_RED_EDGE;
    return shared ? spectral_name(b->spectral) : b->name;
}

void raster_band_scaling(const Raster *raster, int64_t band, double *ret_scale, double *ret_offset)
{
    ASSERT(band >= 1 && band <= raster->info.bands);
    *ret_scale = raster->bands[band - 1].scale;
    *ret_offset = raster->bands[band - 1].offset;
}

bool raster_offset_is_far(const Raster *raster, int64_t band)
{
    static const double most = 16777216.0; /* a float has no further whole numbers */
    const RasterBand *b = &raster->bands[band - 1];
    const GDALDataType type = GDALGetRasterDataType(GDALGetRasterBand(raster->dataset, (int)band));
    const int bits = GDALGetDataTypeSizeBits(type);
    const double range = bits <= 16 ? ldexp(1.0, bits) : most;
    return fabs(b->offset / b->scale) > range;
}

const char *raster_band_unit(const Raster *raster, int64_t band)
{
    return GDALGetRasterUnitType(GDALGetRasterBand(raster->dataset, (int)band));
}

void raster_band_nodata(const Raster *raster, int64_t band, char ret_text[32])
{
    const GDALRasterBandH handle = GDALGetRasterBand(raster->dataset, (int)band);
    const GDALDataType type = GDALGetRasterDataType(handle);
    int has = 0;
    GdalSession session;
    gdal_begin(&session);
    if (type == GDT_Int64) {
        (void)snprintf(ret_text, 32, "%lld", (long long)GDALGetRasterNoDataValueAsInt64(handle, &has));
    } else if (type == GDT_UInt64) {
        (void)snprintf(ret_text, 32, "%llu", (unsigned long long)GDALGetRasterNoDataValueAsUInt64(handle, &has));
    } else {
        const double nodata = GDALGetRasterNoDataValue(handle, &has);
        (void)snprintf(ret_text, 32, "%.*g", nodata == (double)(float)nodata ? 9 : 17, nodata);
    }
    if (has == 0) ret_text[0] = '\0';
    gdal_end(&session);
}

RasterMaskKind raster_band_mask(const Raster *raster, int64_t band)
{
    ASSERT(band >= 1 && band <= raster->info.bands);
    return raster->bands[band - 1].mask.kind;
}

const char *raster_metadata(const Raster *raster, const char *domain, const char *key)
{
    GdalSession session;
    gdal_begin(&session);
    const char *value = GDALGetMetadataItem(raster->dataset, key, domain);
    gdal_end(&session);
    return value;
}

const char *raster_metadata_item(const Raster *raster, const char *domain, int64_t i)
{
    GdalSession session;
    gdal_begin(&session);
    char **items = GDALGetMetadata(raster->dataset, domain);
    gdal_end(&session);
    return items != NULL && i < CSLCount(items) ? items[i] : NULL;
}

const char *raster_file(const Raster *raster, int64_t i)
{
    return i >= 0 && i < CSLCount((CSLConstList)raster->files) ? raster->files[i] : NULL;
}

/* Of one chosen band: rows of whole blocks that `rows` rows of the raster touch, one more where they do not begin with a block. */
static int64_t band_cache_bytes(const Raster *raster, int64_t band, int64_t rows)
{
    const GDALRasterBandH handle = GDALGetRasterBand(raster->dataset, (int)band);
    int columns = 0, block_rows = 0;
    int64_t width = raster->info.width, own_rows = rows;
    GDALGetBlockSize(handle, &columns, &block_rows);
    if (raster->product != NULL) {
        const ProductBand *of = &raster->product->bands[band - 1];
        own_rows = (rows * of->height + raster->info.height - 1) / raster->info.height;
        width = of->width;
        block_rows = of->block_height;
    }
    const int64_t blocks = (own_rows + block_rows - 1) / block_rows + 1;
    return width * blocks * block_rows * GDALGetDataTypeSizeBytes(GDALGetRasterDataType(handle));
}

int64_t raster_cache_bytes(const Raster *raster, int64_t rows)
{
    static const int64_t most = INT64_C(384) << 20;
    const char *driver = raster->info.driver;
    int64_t bytes = 0;
    if (raster->product == NULL && strcmp(driver, "JP2OpenJPEG") != 0 && strcmp(driver, "JPEG") != 0 &&
        strcmp(driver, "PNG") != 0)
        return 0;
    for (int64_t i = 0; i < raster->chosen_count; i++) bytes += band_cache_bytes(raster, raster->chosen[i], rows);
    return bytes < most ? bytes : most;
}

void raster_set_cache_bytes(int64_t bytes) { gdal_set_cache(bytes); }
