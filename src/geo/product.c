/* SPDX-License-Identifier: Apache-2.0
 * Which product a path names, and the files of products. */
#include "geo/product.h"

#include "base/file.h"
#include "base/str.h"
#include "geo/gdal_session.h"
#include "geo/product_internal.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { TEXT_LIMIT = 32 << 20, MOST_NAMES = 100000 };

/* ---- what the families use ---- */

Err product_add_band(Product *product, const char *name, const char *file, ProductBand **ret_band)
{
    if (product->n_bands == PRODUCT_MAX_BANDS)
        return err_set(ERR_INPUT, "more than %d bands in one product", PRODUCT_MAX_BANDS);
    for (int64_t i = 0; i < product->n_bands; i++)
        if (str_equal_nocase(product->bands[i].name, name))
            return err_set(ERR_INPUT, "two files are band '%s': '%s' and '%s'; name one of them", name,
                           product->bands[i].file, file);
    ProductBand *band = &product->bands[product->n_bands];
    *band = (ProductBand){ .scale = 1.0 };
    (void)snprintf(band->name, sizeof band->name, "%s", name);
    TRY(str_copy(file, &band->file));
    product->n_bands++;
    *ret_band = band;
    return ERR_NONE;
}

Err product_add_missing(Product *product, const char *name, double wavelength, const char *file)
{
    if (product->n_missing == PRODUCT_MAX_BANDS) return ERR_NONE;
    ProductMissing *missing = &product->missing[product->n_missing];
    *missing = (ProductMissing){ .wavelength = wavelength };
    (void)snprintf(missing->name, sizeof missing->name, "%s", name);
    TRY(str_copy(file, &missing->file));
    product->n_missing++;
    return ERR_NONE;
}

void product_add_item(Product *product, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0') product->items = CSLSetNameValue(product->items, key, value);
}

void product_add_file(Product *product, const char *path) { product->files = CSLAddString(product->files, path); }

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

char **product_list(const char *folder)
{
    char **names = VSIReadDirEx(folder, MOST_NAMES);
    if (names != NULL) qsort((void *)names, (size_t)CSLCount(names), sizeof *names, by_name);
    return names;
}

const char *product_find_name(char **names, bool (*is)(const char *))
{
    for (int64_t i = 0; names != NULL && names[i] != NULL; i++)
        if (is(names[i])) return names[i];
    return NULL;
}

Err product_read_text(const char *path, char **ret_text)
{
    VSILFILE *file = VSIFOpenL(path, "rb");
    if (file == NULL) return err_set(ERR_INPUT, "'%s': cannot be opened", path);
    char *text = NULL;
    Err err = ERR_NONE;
    (void)VSIFSeekL(file, 0, SEEK_END);
    const vsi_l_offset length = VSIFTellL(file);
    (void)VSIFSeekL(file, 0, SEEK_SET);
    if (length > TEXT_LIMIT) {
        err = err_set(ERR_INPUT, "'%s': more than %d bytes of metadata", path, TEXT_LIMIT);
    } else {
        text = calloc((size_t)length + 1, 1);
        if (text == NULL) err = err_memory((size_t)length + 1, "metadata of a product");
    }
    if (err == ERR_NONE && VSIFReadL(text, 1, (size_t)length, file) != (size_t)length)
        err = err_set(ERR_INPUT, "'%s': cannot be read to its end; it is truncated or damaged", path);
    (void)VSIFCloseL(file);
    if (err != ERR_NONE) {
        free(text);
        return err;
    }
    *ret_text = text;
    return ERR_NONE;
}

bool product_has_file(const char *path)
{
    VSILFILE *file = VSIFOpenL(path, "rb");
    if (file == NULL) return false;
    const bool filled = VSIFSeekL(file, 0, SEEK_END) == 0 && VSIFTellL(file) > 0;
    (void)VSIFCloseL(file);
    return filled && !file_is_folder(path);
}

Err product_check_name(const char *path, const char *name)
{
    if (name[0] != '\0' && name[0] != '/' && strstr(name, "..") == NULL && strchr(name, '\\') == NULL) return ERR_NONE;
    return err_set(ERR_INPUT, "'%s': its metadata name a file '%s' that does not lie in the product", path, name);
}

size_t product_name_length(const char *name, int *ret_metres)
{
    const char *last = strrchr(name, '_');
    char *end = NULL;
    *ret_metres = 0;
    if (last == NULL || last[1] < '1' || last[1] > '9') return strlen(name);
    const long metres = strtol(last + 1, &end, 10);
    if (strcmp(end, "m") != 0 || metres > 10000) return strlen(name);
    *ret_metres = (int)metres;
    return (size_t)(last - name);
}

Err product_number(const char *path, const char *key, const char *text, double *ret_value)
{
    char *end = NULL;
    const double value = CPLStrtod(text, &end);
    end += strspn(end, " \t\r\n\"");
    if (end == text || *end != '\0' || !isfinite(value))
        return err_set(ERR_INPUT, "'%s': its metadata state %s as '%s'; a number was expected", path, key, text);
    *ret_value = value;
    return ERR_NONE;
}

/* ---- folders ---- */

/* X.SAFE/GRANULE/NAME: the folder above GRANULE, NULL for another path. free() it. */
static char *product_of_granule(const char *whole)
{
    char *copy = NULL;
    if (str_copy(whole, &copy) != ERR_NONE) return NULL;
    char *name = strrchr(copy, '/');
    if (name != NULL && name > copy) {
        *name = '\0';
        char *above = strrchr(copy, '/');
        if (above != NULL && above > copy && strcmp(above, "/GRANULE") == 0) {
            *above = '\0';
            return copy;
        }
    }
    free(copy);
    return NULL;
}

static Err open_folder(const char *path, const char *whole, Product *product)
{
    char **names = product_list(whole);
    char *above = product_of_granule(whole), *metadata = NULL;
    Err err = ERR_NONE;
    if (names == NULL) {
        err = err_set(ERR_INPUT, "'%s': this folder cannot be read (%s)", path, strerror(errno));
    } else if (product_find_name(names, product_sentinel2_is_metadata) != NULL || str_ends_with(whole, ".SAFE")) {
        err = product_sentinel2_open(path, whole, NULL, NULL, product);
    } else if (product_find_name(names, product_landsat_is_metadata) != NULL) {
        err = path_join(whole, product_find_name(names, product_landsat_is_metadata), &metadata);
        if (err == ERR_NONE) err = product_landsat_open(path, metadata, NULL, product);
    } else if (above != NULL) {
        err = product_sentinel2_open(path, above, path_name(whole), NULL, product);
    } else {
        err = product_band_files_open_folder(path, names, product);
    }
    CSLDestroy(names);
    free(above);
    free(metadata);
    return err;
}

ProductFolder product_folder_kind(const char *path)
{
    char *whole = realpath(path, NULL), *above = whole != NULL ? product_of_granule(whole) : NULL;
    char **names = whole != NULL ? product_list(whole) : NULL;
    ProductFolder kind = PRODUCT_FOLDER_NONE;
    if (names == NULL)
        kind = PRODUCT_FOLDER_NONE;
    else if (product_find_name(names, product_sentinel2_is_metadata) != NULL || str_ends_with(whole, ".SAFE") ||
             product_find_name(names, product_landsat_is_metadata) != NULL || above != NULL)
        kind = PRODUCT_FOLDER_METADATA;
    else if (product_find_name(names, product_band_files_has_code) != NULL)
        kind = PRODUCT_FOLDER_BAND_FILES;
    CSLDestroy(names);
    free(above);
    free(whole);
    return kind;
}

/* ---- any ---- */

bool product_is_named(const char *path)
{
    struct stat status;
    if (path == NULL || path[0] == '\0') return false;
    if (stat(path, &status) != 0) return product_band_files_is_list(path);
    const char *name = path_name(path);
    return S_ISDIR(status.st_mode) ||
           (S_ISREG(status.st_mode) && (product_archive_is_named(path) || product_stac_is_named(path) ||
                                        product_sentinel2_is_metadata(name) || product_landsat_is_metadata(name)));
}

static Err open_named(const char *path, Product *product)
{
    char *whole = realpath(path, NULL), *folder = NULL;
    if (whole == NULL)
        return product_band_files_is_list(path) ? product_band_files_open_list(path, product)
                                                : err_set(ERR_INPUT, "'%s': no such file", path);
    Err err = ERR_NONE;
    if (file_is_folder(whole)) {
        err = open_folder(path, whole, product);
    } else if (product_archive_is_named(whole)) {
        err = product_archive_open(path, whole, product);
    } else if (product_landsat_is_metadata(path_name(whole))) {
        err = product_landsat_open(path, whole, NULL, product);
    } else if (product_stac_is_named(whole)) {
        err = product_stac_open(path, whole, product);
    } else {
        err = path_folder(whole, &folder);
        if (err == ERR_NONE) err = product_sentinel2_open(path, folder, NULL, NULL, product);
    }
    free(whole);
    free(folder);
    return err;
}

/* Without any band there is nothing to read; otherwise a note tells which are missing. */
static Err check_complete(const char *path, Product *product)
{
    if (product->n_missing == 0) return ERR_NONE;
    if (product->n_bands == 0)
        return err_set(
            ERR_INPUT,
            "'%s': the files of all its bands are missing or empty ('%s' for one); download the product again", path,
            path_name(product->missing[0].file));
    size_t used = strlen(product->note);
    used += (size_t)snprintf(product->note + used, sizeof product->note - used,
                             "%sthe product is not complete, files of bands are missing: ", used > 0 ? "; " : "");
    for (int64_t i = 0; i < product->n_missing && used < sizeof product->note; i++)
        used += (size_t)snprintf(product->note + used, sizeof product->note - used, "%s%s", i > 0 ? ", " : "",
                                 product->missing[i].name);
    return ERR_NONE;
}

Err product_open(const char *path, Product **ret_product)
{
    Product *product = calloc(1, sizeof *product);
    if (product == NULL) return err_memory(sizeof *product, "a product");
    GdalSession session;
    gdal_begin(&session);
    Err err = open_named(path, product);
    if (err == ERR_NONE) err = check_complete(path, product);
    if (err == ERR_NONE) err = product_measure(path, product);
    gdal_end(&session);
    if (err != ERR_NONE) {
        product_free(product);
        return err;
    }
    *ret_product = product;
    return ERR_NONE;
}

Err product_classification(const char *path, const Product *product, const char *name, Product **ret_product)
{
    Product *own = NULL;
    ProductBand *band = NULL;
    const char *has = product != NULL ? product->classification : NULL;
    if (has == NULL || !str_equal_nocase(has, name))
        return err_set(
            ERR_INPUT,
            "'%s': it has no %s of its own (Sentinel-2 L2A products have scl, Landsat products qa_pixel); name the "
            "file of a cloud mask",
            path, name);
    own = calloc(1, sizeof *own);
    if (own == NULL) return err_memory(sizeof *own, "a product");
    GdalSession session;
    gdal_begin(&session);
    own->format = product->format;
    own->files = CSLDuplicate(product->files);
    Err err = product_add_band(own, has, product->classification_file, &band);
    if (err == ERR_NONE) err = product_measure(path, own);
    gdal_end(&session);
    if (err == ERR_NONE)
        *ret_product = own;
    else
        product_free(own);
    return err;
}

void product_free(Product *product)
{
    if (product == NULL) return;
    for (int64_t i = 0; i < product->n_bands; i++) free(product->bands[i].file);
    for (int64_t i = 0; i < product->n_missing; i++) free(product->missing[i].file);
    free(product->crs);
    free(product->stated_crs);
    free(product->classification_file);
    CSLDestroy(product->items);
    CSLDestroy(product->files);
    free(product);
}
