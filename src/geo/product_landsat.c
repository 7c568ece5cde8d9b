/* SPDX-License-Identifier: Apache-2.0
 * Landsat products: Collections 1 and 2, levels 1 and 2, and the metadata of before, as text (ODL), XML or JSON. A key may
 * stand in several groups: level 2 repeats the names, scales and offsets of level 1. */
#include "geo/product_internal.h"

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"

#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <cpl_string.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { KEY_BYTES = 96, MOST_BAND = 11 };

/* Entries "GROUP/KEY=VALUE" (CSL). */
typedef struct Mtl {
    char **entries;
    int64_t n;
} Mtl;

bool product_landsat_is_metadata(const char *name)
{
    const bool landsat = name[0] == 'L' || name[0] == 'l';
    return landsat &&
           (str_ends_with(name, "_MTL.txt") || str_ends_with(name, "_MTL.xml") || str_ends_with(name, "_MTL.json"));
}

static void add_entry(Mtl *mtl, const char *group, const char *key, const char *value)
{
    enum { MOST_ENTRIES = 5000 };
    if (mtl->n++ >= MOST_ENTRIES) return;
    mtl->entries = CSLAddString(mtl->entries, CPLSPrintf("%.60s/%.60s=%.400s", group, key, value));
}

/* ---- the three ways to write it ---- */

/* "  KEY = "value"" with GROUP and END_GROUP around. The text is cut into lines. */
static void read_odl(char *text, Mtl *mtl)
{
    char group[KEY_BYTES] = "";
    for (char *line = text, *end = NULL; line != NULL; line = end) {
        end = strchr(line, '\n');
        if (end != NULL) *end++ = '\0';
        char *equals = strchr(line, '=');
        if (equals == NULL) continue;
        char key[KEY_BYTES];
        const char *start = line + strspn(line, " \t");
        const size_t length = strcspn(start, " \t=");
        (void)snprintf(key, sizeof key, "%.*s", (int)(length < sizeof key ? length : 0), start);
        char *value = equals + 1 + strspn(equals + 1, " \t\"");
        value[strcspn(value, "\"\r")] = '\0';
        for (size_t n = strlen(value); n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'); n--) value[n - 1] = '\0';
        if (strcmp(key, "GROUP") == 0)
            (void)snprintf(group, sizeof group, "%s", value);
        else if (strcmp(key, "END_GROUP") != 0)
            add_entry(mtl, group, key, value);
    }
}

static void read_xml(const CPLXMLNode *root, Mtl *mtl)
{
    for (const CPLXMLNode *group = root->psChild; group != NULL; group = group->psNext)
        for (const CPLXMLNode *node = group->eType == CXT_Element ? group->psChild : NULL; node != NULL;
             node = node->psNext)
            if (node->eType == CXT_Element)
                add_entry(mtl, group->pszValue, node->pszValue, CPLGetXMLValue(node, NULL, ""));
}

static void read_json(const Json *root, Mtl *mtl)
{
    for (const Json *group = json_first(root); group != NULL; group = json_next(group)) {
        if (json_kind(group) != JSON_OBJECT) continue;
        for (const Json *node = json_first(group); node != NULL; node = json_next(node)) {
            char number[32];
            const char *text = NULL;
            double value = 0.0;
            if (json_kind(node) == JSON_STRING && json_as_string(node, json_key(node), &text) == ERR_NONE)
                add_entry(mtl, json_key(group), json_key(node), text);
            if (json_kind(node) != JSON_NUMBER || json_as_double(node, json_key(node), &value) != ERR_NONE) continue;
            str_from_double(value, number);
            add_entry(mtl, json_key(group), json_key(node), number);
        }
    }
}

static Err read_text(const char *path, const char *metadata, char *text, Mtl *mtl)
{
    Err err = ERR_NONE;
    if (str_ends_with(metadata, ".xml")) {
        CPLXMLNode *tree = CPLParseXMLString(text);
        const CPLXMLNode *root = tree != NULL ? CPLGetXMLNode(tree, "=LANDSAT_METADATA_FILE") : NULL;
        if (tree != NULL && root == NULL) root = CPLGetXMLNode(tree, "=L1_METADATA_FILE");
        if (root != NULL) read_xml(root, mtl);
        CPLDestroyXMLNode(tree);
    } else if (str_ends_with(metadata, ".json")) {
        Json *tree = NULL;
        err = json_parse(text, strlen(text), strlen(text) + 1, &tree);
        if (err == ERR_NONE && json_first(tree) != NULL) read_json(json_first(tree), mtl);
        json_free(tree);
        if (err == ERR_INPUT) err = err_prefix(err, "'%s'", path);
    } else {
        read_odl(text, mtl);
    }
    if (err == ERR_NONE && mtl->entries == NULL)
        err = err_set(ERR_INPUT, "'%s': its metadata '%s' are damaged: no groups of keys were found", path,
                      path_name(metadata));
    return err;
}

/* ---- the product ---- */

/* A value of the first of these groups that has the key; "" if none has. */
static const char *find(const Mtl *mtl, const char *const *groups, const char *key)
{
    for (; *groups != NULL; groups++) {
        const char *value = CSLFetchNameValue(mtl->entries, CPLSPrintf("%s/%s", *groups, key));
        if (value != NULL) return value;
    }
    return "";
}

/* Groups by what they hold; Collection 2 first, then Collection 1 and before. */
static const char *const contents[] = { "PRODUCT_CONTENTS", "PRODUCT_METADATA", NULL };
static const char *const attributes[] = { "IMAGE_ATTRIBUTES", "PRODUCT_METADATA", NULL };
static const char *const scaling_1[] = { "LEVEL1_RADIOMETRIC_RESCALING", "RADIOMETRIC_RESCALING", NULL };
static const char *const scaling_2[] = { "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", NULL };
static const char *const temperature[] = { "LEVEL2_SURFACE_TEMPERATURE_PARAMETERS", NULL };

/* What is stated by MULT and ADD. Level 2 states them for each band, older level 1 for none. */
static Err read_scaling(const char *path, const Mtl *mtl, const char *const *groups, const char *what, const char *band,
                        bool needed, ProductBand *target)
{
    char key[KEY_BYTES];
    (void)snprintf(key, sizeof key, "%s_MULT_BAND_%s", what, band);
    const char *scale = find(mtl, groups, key);
    if (scale[0] == '\0' && needed)
        return err_set(ERR_INPUT, "'%s': its metadata do not state %s, so the unit of this band is not known", path,
                       key);
    if (scale[0] == '\0') return ERR_NONE;
    double factor = 0.0, offset = 0.0;
    TRY(product_number(path, key, scale, &factor));
    (void)snprintf(key, sizeof key, "%s_ADD_BAND_%s", what, band);
    TRY(product_number(path, key, find(mtl, groups, key), &offset));
    if (factor == 0.0) return err_set(ERR_INPUT, "'%s': its metadata state a scale of 0 for band %s", path, band);
    target->scale = factor;
    target->offset = offset;
    return ERR_NONE;
}

/* Of a product in a tar the tar is the one file that is read. */
static const char in_a_tar[] = "Landsat product in a tar";
static bool from_tar(const Product *product) { return product->format == in_a_tar; }

/* Landsat 1 to 5's multispectral scanner: the last band sees 800 to 1100 nm, and a wavelength in it stands for it. */
static double scanner_wavelength(const char *satellite, int band)
{
    static const double wavelengths[] = { 550.0, 650.0, 750.0, 850.0 };
    const char *digit = satellite + strcspn(satellite, "123456789");
    const int first = *digit >= '4' ? 1 : 4;
    return band >= first && band < first + (int)ARRAY_LEN(wavelengths) ? wavelengths[band - first] : 0.0;
}

/* One FILE_NAME_BAND_...; `band`: "4", "6_VCID_1", "ST_B10". */
static Err add_band(const char *path, const Mtl *mtl, const char *folder, const char *band, bool surface,
                    Product *product)
{
    char key[KEY_BYTES], name[KEY_BYTES], *file = NULL;
    ProductBand *added = NULL;
    double wavelength = 0.0;
    (void)snprintf(key, sizeof key, "FILE_NAME_BAND_%s", band);
    const char *listed = find(mtl, contents, key);
    if (listed[0] == '\0') return ERR_NONE;
    const bool thermal = str_starts_with(band, "ST_");
    (void)snprintf(name, sizeof name, "%s%s", thermal ? "" : surface ? "SR_B" : "B", band);
    if (strcmp(find(mtl, attributes, "SENSOR_ID"), "MSS") == 0)
        wavelength = scanner_wavelength(find(mtl, attributes, "SPACECRAFT_ID"), (int)strtol(band, NULL, 10));
    TRY(product_check_name(path, listed));
    TRY(path_join(folder, listed, &file));
    const bool there = product_has_file(file);
    if (there && !from_tar(product)) product_add_file(product, file);
    const Err err =
        there ? product_add_band(product, name, file, &added) : product_add_missing(product, name, wavelength, file);
    free(file);
    if (err != ERR_NONE || !there) return err;
    added->zero_is_nodata = true;
    added->wavelength = wavelength;
    if (thermal) return read_scaling(path, mtl, temperature, "TEMPERATURE", band, true, added);
    return read_scaling(path, mtl, surface ? scaling_2 : scaling_1, "REFLECTANCE", band, surface, added);
}

static Err add_bands(const char *path, const Mtl *mtl, const char *folder, bool surface, Product *product)
{
    static const char *const others[] = { "6_VCID_1", "6_VCID_2", "ST_B6", "ST_B10" };
    for (int band = 1; band <= MOST_BAND; band++) {
        char number[12];
        (void)snprintf(number, sizeof number, "%d", band);
        TRY(add_band(path, mtl, folder, number, surface, product));
    }
    for (int64_t i = 0; i < ARRAY_LEN(others); i++) TRY(add_band(path, mtl, folder, others[i], surface, product));
    if (product->n_bands + product->n_missing > 0) return ERR_NONE;
    return err_set(ERR_INPUT, "'%s': its metadata list no files of bands", path);
}

/* Level 1 states reflectance as if the sun stood overhead; divided by the sine of its elevation in the middle of the scene it
 * is that at the top of the atmosphere (Landsat 8 Data Users Handbook, LSDS-1574, section 5.2; Landsat 7's likewise). */
static Err correct_sun(const char *path, const Mtl *mtl, Product *product)
{
    const double radians = 0.017453292519943295769;
    const char *text = find(mtl, attributes, "SUN_ELEVATION");
    double elevation = 0.0;
    bool stated = false; /* any reflectance */
    for (int64_t i = 0; i < product->n_bands; i++) stated = stated || product->bands[i].scale != 1.0;
    if (!stated) return ERR_NONE;
    if (text[0] != '\0') TRY(product_number(path, "SUN_ELEVATION", text, &elevation));
    if (!(elevation > 0.0 && elevation <= 90.0)) {
        (void)snprintf(product->note, sizeof product->note,
                       "%s, so its reflectance is not corrected for the height of the sun and is too low",
                       text[0] != '\0' ? "the sun stood below the horizon" : "its metadata state no SUN_ELEVATION");
        return ERR_NONE;
    }
    for (int64_t i = 0; i < product->n_bands; i++) {
        if (product->bands[i].scale == 1.0) continue;
        product->bands[i].scale /= sin(elevation * radians);
        product->bands[i].offset /= sin(elevation * radians);
    }
    return ERR_NONE;
}

/* Which pixels are clouds; products of before Collection 2 have another file for it, with other bits. */
static Err add_quality(const char *path, const Mtl *mtl, const char *folder, Product *product)
{
    const char *listed = find(mtl, contents, "FILE_NAME_QUALITY_L1_PIXEL");
    if (listed[0] == '\0') return ERR_NONE;
    TRY(product_check_name(path, listed));
    TRY(path_join(folder, listed, &product->classification_file));
    if (!product_has_file(product->classification_file)) return ERR_NONE;
    if (!from_tar(product)) product_add_file(product, product->classification_file);
    product->classification = "QA_PIXEL";
    return ERR_NONE;
}

static Err check_level(const char *path, const Mtl *mtl, const char **ret_level)
{
    static const char *const levels[] = { "L1TP", "L1GT", "L1GS", "L1T", "L1Gt", "L1G", "L2SP", "L2SR" };
    const char *level = find(mtl, contents, "PROCESSING_LEVEL");
    if (level[0] == '\0') level = find(mtl, contents, "DATA_TYPE"); /* before Collection 2 */
    if (level[0] == '\0') level = find(mtl, contents, "PRODUCT_TYPE");
    for (int64_t i = 0; i < ARRAY_LEN(levels); i++)
        if (strcmp(level, levels[i]) == 0) {
            *ret_level = level;
            return ERR_NONE;
        }
    return err_set(ERR_INPUT,
                   "'%s': its metadata state the processing level '%s'; L1TP, L1GT, L1GS, L2SP and L2SR are read", path,
                   level);
}

static Err fill(const char *path, const char *metadata, const Mtl *mtl, Product *product)
{
    static const char *const keys[] = { "SPACECRAFT_ID", "SENSOR_ID", "DATE_ACQUIRED", "CLOUD_COVER", "SUN_ELEVATION" };
    const char *level = NULL;
    char *folder = NULL;
    TRY(check_level(path, mtl, &level));
    product_add_item(product, "PROCESSING_LEVEL", level);
    product_add_item(product, "LANDSAT_PRODUCT_ID", find(mtl, contents, "LANDSAT_PRODUCT_ID"));
    for (int64_t i = 0; i < ARRAY_LEN(keys); i++) product_add_item(product, keys[i], find(mtl, attributes, keys[i]));
    TRY(path_folder(metadata, &folder));
    const bool surface = str_starts_with(level, "L2");
    Err err = add_bands(path, mtl, folder, surface, product);
    if (err == ERR_NONE && !surface) err = correct_sun(path, mtl, product);
    if (err == ERR_NONE) err = add_quality(path, mtl, folder, product);
    free(folder);
    return err;
}

Err product_landsat_open(const char *path, const char *metadata, const char *tar, Product *product)
{
    char *text = NULL;
    Mtl mtl = { .n = 0 };
    product->format = tar != NULL ? in_a_tar : "Landsat product";
    TRY(product_read_text(metadata, &text));
    product_add_file(product, tar != NULL ? tar : metadata);
    Err err = read_text(path, metadata, text, &mtl);
    if (err == ERR_NONE) err = fill(path, metadata, &mtl, product);
    CSLDestroy(mtl.entries);
    free(text);
    return err;
}
