/* SPDX-License-Identifier: Apache-2.0
 * STAC items, 1.0 and 1.1, as scenes: their assets of one file per band, or a file of several bands. Bands are told by "bands"
 * (1.1: name, eo:common_name, raster:scale, ...), or by "eo:bands" and "raster:bands", of the asset or, by index, of the item. Specifications: STAC 1.1.0
 * common metadata (bands); the extensions eo 1.1 and 2.0, raster 1.1 and 2.0, projection 1.2 and 2.0. */
#include "geo/product_internal.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "geo/band_name.h"
#include "geo/gdal_session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_LIMIT = 32 << 20 };

/* What an item says of one band of an asset. */
typedef struct StacBand {
    const char *name, *common; /* NULL: not told */
    double wavelength;         /* micrometres, NAN: not told */
    double scale, offset, nodata;
} StacBand;

typedef struct StacAsset {
    const char *key, *href;
    char *file;    /* as GDAL opens it; NULL: not on this machine */
    double gsd;    /* metres; HUGE_VAL: not told */
    bool jpeg2000; /* as the agency delivers it, in a list that also has it as GeoTIFF */
    int64_t bands;
} StacAsset;

bool product_stac_is_named(const char *path) { return str_ends_with(path, ".json"); }

/* ---- members ---- */

static const char *text_of(const Json *object, const char *key)
{
    const Json *member = json_find(object, key);
    const char *text = NULL;
    if (member == NULL || json_kind(member) != JSON_STRING || json_as_string(member, key, &text) != ERR_NONE)
        return NULL;
    return text;
}

/* NAN where it is not there; nodata may be a word. */
static double number_of(const Json *object, const char *key)
{
    const Json *member = json_find(object, key);
    double value = (double)NAN;
    if (member != NULL && json_kind(member) == JSON_NUMBER && json_as_double(member, key, &value) != ERR_NONE)
        value = (double)NAN;
    return value;
}

static const Json *element(const Json *array, int64_t i)
{
    const Json *node = array != NULL && json_kind(array) == JSON_ARRAY ? json_first(array) : NULL;
    for (; node != NULL && i > 0; i--) node = json_next(node);
    return node;
}

/* Element i of a list of bands of an asset; one that is a number stands for that element of the item's own list. */
static const Json *band_element(const Json *root, const Json *asset, const char *key, int64_t i)
{
    const Json *node = element(json_find(asset, key), i);
    double index = 0.0;
    if (node == NULL || json_kind(node) != JSON_NUMBER) return node;
    if (json_as_double(node, key, &index) != ERR_NONE || !(index >= 0.0 && index < 1e6)) return NULL;
    return element(json_find(json_find(root, "properties"), key), (int64_t)index);
}

static int64_t list_length(const Json *asset, const char *key)
{
    const Json *list = json_find(asset, key);
    return list != NULL && json_kind(list) == JSON_ARRAY ? json_count(list) : 0;
}

static int64_t count_bands(const Json *asset)
{
    static const char *const keys[] = { "bands", "eo:bands", "raster:bands" };
    int64_t n = 0;
    for (int64_t i = 0; i < ARRAY_LEN(keys) && n == 0; i++) n = list_length(asset, keys[i]);
    return n;
}

static double first_number(double a, double b) { return isnan(a) ? b : a; }

/* Fields of 1.1 and of the extensions before, of the band or, for all its bands, of the asset. */
static StacBand read_band(const Json *root, const Json *asset, int64_t i)
{
    const Json *band = band_element(root, asset, "bands", i), *eo = band_element(root, asset, "eo:bands", i),
               *raster = element(json_find(asset, "raster:bands"), i);
    StacBand b = { .name = text_of(band, "name"), .common = text_of(band, "eo:common_name") };
    if (b.name == NULL) b.name = text_of(eo, "name");
    if (b.common == NULL) b.common = text_of(eo, "common_name");
    if (b.common == NULL && count_bands(asset) <= 1) b.common = text_of(asset, "eo:common_name");
    b.wavelength = first_number(number_of(band, "eo:center_wavelength"), number_of(eo, "center_wavelength"));
    if (count_bands(asset) <= 1) b.wavelength = first_number(b.wavelength, number_of(asset, "eo:center_wavelength"));
    b.scale = first_number(number_of(band, "raster:scale"), number_of(raster, "scale"));
    b.scale = first_number(b.scale, number_of(asset, "raster:scale"));
    b.offset = first_number(number_of(band, "raster:offset"), number_of(raster, "offset"));
    b.offset = first_number(b.offset, number_of(asset, "raster:offset"));
    b.nodata = first_number(number_of(band, "nodata"), number_of(raster, "nodata"));
    b.nodata = first_number(b.nodata, number_of(asset, "nodata"));
    return b;
}

/* ---- assets ---- */

/* A local file, relative to the item's folder, or a URL where these are read; *ret_file NULL: it lies elsewhere. */
static Err find_file(const char *folder, const char *href, char **ret_file)
{
    char *joined = NULL;
    const char *local = str_starts_with(href, "file://") ? href + strlen("file://") : href;
    *ret_file = NULL;
    if (gdal_is_url(local) && gdal_network_allowed()) return str_format(ret_file, "/vsicurl/%s", local);
    if (strstr(local, "://") != NULL || str_starts_with(local, "/vsi") || local[0] == '\0') return ERR_NONE;
    TRY(path_join(folder, local, &joined));
    char *whole = realpath(joined, NULL);
    if (whole == NULL) { /* who asks for it is told by this name */
        *ret_file = joined;
        return ERR_NONE;
    }
    free(joined);
    *ret_file = whole;
    return ERR_NONE;
}

/* Whether an asset is an image of the surface: with bands that have a name, or a role that says so, and no overview of it. */
static bool is_image(const Json *asset, const char *key)
{
    static const char *const not_data[] = { "thumbnail", "overview", "metadata", "visual" };
    const char *type = text_of(asset, "type");
    const Json *roles = json_find(asset, "roles");
    bool other = str_equal_nocase(key, "visual") || str_starts_with(key, "visual-");
    for (const Json *r = roles != NULL ? json_first(roles) : NULL; r != NULL; r = json_next(r)) {
        const char *role = NULL;
        if (json_kind(r) != JSON_STRING || json_as_string(r, "role", &role) != ERR_NONE) continue;
        for (int64_t i = 0; i < ARRAY_LEN(not_data); i++) other = other || strcmp(role, not_data[i]) == 0;
    }
    if (other || (type != NULL && !str_starts_with(type, "image/"))) return false;
    return type == NULL || (strstr(type, "jpeg") == NULL && strstr(type, "png") == NULL);
}

static StacAsset read_asset(const Json *asset, const char *key)
{
    const char *type = text_of(asset, "type");
    StacAsset a = { .key = key, .href = text_of(asset, "href"), .gsd = HUGE_VAL, .bands = count_bands(asset) };
    const Json *transform = json_find(asset, "proj:transform"), *raster = element(json_find(asset, "raster:bands"), 0);
    double gsd = first_number(number_of(asset, "gsd"), number_of(asset, "raster:spatial_resolution"));
    gsd = first_number(gsd, number_of(raster, "spatial_resolution"));
    const Json *side = element(transform, 0);
    if (isnan(gsd) && side != NULL && json_kind(side) == JSON_NUMBER && json_as_double(side, "side", &gsd) == ERR_NONE)
        gsd = fabs(gsd);
    if (gsd > 0.0) a.gsd = gsd;
    a.jpeg2000 = (type != NULL && strstr(type, "jp2") != NULL) || (a.href != NULL && str_ends_with(a.href, ".jp2"));
    return a;
}

static double wavelength_of(const StacBand *b)
{
    if (b->wavelength > 0.0) return b->wavelength * 1000.0;
    return b->common != NULL ? spectral_centre(band_name_read(b->common).spectral) : 0.0;
}

/* ---- bands ---- */

/* A band of this name is there: the finer counts, of equal ones a GeoTIFF, then the first. */
static bool is_better(const StacAsset *a, const ProductBand *than)
{
    if (a->gsd < than->stated_gsd * 0.999) return true;
    return !(a->gsd > than->stated_gsd * 1.001) && !a->jpeg2000 && str_ends_with(than->file, ".jp2");
}

static Err add_band(const Json *root, const StacAsset *a, const StacBand *b, int64_t number, Product *product)
{
    char name[PRODUCT_NAME_BYTES];
    ProductBand *band = NULL;
    const char *own = b->name != NULL ? b->name : b->common != NULL && a->bands > 1 ? b->common : a->key;
    (void)snprintf(name, sizeof name, "%s", own);
    for (int64_t i = 0; i < product->n_bands && band == NULL; i++)
        if (str_equal_nocase(product->bands[i].name, name)) band = &product->bands[i];
    if (band != NULL) {
        if (!is_better(a, band)) return ERR_NONE;
        char *file = NULL;
        TRY(str_copy(a->file, &file));
        free(band->file);
        band->file = file;
    } else {
        TRY(product_add_band(product, name, a->file, &band));
    }
    const Json *applied = json_find(json_find(root, "properties"), "earthsearch:boa_offset_applied");
    bool taken_off = false; /* Earth Search: of its own GeoTIFFs, whatever offset their bands state */
    if (applied != NULL && json_kind(applied) == JSON_BOOL) (void)json_as_bool(applied, "applied", &taken_off);
    band->wavelength = wavelength_of(b);
    band->scale = isfinite(b->scale) && (b->scale < 0.0 || b->scale > 0.0) ? b->scale : 1.0;
    band->offset = isfinite(b->offset) && !(taken_off && !a->jpeg2000) ? b->offset : 0.0;
    band->file_first = true;
    band->stated_nodata = b->nodata;
    band->stated_gsd = a->gsd;
    band->source_band = a->bands > 1 ? (int)number : 0;
    return ERR_NONE;
}

static Err add_asset(const Json *root, const Json *node, StacAsset *a, Product *product)
{
    for (int64_t i = 0; i < (a->bands > 0 ? a->bands : 1); i++) {
        const StacBand b = read_band(root, node, i);
        if (b.name == NULL && b.common == NULL) continue; /* classes, water vapour, ... : no band of a sensor */
        if (a->file != NULL && product_has_file(a->file))
            TRY(add_band(root, a, &b, i + 1, product));
        else
            TRY(product_add_missing(product, b.name != NULL ? b.name : a->key, wavelength_of(&b),
                                    a->file != NULL ? a->file : a->href));
    }
    return ERR_NONE;
}

static Err add_assets(const Json *root, const Json *assets, const char *folder, Product *product)
{
    Err err = ERR_NONE;
    for (const Json *node = json_first(assets); node != NULL && err == ERR_NONE; node = json_next(node)) {
        if (json_kind(node) != JSON_OBJECT || !is_image(node, json_key(node))) continue;
        StacAsset a = read_asset(node, json_key(node));
        if (a.href == NULL) continue;
        err = find_file(folder, a.href, &a.file);
        if (err == ERR_NONE && str_equal_nocase(a.key, "scl") && a.file != NULL && product_has_file(a.file)) {
            product->classification = "SCL";
            err = str_copy(a.file, &product->classification_file);
        } else if (err == ERR_NONE) {
            err = add_asset(root, node, &a, product);
        }
        free(a.file);
    }
    return err;
}

/* A band that is there in one way is not missing in another. */
static void forget_found(Product *product)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < product->n_missing; i++) {
        bool there = false;
        for (int64_t k = 0; k < product->n_bands; k++)
            there = there || str_equal_nocase(product->bands[k].name, product->missing[i].name);
        if (there)
            free(product->missing[i].file);
        else
            product->missing[kept++] = product->missing[i];
    }
    product->n_missing = kept;
}

/* ---- the item ---- */

static void add_items(const Json *properties, Product *product)
{
    static const char *const keys[][2] = { { "datetime", "PRODUCT_START_TIME" },
                                           { "platform", "SPACECRAFT_ID" },
                                           { "processing:level", "PROCESSING_LEVEL" } };
    char number[32];
    const double clouds = number_of(properties, "eo:cloud_cover");
    for (int64_t i = 0; i < ARRAY_LEN(keys); i++)
        product_add_item(product, keys[i][1], text_of(properties, keys[i][0]));
    if (text_of(properties, "datetime") == NULL)
        product_add_item(product, "PRODUCT_START_TIME", text_of(properties, "start_datetime"));
    if (!isfinite(clouds)) return;
    str_from_double(clouds, number);
    product_add_item(product, "CLOUD_COVER", number);
}

static Err find_crs(const Json *properties, Product *product)
{
    const char *code = text_of(properties, "proj:code");
    const double epsg = number_of(properties, "proj:epsg");
    if (code != NULL) return str_copy(code, &product->stated_crs);
    return epsg > 0.0 && epsg < 1e6 ? str_format(&product->stated_crs, "EPSG:%.0f", epsg) : ERR_NONE;
}

static Err check_bands(const char *path, const Product *product)
{
    if (product->n_bands > 0) return ERR_NONE;
    const char *file = product->n_missing > 0 ? product->missing[0].file : NULL;
    if (file == NULL)
        return err_set(ERR_INPUT,
                       "'%s': no asset of this STAC item has bands ('bands' or 'eo:bands' with a name); name a "
                       "raster file",
                       path);
    if (str_starts_with(file, "/vsicurl/http") && gdal_network_allowed())
        return err_set(ERR_INPUT, "'%s': none of the assets of this STAC item can be read ('%.200s' for one)", path,
                       file + strlen("/vsicurl/"));
    if (strstr(file, "://") != NULL || str_starts_with(file, "/vsi"))
        return err_set(ERR_INPUT,
                       "'%s': the assets of this STAC item lie elsewhere ('%.200s' for one); only local files "
                       "are read: download them, and let 'href' name the files%s",
                       path, file, gdal_is_url(file) ? ", or give --allow-network (predict)" : "");
    return err_set(ERR_INPUT, "'%s': the files of the assets of this STAC item are missing or empty ('%.200s' for one)",
                   path, file);
}

Err product_stac_open(const char *path, const char *whole, Product *product)
{
    Json *root = NULL;
    char *folder = NULL;
    product->format = "STAC item";
    TRY(json_read_file(whole, ITEM_LIMIT, &root));
    const Json *assets = json_find(root, "assets"), *properties = json_find(root, "properties");
    const char *type = text_of(root, "type");
    Err err = ERR_NONE;
    if (text_of(root, "stac_version") == NULL || type == NULL || strcmp(type, "Feature") != 0 || assets == NULL ||
        json_kind(assets) != JSON_OBJECT)
        err = err_set(ERR_INPUT, "'%s': this is no STAC item (\"type\": \"Feature\", \"stac_version\", \"assets\")%s",
                      path,
                      type != NULL && strcmp(type, "FeatureCollection") == 0 ? "; save each of its features as a file"
                                                                             : "; expected one, or a raster");
    if (err == ERR_NONE) err = path_folder(whole, &folder);
    if (err == ERR_NONE) err = find_crs(properties, product);
    if (err == ERR_NONE) err = add_assets(root, assets, folder, product);
    if (err == ERR_NONE) {
        forget_found(product);
        add_items(properties, product);
        err = check_bands(path, product);
        for (int64_t i = 0; i < product->n_bands; i++) product_add_file(product, product->bands[i].file);
        if (product->classification_file != NULL) product_add_file(product, product->classification_file);
        product_add_file(product, whole);
    }
    free(folder);
    json_free(root);
    return err;
}
