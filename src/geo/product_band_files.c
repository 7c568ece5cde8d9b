/* SPDX-License-Identifier: Apache-2.0
 * Band files without metadata: of a folder, by the codes in their names, or named one by one. */
#include "geo/product_internal.h"

#include "base/file.h"
#include "base/str.h"
#include "geo/band_name.h"
#include "geo/product_name.h"
#include "geo/raster.h"

#include <cpl_string.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { REST_BYTES = 256 };

static const char note_sentinel2[] = "no metadata were read with these files of Sentinel-2, so no offset is known: "
                                     "reflectance that is stored with 1000 added is "
                                     "read as it is; name the .SAFE folder or its zip instead";
static const char note_landsat[] =
    "no metadata were read with these files of Landsat, so no scale and offset are known; name the "
    "MTL file or its folder instead";

/* The code in a file's name, and the name without it: what files of one product have in common. */
typedef struct CodedName {
    char code[PRODUCT_NAME_BYTES]; /* "B02", "SR_B4", "SCL" */
    char rest[REST_BYTES];
    int resolution; /* of "_20m", 0: none */
} CodedName;

static bool parts_words(char c) { return c == '_' || c == '-' || c == '.' || c == ' '; }

/* Letters of a code that stands at `at` as a word of its own: "B4", "B04", "B8A", "SCL"; 0: none. */
static size_t code_length(const char *start, const char *at)
{
    size_t n = 0;
    if (at > start && !parts_words(at[-1])) return 0;
    if (strncasecmp(at, "SCL", 3) == 0) {
        n = 3;
    } else if ((at[0] == 'B' || at[0] == 'b') && isdigit((unsigned char)at[1]) != 0) {
        n = isdigit((unsigned char)at[2]) != 0 ? 3 : 2;
        if (n == 2 && (at[2] == 'A' || at[2] == 'a')) n = 3;
    }
    return at[n] == '\0' || parts_words(at[n]) ? n : 0;
}

/* False: no raster file, or no code in the name. */
static bool read_name(const char *name, CodedName *ret_coded)
{
    static const char *const suffixes[] = { ".jp2", ".tif", ".tiff" };
    char stem[REST_BYTES];
    bool raster = false;
    for (int64_t i = 0; i < ARRAY_LEN(suffixes); i++) raster = raster || str_ends_with(name, suffixes[i]);
    if (!raster || strlen(name) >= sizeof stem) return false;
    (void)snprintf(stem, sizeof stem, "%.*s", (int)(strrchr(name, '.') - name), name);
    CodedName coded = { .resolution = 0 };
    stem[product_name_length(stem, &coded.resolution)] = '\0';
    const char *at = stem + strlen(stem);
    while (at > stem && code_length(stem, at) == 0) at--;
    const size_t n = code_length(stem, at);
    if (n == 0 || (strncasecmp(at, "SCL", n) != 0 && band_name_read(name).code == 0)) return false; /* MSK_CLASSI_B00 */
    const bool kind = at - stem >= 3 && (strncasecmp(at - 3, "SR_", 3) == 0 || strncasecmp(at - 3, "ST_", 3) == 0);
    const char *first = kind ? at - 3 : at;
    (void)snprintf(coded.code, sizeof coded.code, "%.*s", (int)(at + n - first), first);
    (void)snprintf(coded.rest, sizeof coded.rest, "%.*s*%s", (int)(at - stem), stem, at + n);
    if (kind) (void)snprintf(coded.rest, sizeof coded.rest, "%.*s*%s", (int)(first - stem), stem, at + n);
    *ret_coded = coded;
    return true;
}

bool product_band_files_has_code(const char *name)
{
    CodedName coded;
    return read_name(name, &coded);
}

static Err add_file(Product *product, const char *name, const char *file)
{
    ProductBand *band = NULL;
    char *whole = realpath(file, NULL);
    if (whole == NULL) return err_set(ERR_INPUT, "'%s': no such file", file);
    Err err = product_add_band(product, name, whole, &band);
    if (err == ERR_NONE) product_add_file(product, whole);
    free(whole);
    if (err != ERR_NONE) return err;
    const SensorClass sensor = product_name_read(path_name(file)).sensor;
    band->zero_is_nodata = sensor == SENSOR_SENTINEL_2 || sensor == SENSOR_LANDSAT;
    if (band->zero_is_nodata)
        (void)snprintf(product->note, sizeof product->note, "%s",
                       sensor == SENSOR_LANDSAT ? note_landsat : note_sentinel2);
    return ERR_NONE;
}

/* ---- a folder ---- */

/* Of several files of one band the finest; of equal ones all, so that product_add_band() tells of them. */
static bool is_finest(char **names, int64_t i)
{
    CodedName own, other;
    if (!read_name(names[i], &own)) return false;
    for (int64_t k = 0; names[k] != NULL; k++)
        if (read_name(names[k], &other) && str_equal_nocase(own.code, other.code) && other.resolution < own.resolution)
            return false;
    return true;
}

static Err add_from_folder(const char *path, const char *name, Product *product)
{
    CodedName coded;
    char *file = NULL;
    (void)read_name(name, &coded);
    TRY(path_join(path, name, &file));
    Err err = ERR_NONE;
    if (strcasecmp(coded.code, "SCL") != 0) {
        err = add_file(product, coded.code, file);
    } else {
        product->classification_file = realpath(file, NULL);
        product->classification = product->classification_file != NULL ? "SCL" : NULL;
        if (product->classification != NULL) product_add_file(product, product->classification_file);
    }
    free(file);
    return err;
}

Err product_band_files_open_folder(const char *path, char **names, Product *product)
{
    CodedName first = { .resolution = -1 }, coded;
    product->format = "band files";
    for (int64_t i = 0; names[i] != NULL; i++) {
        if (!read_name(names[i], &coded)) continue;
        if (first.resolution < 0) first = coded;
        if (strcmp(first.rest, coded.rest) != 0)
            return err_set(
                ERR_INPUT,
                "'%s': the band files in this folder are of more than one product ('%s' and '%s', * for the band); "
                "name those of one: B04=FILE,B03=FILE,B02=FILE",
                path, first.rest, coded.rest);
        if (is_finest(names, i)) TRY(add_from_folder(path, names[i], product));
    }
    if (product->n_bands > 0) return ERR_NONE;
    return err_set(
        ERR_INPUT,
        "'%s': this is a folder, and no product is in it: expected a Sentinel-2 .SAFE folder, a Landsat MTL file, or "
        "band files such as NAME_B04.jp2; name a raster file",
        path);
}

/* ---- a list ---- */

static size_t name_length(const char *text)
{
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) != 0 || text[n] == '_') n++;
    return n > 0 && n < PRODUCT_NAME_BYTES && text[n] == '=' ? n : 0;
}

/* Where the first name of "folder/B02=a.jp2,..." begins: the folder before it is that of relative files. NULL: no list. */
static const char *list_start(const char *path)
{
    const char *equals = strchr(path, '=');
    const char *start = equals;
    while (start != NULL && start > path && start[-1] != '/') start--;
    return start != NULL && name_length(start) > 0 ? start : NULL;
}

bool product_band_files_is_list(const char *path) { return list_start(path) != NULL; }

Err product_band_files_open_list(const char *path, Product *product)
{
    char *folder = NULL;
    const char *at = list_start(path);
    product->format = "band files";
    TRY(str_format(&folder, "%.*s", (int)(at - path), path));
    Err err = ERR_NONE;
    while (err == ERR_NONE && *at != '\0') {
        char name[PRODUCT_NAME_BYTES], *file = NULL, *whole = NULL;
        const size_t n = name_length(at);
        (void)snprintf(name, sizeof name, "%.*s", (int)n, at);
        at += n + 1;
        size_t length = strcspn(at, ","); /* a comma in a file's name is one that no NAME= follows */
        while (at[length] == ',' && name_length(at + length + 1) == 0) length += 1 + strcspn(at + length + 1, ",");
        err = str_format(&file, "%.*s", (int)length, at);
        if (err == ERR_NONE) err = path_join(folder, file, &whole);
        if (err == ERR_NONE) err = add_file(product, name, whole);
        free(file);
        free(whole);
        at += length + (at[length] == ',' ? 1 : 0);
    }
    free(folder);
    return err;
}

Err raster_join_band_files(int64_t n, const char *const *paths, char **ret_list)
{
    Str list = { 0 };
    CodedName first, coded;
    for (int64_t i = 0; i < n; i++) {
        if (!read_name(path_name(paths[i]), &coded)) {
            str_done(&list);
            return err_set(ERR_INPUT, "'%s': its name has no band code, such as NAME_B04.tif", paths[i]);
        }
        if (i == 0) first = coded;
        if (strcmp(first.rest, coded.rest) != 0) {
            str_done(&list);
            return err_set(ERR_INPUT, "'%s': its name is that of another product than '%s'", paths[i], paths[0]);
        }
        str_addf(&list, "%s%s=%s", i > 0 ? "," : "", coded.code, paths[i]);
    }
    return str_take(&list, ret_list);
}
