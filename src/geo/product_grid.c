/* SPDX-License-Identifier: Apache-2.0
 * The bands of a product on one grid: a virtual data set that is built here and never comes from outside. A band of another
 * grid is read through a data set of its own that says what is no data, so that GDAL's bilinear resampling leaves those
 * pixels out. */
#include "geo/product.h"

#include "base/file.h"
#include "base/str.h"
#include "geo/gdal_session.h"
#include "geo/georeference_crs.h"
#include "geo/product_internal.h"
#include "geo/read_failure.h"

#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <cpl_string.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const int64_t most_pixels = INT64_C(1) << 32;
static const int64_t most_block_bytes = INT64_C(1) << 31;

/* ---- one file ---- */

static Err open_file(const char *path, const Product *product, const char *file, GDALDatasetH *ret_dataset)
{
    char *own = NULL, *alone[] = { NULL, NULL };
    static const char *const drivers[] = { "GTiff", "JP2OpenJPEG", "PNG", "JPEG", "ENVI", "HFA", NULL };
    const bool packed = str_starts_with(file, "/vsizip/") || str_starts_with(file, "/vsitar/") ||
                        (str_starts_with(file, "/vsicurl/") && gdal_network_allowed());
    if (!packed) TRY(gdal_check_path(file));
    TRY(str_copy(file, &own));
    alone[0] = own;
    GdalSession session;
    gdal_begin(&session);
    Err err = ERR_NONE;
    GDALDatasetH dataset = GDALOpenEx(file, GDAL_OF_RASTER | GDAL_OF_READONLY, drivers, NULL, NULL);
    if (dataset == NULL) {
        char what[300];
        (void)snprintf(what, sizeof what, "its file '%.200s' cannot be read as a GeoTIFF or JPEG 2000",
                       path_name(file));
        err = read_failure(path, what, gdal_reason(&session, "not a raster"), packed ? product->files : alone);
    }
    gdal_end(&session);
    free(own);
    if (err == ERR_NONE) *ret_dataset = dataset;
    return err;
}

static Err check_file(const char *path, const ProductBand *of, GDALDatasetH dataset)
{
    const char *file = of->file;
    const char *name = path_name(file);
    const int bands = GDALGetRasterCount(dataset);
    if (of->source_band > bands)
        return err_set(ERR_INPUT, "'%s': its file '%s' has %d bands; band %d was expected", path, name, bands,
                       of->source_band);
    if (bands != 1 && of->source_band == 0)
        return err_set(ERR_INPUT, "'%s': its file '%s' has %d bands; one band each was expected", path, name, bands);
    const GDALRasterBandH band = GDALGetRasterBand(dataset, of->source_band > 0 ? of->source_band : 1);
    const int64_t pixels = (int64_t)GDALGetRasterXSize(dataset) * GDALGetRasterYSize(dataset);
    int columns = 0, rows = 0;
    GDALGetBlockSize(band, &columns, &rows);
    if (pixels > most_pixels ||
        (int64_t)columns * rows * GDALGetDataTypeSizeBytes(GDALGetRasterDataType(band)) > most_block_bytes)
        return err_set(ERR_INPUT,
                       "'%s': its file '%s' declares %d x %d pixels in blocks of %d x %d, more than are read", path,
                       name, GDALGetRasterXSize(dataset), GDALGetRasterYSize(dataset), columns, rows);
    const int flags = GDALGetMaskFlags(band);
    if ((flags & (GMF_ALL_VALID | GMF_NODATA)) == 0)
        return err_set(
            ERR_INPUT,
            "'%s': its file '%s' has a mask, which is not read with band files; stack them with gdalbuildvrt "
            "-separate first",
            path, name);
    return ERR_NONE;
}

static void describe_file(GDALDatasetH dataset, ProductBand *band)
{
    const GDALRasterBandH handle = GDALGetRasterBand(dataset, band->source_band > 0 ? band->source_band : 1);
    int has_nodata = 0, has_scale = 0, has_offset = 0, block_width = 0;
    GDALGetBlockSize(handle, &block_width, &band->block_height);
    band->width = GDALGetRasterXSize(dataset);
    band->height = GDALGetRasterYSize(dataset);
    band->type = GDALGetRasterDataType(handle);
    (void)GDALGetGeoTransform(dataset, band->geotransform);
    band->nodata = GDALGetRasterNoDataValue(handle, &has_nodata);
    band->has_nodata = has_nodata != 0;
    if (band->file_first && !band->has_nodata && !isnan(band->stated_nodata)) {
        band->has_nodata = true;
        band->nodata = band->stated_nodata;
    }
    if (band->zero_is_nodata) {
        band->has_nodata = true;
        band->nodata = 0.0;
    }
    const double scale = GDALGetRasterScale(handle, &has_scale), offset = GDALGetRasterOffset(handle, &has_offset);
    const bool stated = band->scale != 1.0 || band->offset != 0.0;
    if (stated && !(band->file_first && (has_scale != 0 || has_offset != 0))) return;
    if (!isfinite(scale) || scale == 0.0 || !isfinite(offset)) return;
    band->scale = has_scale != 0 ? scale : 1.0;
    band->offset = has_offset != 0 ? offset : 0.0;
}

/* That of the metadata, where no file tells one. */
static Err state_crs(const char *path, Product *product)
{
    OGRSpatialReferenceH crs = NULL;
    char *wkt = NULL;
    const Err read = crs_from_text(product->stated_crs, &crs);
    if (read == ERR_ARGUMENT) return err_prefix(ERR_INPUT, "'%s': its coordinate reference system", path);
    TRY(read);
    (void)OSRExportToWktEx(crs, &wkt, (const char *const[]){ "FORMAT=WKT2_2018", NULL });
    OSRDestroySpatialReference(crs);
    const Err err = str_copy(wkt, &product->crs);
    CPLFree(wkt);
    return err;
}

/* The coordinate system of the first file is the product's; that of each other must be the same. */
static Err check_crs(const char *path, const char *file, GDALDatasetH dataset, Product *product)
{
    OGRSpatialReferenceH crs = GDALGetSpatialRef(dataset);
    if (crs == NULL && product->stated_crs != NULL && product->crs != NULL) return ERR_NONE;
    if (product->crs == NULL) {
        char *wkt = NULL;
        if (crs == NULL && product->stated_crs != NULL) return state_crs(path, product);
        if (crs != NULL) (void)OSRExportToWktEx(crs, &wkt, (const char *const[]){ "FORMAT=WKT2_2018", NULL });
        const Err err = str_copy(wkt, &product->crs);
        CPLFree(wkt);
        return err;
    }
    OGRSpatialReferenceH first = OSRNewSpatialReference(NULL);
    bool same = (crs == NULL) == (product->crs[0] == '\0');
    OSRSetAxisMappingStrategy(first, OAMS_TRADITIONAL_GIS_ORDER);
    if (same && crs != NULL) same = OSRSetFromUserInput(first, product->crs) == OGRERR_NONE && crs_same(first, crs);
    OSRDestroySpatialReference(first);
    if (same) return ERR_NONE;
    return err_set(ERR_INPUT,
                   "'%s': its file '%s' has another coordinate reference system than its first; the bands of one scene "
                   "have one",
                   path, path_name(file));
}

static bool same_grid(const ProductBand *a, const ProductBand *b)
{
    bool same = a->width == b->width && a->height == b->height;
    for (int i = 0; i < 6; i++)
        same = same && fabs(a->geotransform[i] - b->geotransform[i]) <= 1e-6 * fabs(a->geotransform[1]);
    return same;
}

/* Where band `of` lies on the grid of band `on`, in pixels of it. */
static void place_on(const ProductBand *of, const ProductBand *on, double *ret_x, double *ret_y, double *ret_width,
                     double *ret_height)
{
    *ret_x = (of->geotransform[0] - on->geotransform[0]) / on->geotransform[1];
    *ret_y = (of->geotransform[3] - on->geotransform[3]) / on->geotransform[5];
    *ret_width = of->width * of->geotransform[1] / on->geotransform[1];
    *ret_height = of->height * of->geotransform[5] / on->geotransform[5];
}

/* Bands of other grids are north-up and cover one place, but for a pixel at the border (Landsat's panchromatic band). */
static Err check_place(const char *path, const ProductBand *first, const ProductBand *band)
{
    if (same_grid(first, band)) return ERR_NONE;
    const bool plain = first->geotransform[2] == 0.0 && first->geotransform[4] == 0.0 && band->geotransform[2] == 0.0 &&
                       band->geotransform[4] == 0.0 && first->geotransform[1] * band->geotransform[1] > 0.0 &&
                       first->geotransform[5] * band->geotransform[5] > 0.0;
    double x = 0.0, y = 0.0, width = 0.0, height = 0.0;
    if (plain) place_on(band, first, &x, &y, &width, &height);
    const double slack = plain ? 1.001 * fmax(1.0, fabs(band->geotransform[1] / first->geotransform[1])) : 0.0;
    if (plain && fabs(x) <= slack && fabs(y) <= slack && fabs(x + width - first->width) <= slack &&
        fabs(y + height - first->height) <= slack)
        return ERR_NONE;
    return err_set(ERR_INPUT,
                   "'%s': its files '%s' and '%s' do not cover one place (%d x %d pixels of %g, %d x %d pixels of %g); "
                   "the bands of "
                   "one scene do",
                   path, path_name(first->file), path_name(band->file), first->width, first->height,
                   first->geotransform[1], band->width, band->height, band->geotransform[1]);
}

Err product_measure(const char *path, Product *product)
{
    for (int64_t i = 0; i < product->n_bands; i++) {
        ProductBand *band = &product->bands[i];
        GDALDatasetH dataset = NULL;
        TRY(open_file(path, product, band->file, &dataset));
        Err err = check_file(path, band, dataset);
        if (err == ERR_NONE) err = check_crs(path, band->file, dataset, product);
        if (err == ERR_NONE) {
            describe_file(dataset, band);
            err = check_place(path, &product->bands[0], band);
        }
        GDALClose(dataset);
        TRY(err);
    }
    return ERR_NONE;
}

/* ---- the data set ---- */

static void add_escaped(Str *xml, const char *text)
{
    char *escaped = CPLEscapeString(text, -1, CPLES_XML);
    str_add(xml, escaped);
    CPLFree(escaped);
}

static void add_number(Str *xml, const char *element, double value)
{
    char text[32];
    str_from_double(value, text);
    str_addf(xml, "<%s>%s</%s>", element,
             isfinite(value) ? text
             : isnan(value)  ? "nan"
             : value > 0.0   ? "inf"
                             : "-inf",
             element);
}

static void add_item(Str *xml, const char *key, const char *value)
{
    str_addf(xml, "<MDI key=\"%s\">", key);
    add_escaped(xml, value);
    str_add(xml, "</MDI>");
}

static void add_source(Str *xml, const ProductBand *band, const char *file, int source_band)
{
    str_add(xml, "<SourceFilename relativeToVRT=\"0\">");
    add_escaped(xml, file);
    str_addf(xml,
             "</SourceFilename><SourceBand>%d</SourceBand><SourceProperties RasterXSize=\"%d\" RasterYSize=\"%d\" "
             "DataType=\"%s\" "
             "BlockXSize=\"256\" BlockYSize=\"256\"/><SrcRect xOff=\"0\" yOff=\"0\" xSize=\"%d\" ySize=\"%d\"/>",
             source_band, band->width, band->height, GDALGetDataTypeName(band->type), band->width, band->height);
}

/* One band on its own grid, as the source of another data set. */
static Err own_data_set(const ProductBand *band, char **ret_xml)
{
    Str xml = { 0 };
    str_addf(&xml, "<VRTDataset rasterXSize=\"%d\" rasterYSize=\"%d\"><VRTRasterBand dataType=\"%s\" band=\"1\">",
             band->width, band->height, GDALGetDataTypeName(band->type));
    if (band->has_nodata) add_number(&xml, "NoDataValue", band->nodata);
    str_add(&xml, "<SimpleSource>");
    add_source(&xml, band, band->file, band->source_band > 0 ? band->source_band : 1);
    str_addf(&xml,
             "<DstRect xOff=\"0\" yOff=\"0\" xSize=\"%d\" ySize=\"%d\"/></SimpleSource></VRTRasterBand></VRTDataset>",
             band->width, band->height);
    return str_take(&xml, ret_xml);
}

static Err add_band(Str *xml, int64_t number, const ProductBand *band, const ProductBand *grid)
{
    char wavelength[32], *own = NULL;
    const bool same = same_grid(band, grid);
    if (!same) TRY(own_data_set(band, &own));
    str_addf(xml, "<VRTRasterBand dataType=\"%s\" band=\"%lld\"><Description>", GDALGetDataTypeName(band->type),
             (long long)number);
    add_escaped(xml, band->name);
    str_add(xml, "</Description>");
    if (band->wavelength > 0.0) {
        str_from_double(band->wavelength / 1000.0, wavelength);
        str_add(xml, "<Metadata domain=\"IMAGERY\">");
        add_item(xml, "CENTRAL_WAVELENGTH_UM", wavelength);
        str_add(xml, "</Metadata>");
    }
    if (band->has_nodata) add_number(xml, "NoDataValue", band->nodata);
    if (band->offset != 0.0) add_number(xml, "Offset", band->offset);
    if (band->scale != 1.0) add_number(xml, "Scale", band->scale);
    double x = 0.0, y = 0.0, width = grid->width, height = grid->height;
    char text[4][32];
    if (!same) place_on(band, grid, &x, &y, &width, &height);
    str_from_double(x, text[0]);
    str_from_double(y, text[1]);
    str_from_double(width, text[2]);
    str_from_double(height, text[3]);
    str_addf(xml, "<SimpleSource%s>", same ? "" : " resampling=\"bilinear\"");
    add_source(xml, band, same ? band->file : own, same && band->source_band > 0 ? band->source_band : 1);
    str_addf(xml, "<DstRect xOff=\"%s\" yOff=\"%s\" xSize=\"%s\" ySize=\"%s\"/></SimpleSource></VRTRasterBand>",
             text[0], text[1], text[2], text[3]);
    free(own);
    return ERR_NONE;
}

static void add_head(Str *xml, const Product *product, const ProductBand *grid)
{
    str_addf(xml, "<VRTDataset rasterXSize=\"%d\" rasterYSize=\"%d\">", grid->width, grid->height);
    if (product->crs[0] != '\0') {
        str_add(xml, "<SRS>");
        add_escaped(xml, product->crs);
        str_add(xml, "</SRS>");
    }
    str_add(xml, "<GeoTransform>");
    for (int i = 0; i < 6; i++) {
        char number[32];
        str_from_double(grid->geotransform[i], number);
        str_addf(xml, "%s%s", i > 0 ? ", " : "", number);
    }
    str_add(xml, "</GeoTransform><Metadata>");
    for (int64_t i = 0; product->items != NULL && product->items[i] != NULL; i++) {
        char *key = NULL;
        const char *value = CPLParseNameValue(product->items[i], &key);
        if (key != NULL && value != NULL) add_item(xml, key, value);
        CPLFree(key);
    }
    str_add(xml, "</Metadata>");
}

static const ProductBand *finest(const Product *product, int64_t count, const int *chosen)
{
    const ProductBand *best = NULL;
    for (int64_t i = 0; i < (count > 0 ? count : product->n_bands); i++) {
        const ProductBand *band = &product->bands[count > 0 ? chosen[i] - 1 : i];
        if (best == NULL || fabs(band->geotransform[1]) < 0.999 * fabs(best->geotransform[1])) best = band;
    }
    return best;
}

static Err open_xml(Str *xml, GDALDatasetH *ret_dataset)
{
    static const char *const driver[] = { "VRT", NULL };
    char *text = NULL;
    TRY(str_take(xml, &text));
    GdalSession session;
    gdal_begin(&session);
    GDALDatasetH dataset = GDALOpenEx(text, GDAL_OF_RASTER | GDAL_OF_READONLY, driver, NULL, NULL);
    const Err err = dataset != NULL ? ERR_NONE
                                    : err_set(ERR_INTERNAL, "the bands of a product cannot be brought together (%s)",
                                              gdal_reason(&session, "no reason given"));
    gdal_end(&session);
    free(text);
    if (err == ERR_NONE) *ret_dataset = dataset;
    return err;
}

Err product_dataset(const Product *product, int64_t count, const int *chosen, GDALDatasetH *ret_dataset)
{
    Str xml = { 0 };
    const ProductBand *grid = finest(product, count, chosen);
    Err err = ERR_NONE;
    add_head(&xml, product, grid);
    for (int64_t i = 0; i < product->n_bands && err == ERR_NONE; i++)
        err = add_band(&xml, i + 1, &product->bands[i], grid);
    str_add(&xml, "</VRTDataset>");
    if (err == ERR_NONE) return open_xml(&xml, ret_dataset);
    str_done(&xml);
    return err;
}
