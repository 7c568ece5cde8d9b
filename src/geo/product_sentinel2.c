/* SPDX-License-Identifier: Apache-2.0
 * Sentinel-2 products, L1C and L2A, of any baseline: what is read stands in the metadata (Sentinel-2 Products Specification
 * Document), never follows from the baseline's number. Offsets that are not stated are 0. */
#include "geo/product_internal.h"

#include "base/file.h"
#include "base/str.h"

#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <cpl_string.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CODES = 13, MOST_IMAGES = 2000, NESTING = 32, CODE_BYTES = 4 };

/* In the order of band_id. Wavelengths of Sentinel-2A; those of the others differ by few nanometres. */
static const struct {
    char name[CODE_BYTES];
    int resolution; /* of L1C */
    double wavelength;
} codes[CODES] = { { "B01", 60, 442.7 }, { "B02", 10, 492.7 }, { "B03", 10, 559.8 },  { "B04", 10, 664.6 },
                   { "B05", 20, 704.1 }, { "B06", 20, 740.5 }, { "B07", 20, 782.8 },  { "B08", 10, 832.8 },
                   { "B8A", 20, 864.7 }, { "B09", 60, 945.1 }, { "B10", 60, 1373.5 }, { "B11", 20, 1613.7 },
                   { "B12", 20, 2202.4 } };

/* One image that the metadata list. */
typedef struct Image {
    char *file;     /* below the product, without suffix */
    char *granule;  /* folder in GRANULE */
    int code;       /* index of codes, CODES: scene classification */
    int resolution; /* metres */
} Image;

typedef struct Listing {
    const char *path; /* for messages */
    Image images[MOST_IMAGES];
    int64_t n;
    double offsets[CODES];
} Listing;

bool product_sentinel2_is_metadata(const char *name)
{
    const bool compact = strncasecmp(name, "MTD_MSIL", 8) == 0 && strlen(name) == 14;
    const bool old = strlen(name) > 20 && strncasecmp(name, "S2", 2) == 0 &&
                     (strstr(name, "_MTD_SAFL1C_") != NULL || strstr(name, "_MTD_SAFL2A_") != NULL);
    return (compact || old) && str_ends_with(name, ".xml");
}

/* ---- what is listed ---- */

/* "..._B8A_20m", "..._B02", "..._SCL_60m": the code; -1: another image. */
static int read_image_name(const char *name, int *ret_resolution)
{
    int metres = 0;
    const size_t length = product_name_length(name, &metres);
    *ret_resolution = metres;
    if (length < CODE_BYTES || name[length - CODE_BYTES] != '_') return -1;
    const char *code = name + length - CODE_BYTES + 1;
    if (strncasecmp(code, "SCL", CODE_BYTES - 1) == 0) return CODES;
    for (int i = 0; i < CODES; i++)
        if (strncasecmp(code, codes[i].name, CODE_BYTES - 1) == 0) {
            if (metres == 0) *ret_resolution = codes[i].resolution;
            return i;
        }
    return -1;
}

/* IMAGE_FILE: path below the product; IMAGE_ID (until 2016): the name alone, in the folder of its granule. */
static Err add_image(Listing *l, const char *text, const char *granule)
{
    char *file = NULL, *folder = NULL;
    int resolution = 0;
    const int code = read_image_name(path_name(text), &resolution);
    if (code < 0) return ERR_NONE;
    if (l->n == MOST_IMAGES)
        return err_set(ERR_INPUT, "'%s': its metadata list more than %d images", l->path, MOST_IMAGES);
    TRY(product_check_name(l->path, text));
    const bool whole = str_starts_with(text, "GRANULE/");
    if (!whole) TRY(product_check_name(l->path, granule));
    const char *start = whole ? text + strlen("GRANULE/") : granule;
    Err err = str_format(&folder, "%.*s", (int)strcspn(start, "/"), start);
    if (err == ERR_NONE)
        err = whole ? str_copy(text, &file) : str_format(&file, "GRANULE/%s/IMG_DATA/%s", granule, text);
    if (err != ERR_NONE) {
        free(folder);
        return err;
    }
    l->images[l->n++] = (Image){ .file = file, .granule = folder, .code = code, .resolution = resolution };
    return ERR_NONE;
}

static Err add_offset(Listing *l, const CPLXMLNode *node)
{
    static const double most = 65535.0;
    double band = -1.0, value = 0.0;
    TRY(product_number(l->path, "band_id", CPLGetXMLValue(node, "band_id", ""), &band));
    TRY(product_number(l->path, node->pszValue, CPLGetXMLValue(node, NULL, ""), &value));
    if (!(band >= 0.0 && band < CODES) || !(value >= -most && value <= most))
        return err_set(ERR_INPUT, "'%s': its metadata state %s as %g of band %g, which cannot be", l->path,
                       node->pszValue, value, band);
    l->offsets[(int)band] = value;
    return ERR_NONE;
}

static Err walk(Listing *l, const CPLXMLNode *node, const char *granule, int nesting)
{
    for (; node != NULL && nesting < NESTING; node = node->psNext) {
        if (node->eType != CXT_Element) continue;
        const char *name = node->pszValue;
        const char *inside = CPLGetXMLValue(node, "granuleIdentifier", granule);
        if (strcmp(name, "BOA_ADD_OFFSET") == 0 || strcmp(name, "RADIO_ADD_OFFSET") == 0)
            TRY(add_offset(l, node));
        else if (str_starts_with(name, "IMAGE_FILE") || str_starts_with(name, "IMAGE_ID"))
            TRY(add_image(l, CPLGetXMLValue(node, NULL, ""), granule));
        else
            TRY(walk(l, node->psChild, inside, nesting + 1));
    }
    return ERR_NONE;
}

/* ---- the product ---- */

static const char *value_of(CPLXMLNode *root, const char *key)
{
    const CPLXMLNode *node = CPLSearchXMLNode(root, key);
    return node != NULL ? CPLGetXMLValue(node, NULL, "") : "";
}

/* The value of the first of these keys that is there. */
static const char *first_value(CPLXMLNode *root, const char *a, const char *b)
{
    const char *value = value_of(root, a);
    return value[0] != '\0' ? value : value_of(root, b);
}

static Err check_level(const char *path, CPLXMLNode *root, bool *ret_surface)
{
    const char *level = first_value(root, "=PROCESSING_LEVEL", "=PROCESSING_LEVEL_2A");
    *ret_surface = str_starts_with(level, "Level-2A"); /* "Level-2Ap" of 2017 */
    if (*ret_surface || strcmp(level, "Level-1C") == 0) return ERR_NONE;
    return err_set(ERR_INPUT, "'%s': its metadata state the processing level '%s'; Level-1C and Level-2A are read",
                   path, level);
}

static void add_items(CPLXMLNode *root, Product *product)
{
    product_add_item(product, "PROCESSING_LEVEL", first_value(root, "=PROCESSING_LEVEL", "=PROCESSING_LEVEL_2A"));
    product_add_item(product, "PROCESSING_BASELINE", value_of(root, "=PROCESSING_BASELINE"));
    product_add_item(product, "PRODUCT_URI", first_value(root, "=PRODUCT_URI", "=PRODUCT_URI_2A"));
    product_add_item(product, "PRODUCT_START_TIME", value_of(root, "=PRODUCT_START_TIME"));
    product_add_item(product, "DATATAKE_1_SPACECRAFT_NAME", value_of(root, "=SPACECRAFT_NAME"));
    product_add_item(product, "CLOUD_COVERAGE_ASSESSMENT", value_of(root, "=Cloud_Coverage_Assessment"));
}

/* The granule to read: the one asked for, or the only one. */
static Err choose_granule(const Listing *l, const char *asked, const char **ret_granule)
{
    if (l->n == 0) return err_set(ERR_INPUT, "'%s': its metadata list no images of bands", l->path);
    const char *first = l->images[0].granule;
    bool several = false, found = false;
    for (int64_t i = 0; i < l->n; i++) {
        several = several || strcmp(l->images[i].granule, first) != 0;
        found = found || (asked != NULL && strcmp(l->images[i].granule, asked) == 0);
    }
    if (asked != NULL && !found)
        return err_set(ERR_INPUT, "'%s': its product's metadata do not list it; the first granule there is '%s'",
                       l->path, first);
    if (asked == NULL && several)
        return err_set(ERR_INPUT, "'%s': this product has several granules; name one, such as '%s/GRANULE/%s'", l->path,
                       l->path, first);
    *ret_granule = asked != NULL ? asked : first;
    return ERR_NONE;
}

/* The finest image of a code in a granule; NULL: none is listed. */
static const Image *finest(const Listing *l, const char *granule, int code)
{
    const Image *best = NULL;
    for (int64_t i = 0; i < l->n; i++) {
        const Image *image = &l->images[i];
        if (image->code != code || strcmp(image->granule, granule) != 0) continue;
        if (best == NULL || image->resolution < best->resolution) best = image;
    }
    return best;
}

static Err add_band(const Listing *l, int code, const char *file, double quantification, Product *product)
{
    ProductBand *band = NULL;
    if (!product_has_file(file)) return product_add_missing(product, codes[code].name, codes[code].wavelength, file);
    TRY(product_add_band(product, codes[code].name, file, &band));
    band->wavelength = codes[code].wavelength;
    band->scale = 1.0 / quantification;
    band->offset = l->offsets[code] / quantification;
    band->zero_is_nodata = true;
    return ERR_NONE;
}

static Err add_bands(const Listing *l, const char *root, const char *granule, bool zip, double quantification,
                     Product *product)
{
    for (int code = 0; code <= CODES; code++) {
        const Image *image = finest(l, granule, code);
        char *file = NULL;
        if (image == NULL) continue;
        TRY(str_format(&file, "%s/%s.jp2", root, image->file));
        Err err = ERR_NONE;
        if (!zip && product_has_file(file)) product_add_file(product, file);
        if (code < CODES)
            err = add_band(l, code, file, quantification, product);
        else if (product_has_file(file))
            err = str_copy(file, &product->classification_file);
        if (code == CODES && err == ERR_NONE && product->classification_file != NULL) product->classification = "SCL";
        free(file);
        TRY(err);
    }
    return ERR_NONE;
}

static Err read_metadata(const char *root, const char *granule, bool zip, CPLXMLNode *tree, Listing *l,
                         Product *product)
{
    bool surface = false;
    double quantification = 0.0;
    TRY(check_level(l->path, tree, &surface));
    const char *key = surface ? "BOA_QUANTIFICATION_VALUE" : "QUANTIFICATION_VALUE";
    const char *text = surface ? first_value(tree, "=BOA_QUANTIFICATION_VALUE", "=L2A_BOA_QUANTIFICATION_VALUE")
                               : value_of(tree, "=QUANTIFICATION_VALUE");
    TRY(product_number(l->path, key, text, &quantification));
    if (!(quantification > 0.0))
        return err_set(ERR_INPUT, "'%s': its metadata state %s as %g; a number above 0 was expected", l->path, key,
                       quantification);
    TRY(walk(l, tree, "", 0));
    TRY(choose_granule(l, granule, &granule));
    add_items(tree, product);
    return add_bands(l, root, granule, zip, quantification, product);
}

static Err find_metadata(const char *path, const char *root, char **ret_file)
{
    char **names = product_list(root);
    const char *found = NULL;
    for (int64_t i = 0; names != NULL && names[i] != NULL && found == NULL; i++)
        if (product_sentinel2_is_metadata(names[i])) found = names[i];
    const Err err = found != NULL
                        ? str_format(ret_file, "%s/%s", root, found)
                        : err_set(ERR_INPUT,
                                  "'%s': this Sentinel-2 product has no metadata (MTD_MSIL1C.xml or MTD_MSIL2A.xml), "
                                  "so it is not complete; download it again",
                                  path);
    CSLDestroy(names);
    return err;
}

Err product_sentinel2_open(const char *path, const char *root, const char *granule, const char *zip, Product *product)
{
    char *metadata = NULL, *text = NULL;
    CPLXMLNode *tree = NULL;
    Listing *l = calloc(1, sizeof *l);
    if (l == NULL) return err_memory(sizeof *l, "the list of a product's images");
    l->path = path;
    product->format = zip != NULL ? "Sentinel-2 SAFE in a zip" : "Sentinel-2 SAFE";
    Err err = find_metadata(path, root, &metadata);
    if (err == ERR_NONE) err = product_read_text(metadata, &text);
    if (err == ERR_NONE) {
        product_add_file(product, zip != NULL ? zip : metadata);
        tree = CPLParseXMLString(text);
        if (tree == NULL) err = err_set(ERR_INPUT, "'%s': its metadata '%s' are broken XML", path, path_name(metadata));
    }
    if (err == ERR_NONE) {
        CPLStripXMLNamespace(tree, NULL, TRUE);
        err = read_metadata(root, granule, zip != NULL, tree, l, product);
    }
    CPLDestroyXMLNode(tree);
    for (int64_t i = 0; i < l->n; i++) {
        free(l->images[i].file);
        free(l->images[i].granule);
    }
    free(l);
    free(metadata);
    free(text);
    return err;
}
